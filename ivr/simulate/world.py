"""A project ready to be called without a phone: bundle, personas, samples, and a clock set by hand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from ivr.config import Config
from ivr.errors import UsageError
from ivr.flow.bundle import Bundle
from ivr.lookups.cache import MemoryCache
from ivr.lookups.pool import Lookups
from ivr.personal.identity import in_control_group
from ivr.phone import e164
from ivr.ports import Parts
from ivr.simulate.line import Caller, EngineLine, Moment
from ivr.simulate.memory import GivenSources, MemoryStore
from ivr.simulate.people import Persona, people_by_number
from ivr.telephony.twiml import Twiml

SID = "CA" + "5" * 32


@dataclass(frozen=True, slots=True)
class World:
    """What a simulated call needs."""

    config: Config
    bundle: Bundle
    personas: Mapping[str, Persona]


def moment_of(bundle: Bundle, to: str, text: str | None, now: float) -> float:
    """`2026-03-02 09:15` by the line's own clock, as seconds since the epoch; without text, now."""
    if text is None:
        return now
    line = bundle.line_for(to)
    zone = line.hours.timezone if line and line.hours else "UTC"
    try:
        return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp()
    except ValueError:
        raise UsageError(f"'{text}' is not a time; write 2026-03-02 09:15") from None


def engine_caller(
    world: World,
    persona: Persona | None,
    number: str,
    to: str,
    at: float,
    answers: Mapping[str, Any] | None = None,
    sid: str = SID,
    control: bool = False,
    **extra: Any,
) -> tuple[Caller, MemoryStore]:
    """A caller against the engine in memory, and the store behind it; inside the control group only if asked (`control`)."""
    moment = Moment(at)
    store = MemoryStore(world.bundle, people_by_number(world.personas, at), join=world.config.file.desk.join)
    samples = Lookups(
        {name: spec for name, spec in world.config.file.sources.items() if spec.sample},
        world.config.project,
        {},
        MemoryCache(),
        moment,
    )
    given = {**(persona.file.lookups if persona else {}), **(answers or {})}
    sources = GivenSources(given, samples)
    bundle = world.bundle
    parts = Parts(
        store,
        sources,
        Twiml(world.config),
        moment,
        control_key=group_key(bundle, world.personas, persona.name if persona and control else None),
    )
    line = EngineLine(parts, store, sid, number, to, e164(number, world.config.file.region), extra)
    return _caller(line, moment, persona, world), store


def _caller(line: Any, moment: Moment, persona: Persona | None, world: World) -> Caller:
    facts: Mapping[str, Any] = {}
    if persona is not None:
        facts = persona.facts
    caller = Caller(
        line, moment, persona.file.reacts if persona else 2.0, facts, persona.file.answers_wrongly if persona else False
    )
    caller.longest_wait = lambda target: _longest_wait(world, target)
    caller.questions = lambda name: world.bundle.part.verify[name].questions
    return caller


def _longest_wait(world: World, target: str) -> float:
    spec = world.bundle.part.targets.get(target)
    return spec.waiting.at_most if spec and spec.waiting else 600.0


def group_key(bundle: Bundle, personas: Mapping[str, Persona], inside: str | None = None) -> str:
    """A key under which every persona is outside the control groups (a dialogue tests the personal call), or `inside` is in."""
    groups = [(line.line, line.control_group.share) for line in bundle.lines.values() if line.control_group]
    people = [inside] if inside else [persona.name for persona in personas.values() if persona.known]
    for attempt in range(10_000):
        key = f"group-{attempt}"
        if all(in_control_group(key, name, line, share) is bool(inside) for line, share in groups for name in people):
            return key
    return "group"
