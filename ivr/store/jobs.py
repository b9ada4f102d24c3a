"""The outbox: jobs stored with the turn that asked for them, leased, retried, done at least once with a stable key.

Kinds: `action` (config.yaml's, by name), `twilio` (delete_queue, delete_recording, hang_up, callback_task,
accept_reservation, end_task) and `message` (sms, email). The first two may be done again: the receiver knows the key, or
once more changes nothing. A message may not: nobody can tell a mail server or Twilio that they have seen it. So a message is
leased once for each certain failure and never after an uncertain one: not where its sender says so
(`failed(…, again=False)`), and not where its worker was killed (the lease ran out: `give_up_lost`). Sent once matters more
there than sent surely, and people are told.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, and_, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from ivr.engine.events import Event
from ivr.store import tables as t
from ivr.store.database import Database

LEASE_SECONDS = 60.0
ATTEMPTS = 8
LOST = "the worker stopped while it was being sent; nobody knows whether it went, so it is not sent again"


class Job(NamedTuple):
    """One leased job. `key` is the same at every attempt: the receiver may drop what it has seen."""

    id: int
    key: str
    kind: str
    name: str
    payload: Mapping[str, Any]
    call: str | None
    attempts: int


def enqueue_actions(connection: Connection, key: str, event: Event, call: str, at: float) -> None:
    """The job of a `requested` event, in the transaction that stores it."""
    enqueue(connection, key, "action", event.data["action"], event.private["give"], call, at)


def enqueue(
    connection: Connection, key: str, kind: str, name: str, payload: Mapping[str, Any], call: str | None, at: float
) -> None:
    """One job, due `at` (UTC seconds), in the caller's transaction: it exists if what asked for it does.

    `key`, of at most 100 characters, names what is asked for: asked for again, it is the same job, and the first payload
    counts. `call` is the call whose erasing erases the payload, too.
    """
    dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
    row = {"key": key, "kind": kind, "name": name, "payload": json.dumps(payload), "call": call}
    made = dialect.insert(t.outbox).values(**row, run_at=at, attempts=0)
    connection.execute(made.on_conflict_do_nothing(index_elements=["key"]))


class Jobs:
    """The `outbox` table, seen by its workers."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def lease(self, now: float, limit: int = 1) -> Sequence[Job]:
        """Up to `limit` due jobs, for this worker alone until the lease runs out. A leased message is as good as sent.

        One at a time, unless all of them are done within LEASE_SECONDS: what is leased and waits is lost with its worker.
        """
        box = t.outbox.c
        free = or_(box.leased_until.is_(None), and_(box.leased_until < now, box.kind != "message"))
        due = select(box.id).where(box.done.is_(None), box.failed.is_(None), box.run_at <= now, free)
        due = due.order_by(box.run_at, box.id).limit(limit)
        if not self.database.is_sqlite:
            due = due.with_for_update(skip_locked=True)
        # A table of its own: PostgreSQL may run a plain subquery more than once, and lease more than it returned at first.
        first = select(due.cte("due").c.id)
        lease = (
            update(t.outbox)
            .where(box.id.in_(first))
            .values(leased_until=now + LEASE_SECONDS, attempts=box.attempts + 1)
        )
        with self.database.write() as connection:
            rows = connection.execute(lease.returning(*_JOB)).all()
        return _jobs(rows)

    def give_up_lost(self, now: float) -> Sequence[Job]:
        """Messages whose worker never came back: they may have gone, so they fail for good, and people must know."""
        box = t.outbox.c
        lost = update(t.outbox).where(
            box.kind == "message", box.done.is_(None), box.failed.is_(None), box.leased_until < now
        )
        with self.database.write() as connection:
            rows = connection.execute(lost.values(failed=now, leased_until=None, error=LOST).returning(*_JOB)).all()
        return _jobs(rows)

    def done(self, job: Job, now: float) -> None:
        """It worked, even where it was given up meanwhile."""
        worked = {"done": now, "failed": None, "leased_until": None, "error": None}
        with self.database.write() as connection:
            connection.execute(update(t.outbox).where(t.outbox.c.id == job.id).values(worked))

    def failed(self, job: Job, now: float, error: str, *, again: bool = True) -> bool:
        """It did not: again later, each time after twice as long; after the last attempt, True: people must know.

        Not `again`: this was the last attempt.
        """
        final = not again or job.attempts >= ATTEMPTS
        values: dict[str, Any] = {"error": error[:500], "leased_until": None, "run_at": now + 5 * 2**job.attempts}
        if final:
            values["failed"] = now
        with self.database.write() as connection:
            connection.execute(update(t.outbox).where(t.outbox.c.id == job.id).values(values))
        return final


_JOB = tuple(t.outbox.c[field] for field in Job._fields)


def _jobs(rows: Sequence[Row[Any]]) -> list[Job]:
    return sorted(Job._make(row)._replace(payload=json.loads(row.payload)) for row in rows)
