"""Whatever is done to a project, its checks answer with problems: never with an exception, never with a check given up."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ivr.config import DesignersPart
from ivr.flow.bundle import builtin_files, parse
from ivr.flow.checks import check
from ivr.flow.checks.examples import base, load_examples, project
from tests.flow.checks.checking import problems_of


def _mutations(files: Mapping[str, str]) -> Iterator[dict[str, str]]:
    for path, text in files.items():
        lines = text.splitlines(keepends=True)
        for index, line in enumerate(lines):
            for instead in (
                "",
                "\n",
                line + line,
                line.replace(":", ""),
                line.replace("{", "", 1),
                f"  {line}",
                line[::-1],
                line[: len(line) // 2],
            ):
                yield {**files, path: "".join([*lines[:index], instead, *lines[index + 1 :]])}


def _answers(files: Mapping[str, str], folder: Path) -> None:
    given_up = [problem for problem in problems_of(files, folder) if problem.code == "check-failed"]
    assert not given_up, (given_up, files)


def test_every_line_of_the_base_may_be_lost_or_garbled(tmp_path: Path) -> None:
    for files in _mutations(base()):
        _answers(files, tmp_path)


@pytest.mark.parametrize("code", sorted(load_examples()))
def test_words_of_every_example_may_be_swapped(code: str, tmp_path: Path) -> None:
    chance = random.Random(code)
    files = project({**load_examples()[code].good, **load_examples()[code].bad})
    for _ in range(6):
        path = chance.choice(sorted(files))
        words = files[path].split(" ")
        one, other = chance.randrange(len(words)), chance.randrange(len(words))
        words[one], words[other] = words[other], words[one]
        _answers({**files, path: " ".join(words)}, tmp_path)


WORDS = st.sampled_from(
    [word for text in base().values() for word in text.replace("{", " { ").replace("}", " } ").split()]
    + [
        "next:",
        "enter:",
        "return:",
        "menu:",
        "ask:",
        "options:",
        "when:",
        "said.x",
        "\n",
        "\n  ",
        "\n    ",
        "- ",
        "[",
        "]",
        "#",
        "?",
        "~",
    ]
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(WORDS, max_size=40), st.sampled_from(sorted(base())))
def test_any_words_in_any_file(words: list[str], path: str) -> None:
    files = {name: text for name, text in base().items() if name != "config.yaml"}
    files[path] = " ".join(words)
    found = check(parse({**builtin_files(), **files}), None, DesignersPart(), files)
    assert not [problem for problem in found if problem.code == "check-failed"]


@settings(max_examples=40, deadline=None)
@given(st.binary(max_size=60))
def test_any_bytes_in_a_flow(content: bytes) -> None:
    files: dict[str, str | bytes] = {**base(), "flows/main.yaml": content}
    found = check(parse({**builtin_files(), **files}), None, DesignersPart(), files)
    assert not [problem for problem in found if problem.code == "check-failed"]
