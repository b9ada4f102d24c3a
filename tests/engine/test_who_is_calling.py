"""Who may hear what: levels, verify, and a second person on the same number."""

from __future__ import annotations

import json

import pytest

from ivr.engine.steps.people import whisper
from tests.engine.small_lines import NOW, NUMBER, Call, line, person

FLOWS = """
flow: main
start: hello
steps:
  hello: {say: hello, next: what}
  what: {menu: what, options: {a: {key: 1, label: an_a, next: who}, b: {key: 2, label: a_b, next: hello}}}
  who: {verify: identity, next: known, otherwise: unknown}
  known: {say: known, next: what}
  unknown: {say: unknown, next: what}
"""
WORDS = """
hello: {text: "Hello {{ caller.first_name }}.", without: Hello.}
known: {text: "You are {{ caller.last_name }} and owe {{ account.owed | money }}.", without: I know something.}
unknown: {text: "You are {{ caller.last_name }}.", without: I do not know you.}
"""
JEROME = person("jerome", first_name="Jerome", last_name="Ellis")
ANNE = person("anne", first_name="Anne", last_name="Stone", born="1990-12-31", code="2222")
ACCOUNT = {"account": {"owed": 12.5, "area": "north"}}
NEEDS = {"needs": "[account]"}


def call(*people, config: str = "", **more) -> Call:
    return Call(line(FLOWS, WORDS, config=config, replace=NEEDS), people, ACCOUNT, **more).dial()


def test_a_number_that_belongs_to_one_person_is_recognised_and_hears_no_more_than_that():
    one = call(JEROME)
    assert (one.session.level, one.words.split(" What")[0]) == (
        "recognised",
        "Hello Jerome. what To an a, press 1. To a b, press 2.",
    )
    one.press("1").press("01011900").press("01011900").hears("unknown")
    assert "I do not know you." in one.words and "Ellis" not in one.words


@pytest.mark.parametrize(
    "how", [{"number": None}, {"forwarded": True}, {"attestation": "TN-Validation-Failed-A"}, {"attestation": "Failed"}]
)
def test_withheld_forwarded_and_unattested_numbers_are_nobodys(how):
    one = call(JEROME, **how)
    assert (one.session.level, one.session.person) == ("anyone", None)
    assert "Hello." in one.words and "Jerome" not in one.twiml


def test_a_good_attestation_changes_nothing():
    assert call(JEROME, attestation="TN-Validation-Passed-A").session.level == "recognised"


def test_only_verify_makes_a_caller_verified():
    one = call(JEROME).press("1").hears_only("your_birthday").press("03021980").hears_only("your_code").press("4711")
    assert "You are Ellis and owe $12.50." in one.words
    assert one.session.level == "verified"
    assert [event.type for event in one.since if event.type in ("checked", "verified")] == ["checked", "verified"]
    one.press("1").hears("known").never_hears("your_birthday")  # already verified: passes


def test_a_question_may_be_tried_twice_and_enough_of_them_must_be_right():
    one = call(JEROME).press("1").press("01011901").hears_only("verify.again", "your_birthday").press("03021980")
    one.hears_only("your_code").press("0000").hears_only("verify.again", "your_code").press("1111").hears("unknown")
    assert one.session.level == "recognised"
    assert one.happened("not_verified")[0].data == {"why": "answers"}


def test_where_too_few_questions_are_left_verify_gives_up_at_once():
    call(JEROME).press("1").press("01011901").press("01011901").hears("unknown").never_hears("your_code")


def test_one_right_answer_of_several_questions_can_be_enough():
    one_of_two = (
        "verify: {identity: {tries: 1, need: 1, questions: [{ask: your_birthday, as: date, equals: caller.born}, "
        "{ask: your_code, length: 4, equals: caller.code}]}}"
    )
    call(JEROME, config=one_of_two).press("1").press("01011901").hears_only("your_code").press("4711").hears("known")


def test_with_nobody_to_compare_with_nothing_is_asked():
    one = call().press("1").hears("unknown").never_hears("your_birthday")
    assert one.happened("not_verified")[0].data == {"why": "nobody to compare with"}


def test_on_a_shared_number_whoever_matches_is_the_caller_for_the_rest_of_the_call():
    one = call(JEROME, ANNE)
    assert (one.session.level, one.session.person, one.session.people) == ("anyone", None, ("jerome", "anne"))
    assert "Hello." in one.words
    one.press("1").press("12311990").press("2222").hears("known")
    assert (one.session.level, one.session.person) == ("verified", "anne")
    assert "You are Stone" in one.words
    assert "Hello Anne." in one.press("2").words


def test_answers_of_two_people_prove_neither():
    one = call(JEROME, ANNE).press("1").press("12311990").press("4711").hears_only("verify.again", "your_code")
    one.press("4711").hears("unknown")
    assert one.session.level == "anyone"


def test_two_people_with_the_same_answers_are_not_told_apart():
    twin = person("twin", first_name="Twin", last_name="Ellis")
    one = call(JEROME, twin).press("1").press("03021980").press("4711").hears("unknown")
    assert one.happened("not_verified")[0].data == {"why": "more than one person matched"}


def test_verify_works_from_a_forwarded_call_too():
    one = call(JEROME, forwarded=True).press("1").press("03021980").press("4711").hears("known")
    assert one.session.person == "jerome"


def test_what_was_answered_to_verify_is_nowhere():
    one = call(JEROME).press("1").press("01021903").press("03021980").press("9753").press("4711").says("never mind")
    everything = one.session.to_json() + json.dumps([event.as_data() for event in one.line.events()]) + one.twiml
    for secret in ("01021903", "9753", "1903-01-02", "03021980"):
        assert secret not in everything
    kept = json.dumps([event.data for event in one.line.events()])
    assert "4711" not in kept and "1980" not in kept


def test_a_command_works_at_verify_and_silence_is_asked_again():
    made = line(FLOWS, WORDS, replace={"commands": '{agent: {key: "0", next: agent}}'})
    one = Call(made, [JEROME]).dial().press("1").silence().hears_only("line.no_input_1", "your_birthday")
    one.says("speak to someone").hears("connecting")
    two = Call(made, [JEROME]).dial().press("1").press("0").hears("connecting")
    assert two.session.level == "recognised"


def test_silence_to_the_end_at_verify_is_its_own_failure():
    one = call(JEROME).press("1").silence().silence().silence().hears("unknown")
    assert one.happened("failed")[0].data["outcome"] == "no_input"


def test_a_fact_above_the_level_is_not_known_to_a_condition_either():
    flows = """
flow: main
start: route
steps:
  route: {route: [{when: caller.last_name == "Ellis", next: ellis}, {when: caller.last_name is known, next: ellis}, {next: nobody}]}
  ellis: {say: ellis, next: end}
  nobody: {say: nobody, next: end}
  end: {ask: done, as: yes_no, next: agent}
"""
    one = Call(line(flows), [JEROME]).dial().hears("nobody")
    assert one.happened("routed")[0].data == {"rule": 2, "not_known": ["caller.last_name"]}


def test_a_rule_of_care_sees_what_this_caller_may_not_hear_and_nothing_else_does():
    flows = """
flow: main
start: route
steps:
  route: {route: [{when: caller.tags.grief, next: wrong}, {when: caller.tags.grief and call.known == "recognised", purpose: care, next: gently}, {next: wrong}]}
  gently: {route: [{when: call.known == "verified", next: wrong}, {next: quiet}]}
  quiet: {ask: quietly, as: yes_no, next: agent}
  wrong: {ask: wrongly, as: yes_no, next: agent}
"""
    Call(line(flows), [person("jerome", tags__grief=True)]).dial().hears("quietly")
    Call(line(flows), [person("jerome")]).dial().hears("wrongly")


def test_what_stands_in_a_list_obeys_the_level_too():
    flows = """
flow: main
start: look
steps:
  look: {lookup: things, save_as: things, next: which}
  which: {pick: found.things.list, each: a_thing, next: told, otherwise: agent}
  told: {say: told, end: resolved}
"""
    words = 'a_thing: {text: "{{ item.name }}, {{ item.secret }}.", without: "{{ item.name }}."}\ntold: {text: "{{ said.which.secret }}", without: told}'
    things = {"things": {"list": [{"name": "a key", "secret": "under the mat"}]}}
    one = Call(line(flows, words), [JEROME], things).dial()
    assert "a key." in one.words and "mat" not in one.twiml
    assert "mat" not in one.press("1").hears("told").twiml


def test_a_whisper_obeys_the_level_too():
    made = line(FLOWS, WORDS + 'whisper: {text: "It is {{ caller.last_name }}.", without: Somebody.}')
    one = Call(made, [JEROME]).dial().press("9").press("9").press("9")
    assert one.session.wait.kind == "dial"
    assert whisper(made.bundle, one.session, NOW, "team") == "Somebody."
    two = Call(made, [JEROME]).dial().press("1").press("03021980").press("4711").press("9").press("9").press("9")
    assert whisper(made.bundle, two.session, NOW, "team") == "It is Ellis."


def test_what_is_remembered_of_a_number_that_several_people_share_is_nothing():
    flows = "flow: main\nstart: keep\nsteps: {keep: {remember: {caller.favourite: '\"tea\"'}, next: ask}, ask: {ask: done, as: yes_no, next: agent}}\n"
    shared = Call(line(flows), [JEROME, ANNE]).dial()
    assert not shared.ever("remembered")
    own = Call(line(flows), [JEROME]).dial()
    assert own.ever("remembered")[0].private == {"values": {"favourite": "tea"}}
    assert own.store.people(NUMBER)[0].facts["favourite"] == "tea"
    assert not Call(line(flows), [JEROME], number=None).dial().ever("remembered")
