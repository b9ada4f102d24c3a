"""Every prompt that may be spoken at a step, where its name is written, and what is known when it is spoken."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from ivr.flow.bundle import Place
from ivr.flow.checks.anywhere import listens
from ivr.flow.checks.logic import NOTHING, Name, known_if_holds, needed
from ivr.flow.checks.project import Project
from ivr.flow.checks.ways import needs, options
from ivr.flow.expressions import Expression
from ivr.flow.model import Ask, Callback, Case, Do, Handoff, Line, Lookup, Menu, Notify, Pick, Step, Verify
from ivr.source import Path


class Spoken(NamedTuple):
    """A prompt at a step. `at`: its name's place in the flow's file, None where the engine speaks it of itself.

    `known`: what must be known for it to be spoken at all; `sets`: values that are set by then; `to`: caller, agent or label.
    """

    name: str
    at: Path | None
    known: frozenset[Name] = NOTHING
    sets: frozenset[Name] = NOTHING
    to: str = "caller"


def spoken_at(project: Project, place: Place) -> tuple[Spoken, ...]:
    """Every prompt at `place`."""
    return project.once(("spoken", place), lambda: tuple(_spoken(project, place)))


def _spoken(project: Project, place: Place) -> Iterator[Spoken]:
    step = project.step(place)
    if step is None:
        return
    at: Path = ("steps", place[1])
    holds = _holds(step.when)
    given = needs(step) if isinstance(step, (Do, Callback)) else NOTHING
    for index, name in enumerate(step.say_also):
        yield Spoken(name, (*at, "say", index), holds | given)
    for said in _asked(project, place, step, at):
        yield said._replace(known=said.known | holds)


def _asked(project: Project, place: Place, step: Step, at: Path) -> Iterator[Spoken]:
    kept = frozenset({("said", getattr(step, "save_as", None) or place[1])})
    match step:
        case Menu():
            yield Spoken(step.menu, (*at, "menu"))
            yield from _options(project, place, step)
        case Ask():
            yield Spoken(step.ask, (*at, "ask"))
            if step.kind == "yes_no" or step.confirm:
                yield Spoken("ask.yes_no", None)
            if step.confirm:
                yield Spoken(step.confirm, (*at, "confirm"), sets=kept)
            for index, refusal in enumerate(step.refuse):
                yield Spoken(refusal.say, (*at, "refuse", index, "say"), _holds(refusal.when) - kept)
        case Pick():
            yield Spoken(step.each, (*at, "each"), needed(step.pick.tree))
            for word in ("choose", "next") if step.one_by_one else ("option",):
                yield Spoken(f"pick.{word}", None)
        case Lookup():
            yield Spoken("line.one_moment", None)
            yield Spoken("line.still_looking", None)
        case Verify():
            entry = project.part.verify.get(step.verify)
            for question in entry.questions if entry else ():
                yield Spoken(question.ask, None)
            yield Spoken("verify.again", None)
        case Handoff():
            yield from _with_people(project, step)
        case Case() if step.summary:
            yield Spoken(step.summary, (*at, "summary"), to="agent")
        case Notify():
            yield Spoken(step.notify, (*at, "notify"))
    for which in ("no_input", "no_match"):
        prompts = getattr(step, which, None)
        for index, name in enumerate(prompts if isinstance(prompts, tuple) else ()):
            yield Spoken(name, (*at, which, index))


def _with_people(project: Project, step: Handoff) -> Iterator[Spoken]:
    """What the agent hears, and whatever the caller may while they wait."""
    target = project.part.targets.get(step.handoff)
    if target and target.whisper:
        yield Spoken(target.whisper, None, to="agent")
    if target and target.waiting:
        engine = (name for name in project.prompt_names() if name.startswith("wait."))
        for name in sorted({*target.waiting.say, *engine}):
            yield Spoken(name, None)


def _options(project: Project, place: Place, step: Menu) -> Iterator[Spoken]:
    for name, option in step.options.items():
        if option.label is not None:
            yield Spoken(option.label, ("steps", place[1], "options", name, "label"), _holds(option.when), to="label")
    if any(option.all_keys and option.label for option in step.options.values()):
        yield Spoken("menu.option", None)
    if step.speak_at_most is not None and len(step.options) > step.speak_at_most:
        yield Spoken("menu.more", None)
    if step.guess_first is not None:
        yield Spoken("menu.guess", None)


def by_line(project: Project, line: Line, place: Place) -> Iterator[Spoken]:
    """What the line itself has spoken at a question: its re-prompts, and words that the engine needs there."""
    step = project.step(place)
    if step is None or not step.listens or isinstance(step, Handoff):
        return
    for which in ("no_input", "no_match"):
        own = getattr(step, which, None)
        if own is not None:
            continue
        allowed = getattr(line, which)
        known = project.prompt_names()
        names = allowed if isinstance(allowed, tuple) else tuple(f"line.{which}_{n + 1}" for n in range(allowed))
        for name in names:
            yield Spoken(name if name in known or isinstance(allowed, tuple) else f"line.{which}_1", None)
    if options(project, place):
        yield Spoken("line.not_available", None)
    if listens(project, place):
        yield Spoken("line.where_were_we", None)


def labels(project: Project) -> Iterator[tuple[str, Place]]:
    """Every prompt that names an option, and where."""
    for place, _, _ in project.places():
        for _, option, _ in options(project, place):
            if option.label is not None:
                yield option.label, place


def _holds(condition: Expression | None) -> frozenset[Name]:
    return known_if_holds(condition.tree) if condition is not None else NOTHING
