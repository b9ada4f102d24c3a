"""Past calls, folded into one record and read as `history`."""

from __future__ import annotations

from itertools import permutations

from hypothesis import given
from hypothesis import strategies as st

from ivr.personal.history import DAY, KEPT_CALLS, KEPT_CONTACTS, Summary, contacts, fold, view

NOW = 1_772_460_900.0
calls = st.lists(
    st.builds(
        Summary,
        sid=st.uuids().map(str),
        at=st.integers(0, 400 * 86400).map(lambda ago: NOW - ago),
        seconds=st.floats(0, 900),
        outcome=st.sampled_from(("resolved", "caller_left", "handed_over")),
        unfinished=st.booleans(),
        reasons=st.lists(st.sampled_from(("bill", "outage", "move")), max_size=2, unique=True).map(tuple),
        answers=st.integers(0, 9),
        interrupts=st.integers(0, 4),
        words=st.integers(0, 4),
        asked_for_person=st.booleans(),
    ),
    max_size=9,
    unique_by=lambda call: call.at,
)


def folded(summaries):
    record = None
    for call in summaries:
        record = fold(record, call)
    return record


@given(calls)
def test_folding_a_call_twice_is_folding_it_once(some):
    record = folded(some)
    for call in some:
        assert fold(record, call) == record


@given(calls, st.randoms(use_true_random=False))
def test_the_order_in_which_calls_are_folded_does_not_matter(some, random):
    other = list(some)
    random.shuffle(other)
    assert folded(some) == folded(other)


def test_three_calls_in_every_order_are_the_same_record():
    three = [Summary(f"CA{n}", NOW - n * DAY, 60.0, "resolved", False, ("bill", "move")) for n in range(3)]
    assert len({str(folded(order)) for order in permutations(three)}) == 1


def test_a_record_stays_small():
    record = folded([Summary(f"CA{n}", NOW - n * 3600, 60.0, "resolved", False, ("bill",)) for n in range(100)])
    assert (record["calls"], len(record["recent"]), len(record["contacts"])) == (100, KEPT_CALLS, KEPT_CONTACTS)
    assert contacts(record)[-1] == ("bill", NOW)


@given(calls)
def test_a_view_is_of_the_last_call(some):
    fields = view(folded(some), NOW)
    if not some:
        assert fields == {}
        return
    last = max(some, key=lambda call: call.at)
    assert fields["calls"] == len(some)
    assert fields["last_call.unfinished"] == last.unfinished
    assert fields["last_call.outcome"] == last.outcome
    assert fields["last_call.minutes_ago"] == max(0, int((NOW - last.at - last.seconds) // 60))


def test_repeats_are_calls_about_the_last_reason_within_a_week():
    days = [(1, "bill"), (3, "bill"), (5, "move"), (20, "bill")]
    record = folded([Summary(f"CA{n}", NOW - n * DAY, 60.0, "resolved", False, (reason,)) for n, reason in days])
    assert view(record, NOW)["repeats"] == 2
    assert view(record, NOW)["calls_30_days"] == 4


def test_a_habit_needs_more_than_one_hasty_key():
    def habit(answers, interrupts):
        return view(
            fold(None, Summary("CA", NOW, 60.0, "resolved", False, answers=answers, interrupts=interrupts)), NOW
        )["interrupts"]

    assert habit(2, 2) is False
    assert habit(3, 2) is True
    assert habit(4, 2) is False


def test_nobody_who_never_called_has_a_history():
    assert view(None, NOW) == {} and contacts(None) == []
