"""The shape of a call: steps nobody reaches, calls that cannot end, and rounds in which nobody is ever listened to."""

from __future__ import annotations

from collections.abc import Iterator

from ivr.flow.bundle import Place
from ivr.flow.checks.anywhere import line_ways, survey
from ivr.flow.checks.frames import frames
from ivr.flow.checks.project import Project, Report
from ivr.flow.checks.states import reached
from ivr.flow.checks.ways import Way, after, ways


def check(project: Project, report: Report) -> None:
    """Everything about reaching and ending."""
    ends = can_end(project)
    live = live_places(project)
    _otherwise(project, report, ends)
    _unreachable(project, report, live)
    _no_end(project, report, ends, live)


def named(place: Place) -> str:
    """A place as designers write it."""
    return f"{place[0]}.{place[1]}"


def onward(project: Project, place: Place) -> Iterator[Way]:
    """The ways of a step and, for what it enters, those it has when that comes back."""
    made = frames(project)
    for way in ways(project, place):
        yield way
        if way.how == "enter" and way.to is not None:
            made.ask(way.to)
            for name in made.names(way.to):
                yield from after(project, place, name)


def live_places(project: Project) -> set[Place]:
    """Every place that some call can reach, those that could not be read too."""
    return project.once("live", lambda: {place for _, place, _ in reached(project)})


# — ends —


def can_end(project: Project) -> set[Place]:
    """Places from which an end can be reached by next, options and returns."""
    return project.once("ends", lambda: _can_end(project))


def _can_end(project: Project) -> set[Place]:
    places = [place for place, _, _ in project.places()]
    everywhere = {place: [way for way in onward(project, place) if way.why != "otherwise"] for place in places}
    entered = [
        (place, way.to) for place in places for way in everywhere[place] if way.how == "enter" and way.to is not None
    ]
    good: set[Place] = set()
    # Returns that somebody takes on to an end, by the place that returns and the name it hands back.
    taken_on: set[tuple[Place, str]] = set()
    changed = True
    while changed:
        changed = False
        for place in places:
            for way in everywhere[place]:
                if (
                    way.how == "return"
                    and (place, way.name) not in taken_on
                    and _goes_on(project, way, place, good, taken_on, entered)
                ):
                    taken_on.add((place, way.name))
                    changed = True
                if place not in good and _ends(project, way, place, good, taken_on):
                    good.add(place)
                    changed = True
    return good


def _ends(project: Project, way: Way, place: Place, good: set[Place], taken_on: set[tuple[Place, str]]) -> bool:
    if way.how in ("end", "resume"):
        return True
    if way.how == "return":
        return (place, way.name) in taken_on
    if way.how == "rescue":
        return False
    known = way.to is not None and not project.is_opaque(way.to)
    return not known or way.to in good and (way.how == "go" or _ends_inside(project, way.to))


def _ends_inside(project: Project, entry: Place) -> bool:
    """Whether the entered flow can itself end the call; what comes back has its own ways."""
    reach = frames(project).reach.get(entry, {})
    return any(
        way.how in ("end", "resume") for place in reach for way in ways(project, place) if way.why != "otherwise"
    )


def _goes_on(
    project: Project,
    way: Way,
    place: Place,
    good: set[Place],
    taken_on: set[tuple[Place, str]],
    entered: list[tuple[Place, Place]],
) -> bool:
    """Whether somebody takes the returned name on to an end: the step that entered, or the line's `after`."""
    reach = frames(project).reach
    for _, line in project.lines.values():
        target = project.meant(None, line.after) if line.after is not None else None
        commands, subjects = line_ways(project, line)
        interrupts = [each.to for each in (*commands, *subjects) if each.how == "enter"]
        # A survey comes back to the handoff before it, as an interruption does to its question.
        interrupts.append(survey(project, line))
        bottoms = [project.meant(None, rule.flow) for rule in line.choose]
        if any(entry is not None and place in reach.get(entry, {}) for entry in interrupts):
            return True
        if any(bottom is not None and place in reach.get(bottom, {}) for bottom in bottoms):
            if target is None or target in good or project.is_opaque(target):
                return True
    for enterer, entry in entered:
        if place in reach.get(entry, {}):
            # A name that the enterer forgot is a problem of the enterer.
            backs = after(project, enterer, way.name)
            if any(back.why == "otherwise" or _ends(project, back, enterer, good, taken_on) for back in backs):
                return True
    return False


def _no_end(project: Project, report: Report, ends: set[Place], live: set[Place]) -> None:
    """One problem a flow: a round without an end would otherwise be one for each of its steps."""
    for name, (source, flow) in project.flows.items():
        stuck = [step for step in flow.steps if (name, step) not in ends and (name, step) in live]
        stuck = [step for step in stuck if not _stops(project, (name, step))]
        if stuck:
            others = f" (nor from {', '.join(stuck[1:6])})" if len(stuck) > 1 else ""
            message = f"from '{stuck[0]}' the call can never end{others}"
            hint = "let some way on lead to a step with 'end:', or to 'return:'; 'otherwise' and commands do not count"
            report.add(source, ("steps", stuck[0]), "no-end", message, hint, key=True)


def _stops(project: Project, place: Place) -> bool:
    """Whether the step itself leads nowhere, which is reported by itself."""
    return all(way.how == "rescue" or way.why == "otherwise" for way in ways(project, place))


def _otherwise(project: Project, report: Report, ends: set[Place]) -> None:
    for source, line in project.lines.values():
        place = project.meant(None, line.otherwise)
        if place is not None and not project.is_opaque(place) and place not in ends:
            message = f"'otherwise: {line.otherwise}' never comes to an end, so a call that fails has nowhere to go"
            report.add(
                source, ("otherwise",), "no-otherwise", message, "let it lead to people, a message and an 'end:'"
            )


# — reaching —


def _unreachable(project: Project, report: Report, live: set[Place]) -> None:
    if project.unread or not project.lines:
        return
    for name, (source, flow) in project.flows.items():
        if project.opaque_steps.get(name):
            # A step that could not be read may lead anywhere: mend it first.
            continue
        dead = [step for step in flow.steps if (name, step) not in live]
        if len(dead) == len(flow.steps) and dead:
            message = f"nothing leads to the flow '{name}'"
            report.add(
                source,
                ("flow",),
                "unreachable-flow",
                message,
                "choose it in a line, enter it from a menu, or delete it",
            )
            continue
        for step in dead:
            hint = "let a 'next:' or an option lead to it, or delete it"
            report.add(
                source, ("steps", step), "unreachable-step", f"nothing leads to the step '{step}'", hint, key=True
            )
