"""A survey is short: nobody called in order to be asked."""

from __future__ import annotations

from ivr.flow.bundle import Place
from ivr.flow.checks.anywhere import survey
from ivr.flow.checks.graph import onward
from ivr.flow.checks.project import Project, Report
from ivr.flow.model import Ask, Handoff, Menu, Pick, Verify, Voicemail

MOST = 2
"""Questions a survey asks on any way through it."""

TOO_MUCH = (Menu, Handoff, Verify, Voicemail)


def check(project: Project, report: Report) -> None:
    """The survey of every line."""
    starts = {place: None for _, line in project.lines.values() if (place := survey(project, line)) is not None}
    for start in starts:
        if project.is_opaque(start):
            continue
        asked = _questions(project, start)
        for place in asked:
            step = project.step(place)
            if isinstance(step, TOO_MUCH):
                source = project.flows[place[0]][0]
                message = f"the survey '{start[0]}' comes to a '{step.verb}' here, and a survey only asks"
                hint = "leave it out, or let the survey 'return:' before it"
                report.add(source, ("steps", place[1]), "survey-too-long", message, hint, key=True)
        if asked[start] > MOST:
            message = f"the survey '{start[0]}' asks more than {MOST} questions on some way through it"
            hint = "keep the one or two that you will act on"
            report.add(project.flows[start[0]][0], ("flow",), "survey-too-long", message, hint)


def _questions(project: Project, start: Place) -> dict[Place, int]:
    """Place of the survey → the most questions that may follow from there; `MOST + 1` for any number above.

    Failures are no ways on: whoever does not answer leaves the survey.
    """
    found: dict[Place, int] = {start: 0}
    changed = True
    while changed:
        changed = False
        for place in list(found):
            leads = [way for way in onward(project, place) if way.to is not None and way.why != "otherwise"]
            for way in leads:
                if way.to is not None and way.to not in found and not project.is_opaque(way.to):
                    found[way.to], changed = 0, True
            inside = max((found.get(way.to, 0) for way in leads if way.how == "enter" and way.to), default=0)
            after = max((found.get(way.to, 0) for way in leads if way.how == "go" and way.to), default=0)
            most = min(MOST + 1, isinstance(project.step(place), (Ask, Pick)) + inside + after)
            if most > found[place]:
                found[place], changed = most, True
    return found
