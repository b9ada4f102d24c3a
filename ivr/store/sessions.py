"""Where people are signed in, and who guesses at passwords: the tables `web_sessions` and `login_attempts`."""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import delete, insert, select, text, update

from ivr.store import tables as t
from ivr.store.database import Database
from ivr.store.users import COLUMNS, User, plain, user_of

IDLE = 12 * 3600.0
"""Seconds after the last click at which a session ends: a shift."""

LONGEST = 7 * 86400.0
"""Seconds after which it ends in any case."""

WINDOW = 15 * 60.0
PER_LOGIN, PER_ADDRESS = 5, 20
"""So many failures in WINDOW seconds, then nobody may try."""

_TOUCH = 60.0


class WebSession(NamedTuple):
    """One browser that is signed in. `id` is the digest of its token: knowing it lets nobody in."""

    id: str
    user: str
    at: float
    seen: float
    until: float
    browser: str


class Sessions:
    """The `web_sessions` table."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def open(self, user: str, digest: str, at: float, browser: str) -> None:
        """A session from now on; the user's old ones that have run out go."""
        sessions = t.web_sessions.c
        row = {"id": digest, "user": user, "at": at, "seen": at, "until": at + LONGEST, "browser": plain(browser)[:200]}
        over = (sessions.until <= at) | (sessions.seen <= at - IDLE)
        with self.database.write() as connection:
            connection.execute(delete(t.web_sessions).where(sessions.user == user, over))
            connection.execute(insert(t.web_sessions).values(row))

    def find(self, digest: str, now: float) -> tuple[User, WebSession] | None:
        """Who is signed in with this token's digest; None where it is revoked, over, or its user disabled."""
        sessions = t.web_sessions.c
        found = (
            select(*COLUMNS, *t.web_sessions.c)
            .join_from(t.web_sessions, t.users, t.users.c.id == sessions.user)
            .where(sessions.id == digest, sessions.until > now, sessions.seen > now - IDLE)
            .where(t.users.c.disabled.is_(None))
        )
        with self.database.read() as connection:
            row = connection.execute(found).first()
        if row is None:
            return None
        session = WebSession(*row[len(COLUMNS) :])
        if now - session.seen >= _TOUCH:
            with self.database.write() as connection:
                connection.execute(update(t.web_sessions).where(sessions.id == digest).values(seen=now))
        return user_of(row), session

    def of(self, user: str, now: float) -> list[WebSession]:
        """Where a user is signed in, latest first."""
        sessions = t.web_sessions.c
        found = select(t.web_sessions).where(sessions.user == user, sessions.until > now, sessions.seen > now - IDLE)
        with self.database.read() as connection:
            return [WebSession(*row) for row in connection.execute(found.order_by(sessions.seen.desc(), sessions.id))]

    def revoke(self, id_: str, user: str) -> None:
        """Ends one session of this user, at once."""
        with self.database.write() as connection:
            sessions = t.web_sessions.c
            connection.execute(delete(t.web_sessions).where(sessions.id == id_, sessions.user == user))

    def revoke_all(self, user: str, but: str | None = None) -> None:
        """Ends every session of this user, except `but`."""
        with self.database.write() as connection:
            sessions = t.web_sessions.c
            connection.execute(delete(t.web_sessions).where(sessions.user == user, sessions.id != (but or "")))


class Attempts:
    """The `login_attempts` table."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def begin(self, login: str, address: str, now: float) -> float | None:
        """Counts an attempt as failed until `clear` says otherwise. Where there were too many: when to try again.

        Counted before the password is looked at, so that many at once are no way round.
        """
        login, address = login[:80], address[:64]
        attempts = t.login_attempts.c
        with self.database.write() as connection:
            if not self.database.is_sqlite:
                connection.execute(text("SELECT pg_advisory_xact_lock(hashtextextended('login', 0))"))
            connection.execute(delete(t.login_attempts).where(attempts.at <= now - WINDOW))
            until: list[float] = []
            for column, value, most in ((attempts.login, login, PER_LOGIN), (attempts.address, address, PER_ADDRESS)):
                last = select(attempts.at).where(column == value).order_by(attempts.at.desc()).offset(most - 1).limit(1)
                until += [at + WINDOW for at in connection.execute(last).scalars()]
            if until:
                return max(until)
            connection.execute(insert(t.login_attempts).values(login=login, address=address, at=now))
        return None

    def clear(self, login: str) -> None:
        """It was the right password, or a new one was set: what came before does not count."""
        with self.database.write() as connection:
            connection.execute(delete(t.login_attempts).where(t.login_attempts.c.login == login[:80]))
