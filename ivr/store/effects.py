"""What a turn's events ask of other tables, in the transaction that stores them: facts, jobs, recordings, tasks, cases.

Rows are always held in this order, so that no two transactions wait for each other in a circle: the call, its tasks and
their agents, the caller's number, facts and history, their cases.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, update

from ivr.engine.events import Event
from ivr.flow.model import Line
from ivr.handoff.task import Task
from ivr.jsontext import decode
from ivr.ports import Commit
from ivr.store import tables as t
from ivr.store.callers import Callers
from ivr.store.cases import Cases
from ivr.store.jobs import enqueue, enqueue_actions
from ivr.store.recordings import keep_recording
from ivr.store.tasks import Tasks, waited

_EFFECTS = frozenset(("remembered", "requested", "recorded", "verified", "waited", "case_changed", "notified"))


def touches_others(commit: Commit) -> bool:
    """Whether this turn writes more than its own call and events, or may change whose call it is."""
    if commit.closing is not None or commit.tasks:
        return True
    return any(event.type in _EFFECTS for event in commit.events)


class Effects:
    """`line_of` finds a line by name: its clock says what day it is."""

    def __init__(self, callers: Callers, tasks: Tasks, cases: Cases, line_of: Callable[[str], Line | None]) -> None:
        self.callers, self.tasks, self.cases, self.line_of = callers, tasks, cases, line_of

    def apply(self, connection: Connection, commit: Commit) -> None:
        """Everything that a turn asks for."""
        self._add(connection, commit.tasks, commit.at)
        for event in commit.events:
            if event.type == "waited":
                self._waited(connection, commit, event)
        caller = commit.caller
        for index, event in enumerate(commit.events):
            key = f"{commit.sid}:{commit.turn}:{index}"
            match event.type:
                case "remembered":
                    caller = self._remembered(connection, commit, event, caller)
                case "requested":
                    enqueue_actions(connection, key, event, commit.sid, commit.at)
                case "recorded":
                    _recorded(connection, commit.sid, event, commit.at)
                case "notified":
                    self._notified(connection, commit, event, key)
        if commit.closing is not None:
            caller = self.callers.fold_history(connection, caller, commit.number, commit.closing, commit.at)
        self._cases(connection, commit, caller)

    def apply_late(self, connection: Connection, sid: str, events: Sequence[Event], tasks: Sequence[Task]) -> None:
        """What events that came after their call's end ask for."""
        for event in events:
            if event.type == "recorded":
                _recorded(connection, sid, event, event.at)
            if event.type == "waited" and event.data["result"] == "bridged":
                left = update(t.tasks).where(t.tasks.c.call == sid, t.tasks.c.result == "abandoned")
                connection.execute(left.values(result="answered", changed=event.at))
        if tasks:
            self._add(connection, tasks, events[0].at)

    def _add(self, connection: Connection, tasks: Sequence[Task], at: float) -> None:
        for task in sorted(tasks, key=lambda each: each.target):
            self.tasks.add(connection, task, at)

    def _waited(self, connection: Connection, commit: Commit, event: Event) -> None:
        waited(connection, event.data["task"], event.data["result"], commit.at)
        queue = event.data.get("queue_sid")
        if queue is not None:
            enqueue(connection, f"delete_queue:{queue}", "twilio", "delete_queue", {"queue": queue}, None, commit.at)

    def _remembered(self, connection: Connection, commit: Commit, event: Event, caller: str | None) -> str | None:
        values = event.private["values"]
        caller = self.callers.remember(connection, caller, commit.number, values, "call", commit.at)
        self._is(connection, commit, caller)
        return caller

    def _is(self, connection: Connection, commit: Commit, caller: str | None) -> None:
        """A number nobody had: should they ring back before this call closes, it is found by its caller."""
        if caller is not None and commit.caller is None:
            connection.execute(update(t.calls).where(t.calls.c.sid == commit.sid).values(caller=caller))

    def _notified(self, connection: Connection, commit: Commit, event: Event, key: str) -> None:
        session = decode(commit.session)
        line = self.line_of(session["line"])
        payload = {
            **event.private,
            "from": session["call"].get("to"),
            "subject": line.title if line else None,
            "language": commit.language,
            "line": session["line"],
        }
        enqueue(connection, key, "message", event.data["by"], payload, commit.sid, commit.at)

    def _cases(self, connection: Connection, commit: Commit, caller: str | None) -> None:
        changes = [event for event in commit.events if event.type == "case_changed"]
        closing = commit.closing if commit.closing is not None and commit.closing.reasons else None
        if not changes and closing is None:
            return
        if caller is None:
            caller = self.callers.for_number(connection, commit.number, commit.at)
            self._is(connection, commit, caller)
        if caller is None:
            return
        session = decode(commit.session)
        line = session.get("line")
        day = day_of(self.line_of(line) if line else None, commit.at)
        for event in changes:
            self.cases.apply(connection, event, caller, line, commit.at, day, commit.sid)
        if closing is not None:
            join = self.callers.config.file.desk.join
            answered = session.get("answered") is not None
            self.cases.after_call(connection, closing, answered, caller, line, commit.at, day, join)


def day_of(line: Line | None, at: float) -> str:
    """The date of a moment by the line's own clock, as ISO; in UTC where it has no hours."""
    zone: Any = ZoneInfo(line.hours.timezone) if line and line.hours else UTC
    return datetime.fromtimestamp(at, zone).date().isoformat()


def _recorded(connection: Connection, call: str, event: Event, at: float) -> None:
    where = event.private
    keep_recording(connection, where["sid"], call, where["url"], event.data["seconds"], "kept", at)
