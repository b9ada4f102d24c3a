"""What can start a call again while it waits. Made by the shell from a webhook, or from the answer of a lookup."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar


@dataclass(frozen=True, slots=True)
class Keys:
    """DTMF keys pressed, in order. `{"kind": "keys", "digits": "2"}`"""

    kind: ClassVar[str] = "keys"
    digits: str


@dataclass(frozen=True, slots=True)
class Words:
    """What was said, and which open choice it was understood as (None: none). `{"kind": "words", "text": "my bill", …}`"""

    kind: ClassVar[str] = "words"
    text: str
    choice: str | None = None
    score: float = 0.0
    runner_up: str | None = None
    confidence: float | None = None


@dataclass(frozen=True, slots=True)
class Silence:
    """Nothing was pressed or said in time. `{"kind": "silence"}`"""

    kind: ClassVar[str] = "silence"


@dataclass(frozen=True, slots=True)
class Checked:
    """The answer to a secret question was compared at the edge: `matched` or not, and who they then are.

    `person` and `facts` are given where the question settled it and the caller was not known before.
    """

    kind: ClassVar[str] = "checked"
    question: int
    matched: bool
    people: tuple[str, ...] = ()
    person: str | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Answer:
    """A source answered: values by declared name, `age` in seconds (0: fresh)."""

    kind: ClassVar[str] = "answer"
    values: Mapping[str, Any]
    age: float = 0.0


@dataclass(frozen=True, slots=True)
class NoAnswer:
    """A source did not answer: `why` is `failed` or `late`; `detail` is for the trace."""

    kind: ClassVar[str] = "no_answer"
    why: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class StillWaiting:
    """A lookup outlasts its budget: a filler is spoken for the `times`-th time."""

    kind: ClassVar[str] = "still_waiting"
    times: int


@dataclass(frozen=True, slots=True)
class Dialled:
    """People were rung: Twilio's DialCallStatus, and whether the two were connected; `seconds` they talked."""

    kind: ClassVar[str] = "dialled"
    status: str
    bridged: bool
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Queued:
    """A wait in a queue is over. `result`: bridged (and the two have parted), callback_booked, waited_too_long, full,
    abandoned or failed; `seconds` it took.

    Known from the queue: its SID (`queue`), the `number` to call back, the estimate given (`low` to `high` seconds), and
    whether an agent `opened` the packet.
    """

    kind: ClassVar[str] = "queued"
    result: str
    seconds: float = 0.0
    queue: str | None = None
    number: str | None = None
    low: float | None = None
    high: float | None = None
    opened: bool = False


@dataclass(frozen=True, slots=True)
class Recorded:
    """A message was recorded; `hung_up`: the caller left by hanging up."""

    kind: ClassVar[str] = "recorded"
    sid: str
    url: str
    seconds: float
    hung_up: bool = False


@dataclass(frozen=True, slots=True)
class HungUp:
    """The call is over: the caller left, the line was cut, or nothing came any more. `status` as Twilio says it."""

    kind: ClassVar[str] = "hung_up"
    status: str = "completed"


Input = Keys | Words | Silence | Checked | Answer | NoAnswer | StillWaiting | Dialled | Queued | Recorded | HungUp

KINDS: Mapping[str, type[Any]] = {
    made.kind: made
    for made in (Keys, Words, Silence, Checked, Answer, NoAnswer, StillWaiting, Dialled, Queued, Recorded, HungUp)
}


def to_data(given: Input) -> dict[str, Any]:
    """JSON-native, with its kind."""
    return {"kind": given.kind, **{name: getattr(given, name) for name in given.__slots__}}


def from_data(data: Mapping[str, Any]) -> Input:
    """The input whose `to_data` this is."""
    values = {key: tuple(value) if key == "people" else value for key, value in data.items() if key != "kind"}
    made: Input = KINDS[data["kind"]](**values)
    return made
