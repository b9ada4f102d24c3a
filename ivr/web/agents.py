"""An agent's own leg of a call, under /voice/agent: whisper, key to accept, and how it ended. Their phone was rung by the desk.

What counts is the task's state, changed by compare-and-set: whoever comes second hears that the caller is gone or taken.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import request

from ivr.engine.session import from_json
from ivr.engine.steps.people import whisper
from ivr.flow.spoken import seconds
from ivr.handoff.task import Task, is_routed
from ivr.handoff.text import whisper_words
from ivr.telephony.twiml import EMPTY, HANG_UP, VOICES, _say, _text
from ivr.web import workers
from ivr.web.packets import packet_of_call

if TYPE_CHECKING:
    from ivr.web.app import Wiring

LONGEST_WHISPER = 8.0
"""Seconds: an agent who listens longer than this is keeping a caller waiting."""

NOT_ANSWERED = ("busy", "no-answer", "failed", "canceled")


def ring(wiring: Wiring) -> str:
    """The agent's phone was picked up, by them or by their mailbox: says who is calling, and asks for the key."""
    task = _task(wiring)
    if task is None or not _can_accept(task):
        return _turned_away(wiring, task)
    key = _accept_key(wiring, task)
    words = agent_whisper(wiring, task.call, task.target)
    more = workers.onward() if is_routed(task) else ""
    return wiring.twiml.whisper(words, key, f"/voice/agent/accept?task={task.id}&amp;key={key}{more}", _voice())


def _can_accept(task: Task) -> bool:
    return workers.can_accept(task) if is_routed(task) else task.state in ("ringing", "talking")


def accept(wiring: Wiring) -> str:
    """The key: connects the agent with just this caller, or calls back the one who asked for it."""
    task = _task(wiring)
    if task is None or request.values.get("Digits", "")[:1] != request.args.get("key", "1")[:1]:
        return HANG_UP
    if is_routed(task):
        mine = workers.accept(wiring, task)
    else:
        mine = wiring.store.tasks.accept(task.id, request.values.get("CallSid", "")[:64], wiring.clock())
    if mine is None:
        return _turned_away(wiring, wiring.store.task(task.id))
    done = f"/voice/agent/done?task={task.id}"
    if mine.kind == "call":
        return wiring.twiml.connect_queue(done, mine.id)
    return wiring.twiml.connect_number(done, str(mine.number), wiring.store.number_called(mine))


def done(wiring: Wiring) -> str:
    """The two have parted, or the caller had gone a moment before: the agent writes up what is to be kept."""
    task = _task(wiring)
    if task is not None and is_routed(task):
        return workers.done(wiring, task, _bridged())
    if task is not None:
        wiring.store.tasks.part(task.id, wiring.clock())
        if task.kind == "call" and request.values.get("DialCallStatus") in NOT_ANSWERED and not _bridged():
            return wiring.twiml.goodbye("The caller has hung up.")
    return HANG_UP


def _bridged() -> bool:
    return request.values.get("DialBridged") == "true"


def status(wiring: Wiring) -> str:
    """How the agent's leg ended. Nobody accepted: the caller is back in line, at their old place, and the agent is away."""
    task = _task(wiring)
    if task is None:
        return EMPTY
    how = request.values.get("CallStatus", "")[:20]
    sid = request.values.get("CallSid", "")[:64]
    if task.state == "ringing" and task.agent_call in (None, sid):
        presence = "away" if how in NOT_ANSWERED or how == "completed" else "available"
        released = wiring.store.tasks.release(task.id, wiring.clock(), presence=presence)
        wiring.log.info("agent_did_not_take", task=task.id, status=how, released=released)
    elif is_routed(task):
        workers.ended(wiring, task)
    elif task.state == "talking" and how == "completed" and task.agent_call in (None, sid):
        wiring.store.tasks.part(task.id, wiring.clock())
    return EMPTY


def agent_whisper(wiring: Wiring, sid: str, target: str) -> str:
    """The inside of a Say: the designer's own whisper where it is short enough, else who is calling and why, in whole parts."""
    call = wiring.store.load(sid)
    if call is None or not call.session:
        return ""
    bundle = wiring.parts.store.bundle(call.bundle) or wiring.parts.store.published()
    session = from_json(call.session)
    ssml = whisper(bundle, session, wiring.clock(), target)
    if ssml and seconds(ssml) <= LONGEST_WHISPER:
        return ssml
    return _text(whisper_words(packet_of_call(wiring, bundle, session, target), LONGEST_WHISPER))


def _task(wiring: Wiring) -> Task | None:
    return wiring.store.task(request.args.get("task", "")[:80])


def _accept_key(wiring: Wiring, task: Task) -> str:
    target = wiring.config.file.targets.get(task.target)
    return target.accept_key if target else "1"


def _voice() -> str:
    return _say("en", VOICES["en"])


def _turned_away(wiring: Wiring, task: Task | None) -> str:
    """Why there is nobody to talk to, so that no agent wonders at a dead line."""
    if task is not None:
        workers.turned_away(wiring, task)
        if task.state in ("ringing", "talking", "wrap_up"):
            return wiring.twiml.goodbye("Somebody else is with this caller already.")
        if task.kind == "callback":
            return wiring.twiml.goodbye("This call back is looked after already.")
    return wiring.twiml.goodbye("The caller has hung up.")
