"""What people are told of a caller, gathered: the packet's pure part with what the database and config.yaml add to it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ivr.engine.events import Event
from ivr.engine.session import Session
from ivr.flow.bundle import Bundle
from ivr.handoff.fit import fit
from ivr.handoff.link import sign
from ivr.handoff.offers import offers
from ivr.handoff.packet import Extras, packet
from ivr.jsontext import encode

TASK_BYTES = 4000
"""Bytes of a TaskRouter task's attributes that are ours."""

if TYPE_CHECKING:
    from ivr.web.app import Wiring


def packet_text(wiring: Wiring, bundle: Bundle, session: Session, events: Sequence[Event]) -> str:
    """The packet of a call that is being handed over, as bounded JSON. `events`: those of this turn."""
    before = wiring.store.events_of(str(session.call["sid"]))
    spec = session.wait.spec
    made = _packet(wiring, bundle, session, [*before, *events], spec.get("target"), str(spec.get("task") or ""))
    if spec.get("way") == "taskrouter":
        # Everything of ours lies under one key, beside the name by which the assignment is answered.
        head = encode({"target": spec.get("target")})[:-1]
        return f'{head},"packet":{fit(made, TASK_BYTES - len(head.encode()))}}}'
    return fit(made)


def packet_of_call(
    wiring: Wiring, bundle: Bundle, session: Session, target: str, task: str = ""
) -> Mapping[str, Any]:
    """The packet of a call as it is stored."""
    return _packet(wiring, bundle, session, wiring.store.events_of(str(session.call["sid"])), target, task)


def _packet(
    wiring: Wiring, bundle: Bundle, session: Session, events: Sequence[Event], target: str | None, task: str
) -> dict[str, Any]:
    now = wiring.clock()
    person = wiring.store.person(session.person) if session.person else None
    reason = session.reasons[-1] if session.reasons else None
    like = wiring.store.grants.like(reason, now - wiring.config.file.desk.like, wiring.config.file.concessions)
    extras = Extras(
        target=target,
        facts=person.facts if person else {},
        cases=person.cases if person else (),
        calls=person.history if person else None,
        offers=offers(wiring.config.file.concessions, {**session.facts, "found": session.found}, reason, like),
        link=packet_link(wiring, task) if task and wiring.config.secret_key else None,
    )
    return packet(bundle, session, events, session.wait.spec.get("about"), extras, now)


def packet_link(wiring: Wiring, task: str) -> str:
    """The short-lived page of one packet, for people without an account."""
    key = wiring.config.secret_key
    until = int(wiring.clock() + wiring.config.file.desk.link)
    return f"{wiring.config.public_url or ''}/packet/{sign(key, task, until)}"
