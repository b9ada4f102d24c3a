"""What works at every menu and question: repeat, back, another language, people, and another subject."""

from __future__ import annotations

from tests.engine.small_lines import Call, line, person

COMMANDS = {
    "commands": '{agent: {key: "0", next: agent}, repeat: {key: "*"}, back: {}, help: {key: "8", enter: help}, '
    'espanol: {key: "9", language: es}}',
    "languages": "[en, es]",
}
FLOWS = """
flow: main
start: hello
steps:
  hello: {say: hello, next: reason}
  reason:
    menu: what
    options: {bill: {key: 1, label: my_bill, enter: bill}, move: {key: 2, label: a_move, enter: move}}
    next: more
  more: {ask: anything_else, as: yes_no, next: {yes: reason, no: bye}}
  bye: {say: goodbye, end: resolved}
---
flow: bill
start: number
steps:
  number: {ask: bill_number, as: digits, length: 4, next: month}
  month: {ask: which_month, as: number, next: sure}
  sure: {ask: are_you_sure, as: yes_no, next: {yes: send, no: send}}
  send: {do: send, give: {what: said.number}, say: sent, next: rating}
  rating: {ask: a_rating, as: digits, length: 1, next: rated}
  rated: {ask: why_that_rating, as: words, next: told}
  told: {say: thanks, answers: bill, return: done}
---
flow: move
start: when
steps: {when: {ask: moving_day, as: date, next: told}, told: {say: moving_noted, answers: move, return: done}}
---
flow: help
start: tip
steps: {tip: {say: a_tip, return: done}}
"""
SPANISH = 'hello: Hola\nwhat: "¿Qué?"\nbill_number: "¿Número?"\nmy_bill: {text: mi factura, phrases: [la factura]}'


def call() -> Call:
    made = line(
        FLOWS,
        words='bill_number: {text: "Your number?", again: "Once more, your number?"}',
        spanish=SPANISH,
        replace=COMMANDS,
    )
    return Call(made, [person("jerome", prefers__language="en")]).dial()


def test_repeat_says_again_all_that_was_said_since_the_caller_last_did_something():
    one = call().press("*").hears_only("hello", "what", "menu.option", "menu.option").press("1").hears("bill_number")
    again = one.press("*").hears_only("bill_number")
    assert "Once more, your number?" in again.words
    again.press("*").hears_only("bill_number").press("1234").hears_only("which_month")


def test_repeat_after_a_re_prompt_says_the_question_that_is_open():
    one = call().press("1").silence().hears_only("line.no_input_1", "bill_number").says("say that again")
    one.hears("bill_number").stands_at("bill.number").press("1234").hears("which_month")


def test_back_goes_to_the_last_question_answered_here():
    one = call().press("1").press("1234").press("7").hears("are_you_sure").says("go back").hears_only("which_month")
    one.says("back").hears_only("bill_number").says("back").hears_only("bill_number")
    one.press("5678").press("7").press("1")
    assert one.session.said["number"]["value"] == "5678"


def test_back_never_goes_past_something_done():
    one = call().press("1").press("1234").press("7").press("1").hears("sent", "a_rating").says("back")
    one.hears_only("a_rating").press("5").hears("why_that_rating").says("go back").hears_only("a_rating")


def test_another_language_puts_the_same_question_in_it():
    one = call().press("1").press("9").hears_only("bill_number")
    assert one.words == "¿Número?"
    assert (one.session.language, one.session.said["language"]) == ("es", {"value": "es"})
    assert 'language="es-US"' in one.twiml
    one.press("1234").hears("which_month")


def test_another_language_at_a_confirm_reads_back_in_it():
    made = line(
        "flow: main\nstart: ask\nsteps: {ask: {ask: number, as: digits, length: 2, confirm: right, next: told}, "
        "told: {say: told, answers: it, end: resolved}}\n",
        spanish='right: "¿{{ said.ask | digits }}?"',
        replace=COMMANDS,
    )
    one = Call(made).dial().press("12").press("9").hears("right")
    assert "¿12?" in one.words
    one.press("1").hears("told")


def test_a_command_with_next_goes_and_one_with_enter_comes_back_to_the_question():
    call().press("0").hears("connecting")
    one = call().press("1").press("8").hears_only("a_tip", "line.where_were_we", "bill_number").stands_at("bill.number")
    one.press("1234").hears("which_month")


def test_a_command_can_be_said_and_a_steps_own_option_comes_before_it():
    call().says("agent").hears("connecting")
    made = line(
        "flow: main\nstart: q\nsteps: {q: {menu: which, options: {zero: {key: 0, label: nought, next: told}}}, "
        "told: {say: told, end: resolved}}\n",
        replace=COMMANDS,
    )
    Call(made).dial().press("0").hears("told")


def test_asking_for_a_person_is_remembered_as_a_habit():
    one = call().says("agent")
    one.hang_up()
    assert one.store.known["jerome"].history["person_asks"] == 1


# — another subject —


def test_a_reason_of_another_menu_said_in_the_middle_is_entered_and_the_question_asked_again_afterwards():
    one = call().press("1").press("1234").hears_only("which_month").says("a move").hears_only("moving_day")
    assert one.session.reasons == ("bill", "move")
    assert one.happened("subject_changed")[0].data == {"to": "main.reason.move"}
    one.press("03102027").hears_only("moving_noted", "line.where_were_we", "which_month").stands_at("bill.month")
    one.press("7").hears("are_you_sure")


def test_another_subject_re_opens_a_call_that_had_its_answer():
    one = call().press("2").press("03102027").hears("moving_noted", "anything_else")
    assert one.session.answered == "move"
    one.says("my bill").hears("bill_number")
    assert one.session.answered is None


def test_a_subject_is_changed_in_the_callers_language_too():
    call().press("2").press("9").says("la factura").hears("bill_number")


def test_what_is_open_here_is_never_another_subject():
    one = call().says("my bill").hears_only("bill_number")
    assert not one.ever("subject_changed")
