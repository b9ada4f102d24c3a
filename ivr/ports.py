"""What a turn is handed and what it hands on: requests, stored calls, and the ports to the outside.

The store, the lookups and the renderer satisfy the ports; `turn.py` and everything below it know nothing more of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

from ivr.clock import Clock
from ivr.engine.events import Event
from ivr.engine.inputs import Answer, Dialled, NoAnswer, Queued, Recorded
from ivr.engine.session import Session
from ivr.flow.bundle import Bundle
from ivr.handoff.task import Task
from ivr.personal import history as past
from ivr.personal.likely import Popularity
from ivr.personal.snapshot import Person


class CallRequest(NamedTuple):
    """One webhook of a call. `turn` is None for the first; the rest is what came with it."""

    sid: str
    turn: int | None
    from_: str
    to: str
    number: str | None
    forwarded: bool = False
    attestation: str = ""
    direction: str = "inbound"
    digits: str = ""
    words: str = ""
    confidence: float | None = None
    dialled: Dialled | None = None
    recorded: Recorded | None = None
    queued: Queued | None = None


class Call(NamedTuple):
    """A call as stored. `turn` is the turn it awaits; `twiml` answered the one before."""

    sid: str
    state: str
    turn: int
    seq: int
    bundle: str
    session: str | None
    twiml: str
    updated: float
    silent_at: float


class Begun(NamedTuple):
    """What is stored of a call's beginning."""

    line: str
    bundle: str
    number: str | None
    because: str
    control: bool


class Commit(NamedTuple):
    """One turn to store. `closing` is set where the call ends with it."""

    sid: str
    turn: int
    session: str
    events: tuple[Event, ...]
    twiml: str
    at: float
    silent_at: float
    caller: str | None
    number: str | None
    language: str
    outcome: str | None
    closing: past.Summary | None
    tasks: tuple[Task, ...] = ()
    """what people have to do from now on"""


class Store(Protocol):
    """What a turn needs of a database."""

    def load(self, sid: str) -> Call | None: ...
    def newest_open(self, caller: str | None, number: str | None) -> Call | None: ...
    def begin(self, begun: Begun, commit: Commit) -> Call | None: ...
    def advance(self, call: Call, commit: Commit) -> bool: ...
    def close(self, call: Call, commit: Commit) -> bool: ...
    def keep_late(
        self, sid: str, events: Sequence[Event], outcome: str | None = None, tasks: Sequence[Task] = ()
    ) -> None: ...
    def task(self, id_: str) -> Task | None: ...
    def queue_size(self, target: str) -> int: ...
    def events_of(self, sid: str) -> Sequence[Event]: ...
    def people(self, number: str) -> list[Person]: ...
    def person(self, caller: str) -> Person | None: ...
    def bundle(self, id_: str) -> Bundle | None: ...
    def published(self) -> Bundle: ...
    def notice(self, line: str) -> str | None: ...
    def popularity(self, line: str) -> Popularity: ...


class Sources(Protocol):
    """What a turn needs of outside data: an answer, a failure, or None while it is still running."""

    def ask(self, bundle: Bundle, source: str, give: Mapping[str, Any], budget: float) -> Answer | NoAnswer | None: ...


class Render(Protocol):
    """Events → TwiML, whose answers come back as turn `turn`; `packet`: what people are told of the caller, as JSON."""

    def __call__(
        self, bundle: Bundle, session: Session, events: Sequence[Event], turn: int, packet: str = ""
    ) -> str: ...


@dataclass(frozen=True, slots=True)
class Parts:
    """Everything a turn is handed."""

    store: Store
    sources: Sources
    render: Render
    clock: Clock
    control_key: str = ""
    empty: str = '<?xml version="1.0" encoding="UTF-8"?><Response/>'
    stopwatch: Callable[[], float] = field(default=lambda: 0.0)
    packet: Callable[[Bundle, Session, Sequence[Event]], str] = field(default=lambda *_: "")
    """what people are told of a caller, as JSON"""
