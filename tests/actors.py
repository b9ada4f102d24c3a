"""Who plays in the tests: a server of the shipped project, people on its telephone, and sources that do as they are told.

    call = house.calls(MARGO).dial()
    call.press("2").hears("your date of birth")

Every answer that anybody gets is checked against Twilio's rules.
"""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any, Literal

from flask import Flask
from jinja2.bccache import Bucket, BytecodeCache
from sqlalchemy import select, text

from bench.shipped import BASE, LINE, TOKEN
from ivr.config import Config, read_config
from ivr.engine.events import Event
from ivr.engine.inputs import Answer, NoAnswer
from ivr.engine.session import Session, from_json
from ivr.flow.bundle import Bundle
from ivr.personal.identity import in_control_group
from ivr.project import Project
from ivr.simulate.line import Moment
from ivr.simulate.people import Persona, read_personas
from ivr.simulate.wire import Call, Heard, Reply, form_fields, sign
from ivr.simulate.world import group_key
from ivr.store import tables as t
from ivr.store.store import DatabaseStore
from ivr.web import create_app
from tests.twiml_rules import problems

JEROME, MARGO, ALICIA, ROSA = (f"+1555010000{number}" for number in range(1, 5))
STRANGER = "+15550100009"
EMERGENCY = "+15550003333"
EMPTY = "<Response/>"


def configured(project: Project, url: str, **changes: Any) -> Config:
    """The project's config on another database, with changes."""
    assert project.config is not None
    return replace(project.config, database=url, **changes)


@cache
def personas(folder: Path) -> Mapping[str, Persona]:
    """The sample people."""
    config, _ = read_config(folder, {})
    assert config is not None
    return read_personas(folder, config.file)


def outside(project: Project) -> str:
    """A key under which none of the sample people is in the control group."""
    assert project.bundle is not None
    return group_key(project.bundle, personas(project.folder))


class _Compiled(BytecodeCache):
    """Templates compiled once for every house of this process."""

    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        """Takes what was compiled before."""
        if bucket.key in self.kept:
            bucket.bytecode_from_string(self.kept[bucket.key])

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Keeps what has been compiled."""
        self.kept[bucket.key] = bucket.bytecode_to_string()


COMPILED = _Compiled()


class House:
    """A server of the shipped project on a database, outside the control group, with a clock set by hand."""

    def _new_id(self) -> str:
        """An id outside the control group: who is in it must not be left to chance in a test."""
        while True:
            made = uuid.uuid4().hex
            if not in_control_group(self.config.secret_key, made, "northlight", 0.1):
                return made

    def __init__(
        self,
        project: Project,
        url: str,
        moment: Moment,
        made: list[House] | None = None,
        *,
        publish: bool = True,
        config: Mapping[str, Any] | None = None,
        only: Literal["voice"] | None = "voice",
        **parts: Any,
    ) -> None:
        """`only`: None for a server with its pages too, which take most of the time that a server takes to make."""
        self.only = only
        self.project, self.url, self.moment, self.made = project, url, moment, made if made is not None else []
        self.config = configured(project, url, **{"secret_key": outside(project), **(config or {})})
        self.app: Flask = create_app(self.config, now=moment, only=only, **parts)
        self.app.jinja_env.bytecode_cache = COMPILED
        self.parts = parts
        self.store: DatabaseStore = self.app.extensions["ivr"].store
        self.store.callers.new_id = self._new_id
        self.base = self.config.public_url or BASE
        self.answers: list[str] = []
        self.sids = 0
        self.made.append(self)
        if publish:
            assert project.bundle is not None
            self.store.bundles.publish(project.bundle, moment())

    def another_worker(self, **parts: Any) -> House:
        """A second process's server on the same database."""
        return House(
            self.project, self.url, self.moment, self.made, publish=False, only=self.only, **{**self.parts, **parts}
        )

    def calls(self, from_: str = MARGO, sid: str | None = None, to: str = LINE, **extra: str) -> Phone:
        """Somebody picks up their telephone; `dial` comes next."""
        self.sids += 1
        return Phone(self, from_, to, sid or f"CA{len(self.made):08x}{self.sids:024x}", extra)

    def post(
        self,
        path: str,
        form: Mapping[str, Any] | None = None,
        *,
        url: str | None = None,
        token: str = TOKEN,
        headers: Mapping[str, str] | None = None,
        **more: Any,
    ) -> Reply:
        """One signed webhook with any form at all. `url` is what Twilio signs, if not our own address and the path."""
        form = dict(form or {})
        signed = sign(token, url or self.base + path, form)
        return self.send(path, data=form, headers={"X-Twilio-Signature": signed, **(headers or {})}, **more)

    def send(self, path: str, **more: Any) -> Reply:
        """A request just as it is given."""
        client = self.app.test_client()
        response = client.open(path, **{"method": "POST", "base_url": "http://localhost", **more})
        reply = Reply(response.status_code, response.content_type or "", response.get_data())
        response.close()
        if reply.content_type.startswith("text/xml"):
            assert problems(reply.body) == [], reply.body.decode()
            self.answers.append(reply.body.decode())
        return reply

    def rows(self, table: str, **where: Any) -> list[dict[str, Any]]:
        """What a table holds."""
        columns = t.metadata.tables[table]
        statement = select(columns).order_by(*columns.primary_key.columns)
        for name, value in where.items():
            statement = statement.where(columns.c[name] == value)
        with self.store.database.read() as connection:
            return [dict(row) for row in connection.execute(statement).mappings()]

    def run(self, statement: str, **values: Any) -> None:
        """Changes the database behind everybody's back."""
        with self.store.database.write() as connection:
            connection.execute(text(statement), values)

    def dump(self) -> str:
        """Every value of every table, as one text to search."""
        return "\n".join(f"{name}: {row}" for name in t.metadata.tables for row in self.rows(name))

    def shut(self) -> None:
        """Gives back every connection and thread."""
        self.store.dispose()
        close = getattr(self.app.extensions["ivr"].parts.sources, "close", None)
        if close is not None:
            close()


class _Wire:
    """The way from a telephone to the house."""

    def __init__(self, house: House) -> None:
        self.house = house

    def post(self, url: str, form: Mapping[str, str], headers: Mapping[str, str]) -> Reply:
        path = url.removeprefix(self.house.base)
        return self.house.send(path, data=dict(form), headers=dict(headers))


def _act(name: str) -> Callable[..., Phone]:
    act = getattr(Call, name)

    def method(self: Phone, *given: Any, **more: Any) -> Phone:
        self.lately = act(self, *given, **more)
        return self

    method.__doc__ = act.__doc__
    return method


class Phone(Call):
    """A wire Call whose acts return the call itself, so that `call.press("2").hears("…")` reads as it should."""

    def __init__(self, house: House, from_: str, to: str, sid: str, extra: Mapping[str, str]) -> None:
        super().__init__(_Wire(house), house.base, (*house.config.tokens, TOKEN)[0], from_, to, sid, extra=extra)
        self.house, self.sid = house, sid
        self.lately: Sequence[Heard] = ()

    dial, press, say, silence, record = (_act(name) for name in ("dial", "press", "say", "silence", "record"))
    hang_up, dial_result, agent_accepts = (_act(name) for name in ("hang_up", "dial_result", "agent_accepts"))
    agent_declines, recording_ready, status = (_act(name) for name in ("agent_declines", "recording_ready", "status"))
    late, keep_waiting, queue_result = (_act(name) for name in ("late", "keep_waiting", "queue_result"))

    def resend(self, *, with_token: bool = True) -> Phone:
        """The last webhook arrives a second time."""
        return self.late(-1, with_token=with_token)

    @property
    def words(self) -> str:
        """What was heard since the last act."""
        return " ".join(sound.text for sound in self.lately)

    def hears(self, words: str) -> Phone:
        """These words were heard since the last act."""
        assert words.lower() in self.words.lower(), f"{words!r} was not heard, but: {self.words}"
        return self

    def does_not_hear(self, words: str) -> Phone:
        """These words were not."""
        assert words.lower() not in self.words.lower(), f"{words!r} was heard: {self.words}"
        return self

    @property
    def answer(self) -> str:
        """The last TwiML."""
        return self.twiml[-1]

    def proves(self, birth: str = "04121988", postcode: str = "48104") -> Phone:
        """Answers both questions of verify; by default as Margo."""
        return self.press(birth).press(postcode)

    # What the house keeps of this call

    @property
    def row(self) -> dict[str, Any]:
        """The call as stored."""
        rows = self.house.rows("calls", sid=self.sid)
        assert len(rows) == 1
        return rows[0]

    @property
    def events(self) -> list[Event]:
        """Everything that happened."""
        return self.house.store.calls.events_of(self.sid)

    @property
    def types(self) -> list[str]:
        """The kinds of events, in order."""
        return [event.type for event in self.events]

    def happened(self, type_: str) -> list[Event]:
        """Events of one kind."""
        return [event for event in self.events if event.type == type_]

    @property
    def session(self) -> Session:
        """The state of the call."""
        return from_json(self.row["session"])

    @property
    def flow(self) -> str:
        """The flow that was chosen for it."""
        return str(self.happened("decided")[0].data["flow"])

    @property
    def trace(self) -> tuple[Any, ...]:
        """All that must not change when a webhook is repeated."""
        row = self.row
        stored = [row for row in self.house.rows("events") if row["sid"] == self.sid]
        return row, stored, self.house.rows("outbox"), self.house.rows("history"), self.house.rows("recordings")


class Crm:
    """Sources that answer as a test says: values, `fail`, `late`, or a list of these, one for each question."""

    def __init__(self, **answers: Any) -> None:
        self.answers: dict[str, Any] = answers
        self.asked: list[tuple[str, dict[str, Any], float]] = []

    def ask(self, bundle: Bundle, source: str, give: Mapping[str, Any], budget: float) -> Answer | NoAnswer | None:
        """The port of a turn."""
        self.asked.append((source, dict(give), budget))
        answer = self.answers.get(source, "fail")
        if isinstance(answer, list):
            answer = answer.pop(0) if len(answer) > 1 else answer[0]
        if isinstance(answer, Exception):
            raise answer
        if answer == "late":
            return None
        return NoAnswer("failed", "as told") if answer == "fail" else Answer(dict(answer))


def at_once(*acts: Callable[[], Any]) -> list[Any]:
    """Does all of these at the same moment, each in a thread of its own; returns what they returned."""
    barrier = threading.Barrier(len(acts))

    def run(act: Callable[[], Any]) -> Any:
        barrier.wait(10)
        return act()

    with ThreadPoolExecutor(len(acts)) as threads:
        return [each.result(30) for each in [threads.submit(run, act) for act in acts]]


def webhook(call: Phone, path: str, **fields: str) -> tuple[str, dict[str, str]]:
    """A webhook of a call, by hand: its path and its form."""
    return path, form_fields(call.sid, call.from_, call.to, extra=fields)
