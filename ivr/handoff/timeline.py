"""A call as a timeline, for people: the caller on one side, the line on the other, and why it did what it did.

    entries(view, events)  → Entry(at, "system", "decided", "Flow bill, because: they have one open case", ("used …",), …)

What may be shown obeys `seen.py`. A choice that rests on what the viewer may not see is told without its reasons, and the
steps of its flow without their names, since they would say it. Words of callers stay text: who shows them escapes them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from ivr.engine.events import Event
from ivr.flow.model import Do
from ivr.flow.spoken import plain
from ivr.handoff.seen import View, in_words, named, text
from ivr.handoff.story import shown
from ivr.source import Path

ERASED = "[erased]"
UNSEEN = "[not for you to see]"
DECISIONS = frozenset(
    ("decided", "chose", "routed", "failed", "bound", "refused", "subject_changed", "commanded", "not_verified", "verified",
     "silent", "offered", "queued", "ended")
)  # fmt: skip
"""Kinds of entries that are left when one looks at decisions only."""


class Entry(NamedTuple):
    """One thing that happened. `side`: caller or system; `kind`: the event's type; `why`: its reasons, a line each;
    `step`: `flow.step`, or empty where there is none or it may not be shown; `within` it, what decided; `rule`: the line's
    own that chose the flow."""

    at: float
    side: str
    kind: str
    words: str
    why: tuple[str, ...] = ()
    step: str = ""
    within: Path = ()
    rule: int | None = None

    @property
    def decides(self) -> bool:
        """Whether it is a decision."""
        return self.kind in DECISIONS


Told = tuple[str, Sequence[str]]
"""Words, and reasons."""


def entries(view: View, events: Sequence[Event]) -> Iterator[Entry]:
    """The timeline, oldest first. What only keeps the machinery going is left out."""
    kept = kept_quiet(view, events)
    asked: float | None = None
    for event in events:
        if event.type == "asked" and event.data["kind"] == "lookup":
            asked = event.at
        kind = "offered" if event.type == "asked" and event.data.get("order") else event.type
        side, told = ("caller", _heard(event)) if kind == "heard" else ("system", _told(view, event, kind, kept, asked))
        if told is not None:
            step = "" if event.step.partition(".")[0] in kept else event.step
            within, rule = _within(event) if step else (), _rule(event) if kind == "decided" and not kept else None
            yield Entry(event.at, side, kind, told[0], tuple(told[1]), step, within, rule)


def kept_quiet(view: View, events: Sequence[Event]) -> frozenset[str]:
    """Flows whose name would say what the viewer may not know: chosen for facts that are not theirs to see."""
    return frozenset(
        name
        for event in events
        if event.type == "decided" and not _may_see(view, event)
        for name in (event.data["flow"],)
    )


def _may_see(view: View, event: Event) -> bool:
    return all(view.may_see(*name.split(".")) for name in event.data["facts"])


def _rule(event: Event) -> int | None:
    """Which of the line's rules chose; -1 stands for none."""
    return event.data["rule"] if event.data["rule"] >= 0 else None


def _within(event: Event) -> Path:
    """The part of the step that decided."""
    match event.type:
        case "routed" if event.data["rule"] is not None:
            return "route", event.data["rule"]
        case "refused":
            return "refuse", event.data["rule"]
        case "chose":
            return "options", event.data["option"]
    return ()


def _heard(event: Event) -> Told | None:
    given = event.private.get("input")
    kind = event.data["kind"]
    if given is None:
        return (ERASED, ()) if kind in ("keys", "words") else None
    match kind:
        case "keys":
            return f"pressed {given['digits']}", ()
        case "words":
            return f"“{text(given['text'])}”" if given["text"].strip() else f"[{given['choice']}]", ()
        case "silence":
            return "said and pressed nothing", ()
        case "checked":
            return "answered (kept secret)", ()
        case "recorded":
            return f"left a message of {given['seconds']:.0f} s", ()
        case "hung_up":
            return "hung up", ()
    return None


def _told(view: View, event: Event, kind: str, kept: frozenset[str], asked: float | None) -> Told | None:
    data, private = event.data, event.private
    match kind:
        case "decided":
            return _decided(view, event)
        case "spoke":
            words = text(plain(private["ssml"])) if "ssml" in private else ERASED
            quiet = event.step.partition(".")[0] in kept
            prompt = () if quiet else (f"{data['prompt']} · {data['wording']} · {data['seconds']:.1f} s",)
            return words, prompt
        case "offered":
            return f"Spoke first: {', '.join(map(named, data['order'][:4]))}", ()
        case "collected" if data["as"] not in ("words", "recording"):
            value = shown(view, data["name"], private["value"]) if "value" in private else ERASED
            return f"Took {named(data['name'])}: {value or UNSEEN}", ()
        case "looked_up":
            took = f"took {event.at - asked:.1f} s" if asked is not None else ""
            age = f"{data['age']:.0f} s old" if data["age"] >= 1 else "fresh"
            return f"Looked up {named(data['source'])}", [f"{took}, {age}" if took else age]
        case "lookup_failed":
            missing = ", ".join(map(named, data.get("missing", ())))
            return f"Could not look up {named(data['source'])}: {data['why']}", [
                f"missing: {missing}"
            ] if missing else ()
        case "requested":
            return f"Asked for: {named(data['action'])}", _given(view, event)
        case "routed":
            words = f"Rule {data['rule'] + 1} held" if data["rule"] is not None else "No rule held"
            return words, _unknown(data["not_known"])
        case "handed_off" | "silent" if event.step.partition(".")[0] in kept:
            return ("Handed over", ()) if kind == "handed_off" else None
    tell = _PLAIN.get(kind)
    return (tell(data), ()) if tell else None


def _given(view: View, event: Event) -> list[str]:
    """What an action was given, as far as it may be shown."""
    flow, _, name = event.step.partition(".")
    step = view.bundle.step((flow, name))
    given = event.private.get("give", {}) if isinstance(step, Do) else {}
    seen = {
        key: all(view.may_see(*path) for path in value.names)
        for key, value in (step.give if isinstance(step, Do) else {}).items()
    }
    return [f"{named(key)}: {in_words(value) if seen.get(key) else UNSEEN}" for key, value in given.items()]


def _decided(view: View, event: Event) -> Told:
    data = event.data
    if not _may_see(view, event):
        return "Chose how to serve them", ["for a reason that you may not see"]
    facts = event.private.get("facts")
    used = [
        f"used {name}: {ERASED if facts is None else _value(facts.get(name))}" for name in data["facts"]
    ]  # every one of them may be seen
    over = [
        " ".join([f"passed over: {each['because']}", *(f"({line})" for line in _unknown(each["not_known"]))])
        for each in data["passed_over"]
    ]
    manner = [f"wordings: {', '.join(data['manner'])}"] if data["manner"] else []
    would = [f"otherwise it would have been: {data['would']}"] if data["control"] and data["would"] else []
    return f"Flow {data['flow']}, because: {data['because']}", [*used, *manner, *over, *would]


def _value(value: Any) -> str:
    return "not known" if value is None else in_words(value)


def _unknown(names: Sequence[str]) -> list[str]:
    return [f"not known: {', '.join(names)}"] if names else []


def _times(data: Mapping[str, Any], words: str) -> str:
    return words if data["times"] == 1 else f"{words} (time {data['times']})"


WAITED = {
    "bridged": "A colleague took the call",
    "callback_booked": "They will be called back",
    "waited_too_long": "Nobody was free in time",
    "full": "All places in line were taken",
    "abandoned": "They left the line",
}

_PLAIN: Mapping[str, Callable[[Mapping[str, Any]], str]] = {
    "started": lambda data: f"The call began: {data['known']}, in {data['language']}",
    "silent": lambda data: f"Kept silent: {data['prompt']} holds something that is not known",
    "unexpected": lambda data: "Something came that was not asked for; the question was put again",
    "no_input": lambda data: _times(data, "Nothing was pressed or said"),
    "no_match": lambda data: _times(data, "That fits nothing here"),
    "not_available": lambda data: f"Not open now: {named(data['option'])}",
    "chose": lambda data: f"Understood as: {named(data['option'])}, by {data['how']}",
    "refused": lambda data: f"Refused the answer by rule {data['rule'] + 1}",
    "confirmed": lambda data: "They confirmed it" if data["right"] else "They said it is wrong",
    "commanded": lambda data: f"Command: {named(data['command'])}",
    "subject_changed": lambda data: f"Changed the subject to {named(data['to'].rsplit('.', 1)[-1])}",
    "remembered": lambda data: f"Remembered: {', '.join(map(named, data['names']))}",
    "checked": lambda data: "The answer matched" if data["matched"] else "The answer did not match",
    "verified": lambda data: "Verified: they are who they say",
    "not_verified": lambda data: f"Not verified: {data['why']}",
    "answered": lambda data: f"They have their answer: {named(data['to'])}",
    "handed_off": lambda data: f"Handed over to {named(data.get('target') or 'the emergency number')}",
    "dialled": lambda data: (
        f"Connected with a colleague for {data['seconds']:.0f} s"
        if data["bridged"]
        else f"Nobody took it ({data['status']})"
    ),
    "queued": lambda data: f"Waits in line{': served sooner, ' + data['because'] if data.get('because') else ''}",
    "waited": lambda data: f"{WAITED.get(data['result'], 'Waiting failed')}, after {data['seconds']:.0f} s",
    "callback_booked": lambda data: "A call back is booked",
    "case_changed": lambda data: f"Case: {data['action']}",
    "notified": lambda data: f"Wrote to them by {data['by']}",
    "recorded": lambda data: f"Kept a message of {data['seconds']:.0f} s",
    "surveyed": lambda data: "Survey answered",
    "failed": lambda data: f"{named(data['outcome']).capitalize()}: nothing names that outcome",
    "bound": lambda data: f"The call reached its limit of {named(data['which'])}",
    "fault": lambda data: f"Fault: {data['code']}",
    "ended": lambda data: (
        f"Ended: {named(data['outcome'])}, by the {data['by']}{', unfinished' if data['unfinished'] else ''}"
    ),
}
"""What is told without reasons."""
