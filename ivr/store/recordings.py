"""Recordings: where they lie, who has listened, and their end, which Twilio is told of too."""

from __future__ import annotations

from typing import Any, NamedTuple

from sqlalchemy import Connection, delete, insert, select, update

from ivr.store import tables as t
from ivr.store.database import Database
from ivr.store.jobs import enqueue
from ivr.store.tasks import done, held


class Recording(NamedTuple):
    """A message of a caller. `status`: kept, or what its own callback said; `heard`: since when, UTC seconds."""

    sid: str
    call: str
    url: str
    seconds: float
    status: str
    at: float
    heard: float | None


_COLUMNS = [t.recordings.c[name] for name in Recording._fields]


class Recordings:
    """The `recordings` table."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def recording_ready(self, sid: str, call: str, url: str, seconds: float, status: str, at: float) -> None:
        """A recording's own callback, before or after the call's."""
        with self.database.write() as connection:
            keep_recording(connection, sid, call, url, seconds, status, at)

    def recording(self, sid: str) -> Recording | None:
        """One recording, or None."""
        with self.database.read() as connection:
            row = connection.execute(select(*_COLUMNS).where(t.recordings.c.sid == sid)).first()
        return Recording(*row) if row else None

    def recordings_of(self, call: str) -> list[Recording]:
        """What one call left, oldest first."""
        c = t.recordings.c
        with self.database.read() as connection:
            rows = connection.execute(select(*_COLUMNS).where(c.call == call).order_by(c.at, c.sid))
            return [Recording(*row) for row in rows]

    def heard(self, sid: str, now: float) -> None:
        """Somebody listens; the first time counts."""
        c = t.recordings.c
        with self.database.write() as connection:
            connection.execute(update(t.recordings).where(c.sid == sid, c.heard.is_(None)).values(heard=now))

    def forget_recording(self, sid: str, now: float) -> bool:
        """Deletes it, here and at Twilio; nobody has to listen to it any more. False where there is none."""
        with self.database.write() as connection:
            return forget_recordings(connection, t.recordings.c.sid == sid, now) > 0


def keep_recording(
    connection: Connection, sid: str, call: str, url: str, seconds: float, status: str, at: float
) -> None:
    """Keeps where a recording lies. Its own callback says more than the call's turn (`kept`), whichever comes first."""
    values = {"call": call, "url": url, "seconds": seconds, "status": status, "at": at}
    changed = connection.execute(
        update(t.recordings).where(t.recordings.c.sid == sid).values({"call": call} if status == "kept" else values)
    )
    if changed.rowcount == 0:
        connection.execute(insert(t.recordings).values(sid=sid, **values))


def forget_recordings(connection: Connection, which: Any, now: float) -> int:
    """Deletes recordings, here and at Twilio, with what there was to do about them; returns how many."""
    sids = connection.execute(select(t.recordings.c.sid).where(which)).scalars().all()
    for sid in sids:
        task = held(connection, f"v-{sid}")
        if task is not None and task.done is None:
            done(connection, task, now, "deleted")
        connection.execute(delete(t.recordings).where(t.recordings.c.sid == sid))
        delete_at_twilio(connection, sid, now)
    return len(sids)


def delete_at_twilio(connection: Connection, sid: str, at: float) -> None:
    """Asks for the end of a recording where it lies. Its SID names nobody, so nobody's erasing stops it."""
    enqueue(connection, f"delete_recording:{sid}", "twilio", "delete_recording", {"recording": sid}, None, at)
