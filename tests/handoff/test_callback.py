"""Calls back come while the target is open and at a decent time where the called person is."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ivr.config import CallbackOffer, Hours
from ivr.flow.hours import HoursError, is_open
from ivr.handoff.callback import LOOK_AHEAD, again, due

DETROIT, HONOLULU, MADRID = "America/Detroit", "Pacific/Honolulu", "Europe/Madrid"
USUAL = Hours(timezone=DETROIT, open={"mon-fri": "08:00-20:00", "sat": "09:00-13:00"})
NIGHT = Hours(timezone=DETROIT, open={"fri-sat": "22:00-04:00"})
NEVER = Hours(timezone=DETROIT, open={"mon-sun": "closed"})
DAY = "08:00-21:00"
OFFER = CallbackOffer(tries=3, again_after=900)


def at(text, zone=DETROIT, fold=0):
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone), fold=fold).timestamp()


def local(moment, zone=DETROIT):
    return datetime.fromtimestamp(moment, ZoneInfo(zone)).strftime("%a %H:%M")


def test_a_call_back_that_may_come_now_comes_now():
    assert due(at("2026-03-02 09:15:30"), USUAL, DAY, DETROIT) == at("2026-03-02 09:15:30")
    assert due(at("2026-03-02 09:15"), None, DAY, DETROIT) == at("2026-03-02 09:15")


@pytest.mark.parametrize(
    ("asked", "hours", "zone", "comes"),
    [
        ("2026-03-02 20:30", USUAL, DETROIT, "Tue 08:00"),  # the target has closed
        ("2026-03-07 13:30", USUAL, DETROIT, "Mon 08:00"),  # over Sunday, on which clocks go forward
        ("2026-03-02 09:15", USUAL, HONOLULU, "Mon 13:00"),  # it is four in the morning there
        ("2026-03-02 16:30", USUAL, MADRID, "Tue 08:00"),  # half past ten at night there
        ("2026-03-02 23:00", None, DETROIT, "Tue 08:00"),
        ("2026-03-02 23:00", None, "Etc/Unknown", "Tue 03:00"),  # UTC, where neither has a zone
        ("2026-03-02 23:00", USUAL, None, "Tue 08:00"),
    ],
)
def test_it_waits_for_the_target_and_for_the_morning_there(asked, hours, zone, comes):
    assert local(due(at(asked), hours, DAY, zone)) == comes


def test_a_time_that_does_not_exist_in_spring_is_an_hour_later_on_the_wall():
    moment = due(at("2026-03-07 23:00"), NIGHT, "02:30-05:00", DETROIT)
    assert local(moment) == "Sun 03:30"
    assert moment - at("2026-03-07 23:00") == 3.5 * 3600


def test_both_hours_of_the_long_autumn_night_count():
    first, second = at("2026-11-01 01:30"), at("2026-11-01 01:30", fold=1)
    assert second - first == 3600
    assert due(first, None, "01:00-02:00", DETROIT) == first and due(second, None, "01:00-02:00", DETROIT) == second


def test_who_can_never_be_called_is_looked_at_again_after_three_weeks():
    now = at("2026-03-02 09:15")
    assert due(now, NEVER, DAY, DETROIT) == now + LOOK_AHEAD
    assert due(now, NIGHT, "09:00-17:00", DETROIT) == now + LOOK_AHEAD


def test_a_span_that_is_none_is_an_error():
    with pytest.raises(HoursError):
        due(at("2026-03-02 09:15"), USUAL, "25:00-99:00", DETROIT)


moments = st.datetimes(datetime(2026, 1, 1), datetime(2026, 12, 31)).map(
    lambda day: day.replace(tzinfo=UTC).timestamp()
)
zones = st.sampled_from([DETROIT, HONOLULU, MADRID, "Pacific/Auckland", "Asia/Kolkata"])


@given(moments, zones, st.sampled_from([USUAL, None]))
@example(at("2026-03-08 01:59:59"), DETROIT, USUAL)
@example(at("2026-11-01 01:59:59"), HONOLULU, USUAL)
def test_the_moment_is_the_first_that_suits_both(now, zone, hours):
    moment = due(now, hours, DAY, zone)
    decent = Hours(timezone=zone, open={"mon-sun": DAY})

    def suits(when):
        there = datetime.fromtimestamp(when, UTC)
        return is_open(hours, there) and is_open(decent, there)

    assert now <= moment and (suits(moment) or moment == now + LOOK_AHEAD)
    earlier = [now + (moment - now) * share for share in (0.0, 0.3, 0.7, 0.99)] if moment > now else []
    assert not any(map(suits, earlier))


def test_it_is_tried_again_after_a_while_and_then_closed():
    now = at("2026-03-02 19:50")
    assert local(again(now, 1, OFFER, USUAL, DETROIT)) == "Tue 08:00"
    assert again(at("2026-03-02 10:00"), 2, OFFER, USUAL, DETROIT) == at("2026-03-02 10:15")
    assert again(now, 3, OFFER, USUAL, DETROIT) is None
