"""The wait, as a range from the queue's own figures."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivr.handoff.estimate import Past, Range, estimate, spoken


def served(*handled, rang=None):
    """Callers who were taken at once, and took so many seconds each."""
    return [Past(0.0, False, rang, seconds) for seconds in handled]


positions, teams = st.integers(1, 200), st.integers(1, 60)
seconds = st.floats(1, 7200)
figures = st.lists(
    st.one_of(
        st.builds(Past, waited=seconds, left=st.just(False), rang=st.floats(1, 60), handled=seconds),
        st.builds(Past, waited=seconds, left=st.just(True), rang=st.none(), handled=st.none()),
    ),
    max_size=40,
)
usuals = st.floats(1, 3600)
A_HAIR = 1 + 1e-9


def test_nobody_works_the_queue_so_nobody_can_say():
    assert estimate(1, 0, served(200.0), 240.0) is None


@given(positions, positions, teams, figures, usuals)
def test_further_back_never_waits_less(one, other, agents, past, usual):
    front, back = (estimate(place, agents, past, usual) for place in sorted((one, other)))
    assert front.low <= back.low * A_HAIR and front.high <= back.high * A_HAIR


@given(positions, teams, teams, figures, usuals)
def test_more_people_never_make_it_longer(position, one, other, past, usual):
    few, many = (estimate(position, agents, past, usual) for agents in sorted((one, other)))
    assert many.low <= few.low * A_HAIR and many.high <= few.high * A_HAIR


@given(positions, teams, figures, usuals)
def test_it_is_a_range_and_its_minutes_hold_it(position, agents, past, usual):
    found = estimate(position, agents, past, usual)
    assert 0 <= found.low <= found.high
    low, high = spoken(found)
    assert 0 <= low <= found.low / 60 and high >= found.high / 60 and high >= 1


@pytest.mark.parametrize(("position", "share"), [(1, 0.7), (2, 0.7), (5, 0.7), (20, 0.7)])
def test_seven_in_ten_waits_end_within_it(position, share):
    chance = random.Random(position)
    low, high = estimate(position, 4, served(*[180.0] * 200), 180.0)
    waits = [sum(chance.expovariate(4 / 180) for _ in range(position)) for _ in range(2000)]
    assert sum(low <= wait <= high for wait in waits) / len(waits) == pytest.approx(share, abs=0.03)


@pytest.mark.parametrize("position", [2, 10, 40])
def test_seven_in_ten_also_where_those_ahead_give_up(position):
    """Four agents who take three minutes each; whoever waits hangs up after ten minutes on the average."""
    chance = random.Random(position)
    past = [*served(*[180.0] * 2000), *[Past(600.0, True)] * 2000]
    low, high = estimate(position, 4, past, 180.0)
    waits = [sum(chance.expovariate(4 / 180 + ahead / 600) for ahead in range(position)) for _ in range(2000)]
    assert sum(low <= wait <= high for wait in waits) / len(waits) == pytest.approx(0.7, abs=0.03)


def test_who_gives_up_makes_it_shorter_and_who_still_waits_shows_that_they_do_not():
    stay = estimate(20, 4, served(180.0, 180.0), 180.0)
    leave = estimate(20, 4, [*served(180.0, 180.0), Past(60.0, True), Past(60.0, True)], 180.0)
    patient = estimate(20, 4, [*served(180.0, 180.0), Past(60.0, True), Past(60.0, True)], 180.0, [600.0] * 20)
    assert leave.high < patient.high < stay.high


def test_one_caller_who_left_at_once_says_little():
    assert estimate(5, 2, [Past(0.5, True)], 240.0).low > 0.7 * estimate(5, 2, [], 240.0).low


def test_the_wait_ends_when_somebody_talks_to_them_not_when_a_phone_begins_to_ring():
    taken, talked = (estimate(3, 2, served(100.0, rang=rang), 240.0) for rang in (None, 12.0))
    assert talked == pytest.approx((taken.low + 12, taken.high + 12))


def test_few_figures_are_not_yet_believed():
    usual = estimate(3, 2, [], 240.0)
    one_odd = estimate(3, 2, served(3600.0), 240.0)
    many = estimate(3, 2, served(*[3600.0] * 100), 240.0)
    assert usual.high < one_odd.high < many.high
    assert one_odd.high < 4 * usual.high


def test_figures_that_cannot_be_are_left_aside():
    odd = served(-5.0, 0.0, float("nan"), float("inf"), rang=float("nan"))
    assert estimate(1, 1, odd, 240.0, [float("nan")]) == estimate(1, 1, [], 240.0)


def test_minutes_are_rounded_outwards():
    assert spoken(Range(0.0, 0.0)) == (0, 1)
    assert spoken(Range(61.0, 119.0)) == (1, 2)
    assert spoken(Range(59.0, 121.0)) == (0, 3)
