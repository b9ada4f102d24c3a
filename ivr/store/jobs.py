"""The outbox: jobs stored with the turn that asked for them, leased, retried, done at least once with a stable key."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, insert, or_, select, update

from ivr.engine.events import Event
from ivr.store import tables as t
from ivr.store.database import Database

LEASE_SECONDS = 60.0
ATTEMPTS = 8


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
    connection.execute(
        insert(t.outbox).values(
            key=key,
            kind="action",
            name=event.data["action"],
            payload=json.dumps(event.private["give"]),
            call=call,
            run_at=at,
            attempts=0,
        )
    )


class Jobs:
    """The `outbox` table, seen by its workers."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def lease(self, now: float, limit: int = 10) -> Sequence[Job]:
        """Up to `limit` due jobs, for this worker alone until the lease runs out."""
        box = t.outbox.c
        due = select(box.id).where(
            box.done.is_(None),
            box.failed.is_(None),
            box.run_at <= now,
            or_(box.leased_until.is_(None), box.leased_until < now),
        )
        due = due.order_by(box.run_at, box.id).limit(limit)
        if not self.database.is_sqlite:
            due = due.with_for_update(skip_locked=True)
        lease = (
            update(t.outbox).where(box.id.in_(due)).values(leased_until=now + LEASE_SECONDS, attempts=box.attempts + 1)
        )
        with self.database.write() as connection:
            rows = connection.execute(
                lease.returning(box.id, box.key, box.kind, box.name, box.payload, box.call, box.attempts)
            ).all()
        return sorted(Job(row[0], row[1], row[2], row[3], json.loads(row[4]), row[5], row[6]) for row in rows)

    def done(self, job: Job, now: float) -> None:
        """It worked."""
        with self.database.write() as connection:
            connection.execute(
                update(t.outbox).where(t.outbox.c.id == job.id).values(done=now, leased_until=None, error=None)
            )

    def failed(self, job: Job, now: float, error: str) -> bool:
        """It did not: again later, each time after twice as long; after the last attempt, True: people must know."""
        final = job.attempts >= ATTEMPTS
        values: dict[str, Any] = {"error": error[:500], "leased_until": None, "run_at": now + 5 * 2**job.attempts}
        if final:
            values["failed"] = now
        with self.database.write() as connection:
            connection.execute(update(t.outbox).where(t.outbox.c.id == job.id).values(values))
        return final
