"""Steps that look up, do, remember, pick, hand off and record; the language question; picking up again."""

from __future__ import annotations

import json

import pytest

from ivr.engine.closing import left_open
from ivr.turn import MAX_FILLERS
from tests.engine.small_lines import NUMBER, Call, line, past, person

JEROME = person("jerome", first_name="Jerome")


# — lookup —

LOOK = (
    """
flow: main
start: ask
steps:
  ask: {ask: a_word, as: digits, next: look}
  look: {lookup: echo, give: {word: said.ask}, save_as: back, next: {failed: failed, late: late}, end: resolved}
  failed: {say: it_failed, next: end}
  late: {say: it_is_late, next: end}
  end: {ask: done, as: yes_no, next: agent}
""".replace("next: {failed: failed, late: late}, end: resolved", "next: told, otherwise: failed")
    + "  told: {say: told, next: end}\n"
)


def test_a_lookup_answers_as_found_and_its_event_says_how_old_it_is():
    made = line(LOOK, words='told: "You said {{ found.back.word }}."')
    call = Call(made, lookups={"echo": {"word": "hi", "undeclared": "x"}}).dial().press("1")
    assert "You said hi." in call.words
    assert call.happened("looked_up")[0].data == {"source": "echo", "age": 0.0, "as": "back"}
    assert call.session.found == {"back": {"word": "hi"}}
    assert "undeclared" not in call.session.to_json()


def test_a_lookup_that_fails_takes_the_steps_branch():
    call = Call(line(LOOK), lookups={"echo": "fail"}).dial().press("1").hears("it_failed")
    assert call.happened("lookup_failed")[0].data["why"] == "failed"


def test_a_lookup_that_is_late_has_fillers_and_then_its_branch_and_never_blocks():
    made = line(LOOK.replace("next: told, otherwise: failed", "next: {late: late, failed: failed}"))
    call = Call(made, lookups={"echo": "late"}).dial().press("1")
    spoken = [event.data["prompt"] for event in call.ever("spoke")]
    assert spoken[-5:] == ["line.one_moment", "line.still_looking", "line.still_looking", "it_is_late", "done"] or (
        spoken.count("line.one_moment") == 1
        and spoken.count("line.still_looking") == MAX_FILLERS - 1
        and "it_is_late" in spoken
    )
    assert [event.data["times"] for event in call.ever("asked") if event.data["kind"] == "moment"] == [1, 2, 3]


def test_a_value_to_give_that_is_not_known_makes_a_lookup_fail_unasked():
    made = line(LOOK.replace("said.ask", "caller.first_name"))
    call = Call(made, lookups={"echo": {"word": "hi"}}).dial().press("1").hears("it_failed")
    assert call.happened("lookup_failed")[0].data["missing"] == ["word"]
    assert not [event for event in call.ever("asked") if event.data["kind"] == "lookup"]


# — do —

DO = """
flow: main
start: ask
steps:
  ask: {ask: a_word, as: digits, next: send}
  send: {do: send, give: {what: VALUE}, say: it_is_sent, answers: sent, next: end, otherwise: failed}
  failed: {say: it_failed, next: end}
  end: {ask: done, as: yes_no, next: agent}
"""


def test_a_do_is_an_event_with_what_it_was_given_and_is_spoken_of_as_a_request():
    call = Call(line(DO.replace("VALUE", "said.ask"))).dial().press("12").hears("it_is_sent", "done")
    (requested,) = call.happened("requested")
    assert (requested.data, requested.private, requested.step) == (
        {"action": "send"},
        {"give": {"what": "12"}},
        "main.send",
    )
    assert call.happened("answered")[0].data == {"to": "sent"}
    kinds = [event.type for event in call.since]
    assert kinds.index("requested") < kinds.index("spoke")


def test_a_do_with_something_not_known_fails_and_promises_nothing():
    call = (
        Call(line(DO.replace("VALUE", "caller.last_name")))
        .dial()
        .press("12")
        .hears("it_failed")
        .never_hears("it_is_sent")
    )
    assert not call.ever("requested")
    assert not call.ever("answered")


def test_each_act_asks_for_its_action_once():
    call = Call(line(DO.replace("VALUE", "said.ask"))).dial().press("12").silence().press("7").silence()
    assert len(call.ever("requested")) == 1


# — remember —


def test_remember_keeps_facts_and_leaves_out_what_is_not_known():
    made = line("""
flow: main
start: keep
steps:
  keep: {remember: {caller.favourite: '"tea"', caller.prefers.manner: said.never}, next: end}
  end: {ask: done, as: yes_no, next: {yes: keep, no: agent}}
""")
    call = Call(made, [JEROME]).dial()
    assert call.ever("remembered")[0].data == {"names": ["favourite"]}
    assert call.session.facts["caller"]["favourite"] == "tea"


# — pick —

PICK = """
flow: main
start: look
steps:
  look: {lookup: things, next: which}
  which: {pick: found.look.list, each: a_thing, MODE empty: none, save_as: thing, next: told, otherwise: agent}
  none: {say: there_are_none, next: end}
  told: {say: told, next: end}
  end: {ask: done, as: yes_no, next: agent}
"""
WORDS = 'a_thing: "{{ item.name }}."\ntold: "You chose {{ said.thing.name }}."'
THINGS = {"things": {"list": [{"name": "one thing"}, {"name": "another"}, {"name": "a third"}]}}


def pick(one_by_one: bool, things=THINGS) -> Call:
    return Call(line(PICK.replace("MODE", "one_by_one: true," if one_by_one else ""), WORDS), lookups=things).dial()


def test_pick_one_by_one_has_this_one_next_and_previous_by_key_and_by_word():
    call = pick(True).hears_only("a_thing", "pick.choose", "pick.next")
    assert "one thing." in call.words
    assert "another." in call.press("2").words
    assert "a third." in call.says("next").words and "pick.next" not in call.heard
    call.press("2").hears("line.no_match_1", "a_thing")  # there is no next one
    assert "another." in call.press("3").words
    assert "one thing." in call.says("the one before").words
    assert "You chose one thing." in call.says("this one").words


def test_pick_at_once_speaks_every_item_with_its_key():
    call = pick(False).hears_only(*["a_thing", "pick.option"] * 3)
    call.press("4").hears("line.no_match_1", "a_thing")
    assert "You chose another." in call.press("2").words
    assert call.happened("collected")[0].data == {"name": "thing", "as": "pick", "position": 2}


def test_pick_asks_again_at_the_item_it_was_at():
    call = pick(True).press("2").silence().hears("line.no_input_1", "a_thing")
    assert "another." in call.words


def test_an_empty_list_goes_to_empty():
    pick(True, {"things": {"list": []}}).hears("there_are_none")
    pick(False, {"things": {}}).hears("there_are_none")


# — people —

HANDOFF = """
flow: main
start: go
steps:
  go: {handoff: team, about: '"a " + "b" | default("it")', say: connecting, next: {ended: e, unanswered: u, busy: b, closed: c}}
  e: {say: it_ended, answers: x, end: resolved}
  u: {say: nobody_answered, next: end}
  b: {say: they_are_busy, next: end}
  c: {say: they_are_closed, next: end}
  end: {ask: done, as: yes_no, next: agent}
""".replace("""about: '"a " + "b" | default("it")'""", "about: caller.first_name")


@pytest.mark.parametrize(
    ("how", "prompt"),
    [
        ("accepts", "it_ended"),
        ("declines", "nobody_answered"),
        ("no_answer", "nobody_answered"),
        ("busy", "they_are_busy"),
    ],
)
def test_a_hand_off_ends_unanswered_or_busy(how, prompt):
    call = Call(line(HANDOFF), [JEROME]).dial().hears("connecting")
    assert "<Dial" in call.twiml and "+15550002222" in call.twiml
    call.agent(how).hears(prompt)
    assert (call.session.reached == ("handed_over",)) == (how == "accepts")


def test_a_person_who_hung_up_on_the_whisper_was_not_reached():
    call = Call(line(HANDOFF)).dial()
    call.caller._act(lambda: call.line.agent("completed", False, 30.0))
    call.hears("nobody_answered")
    assert call.session.reached == ()


def test_a_hand_off_out_of_hours_is_closed_and_rings_nobody():
    closed = 'targets: {team: {dial: ["+15550002222"], hours: {timezone: UTC, open: {tue: "08:00-20:00"}}}}'
    call = Call(line(HANDOFF, config=closed)).dial().hears("they_are_closed").never_hears("connecting_nobody")
    assert not call.ever("handed_off")


def test_what_a_call_is_about_goes_to_the_agent_and_is_left_out_where_it_is_not_known():
    known, unknown = Call(line(HANDOFF), [JEROME]).dial(), Call(line(HANDOFF)).dial()
    assert known.ever("handed_off")[0].private == {"about": "Jerome"}
    assert unknown.ever("handed_off")[0].private == {}
    assert "about" not in known.asked


def test_a_hang_up_while_it_rings_is_no_person_reached():
    call = Call(line(HANDOFF)).dial().hang_up()
    call.ends("caller_left")
    assert call.ever("ended")[0].data["unfinished"] is False


# — voicemail —


def test_a_message_is_kept_and_a_click_or_silence_is_none():
    made = line(
        "flow: main\nstart: go\nsteps: {go: {voicemail: team, at_most: 90s, say: after_the_tone, next: {no_input: nothing}, "
        "otherwise: kept}, nothing: {say: nothing, end: resolved}, kept: {say: kept, end: resolved}}\n".replace(
            "next: {no_input: nothing}, otherwise: kept", "next: kept, otherwise: nothing"
        )
    )
    call = Call(made).dial().hears("after_the_tone")
    assert 'maxLength="90"' in call.twiml
    call.record(7).hears("kept").ends("voicemail")
    (kept,) = call.ever("recorded")
    assert kept.data == {"seconds": 7, "target": "team"} and kept.private["url"].startswith("https://")
    Call(made).dial().record(0.3).hears("nothing").ends("caller_left")
    Call(made).dial().silence().hears("nothing").ends("caller_left")


# — the language question —

LANGUAGES = {"languages": "[en, es]", "ask_language": "which"}
HELLO = "flow: main\nstart: hello\nsteps: {hello: {say: hello, ask: a_question, as: yes_no, next: agent}}\n"
SPANISH = 'which: "Para español, {{ key }}."\nhello: Hola\na_question: "¿Sí?"'


def languages(*people, **more) -> Call:
    made = line(HELLO, words='which: "For English, {{ key }}."', spanish=SPANISH, replace=LANGUAGES)
    return Call(made, people, **more).dial()


def test_a_caller_with_no_preferred_language_is_asked_once_each_in_its_own_voice_and_key():
    call = languages()
    assert call.words == "For English, 1. Para español, 2."
    assert 'language="es-US"' in call.twiml.split("Para")[0]
    assert call.press("2").words.startswith("Hola")
    assert call.happened("remembered")[0].private == {"values": {"prefers.language": "es"}}
    assert languages().press("1").words.startswith("hello")
    assert languages().says("español").words.startswith("Hola")


def test_silence_or_anything_else_takes_the_first_language_and_silence_teaches_nothing():
    call = languages().silence()
    assert call.words.startswith("hello")
    assert not call.happened("remembered")
    assert languages().press("7").words.startswith("hello")


def test_whoever_has_a_language_is_not_asked():
    call = languages(person("rosa", prefers__language="es"))
    assert call.words.startswith("Hola")


def test_a_language_that_is_chosen_is_known_the_next_time():
    made = line(HELLO, words='which: "For English, {{ key }}."', spanish=SPANISH, replace=LANGUAGES)
    first = Call(made, [JEROME]).dial().press("2").hang_up()
    assert Call(made, store=first.store, sid="CA" + "8" * 32).dial().words.startswith("Hola")


# — picking up again —

AGAIN = {
    "choose": "[{because: again, when: history.last_call.unfinished and history.last_call.minutes_ago < 30, flow: again}, "
    "{because: all, flow: main}]"
}
PICK_UP = """
flow: main
start: number
steps:
  number: {ask: a_number, as: digits, length: 4, next: who}
  who: {verify: identity, next: month}
  month: {ask: which_month, as: number, next: told}
  told: {say: told, answers: it, end: resolved}
---
flow: again
start: shall_we
steps: {shall_we: {ask: shall_we_go_on, as: yes_no, next: {yes: last_call.question, no: main}, otherwise: main}}
"""


def test_a_call_that_ended_unfinished_goes_on_with_what_was_said_but_not_with_its_trust():
    made = line(
        PICK_UP, words='told: "{{ said.number | digits }} and {{ said.month }} and {{ call.known }}"', replace=AGAIN
    )
    first = Call(made, [JEROME]).dial().press("1234").press("03021980").press("4711").hears("which_month").hang_up()
    assert first.session.level == "verified"
    second = Call(made, store=first.store, sid="CA" + "8" * 32, at=first.moment.at + 600).dial()
    second.hears_only("shall_we_go_on", "ask.yes_no").press("1").hears_only("which_month").stands_at("main.month")
    assert second.happened("entered")[0].data == {"how": "last call"}
    assert "1234 and 7 and recognised" in second.press("7").words


def test_no_to_picking_up_begins_anew_and_so_does_a_later_call():
    made = line(PICK_UP, replace=AGAIN)
    first = Call(made, [JEROME]).dial().press("1234").hang_up()
    soon = Call(made, store=first.store, sid="CA" + "8" * 32, at=first.moment.at + 600).dial().press("2")
    soon.hears_only("a_number")
    assert "number" not in soon.session.said
    late = Call(made, store=first.store, sid="CA" + "9" * 32, at=first.moment.at + 7200).dial()
    late.hears_only("a_number")


def test_a_question_that_is_not_there_any_more_is_a_failure_with_a_way_out():
    known = person(
        "jerome", [past("it", 0.001, unfinished=True, question="gone.away", outcome="caller_left", seconds=1.0)]
    )
    call = Call(line(PICK_UP, replace=AGAIN), [known]).dial().hears("shall_we_go_on").press("1").hears("a_number")
    assert call.happened("failed")[0].data == {"outcome": "failed", "otherwise": "step"}


def test_what_a_call_leaves_open_holds_no_trust():
    made = line(PICK_UP, replace=AGAIN)
    call = Call(made, [JEROME]).dial().press("1234").press("03021980").press("4711")
    assert set(left_open(call.session)) == {"question", "said", "found"}
    assert "verified" not in json.dumps(left_open(call.session))
    assert call.store.people(NUMBER)
