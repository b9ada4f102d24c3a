"""The packet: all that an agent should know before they say hello, as JSON-native data.

    extras = Extras(target="care_team", facts=…, cases=…, calls=…, offers=…, link=…)
    packet(bundle, session, events, about, extras, now)  → {"who": …, "reason": …, …}

It is made from the call's events and session, so it can be made again at any time. Who may see what is in `seen.py`; the
answers to `verify` are never in events, so they cannot get here. A case is always shown to the agents of its target, also
its summary and promise, which a caller must be verified to hear: the agents made the promise and have to keep it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from ivr.engine.events import Event
from ivr.engine.session import Session
from ivr.flow.bundle import Bundle
from ivr.flow.model import Line
from ivr.handoff import story
from ivr.handoff.seen import View, in_words, named, text
from ivr.handoff.tried import tried

SECTIONS: Mapping[str, str] = {
    "who": "name (where it may be shown), number in E.164 (None: withheld), known: anyone, recognised or verified, and in words",
    "reason": "words: the caller's own; understood: reasons chosen, each with its label; about: what the hand-off says",
    "language": "the language being spoken",
    "manner": "the wordings they like",
    "ask_not": "what not to ask again: what was verified and what they have told us, a line each",
    "case": "the open case: about, promise, promise_by, late, summary, opened, id, others (how many more are open)",
    "link": "the page of this packet, for a while",
    "known": "facts that may be shown, a line each",
    "tried": "what was tried and failed or was asked for, a line each",
    "offers": "what the agent may grant, each with its limit and how like cases were treated",
    "because": "why this flow was chosen, unless that says what these agents may not see",
    "calls": "earlier calls, newest first, a line each",
    "done": "what they heard, entered and said in this call, oldest first, a line each",
}
"""Every section, the most important first. A section that is empty is left out."""


@dataclass(frozen=True, slots=True)
class Extras:
    """What a packet needs besides the call.

    `target`: whose people read it, which decides what they may see (None: where the call is now); `facts` of the person, by
    dotted name; `cases` of theirs, newest last; `calls`: their history record (see personal/history.py);
    `offers`: see offers.py; `link`: a page's address.
    """

    target: str | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)
    cases: Sequence[Mapping[str, Any]] = ()
    calls: Mapping[str, Any] | None = None
    offers: Sequence[Mapping[str, Any]] = ()
    link: str | None = None


def packet(
    bundle: Bundle, session: Session, events: Sequence[Event], about: Any, extras: Extras, now: float
) -> dict[str, Any]:
    """The packet of a call, its sections in order of importance. `about` is the hand-off's; `now` is UTC seconds."""
    line = bundle.lines[session.line]
    name = extras.target or session.wait.spec.get("target")
    target = bundle.part.targets.get(str(name))
    view = View(bundle, line, session.level, frozenset(target.sees if target else ()), session.started)
    events = story.relevant(line, events)
    made: dict[str, Any] = {
        "who": _who(view, session, extras.facts),
        "reason": _reason(view, session, events, about),
        "language": session.language,
        "manner": list(session.manner),
        "ask_not": _ask_not(view, session, events),
        "case": _case(session, extras.cases, _day(line, now)),
        "link": extras.link,
        "known": _known(view, session, extras.facts),
        "tried": tried(view, events) + _unfinished(line, session, extras.calls),
        "offers": [dict(offer) for offer in extras.offers],
        "because": _because(view, session, events),
        "calls": [_call(line, call) for call in _earlier(session, extras.calls)],
        "done": story.done(view, events),
    }
    return {name: made[name] for name in SECTIONS if made[name]}


NAMES = ("name", "first_name", "last_name")
"""Facts that are a person's name."""


def _who(view: View, session: Session, facts: Mapping[str, Any]) -> dict[str, Any]:
    number = session.call.get("number")
    names = [text(facts[name]) for name in NAMES if facts.get(name) and view.may_see("caller", name)]
    if session.level == "verified":
        words = "verified"
    elif session.level == "recognised":
        words = "recognised by number, not verified"
    elif number is None:
        words = "number withheld, not known who is calling"
    elif len(session.people) > 1:
        words = f"this number belongs to {len(session.people)} people, not known which"
    else:
        words = "not known who is calling"
    who = {"name": " ".join(names), "number": number, "known": session.level, "words": words}
    return who if names else {key: value for key, value in who.items() if key != "name"}


def _reason(view: View, session: Session, events: Sequence[Event], about: Any) -> dict[str, Any]:
    understood = [
        {"reason": reason, "label": story.reason_label(view.bundle, view.line, reason) or named(reason)}
        for reason in session.reasons
    ]
    found = {
        "words": story.reason_words(events),
        "understood": understood,
        "about": in_words(about) if about is not None and not isinstance(about, Mapping) else None,
    }
    return {key: value for key, value in found.items() if value}


def _ask_not(view: View, session: Session, events: Sequence[Event]) -> list[str]:
    """What was proved, then what was told, yes and no last. What was not confirmed may be asked again."""
    told = [event.data["name"] for event in events if event.type == "collected"]
    told += (session.last or {}).get("said", {})
    answers = {name: session.said[name].get("value") for name in told if name in session.said}
    reason = story.reason_words(events)
    lines = [
        (isinstance(value, bool), f"{named(name)}: {words}")
        for name, value in answers.items()
        if name not in ("reason", "language") and "label" not in session.said[name]
        if (words := story.shown(view, name, value)) and words not in reason
    ]
    proved = [f"verified: {name}" for name in story.proofs(view.bundle, events)]
    return proved + [words for _, words in sorted(lines, key=lambda line: line[0])]


def _known(view: View, session: Session, facts: Mapping[str, Any]) -> list[str]:
    """Facts about the person, then what was looked up. What is not so is not said."""
    values = {("caller", *name.split(".")): facts.get(name) for name in view.bundle.part.facts if name not in NAMES}
    for source in view.bundle.part.sources:
        values |= {(source, name): value for name, value in session.facts.get(source, {}).items()}
    for step, found in session.found.items():
        values |= {("found", step, name): value for name, value in found.items()}
    lines = [
        f"{named('.'.join(path[1:] if path[0] in ('caller', 'found') else path))}: {_value(view, path, value)}"
        for path, value in values.items()
        if isinstance(value, (str, int, float)) and value is not False and view.may_see(*path)
    ]
    return list(dict.fromkeys(lines))


def _value(view: View, path: tuple[str, ...], value: Any) -> str:
    field = view.bundle.field_at(path)
    if field is not None and field.kind == "money" and isinstance(value, (int, float)):
        return f"{value:.2f} {view.bundle.part.money}"
    return in_words(value)


def _case(session: Session, cases: Sequence[Mapping[str, Any]], today: str) -> dict[str, Any]:
    """The open case about this call's reason, else the newest."""
    still_open = [case for case in cases if not case.get("closed")]
    if not still_open:
        return {}
    same = [case for case in still_open if case.get("about") in session.reasons]
    case = (same or still_open)[-1]
    made: dict[str, Any] = {key: text(case[key]) for key in ("about", "promise", "promise_by") if case.get(key)}
    if made.get("promise_by", today) < today:
        made["late"] = True
    made |= {key: text(case[key]) for key in ("summary", "opened", "id") if case.get(key)}
    return made | ({"others": len(still_open) - 1} if len(still_open) > 1 else {})


def _because(view: View, session: Session, events: Sequence[Event]) -> str | None:
    decided = next((event for event in events if event.type == "decided"), None)
    if decided is None or session.control:
        return None
    seen = all(view.may_see(*name.split(".")) for name in decided.data["facts"])
    return str(decided.data["because"]) if seen else None


def _earlier(session: Session, record: Mapping[str, Any] | None) -> list[Mapping[str, Any]]:
    recent: Sequence[Mapping[str, Any]] = record["recent"] if record else ()
    return [call for call in reversed(recent) if call["sid"] != session.call.get("sid")]


def _unfinished(line: Line, session: Session, record: Mapping[str, Any] | None) -> list[str]:
    return [
        f"called on {_day(line, call['at'])}{_about(call, ' about')}, which ended unfinished"
        for call in _earlier(session, record)
        if call["unfinished"]
    ]


def _call(line: Line, call: Mapping[str, Any]) -> str:
    """An earlier call: `2026-02-20 bill, handed over, 7 min`."""
    outcome = "unfinished" if call["unfinished"] else named(call["outcome"])
    return f"{_day(line, call['at'])}{_about(call)}, {outcome}, {max(1, round(call['seconds'] / 60))} min"


def _about(call: Mapping[str, Any], word: str = "") -> str:
    reasons = ", ".join(named(reason) for reason in call["reasons"])
    return f"{word} {reasons}" if reasons else ""


def _day(line: Line, at: float) -> str:
    """The day of a moment, by the line's own clock."""
    day: date = datetime.fromtimestamp(at, ZoneInfo(line.hours.timezone if line.hours else "UTC")).date()
    return day.isoformat()
