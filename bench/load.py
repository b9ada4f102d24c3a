"""How many turns a second, and how quickly, with many calls at once over HTTP?

    python -m bench.load [--quick] [--database URL]

The real server with two workers, on SQLite and on PostgreSQL (from a wheel). Whole calls of known callers: a question
about a bill, the birth date, the postcode, the answer, goodbye, and the final status callback; each webhook counts as a turn. Two ways:

flat out  each of 32 callers presses the next key as soon as they have an answer: what the server can do at most
paced     each of 600 callers takes two seconds over each answer, give or take: what callers then wait for a turn

An error is anything but TwiML with status 200, an apology, or a call that the database does not hold as ended well.
The calls are driven by processes of their own; how busy they were stands in the table, beside the server's figures.
"""

from __future__ import annotations

import asyncio
import random
import re
import socket
import sys
import time
from collections import deque
from collections.abc import Mapping, Sequence
from multiprocessing import get_context
from multiprocessing.pool import Pool
from typing import NamedTuple
from urllib.parse import urlencode

import click
from rich.console import Console
from rich.table import Table
from sqlalchemy import create_engine, func, select

from bench import fill
from bench.servers import BASE, POSTGRES, Server, copy_project, databases, scratch
from bench.shipped import LINE, OPEN, TOKEN, help_of, margo, migrated, presses
from ivr.simulate.wire import form_fields, sign
from ivr.store import tables as t
from ivr.telephony.twiml import APOLOGIES

PROCESSES = 2
CALLERS = 2000
ACTION = re.compile(r'<(?:Gather|Dial|Record) [^>]*?action="([^"#]+)')


class Plan(NamedTuple):
    """One way to call: callers at once, and the mean seconds between an answer and the next key."""

    name: str
    callers: int
    pause: float


class Report(NamedTuple):
    """What one process of callers saw: the seconds each turn took, and how many turns ended within the time."""

    turns: list[float]
    in_time: int
    calls: int
    errors: list[str]
    busy: float


PLANS = (Plan("flat out", 32, 0.0), Plan("paced", 600, 2.0))


class Callers:
    """Callers in one process, on connections that are kept and shared, as a provider's are."""

    def __init__(self, port: int, first: int, plan: Plan, seconds: float) -> None:
        self.port, self.first, self.plan = port, first, plan
        self.until = time.perf_counter() + seconds
        self.turns: list[float] = []
        self.errors: list[str] = []
        self.in_time = self.calls = 0
        self.dice = random.Random(first)
        self._free: deque[socket.socket] = deque()
        self._loop = asyncio.get_running_loop()

    async def caller(self, index: int) -> None:
        """One call after the other until the time is over; the last one is played to its end."""
        while time.perf_counter() < self.until:
            await self._wait()
            self.calls += 1
            sid = f"CA{self.dice.getrandbits(128):032x}"
            try:
                await self._call(sid, fill.number(self.first + index))
            except OSError as error:
                self.errors.append(f"{sid}: {error!r}")

    async def _wait(self) -> None:
        if self.plan.pause:
            await asyncio.sleep(min(self.dice.expovariate(1 / self.plan.pause), 5 * self.plan.pause))

    async def _call(self, sid: str, number: str) -> None:
        form, errands = form_fields(sid, number, LINE), ["2"]
        document = await self._post("/voice/incoming", form)
        for _ in range(30):
            action = ACTION.search(document)
            if action is None:
                break
            await self._wait()
            path = action[1].removeprefix(BASE).replace("&amp;", "&")
            if "<Dial" in document:
                document = await self._post(path, {**form, "DialCallStatus": "completed", "DialBridged": "true"})
            else:
                document = await self._post(path, {**form, "Digits": presses(document, errands)})
        await self._post("/voice/status", {**form, "CallStatus": "completed", "CallDuration": "30"})

    async def _post(self, path: str, form: Mapping[str, str]) -> str:
        """One signed webhook; its seconds and its faults are noted."""
        body = urlencode(form)
        head = (
            f"POST {path} HTTP/1.1\r\nHost: localhost\r\nX-Twilio-Signature: {sign(TOKEN, BASE + path, form)}\r\n"
            f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        began = time.perf_counter()
        answer = await self._exchange((head + body).encode())
        ended = time.perf_counter()
        self.turns.append(ended - began)
        self.in_time += ended < self.until
        status, _, document = answer.partition("\r\n\r\n")
        if " 200 " not in status[:16] or "<Response" not in document:
            self.errors.append(f"{path}: {status[:60]} {document[:100]}")
        elif APOLOGIES["en"].split(",")[1] in document:
            self.errors.append(f"{path}: an apology")
        return document

    async def _exchange(self, request: bytes) -> str:
        if self._free:
            connection = self._free.pop()
        else:
            connection = socket.socket()
            connection.setblocking(False)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            await self._loop.sock_connect(connection, ("127.0.0.1", self.port))
        await self._loop.sock_sendall(connection, request)
        received, missing = b"", 1
        while missing > 0:
            more = await self._loop.sock_recv(connection, 65536)
            if not more:
                raise ConnectionResetError("the server closed the connection")
            received += more
            head, mark, body = received.partition(b"\r\n\r\n")
            length = re.search(rb"content-length: *(\d+)", head, re.IGNORECASE)
            missing = int(length[1]) - len(body) if mark and length else 1
        self._free.append(connection)
        return received.decode()

    async def all(self) -> Report:
        """Every caller to the end of their last call."""
        began, used = time.perf_counter(), time.process_time()
        await asyncio.gather(*(self.caller(index) for index in range(self.plan.callers // PROCESSES)))
        for connection in self._free:
            connection.close()
        busy = (time.process_time() - used) / (time.perf_counter() - began)
        return Report(self.turns, self.in_time, self.calls, self.errors, busy)


def drive(port: int, first: int, plan: Plan, seconds: float) -> Report:
    """One process of callers."""

    async def run() -> Report:
        return await Callers(port, first, plan, seconds).all()

    return asyncio.run(run())


def measure(drivers: Pool, server: Server, plan: Plan, seconds: float) -> tuple[list[str], int]:
    """One row of the table, and how many errors."""
    each = CALLERS // PROCESSES
    running = [drivers.apply_async(drive, (server.port, index * each, plan, seconds)) for index in range(PROCESSES)]
    reports = [one.get(seconds + 120) for one in running]
    turns = sorted(took for report in reports for took in report.turns)
    errors = [error for report in reports for error in report.errors]
    for error in errors[:5]:
        click.echo(f"error: {error}", err=True)
    cells = [plan.name, str(plan.callers), str(sum(report.calls for report in reports))]
    cells += [f"{sum(report.in_time for report in reports) / seconds:.0f}"]
    cells += [f"{1000 * percentile(turns, share):.1f}" for share in (0.5, 0.99)]
    return [*cells, str(len(errors)), f"{100 * max(report.busy for report in reports):.0f} %"], len(errors)


def percentile(ordered: Sequence[float], share: float) -> float:
    """Of values in order."""
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else 0.0


def not_ended_well(database: str) -> int:
    """Calls that the database does not hold as closed and resolved."""
    engine = create_engine(database)
    with engine.connect() as connection:
        wrong = (
            select(func.count())
            .select_from(t.calls)
            .where((t.calls.c.state != "closed") | (t.calls.c.outcome != "resolved"))
        )
        found = int(connection.execute(wrong).scalar() or 0)
    engine.dispose()
    return found


@click.command(help=help_of(__doc__))
@click.option("--quick", is_flag=True, help="A second each, to see that it runs.")
@click.option("--seconds", default=15.0, show_default=True, help="Seconds each row is driven for.")
@click.option("--database", help="A PostgreSQL to use in place of the wheel's, as postgresql+psycopg://…")
def main(quick: bool, seconds: float, database: str | None) -> None:
    plans = (
        tuple(plan._replace(callers=min(plan.callers, 60), pause=plan.pause / 20) for plan in PLANS) if quick else PLANS
    )
    seconds = 1.0 if quick else seconds
    table = Table(title=f"2 workers; calls driven by {PROCESSES} processes on the same machine")
    for heading in ("database", "pace", "callers", "calls", "turns/s", "p50 ms", "p99 ms", "errors", "driver busy"):
        table.add_column(heading, justify="left" if heading in ("database", "pace") else "right")
    errors = 0
    summary = []
    with get_context("spawn").Pool(PROCESSES) as drivers:
        for name, kind in (("sqlite", None), ("postgresql", database or POSTGRES)):
            rows, wrong = on(kind, drivers, plans, seconds, name)
            errors += wrong
            for row in rows:
                table.add_row(name, *row)
            summary.append(f"{name}={rows[0][3]}")
    Console(width=100).print(table)
    click.echo(f"turns per second: {' '.join(summary)} errors={errors}")
    if errors:
        sys.exit(1)


def on(
    kind: str | None, drivers: Pool, plans: Sequence[Plan], seconds: float, name: str
) -> tuple[list[list[str]], int]:
    """Every plan's row on one kind of database, and how many errors."""
    with scratch() as folder, databases(kind, folder) as make, fill.progress() as bar:
        url = make("load")
        project = copy_project(folder / "project")
        store = migrated(url, project)
        person = margo(store)
        store.dispose()
        with fill.bulk(url) as load:
            fill.callers(load, person, CALLERS, OPEN, bar)
        rows, errors = [], 0
        with Server(project, url, folder) as server:
            for plan in plans:
                task = bar.add_task(f"{name}, {plan.name}", total=None)
                row, wrong = measure(drivers, server, plan, seconds)
                rows.append(row)
                errors += wrong
                bar.remove_task(task)
        for line in server.faults()[:10]:
            click.echo(f"the server logged: {line}", err=True)
        badly = not_ended_well(url)
        if badly:
            click.echo(f"error: {badly} calls on {name} did not end as resolved", err=True)
        return rows, errors + badly


if __name__ == "__main__":
    main()
