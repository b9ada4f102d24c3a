"""A past call as a timeline: what was heard, pressed and said, what was decided and why, and the YAML that ran."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from flask import Flask, abort, g, render_template, request

from ivr.flow.bundle import Bundle
from ivr.flow.excerpt import Excerpt, rule_lines, step_lines
from ivr.handoff.seen import View, named
from ivr.handoff.story import relevant
from ivr.handoff.timeline import Entry, entries
from ivr.phone import mask_within, masked
from ivr.simulate.record import recorded
from ivr.simulate.transcript import seconds_heard
from ivr.web import console
from ivr.web.auth import requires
from ivr.web.filters import zone
from ivr.web.served import past

if TYPE_CHECKING:
    from ivr.web.app import Wiring

pages = console.blueprint("trace")

WHOLE_NUMBERS = ("ops", "admin")
"""Roles that see numbers whole."""


class Line(NamedTuple):
    """One entry of the page, with the YAML that made it."""

    entry: Entry
    words: str
    yaml: Excerpt | None


def register(app: Flask, _: Wiring) -> None:
    """The routes."""
    app.register_blueprint(pages)


@pages.get("/desk/calls/<sid>")
@requires("agent", "ops")
def call(sid: str) -> str:
    """One call. `?only=decisions` leaves what was decided."""
    wiring = console.wired()
    row = wiring.store.calls.row(sid[:64])
    if row is None:
        abort(404, "There is no such call. It may be older than calls are kept, or the address is mistyped.")
    target = _seen_for(row)
    bundle = wiring.store.bundle(row["bundle"]) or wiring.store.published()
    line = bundle.lines.get(row["line"]) or next(iter(bundle.lines.values()))
    whole, found = g.user.role in WHOLE_NUMBERS, past(row["sid"])
    spec = bundle.part.targets.get(target or "")
    sees = frozenset(spec.sees if spec else ())
    view = View(bundle, line, found.session.level if found else "anyone", sees, row["started"])
    events = wiring.store.calls.events_of(row["sid"])
    events = events if g.user.may("ops") else relevant(line, events)
    told = [_line(bundle, row["line"], entry, whole) for entry in entries(view, events)]
    called = str(found.session.call.get("to")) if found else line.numbers[0] if line.numbers else ""
    at = f"{datetime.fromtimestamp(row['started'], zone(row['line'])):%Y-%m-%d %H:%M}"
    test = recorded(events, called, at) if found else ""
    return render_template(
        "desk/trace.html",
        call=row,
        title=line.title or line.line,
        number=_number(row["number"], whole),
        erased=found is None,
        outcome=_outcome(row),
        seconds=seconds_heard(events),
        told=[each for each in told if each.entry.decides] if _only() else told,
        only=_only(),
        test=test if whole else _masked(test),
    )


def _only() -> bool:
    return request.args.get("only") == "decisions"


def _seen_for(row: Mapping[str, Any]) -> str | None:
    """The target for whose people this call is shown; None for those who see every call. Others are told why not.

    Agents see the calls of callers of whom a task is, or was, for them.
    """
    if g.user.may("ops"):
        return None
    tasks = console.wired().store.tasks
    theirs = tasks.of_call(row["sid"]) + (tasks.of_caller(row["caller"]) if row["caller"] else [])
    mine = [task for task in theirs if g.user.serves(task.target)]
    if not mine:
        abort(403, "This caller is not with your team, so their calls are not shown.")
    return mine[0].target


def _line(bundle: Bundle, line: str, entry: Entry, whole: bool) -> Line:
    yaml = step_lines(bundle, entry.step, entry.within) if entry.step else None
    if entry.rule is not None:
        yaml = rule_lines(bundle, line, entry.rule)
    return Line(entry, entry.words if whole else mask_within(entry.words), yaml)


def _number(number: str | None, whole: bool) -> str:
    return "Number withheld" if not number else number if whole else masked(number)


def _outcome(row: Mapping[str, Any]) -> str:
    if not row["outcome"]:
        return "in progress"
    return f"{named(row['outcome'])}{', unfinished' if row['unfinished'] else ''}"


def _masked(test: str) -> str:
    """The test without numbers that were said or keyed in. Those above its dialogue are the line's own, and nobody's."""
    head, dialogue, rest = test.partition("dialogue:")
    return head + dialogue + mask_within(rest)
