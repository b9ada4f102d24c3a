"""Bundles, which one is published, notices, and popularity: read rarely and kept in memory, never on the path of a turn."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterable

from sqlalchemy import delete, insert, select, text, update
from sqlalchemy.exc import IntegrityError

from ivr.clock import Clock
from ivr.errors import StoreGone, UsageError
from ivr.flow.bundle import Bundle, from_json
from ivr.personal.likely import Popularity
from ivr.store import tables as t
from ivr.store.database import Database

REFRESH_SECONDS = 1.0
KEPT = 16


class Bundles:
    """The `bundles`, `published`, `notices` and `popularity` tables, with what a process remembers of them."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self.database = database
        self.clock = clock
        self._lock = threading.Lock()
        self._kept: dict[str, Bundle] = {}
        self._published: str | None = None
        self._notices: dict[str, str] = {}
        self._popularity: dict[str, Popularity] = {}
        self._read_at = float("-inf")

    def publish(self, bundle: Bundle, at: float) -> None:
        """From now on new calls get `bundle`; it is stored before any call can pin it."""
        with self.database.write() as connection:
            if not self.database.is_sqlite:
                # Servers that start together publish the same files; SQLite has a single writer anyway.
                connection.execute(text("SELECT pg_advisory_xact_lock(4988)"))
            if connection.execute(select(t.bundles.c.id).where(t.bundles.c.id == bundle.id)).scalar() is None:
                connection.execute(insert(t.bundles).values(id=bundle.id, body=bundle.to_json(), at=at))
            changed = connection.execute(
                update(t.published).where(t.published.c.name == "current").values(bundle=bundle.id, at=at)
            )
            if changed.rowcount == 0:
                connection.execute(insert(t.published).values(name="current", bundle=bundle.id, at=at))
        with self._lock:
            self._kept[bundle.id] = bundle
            self._published = bundle.id
            self._read_at = self.clock()

    def published_id(self) -> str | None:
        """What new calls get, by name; None where nothing was ever published."""
        with self.database.read() as connection:
            found: str | None = connection.execute(
                select(t.published.c.bundle).where(t.published.c.name == "current")
            ).scalar()
            return found

    def published(self) -> Bundle:
        """What new calls get. Read from the database at most once a second; while that is gone, what was read last."""
        if self.clock() - self._read_at > REFRESH_SECONDS or self._published is None:
            try:
                self.refresh()
            except StoreGone:
                if self._published is None:
                    raise
        bundle = self.bundle(self._published) if self._published else None
        if bundle is None:
            raise UsageError("no flows have been published yet; run 'ivr check', then start the server again")
        return bundle

    def refresh(self) -> None:
        """Reads what is published, the notices and the popularity."""
        with self.database.read() as connection:
            self._published = connection.execute(
                select(t.published.c.bundle).where(t.published.c.name == "current")
            ).scalar()
            notices = connection.execute(select(t.notices.c.line, t.notices.c.text)).all()
            rows = connection.execute(select(t.popularity.c.scope, t.popularity.c.counts, t.popularity.c.at)).all()
        self._notices = {row.line: row.text for row in notices}
        self._popularity = {scope: Popularity.from_json(json.loads(counts)) for scope, counts, _ in rows}
        self._read_at = self.clock()

    def bundle(self, id_: str) -> Bundle | None:
        """A bundle by name, from memory or the database."""
        found = self._kept.get(id_)
        if found is not None:
            return found
        with self.database.read() as connection:
            body = connection.execute(select(t.bundles.c.body).where(t.bundles.c.id == id_)).scalar()
        if body is None:
            return None
        made = from_json(body)
        with self._lock:
            while len(self._kept) >= KEPT:
                self._kept.pop(next(iter(self._kept)))
            self._kept[id_] = made
        return made

    def notice(self, line: str) -> str | None:
        """What operators want said on a line now."""
        return self._notices.get(line)

    def set_notice(self, line: str, text: str | None, at: float) -> None:
        """Sets or takes back a line's notice."""
        with self.database.write() as connection:
            connection.execute(delete(t.notices).where(t.notices.c.line == line))
            if text:
                connection.execute(insert(t.notices).values(line=line, text=text, at=at))

    def popularity(self, line: str) -> Popularity:
        """What everybody calls about lately, as the worker last counted it."""
        return self._popularity.get(line) or Popularity()

    def keep_popularity(self, line: str, counts: Popularity, at: float) -> None:
        """Stores a new count."""
        with self.database.write() as connection:
            body = json.dumps(counts.to_json())
            changed = connection.execute(
                update(t.popularity).where(t.popularity.c.scope == line).values(counts=body, at=at)
            )
            if changed.rowcount == 0:
                connection.execute(insert(t.popularity).values(scope=line, counts=body, at=at))


class Cache:
    """The `lookup_cache` table, as the lookups' CacheStore."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def read(self, source: str, key: str) -> tuple[dict[str, object], float] | None:
        """(values, when they were stored), or None."""
        statement = select(t.lookup_cache.c.value, t.lookup_cache.c.at).where(
            t.lookup_cache.c.source == source, t.lookup_cache.c.key == key
        )
        with self.database.read() as connection:
            row = connection.execute(statement).first()
        return (json.loads(row[0]), row[1]) if row else None

    def write(self, source: str, key: str, values: dict[str, object], at: float) -> None:
        """Keeps an answer, in a transaction of its own."""
        body = json.dumps(values)
        statement = (
            update(t.lookup_cache)
            .where(t.lookup_cache.c.source == source, t.lookup_cache.c.key == key)
            .values(value=body, at=at)
        )
        try:
            with self.database.write() as connection:
                if connection.execute(statement).rowcount == 0:
                    connection.execute(insert(t.lookup_cache).values(source=source, key=key, value=body, at=at))
        except IntegrityError:
            # Another worker kept the same answer a moment ago.
            return

    def forget(self, source: str, keys: Iterable[str]) -> None:
        """Deletes answers by their keys."""
        rows = delete(t.lookup_cache).where(t.lookup_cache.c.source == source, t.lookup_cache.c.key.in_(list(keys)))
        with self.database.write() as connection:
            connection.execute(rows)

    def expire(self, before: float) -> int:
        """Deletes answers older than `before`."""
        with self.database.write() as connection:
            return int(connection.execute(delete(t.lookup_cache).where(t.lookup_cache.c.at < before)).rowcount)
