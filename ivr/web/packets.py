"""What people are told of a caller, gathered: the packet's pure part with what the database and config.yaml add to it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ivr.engine.events import Event
from ivr.engine.session import Session
from ivr.flow.bundle import Bundle
from ivr.handoff.fit import LIMIT, fit
from ivr.handoff.link import sign
from ivr.handoff.offers import offers
from ivr.handoff.packet import Extras, packet

TASK_BYTES = 3000
"""Bytes of a packet in a TaskRouter task. Its attributes may have 4,096; what leads to the call is ours, too, and Twilio adds
about 700 of its own."""

if TYPE_CHECKING:
    from ivr.web.app import Wiring


def packet_text(wiring: Wiring, bundle: Bundle, session: Session, events: Sequence[Event]) -> str:
    """The packet of a call that is being handed over, as bounded JSON. `events`: those of this turn."""
    before = wiring.store.events_of(str(session.call["sid"]))
    spec = session.wait.spec
    made = _packet(wiring, bundle, session, [*before, *events], spec.get("target"), str(spec.get("task") or ""))
    return fit(made, TASK_BYTES if spec.get("way") == "taskrouter" else LIMIT)


def packet_of_call(wiring: Wiring, bundle: Bundle, session: Session, target: str, task: str = "") -> Mapping[str, Any]:
    """The packet of a call as it is stored."""
    return _packet(wiring, bundle, session, wiring.store.events_of(str(session.call["sid"])), target, task)


def _packet(
    wiring: Wiring, bundle: Bundle, session: Session, events: Sequence[Event], target: str | None, task: str
) -> dict[str, Any]:
    now = wiring.clock()
    person = wiring.store.person(session.person) if session.person else None
    about = _about(events)
    reason = session.reasons[-1] if session.reasons else about
    like = wiring.store.grants.like(reason, now - wiring.config.file.desk.like, wiring.config.file.concessions)
    extras = Extras(
        target=target,
        facts=person.facts if person else {},
        cases=person.cases if person else (),
        calls=person.history if person else None,
        offers=offers(wiring.config.file.concessions, {**session.facts, "found": session.found}, reason, like),
        link=packet_link(wiring, task) if task and wiring.config.secret_key else None,
    )
    return packet(bundle, session, events, about, extras, now)


def _about(events: Sequence[Event]) -> str | None:
    """What the latest hand-off says the call is about, also once the two have talked."""
    handed = next((event for event in reversed(events) if event.type in ("handed_off", "callback_booked")), None)
    about = handed.private.get("about") if handed else None
    return str(about) if about is not None else None


def packet_link(wiring: Wiring, task: str) -> str:
    """The short-lived page of one packet, for people without an account."""
    key = wiring.config.secret_key
    until = int(wiring.clock() + wiring.config.file.desk.link)
    return f"{wiring.config.public_url or ''}/packet/{sign(key, task, until)}"
