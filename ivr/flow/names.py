"""The complete table of names that conditions and wordings may use, each with its kind and who may hear it.

`said`, `found` and `given` are not here: flows make them (see scope.py of the checks).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ivr.kinds import Kind, Speak


@dataclass(frozen=True, slots=True)
class Field:
    """One name that may stand in a condition or a wording. `fields` describes a record, or each item of a list."""

    kind: Kind
    speak: Speak = "anyone"
    about: str = ""
    sensitive: bool = False
    fields: Mapping[str, Field] = field(default_factory=dict)


def _fields(speak: Speak, **named: tuple[Kind, str]) -> dict[str, Field]:
    return {name: Field(kind, speak, about) for name, (kind, about) in named.items()}


_LAST_CALL = _fields(
    "recognised",
    unfinished=("flag", "it ended at an open question, without an outcome"),
    minutes_ago=("number", "minutes since it ended"),
    days_ago=("number", "whole days since it ended"),
    reason=("text", "why they called"),
    outcome=("text", "how it ended"),
    question=("text", "the open question it ended at, as flow.step"),
    reason_label=("text", "its reason, as it is named to callers"),
)

HISTORY = {
    "last_call": Field("record", "recognised", "the call before this one", fields=_LAST_CALL),
    **_fields(
        "recognised",
        calls=("number", "calls so far, not counting this one"),
        last_reasons=("list", "why they called: their last five reasons, newest first"),
        calls_30_days=("number", "calls in the last 30 days"),
        repeats=("number", "how often they called about the same reason within 7 days before this call"),
        interrupts=("flag", "usually answers before a prompt can have ended (an estimate)"),
        speaks=("flag", "usually answers in words rather than keys"),
        asks_for_person=("flag", "usually asks for a person"),
        likely_reason=("text", "the likeliest reason of this call"),
        likely=("number", "how sure that is, 0 to 1"),
    ),
}

CASES = {
    "open_count": Field("number", "recognised", "open cases"),
    "current": Field(
        "record",
        "recognised",
        "the newest open case",
        fields={
            **_fields(
                "recognised",
                about=("text", "its reason"),
                label=("text", "its reason, as it is named to callers"),
                opened=("date", "when it was opened"),
                unanswered=(
                    "flag",
                    "it opened by itself, after a call that ended without an answer, and waits for one",
                ),
            ),
            **_fields(
                "verified",
                summary=("text", "what it is about, in a sentence"),
                promise=("text", "what was promised"),
                promise_by=("date", "until when"),
            ),
        },
    ),
}

CALL = _fields(
    "anyone",
    known=("text", "how surely we know who is calling: anyone, recognised or verified"),
    language=("text", "the language being spoken"),
    minutes=("number", "minutes since the call began"),
    withheld=("flag", "the caller's number is hidden"),
    id=("text", "the call's SID"),
)
CALL["from"] = Field("phone", "anyone", "the caller's own number, as they call from it")

LINE = _fields(
    "anyone",
    name=("text", "the line's name"),
    open=("flag", "within opening hours"),
    notice=("text", "a notice that operators set for now"),
    opens_day=("date", "when it opens next"),
    opens_time=("time", "when it opens next"),
    closes_time=("time", "when it closes today"),
)

NOW = _fields(
    "anyone",
    date=("date", "today, in the line's zone"),
    time=("time", "the time, in the line's zone"),
    hour=("number", "0 to 23"),
    weekday=("text", "mon to sun"),
    day_part=("text", "morning, afternoon or evening"),
)

PREFERS = _fields(
    "recognised",
    language=("text", "the language they like to speak"),
    manner=("text", "the wordings they like: brisk, gentle, plain"),
    channel=("text", "how they like to be written to: sms or email"),
)

_IN_PROMPTS = _fields(
    "anyone",
    label=("text", "how an option is named"),
    key=("text", "its key"),
    count=("number", "what a plural counts"),
    position=("number", "place in a list, from 1"),
    about=("text", "in a whisper: what `about:` of the hand-off says"),
    summary=("text", "in a whisper: who is calling and why, in a sentence"),
    low=("number", "while waiting: minutes it should take at least"),
    high=("number", "while waiting: minutes it should take at most"),
    number=("phone", "while waiting: the number to call back"),
    day=("date", "while waiting: the day of the call back"),
    time=("time", "while waiting: when the call back may come"),
)


def known_names(facts: Mapping[str, Any], sources: Mapping[str, Any]) -> dict[str, Field]:
    """The complete table of roots and their fields, but for `said`, `found` and `given`, which flows make.

    `facts` and `sources` are the declarations of config.yaml.
    """
    caller: dict[str, Field] = {"prefers": Field("record", "recognised", "their preferences", fields=PREFERS)}
    for name, fact in facts.items():
        _plant(caller, name.split("."), Field(fact.kind, fact.level, f"a fact, for {fact.purpose}", fact.sensitive))
    roots = {
        "caller": Field("record", fields=caller),
        "history": Field("record", fields=HISTORY),
        "cases": Field("record", fields=CASES),
        "call": Field("record", fields=CALL),
        "line": Field("record", fields=LINE),
        "now": Field("record", fields=NOW),
    }
    for name, source in sources.items():
        roots[name] = Field("record", fields=source_fields(source))
    return roots


def source_fields(source: Any) -> dict[str, Field]:
    """What a source declares that it gives."""
    return {name: field_of(spec, f"from {name}") for name, spec in source.gives.items()}


def field_of(spec: Any, about: str = "") -> Field:
    """A declaration of config.yaml as a Field."""
    inner = {name: field_of(child) for name, child in (spec.each or {}).items()}
    return Field(spec.kind, spec.speak, about, spec.sensitive, inner)


def _plant(tree: dict[str, Field], path: list[str], leaf: Field) -> None:
    head, *rest = path
    if not rest:
        tree[head] = leaf
        return
    node = tree.setdefault(head, Field("record", "anyone", fields={}))
    _plant(node.fields, rest, leaf)  # type: ignore[arg-type]  # the mapping was made three lines above, as a dict


def in_prompts() -> dict[str, Field]:
    """Names that exist only inside the wording of a menu option or a list item."""
    return dict(_IN_PROMPTS)
