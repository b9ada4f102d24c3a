"""`ivr cases`: matters that stay open from call to call."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
from rich.table import Table
from rich.text import Text

from ivr import clock
from ivr.cli.common import load_config, open_store, out
from ivr.errors import UsageError
from ivr.store.audit import note_in
from ivr.store.store import DatabaseStore

COLUMNS = ("id", "opened", "about", "caller", "promise", "by", "closed")
EMPTY = "no open cases; a call that ends without an answer opens one, and PUT /api/v1/callers/NUMBER brings yours in"


@click.group("cases", invoke_without_command=True)
@click.option("--all", "every", is_flag=True, help="Closed ones too.")
@click.pass_context
def command(context: click.Context, every: bool) -> None:
    """Open cases and what was promised, oldest first; `show` and `close` one of them.

    They are opened by calls, by agents, by imports and through the API."""
    if context.invoked_subcommand is None:
        _list(_open(context.obj), every)


def _open(folder: Path) -> DatabaseStore:
    return open_store(load_config(folder))


def _list(store: DatabaseStore, every: bool) -> None:
    table = Table(box=None, pad_edge=False)
    for name in COLUMNS:
        table.add_column(name, overflow="fold")
    rows = store.cases.every(closed=every)
    for row in rows:
        shown = {**row, "by": row["promise_by"]}
        table.add_row(*(Text(str(shown[name] or "")) for name in COLUMNS))
    out.print(table if rows else EMPTY)


@command.command("show")
@click.argument("id_", metavar="ID")
@click.pass_obj
def show(folder: Path, id_: str) -> None:
    """One case: what it is about, what was promised, and its history."""
    store = _open(folder)
    case = _case(store, id_)
    for line in _lines(store, case):
        out.print(line, markup=False)


def _case(store: DatabaseStore, id_: str) -> Mapping[str, Any]:
    case = store.cases.get(id_)
    if case is None:
        raise UsageError(f"there is no case '{id_}'; 'ivr cases --all' lists them")
    return case


def _lines(store: DatabaseStore, case: Mapping[str, Any]) -> Iterator[str]:
    state = f"closed {case['closed']}" if case["closed"] else "open"
    yield f"{case['id']}  {case['about']}, {state}, opened {case['opened']} ({case['origin']}), caller {case['caller']}"
    if case["summary"]:
        yield f"  {case['summary']}"
    for promise in case["promises"]:
        by = f" by {promise['by']}" if promise["by"] else ""
        kept = f", kept {promise['kept']}" if promise["kept"] else ""
        yield f"  promised{by}: {promise['text']}{kept}"
    names = {user.id: user.login for user in store.users.every()}
    for event in case["events"]:
        when = datetime.fromtimestamp(event["at"], UTC).strftime("%Y-%m-%d %H:%M UTC")
        who = (
            names.get(event["user"], event["user"])
            if event["user"]
            else f"call {event['call']}"
            if event["call"]
            else ""
        )
        yield "  ".join(part for part in (f"  {when}", f"{event['kind']:8}", who, event["text"]) if part)


@command.command("close")
@click.argument("id_", metavar="ID")
@click.pass_obj
def close(folder: Path, id_: str) -> None:
    """Close a case that is solved. Another call about the same thing soon after opens it again."""
    store = _open(folder)
    case, now = _case(store, id_), clock.now()
    with store.database.write() as connection:
        closed = store.cases.close(connection, id_, now, store.day(case["line"], now))
        if closed:
            note_in(connection, now, None, "case", id_, "closed")
    out.print(f"case {id_} is closed" if closed else f"case {id_} was closed before", markup=False)
