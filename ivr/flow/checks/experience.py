"""How it feels to call: too many options, too deep, too long before the first choice, and no person in sight. All warnings."""

from __future__ import annotations

from collections import deque

from ivr.flow import spoken as speech
from ivr.flow.bundle import Place
from ivr.flow.checks.anywhere import line_ways
from ivr.flow.checks.frames import frames
from ivr.flow.checks.keys import to_people
from ivr.flow.checks.project import Project, Report
from ivr.flow.checks.ways import after, ways
from ivr.flow.model import Ask, Handoff, Line, Menu, Pick, Step, Verify
from ivr.flow.prompts import Prompt
from ivr.source import Path, Source

SAMPLE = "thirty five"
"""Stands for a value in the estimate: about as long as most."""


def check(project: Project, report: Report) -> None:
    """Menus, depth, seconds and people."""
    limit = project.part.limits.spoken_options
    for place, source, step in project.places():
        if isinstance(step, Menu):
            named = sum(option.label is not None for option in step.options.values())
            now = min(named, step.speak_at_most or named)
            if now > limit:
                hint = f"set 'speak_at_most: {limit}', or split the menu"
                message = f"this menu speaks {now} options; people remember about {limit}"
                report.add(source, ("steps", place[1], "options"), "too-many-options", message, hint, key=True)
    depth = menus_before(project)
    for place, source, step in project.places():
        if isinstance(step, Menu) and depth.get(place, 0) >= project.part.limits.menu_depth:
            message = f"this is menu number {depth[place] + 1} for whoever gets here"
            report.add(
                source,
                ("steps", place[1]),
                "menu-too-deep",
                message,
                "offer it earlier, or ask in one menu what two ask now",
                key=True,
            )
    for source, line in project.lines.values():
        _seconds(project, report, source, line)
        _person(project, report, source, line)


def starts(project: Project, line: Line) -> list[tuple[Path, Place]]:
    """Every flow that a call can begin with, and where that is written."""
    found: list[tuple[Path, str]] = [(("choose", index, "flow"), rule.flow) for index, rule in enumerate(line.choose)]
    if line.control_group is not None:
        found.append((("control_group", "flow"), line.control_group.flow))
    return [(path, place) for path, flow in found if flow in project.flows and (place := project.meant(None, flow))]


def menus_before(project: Project, start: list[Place] | None = None) -> dict[Place, int]:
    """Place → the fewest menus a caller goes through before it."""
    made = frames(project)
    begin = (
        start
        if start is not None
        else [place for _, line in project.lines.values() for _, place in starts(project, line)]
    )
    found: dict[Place, int] = {}
    queue: deque[tuple[Place, int]] = deque((place, 0) for place in begin)
    while queue:
        place, menus = queue.popleft()
        if found.get(place, 1_000_000) <= menus:
            continue
        found[place] = menus
        step = project.step(place)
        inside = menus + isinstance(step, Menu)
        for way in ways(project, place):
            if way.to is not None:
                counted = inside if way.why != "skipped" else menus
                queue.appendleft((way.to, counted)) if counted == menus else queue.append((way.to, counted))
            if way.how == "enter" and way.to is not None:
                made.ask(way.to)
                backs = [back.to for name in made.names(way.to) for back in after(project, place, name)]
                queue.extend((back, inside) for back in backs if back is not None)
    return found


# — seconds —


def _seconds(project: Project, report: Report, source: Source, line: Line) -> None:
    limit = project.part.limits.seconds_to_first_choice
    for path, place in starts(project, line):
        seconds = max((first_choice(project, place, language) for language in line.languages), default=0.0)
        if seconds > limit:
            message = f"about {seconds:.1f} s of speech before the first choice in '{place[0]}'; the limit is {limit:g}"
            report.add(
                source, path, "slow-first-choice", message, "shorten what comes first, or move it behind the choice"
            )


def first_choice(project: Project, start: Place, language: str) -> float:
    """Estimated seconds from the start until a caller can have chosen, on the slowest way that asks nothing before."""
    return _until(project, start, language, frozenset())


def _until(project: Project, place: Place, language: str, seen: frozenset[Place]) -> float:
    step = project.step(place)
    if step is None or place in seen:
        return 0.0
    seconds = sum_of(project, step.say_also, language)
    if isinstance(step, (Menu, Ask, Pick, Verify)):
        asked = seconds + _question(project, step, language)
        skipped = [way.to for way in ways(project, place) if way.why == "skipped" and way.to]
        return max([asked, *(_until(project, to, language, seen | {place}) for to in skipped)])
    if step.listens:
        return 0.0
    onward = [
        _until(project, way.to, language, seen | {place})
        for way in ways(project, place)
        if way.to and way.why != "otherwise"
    ]
    longest = max(onward, default=0.0)
    return seconds + longest if longest else 0.0


def sum_of(project: Project, names: tuple[str, ...], language: str) -> float:
    """Seconds of several prompts. Of those that are only spoken sometimes, the longest."""
    found = [prompt for name in names if (prompt := _prompt(project, name, language)) is not None]
    always = sum(length(prompt) for prompt in found if prompt.when is None)
    return always + max((length(prompt) for prompt in found if prompt.when is not None), default=0.0)


def _question(project: Project, step: Step, language: str) -> float:
    match step:
        case Menu():
            return length(_prompt(project, step.menu, language)) + _first_option(project, step, language)
        case Ask():
            return length(_prompt(project, step.ask, language))
        case Pick():
            return length(_prompt(project, step.each, language)) + length(_prompt(project, "pick.option", language))
        case Verify():
            entry = project.part.verify.get(step.verify)
            return length(_prompt(project, entry.questions[0].ask, language)) if entry and entry.questions else 0.0
    return 0.0


def _first_option(project: Project, step: Menu, language: str) -> float:
    name = next((option.label for option in step.options.values() if option.label), None)
    label, frame = _prompt(project, name or "", language), _prompt(project, "menu.option", language)
    text, around = label and label.wordings.get("text"), frame and frame.wordings.get("text")
    if not text or not around:
        return length(label)
    words = "".join(part if isinstance(part, str) else " " for part in around.parts)
    return speech.seconds(words + text.text)


def _prompt(project: Project, name: str, language: str) -> Prompt | None:
    found = project.prompts.get(language, {}).get(name) or next(
        (known[name] for known in project.prompts.values() if name in known), None
    )
    return found[1] if found else None


def length(prompt: Prompt | None) -> float:
    """Estimated seconds of a prompt's plain wording."""
    if prompt is None:
        return 0.0
    wording = prompt.wordings.get("text") or (prompt.plurals or {}).get("other")
    return (
        speech.seconds("".join(part if isinstance(part, str) else SAMPLE for part in wording.parts)) if wording else 0.0
    )


# — people —


def _person(project: Project, report: Report, source: Source, line: Line) -> None:
    commands, _ = line_ways(project, line)
    if any(way.to is not None and to_people(project, way.to) for way in commands):
        return
    limit = project.part.limits.person_by_menu
    for path, place in starts(project, line):
        reach = menus_before(project, [place])
        menus = [each for each in reach if isinstance(project.step(each), Menu)]
        people = [reach[each] for each in reach if isinstance(project.step(each), Handoff) or project.is_opaque(each)]
        if menus and min(people, default=limit + 1) > limit:
            message = f"nobody who gets '{place[0]}' can reach a person by menu number {limit}"
            report.add(source, path, "no-person", message, "offer a person in a menu, or make it a command of the line")
