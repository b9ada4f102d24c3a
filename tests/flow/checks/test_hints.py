"""Several mistakes at once, each with the hint that helps."""

from __future__ import annotations

from pathlib import Path

import pytest

from ivr.flow.checks.examples import project
from tests.flow.checks.checking import problems_of, with_main


@pytest.mark.parametrize(
    ("steps", "hint"),
    [
        ("one: {say: welcome, answers: x, next: people.byee}", "did you mean 'bye'?"),
        ("one: {say: welcome, answers: x, next: poeple}", "did you mean 'people'?"),
        ("one: {say: wellcome, answers: x, next: people.bye}", "did you mean 'welcome'?"),
        ("one: {handoff: care_taem, next: {ended: people.bye}}", "did you mean 'care_team'?"),
        ("one: {say: welcome, answers: x, when: account.outages, next: people.bye}", "did you mean 'account.outage'?"),
        (
            "one: {say: welcome, answers: x, when: callers.first_name is known, next: people.bye}",
            "did you mean 'caller'?",
        ),
        (
            "one: {ask: what_now, as: date, next: two}\ntwo: {say: welcome, when: one < now.date, next: people.message}",
            "did you mean 'said.one'?",
        ),
        (
            "one: {say: welcome, answers: x, when: first_name is known, next: people.bye}",
            "did you mean 'caller.first_name'?",
        ),
        (
            "one: {say: welcome, answers: x, when: found.near.count | lenght > 1, next: people.bye}",
            "did you mean 'length'?",
        ),
        ("one: {say: welcome, answers: x, end: resolvd}", "did you mean 'resolved'?"),
        ("one: {say: welcome, answers: x, when: line.open = 1, next: people.bye}", "write == for 'is the same as'"),
        ("one: {remember: {caller.first_nam: said.reason}, next: people.message}", "did you mean 'caller.first_name'?"),
        ("one: {lookup: shops, give: {postcod: account.number}, next: people.message}", "did you mean 'postcode'?"),
    ],
)
def test_a_slip_of_the_pen_gets_the_right_word(steps: str, hint: str, tmp_path: Path) -> None:
    assert hint in [problem.hint for problem in with_main(steps, tmp_path)]


def test_five_mistakes_are_five_problems(tmp_path: Path) -> None:
    files = {
        "flows/main.yaml": """\
flow: main
start: hello
steps:
  hello: {say: welcom, next: reason}
  reason:
    menu: what_now
    options:
      bill: {key: 1, label: your_bill, next: bil}
      move: {key: 1, label: your_move, next: bill}
  bill: {say: overdue, answers: bill, next: people.bye}
""",
        "prompts/en/more.yaml": 'overdue: "You owe {{ account.overdu | money }}."\nhelp: Press # now.\n',
    }
    found = problems_of(project(files), tmp_path)
    assert [(problem.where.file, problem.where.line, problem.code) for problem in found] == [
        ("flows/main.yaml", 4, "unknown-prompt"),
        ("flows/main.yaml", 8, "unknown-step"),
        ("flows/main.yaml", 9, "key-clash"),
        ("prompts/en/more.yaml", 1, "unknown-name"),
        ("prompts/en/more.yaml", 2, "yaml-comment"),
    ]
