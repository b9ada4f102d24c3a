"""A question that had no answer stays open by itself, and the next call about it joins."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivr.engine.closing import summary
from ivr.flow.model import OUTCOMES
from ivr.handoff.cases import Change, after_call
from ivr.personal.history import Summary

TODAY, JOIN = "2026-03-10", 7
BILL = {"id": "case-1", "about": "bill"}


def call(outcome, *reasons, unfinished=False):
    return Summary("CA1", 0.0, 60.0, outcome, unfinished, reasons or ("bill",))


def closed(day, about="bill", id_="case-2"):
    return {"id": id_, "about": about, "closed": day}


@pytest.mark.parametrize("outcome", ["caller_left", "voicemail", "callback", "fault"])
def test_a_question_without_an_answer_opens_a_case(outcome):
    assert after_call(call(outcome), False, [], [], TODAY, JOIN) == Change("opened", None, "bill")
    assert after_call(call(outcome), True, [], [], TODAY, JOIN) is None


def test_a_call_that_ended_unfinished_opens_a_case():
    assert after_call(call("caller_left", unfinished=True), False, [], [], TODAY, JOIN) == Change(
        "opened", None, "bill"
    )


@pytest.mark.parametrize("outcome", ["resolved", "handed_over", "closed_hours"])
def test_where_people_helped_or_nothing_is_open_no_case_is_made(outcome):
    assert after_call(call(outcome), outcome == "resolved", [], [], TODAY, JOIN) is None


@given(st.sampled_from(OUTCOMES), st.booleans(), st.booleans())
def test_every_call_about_an_open_case_joins_it(outcome, answered, unfinished):
    change = after_call(call(outcome, unfinished=unfinished), answered, [BILL], [closed("2026-03-09")], TODAY, JOIN)
    assert change == Change("joined", "case-1", "bill")


@pytest.mark.parametrize(
    ("day", "kind"), [("2026-03-10", "reopened"), ("2026-03-03", "reopened"), ("2026-03-02", "opened")]
)
def test_a_case_closed_a_few_days_ago_is_opened_again(day, kind):
    change = after_call(call("caller_left"), False, [], [closed(day)], TODAY, JOIN)
    assert change == Change(kind, "case-2" if kind == "reopened" else None, "bill")


def test_of_several_closed_cases_the_last_one_is_opened_again():
    before = [closed("2026-03-05", id_="old"), closed("2026-03-08", id_="new"), closed("2026-03-08", "moving", "other")]
    assert after_call(call("fault"), False, [], before, TODAY, JOIN) == Change("reopened", "new", "bill")


def test_an_answered_call_opens_nothing_again():
    assert after_call(call("resolved"), True, [], [closed("2026-03-09")], TODAY, JOIN) is None


def test_the_first_reason_is_the_question():
    change = after_call(call("caller_left", "moving", "bill"), False, [BILL], [], TODAY, JOIN)
    assert change == Change("opened", None, "moving")


def test_a_call_without_a_reason_changes_nothing():
    nothing = call("caller_left")
    assert after_call(Summary(**{**as_dict(nothing), "reasons": ()}), False, [BILL], [], TODAY, JOIN) is None


def as_dict(call_):
    return {name: getattr(call_, name) for name in call_.__slots__}


def test_margo_hangs_up_before_her_answer_and_a_case_is_opened(play):
    played = play("margo", "3", "verify", "hang_up")
    left = summary(played.session, played.at + 60)
    assert after_call(left, played.session.answered is not None, [], [], TODAY, JOIN) == Change(
        "opened", None, "moving"
    )


def test_margo_has_her_answer_and_nothing_stays_open(play):
    played = play("margo", "2", "verify", "hang_up")
    ended = summary(played.session, played.at + 60)
    assert after_call(ended, played.session.answered is not None, [], [], TODAY, JOIN) is None
