"""Opening hours: open, closed, and when next, by the wall clock of the line, also when clocks change."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ivr.config import Hours
from ivr.flow.hours import HoursError, check, closes_at, is_open, opens_at, spans_on

DETROIT = ZoneInfo("America/Detroit")
USUAL = Hours(timezone="America/Detroit", open={"mon-fri": "08:00-20:00", "sat": "09:00-13:00"})
NIGHT = Hours(timezone="America/Detroit", open={"fri-sat": "22:00-04:00", "sun": "01:30-02:30, 12:00-24:00"})
ALWAYS = Hours(timezone="Europe/Madrid", open={"mon-sun": "00:00-24:00"})
EXCEPT = Hours(
    timezone="Pacific/Auckland",
    open={"mon-sun": "09:00-17:00"},
    exceptions={"2026-04-05": "closed", "2026-04-06": "10:00-11:00"},
)
moments = st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1)).map(lambda moment: moment.replace(tzinfo=UTC))
plans = st.sampled_from([USUAL, NIGHT, EXCEPT])
SPRING, AUTUMN = datetime(2026, 3, 8, 6, 59, tzinfo=UTC), datetime(2026, 11, 1, 5, 59, tzinfo=UTC)


@given(plans, moments)
@example(NIGHT, SPRING)
@example(NIGHT, AUTUMN)
@example(NIGHT, AUTUMN + timedelta(hours=1, minutes=15))
def test_open_closes_and_opens_agree(hours, moment):
    closes, opens = closes_at(hours, moment), opens_at(hours, moment)
    assert is_open(hours, moment) == (closes is not None)
    assert opens is not None and opens.timestamp() > moment.timestamp()
    assert is_open(hours, opens.astimezone(UTC))
    if closes is not None:
        assert closes.timestamp() > moment.timestamp()
        assert is_open(hours, closes.astimezone(UTC) - timedelta(seconds=1))
    else:
        # closed now: closed until it opens
        for share in (0.25, 0.5, 0.99):
            between = moment + timedelta(seconds=(opens.timestamp() - moment.timestamp()) * share)
            assert not is_open(hours, between)


@given(plans, moments)
def test_it_is_open_exactly_inside_the_spans_of_its_days(hours, moment):
    day = moment.astimezone(ZoneInfo(hours.timezone)).date()
    spans = [span for offset in (-1, 0, 1) for span in spans_on(hours, day + timedelta(days=offset))]
    inside = any(start.timestamp() <= moment.timestamp() < end.timestamp() for start, end in spans)
    assert is_open(hours, moment) == inside


@given(moments)
def test_a_line_that_never_closes_is_always_open(moment):
    assert is_open(ALWAYS, moment)
    assert is_open(None, moment) and closes_at(None, moment) is None and opens_at(None, moment) is None


@pytest.mark.parametrize(
    ("at", "open_"),
    [
        ("2026-03-02 07:59", False),
        ("2026-03-02 08:00", True),
        ("2026-03-02 19:59", True),
        ("2026-03-02 20:00", False),
        ("2026-03-07 12:59", True),
        ("2026-03-08 12:00", False),
    ],
)
def test_the_wall_clock_of_the_line_decides(at, open_):
    assert is_open(USUAL, datetime.fromisoformat(at).replace(tzinfo=DETROIT)) is open_


def test_eight_o_clock_is_eight_o_clock_before_and_after_clocks_change():
    for day in ("2026-03-06", "2026-03-09", "2026-10-30", "2026-11-02"):
        opens = opens_at(USUAL, datetime.fromisoformat(f"{day} 00:30").replace(tzinfo=DETROIT))
        assert opens is not None and opens.strftime("%Y-%m-%d %H:%M") == f"{day} 08:00"


def test_an_exception_beats_a_holiday_and_a_holiday_beats_the_weekday():
    hours = USUAL.model_copy(update={"holidays": "US-MI", "exceptions": {"2026-12-25": "10:00-12:00"}})
    assert not is_open(hours, datetime(2026, 1, 1, 12, tzinfo=DETROIT))
    assert is_open(USUAL, datetime(2026, 1, 1, 12, tzinfo=DETROIT))
    assert is_open(hours, datetime(2026, 12, 25, 11, tzinfo=DETROIT))
    assert not is_open(hours, datetime(2026, 12, 25, 14, tzinfo=DETROIT))


@pytest.mark.parametrize(
    "wrong",
    [
        {"open": {"monday": "08:00-20:00"}}, {"open": {"mon": "8-20"}}, {"open": {"mon": "25:00-26:00"}}, {"open": {}, "exceptions": {"soon": "closed"}},
        {"open": {}, "timezone": "Mars/Olympus"}, {"open": {}, "holidays": "ZZ"}, {"open": {"mon": "08:00-24:30"}},
    ],
)  # fmt: skip
def test_hours_that_cannot_be_read_say_so(wrong):
    with pytest.raises(HoursError):
        check(Hours(**wrong))
