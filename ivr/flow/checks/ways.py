"""Every way a call can go on from a step, as the engine would go: the graph that the checks walk."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Literal

from ivr.flow.bundle import Place
from ivr.flow.checks.logic import NOTHING, Name, known_if_holds, known_if_passed_over, level_if_holds, needed
from ivr.flow.checks.project import RESUME, Project, mentioned
from ivr.flow.expressions import Expression
from ivr.flow.model import (
    Ask,
    Callback,
    Do,
    Enter,
    Flow,
    Handoff,
    Lookup,
    Menu,
    Option,
    Pick,
    Route,
    Step,
    Verify,
    Voicemail,
)
from ivr.source import Path

How = Literal["go", "enter", "return", "end", "resume", "rescue"]
Why = Literal["works", "fails", "skipped", "option", "rule", "otherwise", "command", "subject", "survey"]


@dataclass(frozen=True, slots=True)
class Way:
    """One way on. `name` is the outcome, the name returned or the call's outcome; `waits`: only after the caller did something.

    What holds on this way: `known` values and facts, `sets` and `unsets` of `said` and `found`, the least `level`.
    """

    how: How
    why: Why
    name: str = ""
    to: Place | None = None
    at: Path = ()
    waits: bool = False
    known: frozenset[Name] = NOTHING
    sets: frozenset[Name] = NOTHING
    unsets: frozenset[Name] = NOTHING
    level: str | None = None
    care: bool = False
    give: Mapping[str, Expression] | None = None


def successes(project: Project, place: Place, step: Step) -> tuple[str, ...]:
    """Outcomes of a step that worked."""
    match step:
        case Ask() if step.kind == "yes_no":
            return ("yes", "no")
        case Verify():
            return ("verified",)
        case Handoff():
            target = project.part.targets.get(step.handoff)
            books = target is not None and target.waiting is not None and target.waiting.callback is not None
            return ("ended", "callback_booked") if books else ("ended",)
        case Callback():
            return ("booked",)
        case Menu() | Route() | Enter():
            return ()
        case _:
            return ("done",)


def failures(project: Project, step: Step) -> tuple[str, ...]:
    """Outcomes of a step that did not work, those that every step has left out."""
    match step:
        case Route() if any(rule.when is None for rule in step.route):
            return ()
        case Handoff():
            target = project.part.targets.get(step.handoff)
            closes = ("closed",) if target is None or target.hours is not None else ()
            waits = ("waited_too_long",) if target is not None and target.waiting is not None else ()
            return ("unanswered", "busy", *waits, *closes)
        case Do() if not step.give:
            return ()
        case Pick():
            return ("empty", *step.failures)
    return step.failures


def ways(project: Project, place: Place) -> tuple[Way, ...]:
    """Every way on from `place` but commands, changes of subject and the survey, which belong to a line."""
    return project.once(("ways", place), lambda: tuple(_ways(project, place)))


def _ways(project: Project, place: Place) -> Iterator[Way]:
    step = project.step(place)
    if step is None:
        yield from _perhaps(project, place)
        return
    sets = _sets(place, step)
    if step.when is not None:
        passed = known_if_passed_over(step.when.tree)
        for way in after(project, place, "skipped", why="skipped"):
            yield replace(way, known=passed)
    holds = known_if_holds(step.when.tree) if step.when else NOTHING
    level = level_if_holds(step.when)
    for way in _when_visited(project, place, step, sets):
        yield replace(way, known=way.known | holds, level=way.level or level)


def _perhaps(project: Project, place: Place) -> Iterator[Way]:
    """A step that could not be read may do anything it mentions; it is given the benefit of the doubt."""
    data = project.opaque_steps.get(place[0], {}).get(place[1])
    words = data if isinstance(data, dict) else {}
    kept = str(words.get("save_as", place[1]))
    level = "verified" if "verify" in words else None
    for target in mentioned(project, place):
        sets = frozenset({("said", kept), ("found", kept), ("said", "reason")})
        yield Way("go", "works", "", target, waits=True, sets=sets, level=level)
    if isinstance(words.get("return"), str):
        yield Way("return", "works", words["return"], level=level)


def _when_visited(project: Project, place: Place, step: Step, sets: frozenset[Name]) -> Iterator[Way]:
    waits = isinstance(step, (Menu, Ask, Pick, Voicemail, Handoff))
    given = needs(step)
    for name in successes(project, place, step):
        for way in after(project, place, name):
            level = "verified" if isinstance(step, Verify) else None
            yield replace(way, waits=waits, sets=sets, known=given, level=level)
    refused = sets if isinstance(step, Ask) and step.refuse else NOTHING
    for name in failures(project, step):
        for way in after(project, place, name, failed=True):
            yield replace(way, waits=waits and name not in ("empty", "closed"), unsets=refused)
    if step.listens or isinstance(step, Lookup):
        for way in after(project, place, "too_often", failed=True):
            yield replace(way, waits=True, unsets=refused)
    if isinstance(step, Route):
        yield from _rules(project, place, step)
    if isinstance(step, Enter):
        yield _leads(project, place, "enter", step.enter, ("enter",), "works", give=step.give)
    for name, option, path in options(project, place):
        chosen = sets if isinstance(step, Menu) and name in step.options else NOTHING
        for way in option_ways(project, place, name, option, path):
            yield replace(way, waits=True, sets=chosen, unsets=refused)


def needs(step: Step) -> frozenset[Name]:
    """Names without which the step fails: what it hands over, and the number to call."""
    values: list[Expression] = []
    if isinstance(step, (Lookup, Do)):
        values = list(step.give.values())
    elif isinstance(step, Callback) and step.number is not None:
        values = [step.number]
    return frozenset(name for value in values for name in needed(value.tree))


def _sets(place: Place, step: Step) -> frozenset[Name]:
    match step:
        case Menu():
            return frozenset({("said", step.save_as)})
        case Ask() | Pick():
            return frozenset({("said", step.save_as or place[1])})
        case Lookup():
            return frozenset({("found", step.save_as or place[1])})
    return NOTHING


def _rules(project: Project, place: Place, step: Route) -> Iterator[Way]:
    passed: frozenset[Name] = NOTHING
    for index, rule in enumerate(step.route):
        path: Path = ("route", index, "next")
        way = _leads(project, place, "go", rule.next, path, "rule")
        care = rule.purpose == "care"
        holds = known_if_holds(rule.when.tree) if rule.when else NOTHING
        yield replace(way, known=passed | holds, level=level_if_holds(rule.when), care=care)
        if rule.when is None:
            return
        passed = passed | known_if_passed_over(rule.when.tree)


def options(project: Project, place: Place) -> list[tuple[str, Option, Path]]:
    """Options open at `place`: the step's, then those of its flow that it does not replace. The path is in the flow's file."""
    step = project.step(place)
    if not isinstance(step, (Menu, Ask, Pick)):
        return []
    found: list[tuple[str, Option, Path]] = [
        (name, option, ("steps", place[1], "options", name)) for name, option in step.options.items()
    ]
    flow = project.flows[place[0]][1]
    return found + [
        (name, option, ("options", name)) for name, option in flow.options.items() if name not in step.options
    ]


def option_ways(project: Project, place: Place, name: str, option: Option, path: Path) -> Iterator[Way]:
    """Where an option leads. Its path is taken from the step's, so `at` holds it whole, after a mark."""
    known = known_if_holds(option.when.tree) if option.when else NOTHING
    mark: Path = ("", *path)
    if option.enter is not None:
        way = _leads(project, place, "enter", option.enter, (*mark, "enter"), "option", give=option.give)
    elif option.next is not None:
        way = _leads(project, place, "go", option.next, (*mark, "next"), "option")
    elif option.returns is not None:
        way = Way("return", "option", option.returns, at=(*mark, "return"))
    else:
        way = Way("end", "option", option.end or "", at=(*mark, "end"))
    yield replace(way, known=known, level=level_if_holds(option.when))


def after(project: Project, place: Place, name: str, *, failed: bool = False, why: Why | None = None) -> Iterator[Way]:
    """Where an outcome of the step at `place` leads: what `next` names, else its plain next, else `otherwise`."""
    step = project.step(place)
    if step is None:
        return
    if isinstance(step.next, dict) and name in step.next:
        yield _leads(
            project, place, "go", step.next[name], ("next", name), why or ("fails" if failed else "works"), name
        )
        return
    empty = getattr(step, "empty", None) if name == "empty" else None
    if empty is not None:
        yield _leads(project, place, "go", empty, ("empty",), "works", name)
        return
    if not failed:
        onward = plainly(project, place, step, why or "works")
        if onward is not None:
            yield onward
            return
    yield otherwise(project, place, step, name)


def plainly(project: Project, place: Place, step: Step, why: Why = "works") -> Way | None:
    """A `next:` of one word, a `return:` or an `end:`."""
    if isinstance(step.next, str):
        return _leads(project, place, "go", step.next, ("next",), why)
    if step.returns is not None:
        return Way("return", why, step.returns, at=("return",))
    if step.end is not None:
        return Way("end", why, step.end, at=("end",))
    return None


def otherwise(project: Project, place: Place, step: Step, name: str) -> Way:
    """The step's `otherwise`, else the flow's, else the line's."""
    flow: Flow = project.flows[place[0]][1]
    if step.otherwise is not None:
        return _leads(project, place, "go", step.otherwise, ("otherwise",), "otherwise", name)
    if flow.otherwise is not None:
        return _leads(project, place, "go", flow.otherwise, ("", "otherwise"), "otherwise", name)
    return Way("rescue", "otherwise", name)


def _leads(
    project: Project,
    place: Place,
    how: How,
    name: str,
    at: Path,
    why: Why,
    outcome: str = "",
    give: Mapping[str, Expression] | None = None,
) -> Way:
    if name == RESUME and how == "go":
        return Way("resume", why, outcome, at=at)
    return Way(how, why, outcome, project.meant(place[0], name), at, give=give)


def path_of(place: Place, way: Way) -> Path:
    """Where a way is written, in the file of its flow."""
    return way.at[1:] if way.at[:1] == ("",) else ("steps", place[1], *way.at)
