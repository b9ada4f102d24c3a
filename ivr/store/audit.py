"""Who did what, when: the `audit` table. Nothing personal of a caller belongs in it: ids, never numbers or words."""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import Connection, insert, select

from ivr.store import tables as t
from ivr.store.database import Database


class Entry(NamedTuple):
    """One thing done. `user`: users.id, None for the command line; `about`: the id of what it was done to."""

    id: int
    at: float
    user: str | None
    action: str
    about: str
    detail: str


class Audit:
    """The `audit` table."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def note(self, at: float, user: str | None, action: str, about: str, detail: str = "") -> None:
        """Writes it down."""
        with self.database.write() as connection:
            note_in(connection, at, user, action, about, detail)

    def recent(self, limit: int, user: str | None = None) -> list[Entry]:
        """The latest entries, latest first; of one user, where given."""
        latest = select(t.audit).order_by(t.audit.c.id.desc()).limit(limit)
        if user is not None:
            latest = latest.where(t.audit.c.user == user)
        with self.database.read() as connection:
            return [Entry(*row) for row in connection.execute(latest)]


def note_in(connection: Connection, at: float, user: str | None, action: str, about: str, detail: str = "") -> None:
    """Writes it down in the transaction that does it."""
    row = {"at": at, "user": user, "action": action, "about": about[:100], "detail": detail[:2000]}
    connection.execute(insert(t.audit).values(row))
