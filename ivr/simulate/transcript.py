"""Events as a conversation one can read aloud, and as a trace with the reasons."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

from ivr.engine.events import Event
from ivr.flow.spoken import plain

LINE, CALLER, NOTE = "line", "caller", "note"


def conversation(events: Iterable[Event]) -> Iterator[tuple[str, str]]:
    """(who, words): what was heard and what was pressed or said, nothing else."""
    for event in events:
        if event.type == "spoke":
            yield LINE, plain(event.private.get("ssml", "[erased]"))
        elif event.type == "heard":
            words = _heard(event)
            if words:
                yield CALLER, words
        elif event.type == "handed_off":
            yield NOTE, f"to {event.data.get('target') or 'the emergency number'}"
        elif event.type == "dialled":
            yield (
                NOTE,
                "connected with a person"
                if event.data["bridged"]
                else f"nobody took the call ({event.data['status']})",
            )
        elif event.type in WAITED:
            yield NOTE, WAITED[event.type](event)
        elif event.type == "verified":
            yield NOTE, "verified"
        elif event.type == "asked" and event.data["kind"] == "record":
            yield NOTE, "beep"
        elif event.type == "ended":
            yield NOTE, f"the call ended: {event.data['outcome']}"


_ENDS = {
    "bridged": "connected with a person",
    "callback_booked": "asked to be called back",
    "waited_too_long": "nobody was free in time",
    "full": "the queue is full",
    "abandoned": "left the queue",
}

WAITED: Mapping[str, Callable[[Event], str]] = {
    "queued": lambda event: (
        f"waits in the queue{' (ahead: ' + event.data['because'] + ')' if event.data.get('because') else ''}"
    ),
    "waited": lambda event: (
        f"{_ENDS.get(event.data['result'], 'the queue failed')}, after {event.data['seconds']:.0f} s"
    ),
    "callback_booked": lambda event: f"{event.data['target']} will call back",
    "case_changed": lambda event: f"case: {event.data['action']}",
    "notified": lambda event: f"written to by {event.data['by']}",
    "surveyed": lambda event: (
        "survey: " + (", ".join(f"{k} {v}" for k, v in event.data["answers"].items()) or "no answer")
    ),
}
"""What people do for a caller, in words."""


def _heard(event: Event) -> str | None:
    given = event.private.get("input")
    if given is None:
        return f"[{event.data['kind']}, erased]" if event.data["kind"] in ("keys", "words") else None
    match given["kind"]:
        case "keys":
            return f"presses {given['digits']}"
        case "words":
            return f"“{given['text']}”" if given["text"] else f"[{given['choice']}]"
        case "silence":
            return "…"
        case "checked":
            return "answers (kept secret)"
        case "recorded":
            return f"leaves a message of {given['seconds']:.0f} s"
        case "hung_up":
            return "hangs up"
    return None


def trace(events: Iterable[Event]) -> Iterator[tuple[float, str, str, str]]:
    """(moment, step, type, words): everything that happened, decisions with their reasons."""
    for event in events:
        yield event.at, event.step, event.type, _why(event)


def _why(event: Event) -> str:
    data, private = event.data, event.private
    match event.type:
        case "decided":
            return _decided(event)
        case "spoke":
            return f"{data['prompt']} ({data['wording']}): {plain(private.get('ssml', '[erased]'))}"
        case "heard":
            return _heard(event) or data["kind"]
        case "chose":
            return f"{data['option']} by {data['how']} (reason {data['reason']})"
        case "collected":
            return f"{data['name']} = {private.get('value', '[erased]')}"
        case "asked":
            order = f", spoken first: {', '.join(data['order'][:4])}" if data.get("order") else ""
            return f"waits: {data['kind']}{order}"
        case "looked_up":
            return f"{data['source']}, {data['age']:.0f} s old"
        case "lookup_failed":
            return f"{data['source']}: {data['why']} {', '.join(data.get('missing', ()))}{data.get('detail', '')}"
        case "routed":
            unknown = f" (not known: {', '.join(data['not_known'])})" if data["not_known"] else ""
            return f"rule {data['rule']}{unknown}" if data["rule"] is not None else f"no rule held{unknown}"
        case "ended":
            return f"{data['outcome']}, by the {data['by']}{', unfinished' if data['unfinished'] else ''}"
    return ", ".join(f"{name} {value}" for name, value in data.items())


def _decided(event: Event) -> str:
    data = event.data
    facts = event.private.get("facts", {})
    used = ", ".join(f"{name} = {facts.get(name, '[erased]')}" for name in data["facts"]) or "no fact"
    over = "; ".join(
        f"{each['because']}{' (not known: ' + ', '.join(each['not_known']) + ')' if each['not_known'] else ''}"
        for each in data["passed_over"]
    )
    would = f"; control group, otherwise: {data['would']}" if data["control"] else ""
    manner = f", {'/'.join(data['manner'])}" if data["manner"] else ""
    return f"{data['flow']}{manner}, because: {data['because']}; used {used}{'; passed over: ' + over if over else ''}{would}"


def seconds_heard(events: Iterable[Event]) -> float:
    """Estimated seconds of speech."""
    return round(sum(float(event.data["seconds"]) for event in events if event.type == "spoke"), 1)
