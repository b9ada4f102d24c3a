"""Menus: keys that never change, what is spoken and in which order, a guess, and keys that come early."""

from __future__ import annotations

import pytest

from tests.engine.small_lines import NOW, Call, line, past, person

REASONS = """
flow: main
start: reason
steps:
  reason:
    menu: what
    order: likeliest first
    speak_at_most: 3
    options:
      outage: {key: 1, label: an_outage, next: told}
      bill: {key: 2, label: my_bill, next: told}
      moving: {key: 3, label: a_move, next: told}
      reading: {key: 4, label: a_reading, next: told}
      agent: {key: 8, label: somebody, next: agent}
  told: {say: told, answers: it, end: resolved}
"""
GUESSES = REASONS.replace("    options:", "    guess_first: 40%\n    options:", 1).replace(
    "end: resolved", "next: reason"
)


def margo(reason: str = "bill", times: int = 6):
    return person("margo", [past(reason, days) for days in range(times, 0, -1)], first_name="Margo")


def test_the_likeliest_is_spoken_first_and_every_key_keeps_its_meaning():
    stranger, known = Call(line(REASONS)).dial(), Call(line(REASONS), [margo()]).dial()
    assert stranger.options == ["outage", "bill", "agent"]
    assert known.options[0] == "bill"
    assert "To my bill, press 2." in known.words
    for call in (stranger, known):
        call.press("3").hears_only("told")
        assert call.happened("chose")[0].data["option"] == "moving"


def test_speak_at_most_counts_the_person_who_is_always_spoken_last_and_not_the_offer_of_more():
    call = Call(line(REASONS)).dial().hears_only("what", "menu.option", "menu.option", "menu.option", "menu.more")
    assert call.options[-1] == "agent"
    call.press(call.asked["more"]).hears_only("menu.option", "menu.option")
    assert call.options == ["moving", "reading"]
    call.press("1").hears_only("told")


def test_more_can_be_said_and_a_re_prompt_speaks_the_first_ones_again():
    call = Call(line(REASONS)).dial().says("more choices")
    assert call.options == ["moving", "reading"]
    call.silence().hears("line.no_input_1", "what")
    assert call.options == ["outage", "bill", "agent"]


def test_the_key_for_more_is_not_taken_by_an_option_or_a_command():
    made = line(REASONS, replace={"commands": '{repeat: {key: "9"}}'})
    call = Call(made).dial()
    assert call.asked["more"] == "7"
    call.press("9").hears_only("what", *["menu.option"] * 3, "menu.more")


def test_a_menu_as_written_is_spoken_as_written():
    known = Call(line(REASONS.replace("likeliest first", "as written")), [margo()]).dial()
    assert known.options == ["outage", "bill", "agent"]


def test_an_option_may_be_said_and_what_was_said_is_kept():
    call = Call(line(REASONS)).dial().says("my bill").hears_only("told")
    assert call.session.said["reason"] == {"value": "bill", "label": "my bill", "spoken": "my bill"}
    assert call.happened("chose")[0].data == {"option": "bill", "reason": "bill", "how": "words", "person": False}


def test_an_options_reason_is_its_name_unless_it_says_another():
    made = line(REASONS.replace("label: my_bill", "label: my_bill, reason: money"))
    assert Call(made).dial().press("2").session.reasons == ("money",)


def test_an_option_may_have_several_keys_or_a_range():
    made = line("""
flow: main
start: which
steps:
  which:
    menu: which
    options:
      room: {keys: 100..119, label: a_room, next: told}
      desk: {key: [5, 6], label: a_desk, next: told}
    save_as: which
    next: told
  told: {say: told, answers: it, end: resolved}
""")
    for keys, option in (("107", "room"), ("119", "room"), ("5", "desk"), ("6", "desk")):
        call = Call(made).dial().press(keys)
        assert call.happened("chose")[0].data["option"] == option
    Call(made).dial().press("120").hears("line.no_match_1")
    assert Call(made).dial().asked["digits"] == 3


HIDDEN = """
flow: main
start: which
steps:
  which:
    menu: which
    options:
      plan: {key: 1, label: a_plan, next: told, when: account.owed > 0}
      other: {key: 2, label: other, next: told}
  told: {say: told, answers: it, end: resolved}
"""


def test_a_hidden_options_key_says_that_it_is_not_available_and_the_question_stays():
    call = Call(line(HIDDEN)).dial()
    assert call.options == ["other"]
    call.press("1").hears("line.not_available", "which").press("2").hears("told")
    assert [event.data for event in call.ever("not_available")] == [{"option": "plan"}]
    assert "a plan" not in call.twiml
    Call(line(HIDDEN)).dial().says("a plan").hears("line.no_match_1")


# — a guess —


def test_a_guess_is_the_likeliest_reason_alone():
    call = Call(line(GUESSES), [margo()]).dial().hears_only("menu.guess")
    assert "Would you like to my bill? Press 2 or say yes." in call.words
    assert call.options == ["bill"]


@pytest.mark.parametrize("words", ["yes", "yes please", "my bill"])
def test_a_guess_is_taken_by_yes_or_its_own_words(words):
    call = Call(line(GUESSES), [margo()]).dial().says(words).hears("told")
    assert call.session.reasons == ("bill",)


def test_a_guess_is_taken_by_its_key_and_every_other_key_and_word_keeps_its_meaning():
    assert Call(line(GUESSES), [margo()]).dial().press("2").session.reasons == ("bill",)
    assert Call(line(GUESSES), [margo()]).dial().press("1").session.reasons == ("outage",)
    assert Call(line(GUESSES), [margo()]).dial().says("a move").session.reasons == ("moving",)


@pytest.mark.parametrize("act", ["no", ""])
def test_no_or_silence_to_a_guess_just_speaks_the_menu(act):
    call = Call(line(GUESSES), [margo()]).dial()
    call = call.says(act) if act else call.silence()
    call.hears_only("what", *["menu.option"] * 3, "menu.more")
    assert not call.happened("no_input") and not call.happened("no_match")


def test_a_guess_comes_once_per_call_and_never_where_the_ranking_is_not_that_sure():
    call = Call(line(GUESSES), [margo()]).dial().says("yes").hears("told", "what").never_hears("menu.guess")
    assert call.session.guessed
    Call(line(GUESSES.replace("40%", "99%")), [margo()]).dial().hears("what").never_hears("menu.guess")
    Call(line(GUESSES)).dial().hears("what").never_hears("menu.guess")


def test_a_guess_is_never_a_hidden_option():
    made = line(GUESSES.replace("label: my_bill", "label: my_bill, when: account.owed > 0"))
    Call(made, [margo()]).dial().hears("what").never_hears("menu.guess")


# — keys that come early —

NESTED = """
flow: main
start: one
steps:
  one: {menu: one, options: {a: {key: 1, label: an_a, next: between}, z: {key: 5, label: a_z, next: number}}}
  between: {say: between, next: two}
  two: {menu: two, save_as: two, options: {b: {key: 2, label: a_b, next: three}, c: {key: 4, label: a_c, next: check}}}
  three: {menu: three, save_as: three, options: {d: {key: 3, label: a_d, next: sure}}}
  sure: {ask: sure, as: digits, length: 4, confirm: right, next: one}
  number: {ask: a_number, as: digits, length: 4, next: one}
  check: {verify: identity, next: one}
"""


def test_more_keys_than_a_menu_needs_answer_the_next_menus_unheard():
    call = Call(line(NESTED)).dial().press("123").hears_only("between", "sure").stands_at("main.sure")
    assert [event.data["option"] for event in call.happened("chose")] == ["a", "b", "d"]


def test_keys_that_come_early_never_answer_a_question_a_confirm_or_a_verify():
    Call(line(NESTED)).dial().press("1231234").hears_only("between", "sure")
    call = Call(line(NESTED)).dial().press("123").press("12341").hears("line.no_match_1")
    call.press("1234").hears("right").stands_at("main.sure")
    Call(line(NESTED), [person("jerome")]).dial().press("1403021980").hears_only("between", "your_birthday")


def test_keys_that_were_left_over_at_a_question_are_forgotten():
    call = Call(line(NESTED)).dial().press("51").hears_only("a_number")
    call.press("1234").hears_only("one", "menu.option", "menu.option").stands_at("main.one")


def test_early_keys_that_fit_nothing_are_dropped_and_the_menu_is_spoken():
    Call(line(NESTED)).dial().press("19").hears_only("between", "two", "menu.option", "menu.option")


def test_a_command_may_come_early_too():
    made = line(NESTED, replace={"commands": '{repeat: {key: "*"}, agent: {key: "0", next: agent}}'})
    Call(made).dial().press("10").hears("between", "connecting")
    call = Call(made).dial().press("1*").hears("two").stands_at("main.two")
    assert call.options == ["b", "c"]
    call.press("2").hears("three")


# — the control group —


def test_the_control_group_has_no_ranking_guess_or_manner_and_keeps_which_rule_would_have_chosen():
    flows = GUESSES + "---\n" + REASONS.replace("flow: main", "flow: static")
    made = line(
        flows,
        words="what: {text: What is it?, brisk: What?}",
        replace={"control_group": "{share: 100%, flow: static}", "manner": "[{use: [brisk]}]"},
    )
    call = Call(made, [margo()]).dial().hears("what").never_hears("menu.guess")
    assert call.options == ["outage", "bill", "agent"]
    assert "What is it?" in call.words
    decided = call.happened("decided")[0].data
    assert (decided["because"], decided["would"]) == ("control group", "nothing special")
    assert call.session.control and not call.session.ranking
    assert not Call(made).dial().session.control  # nobody we know


def test_rules_marked_always_come_before_the_control_group():
    flows = GUESSES + "---\n" + REASONS.replace("flow: main", "flow: static")
    choose = "[{because: care, when: caller.tags.grief, purpose: care, flow: main, always: true}, {because: all, flow: main}]"
    made = line(flows, replace={"control_group": "{share: 100%, flow: static}", "choose": choose})
    call = Call(made, [person("jerome", tags__grief=True)]).dial()
    assert (call.session.control, call.session.because) == (False, "care")
    assert Call(made, [margo()]).dial().session.control


def test_two_callers_at_the_same_moment_hear_the_same_menu():
    assert Call(line(REASONS), [margo()], at=NOW).dial().twiml == Call(line(REASONS), [margo()], at=NOW).dial().twiml
