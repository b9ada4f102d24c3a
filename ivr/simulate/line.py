"""A caller on a line: acts, and sees the events that follow. Time is simulated: a turn takes what its speech would take.

The same caller plays against the engine in memory or against a server over the wire, and the events must be the same.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from ivr.engine.events import Event
from ivr.engine.inputs import Dialled, Queued, Recorded
from ivr.engine.session import Session, from_json
from ivr.handoff.task import callback_due
from ivr.ports import CallRequest, Parts
from ivr.simulate.memory import MemoryStore
from ivr.turn import answer, hang_up

RING_SECONDS = 12.0
TALK_SECONDS = 60.0
WAIT_SECONDS = 45
"""Seconds in a queue until somebody takes the call, or the caller asks for a call back."""


class Moment:
    """A clock that is set by hand."""

    def __init__(self, at: float) -> None:
        self.at = at

    def __call__(self) -> float:
        return round(self.at, 3)

    def pass_by(self, seconds: float) -> None:
        """Time goes on."""
        self.at += seconds


class Line(Protocol):
    """How a caller's acts reach the product, and what came of them."""

    def dial(self) -> None: ...
    def press(self, digits: str) -> None: ...
    def say(self, words: str) -> None: ...
    def silence(self) -> None: ...
    def agent(self, status: str, bridged: bool, seconds: float) -> None: ...
    def queue(self, how: str, seconds: int) -> None: ...
    def record(self, seconds: float, hang_up: bool) -> None: ...
    def hang_up(self) -> None: ...
    def events(self) -> Sequence[Event]: ...
    def session(self) -> Session | None: ...


class EngineLine:
    """A line without a phone: requests go straight into `turn.py`, on a store in memory."""

    def __init__(
        self,
        parts: Parts,
        store: MemoryStore,
        sid: str,
        from_: str,
        to: str,
        number: str | None,
        extra: Mapping[str, Any] | None = None,
    ) -> None:
        self.parts, self.store, self.sid = parts, store, sid
        self.first = CallRequest(sid, None, from_, to, number, **(extra or {}))

    def _send(self, **fields: Any) -> None:
        call = self.store.load(self.sid)
        turn = call.turn if call else None
        answer(self.parts, CallRequest(self.sid, turn, self.first.from_, self.first.to, self.first.number, **fields))
        self._follow()

    def _follow(self) -> None:
        """A filler's redirect comes back at once, as at Twilio."""
        for _ in range(10):
            session = self.session()
            call = self.store.load(self.sid)
            if session is None or session.wait.kind != "lookup" or call is None or call.state != "open":
                return
            answer(self.parts, CallRequest(self.sid, call.turn, self.first.from_, self.first.to, self.first.number))

    def dial(self) -> None:
        """The first ring."""
        answer(self.parts, self.first)
        self._follow()

    def press(self, digits: str) -> None:
        """Keys."""
        self._send(digits=digits)

    def say(self, words: str) -> None:
        """Words."""
        self._send(words=words, confidence=0.9)

    def silence(self) -> None:
        """Nothing, until the wait is over."""
        self._send()

    def agent(self, status: str, bridged: bool, seconds: float) -> None:
        """How the ringing of people went."""
        self._send(dialled=Dialled(status, bridged, seconds))

    def queue(self, how: str, seconds: int) -> None:
        """How the wait in a queue ended: bridged, left, full, or callback (which the caller confirmed)."""
        session = self.session()
        if how == "callback" and session is not None:
            task = self.store.tasks[session.wait.spec["task"]]
            number = str(task.number)
            due = callback_due(self.store.published(), task.target, number, self.parts.clock())
            self.store.book(task.id, number, due, self.parts.clock())
        result = "left" if how == "callback" else how
        queue = "QU" + hashlib.sha256(f"{self.sid} QU ".encode()).hexdigest()[:32]
        self._send(queued=Queued(result, float(seconds), queue))

    def record(self, seconds: float, hang_up: bool) -> None:
        """A message, ended by a key or by hanging up."""
        sid = "RE" + self.sid[2:]
        self._send(recorded=Recorded(sid, f"https://api.twilio.com/{sid}", seconds, hang_up))

    def hang_up(self) -> None:
        """The caller leaves."""
        hang_up(self.parts, self.sid, "completed")

    def events(self) -> Sequence[Event]:
        """Everything that happened so far."""
        return self.store.events.get(self.sid, [])

    def session(self) -> Session | None:
        """The state of the call."""
        call = self.store.load(self.sid)
        return from_json(call.session) if call and call.session else None


class Caller:
    """Somebody on a Line. `reacts`: seconds they take once a prompt has ended."""

    def __init__(
        self,
        line: Line,
        moment: Moment,
        reacts: float = 2.0,
        facts: Mapping[str, Any] | None = None,
        wrong: bool = False,
    ) -> None:
        self.line, self.moment, self.reacts = line, moment, reacts
        self.facts, self.wrong = facts or {}, wrong
        self.seen = 0
        self.since: list[Event] = []
        """what happened since the caller last did something"""
        self.speech = 0.0

    def dial(self) -> list[Event]:
        """Calls."""
        return self._act(self.line.dial, wait=0.0)

    def press(self, digits: str) -> list[Event]:
        """Presses keys."""
        return self._act(lambda: self.line.press(digits))

    def say(self, words: str) -> list[Event]:
        """Says something."""
        return self._act(lambda: self.line.say(words), wait=self.reacts + len(words) / 15)

    def silence(self) -> list[Event]:
        """Says and presses nothing."""
        session = self.line.session()
        timeout = float(session.wait.spec.get("timeout", 6)) if session else 6.0
        return self._act(self.line.silence, wait=timeout)

    def agent(self, how: str) -> list[Event]:
        """What agents do: accepts, declines, busy, no_answer; or, in a queue, calls_back, which is the caller's wish."""
        session = self.line.session()
        if session is not None and session.wait.kind == "queue":
            return self._waits(how, str(session.wait.spec["target"]))
        if how == "calls_back":
            return []
        status, bridged, seconds = {
            "accepts": ("completed", True, TALK_SECONDS),
            "declines": ("completed", False, 0.0),
            "busy": ("busy", False, 0.0),
            "no_answer": ("no-answer", False, 0.0),
        }[how]
        return self._act(lambda: self.line.agent(status, bridged, seconds), wait=RING_SECONDS + seconds)

    def _waits(self, how: str, target: str) -> list[Event]:
        """A wait in a queue: until somebody takes the call, the caller asks for a call back, or it is too long."""
        if how == "accepts":
            return self._act(lambda: self.line.queue("bridged", WAIT_SECONDS), wait=WAIT_SECONDS + TALK_SECONDS)
        if how == "calls_back":
            return self._act(lambda: self.line.queue("callback", WAIT_SECONDS), wait=WAIT_SECONDS)
        if how == "busy":
            return self._act(lambda: self.line.queue("full", 0), wait=0.0)
        seconds = int(self.longest_wait(target))
        return self._act(lambda: self.line.queue("left", seconds), wait=seconds)

    longest_wait: Callable[[str], float] = staticmethod(lambda target: 600.0)

    def record(self, seconds: float, *, hang_up: bool = False) -> list[Event]:
        """Leaves a message."""
        return self._act(lambda: self.line.record(seconds, hang_up), wait=seconds)

    def hang_up(self) -> list[Event]:
        """Leaves."""
        return self._act(self.line.hang_up)

    def verify(self) -> list[Event]:
        """Answers the questions of `verify` with the persona's own facts (or wrongly)."""
        happened: list[Event] = []
        for _ in range(10):
            session = self.line.session()
            if session is None or session.wait.kind != "secret":
                break
            happened += self.press(self._secret(session))
        self.since = happened
        return happened

    def _secret(self, session: Session) -> str:
        asked = [event for event in self.line.events() if event.type == "asked"][-1].data
        question = self.questions(asked["verify"])[int(asked["question"])]
        value = str(self.facts.get((question.equals or "").removeprefix("caller."), ""))
        if question.kind == "date" and len(value) >= 10:
            keyed = value[5:7] + value[8:10] + value[:4]
        else:
            keyed = value
        if self.wrong or not keyed:
            keyed = "01011901" if question.kind == "date" else "1" * (question.length or 4)
        return keyed

    questions: Callable[[str], Any] = staticmethod(lambda name: ())

    def _act(self, act: Callable[[], None], wait: float | None = None) -> list[Event]:
        self.moment.pass_by(self.speech + (self.reacts if wait is None else wait))
        act()
        events = list(self.line.events())
        self.since = events[self.seen :]
        self.seen = len(events)
        self.speech = sum(event.data["seconds"] for event in self.since if event.type == "spoke")
        return self.since

    @property
    def over(self) -> bool:
        """Whether the call has ended."""
        session = self.line.session()
        return session is not None and session.outcome is not None
