"""Every code has a bad example that yields it and a good one that yields nothing."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from ivr.flow.checks import CATALOGUE
from ivr.flow.checks.catalogue import UNPROVOKED
from ivr.flow.checks.docs import explain, reference
from ivr.flow.checks.examples import base, load_examples, project
from tests.flow.checks.checking import problems_of

CODES = sorted(set(CATALOGUE) - set(UNPROVOKED))


def test_the_base_has_no_problem(tmp_path: Path) -> None:
    assert problems_of(base(), tmp_path) == []


def test_every_example_belongs_to_a_code() -> None:
    assert sorted(load_examples()) == CODES


@pytest.mark.parametrize("code", CODES)
def test_the_bad_example_has_it(code: str, tmp_path: Path) -> None:
    example = load_examples()[code]
    found = [problem for problem in problems_of(project(example.bad), tmp_path) if problem.code == code]
    assert found, code
    for problem in found:
        text = example.bad.get(problem.where.file, base().get(problem.where.file, ""))
        assert 1 <= problem.where.line <= len(text.splitlines()) + 1
        assert problem.level == CATALOGUE[code].level
        assert problem.message
        assert problem.where.file in {**base(), **example.bad} or problem.where.file in ("flows/", "flows/lines")


@pytest.mark.parametrize("code", CODES)
def test_the_good_example_has_nothing(code: str, tmp_path: Path) -> None:
    assert problems_of(project(load_examples()[code].good), tmp_path) == []


@pytest.mark.parametrize("code", CODES)
def test_every_code_is_explained(code: str) -> None:
    assert CATALOGUE[code].title and len(CATALOGUE[code].explanation) > 20
    assert f"### {code}" in reference()
    assert "Not like this" in explain(code) and "But like this" in explain(code)


def test_a_code_that_does_not_exist_has_a_hint() -> None:
    assert "did you mean 'unknown-step'" in explain("unknown-stepp")


def test_every_code_in_the_sources_is_in_the_catalogue() -> None:
    root = Path(__file__).parents[3] / "ivr"
    files = [*root.glob("*.py"), *(root / "flow").rglob("*.py")]
    pattern = r"(?:\.problem\([^\n]*?,|\.add\(\s*[^\n]*?,|_report\([^\n]*?,|Problem\([^\n]*?,|code =|return)\s*\"([a-z]+(?:-[a-z]+)+)\""
    named = {code for file in files for code in re.findall(pattern, file.read_text("utf-8"))}
    assert named and named <= set(CATALOGUE), sorted(named - set(CATALOGUE))
