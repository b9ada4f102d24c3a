"""What the checks know about people: outcomes of a handoff, call backs, waiting, the survey, cases and messages."""

from __future__ import annotations

from pathlib import Path

import pytest

from ivr.flow.checks.examples import base, project
from ivr.problems import Problem
from tests.flow.checks.checking import codes, problems_of, with_main

QUEUE = "care_team: {queue: {callback: {}}}"


def config(target: str = QUEUE, more: str = "") -> str:
    """The example project's config with another care team, and more."""
    text = base()["config.yaml"].replace('care_team: {dial: ["+15550002222"]}', target)
    assert target in text
    return text + more


def people(outcomes: str = "") -> str:
    """The example project's flow that connects, with these outcomes too."""
    text = base()["flows/people.yaml"]
    return text.replace(
        "unanswered: message", f"{outcomes}, unanswered: message" if outcomes else "unanswered: message"
    )


def line(survey: str) -> str:
    """The example project's line with a survey."""
    return base()["flows/lines/line.yaml"] + f"survey: {survey}\n"


def survey_flow(steps: str) -> str:
    """The flow `survey`, with these steps."""
    start = steps.partition(":")[0]
    return f"flow: survey\nstart: {start}\nsteps:\n" + "".join(f"  {each}\n" for each in steps.splitlines())


ASKED = "solved: {ask: anything_else, as: yes_no, next: over}\nover: {return: done}"


def surveyed(folder: Path, steps: str = ASKED, survey: str = "{flow: survey}", **more: str) -> list[Problem]:
    """Problems of the example project with a survey of these steps; `more` by path, with __ for /."""
    files = {"flows/lines/line.yaml": line(survey), "flows/survey.yaml": survey_flow(steps)}
    files |= {path.replace("__", "/") + ".yaml": text for path, text in more.items()}
    return problems_of(project(files), folder)


def only(problems: list[Problem]) -> Problem:
    """The one problem there is."""
    assert len(problems) == 1, problems
    return problems[0]


# — outcomes of a handoff —


def test_a_queue_that_offers_a_call_back_needs_a_way_on_for_it(tmp_path: Path) -> None:
    files = {"config.yaml": config(), "flows/people.yaml": people()}
    found = only(problems_of(project(files), tmp_path))
    assert (found.code, found.hint) == ("missing-outcome", "add 'callback_booked: step' to 'next:'")
    files["flows/people.yaml"] = people("callback_booked: bye, waited_too_long: message")
    assert problems_of(project(files), tmp_path) == []


def test_a_plain_next_takes_a_booked_call_back_too(tmp_path: Path) -> None:
    plain = base()["flows/people.yaml"].replace(
        "{ended: bye, unanswered: message, busy: message}", "bye, otherwise: message"
    )
    assert problems_of(project({"config.yaml": config(), "flows/people.yaml": plain}), tmp_path) == []


@pytest.mark.parametrize(
    ("target", "outcome", "why"),
    [
        ('care_team: {dial: ["+15550002222"]}', "waited_too_long", "'unanswered' is the outcome"),
        ('care_team: {dial: ["+15550002222"]}', "callback_booked", "a 'callback:' step"),
        ("care_team: {queue: {}}", "callback_booked", "add 'callback: {}'"),
    ],
)
def test_an_outcome_that_this_target_cannot_have_says_why(target: str, outcome: str, why: str, tmp_path: Path) -> None:
    files = {"config.yaml": config(target), "flows/people.yaml": people(f"{outcome}: bye")}
    found = only(problems_of(project(files), tmp_path))
    assert found.code == "unknown-outcome" and "care_team" in found.message and why in found.hint


def test_taskrouter_has_the_outcomes_of_a_queue(tmp_path: Path) -> None:
    files = {
        "config.yaml": config("care_team: {taskrouter: {workflow: WW1, workspace: WS1, callback: {}}}"),
        "flows/people.yaml": people("callback_booked: bye, waited_too_long: message"),
    }
    assert problems_of(project(files), tmp_path) == []


# — call backs, cases and messages —

STEPS = "one: {%s, next: people.message, otherwise: people.message}"


@pytest.mark.parametrize(
    ("step", "code", "hint"),
    [
        ("callback: car_team", "unknown-target", "did you mean 'care_team'?"),
        ("callback: care_team, number: account.outage", "kind-mismatch", "as: phone"),
        ("callback: care_team, number: call.form", "unknown-name", "did you mean 'call.from'?"),
        ("notify: thank_yuo", "unknown-prompt", "did you mean 'thank_you'?"),
        ("notify: thank_you, by: account.outage", "kind-mismatch", "caller.prefers.channel"),
        ("notify: thank_you, by: sms", "unknown-name", "quote the word itself: by: \"'sms'\""),
        ("notify: thank_you, by: \"'emial'\"", "wrong-value", "did you mean 'email'?"),
        ("case: update, summary: thank_yuo", "unknown-prompt", "did you mean 'thank_you'?"),
        ("case: opne, about: bill", "wrong-value", "did you mean 'open'?"),
    ],
)
def test_a_slip_in_a_step_gets_the_right_word(step: str, code: str, hint: str, tmp_path: Path) -> None:
    found = only(with_main(STEPS % step, tmp_path))
    assert found.code == code and hint in found.hint
    assert (found.where.file, found.where.line) == ("flows/main.yaml", 4)


@pytest.mark.parametrize(
    "step",
    [
        "callback: care_team, about: said.reason",
        "callback: care_team, number: call.from",
        "case: open, about: bill, summary: thank_you",
        "case: join, about: bill",
        "case: update, summary: thank_you",
        "case: close",
        "notify: thank_you",
        "notify: thank_you, by: caller.prefers.channel",
    ],
)
def test_a_step_as_it_is_meant_has_no_problem(step: str, tmp_path: Path) -> None:
    assert with_main(STEPS % step, tmp_path) == []


@pytest.mark.parametrize("step", ["callback: care_team", "case: close", "notify: thank_you"])
def test_what_worked_has_to_lead_somewhere(step: str, tmp_path: Path) -> None:
    assert codes(with_main(f"one: {{{step}, otherwise: people.bye}}", tmp_path))[0] == "no-way-on"


@pytest.mark.parametrize("step", ["case: close", "notify: thank_you"])
def test_a_note_that_failed_sends_nobody_to_people_by_surprise(step: str, tmp_path: Path) -> None:
    found = only(with_main(f"one: {{{step}, next: people.message}}", tmp_path))
    assert found.code == "missing-outcome" and "otherwise" in found.hint
    assert with_main(f"one: {{{step}, next: {{done: people.message, failed: people.message}}}}", tmp_path) == []


def test_a_call_back_that_was_booked_counts_as_an_answer(tmp_path: Path) -> None:
    assert with_main("one: {callback: care_team, next: {booked: people.bye}}", tmp_path) == []


def test_a_number_to_call_must_be_known(tmp_path: Path) -> None:
    steps = (
        "which: {ask: what_now, as: phone, next: book, otherwise: book}\n"
        "book: {callback: care_team, number: said.which, next: people.bye}"
    )
    assert codes(with_main(steps, tmp_path)) == ["may-be-unset"]
    assert (
        codes(with_main(steps.replace("next: people.bye", "next: people.bye, otherwise: people.agent"), tmp_path)) == []
    )


@pytest.mark.parametrize("step", ["notify: overdue", "case: open, about: bill, summary: overdue"])
def test_what_is_written_keeps_to_the_level_of_the_caller(step: str, tmp_path: Path) -> None:
    prompts = 'overdue: "You owe {{ account.overdue | money }}."\n'
    assert codes(with_main(STEPS % step, tmp_path, prompts=prompts)) == ["above-level"]
    verified = "who: {verify: identity, next: one}\n" + STEPS % step
    assert codes(with_main(verified, tmp_path, prompts=prompts)) == []


# — waiting —


@pytest.mark.parametrize(
    ("waiting", "code", "hint"),
    [
        ("say: [wait.thansk]", "unknown-prompt", "did you mean 'wait.thanks'?"),
        ("music: hodl.wav", "audio-missing", "did you mean 'hold.wav'?"),
        ('callback: {between: "25:00-08:00"}', "hours", "08:00-21:00"),
        ("priority: [{because: x, when: account.overdue >, ahead: 5m}]", "condition", "account.overdue > 0"),
        ("priority: [{because: x, when: line.open = 1, ahead: 5m}]", "condition", "write =="),
        ("priority: [{because: x, when: account.overdu > 5, ahead: 5m}]", "unknown-name", "'account.overdue'"),
        ("priority: [{because: x, when: account.overdue, ahead: 5m}]", "not-a-condition", "> 0"),
        ("priority: [{because: x, when: caller.tags.bereavment, ahead: 5m}]", "unknown-fact", "tags.bereavement"),
        ("priority: [{because: x, when: caller.tags.bereavement, ahead: 5m}]", "sensitive-use", "purpose: care"),
    ],
)
def test_a_slip_in_a_queue_is_a_problem_at_its_line(waiting: str, code: str, hint: str, tmp_path: Path) -> None:
    files = {
        "config.yaml": config(f"care_team:\n    queue:\n      {waiting}"),
        "flows/people.yaml": people("callback_booked: bye" if "callback" in waiting else ""),
        "prompts/hold.wav": "music",
    }
    found = only(problems_of(project(files), tmp_path))
    assert found.code == code and hint in found.hint
    there = files["config.yaml"].splitlines().index(f"      {waiting}") + 1
    assert (found.where.file, found.where.line) == ("config.yaml", there)


def test_who_waits_less_may_depend_on_what_was_said_and_on_care(tmp_path: Path) -> None:
    rules = (
        "[{because: please take care, when: caller.tags.bereavement, purpose: care, ahead: 10m},"
        " {because: they move, when: said.reason == 'moving', ahead: 1m}]"
    )
    target = f"care_team: {{queue: {{music: hold.wav, priority: {rules}}}}}"
    assert problems_of(project({"config.yaml": config(target), "prompts/hold.wav": "music"}), tmp_path) == []


def test_words_of_a_wait_are_checked_like_any_others(tmp_path: Path) -> None:
    waits = 'wait.news: "You owe {{ account.overdue | money }}, {{ said.name }}."\n'
    files = {"config.yaml": config("care_team: {queue: {say: wait.news}}"), "prompts/en/more.yaml": waits}
    assert sorted(codes(problems_of(project(files), tmp_path))) == ["above-level", "may-be-unset", "unknown-name"]


def test_a_project_may_say_the_words_of_a_wait_in_its_own_way(tmp_path: Path) -> None:
    own = """\
wait.position: {count: position, one: You are next., other: "Number {{ count }}."}
wait.estimate: "{{ low }} to {{ high }} minutes."
wait.offer_callback: "Press {{ key }}."
wait.callback_number: "We call {{ number | phone }}."
wait.callback_booked_for: "We call you {{ day | day }} from {{ time | time }}."
agent.whisper: "{{ summary }}"
"""
    files = {
        "config.yaml": config(),
        "flows/people.yaml": people("callback_booked: bye"),
        "prompts/en/more.yaml": own,
    }
    assert problems_of(project(files), tmp_path) == []
    files["prompts/en/more.yaml"] = own.replace("{{ day | day }}", "{{ day | money }}")
    assert codes(problems_of(project(files), tmp_path)) == ["kind-mismatch"]


# — gestures —


def test_a_gesture_has_words_and_a_way_to_go(tmp_path: Path) -> None:
    gestures = "gestures:\n  sympathy: {title: Sympathy, text: sory, by: [email, card]}\n"
    found = problems_of(
        project({"config.yaml": config(more=gestures), "flows/people.yaml": people("callback_booked: bye")}), tmp_path
    )
    assert [(problem.code, problem.level) for problem in found] == [("unknown-prompt", "error"), ("no-mail", "warning")]
    assert "did you mean 'sorry'?" in found[0].hint


def test_an_address_is_a_fact_that_is_declared(tmp_path: Path) -> None:
    plain = 'care_team: {dial: ["+15550002222"]}'
    mail = "mail: {host: smtp.example, from: care@example.com, to: emial}\n"
    fact = "facts:\n  email: {kind: text, purpose: contact}"
    files = {"config.yaml": config(plain, mail).replace("facts:", fact)}
    found = only(problems_of(project(files), tmp_path))
    assert (found.code, found.hint) == ("unknown-fact", "did you mean 'email'?")
    assert problems_of(project({"config.yaml": files["config.yaml"].replace("emial", "email")}), tmp_path) == []


# — the survey —


def test_the_survey_is_reached_from_people_and_comes_back_to_them(tmp_path: Path) -> None:
    assert surveyed(tmp_path) == []


def test_without_anybody_to_talk_to_there_is_no_survey(tmp_path: Path) -> None:
    messages = "flow: people\nstart: agent\nsteps:\n  agent: {voicemail: care_team, next: bye, otherwise: bye}\n  bye: {say: goodbye, end: resolved}\n"
    assert "unreachable-flow" in codes(surveyed(tmp_path, flows__people=messages))


def test_a_handoff_with_a_fault_does_not_blame_the_survey(tmp_path: Path) -> None:
    broken = base()["flows/people.yaml"].replace("say: connecting", "sya: connecting")
    assert codes(surveyed(tmp_path, flows__people=broken)) == ["unknown-word"]


@pytest.mark.parametrize(
    ("survey", "code", "hint"),
    [
        ("{flow: survye}", "unknown-flow", "did you mean 'survey'?"),
        ("{flow: survey, unless: caller.tags.bereavment}", "unknown-fact", "tags.bereavement"),
        ("{flow: survey, unless: caller.tags.bereavement}", "sensitive-use", "purpose: care"),
        ("{flow: survey, unless: account.overdue}", "not-a-condition", "> 0"),
    ],
)
def test_a_slip_in_a_survey_is_a_problem_of_the_line(survey: str, code: str, hint: str, tmp_path: Path) -> None:
    found = only(surveyed(tmp_path, survey=survey))
    assert found.code == code and hint in found.hint and found.where.file == "flows/lines/line.yaml"


def test_the_survey_may_spare_callers_by_what_they_said(tmp_path: Path) -> None:
    assert surveyed(tmp_path, survey='{flow: survey, unless: said.reason == "bereavement"}') == []


@pytest.mark.parametrize(
    "steps",
    [
        "a: {ask: anything_else, as: yes_no, next: {yes: b, no: b}}\nb: {ask: what_now, as: number, next: c}\nc: {ask: your_reading, as: number, next: over}\nover: {return: done}",
        "a: {ask: anything_else, as: yes_no, next: {yes: a, no: over}}\nover: {return: done}",
        "a: {enter: twice, next: b}\nb: {ask: what_now, as: number, next: over}\nover: {return: done}",
    ],
)
def test_more_than_two_questions_on_any_way_are_too_many(steps: str, tmp_path: Path) -> None:
    twice = "flow: twice\nstart: a\nsteps:\n  a: {ask: anything_else, as: yes_no, next: b}\n  b: {ask: what_now, as: number, next: over}\n  over: {return: done}\n"
    more = {"flows__twice": twice} if "twice" in steps else {}
    found = only(surveyed(tmp_path, steps, **more))
    assert (found.code, found.level, found.where.line) == ("survey-too-long", "warning", 1)


def test_two_questions_on_each_of_two_ways_are_not_four(tmp_path: Path) -> None:
    steps = (
        "a: {ask: anything_else, as: yes_no, next: {yes: b, no: c}}\nb: {ask: what_now, as: number, next: over}\n"
        "c: {ask: your_reading, as: number, next: over}\nover: {return: done}"
    )
    assert surveyed(tmp_path, steps) == []


@pytest.mark.parametrize("step", ["handoff: care_team", "verify: identity", "voicemail: care_team"])
def test_a_survey_only_asks(step: str, tmp_path: Path) -> None:
    found = only(surveyed(tmp_path, f"a: {{{step}, next: over}}\nover: {{return: done}}"))
    assert found.code == "survey-too-long" and step.partition(":")[0] in found.message and found.where.line == 4


def test_the_words_of_a_survey_are_for_whoever_may_have_been_connected(tmp_path: Path) -> None:
    told = "solved: {say: overdue, next: over}\nover: {return: done}"
    prompts = 'overdue: "You owe {{ account.overdue | money }}."\n'
    assert codes(surveyed(tmp_path, told, prompts__en__more=prompts)) == ["above-level"]


CARE = "{because: a death in the family, when: caller.tags.bereavement, purpose: care, flow: people}"


@pytest.mark.parametrize(
    ("survey", "expected"),
    [
        ("{flow: survey}", ["not-neutral"]),
        ("{flow: survey, unless: caller.tags.bereavement, purpose: care}", []),
        ("{flow: survey, unless: call.withheld or caller.tags.bereavement, purpose: care}", []),
        ("{flow: survey, unless: call.withheld and caller.tags.bereavement, purpose: care}", ["not-neutral"]),
    ],
)
def test_a_survey_gives_no_choice_away_except_to_those_it_spares(
    survey: str, expected: list[str], tmp_path: Path
) -> None:
    files = {
        "flows/lines/line.yaml": line(survey).replace("choose:\n", f"choose:\n  - {CARE}\n"),
        "flows/survey.yaml": survey_flow(ASKED),
    }
    assert codes(problems_of(project(files), tmp_path)) == expected


def test_a_survey_in_which_any_subject_may_come_up_says_whom_to_spare(tmp_path: Path) -> None:
    options = "".join(f"      o{n}: {{key: {n}, label: label_{n}, enter: topic}}\n" for n in range(1, 5))
    files = {
        "flows/lines/line.yaml": line("{flow: survey}").replace("choose:\n", f"choose:\n  - {CARE}\n"),
        "flows/survey.yaml": survey_flow(ASKED),
        "flows/main.yaml": "flow: main\nstart: reason\nsteps:\n  reason:\n    menu: what_now\n    options:\n"
        + options
        + "    next: people.message\n",
        "flows/topic.yaml": "flow: topic\nstart: a\nsteps:\n  a: {say: [t1, t2, t3, t4, t5, t6], answers: x, return: done}\n",
        "prompts/en/more.yaml": "".join(f"t{n}: Told.\n" for n in range(1, 7))
        + "".join(f"label_{n}: topic {word}\n" for n, word in enumerate(("one", "two", "three", "four"), 1)),
    }
    found = only(problems_of(project(files), tmp_path))
    assert found.code == "not-neutral" and "'unless:'" in found.hint and found.where.file == "flows/lines/line.yaml"


def test_a_survey_may_count_only_on_what_everybody_said_before_it(tmp_path: Path) -> None:
    main = (
        "flow: main\nstart: day\nsteps:\n  day: {ask: what_now, as: date, next: agent}\n"
        "  agent: {handoff: care_team, next: people.bye}\n"
    )
    files = {
        "flows/lines/line.yaml": line("{flow: survey}").replace("needs: [account]\n", ""),
        "flows/survey.yaml": survey_flow("tell: {say: that_day, next: over}\nover: {return: done}"),
        "flows/main.yaml": main,
        "prompts/en/more.yaml": 'that_day: "That was {{ said.day | day }}."\n',
    }
    assert codes(problems_of(project(files), tmp_path)) == ["may-be-unset"]
    known = 'that_day: {text: "That was {{ said.day | day }}.", without: That was then.}\n'
    assert problems_of(project(files | {"prompts/en/more.yaml": known}), tmp_path) == []
