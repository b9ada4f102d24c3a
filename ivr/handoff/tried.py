"""What was tried in a call, and failed or was asked for, as short lines for an agent.

Names of targets are not in them: they may say why a flow was chosen.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from ivr.engine.events import Event
from ivr.flow.model import Do
from ivr.handoff.seen import View, in_words, named

WAITED = {
    "waited_too_long": "waited in line for {minutes}, which was too long",
    "full": "all places in line were taken",
    "abandoned": "left the line after {minutes}",
    "failed": "waiting in line failed",
}
COUNTED = {
    "no_match": "was not understood",
    "no_input": "said and pressed nothing",
    "refused": "gave an answer that was refused",
    "unmatched": "gave an answer to prove who they are that did not match",
}


def tried(view: View, events: Sequence[Event]) -> list[str]:
    """What was tried, and failed or was asked for; each once, with how often."""
    lines = [words for event in events if (words := _tried(view, event))]
    times = Counter(event.type for event in events)
    times["unmatched"] = sum(event.type == "checked" and not event.data["matched"] for event in events)
    counted = [f"{words} {_times(times[kind])}" for kind, words in COUNTED.items() if times[kind]]
    return list(dict.fromkeys(lines)) + counted


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"


def _tried(view: View, event: Event) -> str | None:
    data = event.data
    match event.type:
        case "not_verified":
            return f"could not be verified: {data['why']}"
        case "lookup_failed":
            return f"{named(data['source'])} could not be looked up: {data['why']}"
        case "requested":
            return f"asked for: {named(data['action'])}{_given(view, event)}"
        case "failed" if data["outcome"] == "closed" and "target" in data:
            return "was sent to colleagues who were closed"
        case "dialled" if not data["bridged"]:
            return f"a colleague was rung and did not take the call ({data['status']})"
        case "waited" if data["result"] in WAITED:
            minutes = max(1, round(data["seconds"] / 60))
            return WAITED[data["result"]].format(minutes=f"{minutes} min")
        case "bound":
            return f"the call reached its limit of {named(data['which'])}"
    return None


def _given(view: View, event: Event) -> str:
    """What an action was given, as far as it may be shown."""
    flow, _, name = event.step.partition(".")
    step = view.bundle.step((flow, name))
    if not isinstance(step, Do):
        return ""
    given = event.private.get("give", {})
    open_ = [key for key, value in step.give.items() if all(view.may_see(*path) for path in value.names)]
    parts = [f"{named(key)} {in_words(given[key])}" for key in open_ if given.get(key) is not None]
    return f" ({', '.join(parts)})" if parts else ""
