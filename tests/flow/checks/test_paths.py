"""What the checks know about paths: levels, values, rounds and ends, matched to the engine's own ways."""

from __future__ import annotations

from pathlib import Path

from ivr.flow.checks.examples import base, project
from tests.flow.checks.checking import codes, problems_of, with_main

YES_NO = "ask: anything_else, as: yes_no"


def test_a_returning_flow_hands_back_what_it_verified(tmp_path: Path) -> None:
    other = "flow: other\nstart: who\nsteps:\n  who: {verify: identity, next: back}\n  back: {return: done}\n"
    prompts = 'overdue: "You owe {{ account.overdue | money }}."\n'
    steps = "in: {enter: other, next: tell}\ntell: {say: overdue, answers: bill, next: people.bye}"
    assert codes(with_main(steps, tmp_path, other=other, prompts=prompts)) == []
    unsure = other.replace("next: back}", "next: back, otherwise: back}")
    assert codes(with_main(steps, tmp_path, other=unsure, prompts=prompts)) == ["above-level"]


def test_one_flow_entered_from_two_places_is_no_round(tmp_path: Path) -> None:
    other = "flow: other\nstart: tell\nsteps:\n  tell: {say: thank_you, answers: x, return: done}\n"
    steps = "one: {enter: other, next: two}\ntwo: {enter: other, next: people.bye}"
    assert codes(with_main(steps, tmp_path, other=other)) == []


def test_a_flow_that_enters_itself_is_a_round(tmp_path: Path) -> None:
    other = "flow: other\nstart: again\nsteps:\n  again: {enter: other, next: back}\n  back: {return: done}\n"
    found = codes(with_main("one: {enter: other, next: people.bye}", tmp_path, other=other))
    assert "cycle-without-wait" in found


def test_a_question_that_is_skipped_listens_to_nobody(tmp_path: Path) -> None:
    steps = (
        "where: {ask: your_postcode, as: digits, length: 5, when: said.where is not known, next: look}\n"
        "look: {lookup: shops, give: {postcode: said.where}, next: people.message, otherwise: where}"
    )
    assert codes(with_main(steps, tmp_path)) == ["cycle-without-wait"]


def test_a_skipped_question_was_answered_before(tmp_path: Path) -> None:
    steps = (
        "where: {ask: your_postcode, as: digits, length: 5, when: said.where is not known, next: look}\n"
        "look: {lookup: shops, give: {postcode: said.where}, next: people.message}"
    )
    assert codes(with_main(steps, tmp_path)) == []
    unsure = steps.replace("said.where is not known", "line.open")
    assert codes(with_main(unsure, tmp_path)) == ["may-be-unset"]


def test_a_route_that_compares_a_value_proves_it_is_set(tmp_path: Path) -> None:
    prompts = 'how_many: "There are {{ found.look.count }}."\n'
    steps = (
        "look: {lookup: shops, give: {postcode: \"'48226'\"}, next: which, otherwise: which}\n"
        "which: {route: [{when: found.look.count > 3, next: tell}, {next: people.agent}]}\n"
        "tell: {say: how_many, answers: shops, next: people.bye}"
    )
    assert codes(with_main(steps, tmp_path, prompts=prompts)) == []
    assert codes(with_main(steps.replace("found.look.count > 3", "line.open"), tmp_path, prompts=prompts)) == [
        "may-be-unset"
    ]


def test_a_condition_on_a_fact_proves_the_level(tmp_path: Path) -> None:
    prompts = 'overdue: "You owe {{ account.overdue | money }}."\n'
    steps = "which: {route: [{when: account.overdue > 0, next: tell}, {next: people.agent}]}\ntell: {say: overdue, answers: bill, next: people.bye}"
    assert codes(with_main(steps, tmp_path, prompts=prompts)) == []


def test_a_care_rule_sees_everything_and_so_proves_nothing(tmp_path: Path) -> None:
    prompts = 'overdue: {text: "You owe {{ account.overdue | money }}.", neutral: true}\n'
    steps = (
        "which: {route: [{when: account.overdue > 0, purpose: care, next: tell}, {next: people.agent}]}\n"
        "tell: {say: overdue, answers: bill, next: people.bye}"
    )
    assert "above-level" in codes(with_main(steps, tmp_path, prompts=prompts))


def test_a_care_rule_must_not_give_its_reason_away(tmp_path: Path) -> None:
    steps = (
        "which: {route: [{when: caller.tags.bereavement, purpose: care, next: tell}, {next: people.agent}]}\n"
        "tell: {say: sorry, answers: help, next: people.bye}"
    )
    assert codes(with_main(steps, tmp_path)) == ["not-neutral"]
    verified = "who: {verify: identity, next: which}\n" + steps
    assert codes(with_main(verified, tmp_path)) == []


def test_handed_values_are_set_only_where_they_are_handed(tmp_path: Path) -> None:
    other = (
        "flow: other\ntakes: {topic: text}\nstart: tell\nsteps:\n  tell: {say: topic_is, answers: x, return: done}\n"
    )
    prompts = 'topic_is: "You asked about {{ given.topic }}."\n'
    steps = "one: {enter: other, give: {topic: \"'bills'\"}, next: people.bye}"
    assert codes(with_main(steps, tmp_path, other=other, prompts=prompts)) == []
    other += ""
    goes = "one: {say: welcome, next: other}"
    after = project({})["flows/lines/line.yaml"] + "after: people.bye\n"
    assert codes(with_main(goes, tmp_path, other=other, prompts=prompts, line=after)) == ["may-be-unset"]


def test_a_refused_answer_is_not_kept(tmp_path: Path) -> None:
    prompts = 'you_said: "You said {{ said.day }}."\n'
    steps = (
        "day: {ask: what_now, as: date, refuse: [{when: said.day < now.date, say: sorry}], next: tell, otherwise: tell}\n"
        "tell: {say: you_said, answers: x, next: people.bye}"
    )
    assert codes(with_main(steps, tmp_path, prompts=prompts)) == ["may-be-unset"]


def test_confirm_speaks_what_was_said(tmp_path: Path) -> None:
    prompts = 'you_said: "You said {{ said.day | day }}."\n'
    assert (
        codes(
            with_main(
                "day: {ask: what_now, as: date, confirm: you_said, next: people.message}", tmp_path, prompts=prompts
            )
        )
        == []
    )


def test_the_fields_of_a_list_are_those_that_the_source_gives(tmp_path: Path) -> None:
    prompts = 'shop: "{{ item.naem }}."\n'
    steps = (
        "look: {lookup: shops, give: {postcode: \"'48226'\"}, next: which}\n"
        "which: {pick: found.look.near, each: shop, empty: people.message, next: people.message}"
    )
    assert codes(with_main(steps, tmp_path, prompts=prompts)) == ["unknown-name"]
    assert codes(with_main(steps, tmp_path, prompts=prompts.replace("naem", "name"))) == []


def test_a_step_with_a_fault_does_not_blame_its_neighbours(tmp_path: Path) -> None:
    steps = "one: {say: welcome, nxt: two}\ntwo: {ask: anything_else, as: yes_no, next: {yes: one, no: three}}\nthree: {say: thank_yuo, next: people.bye}"
    assert codes(with_main(steps, tmp_path)) == ["unknown-word", "unknown-prompt"]


def test_a_file_that_is_no_yaml_does_not_blame_its_neighbours(tmp_path: Path) -> None:
    assert codes(with_main("one: {say: welcome, answers: x, next: [}", tmp_path)) == ["yaml-syntax"]
    broken = base()["prompts/en/main.yaml"] + 'opening: "we\n'
    assert codes(problems_of(project({"prompts/en/main.yaml": broken}), tmp_path)) == ["yaml-syntax"]


def test_skipping_a_question_with_named_outcomes_needs_a_way(tmp_path: Path) -> None:
    steps = "one: {ask: anything_else, as: yes_no, when: line.open, next: {yes: people.agent, no: people.message}}"
    assert codes(with_main(steps, tmp_path)) == ["missing-outcome"]
    named = steps.replace("no: people.message", "no: people.message, skipped: people.message")
    assert codes(with_main(named, tmp_path)) == []


def test_an_entered_flow_says_which_names_it_returns(tmp_path: Path) -> None:
    other = f"flow: other\nstart: ask\nsteps:\n  ask: {{{YES_NO}, next: {{yes: good, no: bad}}}}\n  good: {{return: fine}}\n  bad: {{return: poor}}\n"
    steps = "one: {enter: other, next: {fine: people.message, pore: people.agent}}"
    assert codes(with_main(steps, tmp_path, other=other)) == ["missing-outcome", "unknown-outcome"]
    assert codes(with_main(steps.replace("pore", "poor"), tmp_path, other=other)) == []
