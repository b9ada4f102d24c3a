"""What people have to do for a caller, as a call makes it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from ivr.engine.events import Event
from ivr.engine.session import Session
from ivr.flow.bundle import Bundle
from ivr.handoff.callback import due
from ivr.handoff.seen import text
from ivr.phone import zone_of


class Task(NamedTuple):
    """One thing people have to do for a caller. Times are UTC seconds.

    `kind`: call, callback or voicemail. `way`: dial, queue or taskrouter. `state`: waiting, ringing, talking, wrap_up or done.
    Served in the order of `entered - ahead`, not before `due`.
    """

    id: str
    kind: str
    way: str
    target: str
    line: str
    call: str
    caller: str | None
    number: str | None
    language: str
    reason: str | None
    words: str | None
    because: str | None
    ahead: float
    entered: float
    due: float
    recording: str | None = None
    state: str = "waiting"
    result: str | None = None
    attempts: int = 0
    low: float | None = None
    high: float | None = None
    external: str | None = None
    last_agent: str | None = None
    agent: str | None = None
    agent_call: str | None = None
    opened: float | None = None
    taken: float | None = None
    talked: float | None = None
    parted: float | None = None
    done: float | None = None
    outcome: str | None = None
    note: str | None = None
    changed: float = 0.0


def is_routed(task: Task) -> bool:
    """Whether TaskRouter finds who makes this call back, not our desk."""
    return task.kind == "callback" and task.way == "taskrouter"


def is_unwritten(task: Task) -> bool:
    """Whether people who were dialled have talked with this caller, and none of them writes it up yet."""
    return task.way == "dial" and task.state == "wrap_up" and task.agent is None


MAKES = frozenset(("queued", "dialled", "callback_booked", "recorded"))
"""Events that may make one: most turns have none of them."""


def made_by(bundle: Bundle, session: Session, events: Sequence[Event]) -> tuple[Task, ...]:
    """The tasks that `events` of one call make: a caller who waits, a talk to write up, a call back, a message."""
    making = [event for event in events if event.type in MAKES]
    return tuple(_made(bundle, session, making)) if making else ()


def _made(bundle: Bundle, session: Session, events: Sequence[Event]) -> Iterator[Task]:
    for event in events:
        match event.type:
            case "queued":
                yield _task(session, event, "call", str(event.data["task"]), way=str(event.data["way"]))
            case "dialled" if event.data["bridged"] and event.data.get("target"):
                yield _talked(session, event)
            case "callback_booked" if not event.data.get("kept_place"):
                number = str(event.private["number"])
                target = str(event.data["target"])
                task = _task(session, event, "callback", str(event.data["task"]), number=number)
                yield task._replace(due=callback_due(bundle, target, number, event.at))
            case "recorded":
                sid = str(event.private["sid"])
                yield _task(session, event, "voicemail", f"v-{sid}")._replace(recording=sid)


def _talked(session: Session, event: Event) -> Task:
    """Who was dialled took the call on their own phone; only its end is known here, and that there is something to write up."""
    began = event.at - float(event.data["seconds"])
    task = _task(session, event, "call", str(event.data["task"]), way="dial")
    return task._replace(state="wrap_up", entered=began, due=began, taken=began, talked=began, parted=event.at)


def callback_after(task: Task, id_: str, because: str, entered: float, due: float) -> Task:
    """The call back that follows from `task`: to the same person, about the same thing."""
    kept = {
        name: getattr(task, name)
        for name in ("target", "line", "call", "caller", "number", "language", "reason", "words")
    }
    return Task(id=id_, kind="callback", way="queue", because=because, ahead=0.0, entered=entered, due=due, **kept)


def callback_due(bundle: Bundle, target: str, number: str, now: float) -> float:
    """When `number` may be called back: within the target's hours, at a decent time where that number is."""
    spec = bundle.part.targets.get(target)
    offer = spec.waiting.callback if spec and spec.waiting else None
    between = offer.between if offer else "08:00-21:00"
    return due(now, spec.hours if spec else None, between, zone_of(number))


def _task(
    session: Session, event: Event, kind: str, id_: str, *, way: str = "queue", number: str | None = None
) -> Task:
    about = event.private.get("about")
    reason = event.data.get("reason") or (session.reasons[-1] if session.reasons else None)
    words = event.private.get("words") or (about if isinstance(about, str) else None)
    return Task(
        id=id_,
        kind=kind,
        way=way,
        target=str(event.data.get("target") or ""),
        line=session.line,
        call=str(session.call["sid"]),
        caller=session.person,
        number=number or session.call.get("number"),
        language=session.language,
        reason=reason,
        # Not every character that can be said, or written for it, can be stored.
        words=text(words) if words else None,
        because=event.data.get("because"),
        ahead=float(event.data.get("ahead") or 0.0),
        entered=event.at,
        due=event.at,
        changed=event.at,
    )
