"""Does a turn cost more when there are a million callers and ten million events?

    python -m bench.scale [--quick] [--callers N] [--events N] [--database URL]

Two databases: an empty one, but for the sample callers, and a full one, filled past the product's own way: callers with
number, facts and history as Margo's, closed calls with the events of a real call of hers. Then Margo's first webhook and
her pressing 2 are measured on both, interleaved in one process, as `bench.turns` does (CPU time, medians); and on the full
one also calls of a different caller each time, whose rows nobody has read before. Call SIDs are random, as Twilio's are.

The databases lie in a temporary folder, which is deleted at the end. Fails where a turn costs more than 1.2 times as much.
"""

from __future__ import annotations

import gc
import hashlib
import io
import random
import statistics
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import click
import psycopg
from flask import Flask
from rich.console import Console
from rich.table import Table

from bench import fill
from bench.servers import copy_project, databases, scratch
from bench.shipped import (
    BASE,
    LINE,
    MARGO,
    OPEN,
    TOKEN,
    application,
    environ,
    fields,
    help_of,
    margo,
    migrated,
    presses,
)
from bench.turns import timed
from ivr.personal.identity import in_control_group
from ivr.simulate.wire import Call, Reply
from ivr.store.store import DatabaseStore

MOST = 1.2
BIG_CALLERS, BIG_EVENTS = 1_000_000, 10_000_000
KEY = "bench-key"


Application = tuple[Flask, DatabaseStore]


class Cost(NamedTuple):
    """CPU and wall-clock microseconds of one kind of webhook."""

    cpu: list[float]
    wall: list[float]

    def add(self, app: Any, request: dict[str, Any]) -> None:
        """One more."""
        began = time.perf_counter()
        self.cpu.append(timed(app, request))
        self.wall.append((time.perf_counter() - began) * 1e6)


class OverWsgi:
    """A wire to an application in this process."""

    def __init__(self, app: Flask) -> None:
        self.client = app.test_client()

    def post(self, url: str, form: Any, headers: Any) -> Reply:
        """One webhook."""
        answer = self.client.post(url.removeprefix(BASE), data=dict(form), headers=dict(headers), base_url=BASE)
        return Reply(answer.status_code, answer.content_type, answer.data)


@contextmanager
def quiet() -> Iterator[None]:
    """The applications' log lines are written, to nowhere."""
    real, sys.stderr = sys.stderr, io.StringIO()
    try:
        yield
    finally:
        sys.stderr = real


def example(app: Flask, sid: str) -> None:
    """A whole call of Margo's, whose events are copied."""
    call = Call(OverWsgi(app), BASE, TOKEN, MARGO, LINE, sid)
    call.dial()
    errands = ["2", "2"]
    while not call.ended:
        call.press(presses(call.twiml[-1], errands))


def filled(url: str, model: str, project: Path, callers: int, events: int) -> str:
    """Fills a database; says with what, how large it is and how long it took."""
    began = time.perf_counter()
    migrated(url, project).dispose()
    with quiet():
        app, store = application(model, folder=project)
        sid = sid_of("the example")
        example(app, sid)
    person = margo(store)
    with fill.progress() as bar, fill.bulk(url) as load:
        fill.callers(load, person, callers, OPEN - 86400, bar)
        calls = fill.calls(load, store, sid, callers, events, OPEN - 86400, bar)
    store.dispose()
    took = time.perf_counter() - began
    return f"{callers} callers, {calls} calls, about {events} events: {megabytes(url):.0f} MB, filled in {took:.0f} s"


def megabytes(url: str) -> float:
    """How large the database is."""
    if url.startswith("sqlite:///"):
        return Path(url.removeprefix("sqlite:///")).stat().st_size / 1e6
    with psycopg.connect(url.replace("+psycopg", "")) as connection:
        row = connection.execute("SELECT pg_database_size(current_database())").fetchone()
        return (row[0] if row else 0) / 1e6


def sid_of(name: object) -> str:
    """A SID as random as Twilio's, the same in every run."""
    return f"CA{hashlib.md5(str(name).encode(), usedforsecurity=False).hexdigest()}"


def others(count: int, share: float) -> Iterator[str]:
    """Numbers of callers in no order, those in the control group left out: they hear another menu."""
    dice = random.Random(7)
    while True:
        index = dice.randrange(count)
        if not in_control_group(KEY, fill.caller_id(index, count), "northlight", share):
            yield fill.number(index)


def measure(small: Application, full: Application, callers: int, rounds: int) -> dict[tuple[str, str], Cost]:
    """Interleaved rounds, in turning order; each is a new call on each side."""
    costs = {(who, what): Cost([], []) for who in SIDES for what in ("first", "turn")}
    apps = {"empty": small[0].wsgi_app, "full": full[0].wsgi_app, "full, others": full[0].wsgi_app}
    person = margo(small[1])
    numbers = others(callers, 0.1)
    warm = max(20, rounds // 10)
    spare = {key: Cost([], []) for key in costs}
    gc.disable()
    with fill.progress() as bar, quiet():
        for index in bar.track(range(rounds + warm), description="measuring"):
            into = costs if index >= warm else spare
            for who in SIDES[index % 3 :] + SIDES[: index % 3]:
                sid, number = sid_of(f"{who} {index}"), MARGO if who != "full, others" else next(numbers)
                first, second = fields(sid, number), fields(sid, number, Digits="2")
                into[who, "first"].add(apps[who], environ("/voice/incoming", first))
                into[who, "turn"].add(apps[who], environ("/voice/turn?turn=1", second))
                timed_end = environ("/voice/status", fields(sid, number, CallStatus="completed"))
                b"".join(apps[who](timed_end, lambda *_: lambda _: None))
            for _, store in (small, full):
                # Each of her calls is her fifth, as it is with the others.
                with store.database.write() as connection:
                    store.callers.put_history(connection, person.id, person.history or {}, OPEN)
            if index % 100 == 0:
                gc.collect()
    gc.enable()
    return costs


SIDES = ["empty", "full", "full, others"]


def show(costs: dict[tuple[str, str], Cost]) -> float:
    """The table and the ratios; returns the turn's."""
    count = len(costs["empty", "turn"].cpu)
    table = Table(title=f"µs, medians of {count} interleaved rounds")
    for heading in ("database", "webhook", "CPU", "mean", "p95", "wall", "of empty"):
        table.add_column(heading, justify="left" if heading in ("database", "webhook") else "right")
    middle = {key: statistics.median(cost.cpu) for key, cost in costs.items()}
    ratio = {(who, what): middle[who, what] / middle["empty", what] for who, what in costs}
    for (who, what), cost in costs.items():
        high = sorted(cost.cpu)[int(count * 0.95)]
        figures = (middle[who, what], statistics.fmean(cost.cpu), high, statistics.median(cost.wall))
        table.add_row(who, what, *(f"{figure:.0f}" for figure in figures), f"{ratio[who, what]:.2f}")
    Console(width=100).print(table)
    click.echo(f"Margo: turn {ratio['full', 'turn']:.2f}, first {ratio['full', 'first']:.2f}")
    click.echo(
        f"a different caller each time: turn {ratio['full, others', 'turn']:.2f}, first {ratio['full, others', 'first']:.2f}"
    )
    return ratio["full", "turn"]


@click.command(help=help_of(__doc__))
@click.option("--quick", is_flag=True, help="2,000 callers, 20,000 events and a few rounds, to see that it runs.")
@click.option("--callers", type=int, default=BIG_CALLERS, show_default=True)
@click.option("--events", type=int, default=BIG_EVENTS, show_default=True)
@click.option("--rounds", default=1500, show_default=True, help="Rounds to measure.")
@click.option(
    "--database", help="A PostgreSQL in place of SQLite, as postgresql+psycopg://…; or postgresql: from the wheel."
)
def main(quick: bool, callers: int, events: int, rounds: int, database: str | None) -> None:
    if quick:
        callers, events, rounds = min(callers, 2_000), min(events, 20_000), 60
    with scratch() as folder, databases(database, folder) as make:
        project = copy_project(folder / "project")
        full = make("full")
        click.echo(filled(full, f"sqlite:///{folder / 'model.db'}", project, callers, events))
        with quiet():
            apps = [application(url, folder=project) for url in (make("empty"), full)]
        costs = measure(apps[0], apps[1], callers, rounds)
        for _, store in apps:
            store.dispose()
        scale = show(costs)
    click.echo(f"scale={scale:.2f}")
    if scale > MOST and not quick:
        sys.exit(1)


if __name__ == "__main__":
    main()
