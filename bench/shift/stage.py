"""The clock, what comes next, and what should be so of callers and agents."""

from __future__ import annotations

import heapq
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

from flask import Flask

from bench.shift.twilio import Leg, Telephone
from bench.shipped import OPEN
from ivr.config import CallbackOffer, Target, Waiting
from ivr.simulate.line import Moment
from ivr.simulate.wire import Call
from ivr.store.store import DatabaseStore
from ivr.store.users import User
from ivr.web.app import Wiring

TARGET = "care_team"


class Plan(NamedTuple):
    """How much goes on."""

    callers: int
    agents: int
    minutes: float
    seed: int = 1

    @property
    def at_most(self) -> float:
        """Seconds after which a wait ends with a message: so that some do."""
        return 0.7 * 60 * self.minutes


@dataclass
class Caller:
    """Somebody on the line. Moments are UTC seconds.

    `knows`: the agent they had before; `held`: an agent has them now; `due`: to be served from then on; `met`, `gone`: when they
    talked to somebody, or had left without; `connected`: how often; `told`: the first range that they heard, in seconds.
    """

    number: str
    dice: random.Random
    call: Call
    ahead: float = 0.0
    knows: str | None = None
    state: str = "has not called"
    since: float = 0.0
    due: float = 0.0
    held: bool = False
    met: float | None = None
    gone: float | None = None
    connected: int = 0
    beat: int = 0
    told: tuple[float, float] | None = None

    @property
    def task(self) -> str:
        return f"{self.call.call_sid}-1"

    @property
    def key(self) -> tuple[float, str]:
        """Who has the lower one is served first."""
        return self.since - self.ahead, self.task

    def served_at(self, now: float) -> bool:
        """Whether somebody should take them now."""
        return not self.held and (self.state == "waiting" or (self.state == "booked" and self.due <= now))


@dataclass
class Agent:
    """Somebody at the desk. `alike`: they have met no caller before, so which of them takes one makes no difference."""

    user: User
    dice: random.Random
    alike: bool
    presence: str = "wrap_up"
    leg: Leg | None = None
    has: Caller | None = None

    @property
    def idle(self) -> bool:
        """Available, and not on the phone any more."""
        return self.presence == "available" and self.leg is None


@dataclass
class Seen:
    """What was noticed on the way. `places`: said; `dialled`: how often each queue was; `wrong`: by kind, in words."""

    takes: int = 0
    contested: int = 0
    places: int = 0
    dialled: Counter[str] = field(default_factory=Counter)
    wrong: dict[str, list[str]] = field(default_factory=lambda: {"lost": [], "twice": [], "order": [], "place": []})


class Stage:
    """The application of `app` and everybody around it."""

    def __init__(self, app: Flask, moment: Moment, plan: Plan) -> None:
        self.wiring: Wiring = app.extensions["ivr"]
        self.store: DatabaseStore = self.wiring.store
        self.moment, self.plan, self.telephone, self.seen = moment, plan, Telephone(app), Seen()
        self.callers: list[Caller] = []
        self.agents: list[Agent] = []
        self._coming: list[tuple[float, int, Callable[[], object]]] = []
        self._count = 0
        ids = (f"{count:032x}" for count in range(1, 1_000_000))
        self.store.callers.new_id = self.store.users.new_id = lambda: next(ids)

    @property
    def target(self) -> Target:
        return self.wiring.config.file.targets[TARGET]

    @property
    def waiting(self) -> Waiting:
        assert self.target.waiting is not None
        return self.target.waiting

    @property
    def offer(self) -> CallbackOffer:
        assert self.waiting.callback is not None
        return self.waiting.callback

    def dice(self, whose: str) -> random.Random:
        """Chance of somebody's own."""
        return random.Random(f"{self.plan.seed} {whose}")

    def after(self, seconds: float, act: Callable[[], object]) -> None:
        """`act` comes so much later."""
        self._count += 1
        heapq.heappush(self._coming, (self.moment.at + seconds, self._count, act))

    def run(self, passed: Callable[[float], object]) -> None:
        """From the first caller to the end of the time; `passed` is told the share of it."""
        began = self.moment.at
        end = began + 60 * self.plan.minutes
        while self._coming and self._coming[0][0] <= end:
            self.moment.at, _, act = heapq.heappop(self._coming)
            act()
            passed((self.moment.at - began) / (end - began))
        self.moment.at = end

    def wrong(self, kind: str, words: str) -> None:
        """Something that should not be."""
        self.seen.wrong[kind].append(f"after {self.moment.at - OPEN:.0f} s: {words}")

    def place_of(self, caller: Caller, within: float) -> int:
        """Their place in line, those before them included who are to be called back within so many seconds."""
        others = (each for each in self.callers if each is not caller and each.served_at(self.moment() + within))
        return 1 + sum(each.key < caller.key for each in others)

    def first_for(self, agent: Agent) -> Caller | None:
        """Whose turn it is: who came first, priority counted, but a new caller is left to the free agent whom they know."""
        now, kept = self.moment(), self.waiting.last_agent
        free = {each.user.id for each in self.agents if each.presence == "available" and each is not agent}

        def new(caller: Caller) -> bool:
            return caller.knows is not None and now - caller.since < kept

        def key(caller: Caller) -> tuple[float, str]:
            mine = new(caller) and caller.knows == agent.user.id
            return caller.key[0] - (kept if mine else 0.0), caller.task

        ready = [each for each in self.callers if each.served_at(now) and not (new(each) and each.knows in free)]
        return min(ready, key=key, default=None)
