"""Many callers and calls at once: twins of Margo, and copies of a call of hers, loaded in bulk past the product's own way.

Keys are spread over their whole range and loaded in order, as a database that has grown for years holds them.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import psycopg
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from sqlalchemy import Table, select

from ivr.jsontext import encode
from ivr.personal.snapshot import Person
from ivr.store import tables as t
from ivr.store.store import DatabaseStore

CHUNK = 20_000
Values = Sequence[Any]
Load = Callable[[Table, Iterable[Values]], None]


def caller_id(index: int, of: int) -> str:
    """The id of the `index`-th of so many callers: hexadecimal, as the product's own."""
    return f"{index * (2**128 // of):032x}"


def number(index: int) -> str:
    """Their number, which is nobody else's."""
    return f"+1555{2_000_000 + index:07d}" if index < 8_000_000 else f"+1556{index:07d}"


def progress() -> Progress:
    """A bar on standard error."""
    columns = (TextColumn("{task.description:24}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    return Progress(*columns, console=Console(stderr=True), transient=True)


@contextmanager
def bulk(database: str) -> Iterator[Load]:
    """Loads rows into a database that nobody else has open; its settings are the product's again afterwards."""
    if database.startswith("sqlite:///"):
        connection = sqlite3.connect(database.removeprefix("sqlite:///"), isolation_level=None)
        for pragma in ("journal_mode=OFF", "synchronous=OFF", "foreign_keys=OFF", "cache_size=-200000"):
            connection.execute(f"PRAGMA {pragma}")

        def load(table: Table, rows: Iterable[Values]) -> None:
            names = list(table.columns.keys())
            marks = ", ".join("?" * len(names))
            connection.execute("BEGIN")
            connection.executemany(f"INSERT INTO {table.name} ({', '.join(names)}) VALUES ({marks})", rows)
            connection.execute("COMMIT")

        try:
            yield load
            connection.execute("PRAGMA journal_mode=WAL")
        finally:
            connection.close()
        return
    with psycopg.connect(database.replace("+psycopg", "")) as server:

        def copy(table: Table, rows: Iterable[Values]) -> None:
            columns = ", ".join(table.columns.keys())
            with server.cursor().copy(f"COPY {table.name} ({columns}) FROM STDIN") as into:
                for row in rows:
                    into.write_row(row)

        yield copy
        server.commit()
        server.autocommit = True
        server.execute("VACUUM ANALYZE")  # as autovacuum would have done by now


def callers(load: Load, twin_of: Person, count: int, at: float, bar: Progress) -> None:
    """`count` callers, each with a number, the facts and the history of `twin_of`."""
    facts = [(name, encode(value)) for name, value in twin_of.facts.items()]
    record = encode(twin_of.history)
    task = bar.add_task("callers", total=count)
    for start in range(0, count, CHUNK):
        some = range(start, min(start + CHUNK, count))
        ids = [caller_id(index, count) for index in some]
        load(t.callers, ((caller, at) for caller in ids))
        load(t.numbers, ((number(index), caller) for index, caller in zip(some, ids, strict=True)))
        load(t.facts, ((c, name, value, "crm", at, "greeting", None) for c in ids for name, value in facts))
        load(t.history, ((caller, record, at) for caller in ids))
        bar.update(task, completed=some.stop)


def calls(load: Load, store: DatabaseStore, like: str, of_callers: int, events: int, at: float, bar: Progress) -> int:
    """Closed calls as `like` (its SID in `store`), as many as make up about so many events. Returns how many calls."""
    with store.database.read() as connection:
        call = dict(connection.execute(select(t.calls).where(t.calls.c.sid == like)).mappings().one())
        found = connection.execute(select(t.events).where(t.events.c.sid == like).order_by(t.events.c.seq)).all()
    templates = [tuple(row)[1:] for row in found]
    count = max(1, events // len(templates))
    each = 300 * 86400 / count  # over the last 300 days
    task = bar.add_task(f"calls and their {count * len(templates)} events", total=count)
    chunk = max(1, 4 * CHUNK // len(templates))
    for start in range(0, count, chunk):
        some = range(start, min(start + chunk, count))
        sids = [f"CA{index * (2**128 // count):032x}" for index in some]
        load(
            t.calls,
            (
                _call(call, sid, index, of_callers, at - (count - index) * each)
                for sid, index in zip(sids, some, strict=True)
            ),
        )
        load(t.events, ((sid, *row) for sid in sids for row in templates))
        bar.update(task, completed=some.stop)
    return count


def _call(call: dict[str, Any], sid: str, index: int, of_callers: int, at: float) -> Values:
    who = index % of_callers
    changed = {
        "sid": sid,
        "caller": caller_id(who, of_callers),
        "number": number(who),
        "started": at,
        "updated": at + 60,
        "silent_at": at + 100,
        "ended": at + 60,
    }
    return tuple((call | changed).values())
