"""The state of one call between two sprints: frozen, JSON-native, with a schema number."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, NamedTuple

from ivr.engine.events import Event
from ivr.engine.inputs import Input
from ivr.jsontext import decode, encode

SCHEMA = 2


@dataclass(frozen=True, slots=True)
class Wait:
    """What a call waits for.

    `kind`: gather (keys and words), secret (an answer that stays at the edge), lookup, moment (a filler is playing), record,
    dial, queue (until somebody takes the call), or none (the call is over). `spec` is what the edge needs to wait for it.
    """

    kind: str
    spec: Mapping[str, Any] = field(default_factory=dict)

    def accepts(self, given: Input) -> bool:
        """Whether `given` answers this wait. A hang-up always does."""
        return given.kind == "hung_up" or given.kind in ACCEPTED[self.kind]


ACCEPTED: Mapping[str, tuple[str, ...]] = {
    "gather": ("keys", "words", "silence"),
    "secret": ("checked", "keys", "words", "silence"),
    "lookup": ("answer", "no_answer", "still_waiting"),
    "record": ("recorded", "silence"),
    "dial": ("dialled",),
    "queue": ("queued",),
    "none": (),
}


class Sprint(NamedTuple):
    """One engine run up to a wait: the session to keep and what happened."""

    session: Session
    events: tuple[Event, ...]


@dataclass(frozen=True, slots=True)
class Session:
    """See the fields. Containers are never changed in place; a sprint makes a new session."""

    call: Mapping[str, Any]
    """sid, from, to, number (E.164 or None), withheld, direction"""
    line: str
    bundle: str
    started: float
    language: str
    languages: tuple[str, ...] = ()
    manner: tuple[str, ...] = ()
    level: str = "anyone"
    person: str | None = None
    people: tuple[str, ...] = ()
    """who this number belongs to: candidates for verify"""
    because: str = ""
    control: bool = False
    facts: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """the snapshot: root → dotted name → value"""
    ranking: tuple[tuple[str, float], ...] = ()
    last: Mapping[str, Any] | None = None
    """the open question of the last call, with what was said and found"""
    stack: tuple[Mapping[str, Any], ...] = ()
    """open flows, the running one last: flow, step, given, trail, how"""
    said: Mapping[str, Any] = field(default_factory=dict)
    found: Mapping[str, Any] = field(default_factory=dict)
    visits: Mapping[str, int] = field(default_factory=dict)
    wait: Wait = Wait("none")
    tries: Mapping[str, int] = field(default_factory=dict)
    """no_input and no_match at the present question"""
    pending: str = ""
    """keys that came with the last answer and belong to the next menus"""
    heard: tuple[tuple[str, Mapping[str, Any]], ...] = ()
    """prompts spoken since the caller last did something"""
    asked_at: float = 0.0
    speech: float = 0.0
    """estimated seconds of speech before the present wait"""
    away: float = 0.0
    """seconds with people or recording, which do not count towards the minutes of a call"""
    reasons: tuple[str, ...] = ()
    counts: Mapping[str, int] = field(default_factory=dict)
    """answers, interrupts, words, person"""
    answered: str | None = None
    reached: tuple[str, ...] = ()
    """handed_over, voicemail: what happened and decides the outcome, first one first"""
    rescued: bool = False
    """already on the line's `otherwise`"""
    guessed: bool = False
    surveyed: bool = False
    outcome: str | None = None

    def to_json(self) -> str:
        """Its text, with the schema number."""
        data = {name: getattr(self, name) for name in _NAMES}
        data["wait"] = [self.wait.kind, self.wait.spec]
        data["schema"] = SCHEMA
        return encode(data)


_NAMES = tuple(made.name for made in fields(Session))
_TUPLES = ("languages", "manner", "people", "reasons", "reached", "stack")

UPCASTERS: Mapping[int, Callable[[dict[str, Any]], dict[str, Any]]] = {
    1: lambda data: {**data, "surveyed": False},
}
"""Schema number → what makes that version's data into the next one's."""


def from_json(text: str) -> Session:
    """The session whose `to_json` this is, also one of an older schema."""
    data = decode(text)
    schema = data.pop("schema", SCHEMA)
    while schema in UPCASTERS:
        data = UPCASTERS[schema](data)
        schema += 1
    data["wait"] = Wait(*data["wait"])
    for name in _TUPLES:
        data[name] = tuple(data[name])
    data["ranking"] = tuple(tuple(pair) for pair in data["ranking"])
    data["heard"] = tuple(tuple(pair) for pair in data["heard"])
    return Session(**data)
