"""Is an answer lost, or given twice, when the server is killed with -9 in the middle of many calls?

    python -m bench.crash [--quick] [--calls N] [--database URL]

The real server with two workers takes many calls at once. All its processes are killed in one moment, and it is started
again. A webhook without an answer is sent again every half second for up to 14 seconds, just as it was, as Twilio does;
then the call goes on. At the end what each caller received is compared with the database:

lost   a webhook that was answered and is not stored, or not as it was answered, or in another order
twice  a webhook that was taken twice, or got another answer the second time than the one that was stored

It fails where anything was lost or taken twice, where a call could not go on, and with fewer than 50 webhooks in flight
(sent, and never answered by the server that was killed).
"""

from __future__ import annotations

import re
import shutil
import sys
import threading
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import click
from sqlalchemy import create_engine, select, text

from bench import fill
from bench.servers import BASE, Server, copy_project, databases, scratch
from bench.shipped import LINE, OPEN, TOKEN, help_of, margo, migrated, presses
from ivr.errors import IvrError
from ivr.jsontext import decode
from ivr.simulate.wire import Call, Reply
from ivr.store import tables as t

AGAIN = 0.5
PATIENCE = 14.0
READ_TIMEOUT = 5.0
LEAST_IN_FLIGHT = 50
ERRANDS = ("2", "5", "6", "2")
MOST_ACTS = 60
BEFORE_THE_KILL = 6
NOT_FROM_WEBHOOKS = ("answer", "no_answer", "still_waiting", "hung_up")


@dataclass
class Webhook:
    """One webhook: what was sent, each attempt (when, and whether it was answered), and the answer."""

    url: str
    form: Mapping[str, str]
    attempts: list[list[float | bool]] = field(default_factory=list)
    answer: str | None = None

    @property
    def turn(self) -> int | None:
        """The turn it answers; 0 for a call's first, None for a status callback."""
        parts = urlsplit(self.url)
        if parts.path == "/voice/incoming":
            return 0
        return int(parse_qs(parts.query)["turn"][0]) if parts.path == "/voice/turn" else None

    def in_flight_at(self, moment: float) -> bool:
        """Whether an attempt sent before `moment` never got an answer."""
        return any(sent < moment and not answered for sent, answered in self.attempts)


class Line:
    """A wire that does not give up: one for each call. `answered` counts for all of them."""

    answered = 0
    _counting = threading.Lock()

    def __init__(self, port: int) -> None:
        self.port = port
        self.webhooks: list[Webhook] = []
        self._connection: HTTPConnection | None = None

    def post(self, url: str, form: Mapping[str, str], headers: Mapping[str, str]) -> Reply:
        """Sends until there is an answer. Raises OSError after 14 seconds."""
        webhook = Webhook(url, form)
        self.webhooks.append(webhook)
        began = time.perf_counter()
        while True:
            tried = time.perf_counter()
            try:
                reply = self._attempt(webhook, headers)
            except (OSError, HTTPException) as error:
                if time.perf_counter() - began > PATIENCE:
                    raise OSError(f"no answer within {PATIENCE:.0f} s: {error!r}") from error
                time.sleep(max(0.0, tried + AGAIN - time.perf_counter()))
                continue
            webhook.answer = reply.body.decode()
            with Line._counting:
                Line.answered += 1
            return reply

    def _attempt(self, webhook: Webhook, headers: Mapping[str, str]) -> Reply:
        parts = urlsplit(webhook.url)
        path = f"{parts.path}?{parts.query}" if parts.query else parts.path
        sent = {**headers, "Host": parts.netloc, "Content-Type": "application/x-www-form-urlencoded"}
        connection = self._connection or HTTPConnection("127.0.0.1", self.port, timeout=READ_TIMEOUT)
        self._connection = None
        try:
            connection.request("POST", path, urlencode(webhook.form), sent)
            attempt: list[float | bool] = [time.perf_counter(), False]
            webhook.attempts.append(attempt)
            response = connection.getresponse()
            reply = Reply(response.status, response.getheader("Content-Type", ""), response.read())
            attempt[1] = True
        except BaseException:
            connection.close()
            raise
        self._connection = connection
        return reply


@dataclass
class Caller:
    """One call and how it went."""

    call: Call
    line: Line
    number: str
    fault: str = ""

    def talk(self) -> None:
        """Several errands in one call, to its end."""
        try:
            self.call.dial()
            errands = list(ERRANDS)
            for _ in range(MOST_ACTS):
                if self.call.ended:
                    return
                self._act(errands)
            self.fault = f"did not end within {MOST_ACTS} turns"
        except (OSError, IvrError, ValueError) as error:
            self.fault = f"could not go on: {error}"

    def _act(self, errands: list[str]) -> None:
        if self.call.waiting == "Dial":
            self.call.dial_result("completed")
        elif self.call.waiting == "Record":
            self.call.record()
        else:
            self.call.press(presses(self.call.twiml[-1], errands))


# — the comparison —


@dataclass
class Verdict:
    """What was found wrong."""

    lost: list[str] = field(default_factory=list)
    twice: list[str] = field(default_factory=list)
    stuck: list[str] = field(default_factory=list)


def compare(callers: Sequence[Caller], database: str, before: Mapping[str, tuple[int, str]], killed: float) -> Verdict:
    """Each caller's own record against what is stored."""
    verdict = Verdict()
    engine = create_engine(database)
    with engine.connect() as connection:
        for caller in callers:
            _compare(caller, connection, before.get(caller.call.call_sid), killed, verdict)
    engine.dispose()
    return verdict


def _compare(caller: Caller, connection: Any, before: tuple[int, str] | None, killed: float, verdict: Verdict) -> None:
    sid = caller.call.call_sid
    if caller.fault:
        verdict.stuck.append(f"{sid}: {caller.fault}")
    stored = connection.execute(select(t.calls).where(t.calls.c.sid == sid)).mappings().first()
    events = connection.execute(select(t.events).where(t.events.c.sid == sid).order_by(t.events.c.seq)).mappings().all()
    if stored is None:
        verdict.lost.append(f"{sid}: the whole call")
        return
    answered = [hook for hook in caller.line.webhooks if hook.turn is not None and hook.answer is not None]
    taken = [event["turn"] - 1 for event in events if _took_a_webhook(event)]
    for turn, times in Counter(taken).items():
        if times > 1:
            verdict.twice.append(f"{sid}: turn {turn} was taken {times} times")
    if [event["seq"] for event in events] != list(range(stored["seq"])):
        verdict.lost.append(f"{sid}: its events have a gap")
    if not caller.fault and list(dict.fromkeys(taken)) != [hook.turn for hook in answered]:
        verdict.lost.append(f"{sid}: answered {[hook.turn for hook in answered]}, stored {taken}")
    for hook in answered:
        of_turn = [event for event in events if event["turn"] - 1 == hook.turn]
        wrong = _difference(hook, of_turn)
        if wrong:
            verdict.lost.append(f"{sid}: turn {hook.turn}: {wrong}")
        if before and hook.turn == before[0] - 1 and hook.in_flight_at(killed) and hook.answer != before[1]:
            verdict.twice.append(f"{sid}: turn {hook.turn} was stored, and answered otherwise when it was sent again")
    if not caller.fault:
        _ending(caller, stored, events, connection, verdict)


def _took_a_webhook(event: Mapping[str, Any]) -> bool:
    """Whether the event is a webhook's input: not a lookup's answer, which is heard within a turn, nor the end."""
    kind = decode(event["data"]).get("kind") if event["type"] == "heard" else ""
    return event["type"] == "started" or (bool(kind) and kind not in NOT_FROM_WEBHOOKS)


def _difference(hook: Webhook, events: Sequence[Mapping[str, Any]]) -> str:
    """Whether what was sent and heard at one turn is what its events say."""
    if not events:
        return "is not stored"
    heard = [decode(event["private"])["input"] for event in events if event["type"] == "heard" and event["private"]]
    keys = next((given.get("digits") for given in heard if given.get("kind") == "keys"), None)
    if keys is not None and keys != hook.form.get("Digits"):
        return f"{hook.form.get('Digits')} was pressed, {keys} is stored"
    spoken = [decode(event["private"])["ssml"] for event in events if event["type"] == "spoke"]
    played = re.findall(r"<Say[^>]*>(.*?)</Say>", hook.answer or "", re.DOTALL)
    if [_words(words) for words in spoken] != [_words(words) for words in played]:
        return f"the caller heard {played}, stored is {spoken}"
    return ""


def _words(ssml: str) -> str:
    """Without mark-up, and with one way of writing an apostrophe."""
    plain = re.sub(r"<[^>]*>", " ", ssml)
    for entity, character in (("&apos;", "'"), ("&#39;", "'"), ("&quot;", '"'), ("&amp;", "&")):
        plain = plain.replace(entity, character)
    return " ".join(plain.split())


def _ending(
    caller: Caller, stored: Mapping[str, Any], events: Sequence[Mapping[str, Any]], connection: Any, verdict: Verdict
) -> None:
    """A call ends once, and is in its caller's history once."""
    sid = caller.call.call_sid
    ended = sum(event["type"] == "ended" for event in events)
    if stored["state"] != "closed" or not ended:
        verdict.lost.append(f"{sid}: the end of the call")
    if ended > 1:
        verdict.twice.append(f"{sid}: ended {ended} times")
    if stored["twiml"] != caller.call.twiml[-1]:
        verdict.lost.append(f"{sid}: the last answer is not the one that is stored")
    record = connection.execute(select(t.history.c.record).where(t.history.c.caller == stored["caller"])).scalar()
    times = [entry["sid"] for entry in decode(record)["recent"]].count(sid) if record else 0
    if times != 1:
        (verdict.twice if times else verdict.lost).append(f"{sid}: {times} times in its caller's history")


def stored_turns(database: str, folder: Path) -> dict[str, tuple[int, str]]:
    """SID → the turn each call awaits and the TwiML before it, as the killed server left them. Touches nothing of its."""
    if database.startswith("sqlite:///"):
        path = Path(database.removeprefix("sqlite:///"))
        copy = folder / "as-killed.db"
        for suffix in ("", "-wal"):
            with suppress(FileNotFoundError):
                shutil.copy(f"{path}{suffix}", f"{copy}{suffix}")
        database = f"sqlite:///{copy}"
    engine = create_engine(database)
    with engine.connect() as connection:
        if engine.dialect.name == "postgresql":
            others = text(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
            while connection.execute(others).scalar():
                time.sleep(0.02)  # a commit that was on its way is carried out
        rows = connection.execute(select(t.calls.c.sid, t.calls.c.turn, t.calls.c.twiml)).all()
    engine.dispose()
    return {sid: (turn, twiml) for sid, turn, twiml in rows}


# — the run —


@click.command(help=help_of(__doc__))
@click.option("--quick", is_flag=True, help="40 calls, and no least number in flight.")
@click.option("--calls", "count", type=int, default=200, show_default=True, help="Calls at once.")
@click.option("--database", help="A PostgreSQL to try it on, as postgresql+psycopg://…; or postgresql: from the wheel.")
def main(quick: bool, count: int, database: str | None) -> None:
    count = 40 if quick else count
    with scratch() as folder, databases(database, folder) as make:
        url = make("crash")
        project = copy_project(folder / "project")
        store = migrated(url, project)
        person = margo(store)
        store.dispose()
        with fill.progress() as bar, fill.bulk(url) as load:
            fill.callers(load, person, count, OPEN, bar)
        server = Server(project, url, folder)
        click.echo(f"the server is ready after {server.start():.1f} s: {server.workers} workers, {count} calls at once")
        try:
            in_flight, stuck, verdict = run(server, count, folder)
        finally:
            server.stop()
        for line in server.faults()[:10]:
            click.echo(f"the server logged: {line}")
    for name, found in vars(verdict).items():
        for each in found[:10]:
            click.echo(f"{name}: {each}")
    click.echo(f"calls={count} in_flight={in_flight} lost={len(verdict.lost)} twice={len(verdict.twice)}")
    if verdict.lost or verdict.twice or verdict.stuck or stuck or (in_flight < LEAST_IN_FLIGHT and not quick):
        sys.exit(1)


def run(server: Server, count: int, folder: Path) -> tuple[int, int, Verdict]:
    """The calls, the kill, the start after it, and what became of everything."""
    callers = []
    Line.answered = 0
    for index in range(count):
        line = Line(server.port)
        sid = f"CA{(index + 1) * 0x9E3779B97F4A7C15F39CC0605CEDC835 % 2**128:032x}"
        callers.append(Caller(Call(line, BASE, TOKEN, fill.number(index), LINE, sid), line, fill.number(index)))
    threads = [threading.Thread(target=caller.talk, daemon=True) for caller in callers]
    with fill.progress() as bar:
        task = bar.add_task("calls that have ended", total=count)
        for thread in threads:
            thread.start()
        while Line.answered < count * BEFORE_THE_KILL and any(thread.is_alive() for thread in threads):
            time.sleep(0.002)
        killed = time.perf_counter()
        server.kill()
        before = stored_turns(server.database, folder)
        took = server.start()
        while any(thread.is_alive() for thread in threads):
            bar.update(task, completed=sum(not thread.is_alive() for thread in threads))
            time.sleep(0.05)
    flying = [hook for caller in callers for hook in caller.line.webhooks if hook.in_flight_at(killed)]
    verdict = compare(callers, server.database, before, killed)
    hooks = [hook for caller in callers for hook in caller.line.webhooks]
    kept = sum(before.get(hook.form["CallSid"], (0, ""))[0] - 1 == hook.turn for hook in flying)
    open_calls = sum(any(hook.in_flight_at(killed) for hook in caller.line.webhooks) for caller in callers)
    click.echo(f"killed with {len(flying)} webhooks in flight, of {open_calls} calls; ready again after {took:.1f} s")
    click.echo(
        f"{kept} of them had been stored before the kill; the longest wait for an answer was {_longest(hooks):.1f} s"
    )
    click.echo(
        f"{len(hooks)} webhooks in {sum(len(hook.attempts) for hook in hooks)} attempts, {len(verdict.stuck)} calls could not go on"
    )
    return len(flying), len(verdict.stuck), verdict


def _longest(hooks: Sequence[Webhook]) -> float:
    """Seconds from a webhook's first attempt to the one that was answered."""
    return max(float(hook.attempts[-1][0] - hook.attempts[0][0]) for hook in hooks if hook.attempts)


if __name__ == "__main__":
    main()
