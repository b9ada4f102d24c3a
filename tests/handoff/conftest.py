"""Calls of the sample people, played against the engine in memory, and the packets made of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import pytest

from bench.shipped import LINE
from ivr.engine.events import Event
from ivr.engine.session import Session
from ivr.flow.bundle import Bundle
from ivr.handoff.packet import Extras, packet
from ivr.personal.snapshot import Person
from ivr.project import Project
from ivr.simulate.line import Caller
from ivr.simulate.world import World, engine_caller, moment_of
from tests.actors import personas

NOON = "2026-03-02 12:00"


class Played(NamedTuple):
    """A call up to now, and who is calling."""

    caller: Caller
    bundle: Bundle
    person: Person | None
    at: float

    @property
    def session(self) -> Session:
        session = self.caller.line.session()
        assert session is not None
        return session

    @property
    def events(self) -> Sequence[Event]:
        return self.caller.line.events()

    def packet(self, *, sees: tuple[str, ...] = (), days_later: float = 0, **extras: Any) -> dict[str, Any]:
        """What the people of a target who see these purposes get."""
        known = self.person or Person("nobody")
        given = {"facts": known.facts, "cases": known.cases, "calls": known.history, "target": "care_team"} | extras
        now = self.at + days_later * 86400
        bundle = seeing(self.bundle, given["target"], sees)
        about = self.session.wait.spec.get("about")
        return packet(bundle, self.session, self.events, about, Extras(**given), now)


def seeing(bundle: Bundle, target: str, sees: tuple[str, ...]) -> Bundle:
    """The bundle, with a target whose people see these purposes."""
    changed = {target: bundle.part.targets[target].model_copy(update={"sees": sees})}
    part = bundle.part.model_copy(update={"targets": {**bundle.part.targets, **changed}})
    return replace(bundle, part=part, memo={})


Play = Callable[..., Played]


@pytest.fixture
def play(shipped: Project) -> Play:
    """Plays the acts of a sample caller: keys, “words”, `verify`, `silence`, `agent no_answer`."""

    def made(name: str, *acts: str, at: str = NOON, facts: Mapping[str, Any] | None = None, **answers: Any) -> Played:
        assert shipped.config is not None and shipped.bundle is not None
        everybody = dict(personas(shipped.folder))
        if facts:
            everybody[name] = replace(everybody[name], facts={**everybody[name].facts, **facts})
        persona = everybody[name]
        moment = moment_of(shipped.bundle, LINE, at, 0.0)
        world = World(shipped.config, shipped.bundle, everybody)
        caller, _ = engine_caller(world, persona, persona.number, LINE, moment, answers)
        caller.dial()
        for act in acts:
            do(caller, act)
        return Played(caller, shipped.bundle, persona.person(moment), moment)

    return made


def do(caller: Caller, act: str) -> None:
    """One act of a caller."""
    word, _, rest = act.partition(" ")
    if act.startswith("“"):
        caller.say(act.strip("“”"))
    elif word == "agent":
        caller.agent(rest)
    elif word in ("verify", "silence", "hang_up"):
        getattr(caller, word)()
    else:
        caller.press(act)
