"""An agent takes a task: first it is theirs, then their phone rings. Whatever goes wrong, the caller stays in line."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from ivr.handoff.task import Task
from ivr.store.users import User
from ivr.telephony.faults import RestFault
from ivr.web.shown import IN_HAND, colleague, is_mine

if TYPE_CHECKING:
    from ivr.web.app import Wiring

GIVEN_BACK = 30.0
"""Seconds after a phone should have stopped ringing; then a task whose ringing nobody heard of waits again."""


class Taken(NamedTuple):
    """How it went, in a sentence for the agent. `well`: the task is theirs."""

    well: bool
    words: str


def take(wiring: Wiring, user: User, task: Task) -> Taken:
    """Makes the task this agent's and rings their phone."""
    now = wiring.clock()
    if not user.phone:
        return Taken(False, "You have no phone yet. Set the one that should ring under Account, then take the caller.")
    if not wiring.config.public_url:
        return Taken(False, "IVR_PUBLIC_URL is not set, so Twilio cannot ring you. The caller stays in line.")
    if not wiring.store.tasks.take(task.id, user.id, now):
        return _lost(wiring, user, wiring.store.tasks.get(task.id), now)
    wiring.store.audit.note(now, user.id, "take", task.id)
    try:
        sid = _ring(wiring, user.phone, task)
    except RestFault as fault:
        return _fault(wiring, user, task, fault)
    if not wiring.store.tasks.set_agent_call(task.id, sid, wiring.clock(), user.id):
        return _lost(wiring, user, wiring.store.tasks.get(task.id), wiring.clock())
    return Taken(True, f"Your phone is ringing. Press {accept_key(wiring, task)} to accept.")


def accept_key(wiring: Wiring, task: Task) -> str:
    """What an agent presses to be connected."""
    target = wiring.config.file.targets.get(task.target)
    return target.accept_key if target else "1"


def _ring(wiring: Wiring, phone: str, task: Task) -> str:
    base = f"{wiring.twiml.base}/voice/agent"
    seconds = wiring.config.file.desk.ring
    from_ = wiring.store.number_called(task) or ""
    return wiring.rest.ring(phone, from_, f"{base}?task={task.id}", f"{base}/status?task={task.id}", seconds)


def _lost(wiring: Wiring, user: User, task: Task | None, now: float) -> Taken:
    """Why the task is not theirs."""
    if task is None or task.done is not None:
        return Taken(
            False, "The caller has hung up." if task is None or task.kind == "call" else "This is done already."
        )
    if is_mine(task, user):
        return Taken(True, "You have this caller already.")
    if task.state in IN_HAND:
        return Taken(False, f"{colleague(wiring, task.agent)} has just taken this call.")
    if task.way == "taskrouter":
        return Taken(False, "TaskRouter finds who takes this one; it cannot be taken here.")
    if task.kind == "callback" and task.due > now:
        return Taken(False, "It is too early to call back; this caller asked for later.")
    return Taken(False, "You have another caller in hand. Finish that one first.")


def _fault(wiring: Wiring, user: User, task: Task, fault: RestFault) -> Taken:
    wiring.log.error("agent_not_rung", task=task.id, error=str(fault), sure=fault.sure)
    if fault.sure:
        wiring.store.tasks.release(task.id, wiring.clock(), agent=user.id)
        return Taken(False, f"Your phone was not rung: {fault}. The caller is still in line.")
    back = round(wiring.config.file.desk.ring + GIVEN_BACK)
    unheard = f"Twilio did not answer in time. If your phone does not ring within {back} s, the caller is back in line."
    return Taken(True, unheard)
