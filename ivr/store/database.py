"""Connections: one engine to read, one to write, and statements compiled once.

SQLite: WAL, reads in autocommit, writes in `BEGIN IMMEDIATE` with a busy timeout. The driver's default mode would run a
read-modify-write without any transaction around the read and lose updates silently.
PostgreSQL: the same two roles, each with its pool.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, Table, create_engine, event
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.sql.expression import ClauseElement

from ivr.errors import StoreGone, UsageError

BUSY_MS = 4000
"""How long a write waits for another: within Twilio's patience, with time left to answer."""


class Prepared:
    """A statement compiled once for its dialect and run with plain values: half the time of compiling at each use."""

    def __init__(self, engine: Engine, statement: ClauseElement) -> None:
        compiled = statement.compile(engine, compile_kwargs={"render_postcompile": True})
        self.sql = str(compiled)
        self.names: Sequence[str] = compiled.positiontup or ()  # type: ignore[attr-defined]  # on every SQLCompiler
        self.fixed = {name: value for name, value in compiled.params.items() if value is not None}

    def run(self, connection: Connection, values: Mapping[str, Any] | None = None) -> Any:
        """The cursor's result."""
        given = values or {}
        if not self.names:
            return connection.exec_driver_sql(self.sql, {**self.fixed, **given})
        fixed = self.fixed
        parameters = tuple(given[name] if name in given else fixed.get(name) for name in self.names)
        return connection.exec_driver_sql(self.sql, parameters)

    def quick(self, cursor: Any, values: Mapping[str, Any] | None = None) -> Any:
        """The same on a driver's own cursor: what a turn uses, where every layer is heard as silence."""
        given = values or {}
        fixed = self.fixed
        if self.names:
            cursor.execute(self.sql, [given[name] if name in given else fixed.get(name) for name in self.names])
        else:
            cursor.execute(self.sql, {**fixed, **given})
        return cursor

    def quick_many(self, cursor: Any, rows: Sequence[Mapping[str, Any]]) -> None:
        """`run_many` on a driver's own cursor."""
        if self.names:
            names = self.names
            cursor.executemany(self.sql, [[row[name] for name in names] for row in rows])
        else:
            cursor.executemany(self.sql, [{**self.fixed, **row} for row in rows])

    def run_many(self, connection: Connection, rows: Sequence[Mapping[str, Any]]) -> Any:
        """One statement for all of `rows`."""
        if not self.names:
            return connection.exec_driver_sql(self.sql, [{**self.fixed, **row} for row in rows])
        return connection.exec_driver_sql(self.sql, [tuple(row[name] for name in self.names) for row in rows])


class Database:
    """A database by URL. `durability` is SQLite's `synchronous`: NORMAL survives kill -9, FULL also a power cut."""

    def __init__(self, url: str, durability: str = "NORMAL") -> None:
        self.url = url
        self.is_sqlite = url.startswith("sqlite")
        try:
            if self.is_sqlite:
                self.reader, self.writer = self._sqlite(url, durability)
            else:
                self.writer = create_engine(
                    url, pool_size=10, max_overflow=10, pool_timeout=4, pool_pre_ping=False, pool_recycle=1800
                )
                # A pool of its own: one switched back and forth sends BEGIN and ROLLBACK around every read.
                self.reader = create_engine(
                    url, isolation_level="AUTOCOMMIT", pool_size=10, max_overflow=10, pool_timeout=4, pool_recycle=1800
                )
            driver: Any = self.writer.dialect.dbapi
            self.driver_error: type[Exception] = driver.Error
            self.integrity_error: type[Exception] = driver.IntegrityError
        except (SQLAlchemyError, ImportError, ValueError) as error:
            hint = " (pip install 'ivr[postgres]')" if isinstance(error, ImportError) else ""
            raise UsageError(f"the database URL cannot be used: {str(error).splitlines()[0]}{hint}") from None

    def _sqlite(self, url: str, durability: str) -> tuple[Engine, Engine]:
        path = url.removeprefix("sqlite:///")
        if path and path != ":memory:":
            Path(path).parent.mkdir(parents=True, exist_ok=True)
        arguments = {"timeout": BUSY_MS / 1000, "check_same_thread": False, "isolation_level": None}
        engines = [create_engine(url, connect_args=arguments, pool_size=20, max_overflow=40) for _ in range(2)]
        for engine in engines:
            event.listen(engine, "connect", lambda connection, _: _tune(connection, durability))
        event.listen(engines[1], "begin", lambda connection: connection.exec_driver_sql("BEGIN IMMEDIATE"))
        return engines[0], engines[1]

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A connection to read from."""
        try:
            with self.reader.connect() as connection:
                yield connection
        except (DBAPIError, PoolTimeout) as error:
            raise self._gone(error) from error

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A transaction, committed at its end."""
        try:
            with self.writer.begin() as connection:
                yield connection
        except (OperationalError, InterfaceError, PoolTimeout) as error:
            raise self._gone(error) from error

    @contextmanager
    def quick_read(self) -> Iterator[Any]:
        """A driver's cursor to read from, without a transaction."""
        try:
            raw = self.reader.raw_connection()
            try:
                yield raw.cursor()
            finally:
                raw.close()
        except (self.driver_error, SQLAlchemyError) as error:
            raise self._gone(error) from error

    @contextmanager
    def quick_write(self) -> Iterator[Any]:
        """A driver's cursor in a transaction, committed at its end. An integrity fault of the driver passes through."""
        try:
            raw = self.writer.raw_connection()
            try:
                cursor = raw.cursor()
                if self.is_sqlite:
                    cursor.execute("BEGIN IMMEDIATE")
                try:
                    yield cursor
                except BaseException:
                    raw.rollback()
                    raise
                raw.commit()
            finally:
                raw.close()
        except self.integrity_error:
            raise
        except (self.driver_error, SQLAlchemyError) as error:
            raise self._gone(error) from error

    def _gone(self, error: Exception) -> StoreGone:
        """The fault as ours. A server that closed one connection closed the idle ones too: no further caller meets them."""
        if not self.is_sqlite:
            self.close()
        return StoreGone(str(getattr(error, "orig", error)).splitlines()[0] if str(error) else "no answer")

    def close(self) -> None:
        """Gives back every connection."""
        self.reader.dispose()
        self.writer.dispose()


def insert_once(connection: Connection, table: Table, row: Mapping[str, Any]) -> bool:
    """Inserts a row unless one with its key is there already; returns whether it was new."""
    dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
    made = dialect.insert(table).values(row).on_conflict_do_nothing().returning(*table.primary_key)
    return connection.execute(made).first() is not None


def _tune(connection: sqlite3.Connection, durability: str) -> None:
    for pragma in (
        "journal_mode=WAL",
        f"synchronous={durability}",
        f"busy_timeout={BUSY_MS}",
        "foreign_keys=ON",
        "cache_size=-16000",
        "temp_store=MEMORY",
    ):
        connection.execute(f"PRAGMA {pragma}")
