"""`handoff`, `callback` and `voicemail`: to people, now or later."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from ivr.config import Priority, Target
from ivr.engine.decide import menu_reasons
from ivr.engine.inputs import Dialled, Queued, Recorded, Silence
from ivr.engine.moves import Into, Move, Out, hung_up, over
from ivr.engine.session import Session, Wait
from ivr.engine.talk import MAX_DEPTH, Talk
from ivr.flow.bundle import Bundle
from ivr.flow.expressions import Expression
from ivr.flow.hours import is_open
from ivr.flow.model import Callback, Handoff, Voicemail

SHORTEST_MESSAGE = 1.0
"""Seconds; a shorter recording is a click, not a message."""


def visit_handoff(talk: Talk, step: Handoff) -> Move:
    """Rings the target or joins its queue, if it is open."""
    target = talk.bundle.part.targets[step.handoff]
    if not is_open(target.hours, datetime.fromtimestamp(talk.now, UTC)):
        talk.emit("failed", {"outcome": "closed", "target": step.handoff})
        return Out("closed", True)
    about = step.about.evaluate(talk.lookup()) if step.about else None
    private = {"about": about} if about is not None else {}
    task = _next_id(talk, "handed_off", "")
    talk.emit("handed_off", {"target": step.handoff}, private)
    if target.way == "dial":
        return Wait("dial", {"target": step.handoff, "about": about, "task": task})
    because, ahead = _priority(talk, step.handoff, target)
    talk.emit(
        "queued",
        {
            "target": step.handoff,
            "way": target.way,
            "task": task,
            "ahead": ahead,
            "because": because,
            "reason": _reason(talk, about),
        },
        private | _own_words(talk),
    )
    return Wait("queue", {"target": step.handoff, "way": target.way, "task": task, "about": about, "ahead": ahead})


def _next_id(talk: Talk, what: str, letter: str) -> str:
    """An id for something people will do for this call: the same whenever the call is replayed."""
    number = talk.counts[what] = talk.counts.get(what, 0) + 1
    return f"{talk.before.call.get('sid')}-{letter}{number}"


def _reason(talk: Talk, about: Any) -> str | None:
    """Why they call: what they chose last, or the reason that the hand-off is about."""
    if talk.reasons:
        return talk.reasons[-1]
    return about if about in menu_reasons(talk.bundle, talk.line) else None


def _own_words(talk: Talk) -> dict[str, Any]:
    """What the caller said last in words of their own; a single word is the name of a choice."""
    spoken = [entry["spoken"] for entry in talk.said.values() if len(str(entry.get("spoken") or "").split()) > 1]
    return {"words": spoken[-1]} if spoken else {}


def _priority(talk: Talk, name: str, target: Target) -> tuple[str | None, float]:
    """Why this caller waits less, and how many seconds: the first rule of the queue that holds."""
    for rule, when in priorities(talk.bundle, name, target):
        lookup = talk.lookup(level="verified") if rule.purpose == "care" else talk.lookup()
        if when.holds(lookup):
            return rule.because, rule.ahead
    return None, 0.0


def priorities(bundle: Bundle, name: str, target: Target) -> Sequence[tuple[Priority, Expression]]:
    """The rules of a queue with their conditions compiled."""
    rules = target.waiting.priority if target.waiting else ()
    return bundle.once(("priority", name), lambda: [(rule, bundle.condition(rule.when)) for rule in rules])


def answer_dial(talk: Talk, given: Dialled, wait: Wait) -> Move:
    """Takes how the ringing went. What counts is whether the two were connected."""
    data: dict[str, Any] = {"status": given.status, "bridged": given.bridged, "seconds": given.seconds}
    private: dict[str, Any] = {}
    if not wait.spec.get("emergency"):
        about = wait.spec.get("about")
        data |= {"target": wait.spec["target"], "task": wait.spec["task"], "reason": _reason(talk, about)}
        private = ({"about": about} if about is not None else {}) | _own_words(talk)
    talk.emit("dialled", data, private)
    if given.bridged:
        talk.reached = (*talk.reached, "handed_over")
        talk.rescued = False
    if wait.spec.get("emergency"):
        if not given.bridged:
            talk.say("line.goodbye")
        return over(talk, "fault")
    if given.bridged:
        return _parted(talk)
    return Out("busy" if given.status == "busy" else "unanswered", True)


FAILED = {"waited_too_long": "waited_too_long", "full": "busy"}
"""How a wait ended without anybody → the step's outcome; anything else is `unanswered`."""


def answer_queue(talk: Talk, given: Queued, wait: Wait) -> Move:
    """Takes how the wait ended."""
    data: dict[str, Any] = {
        "target": wait.spec["target"],
        "task": wait.spec["task"],
        "result": given.result,
        "seconds": given.seconds,
        "opened": given.opened,
    }
    if given.queue is not None and wait.spec["way"] == "queue":
        # A queue of this caller's own; TaskRouter's belongs to the whole workflow.
        data["queue_sid"] = given.queue
    if given.low is not None:
        data |= {"low": given.low, "high": given.high}
    talk.emit("waited", data)
    match given.result:
        case "bridged":
            talk.reached = (*talk.reached, "handed_over")
            talk.rescued = False
            return _parted(talk)
        case "callback_booked":
            talk.reached = (*talk.reached, "callback")
            booked = {"target": wait.spec["target"], "task": wait.spec["task"], "kept_place": True}
            talk.emit("callback_booked", booked, {"number": given.number, "about": wait.spec.get("about")})
            return Out("callback_booked")
        case "abandoned":
            return hung_up(talk, "completed")
    if given.result == "full":
        talk.say("wait.full")
    return Out(FAILED.get(given.result, "unanswered"), True)


def _parted(talk: Talk) -> Move:
    """The two have talked and parted: the survey once, except for those who should not be asked."""
    survey = talk.line.survey
    flow = talk.bundle.flows.get(survey.flow) if survey else None
    if survey is None or flow is None or talk.surveyed or len(talk.stack) >= MAX_DEPTH:
        return Out("ended")
    lookup = talk.lookup(level="verified") if survey.purpose == "care" else talk.lookup()
    if survey.unless is not None and survey.unless.holds(lookup):
        return Out("ended")
    talk.surveyed = True
    return Into(f"{flow.flow}.{flow.start}", "survey")


def visit_callback(talk: Talk, step: Callback) -> Move:
    """Books a call back; without a number to call there is none."""
    number = step.number.evaluate(talk.lookup()) if step.number else talk.before.call.get("number")
    about = step.about.evaluate(talk.lookup()) if step.about else None
    if number is None:
        talk.emit("failed", {"outcome": "failed", "missing": ["number"]})
        return Out("failed", True)
    data = {
        "target": step.callback,
        "task": _next_id(talk, "callbacks", "c"),
        "reason": _reason(talk, about),
    }
    talk.emit("callback_booked", data, {"number": number, "about": about} | _own_words(talk))
    talk.reached = (*talk.reached, "callback")
    return Out("booked")


def visit_voicemail(talk: Talk, step: Voicemail) -> Move:
    """Records a message after the tone."""
    return Wait("record", {"target": step.voicemail, "at_most": step.at_most})


def answer_voicemail(talk: Talk, given: Recorded | Silence, wait: Wait) -> Move:
    """Keeps the message, also one whose caller hung up to end it."""
    if isinstance(given, Silence) or given.seconds < SHORTEST_MESSAGE:
        talk.emit("no_input", {"times": 1})
        return Out("no_input", True)
    data = {"seconds": given.seconds, "target": wait.spec.get("target")}
    talk.emit("recorded", data, {"sid": given.sid, "url": given.url})
    talk.reached = (*talk.reached, "voicemail")
    if given.hung_up:
        return hung_up(talk, "completed")
    return Out("done")


def whisper(bundle: Bundle, session: Session, now: float, name: str) -> str:
    """What the agent of a target hears before they accept: the inside of a Say. Facts obey the caller's level here too."""
    talk = Talk(bundle, session, now)
    target = bundle.part.targets.get(name)
    about = session.wait.spec.get("about")
    if target and target.whisper:
        talk.say(target.whisper, {"about": about})
    spoken = [event.private["ssml"] for event in talk.events if event.type == "spoke"]
    return " ".join(spoken)
