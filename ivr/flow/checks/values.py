"""Values that may not have been set: what a caller was not asked, or a lookup did not find, on some path to here."""

from __future__ import annotations

from ivr.flow.bundle import Place
from ivr.flow.checks.graph import named
from ivr.flow.checks.heard import Spoken, spoken_at
from ivr.flow.checks.levels import moment, unfit
from ivr.flow.checks.logic import NOTHING, Name, known_if_holds, needed
from ivr.flow.checks.project import Project, Report
from ivr.flow.checks.states import VALUES, State, level_of, reached, refine
from ivr.flow.checks.words import at as word_at
from ivr.flow.expressions import Expression
from ivr.flow.model import Callback, Do, Lookup, Pick, Step
from ivr.source import Path

HOW_FAR = {1: "of recognised callers", 2: "of verified callers"}
HOW = {"said": "was not asked for", "found": "was not looked up", "given": "was not handed over"}


def check(project: Project, report: Report) -> None:
    """Values spoken, and values used to look something up or to do something."""
    seen: set[tuple[str, str, str]] = set()
    for _, place, state in reached(project):
        for spoken in spoken_at(project, place):
            _spoken(project, report, place, state, spoken, seen)
        step = project.step(place)
        if step is not None:
            _given(project, report, place, state, step, seen)


def _spoken(
    project: Project, report: Report, place: Place, state: State, spoken: Spoken, seen: set[tuple[str, str, str]]
) -> None:
    for source, prompt in project.spoken_in(spoken.name):
        for word, name in unfit(project, prompt, moment(project, state, spoken, prompt), above=False):
            key = (source.file, f"{prompt.name}.{word}", ".".join(name))
            if key not in seen:
                seen.add(key)
                message = f"on some way to '{named(place)}' '{'.'.join(name[:2])}' {HOW[name[0]]}, and then this cannot be spoken"
                hint = (
                    "'without:' must do without it too"
                    if word == "without"
                    else "add 'without:', or ask for it on every way here"
                )
                report.add(source, word_at(source, prompt.name, word), "may-be-unset", message, hint)


def _given(
    project: Project, report: Report, place: Place, state: State, step: Step, seen: set[tuple[str, str, str]]
) -> None:
    handled = step.otherwise is not None or isinstance(step.next, dict) and "failed" in step.next
    state = refine(project, state, known_if_holds(step.when.tree) if step.when else NOTHING)
    path: Path = ("steps", place[1])
    values: dict[Path, Expression] = {}
    if isinstance(step, (Lookup, Do)) and not handled:
        values = {(*path, "give", name): value for name, value in step.give.items()}
    if isinstance(step, Callback) and step.number is not None and not handled:
        values = {(*path, "number"): step.number}
    if isinstance(step, Pick) and step.empty is None and not handled:
        values = {(*path, "pick"): step.pick}
    for at, value in values.items():
        for name in sorted(needed(value.tree)):
            key = (place[0], ".".join(map(str, at)), ".".join(name))
            if level_of(project, name) > state.level and key not in seen:
                seen.add(key)
                speak = HOW_FAR[level_of(project, name)]
                message = f"'{'.'.join(name)}' is known only {speak}, and on some way here the caller is not; then this step fails"
                hint = "'verify' first, or say with 'otherwise:' where the call goes then"
                report.add(project.flows[place[0]][0], at, "above-level", message, hint)
        for name in sorted(_unset(value, state)):
            key = (place[0], ".".join(map(str, at)), ".".join(name))
            if key not in seen:
                seen.add(key)
                message = (
                    f"on some way to '{named(place)}' '{'.'.join(name[:2])}' {HOW[name[0]]}, and then this step fails"
                )
                hint = "ask for it on every way here, or say with 'otherwise:' where the call goes then"
                report.add(project.flows[place[0]][0], at, "may-be-unset", message, hint)


def _unset(value: Expression, state: State) -> frozenset[Name]:
    return frozenset(name for name in needed(value.tree) if name[0] in VALUES and name[:2] not in state.known)
