"""Which flow a caller gets and why, in which manner, and who is in the control group."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivr.personal.identity import in_control_group, level_at_first, who_matches
from tests.engine.small_lines import Call, line, past, person

FLOWS = "flow: main\nstart: a\nsteps: {a: {ask: hello, as: yes_no, next: agent}}\n---\nflow: other\nstart: a\nsteps: {a: {ask: other, as: yes_no, next: agent}}\n"


def decided(choose: str, *people, manner: str = "[]", lookups=None, **more):
    made = line(FLOWS, replace={"choose": choose, "manner": manner, "needs": "[account]"})
    call = Call(made, people, lookups, **more).dial()
    (event,) = call.ever("decided")
    return call, event


def test_the_first_rule_that_holds_chooses_and_what_was_passed_over_says_what_was_not_known():
    rules = (
        "[{because: owes, when: account.owed > 100, flow: other}, {because: last, when: caller.last_name == 'X', flow: other}, "
        "{because: first, when: caller.first_name == 'Jerome', flow: main}, {because: rest, flow: other}]"
    )
    call, event = decided(rules, person("jerome", first_name="Jerome"), lookups={"account": {"owed": 5}})
    call.hears("hello")
    assert (event.data["because"], event.data["flow"], event.data["rule"]) == ("first", "main", 2)
    assert event.data["passed_over"] == [
        {"because": "owes", "not_known": []},
        {"because": "last", "not_known": ["caller.last_name"]},
    ]
    assert event.data["facts"] == ["caller.first_name"] and "Jerome" not in str(event.data)
    assert event.private == {"facts": {"caller.first_name": "Jerome"}}


def test_a_source_that_is_late_or_fails_is_simply_not_known():
    rules = "[{because: owes, when: account.owed > 100, flow: other}, {because: rest, flow: main}]"
    for answer in ("late", "fail", {}):
        call, event = decided(rules, lookups={"account": answer})
        assert event.data["passed_over"] == [{"because": "owes", "not_known": ["account.owed"]}]
        call.hears("hello")
    decided(rules, lookups={"account": {"owed": 101}})[0].hears("other")


def test_where_no_rule_holds_the_caller_still_reaches_the_lines_otherwise():
    call, event = decided("[{because: never, when: caller.last_name == 'X', flow: main}]")
    call.hears("connecting")
    assert event.data["rule"] == -1


def test_manner_is_the_rules_first_then_every_manner_rule_that_holds_in_order_each_once():
    manner = "[{when: caller.prefers.manner is known, use: caller.prefers.manner}, {when: history.interrupts, use: [brisk, plain]}]"
    margo = person("margo", [past("bill", 3, interrupts=3)], prefers__manner="plain")
    call, event = decided("[{because: all, flow: main, manner: [gentle]}]", margo, manner=manner)
    assert event.data["manner"] == ["gentle", "plain", "brisk"] == list(call.session.manner)
    _, calm = decided("[{because: all, flow: main, manner: [gentle]}]", person("jerome"), manner=manner)
    assert calm.data["manner"] == ["gentle"]


def test_a_fact_that_only_a_manner_rule_names_is_in_the_call():
    _, event = decided(
        "[{because: all, flow: main}]", person("jerome", favourite="plain"), manner="[{use: caller.favourite}]"
    )
    assert event.data["manner"] == ["plain"]


def test_a_manner_never_comes_from_what_this_caller_may_not_hear():
    _, event = decided(
        "[{because: all, flow: main}]",
        person("jerome", last_name="gentle"),
        manner="[{use: caller.last_name}, {when: caller.last_name is known, use: [brisk]}]",
    )
    assert event.data["manner"] == []


@given(st.text("abcdef0123456789", min_size=4, max_size=20))
def test_the_control_group_is_sticky_and_grows_with_its_share(key):
    callers = [f"caller-{number}" for number in range(50)]
    small = {caller for caller in callers if in_control_group(key, caller, "line", 0.1)}
    assert small == {caller for caller in callers if in_control_group(key, caller, "line", 0.1)}
    assert small <= {caller for caller in callers if in_control_group(key, caller, "line", 0.3)}
    assert not any(in_control_group(key, caller, "line", 0.0) for caller in callers)
    assert all(in_control_group(key, caller, "line", 1.0) for caller in callers)


@pytest.mark.parametrize("share", [0.05, 0.1, 0.5])
def test_the_control_group_has_about_its_share_and_another_one_on_another_line(share):
    callers = [f"caller-{number}" for number in range(5000)]
    chosen = {
        name: {caller for caller in callers if in_control_group("key", caller, name, share)} for name in ("one", "two")
    }
    for group in chosen.values():
        assert abs(len(group) / 5000 - share) < 0.03
    assert abs(len(chosen["one"] & chosen["two"]) / 5000 - share * share) < 0.03


@pytest.mark.parametrize(
    ("number", "people", "forwarded", "attestation", "level"),
    [
        ("+1", 1, False, "", "recognised"), ("+1", 1, False, "TN-Validation-Passed-A", "recognised"), ("+1", 0, False, "", "anyone"), ("+1", 2, False, "", "anyone"),
        (None, 1, False, "", "anyone"), ("+1", 1, True, "", "anyone"), ("+1", 1, False, "TN-Validation-Failed-C", "anyone"),
    ],
)  # fmt: skip
def test_how_far_a_number_alone_tells_who_calls(number, people, forwarded, attestation, level):
    assert level_at_first(number, people, forwarded, attestation) == level


def test_an_answer_matches_the_fact_it_must_equal_and_nothing_matches_a_fact_that_is_not_known():
    from ivr.config import Question

    born = Question.model_validate({"ask": "q", "as": "date", "equals": "caller.born"})
    code = Question.model_validate({"ask": "q", "equals": "caller.code"})
    people = {"a": {"born": "1980-03-02", "code": "48 226-A"}, "b": {"born": "1980-03-02"}, "c": {}}
    assert who_matches(born, "03021980", people, list(people), "en") == ["a", "b"]
    assert who_matches(born, "march 2 1980", people, ["b"], "en") == ["b"]
    assert who_matches(code, "48226a", people, list(people), "en") == ["a"]
    assert who_matches(code, "", people, list(people), "en") == []
    assert who_matches(code, "#", people, list(people), "en") == []
    assert who_matches(born, "03031980", people, list(people), "en") == []
