"""Waiting in a queue: /voice/wait answers beat after beat. It is no turn; only a callback that is booked changes anything."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from flask import request

from ivr.config import Target, Waiting
from ivr.engine.session import Session, from_json
from ivr.engine.talk import Talk
from ivr.flow.bundle import Bundle
from ivr.handoff.beats import Beat, Now, Phase, next_beat, wrong_number
from ivr.handoff.estimate import Range, estimate
from ivr.handoff.order import Waiting as InLine
from ivr.handoff.order import position
from ivr.handoff.task import Task, callback_due
from ivr.personal.known import now_values
from ivr.phone import callable_from, e164, region_of
from ivr.telephony.faults import RestFault
from ivr.telephony.rest import Rest
from ivr.telephony.twiml import LEAVE, WaitUrl

if TYPE_CHECKING:
    from ivr.web.app import Wiring

OWN_FIGURES = 8 * 3600.0
"""Seconds back that a queue's own figures are taken from."""

SOON = 1800.0
"""A call back that may come within this many seconds needs no time said."""


BOOKED = 60.0
"""A call back is due within these seconds of its booking at the latest; nobody is told a place that it takes again."""


QUICK = 1.0
"""Seconds that Twilio may take for each answer while a caller listens to nothing."""


class Place(NamedTuple):
    """Whose wait this is."""

    bundle: Bundle
    session: Session
    target: Target
    waiting: Waiting
    task: Task


def wait(wiring: Wiring) -> str:
    """The next beat of a caller's wait; a caller who should not wait any more leaves the queue, and their turn says why."""
    place = _place(wiring)
    if place is None or place.task.kind == "callback" or place.task.done is not None:
        return LEAVE
    now = _now(wiring, place)
    beat = next_beat(place.waiting, now)
    if beat.keyed is not None:
        beat = _keyed(wiring, place, now, beat.keyed)
    if beat.book:
        beat = _book(wiring, place, now)
    if now.estimate is not None and now.told is None:
        wiring.store.tasks.tell(place.task.id, now.estimate.low, now.estimate.high, wiring.clock())
    talk = Talk(place.bundle, place.session, wiring.clock())
    for prompt, values in beat.says:
        talk.say(prompt, values)
    url = WaitUrl(_number("turn"), now.beat + 1, beat.phase, beat.told, beat.tries)
    return wiring.twiml.waiting(place.bundle, place.session, talk.events, url, place.waiting, leave=beat.leave)


def _place(wiring: Wiring) -> Place | None:
    call = wiring.store.load(request.values.get("CallSid", "")[:64])
    if call is None or call.state != "open" or not call.session or call.turn != _number("turn"):
        return None
    session = from_json(call.session)
    bundle = wiring.store.bundle(call.bundle) or wiring.store.published()
    target = bundle.part.targets.get(str(session.wait.spec.get("target")))
    task = wiring.store.task(str(session.wait.spec.get("task")))
    if session.wait.kind != "queue" or target is None or target.waiting is None or task is None:
        return None
    return Place(bundle, session, target, target.waiting, task)


def _number(name: str) -> int:
    text = request.args.get(name, "")
    return int(text) if text.isdigit() and text.isascii() and len(text) < 8 else -1


PHASES: dict[str, Phase] = {"confirm": "confirm", "number": "number"}


def _now(wiring: Wiring, place: Place) -> Now:
    task, now = place.task, wiring.clock()
    tasks = wiring.store.tasks
    where: int | None
    told = _number("told")
    expected: Range | None = None
    if task.way == "queue":
        line = tasks.waiting(task.target)
        where = position(task.id, [in_line(each) for each in line], now + BOOKED)
        if where is not None and where != told:
            past = tasks.past(task.target, now - OWN_FIGURES)
            still = [now - each.entered for each in line if each.kind == "call"]
            expected = estimate(where, tasks.working(task.target), past, place.waiting.usual, still)
    else:
        at = request.values.get("QueuePosition", "")
        where = int(at) if at.isdigit() and at.isascii() else None
    return Now(
        beat=max(0, _number("beat")),
        phase=PHASES.get(request.args.get("phase", ""), "hold"),
        digits=request.values.get("Digits", "")[:20],
        position=where,
        told=told if told > 0 else None,
        estimate=expected,
        waited=now - task.entered,
        number=task.number,
        coming=task.state != "waiting",
        tries=max(0, _number("tries")),
    )


def in_line(task: Task) -> InLine:
    """A task as the order of service sees it."""
    return InLine(task.id, task.entered, task.ahead, task.kind, task.due, task.last_agent)


def _keyed(wiring: Wiring, place: Place, now: Now, digits: str) -> Beat:
    """A number keyed in is read back; one that cannot be called is asked for again."""
    line = str(place.session.call.get("to"))
    number = e164(digits, wiring.config.file.region or region_of(line))
    if number is None or not callable_from(number, line):
        return wrong_number(now)
    wiring.store.tasks.set_number(place.task.id, number, wiring.clock())
    return Beat((("wait.callback_number", {"number": number}),), "confirm", now.told, now.tries)


def _book(wiring: Wiring, place: Place, now: Now) -> Beat:
    """Books the callback, unless an agent is just coming to the phone."""
    at = wiring.clock()
    number = str(place.task.number)
    due = callback_due(place.bundle, place.task.target, number, at)
    if not wiring.store.tasks.book(place.task.id, number, due, at):
        return Beat((("wait.callback_kept", {}),), "hold", now.told)
    if place.task.way == "taskrouter":
        stays = _still_routed(wiring, place, now)
        if stays is not None:
            return stays
    wiring.log.info("callback_booked", call=place.task.call, task=place.task.id, target=place.task.target)
    if due <= at + SOON:
        return Beat((("wait.callback_booked", {}),), leave=True)
    there = now_values(place.bundle.lines[place.session.line], due)
    return Beat((("wait.callback_booked_for", {"day": there["date"], "time": there["time"]}),), leave=True)


def _still_routed(wiring: Wiring, place: Place, now: Now) -> Beat | None:
    """None once TaskRouter will not give this caller, who has just booked, to a worker; else what they hear instead.

    Leaving the queue ends their TaskRouter task too, but nobody tells us whether a worker's phone is ringing for it just then,
    and our goodbye takes a few seconds in which one may answer. So the task is cancelled first. That is a compare-and-set on
    Twilio's side: either nobody has this caller, or a worker does, and is coming. A task that is not among the newest cannot
    be found in time; it is left to the leaving.

    The booking comes before the cancelling, since a cancelled task may take the call out of the queue at once, and then its
    turn must find a call back. Where a worker has the caller, or Twilio does not say, it is taken back and the caller stays.
    """
    rules, call = wiring.config.file.targets[place.task.target].taskrouter, place.task.call
    workspace = (rules.workspace if rules else None) or ""
    rest = Rest(wiring.config, QUICK)
    try:
        external = rest.find_task(workspace, call)
        if external is None or rest.cancel_task(workspace, external, "callback booked"):
            return None
        instead = "wait.callback_kept"
    except RestFault as fault:
        wiring.log.warning("task_not_cancelled", call=call, task=place.task.id, error=str(fault))
        instead = "wait.back_in_line"
    if wiring.store.tasks.take_back(place.task.id, _number("turn"), wiring.clock()):
        return Beat(((instead, {}),), "hold", now.told)
    return Beat(leave=True)
