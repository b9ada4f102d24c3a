"""Walks a call to its bounds: at every wait each key, silence, words, nonsense, and whatever people and sources may do.

Two sessions at the same place, with the same level and the same names known, go on alike; one of them is walked.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from ivr.engine.events import Event
from ivr.engine.inputs import (
    Answer,
    Checked,
    Dialled,
    HungUp,
    Input,
    Keys,
    NoAnswer,
    Queued,
    Recorded,
    Silence,
    StillWaiting,
    Words,
)
from ivr.engine.options import options_at
from ivr.engine.run import choices, resume
from ivr.engine.session import Session
from ivr.engine.steps.people import whisper
from ivr.flow.bundle import Bundle
from ivr.flow.model import Ask
from ivr.speech.words import understand
from ivr.telephony.twiml import Twiml

MOST_TURNS = 60
NONSENSE = "purple monkeys dance on tuesday"
GIVEN: Mapping[str, tuple[str, ...]] = {
    "digits": ("99999", "000001", "11111"),
    "number": ("3", "99999999"),
    "money": ("3*50",),
    "date": ("01011999", "12312098"),
    "time": ("0930",),
    "phone": ("+15550109999",),
}
"""What the caller answers to questions: nothing that is known of anybody."""


class Turn(NamedTuple):
    """One answer of ours: what led to it, what Twilio got, and what happened."""

    acts: tuple[str, ...]
    twiml: str
    events: tuple[Event, ...]


@dataclass
class Walk:
    """Every turn that was heard, in the order of the walk. `answers`: source → what it says.

    `short` leaves out changes of subject and of language, which lead where keys lead too.
    """

    bundle: Bundle
    render: Twiml
    answers: Mapping[str, Mapping[str, Any]]
    short: bool = False
    turns: list[Turn] = field(default_factory=list)
    seen: set[Any] = field(default_factory=set)

    def on(self, first: Session, events: Sequence[Event], now: float) -> Walk:
        """Walks on from a call's beginning, but not where an earlier beginning came to."""
        seen = self.seen
        todo: deque[tuple[Session, tuple[str, ...]]] = deque()

        def arrive(session: Session, events: tuple[Event, ...], acts: tuple[str, ...]) -> None:
            self.turns.append(Turn(acts, self.render(self.bundle, session, events, len(acts) + 1), events))
            if session.wait.kind in ("dial", "queue") and session.wait.spec.get("target"):
                said = self.render.whisper(
                    whisper(self.bundle, session, now, session.wait.spec["target"]), "1", "/voice/accept", "<Say>"
                )
                self.turns.append(Turn((*acts, "whisper"), said, ()))
            place = kind_of(session)
            if session.outcome is None and place not in seen and len(acts) < MOST_TURNS:
                seen.add(place)
                todo.append((session, acts))

        arrive(first, tuple(events), ())
        while todo:
            session, acts = todo.popleft()
            for name, given in inputs(self.bundle, session, self.answers):
                if self.short and (name.startswith("says elsewhere:") or name in ("says command:espanol", "presses 9")):
                    continue
                then = resume(self.bundle, session, given, now + 20 * (len(acts) + 1))
                arrive(then.session, then.events, (*acts, name))
        return self


def kind_of(session: Session) -> Any:
    """Sessions of one kind go on alike: what lies further down the stack, and what was said, comes to the same words."""
    spec = session.wait.spec
    wait = tuple(
        str(spec.get(name)) for name in ("phase", "guess", "index", "question", "wrong", "times", "more", "target")
    )
    return (
        tuple((frame["flow"], frame["step"]) for frame in session.stack[-1:]),
        session.stack[-1]["how"] if session.stack else "",
        _below(session),
        session.wait.kind,
        wait,
        session.level,
        session.language,
        sum(session.tries.values()),
        "postcode" in session.said,
        bool(session.rescued),
    )


def _below(session: Session) -> tuple[str, str] | None:
    """Where this flow returns to; after a change of subject that is any question there is."""
    if len(session.stack) < 2:
        return None
    frame = session.stack[-2]
    return ("", "") if session.stack[-1]["how"] == "subject" else (frame["flow"], frame["step"])


def inputs(bundle: Bundle, session: Session, answers: Mapping[str, Mapping[str, Any]]) -> Iterator[tuple[str, Input]]:
    """What may arrive at the present wait, but for the right answer to a secret question."""
    wait = session.wait
    yield "hangs up", HungUp()
    if wait.kind in ("gather", "secret"):
        yield from _answers(bundle, session)
    elif wait.kind == "lookup":
        yield "answers", Answer(answers.get(wait.spec["source"], {}))
        yield "answers nothing", Answer({})
        yield "fails", NoAnswer("failed")
        yield "is late", NoAnswer("late")
        if wait.spec["times"] < 2:
            yield "waits", StillWaiting(wait.spec["times"] + 1)
    elif wait.kind == "dial":
        yield "accepts", Dialled("completed", True, 30.0)
        yield "declines", Dialled("completed", False)
        yield "busy", Dialled("busy", False)
    elif wait.kind == "queue":
        yield "somebody takes the call", Queued("bridged", 30.0)
        yield "nobody takes it", Queued("waited_too_long", 600.0)
        yield "is to be called back", Queued("callback_booked", 30.0, number="+15550100001")
    elif wait.kind == "record":
        yield "records", Recorded("RE1", "https://api.example/RE1", 5.0)
        yield "records and leaves", Recorded("RE1", "https://api.example/RE1", 5.0, True)
        yield "silence", Silence()


def _answers(bundle: Bundle, session: Session) -> Iterator[tuple[str, Input]]:
    yield "silence", Silence()
    line = bundle.lines[session.line]
    keys = {key for command in line.commands.values() for key in command.key}
    phase = session.wait.spec.get("phase")
    if session.stack:
        place = (session.stack[-1]["flow"], session.stack[-1]["step"])
        keys |= options_at(bundle, place).keys.keys()
        step = bundle.step(place)
        if isinstance(step, Ask) and phase == "value":
            low, high = step.length or (1, 60)
            for text in GIVEN[step.kind]:
                if step.kind != "digits" or low <= len(text) <= high or low == high:
                    keys.add(text[:high] if step.kind == "digits" else text)
    if session.wait.kind == "secret":
        yield "answers wrongly", Checked(int(session.wait.spec["question"]), False)
    else:
        keys |= {"1", "2", "3", "7"}
    if session.wait.spec.get("more"):
        keys.add(session.wait.spec["more"])
    for key in sorted(keys):
        yield f"presses {key}", Keys(key)
    open_ = choices(bundle, session)
    for name, phrases in open_.items():
        read = understand(phrases[0], open_)
        yield f"says {name}", Words(phrases[0], read.choice or name, max(read.score, 0.9), read.runner_up)
    yield "talks nonsense", Words(NONSENSE, None, 0.1)


def first_difference(one: Walk, two: Walk) -> tuple[Turn, Turn] | None:
    """Where the second walk hears something else than the first, at the earliest."""
    pairs = zip(one.turns, two.turns, strict=False)
    different = next(((a, b) for a, b in pairs if (a.acts, a.twiml) != (b.acts, b.twiml)), None)
    if different is None and len(one.turns) != len(two.turns):
        return one.turns[-1], two.turns[-1]
    return different
