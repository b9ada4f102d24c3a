"""What is handed over: to sources, actions and flows, and into memory."""

from __future__ import annotations

from collections.abc import Mapping
from typing import get_args

from jinja2 import nodes

from ivr.flow.bundle import Place
from ivr.flow.checks.kinds import SAID, WORDY, alike, kind_of
from ivr.flow.checks.project import Project, Report
from ivr.flow.checks.targets import NO_MAIL
from ivr.flow.checks.uses import Use
from ivr.flow.checks.ways import options
from ivr.flow.expressions import Expression
from ivr.flow.model import Callback, Do, Enter, Flow, Lookup, Notify, Remember, Step
from ivr.flow.names import Field
from ivr.kinds import Kind
from ivr.problems import did_you_mean
from ivr.source import Path, Source

BY = ("sms", "email")
"""How a message may go."""


def check(project: Project, report: Report) -> None:
    """Every `give:` and `remember:`."""
    for place, source, step in project.places():
        _step(project, report, source, place, step)


def _step(project: Project, report: Report, source: Source, place: Place, step: Step) -> None:
    path: Path = ("steps", place[1])
    part = project.part
    match step:
        case Lookup() if step.lookup in part.sources:
            takes = dict(part.sources[step.lookup].takes)
            _given(project, report, source, path, place, step.give, takes, f"the source '{step.lookup}'")
        case Do() if step.do in part.actions:
            takes = dict(part.actions[step.do].takes)
            _given(project, report, source, path, place, step.give, takes, f"the action '{step.do}'")
        case Enter():
            _into(project, report, source, path, place, step.enter, step.give)
        case Callback() if step.number is not None:
            kind = kind_of(project, step.number.tree, _at(source, path, step.number, place))
            if not alike(kind, "phone"):
                message = f"'number:' is a phone number to call, and this is {SAID.get(kind, 'text')}"
                hint = "ask for one with 'as: phone', or leave it out: then it is the number they call from"
                report.add(source, (*path, "number"), "kind-mismatch", message, hint)
        case Notify() if step.by is not None:
            _by(project, report, source, path, step.by, place)
        case Remember():
            for name, value in step.remember.items():
                field: Field | None = project.field(tuple(name.split(".")))
                kind = kind_of(project, value.tree, _at(source, path, value, place))
                if field is not None and not _fits(kind, field.kind):
                    message = f"'{name}' is {SAID.get(field.kind, field.kind)}, and this is {SAID.get(kind, 'text')}"
                    report.add(source, (*path, "remember", name), "kind-mismatch", message)
    for _, option, option_path in options(project, place):
        if option.enter is not None:
            _into(project, report, source, option_path, place, option.enter, option.give)


def _by(project: Project, report: Report, source: Source, path: Path, by: Expression, place: Place) -> None:
    """A message goes by SMS or e-mail."""
    kind = kind_of(project, by.tree, _at(source, path, by, place))
    written = by.tree.value if isinstance(by.tree, nodes.Const) else None
    if not alike(kind, "text"):
        message = f"'by:' is text, sms or email, and this is {SAID.get(kind, kind)}"
        report.add(source, (*path, "by"), "kind-mismatch", message, "as in by: caller.prefers.channel")
    elif written is not None and written not in BY:
        message = f"nothing is sent by '{written}'"
        report.add(source, (*path, "by"), "wrong-value", message, did_you_mean(str(written), BY))
    elif written == "email" and project.part.mail_to is None:
        message = "this goes by e-mail, and no server sends any"
        report.add(source, (*path, "by"), "no-mail", message, NO_MAIL)


def _into(
    project: Project,
    report: Report,
    source: Source,
    path: Path,
    place: Place,
    name: str,
    give: Mapping[str, Expression],
) -> None:
    to = project.resolve(place[0], name)
    if to is None or to[0] not in project.flows or project.opaque_steps.get(to[0]):
        return
    flow: Flow = project.flows[to[0]][1]
    _given(project, report, source, path, place, give, dict(flow.takes), f"the flow '{flow.flow}'")


def _given(
    project: Project,
    report: Report,
    source: Source,
    path: Path,
    place: Place,
    give: Mapping[str, Expression],
    takes: Mapping[str, str],
    what: str,
) -> None:
    for name, value in give.items():
        if name not in takes:
            report.add(
                source,
                (*path, "give", name),
                "unknown-give",
                f"{what} does not take '{name}'",
                did_you_mean(name, takes),
                key=True,
            )
            continue
        kind = kind_of(project, value.tree, _at(source, path, value, place))
        if not _fits(kind, takes[name]):
            message = (
                f"{what} takes {SAID.get(takes[name], takes[name])} as '{name}', and this is {SAID.get(kind, 'text')}"
            )
            report.add(source, (*path, "give", name), "kind-mismatch", message, "hand over a value of that kind")
    missing = [name for name in takes if name not in give]
    if missing:
        at = (*path, "give") if (*path, "give") in source.marks else path
        report.add(
            source, at, "missing-give", f"{what} needs '{missing[0]}'", f"add 'give: {{{missing[0]}: …}}'", key=True
        )


def _at(source: Source, path: Path, value: Expression, place: Place) -> Use:
    return Use(source, path, value, "value", "flow", place)


def _fits(kind: str, wanted: str) -> bool:
    """Whether a value may be handed over: text takes whatever can be written down in a word."""
    if "any" in (kind, wanted) or wanted not in get_args(Kind):
        return True
    return alike(kind, wanted) or wanted == "text" and kind in (*WORDY, "number", "constant")
