"""Where a call goes: next, enter, return, outcomes and their otherwise, bounds, and how a call ends."""

from __future__ import annotations

import pytest

from tests.engine.small_lines import Call, line, person


def asks(flow: str = "main", more: str = "") -> str:
    """A flow with one question."""
    return f"flow: {flow}\nstart: ask\nsteps:\n  ask: {{ask: {flow}_question, as: yes_no{more}}}\n"


def test_a_name_is_a_step_of_this_flow_before_it_is_a_flow():
    made = line("""
flow: main
start: first
steps:
  first: {say: one, next: other}
  other: {ask: the_step, as: yes_no, next: agent}
---
flow: other
start: here
steps: {here: {ask: the_flow, as: yes_no, next: main.other}}
""")
    Call(made).dial().hears("one", "the_step").stands_at("main.other")


def test_next_to_another_flow_takes_this_ones_place_and_flow_dot_step_names_a_step_in_it():
    made = line("""
flow: main
start: first
steps: {first: {say: one, next: other.second}}
---
flow: other
start: here
steps: {here: {say: never, next: second}, second: {ask: two, as: yes_no, next: agent}}
""")
    call = Call(made).dial().hears("one", "two").never_hears("never").stands_at("other.second")
    assert len(call.session.stack) == 1


def test_enter_comes_back_to_the_steps_next_with_the_name_that_was_returned():
    made = line("""
flow: main
start: first
steps:
  first: {enter: other, next: {good: yes_it_is, bad: no_it_is_not}}
  yes_it_is: {say: yes_it_is, answers: it, end: resolved}
  no_it_is_not: {say: no_it_is_not, end: resolved}
---
flow: other
start: ask
steps:
  ask: {ask: is_it, as: yes_no, next: {yes: good, no: bad}}
  good: {return: good}
  bad: {return: bad}
""")
    Call(made).dial().press("1").hears("yes_it_is").ends("resolved")
    Call(made).dial().press("2").hears("no_it_is_not").ends("caller_left")


def test_what_is_given_to_a_flow_is_its_own():
    made = line(
        """
flow: main
start: first
steps:
  first: {enter: other, give: {word: '"apples"'}, next: then}
  then: {say: given_word, next: agent}
---
flow: other
start: tell
takes: {word: text}
steps: {tell: {say: given_word, return: done}}
""",
        words='given_word: {text: "I have {{ given.word }}.", without: I have nothing.}',
    )
    call = Call(made).dial()
    assert "I have apples. I have nothing." in call.words


def test_a_fifth_flow_takes_the_fourths_place_and_the_call_says_so():
    flows = "flow: main\nstart: a\nsteps: {a: {enter: f1, next: agent}}\n"
    for depth in range(1, 4):
        flows += f"---\nflow: f{depth}\nstart: a\nsteps: {{a: {{enter: f{depth + 1}, next: back}}, back: {{return: done}}}}\n"
    flows += "---\n" + asks("f4", ", next: {yes: back, no: back}") + "  back: {return: done}\n"
    call = Call(line(flows)).dial().stands_at("f4.ask")
    assert [frame["flow"] for frame in call.session.stack] == ["main", "f1", "f2", "f4"]
    assert [event.data["how"] for event in call.happened("entered")] == [
        "choice",
        "enter",
        "enter",
        "enter",
        "too_deep",
    ][:5]
    call.press("1").hears("connecting")


def test_end_ends_the_call_whatever_is_open():
    made = line("""
flow: main
start: first
steps: {first: {enter: other, next: agent}}
---
flow: other
start: here
steps: {here: {say: goodbye_now, answers: it, end: resolved}}
""")
    Call(made).dial().hears_only("goodbye_now").ends("resolved")


@pytest.mark.parametrize(
    ("step", "flow", "whose"),
    [(", otherwise: rescue", "otherwise: elsewhere", "step"), ("", "otherwise: rescue", "flow"), ("", "", "line")],
)
def test_a_failure_that_next_does_not_name_goes_to_the_steps_else_the_flows_else_the_lines_otherwise(step, flow, whose):
    made = line(f"""
flow: main
start: ask
{flow}
steps:
  ask: {{ask: a_question, as: yes_no, no_input: [], next: {{yes: rescue, no: rescue}}{step}}}
  rescue: {{say: rescued, next: agent}}
  elsewhere: {{say: elsewhere, next: agent}}
""")
    call = Call(made).dial().silence()
    assert [event.data for event in call.happened("failed")] == [{"outcome": "no_input", "otherwise": whose}]
    assert ("rescued" in call.heard) == (whose != "line")


def test_a_failure_that_next_names_goes_there_and_not_to_otherwise():
    made = line("""
flow: main
start: ask
steps:
  ask: {ask: a_question, as: yes_no, no_input: [], next: {yes: told, no: told, no_input: told}, otherwise: agent}
  told: {say: told, answers: it, end: resolved}
""")
    Call(made).dial().silence().hears_only("told").ends("resolved")


def test_a_second_failure_on_the_lines_otherwise_goes_to_the_emergency_number():
    made = line("""
flow: main
start: ask
steps: {ask: {ask: a_question, as: yes_no, no_input: [], next: agent}}
---
flow: agent
start: sorry
steps:
  sorry: {say: so_sorry, next: which}
  which: {ask: which_team, as: yes_no, no_input: [], next: {yes: bye, no: bye}}
  bye: {say: bye, end: resolved}
""")
    call = Call(made).dial().silence().hears("so_sorry", "which_team").silence().hears_only("line.emergency")
    assert "+15550003333" in call.twiml
    call.agent("no_answer").hears("line.goodbye").ends("fault")


def test_whoever_answers_on_the_lines_otherwise_has_another_chance_of_it():
    made = line("""
flow: main
start: ask
steps: {ask: {ask: a_question, as: yes_no, no_input: [], next: agent}}
---
flow: agent
start: which
steps:
  which: {ask: which_team, as: yes_no, no_input: [], next: {yes: main.ask, no: main.ask}}
""")
    call = Call(made).dial().silence().press("1").hears("a_question").silence().hears("which_team")
    assert not call.ever("handed_off")


def test_a_step_that_a_bundle_does_not_have_any_more_ends_at_a_person_as_an_event():
    made = line(asks(more=", next: agent"))
    other = line("flow: main\nstart: other\nsteps: {other: {ask: other, as: yes_no, next: agent}}\n")
    call = Call(made).dial()
    call.made = other
    call.store.current = other.bundle  # its own version is gone; what is published now has no such step
    call.press("1").hears("connecting")
    assert call.happened("fault")[0].data["code"] == "missing-step"


# — bounds —


def test_a_step_that_is_visited_too_often_is_the_failure_too_often():
    made = line(
        """
flow: main
start: ask
steps:
  ask: {ask: a_question, as: yes_no, next: {yes: ask, no: ask, too_often: enough}}
  enough: {say: enough, next: agent}
""",
        config="limits: {visits_per_step: 3}",
    )
    call = Call(made).dial().press("1").press("1").hears_only("a_question", "ask.yes_no")
    call.press("1").hears("enough", "connecting").never_hears("a_question")
    assert call.happened("bound")[0].data == {"which": "visits_per_step"}


def test_a_circle_without_a_question_ends_at_a_person():
    made = line(
        "flow: main\nstart: a\nsteps: {a: {say: round_and_round, next: b}, b: {say: again_and_again, next: a}}\n",
        config="limits: {steps_per_turn: 10, visits_per_step: 100}",
    )
    call = Call(made).dial().hears("connecting")
    assert call.happened("bound")[0].data == {"which": "steps_per_turn"}


def test_a_person_who_cannot_be_reached_without_going_in_circles_is_the_emergency_number():
    made = line(
        """
flow: main
start: a
steps: {a: {say: round_and_round, next: a}}
---
flow: agent
start: b
steps: {b: {say: and_round, next: b}}
""",
        config="limits: {steps_per_turn: 10, visits_per_step: 100}",
    )
    call = Call(made).dial().hears("line.emergency")
    assert call.session.wait.spec["emergency"] is True
    call.agent("accepts").ends("handed_over")
    # Whoever answers there belongs to no target, so nobody at a desk has anything to write up.
    assert call.ever("dialled")[0].data == {"status": "completed", "bridged": True, "seconds": 60.0}
    assert call.store.tasks == {}


def test_minutes_are_a_bound_and_nobody_can_stay_for_ever():
    made = line(asks(more=", next: {yes: ask, no: ask, too_often: enough}") + "  enough: {say: enough, next: ask}\n")
    call = Call(made).dial().waits(16 * 60).press("1").hears("enough")
    assert call.happened("bound")[0].data == {"which": "minutes"}
    call.press("1").never_hears("enough").waits(16 * 60).press("1").hears("enough")


def test_minutes_with_people_are_not_counted():
    made = line("""
flow: main
start: go
steps:
  go: {handoff: team, say: connecting, next: {ended: more, unanswered: more, busy: more, closed: more}}
  more: {ask: more, as: yes_no, next: {yes: go, no: agent}}
""")
    call = Call(made).dial().agent("accepts", 40 * 60).hears("more").silence().hears("line.no_input_1", "more")
    assert not call.ever("bound")
    assert call.hang_up().outcome == "handed_over"


def test_minutes_with_the_recorder_are_not_counted():
    made = line("""
flow: main
start: go
steps:
  go: {voicemail: team, say: leave_a_message, next: more, otherwise: more}
  more: {ask: more, as: yes_no, next: {yes: go, no: agent}}
""")
    call = Call(made).dial().waits(20 * 60).record(20 * 60).hears("more").press("1").hears("leave_a_message")
    assert not call.ever("bound")


# — how a call ends —

ENDS = """
flow: main
start: what
steps:
  what:
    menu: what
    options:
      answer: {key: 1, label: an_answer, next: answer}
      person: {key: 2, label: a_person, next: people}
      message: {key: 3, label: a_message, next: message}
      leave: {key: 4, label: to_leave, end: resolved}
      closed: {key: 5, label: come_back, end: closed_hours}
    next: what
  answer: {say: the_answer, answers: it, next: what}
  people: {handoff: team, say: connecting, next: {ended: what, unanswered: what, busy: what, closed: what}}
  message: {voicemail: team, say: leave_a_message, next: what, otherwise: what}
"""


def test_a_call_is_resolved_only_if_the_caller_had_an_answer():
    Call(line(ENDS)).dial().press("4").ends("caller_left")
    # choosing "leave" is itself another reason and re-opens the call
    Call(line(ENDS)).dial().press("1").press("4").ends("caller_left")
    Call(line(ENDS)).dial().press("1").hang_up().ends("resolved")
    Call(line(ENDS)).dial().hang_up().ends("caller_left")


def test_choosing_another_reason_re_opens_a_call_that_had_its_answer():
    call = Call(line(ENDS)).dial().press("1")
    assert call.session.answered == "it"
    call.press("3").hang_up().ends("caller_left")


def test_a_person_or_a_message_names_the_outcome_before_what_the_flow_says():
    Call(line(ENDS)).dial().press("2").agent("accepts").press("5").ends("handed_over")
    Call(line(ENDS)).dial().press("3").record(7).press("5").ends("voicemail")
    Call(line(ENDS)).dial().press("2").agent("no_answer").press("5").ends("closed_hours")
    Call(line(ENDS)).dial().press("3").record(7, hang_up=True).ends("voicemail")
    Call(line(ENDS)).dial().press("3").record(0.5).press("5").ends("closed_hours")


def test_a_hang_up_at_a_question_is_unfinished_and_one_that_the_flow_ended_is_not():
    left = Call(line(ENDS), [person("jerome")]).dial().hang_up()
    assert left.happened("ended")[0].data["unfinished"] is True
    assert left.store.known["jerome"].history["recent"][-1]["question"] == "main.what"
    assert left.store.known["jerome"].history["recent"][-1]["unfinished"] is True
    for keys, acts in (("4", ()), ("5", ()), ("2", ("hang up",)), ("1", ("hang up",))):
        call = Call(line(ENDS), [person("jerome")]).dial().press(keys)
        if acts:
            call.hang_up()
        assert call.happened("ended")[0].data["unfinished"] is False
        assert call.store.known["jerome"].history["recent"][-1]["unfinished"] is False, keys


def test_nothing_goes_on_after_the_end():
    call = Call(line(ENDS)).dial().press("5")
    events = len(call.line.events())
    call.press("1").hang_up().ends("closed_hours")
    assert len(call.line.events()) == events
