"""Every check of a project's lines, flows and prompts: all problems at once, each with its place, a code and a hint."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

from ivr.config import DesignersPart
from ivr.flow import spoken
from ivr.flow.bundle import Parsed, nothing_at_all
from ivr.flow.checks import (
    answers,
    experience,
    gives,
    graph,
    keys,
    kinds,
    known_names,
    levels,
    lines,
    names,
    neutral,
    outcomes,
    rounds,
    surveys,
    targets,
    values,
    words,
)
from ivr.flow.checks.catalogue import CATALOGUE, Code, level_of
from ivr.flow.checks.project import Project, Report, gather
from ivr.flow.expressions import condition_filters
from ivr.problems import Problem, Where, did_you_mean, ordered
from ivr.source import Source

__all__ = ["CATALOGUE", "Code", "check"]

FAMILIES: tuple[Callable[[Project, Report], None], ...] = (
    names.check,
    known_names.check,
    outcomes.check,
    graph.check,
    rounds.check,
    answers.check,
    lines.check,
    targets.check,
    surveys.check,
    keys.check,
    words.check,
    kinds.check,
    gives.check,
    levels.check,
    neutral.check,
    values.check,
    experience.check,
)


def check(
    parsed: Parsed, config_source: Source | None, part: DesignersPart, files: Mapping[str, str | bytes]
) -> tuple[Problem, ...]:
    """Every problem of a project: those of its shape, which `parsed` holds, and all that is wrong between its parts.

    `files` holds every file by its path, recordings too (their content does not matter). Never raises.
    """
    problems = [_plainer(problem) for problem in parsed.problems]
    report = Report(level_of)
    try:
        project = gather(parsed, config_source, part, files)
    except Exception as error:
        return ordered([*problems, _failed("reading", error)])
    if not (project.lines or project.unread) or not (project.flows or project.unread):
        problems += _nothing(parsed, project)
    for family in FAMILIES:
        try:
            family(project, report)
        except Exception as error:
            problems.append(_failed(family.__module__.rpartition(".")[2], error))
    return ordered([*problems, *(_plainer(problem) for problem in report.problems)])


def _nothing(parsed: Parsed, project: Project) -> Iterable[Problem]:
    kept = {"no-line": project.lines, "no-flow": project.flows or project.opaque_flows}
    return (problem for problem in nothing_at_all(parsed) if not kept[problem.code])


def _failed(what: str, error: Exception) -> Problem:
    message = f"the check of '{what}' could not be finished ({type(error).__name__}: {error})"
    return Problem(
        Where("flows", 1, 1), "check-failed", "warning", message, "the other checks were; please report this"
    )


_FILTER = re.compile(r"unknown filter '(\w+)'$")


def _plainer(problem: Problem) -> Problem:
    """What a condition's parser says, in words for somebody who never programmed, with the hint it could not give."""
    if problem.code not in ("condition", "wording"):
        return problem
    found = _FILTER.match(problem.message)
    if found is not None:
        known = [*condition_filters(), *(spoken.FILTERS if problem.code == "wording" else ())]
        hint = did_you_mean(found[1], known)
        return replace(problem, code="unknown-filter", message=f"there is no filter '{found[1]}'", hint=hint)
    if "got '='" in problem.message:
        return replace(problem, message="a single = compares nothing", hint="write == for 'is the same as'")
    return problem
