"""The likeliest reasons come first."""

from __future__ import annotations

import json
import math
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivr.personal.likely import DAY, KEPT, Contact, Fading, Popularity, rank, remember

ROOT = Path(__file__).parents[2]
REASONS = ("bill", "order", "outage", "move", "password")
NOW = 1_700_000_000.0

names = st.sampled_from((*REASONS, "a reason no longer offered"))
times = st.floats(NOW - 400 * DAY, NOW + 10 * DAY)
pasts = st.lists(st.tuples(names, times), max_size=50)
groups = st.sampled_from((None, "north", "south"))
logs = st.lists(st.tuples(names, times, st.none() | names, groups), max_size=40)
menus = st.lists(st.sampled_from((*REASONS, "never asked about")), unique=True)


def counted(*contacts: tuple[Any, ...]) -> Popularity:
    popularity = Popularity()
    for contact in contacts:
        popularity.seen(*contact)
    return popularity


def usual() -> Popularity:
    """A month of bills most, then orders, then outages, a few of the rest; half of it asked twice running."""
    share = ["bill"] * 12 + ["order"] * 8 + ["outage"] * 6 + ["move"] * 2 + ["password"] * 2
    return counted(
        *(
            (reason, NOW - days * DAY, reason if number % 2 == 0 else share[number - 7])
            for days in range(30, 0, -1)
            for number, reason in enumerate(share)
        )
    )


def order(ranked: tuple[tuple[str, float], ...]) -> list[str]:
    return [reason for reason, _ in ranked]


def chance(reason: str, past: list[Contact], popularity: Popularity, group: str | None = None) -> float:
    return dict(rank(past, popularity, REASONS, NOW, group))[reason]


@given(pasts, logs, menus, times, groups)
def test_every_reason_is_ranked_once_and_the_chances_sum_to_one(past, log, menu, now, group):
    ranked = rank(past, counted(*log), menu, now, group)
    assert sorted(order(ranked)) == sorted(menu)
    assert not menu or math.fsum(p for _, p in ranked) == pytest.approx(1, abs=1e-9)
    assert all(0 < p <= 1 for _, p in ranked)
    assert [p for _, p in ranked] == sorted((p for _, p in ranked), reverse=True)


@given(pasts, logs, menus, times, groups)
def test_the_same_question_has_the_same_answer_and_changes_nothing(past, log, menu, now, group):
    popularity = counted(*log)
    before = json.dumps(popularity.to_json())
    assert rank(past, popularity, menu, now, group) == rank(tuple(past), popularity, tuple(menu), now, group)
    assert json.dumps(popularity.to_json()) == before


@given(logs, pasts, groups)
def test_popularity_comes_back_from_json_as_it_was(log, past, group):
    popularity = counted(*log)
    back = Popularity.from_json(json.loads(json.dumps(popularity.to_json(), allow_nan=False)))
    assert back == popularity
    assert rank(past, back, REASONS, NOW, group) == rank(past, popularity, REASONS, NOW, group)


@given(st.permutations(REASONS))
def test_equally_likely_reasons_keep_the_given_order(menu):
    assert order(rank([], Popularity(), menu, NOW)) == menu
    assert {p for _, p in rank([], Popularity(), menu, NOW)} == {1 / len(menu)}


@given(st.lists(st.sampled_from(REASONS), min_size=1, max_size=30))
def test_a_first_time_caller_gets_what_everybody_asks_about_most(asked):
    ranked = order(rank([], counted(*((reason, NOW) for reason in asked)), REASONS, NOW))
    assert ranked == sorted(REASONS, key=lambda reason: -asked.count(reason))


@given(st.sampled_from(REASONS), st.integers(8, 30), st.floats(0, 3))
def test_what_a_caller_often_asks_lately_outranks_the_rest(reason, often, days):
    past = [(reason, NOW - days * DAY - (often - number) * 3600.0) for number in range(often)]
    assert order(rank(past, usual(), REASONS, NOW))[0] == reason


def test_a_habit_beats_the_crowd():
    past = [("outage", NOW - days * DAY) for days in (9, 7, 5, 3, 1)]
    assert order(rank([], usual(), REASONS, NOW))[0] == "bill"
    assert order(rank(past, usual(), REASONS, NOW))[0] == "outage"


@given(st.sampled_from(REASONS), st.floats(0, 300), st.floats(0, 300))
def test_old_habits_fade(reason, one, other):
    sooner, later = sorted((one, other))
    fresh, stale = ([(reason, NOW - (age + number) * DAY) for number in (2, 1, 0)] for age in (sooner, later))
    assert chance(reason, fresh, usual()) >= chance(reason, stale, usual()) - 1e-12


def test_a_habit_given_up_a_year_ago_leaves_popularity():
    past = [("password", NOW - (400 - number) * DAY) for number in range(10)]
    assert order(rank(past, usual(), REASONS, NOW))[0] == "bill"


def test_whoever_calls_back_within_a_minute_has_the_same_reason():
    assert chance("order", [("order", NOW - 40)], usual()) > 0.7
    assert chance("order", [("order", NOW - 40)], usual()) > chance("order", [("order", NOW - 2 * DAY)], usual())


def test_what_usually_follows_moves_up():
    log = [("order", NOW - number * 3600, "move") for number in range(1, 40)]
    rest = [("bill", NOW - number * 3600, "bill") for number in range(1, 40)]
    popularity, past = counted(*log, *rest), [("move", NOW - 30 * DAY)]
    assert chance("order", past, popularity) > 1.5 * chance("order", [("bill", NOW - 30 * DAY)], popularity)


def test_a_group_asks_about_its_own_things():
    log = [("outage", NOW - number * 600, None, "north") for number in range(50)]
    rest = [("bill", NOW - number * 600, None, "south") for number in range(60)]
    popularity = counted(*log, *rest)
    assert order(rank([], popularity, REASONS, NOW))[0] == "bill"
    assert order(rank([], popularity, REASONS, NOW, "north"))[0] == "outage"
    assert rank([], popularity, REASONS, NOW, "a group unheard of") == rank([], popularity, REASONS, NOW)


def test_fashions_fade():
    popularity = counted(*(("bill", NOW - 60 * DAY - number) for number in range(50)))
    for number in range(10):
        popularity.seen("outage", NOW - number)
    assert order(rank([], popularity, REASONS, NOW))[0] == "outage"


def test_no_reasons_make_no_ranking():
    assert rank([("bill", NOW)], usual(), [], NOW) == ()


def test_a_reason_given_twice_is_ranked_once():
    assert order(rank([], Popularity(), ["bill", "move", "bill"], NOW)) == ["bill", "move"]


@pytest.mark.parametrize("now", [NOW - 1000 * DAY, 0.0, 1e300, -1e300, math.inf, -math.inf, math.nan])
def test_a_wrong_clock_still_ranks(now):
    ranked = rank([("bill", NOW), ("a reason no longer offered", NOW)], usual(), REASONS, now)
    assert math.fsum(p for _, p in ranked) == pytest.approx(1, abs=1e-9)


def test_only_the_newest_of_a_huge_past_counts():
    past = [("order", NOW - DAY)] * 100_000 + [("bill", NOW - DAY)] * KEPT
    assert rank(past, usual(), REASONS, NOW) == rank(past[-KEPT:], usual(), REASONS, NOW)


@given(pasts, names, times)
def test_the_past_kept_is_bounded_and_ends_with_the_newest(past, reason, at):
    kept = remember(json.loads(json.dumps(past)), reason, at)
    assert kept == (*past, (reason, at))[-KEPT:]


@given(st.lists(st.tuples(names, times), max_size=30), st.randoms(use_true_random=False))
def test_contacts_counted_late_count_the_same(log, dice):
    in_order, shuffled = Fading(30 * DAY), Fading(30 * DAY)
    for reason, at in sorted(log, key=lambda contact: contact[1]):
        in_order.add(reason, at)
    dice.shuffle(log)
    for reason, at in log:
        shuffled.add(reason, at)
    assert shuffled.at == in_order.at
    for reason in in_order.counts:
        assert shuffled.counts.get(reason, 0.0) == pytest.approx(in_order.counts[reason], abs=1e-7)


@pytest.mark.parametrize("at", [math.nan, math.inf, -math.inf])
def test_a_contact_without_a_real_time_is_refused(at):
    with pytest.raises(ValueError, match="finite"):
        Popularity().seen("bill", at)


def bench(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "bench.likely", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)


def test_the_bench_runs_with_no_file_and_ends_in_one_line_of_numbers():
    ran = bench("--quick")
    assert ran.returncode == 0, ran.stderr
    last = ran.stdout.splitlines()[-1]
    number = r"\d+\.\d"
    line = rf"top1={number} top3={number} position={number}\d first_time_position={number}\d ms={number}\d\d"
    assert re.fullmatch(line, last)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (None, "No such file"),
        (b"", "no column"),
        (b"opened_at,caller\n", "no column reason"),
        (b"opened_at,caller,reason\nyesterday,c1,r1\n", "line 2: 'yesterday' is not a time"),
        (b"opened_at,caller,reason\n2020-01-01T10:00,c1\n", "line 2: a caller and a reason are needed"),
        (b"opened_at,caller,reason\n2020-01-01T10:00,c1,r1\n", "too few"),
        (b"\xff\xfe\x00", "UTF-8"),
    ],
)
def test_the_bench_says_in_one_line_what_is_wrong_with_a_file(tmp_path, text, said):
    log = tmp_path / "log.csv"
    if text is not None:
        log.write_bytes(text)
    ran = bench("--data", str(log))
    assert ran.returncode == 1
    assert said in ran.stderr
    assert len(ran.stderr.splitlines()) == 1
