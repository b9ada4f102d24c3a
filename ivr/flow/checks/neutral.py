"""A choice must not give its reason away: somebody else may be calling from this number.

Where a flow was chosen by a fact above the caller's level, everything that can be heard before `verify` is marked neutral.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from ivr.flow.bundle import Place
from ivr.flow.checks.graph import named
from ivr.flow.checks.heard import by_line, spoken_at
from ivr.flow.checks.levels import moment
from ivr.flow.checks.logic import NOTHING, implies
from ivr.flow.checks.project import Project, Report
from ivr.flow.checks.states import VERIFIED, State, entry_level, level_of, solve, solve_from
from ivr.flow.checks.ways import ways
from ivr.flow.expressions import Expression
from ivr.flow.model import Line, Route
from ivr.flow.prompts import Prompt
from ivr.source import Path, Source

MOST = 5
"""With more prompts than this it is the way that is wrong, not the prompts."""


class Secret(NamedTuple):
    """A choice by a fact above the caller's level: where it is written, why it was made, and where the call goes on.

    `spared`: whoever it was made for is not asked the line's survey.
    """

    source: Source
    at: Path
    because: str
    start: Place
    state: State
    spared: bool


def check(project: Project, report: Report) -> None:
    """Every such choice."""
    seen: set[tuple[str, str]] = set()
    for source, line in project.lines.values():
        for secret in _secrets(project, source, line):
            heard = _not_neutral(project, line, secret)
            if len({prompt.name for _, prompt, _ in heard}) > MOST:
                asked = not secret.spared and not _not_neutral(project, line, secret._replace(spared=True))
                _too_far(report, secret, heard, SPARE if asked else SOONER)
                continue
            for prompt_source, prompt, place in heard:
                if (prompt_source.file, prompt.name) not in seen:
                    seen.add((prompt_source.file, prompt.name))
                    _one(project, report, secret, prompt_source, prompt, place)


def _secrets(project: Project, source: Source, line: Line) -> Iterator[Secret]:
    for index, rule in enumerate(line.choose):
        level, place = entry_level(rule), project.meant(None, rule.flow)
        if rule.when is None or place is None:
            continue
        if any(level_of(project, name) > level for name in rule.when.names):
            because = f"that they got '{rule.flow}' ({rule.because})"
            spared = _spared(line, rule.when)
            yield Secret(source, ("choose", index, "flow"), because, place, State(level, NOTHING), spared)
    for place, state in solve(project, line).items():
        step = project.step(place)
        if not isinstance(step, Route):
            continue
        leads = (way for way in ways(project, place) if way.why == "rule")
        for index, (branch, way) in enumerate(zip(step.route, leads, strict=False)):
            if branch.purpose != "care" or branch.when is None or way.to is None:
                continue
            if any(level_of(project, name) > state.level for name in branch.when.names):
                at: Path = ("steps", place[1], "route", index, "next")
                because = f"what '{named(place)}' knows of them"
                spared = _spared(line, branch.when)
                yield Secret(project.flows[place[0]][0], at, because, way.to, state, spared)


def _spared(line: Line, when: Expression) -> bool:
    """Whether everybody for whom `when` holds is spared the survey, by a condition that sees as much."""
    survey = line.survey
    if survey is None or survey.unless is None or survey.purpose != "care":
        return False
    return implies(when.tree, survey.unless.tree)


def _not_neutral(project: Project, line: Line, secret: Secret) -> list[tuple[Source, Prompt, Place]]:
    """Prompts that are not neutral and may be heard before `verify`, each with a step where."""
    found: dict[tuple[str, str], tuple[Source, Prompt, Place]] = {}
    states = solve_from(project, line, (secret.start, secret.state), spared=secret.spared)
    for place, state in states.items():
        if state.level >= VERIFIED:
            continue
        for spoken in (*spoken_at(project, place), *by_line(project, line, place)):
            for source, prompt in project.spoken_in(spoken.name) if spoken.to != "agent" else ():
                if not prompt.neutral and moment(project, state, spoken, prompt).level < VERIFIED:
                    found.setdefault((prompt.language, prompt.name), (source, prompt, place))
    return list(found.values())


def _one(project: Project, report: Report, secret: Secret, source: Source, prompt: Prompt, place: Place) -> None:
    because = f"could give away {secret.because}"
    message = f"'{prompt.name}' is heard before 'verify' at '{named(place)}' by whoever calls, and {because}"
    if prompt.builtin:
        hint = f"write '{prompt.name}' in prompts/ with 'neutral: true'"
        report.add(project.flows[place[0]][0], ("steps", place[1]), "not-neutral", message, hint, key=True)
    else:
        hint = "say nothing here that others would not hear, and mark it 'neutral: true'"
        report.add(source, (prompt.name,), "not-neutral", message, hint, key=True)


def _too_far(report: Report, secret: Secret, heard: list[tuple[Source, Prompt, Place]], hint: str) -> None:
    names = {prompt.name: place for _, prompt, place in heard}
    shown = ", ".join(f"'{name}' at '{named(place)}'" for name, place in list(names.items())[:3])
    message = f"from here {len(names)} prompts that are not neutral can be heard before 'verify', such as {shown}; {WHY} {secret.because}"
    report.add(secret.source, secret.at, "not-neutral", message, hint)


WHY = "they could give away"
SOONER = "lead to people or to 'verify' first; at a question 'as: words' nobody can bring up another subject"
SPARE = "spare these callers the survey: write the same condition in its 'unless:', with 'purpose: care'"
