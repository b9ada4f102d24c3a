"""The wait, as a range from the queue's own figures."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivr.handoff.estimate import Range, estimate, spoken

positions, teams = st.integers(1, 200), st.integers(1, 60)
figures = st.lists(st.floats(1, 7200), max_size=40)
usuals = st.floats(1, 3600)


def test_nobody_works_the_queue_so_nobody_can_say():
    assert estimate(1, 0, [200.0], 240.0) is None


@given(positions, positions, teams, figures, usuals)
def test_further_back_never_waits_less(one, other, agents, handled, usual):
    front, back = (estimate(place, agents, handled, usual) for place in sorted((one, other)))
    assert front.low <= back.low and front.high <= back.high


@given(positions, teams, teams, figures, usuals)
def test_more_people_never_make_it_longer(position, one, other, handled, usual):
    few, many = (estimate(position, agents, handled, usual) for agents in sorted((one, other)))
    assert many.low <= few.low and many.high <= few.high


@given(positions, teams, figures, usuals)
def test_it_is_a_range_and_its_minutes_hold_it(position, agents, handled, usual):
    found = estimate(position, agents, handled, usual)
    assert 0 <= found.low <= found.high
    low, high = spoken(found)
    assert 0 <= low <= found.low / 60 and high >= found.high / 60 and high >= 1


@pytest.mark.parametrize(("position", "share"), [(1, 0.7), (2, 0.7), (5, 0.7), (20, 0.7)])
def test_seven_in_ten_waits_end_within_it(position, share):
    chance = random.Random(position)
    low, high = estimate(position, 4, [180.0] * 200, 180.0)
    waits = [sum(chance.expovariate(4 / 180) for _ in range(position)) for _ in range(2000)]
    assert sum(low <= wait <= high for wait in waits) / len(waits) == pytest.approx(share, abs=0.03)


def test_few_figures_are_not_yet_believed():
    usual = estimate(3, 2, [], 240.0)
    one_odd = estimate(3, 2, [3600.0], 240.0)
    many = estimate(3, 2, [3600.0] * 100, 240.0)
    assert usual.high < one_odd.high < many.high
    assert one_odd.high < 4 * usual.high


def test_figures_that_cannot_be_are_left_aside():
    assert estimate(1, 1, [-5.0, 0.0, float("nan"), float("inf")], 240.0) == estimate(1, 1, [], 240.0)


def test_minutes_are_rounded_outwards():
    assert spoken(Range(0.0, 0.0)) == (0, 1)
    assert spoken(Range(61.0, 119.0)) == (1, 2)
    assert spoken(Range(59.0, 121.0)) == (0, 3)
