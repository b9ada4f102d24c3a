"""Calls: begun, advanced by compare-and-set on the turn number, and closed once. Events only ever appended.

A turn touches its own `calls` row, inserts its `events` and, where the flow says so, what effects.py names; so calls never
wait for each other.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, bindparam, insert, literal_column, select, update
from sqlalchemy.exc import IntegrityError

from ivr.engine.events import Event
from ivr.handoff.task import Task
from ivr.jsontext import decode, encode
from ivr.ports import Begun, Call, Commit
from ivr.store import tables as t
from ivr.store.database import Database, Prepared
from ivr.store.effects import Effects, touches_others
from ivr.store.erase import erase_personal
from ivr.store.recordings import Recordings

OPEN: Any = literal_column("'open'")
"""Written into the statement: with a parameter in its place no partial index is used."""


LATE = -1
"""The turn of events that came after their call had closed."""


_TURN = ("turn", "seq", "session", "twiml", "updated", "silent_at", "language")
"""What every turn changes; none of it is in an index."""
_ENDING = ("state", "outcome", "unfinished", "ended")


class _Statements(NamedTuple):
    load: Prepared
    insert: Prepared
    plain: Prepared
    """a turn that changes no column of an index: no index is written"""
    advance: Prepared
    close: Prepared
    events: Prepared
    open_of_caller: Prepared
    open_of_number: Prepared


def _b(name: str) -> Any:
    return bindparam(name)


_COLUMNS = (
    t.calls.c.sid,
    t.calls.c.state,
    t.calls.c.turn,
    t.calls.c.seq,
    t.calls.c.bundle,
    t.calls.c.session,
    t.calls.c.twiml,
    t.calls.c.updated,
    t.calls.c.silent_at,
)


class Calls(Recordings):
    """The `calls` and `events` tables, and the recordings that calls leave."""

    def __init__(self, database: Database, effects: Effects) -> None:
        super().__init__(database)
        self.effects = effects
        engine, c = database.writer, t.calls.c
        advance = update(t.calls).where(c.sid == _b("b_sid"), c.turn == _b("b_turn"), c.state == OPEN)
        newest = select(*_COLUMNS).where(c.state == OPEN).order_by(c.started.desc()).limit(1)
        self.sql = _Statements(
            load=Prepared(engine, select(*_COLUMNS).where(c.sid == _b("sid"))),
            insert=Prepared(
                engine,
                insert(t.calls).values({column.name: _b(column.name) for column in t.calls.columns}),
            ),
            plain=Prepared(engine, advance.values({name: _b(name) for name in _TURN})),
            advance=Prepared(engine, advance.values({name: _b(name) for name in (*_TURN, *_ENDING, "caller")})),
            close=Prepared(
                engine,
                advance.values(
                    state="closed",
                    seq=_b("seq"),
                    session=_b("session"),
                    outcome=_b("outcome"),
                    unfinished=_b("unfinished"),
                    ended=_b("ended"),
                    updated=_b("ended"),
                ),
            ),
            events=Prepared(
                engine, insert(t.events).values({column.name: _b(column.name) for column in t.events.columns})
            ),
            open_of_caller=Prepared(engine, newest.where(c.caller == _b("who"))),
            open_of_number=Prepared(engine, newest.where(c.number == _b("who"))),
        )

    def load(self, sid: str) -> Call | None:
        """The call, or None."""
        with self.database.quick_read() as cursor:
            row = self.sql.load.quick(cursor, {"sid": sid}).fetchone()
        return Call(*row) if row else None

    def newest_open(self, caller: str | None, number: str | None) -> Call | None:
        """The caller's newest call that has not closed."""
        if caller is None and number is None:
            return None
        statement = self.sql.open_of_caller if caller is not None else self.sql.open_of_number
        with self.database.quick_read() as cursor:
            row = statement.quick(cursor, {"who": caller or number}).fetchone()
        return Call(*row) if row else None

    def begin(self, begun: Begun, commit: Commit) -> Call | None:
        """Stores a new call; None where another request stored it first."""
        row: dict[str, Any] = {
            "sid": commit.sid,
            "state": "closed" if commit.closing else "open",
            "turn": commit.turn,
            "seq": len(commit.events),
            "line": begun.line,
            "bundle": begun.bundle,
            "caller": commit.caller,
            "number": begun.number,
            "because": begun.because,
            "control": int(begun.control),
            "language": commit.language,
            "session": commit.session,
            "twiml": commit.twiml,
            "outcome": commit.outcome,
            "unfinished": _flag(commit),
            "started": commit.at,
            "updated": commit.at,
            "silent_at": commit.silent_at,
            "ended": commit.at if commit.closing else None,
        }
        try:
            if touches_others(commit):
                with self.database.write() as connection:
                    self.sql.insert.run(connection, row)
                    self._append(connection, commit, 0)
                    self.effects.apply(connection, commit)
            else:
                with self.database.quick_write() as cursor:
                    self.sql.insert.quick(cursor, row)
                    self.sql.events.quick_many(cursor, _rows(commit, 0))
        except (IntegrityError, self.database.integrity_error):
            return None
        return Call(
            commit.sid,
            row["state"],
            commit.turn,
            row["seq"],
            begun.bundle,
            commit.session,
            commit.twiml,
            commit.at,
            commit.silent_at,
        )

    def advance(self, call: Call, commit: Commit) -> bool:
        """Stores a turn, if the call still awaits it: compare-and-set on the turn number."""
        values = {
            "b_sid": commit.sid,
            "b_turn": call.turn,
            "turn": commit.turn,
            "seq": call.seq + len(commit.events),
            "session": commit.session,
            "twiml": commit.twiml,
            "updated": commit.at,
            "silent_at": commit.silent_at,
            "state": "closed" if commit.closing else "open",
            "outcome": commit.outcome,
            "unfinished": _flag(commit),
            "ended": commit.at if commit.closing else None,
            "caller": commit.caller,
            "language": commit.language,
        }
        if not touches_others(commit):
            with self.database.quick_write() as cursor:
                if self.sql.plain.quick(cursor, values).rowcount != 1:
                    return False
                self.sql.events.quick_many(cursor, _rows(commit, call.seq))
            return True
        with self.database.write() as connection:
            if self.sql.advance.run(connection, values).rowcount != 1:
                return False
            self._append(connection, commit, call.seq)
            self.effects.apply(connection, commit)
        return True

    def close(self, call: Call, commit: Commit) -> bool:
        """Closes a call once, at the turn it was read at; the turn number stays as it is."""
        values = {
            "b_sid": commit.sid,
            "b_turn": call.turn,
            "seq": call.seq + len(commit.events),
            "session": commit.session,
            "outcome": commit.outcome,
            "unfinished": _flag(commit),
            "ended": commit.at,
        }
        with self.database.write() as connection:
            if self.sql.close.run(connection, values).rowcount != 1:
                return False
            self._append(connection, commit, call.seq)
            self.effects.apply(connection, commit)
        return True

    def keep_late(
        self, sid: str, events: Sequence[Event], outcome: str | None = None, tasks: Sequence[Task] = ()
    ) -> None:
        """Appends events to a call that has closed: a recording, a dial or queue result, with what people have to do about it.
        `outcome` mends one that said the caller left.

        One that is kept already changes nothing: late webhooks are repeated too.
        """
        with self.database.write() as connection:
            # The call's row is held first, so that two copies of one webhook come one after the other.
            held = select(t.calls.c.seq).where(t.calls.c.sid == sid).with_for_update()
            latest = connection.execute(held).scalar()
            if latest is None:
                return
            before = connection.execute(
                select(t.events).where(t.events.c.sid == sid, t.events.c.turn == LATE)
            ).mappings()
            kept = {(row["type"], row["data"], row["private"]) for row in before}
            rows = [_row(sid, latest + index, LATE, event) for index, event in enumerate(events)]
            if not rows or any((row["type"], row["data"], row["private"]) in kept for row in rows):
                return
            self.sql.events.run_many(connection, rows)
            connection.execute(update(t.calls).where(t.calls.c.sid == sid).values(seq=latest + len(rows)))
            if outcome is not None:
                mended = update(t.calls).where(t.calls.c.sid == sid, t.calls.c.outcome.in_(("caller_left", "resolved")))
                if connection.execute(mended.values(outcome=outcome, unfinished=0)).rowcount:
                    whose = select(t.calls.c.caller, t.calls.c.number).where(t.calls.c.sid == sid)
                    whom = connection.execute(whose).one()
                    self.effects.callers.mend_history(connection, *whom, sid, outcome)
            self.effects.apply_late(connection, sid, events, tasks)

    def _append(self, connection: Connection, commit: Commit, seq: int) -> None:
        if commit.events:
            self.sql.events.run_many(connection, _rows(commit, seq))

    def silent_since(self, now: float, limit: int = 200) -> list[str]:
        """SIDs of open calls that have been silent longer than their wait."""
        statement = select(t.calls.c.sid).where(t.calls.c.state == OPEN, t.calls.c.silent_at < now).limit(limit)
        with self.database.read() as connection:
            return [sid for (sid,) in connection.execute(statement)]

    def erase_before(self, before: float, limit: int = 500) -> int:
        """Erases what is personal in up to `limit` calls that ended before that moment; their figures stay."""
        old = select(t.calls.c.sid).where(
            t.calls.c.started < before, t.calls.c.session.is_not(None), t.calls.c.state != OPEN
        )
        with self.database.write() as connection:
            sids = connection.execute(old.limit(limit)).scalars().all()
            erase_personal(connection, sids)
        return len(sids)

    def events_of(self, sid: str) -> list[Event]:
        """Every event of a call, in order."""
        statement = select(t.events).where(t.events.c.sid == sid).order_by(t.events.c.seq)
        with self.database.read() as connection:
            return [event_from(row) for row in connection.execute(statement).mappings()]

    def row(self, sid: str) -> Mapping[str, Any] | None:
        """All that is stored of one call but its events, or None."""
        with self.database.read() as connection:
            found = connection.execute(select(t.calls).where(t.calls.c.sid == sid)).mappings().first()
        return dict(found) if found else None

    def of_caller(self, caller: str) -> list[Mapping[str, Any]]:
        """Every call of one person, oldest first."""
        statement = select(t.calls).where(t.calls.c.caller == caller).order_by(t.calls.c.started)
        with self.database.read() as connection:
            return [dict(row) for row in connection.execute(statement).mappings()]

    def reasons_since(self, since: float) -> dict[str, list[tuple[str, float, str | None]]]:
        """Line → (reason, when, the same caller's reason before), oldest first: what the ranking learns from."""
        statement = (
            select(t.calls.c.line, t.calls.c.caller, t.events.c.at, t.events.c.data)
            .join(t.events, t.events.c.sid == t.calls.c.sid)
            .where(t.calls.c.started >= since, t.events.c.type == "chose")
            .order_by(t.events.c.at)
        )
        found: dict[str, list[tuple[str, float, str | None]]] = {}
        last: dict[str, str] = {}
        # PostgreSQL hands out rows bit by bit only within a transaction; on SQLite one would keep every call from being written.
        with self.database.read() if self.database.is_sqlite else self.database.write() as connection:
            for line, caller, at, data in connection.execution_options(yield_per=1000).execute(statement):
                chosen = decode(data)
                if chosen.get("person"):
                    continue
                found.setdefault(line, []).append((chosen["reason"], at, last.get(caller) if caller else None))
                if caller:
                    last[caller] = chosen["reason"]
        return found

    def recent(self, limit: int = 20) -> list[Mapping[str, Any]]:
        """The newest calls, newest first."""
        statement = select(t.calls).order_by(t.calls.c.started.desc()).limit(limit)
        with self.database.read() as connection:
            return [dict(row) for row in connection.execute(statement).mappings()]


def _rows(commit: Commit, seq: int) -> list[dict[str, Any]]:
    return [_row(commit.sid, seq + index, commit.turn, event) for index, event in enumerate(commit.events)]


def _flag(commit: Commit) -> int | None:
    return int(commit.closing.unfinished) if commit.closing else None


def _row(sid: str, seq: int, turn: int, event: Event) -> dict[str, Any]:
    return {
        "sid": sid,
        "seq": seq,
        "turn": turn,
        "type": event.type,
        "at": event.at,
        "step": event.step,
        "data": encode(event.data) if event.data else "{}",
        "private": encode(event.private) if event.private else None,
    }


def event_from(row: Any) -> Event:
    """An event as it was stored; its private part is empty once erased."""
    private = decode(row["private"]) if row["private"] else {}
    return Event(row["type"], row["at"], row["step"], decode(row["data"]), private)
