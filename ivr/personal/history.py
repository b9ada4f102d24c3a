"""A caller's past calls, folded into one small record as each call ends, and read as the fields of `history`.

record = fold(record, summary)        # once per call, at its closing
fields = view(record, now)            # when the next call begins
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

KEPT_CALLS = 10
KEPT_CONTACTS = 30
REPEAT_DAYS = 7
DAY = 86400.0

HABIT_CALLS = 3
"""A habit needs this many answers before it counts: one hasty key is not a manner."""


@dataclass(frozen=True, slots=True)
class Summary:
    """What one call leaves behind. Times are UTC seconds; counts are of answers the caller gave."""

    sid: str
    at: float
    seconds: float
    outcome: str
    unfinished: bool
    reasons: tuple[str, ...] = ()
    question: str | None = None
    answers: int = 0
    interrupts: int = 0
    words: int = 0
    asked_for_person: bool = False


def empty() -> dict[str, Any]:
    """Nobody has called yet."""
    return {"calls": 0, "recent": [], "contacts": [], "answers": 0, "interrupts": 0, "words": 0, "person_asks": 0}


def fold(record: Mapping[str, Any] | None, call: Summary) -> dict[str, Any]:
    """`record` with `call` in it. A call that is in it already changes nothing: folding twice is folding once."""
    old = record or empty()
    if any(earlier["sid"] == call.sid for earlier in old["recent"]):
        return dict(old)
    entry = asdict(call) | {"reasons": list(call.reasons)}
    recent = sorted([*old["recent"], entry], key=lambda c: (c["at"], c["sid"]))[-KEPT_CALLS:]
    contacts = sorted([*old["contacts"], *([reason, call.at] for reason in call.reasons)], key=lambda c: c[1])
    return {
        "calls": old["calls"] + 1,
        "recent": recent,
        "contacts": contacts[-KEPT_CONTACTS:],
        "answers": old["answers"] + call.answers,
        "interrupts": old["interrupts"] + call.interrupts,
        "words": old["words"] + call.words,
        "person_asks": old["person_asks"] + call.asked_for_person,
    }


def view(record: Mapping[str, Any] | None, now: float) -> dict[str, Any]:
    """The fields of `history` at `now`, flat; a caller without calls has none, and every field is not known."""
    if not record or not record["recent"]:
        return {}
    last = record["recent"][-1]
    reason = last["reasons"][0] if last["reasons"] else None
    ended = last["at"] + last["seconds"]
    since = max(0.0, now - ended)
    habits = record["answers"] >= HABIT_CALLS
    return {
        "calls": record["calls"],
        "last_reasons": list(dict.fromkeys(reason for reason, _ in reversed(record["contacts"])))[:5],
        "calls_30_days": sum(1 for call in record["recent"] if now - call["at"] <= 30 * DAY),
        "repeats": sum(1 for name, at in record["contacts"] if name == reason and now - at <= REPEAT_DAYS * DAY),
        "interrupts": habits and record["interrupts"] * 2 > record["answers"],
        "speaks": habits and record["words"] * 2 > record["answers"],
        "asks_for_person": record["person_asks"] * 2 > record["calls"],
        "last_call.unfinished": last["unfinished"],
        "last_call.minutes_ago": int(since // 60),
        "last_call.days_ago": int(since // DAY),
        "last_call.reason": reason,
        "last_call.outcome": last["outcome"],
        "last_call.question": last["question"],
    }


def last_sid(record: Mapping[str, Any] | None) -> str | None:
    """The SID of the call before this one."""
    return record["recent"][-1]["sid"] if record and record["recent"] else None


def contacts(record: Mapping[str, Any] | None) -> list[tuple[str, float]]:
    """(reason, at) of past calls, newest last, for the ranking."""
    return [(name, at) for name, at in record["contacts"]] if record else []
