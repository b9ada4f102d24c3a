"""A stored call once more: `start` and `resume` over its inputs. Pure, like everything here.

The first event's private part holds what `start` was handed, the second the decision's facts, each `heard` event its input.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields

from ivr.engine.events import Event
from ivr.engine.inputs import from_data
from ivr.engine.run import resume, start
from ivr.engine.session import Sprint
from ivr.errors import UsageError
from ivr.flow.bundle import Bundle
from ivr.personal.choose import Decision
from ivr.personal.snapshot import Snapshot


def replay(bundle: Bundle, events: Sequence[Event]) -> list[Sprint]:
    """Every sprint of the call whose events these are. Raises UsageError where what is personal has been erased."""
    if len(events) < 2 or not events[0].private:
        raise UsageError("what was personal in this call has been erased, so it cannot be played again")
    first = events[0].private
    sprints = [start(bundle, decision_of(bundle, events), snapshot_of(events[0]), first["call"], events[0].at)]
    for event in events:
        if event.type == "heard":
            sprints.append(resume(bundle, sprints[-1].session, from_data(event.private["input"]), event.at))
    return sprints


def without_late(events: Sequence[Event]) -> list[Event]:
    """The events of the conversation itself, without those that came after the call had closed."""
    return [event for event in events if not event.data.get("late")]


def snapshot_of(started: Event) -> Snapshot:
    """What the call carried of the person."""
    kept = dict(started.private["snapshot"])
    kept["people"] = tuple(kept["people"])
    kept["ranking"] = tuple((reason, chance) for reason, chance in kept["ranking"])
    return Snapshot(**kept)


def decision_of(bundle: Bundle, events: Sequence[Event]) -> Decision:
    """Which flow was chosen, and why."""
    decided = next(event for event in events if event.type == "decided")
    named = {made.name for made in fields(Decision)}
    kept = {name: value for name, value in decided.data.items() if name in named}
    line = bundle.lines[events[0].data["line"]]
    rule = kept["rule"]
    kept["manner"] = tuple(kept["manner"])
    kept["facts"] = decided.private.get("facts", {})
    kept["always"] = rule >= 0 and not kept["control"] and line.choose[rule].always
    return Decision(**kept)
