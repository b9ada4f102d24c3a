"""What the console leaves behind and nobody needs any more."""

from __future__ import annotations

from sqlalchemy import delete

from ivr.store import tables as t
from ivr.store.database import Database

ATTEMPTS_KEPT = 86400.0


def expire_console(database: Database, now: float, keep: float) -> int:
    """Deletes audit rows older than `keep` seconds, sessions past their end, and login attempts older than a day."""
    over = (
        delete(t.audit).where(t.audit.c.at < now - keep),
        delete(t.web_sessions).where(t.web_sessions.c.until < now),
        delete(t.login_attempts).where(t.login_attempts.c.at < now - ATTEMPTS_KEPT),
    )
    with database.write() as connection:
        return sum(connection.execute(statement).rowcount for statement in over)
