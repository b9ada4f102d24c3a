"""Questions of every kind: read, refused, confirmed; silence and wrong answers."""

from __future__ import annotations

import pytest

from tests.engine.small_lines import Call, line


def question(kind: str, more: str = "", after: str = "", **also: str):
    return line(
        f"""
flow: main
start: ask
steps:
  ask: {{ask: a_question, as: {kind}{more}, save_as: it, next: told{after}}}
  told: {{say: told, answers: it, end: resolved}}
""",
        **also,
    )


@pytest.mark.parametrize(
    ("kind", "keys", "value"),
    [
        ("digits", "1234", "1234"),
        ("digits", "0012", "0012"),
        ("number", "12*5", 12.5),
        ("number", "7", 7),
        ("money", "19*95", 19.95),
        ("date", "03102026", "2026-03-10"),
        ("date", "31122026", "2026-12-31"),
        ("time", "0930", "09:30"),
        ("time", "2159", "21:59"),
        ("phone", "15550001111", "+15550001111"),
        ("phone", "5550001111", "+15550001111"),
        ("phone", "123", None),
    ],
)
def test_a_question_takes_keys_as_its_kind(kind, keys, value):
    call = Call(question(kind)).dial().press(keys)
    if value is None:
        call.hears("line.no_match_1")
    else:
        call.hears_only("told")
        assert call.session.said["it"]["value"] == value
        assert call.happened("collected")[0].private == {"value": value}


@pytest.mark.parametrize(
    ("kind", "words", "value"),
    [
        ("digits", "four four one one", "4411"),
        ("digits", "44 11", "4411"),
        ("number", "$12.50", 12.5),
        ("money", "20 dollars", 20),
        ("date", "march 10 2026", "2026-03-10"),
        ("date", "10 de marzo de 2026", "2026-03-10"),
        ("time", "9:30 pm", "21:30"),
        ("phone", "+15550001111", "+15550001111"),
        ("words", "my neighbour's tree fell", "my neighbour's tree fell"),
    ],
)
def test_a_question_takes_words_as_its_kind_and_keeps_the_callers_own(kind, words, value):
    call = Call(question(kind)).dial().says(words).hears_only("told")
    assert call.session.said["it"] == {"value": value, "spoken": words}


@pytest.mark.parametrize(
    ("kind", "keys"), [("digits", "*"), ("number", "**"), ("date", "99999999"), ("time", "9999"), ("words", "5")]
)
def test_an_answer_that_is_none_is_a_wrong_answer(kind, keys):
    Call(question(kind)).dial().press(keys).hears_only("line.no_match_1", "a_question")


def test_yes_and_no_are_keys_and_words_in_the_languages_of_the_line():
    made = line(
        "flow: main\nstart: ask\nsteps: {ask: {ask: sure, as: yes_no, next: {yes: y, no: n}}, "
        "y: {say: yes_it_is, end: resolved}, n: {say: no_it_is_not, end: resolved}}\n",
        spanish="sure: ¿Seguro?",
        replace={"languages": "[en, es]", "commands": '{espanol: {key: "9", language: es}}'},
    )
    for yes in ("yes", "yeah", "yes please", "that's right"):
        Call(made).dial().says(yes).hears("yes_it_is")
    for no in ("no", "no thank you", "nope"):
        Call(made).dial().says(no).hears("no_it_is_not")
    Call(made).dial().press("1").hears("yes_it_is")
    Call(made).dial().press("2").hears("no_it_is_not")
    Call(made).dial().press("9").hears("sure").says("sí").hears("yes_it_is")
    Call(made).dial().press("3").hears("line.no_match_1", "sure")


def test_a_recording_can_be_an_answer():
    call = Call(question("recording", ", no_input: []", ", otherwise: told")).dial()
    assert "<Record " in call.twiml
    call.record(4).hears("told")
    assert call.session.said["it"]["value"].startswith("RE")
    silent = Call(question("recording", ", no_input: []", ", otherwise: told")).dial().silence()
    assert silent.happened("failed")[0].data["outcome"] == "no_input"


def test_digits_have_a_length():
    made = question("digits", ", length: 5..6")
    Call(made).dial().press("1234").hears("line.no_match_1")
    Call(made).dial().press("1234567").hears("line.no_match_1")
    Call(made).dial().press("12345#").hears("told")
    Call(made).dial().press("123456").hears("told")


def test_inside_digits_only_a_lone_key_is_a_command_or_an_option():
    made = question(
        "digits",
        ', length: 4..5, options: {help: {key: "#", label: a_hint, next: told}}',
        replace={"commands": '{agent: {key: "0", next: agent}}'},
    )
    Call(made).dial().press("0123").hears("told")
    Call(made).dial().press("0").hears("connecting")
    call = Call(made).dial().press("#").hears("told")
    assert "it" not in call.session.said
    Call(made).dial().press("01").hears("line.no_match_1")


def test_a_lone_key_that_is_a_valid_answer_is_the_answer():
    made = question("digits", ", length: 1", replace={"commands": '{agent: {key: "0", next: agent}}'})
    assert Call(made).dial().press("0").hears("told").session.said["it"]["value"] == "0"


# — refused —


def test_a_refused_answer_says_why_asks_again_and_is_not_kept():
    made = question("number", ", refuse: [{when: said.it < 10, say: too_low}, {when: said.it > 99, say: too_high}]")
    call = Call(made).dial().press("5").hears_only("too_low", "a_question")
    assert "it" not in call.session.said
    call.press("500").hears_only("too_high", "a_question").press("50").hears_only("told")
    assert [event.data["rule"] for event in call.ever("refused")] == [0, 1]


def test_refusals_count_as_wrong_answers():
    made = question("number", ", refuse: [{when: said.it < 10, say: too_low}]", ", otherwise: told")
    call = Call(made).dial().press("5").press("*").hears("line.no_match_2").press("5").hears("too_low", "told")
    assert call.happened("failed")[0].data["outcome"] == "no_match"
    once = question("number", ", no_match: [], refuse: [{when: said.it < 10, say: too_low}]", ", otherwise: told")
    Call(once).dial().press("5").hears_only("too_low", "told")


def test_a_refusal_whose_condition_is_not_known_does_not_hold():
    made = question("number", ", refuse: [{when: said.it < account.owed, say: too_low}]")
    Call(made).dial().press("5").hears_only("told")


# — confirmed —

CONFIRMED = ", length: 4, confirm: did_you_say"


def test_what_was_understood_is_read_back_and_kept_on_yes():
    made = question("digits", CONFIRMED, words='did_you_say: "{{ said.it | digits }}?"')
    call = Call(made).dial().press("1234").hears_only("did_you_say", "ask.yes_no")
    assert "1234" in call.words
    assert not call.ever("collected")
    call.says("yes").hears_only("told")
    assert call.ever("collected")


def test_no_to_a_confirm_asks_again_also_after_a_wrong_answer_or_a_silence():
    made = question("digits", CONFIRMED)
    Call(made).dial().press("1234").press("2").hears_only("a_question")
    Call(made).dial().press("9").press("1234").press("2").hears_only("a_question")
    call = Call(made).dial().press("1234").silence().hears_only("line.no_input_1", "did_you_say", "ask.yes_no")
    call.press("2").hears_only("a_question").press("5678").press("1").hears_only("told")
    assert call.session.said["it"]["value"] == "5678"


def test_silence_and_nonsense_at_a_confirm_put_the_confirm_again():
    call = Call(question("digits", CONFIRMED)).dial().press("1234").press("7")
    call.hears_only("line.no_match_1", "did_you_say", "ask.yes_no").press("1").hears_only("told")


# — silence and wrong answers —


def test_silence_and_wrong_answers_are_counted_apart_and_the_third_goes_on():
    call = Call(question("digits", ", length: 4", ", otherwise: told")).dial()
    call.silence().hears_only("line.no_input_1", "a_question")
    call.press("1").hears_only("line.no_match_1", "a_question")
    call.silence().hears_only("line.no_input_2", "a_question")
    call.press("1").hears_only("line.no_match_2", "a_question")
    call.silence().hears_only("told")
    assert [event.data["times"] for event in call.ever("no_input")] == [1, 2, 3]
    assert [event.data["times"] for event in call.ever("no_match")] == [1, 2]


def test_a_step_has_its_own_number_or_its_own_prompts():
    call = Call(question("digits", ", length: 4, no_input: [psst, hello], no_match: 0", ", otherwise: told")).dial()
    call.silence().hears_only("psst", "a_question").silence().hears_only("hello", "a_question").silence()
    call.hears_only("told")
    Call(question("digits", ", length: 4, no_match: 0", ", otherwise: told")).dial().press("1").hears_only("told")


def test_more_re_prompts_than_the_line_has_words_for_use_the_first_ones():
    call = Call(question("digits", ", length: 4, no_input: 4")).dial()
    for prompt in ("line.no_input_1", "line.no_input_2", "line.no_input_1", "line.no_input_1"):
        call.silence().hears_only(prompt, "a_question")


def test_the_says_that_led_to_a_question_are_spoken_inside_its_gather_and_not_again_in_a_re_prompt():
    made = line(
        "flow: main\nstart: hello\nsteps: {hello: {say: hello, next: ask}, "
        "ask: {say: by_the_way, ask: a_question, as: digits, next: told}, told: {say: told, end: resolved}}\n"
    )
    call = Call(made).dial().hears_only("hello", "by_the_way", "a_question")
    assert "<Say" not in call.twiml.split("<Gather")[0]
    call.silence().hears_only("line.no_input_1", "a_question")


def test_what_must_be_heard_comes_before_the_gather():
    made = question("digits", words="a_question: {text: A question?, must_hear: true}")
    assert "A question?" in Call(made).dial().twiml.split("<Gather")[0]


def test_a_timeout_is_the_steps_else_the_lines():
    assert 'timeout="6"' in Call(question("digits")).dial().twiml
    assert 'timeout="9"' in Call(question("digits", ", timeout: 9s")).dial().twiml
