"""Ends that never count as resolved: no way to them gives the caller an answer, a person or a message."""

from __future__ import annotations

from ivr.flow.bundle import Place
from ivr.flow.checks.anywhere import line_ways, survey
from ivr.flow.checks.frames import frames
from ivr.flow.checks.project import Project, Report
from ivr.flow.checks.ways import after, path_of, ways
from ivr.flow.model import Line


def check(project: Project, report: Report) -> None:
    """Every `end: resolved` that no answer comes before."""
    for place, source, step in project.places():
        if not any(way.how == "end" and way.name == "resolved" for way in ways(project, place)):
            continue
        arrivals = [_answered(project, line).get(place) for _, line in project.lines.values()]
        if any(arrivals) or all(arrival is None for arrival in arrivals) or step.answers is not None:
            continue
        message = f"every call that ends at '{place[1]}' counts as 'caller_left': nothing before it says 'answers:'"
        hint = "put 'answers: topic' on the step where the caller gets what they called for"
        at = next(path_of(place, way) for way in ways(project, place) if way.how == "end" and way.name == "resolved")
        report.add(source, at, "never-resolved", message, hint)


def _answered(project: Project, line: Line) -> dict[Place, bool]:
    """Place → whether some path to it gives the caller an answer, a person or a message."""
    return project.once(("answered", line.line), lambda: _spread(project, line))


def _spread(project: Project, line: Line) -> dict[Place, bool]:
    made = frames(project)
    found: dict[Place, bool] = {}
    commands, subjects = line_ways(project, line)
    stack: list[tuple[Place | None, bool]] = [(project.meant(None, rule.flow), False) for rule in line.choose]
    if line.control_group:
        stack.append((project.meant(None, line.control_group.flow), False))
    asked = survey(project, line)
    surveyed = made.reach.get(asked, {}) if asked else {}
    stack.append((asked, True))
    entered: dict[Place, set[Place]] = {}
    while stack:
        place, already = stack.pop()
        if place is None or found.get(place, False) >= already and place in found:
            continue
        found[place] = already
        step = project.step(place)
        now = already or _gives(project, place)
        for way in ways(project, place):
            if way.how == "rescue":
                stack.append((project.meant(None, line.otherwise), now))
            elif way.how == "return":
                stack += [(project.meant(None, line.after), now)] if line.after and place not in surveyed else []
                stack += [
                    (back.to, now) for enterer in entered.get(place, ()) for back in after(project, enterer, way.name)
                ]
            else:
                stack.append((way.to, now))
            if way.how == "enter" and way.to is not None:
                made.ask(way.to)
                for (name, returning), _ in made.returns[way.to].items():
                    entered.setdefault(returning, set()).add(place)
                    if returning in found:
                        stack += [
                            (back.to, found[returning] or _gives(project, returning))
                            for back in after(project, place, name)
                        ]
        if step is not None and step.listens:
            stack += [(way.to, now) for way in (*commands, *subjects)]
    return found


def _gives(project: Project, place: Place) -> bool:
    """Whether the step gives an answer, a person, a message or a call back; what cannot be read may well."""
    step = project.step(place)
    return step is None or step.answers is not None or step.verb in ("handoff", "voicemail", "callback")
