"""Cases: matters that stay open from call to call, what was promised about them, and who did what when.

Whatever changes a case is done in the caller's transaction and adds a row to the case's history. `at` is UTC seconds; `day`
and other dates are ISO, by the line's own clock; `call` and `user` say in which call, or by whom.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Select, delete, insert, select, update

from ivr.engine.events import Event
from ivr.errors import UsageError
from ivr.handoff.cases import after_call
from ivr.personal.history import Summary
from ivr.store import tables as t
from ivr.store.database import Database, insert_once

LATER = "9999"
"""After every date."""

DAY = 86400.0


class Cases:
    """The `cases`, `case_events` and `promises` tables. What returns a bool says whether it was so."""

    def __init__(self, database: Database) -> None:
        self.database = database

    # — read —

    def get(self, id_: str) -> Mapping[str, Any] | None:
        """A case with its `promises` and `events`, or None."""
        with self.database.read() as connection:
            found = _whole(connection, select(t.cases).where(t.cases.c.id == id_))
        return found[0] if found else None

    def of_caller(self, caller: str, every: bool = False) -> list[Mapping[str, Any]]:
        """One person's open cases (or all), newest last, each with its `promises` and `events`."""
        with self.database.read() as connection:
            return _whole(connection, _of(caller, every))

    def every(self, closed: bool = False) -> list[Mapping[str, Any]]:
        """Everybody's open cases (or also those that are closed), oldest first, each with its `promises`."""
        every = select(t.cases).order_by(t.cases.c.opened, t.cases.c.id)
        with self.database.read() as connection:
            return _with_promises(connection, every if closed else every.where(t.cases.c.closed.is_(None)))

    # — written —

    def open(
        self,
        connection: Connection,
        id_: str,
        caller: str,
        about: str,
        summary: str | None,
        origin: str,
        line: str | None,
        at: float,
        day: str,
        call: str | None = None,
        user: str | None = None,
    ) -> bool:
        """A new case; False where it is there already. `origin`: call, agent or import."""
        row = {"id": id_, "caller": caller, "about": about, "summary": summary, "opened": day, "origin": origin}
        if not insert_once(connection, t.cases, {**row, "line": line, "changed": at}):
            return False
        _note(connection, id_, at, "opened", summary, call, user)
        return True

    def join(
        self, connection: Connection, id_: str, at: float, call: str | None = None, summary: str | None = None
    ) -> bool:
        """The caller called about it again; `summary`, where given, is what it is about now."""
        told = {"summary": summary} if summary is not None else {}
        return self._change(connection, id_, at, "joined", summary, call, None, **told)

    def update(
        self,
        connection: Connection,
        id_: str,
        at: float,
        summary: str,
        call: str | None = None,
        user: str | None = None,
    ) -> bool:
        """What it is about now."""
        return self._change(connection, id_, at, "updated", summary, call, user, summary=summary)

    def note(self, connection: Connection, id_: str, at: float, words: str, user: str, call: str | None = None) -> bool:
        """Something for whoever has this case next."""
        return self._change(connection, id_, at, "note", words, call, user)

    def close(
        self,
        connection: Connection,
        id_: str,
        at: float,
        day: str,
        user: str | None = None,
        call: str | None = None,
    ) -> bool:
        """It is solved. False where it was closed before."""
        return self._change(connection, id_, at, "closed", None, call, user, t.cases.c.closed.is_(None), closed=day)

    def reopen(
        self, connection: Connection, id_: str, at: float, user: str | None = None, call: str | None = None
    ) -> bool:
        """It is not solved after all. False where it is open."""
        return self._change(
            connection, id_, at, "reopened", None, call, user, t.cases.c.closed.is_not(None), closed=None
        )

    def promise(
        self, connection: Connection, id_: str, case: str, words: str, by: str | None, at: float, user: str
    ) -> bool:
        """Something promised to the caller, by a date. False where this promise, or no such case, is there."""
        known = connection.execute(select(t.promises.c.id).where(t.promises.c.id == id_)).scalar()
        if known is not None or not self._change(connection, case, at, "promised", words, None, user):
            return False
        connection.execute(insert(t.promises).values(id=id_, case=case, text=words, by=by))
        return True

    def kept(self, connection: Connection, promise: str, at: float, day: str, user: str) -> bool:
        """The promise was kept. False where it was before."""
        p = t.promises.c
        unkept = update(t.promises).where(p.id == promise, p.kept.is_(None)).values(kept=day)
        row = connection.execute(unkept.returning(p.case, p.text)).first()
        return row is not None and self._change(connection, row.case, at, "kept", row.text, None, user)

    def apply(
        self, connection: Connection, event: Event, caller: str, line: str | None, at: float, day: str, call: str
    ) -> None:
        """What a `case_changed` event says, once the transaction knows whose case it is."""
        id_: str = event.data["case"]
        summary: Any = event.private.get("summary")
        match event.data["action"]:
            case "open":
                self.open(connection, id_, caller, event.data["about"], summary, "call", line, at, day, call)
            case "join":
                self.join(connection, id_, at, call, summary)
            case "update":
                self.update(connection, id_, at, summary, call)
            case "close":
                self.close(connection, id_, at, day, None, call)

    def after_call(
        self,
        connection: Connection,
        summary: Summary,
        answered: bool,
        caller: str,
        line: str | None,
        at: float,
        day: str,
        join: float,
    ) -> None:
        """What a call that ended does to its caller's cases, unless its own steps have seen to one about the same thing.

        `join`: for how many seconds a closed case is opened again.
        """
        cases = _whole(connection, _of(caller, every=True))
        still_open = [case for case in cases if case["closed"] is None]
        closed = [case for case in cases if case["closed"] is not None]
        change = after_call(summary, answered, still_open, closed, day, join / DAY)
        seen_to = {case["about"] for case in cases if any(event["call"] == summary.sid for event in case["events"])}
        if change is None or change.about in seen_to:
            return
        if change.case_id is None:
            self.open(connection, own_case(summary.sid), caller, change.about, None, "call", line, at, day, summary.sid)
        elif change.kind == "reopened":
            self.reopen(connection, change.case_id, at, None, summary.sid)
        else:
            self.join(connection, change.case_id, at, summary.sid)

    def _change(
        self,
        connection: Connection,
        id_: str,
        at: float,
        kind: str,
        words: str | None,
        call: str | None,
        user: str | None,
        *where: Any,
        **values: Any,
    ) -> bool:
        changed = update(t.cases).where(t.cases.c.id == id_, *where).values(**values, changed=at)
        if connection.execute(changed).rowcount == 0:
            return False
        _note(connection, id_, at, kind, words, call, user)
        return True


def own_case(sid: str) -> str:
    """The id of the case that a call opens by itself; those of its steps are numbered from 1."""
    return f"{sid[-34:]}-0"


def first_promise(unkept: Sequence[Mapping[str, Any]]) -> dict[str, str | None]:
    """What was promised and has to be kept first, as `promise` and `promise_by`; a promise without a date is the last."""
    first = min(unkept, key=lambda each: (each["by"] or LATER, each["id"]), default=None)
    return {"promise": first["text"] if first else None, "promise_by": first["by"] if first else None}


def _note(
    connection: Connection, case: str, at: float, kind: str, words: str | None, call: str | None, user: str | None
) -> None:
    row = {"case": case, "at": at, "kind": kind, "text": words, "call": call, "user": user}
    connection.execute(insert(t.case_events).values(row))


def _of(caller: str, every: bool) -> Select[Any]:
    c = t.cases.c
    mine = select(t.cases).where(c.caller == caller).order_by(c.opened, c.id)
    return mine if every else mine.where(c.closed.is_(None))


def _whole(connection: Connection, which: Select[Any]) -> list[Mapping[str, Any]]:
    """The cases with all that belongs to them."""
    cases = _with_promises(connection, which)
    e = t.case_events.c
    events = _by_case(connection, which, select(t.case_events).order_by(e.at, e.id), e.case) if cases else {}
    return [{**case, "events": events.get(case["id"], [])} for case in cases]


def _with_promises(connection: Connection, which: Select[Any]) -> list[Mapping[str, Any]]:
    """The cases with their `promises`; `promise` and `promise_by` are those of the one to keep first."""
    cases = connection.execute(which).mappings().all()
    p = t.promises.c
    promises = _by_case(connection, which, select(t.promises).order_by(p.by, p.id), p.case) if cases else {}
    made: list[Mapping[str, Any]] = []
    for case in cases:
        mine = promises.get(case["id"], [])
        made.append({**case, "promises": mine, **first_promise([each for each in mine if each["kept"] is None])})
    return made


def _by_case(
    connection: Connection, which: Select[Any], parts: Select[Any], case: Any
) -> dict[str, list[Mapping[str, Any]]]:
    ids = which.with_only_columns(t.cases.c.id).order_by(None)
    found: dict[str, list[Mapping[str, Any]]] = {}
    for row in connection.execute(parts.where(case.in_(ids))).mappings():
        found.setdefault(row["case"], []).append(dict(row))
    return found


# — imports and the API —


def put_cases(connection: Connection, caller: str, cases: Sequence[Mapping[str, Any]], at: float) -> None:
    """Replaces the cases that a caller has from imports and samples. One that a call or an agent opened stays, unless it is
    among `cases`: then what they say counts. Raises UsageError."""
    c = t.cases.c
    connection.execute(delete(t.cases).where(c.caller == caller, c.origin == "import"))
    for index, case in enumerate(cases):
        id_ = str(case.get("id") or f"{caller}-{index}")
        whose = connection.execute(select(c.caller).where(c.id == id_)).scalar()
        if whose not in (None, caller):
            raise UsageError(f"the case '{id_}' is somebody else's; give this one an id of its own")
        row = {name: case.get(name) for name in ("about", "summary", "opened", "closed")}
        if whose is None:
            origin = case.get("origin", "import")
            connection.execute(
                insert(t.cases).values({**row, "id": id_, "caller": caller, "origin": origin, "changed": at})
            )
        else:
            connection.execute(update(t.cases).where(c.id == id_).values({**row, "changed": at}))
        connection.execute(delete(t.promises).where(t.promises.c.id == f"{id_}-p"))
        if case.get("promise"):
            promise = {"id": f"{id_}-p", "case": id_, "text": case["promise"], "by": case.get("promise_by")}
            connection.execute(insert(t.promises).values(promise))
