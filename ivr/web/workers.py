"""A TaskRouter worker's leg of a call back. Nobody took it at our desk: whoever presses the key first has it.

It is answered by the same addresses as an agent's leg (agents.py), which hand over to here where TaskRouter routes.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from flask import request

from ivr.config import CallbackOffer
from ivr.handoff import callback
from ivr.handoff.task import Task
from ivr.phone import zone_of
from ivr.store import routed
from ivr.telephony.twiml import HANG_UP

if TYPE_CHECKING:
    from ivr.web.app import Wiring


def can_accept(task: Task) -> bool:
    """Whether the worker on this leg may still have it, or has it."""
    return task.state == "waiting" or (task.state == "talking" and task.agent_call == _leg())


def onward() -> str:
    """What the whisper's key must carry along, as it stands in XML: which reservation of which TaskRouter task this is."""
    return "".join(f"&amp;{name}={sid}" for name, sid in _sids().items() if sid)


def accept(wiring: Wiring, task: Task) -> Task | None:
    """The key. None where somebody else was first, or it is done."""
    return routed.accept(wiring.store.database, task.id, _leg(), wiring.clock(), **_sids())


def turned_away(wiring: Wiring, task: Task) -> None:
    """TaskRouter rang somebody for nothing; not again for the same."""
    external = _sids()["external"]
    if external is not None:
        routed.not_wanted(wiring.store.database, task, external, wiring.clock())


def done(wiring: Wiring, task: Task, bridged: bool) -> str:
    """The caller was called back: it is done, or else routed again, and after the last try closed."""
    now, database = wiring.clock(), wiring.store.database
    if bridged:
        routed.reached(database, task.id, _leg(), now)
        return HANG_UP
    target = wiring.config.file.targets.get(task.target)
    offer = (target.waiting.callback if target and target.waiting else None) or CallbackOffer()
    tries = task.attempts + 1
    due = callback.again(now, tries, offer, target.hours if target else None, zone_of(task.number or ""))
    if routed.not_reached(database, task.id, _leg(), due, now):
        wiring.log.info("callback_not_reached", task=task.id, tries=tries, closed=due is None)
    if due is None:
        return wiring.twiml.goodbye("They did not answer. That was the last try; the call back is closed.")
    return wiring.twiml.goodbye("They did not answer. They are tried again later.")


def ended(wiring: Wiring, task: Task) -> None:
    """Their leg is over. How the dialling went may come later still, and counts more."""
    routed.reached(wiring.store.database, task.id, _leg(), wiring.clock())


def _leg() -> str:
    return request.values.get("CallSid", "")[:64]


def _sids() -> dict[str, str | None]:
    return {"external": _sid("external", "WT"), "reservation": _sid("reservation", "WR")}


def _sid(name: str, prefix: str) -> str | None:
    text = request.args.get(name, "")
    return text if re.fullmatch(rf"{prefix}[0-9A-Za-z]{{1,38}}", text) else None
