"""What may happen to a call wherever it stands, because of its line: commands, changes of subject, and the survey."""

from __future__ import annotations

from collections.abc import Iterator

from ivr.flow.bundle import Place
from ivr.flow.checks.project import OPAQUE, Project
from ivr.flow.checks.ways import Way, options
from ivr.flow.model import Ask, Handoff, Line, Menu, Pick, Verify


def listens(project: Project, place: Place) -> bool:
    """Whether commands work at `place`."""
    step = project.step(place)
    return isinstance(step, (Menu, Pick, Verify)) or isinstance(step, Ask) and step.kind != "recording"


def changes_subject(project: Project, place: Place) -> bool:
    """Whether a reason of another menu may be said at `place`."""
    step = project.step(place)
    return isinstance(step, (Menu, Pick)) or isinstance(step, Ask) and step.kind not in ("words", "recording")


def line_ways(project: Project, line: Line) -> tuple[tuple[Way, ...], tuple[Way, ...]]:
    """Commands of `line`, and its reasons that a caller may bring up in the middle of something else."""
    return project.once(
        ("line ways", line.line), lambda: (tuple(_commands(project, line)), tuple(_subjects(project, line)))
    )


def _commands(project: Project, line: Line) -> Iterator[Way]:
    for name, command in line.commands.items():
        for how, target in (("go", command.next), ("enter", command.enter)):
            if target is not None and target != OPAQUE:
                made = Way(how, "command", name, project.meant(None, target), waits=True)  # type: ignore[arg-type]
                yield made


def _subjects(project: Project, line: Line) -> Iterator[Way]:
    control = line.control_group.flow if line.control_group else None
    for place, _, step in project.places():
        if place[0] == control or not isinstance(step, Menu) or step.save_as != "reason":
            continue
        for name, option in step.options.items():
            target = option.enter or option.next
            if option.label and target and option.when is None:
                to = project.meant(place[0], target)
                yield Way("enter", "subject", name, to, waits=True, sets=frozenset({("said", "reason")}))


def reasons(project: Project) -> set[str]:
    """Every reason that a menu gives a call; none where some menu could not be read."""
    if project.unread or project.opaque_flows or any(project.opaque_steps.values()):
        return set()
    menus = [place for place, _, step in project.places() if isinstance(step, Menu) and step.save_as == "reason"]
    return {option.reason or name for place in menus for name, option, _ in options(project, place)}


def survey(project: Project, line: Line) -> Place | None:
    """Where the survey of `line` begins, for a call that comes from people."""
    return project.meant(None, line.survey.flow) if line.survey else None


def hands_over(project: Project, place: Place) -> bool:
    """Whether a call may come from people at `place`: also at a handoff that could not be read."""
    step = project.step(place)
    words = project.opaque_steps.get(place[0], {}).get(place[1]) if step is None else None
    return isinstance(step, Handoff) or isinstance(words, dict) and "handoff" in words
