"""Where a call goes next: destinations, outcomes and their `otherwise`, flows entered and returned from, and the end."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from ivr.engine.session import Wait
from ivr.engine.talk import MAX_DEPTH, Talk
from ivr.flow.model import Ask, Step


class Out(NamedTuple):
    """The present step's outcome; `failed`: one that `otherwise` takes where `next` does not name it."""

    name: str
    failed: bool = False


class Go(NamedTuple):
    """On to a destination, in this flow's place where it is another flow."""

    name: str


class Into(NamedTuple):
    """Into a flow and back again. `how`: enter, option, command, subject or survey."""

    name: str
    how: str
    given: Mapping[str, Any] = {}


class Back(NamedTuple):
    """Back to where this flow was entered, with a name."""

    name: str


class Over(NamedTuple):
    """The call ends, with the outcome that the flow names."""

    name: str


Move = Out | Go | Into | Back | Over | Wait

AGAIN = Go("")
"""Put the present question again, without the says that led to it."""


def new_frame(flow: str, step: str, how: str, given: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """An open flow."""
    return {"flow": flow, "step": step, "given": dict(given or {}), "trail": [], "how": how}


def apply(talk: Talk, move: Out | Go | Into | Back | Over) -> Move | None:
    """Makes the move. None: visit the step we now stand at; a Move: make that next; a Wait: stop here."""
    match move:
        case Go(name):
            return _go(talk, name)
        case Into(name, how, given):
            return _enter(talk, name, how, given)
        case Out(name, failed):
            return _outcome(talk, name, failed)
        case Back(name):
            return _return(talk, name)
        case Over(name):
            return over(talk, name)


def _go(talk: Talk, name: str) -> Move | None:
    if name == "last_call.question":
        return _resume_last_call(talk)
    place = talk.bundle.resolve(talk.frame["flow"], name)
    if place is None:
        talk.emit("fault", {"code": "missing-step", "destination": name})
        return rescue(talk)
    frame = talk.frame
    if place[0] != frame["flow"]:
        talk.stack[-1] = new_frame(place[0], place[1], frame["how"])
        talk.emit("entered", {"how": "next"})
    else:
        frame["step"] = place[1]
    return None


def _resume_last_call(talk: Talk) -> Move | None:
    """The open question of the last call, with what was said and found then, never its trust."""
    last = talk.before.last or {}
    flow, _, step = str(last.get("question", "")).partition(".")
    if talk.bundle.step((flow, step)) is None:
        return Out("failed", True)
    talk.said = {**last.get("said", {}), **talk.said}
    talk.found = {**last.get("found", {}), **talk.found}
    talk.stack[-1] = new_frame(flow, step, talk.frame["how"])
    talk.emit("entered", {"how": "last call"})
    return None


def _enter(talk: Talk, name: str, how: str, given: Mapping[str, Any]) -> Move | None:
    place = talk.bundle.resolve(talk.frame["flow"], name)
    if place is None:
        talk.emit("fault", {"code": "missing-step", "destination": name})
        return rescue(talk)
    if len(talk.stack) >= MAX_DEPTH:
        talk.stack[-1] = new_frame(*place, talk.frame["how"], given)
        talk.emit("entered", {"how": "too_deep"})
        return None
    talk.stack.append(new_frame(*place, how, given))
    talk.emit("entered", {"how": how})
    return None


def _return(talk: Talk, name: str) -> Move | None:
    """The step that entered takes the name as its outcome; an interrupted question is asked again."""
    frame = talk.stack[-1]
    talk.emit("returned", {"name": name})
    if len(talk.stack) == 1:
        if talk.line.after is None:
            return over(talk, "resolved")
        return _go(talk, talk.line.after)
    talk.stack.pop()
    if frame["how"] == "survey":
        talk.emit("surveyed", {"answers": _figures(talk, frame["flow"])})
        return Out("ended")
    if frame["how"] in ("command", "subject"):
        talk.say("line.where_were_we")
        return AGAIN
    return Out(name)


def _figures(talk: Talk, flow: str) -> dict[str, Any]:
    """A survey's answers that are figures or yes and no; words stay personal."""
    asked = {step.save_as or name for name, step in talk.bundle.flows[flow].steps.items() if isinstance(step, Ask)}
    values = {name: talk.said[name].get("value") for name in sorted(asked) if name in talk.said}
    return {name: value for name, value in values.items() if isinstance(value, (bool, int, float))}


def _outcome(talk: Talk, name: str, failed: bool) -> Move | None:
    step = talk.bundle.step(talk.place)
    if step is None:
        return rescue(talk)
    destination = step.next.get(name) if isinstance(step.next, dict) else None
    if destination is None and name == "empty":
        destination = getattr(step, "empty", None)
    if destination is not None:
        return Go(destination)
    if not failed:
        onward = go_on(step)
        if onward is not None:
            return onward
    return _otherwise(talk, step, name)


def go_on(step: Step) -> Move | None:
    """Where a step that worked goes, if it says so in one word."""
    if isinstance(step.next, str):
        return Go(step.next)
    if step.returns is not None:
        return Back(step.returns)
    if step.end is not None:
        return Over(step.end)
    return None


def _otherwise(talk: Talk, step: Step, name: str) -> Move | None:
    flow = talk.bundle.flows[talk.frame["flow"]]
    for whose, destination in (("step", step.otherwise), ("flow", flow.otherwise)):
        if talk.frame["how"] == "survey" and whose == "flow":
            # Nobody is sent to a person for not answering a survey.
            return Back("left")
        if destination is not None:
            talk.emit("failed", {"outcome": name, "otherwise": whose})
            return Go(destination)
    talk.emit("failed", {"outcome": name, "otherwise": "line"})
    return rescue(talk)


def rescue(talk: Talk) -> Move | None:
    """The line's `otherwise`; a second failure while already on it goes to the emergency number."""
    place = talk.bundle.resolve(talk.frame["flow"], talk.line.otherwise)
    if talk.rescued or place is None or place == talk.place:
        return emergency(talk)
    talk.rescued = True
    talk.stack = [new_frame(*place, "otherwise")]
    talk.emit("entered", {"how": "otherwise"})
    return None


def emergency(talk: Talk) -> Wait:
    """The last resort: a number from config.yaml that somebody always answers."""
    talk.say("line.emergency")
    talk.rescued = True
    talk.emit("handed_off", {"target": None, "emergency": True})
    return Wait("dial", {"target": None, "emergency": True})


def bound(talk: Talk, which: str) -> Move | None:
    """A bound is reached: the failure `too_often`; a second one in the same sprint is for the emergency number."""
    talk.emit("bound", {"which": which})
    if talk.bounded:
        return emergency(talk)
    talk.bounded = True
    talk.steps = 0
    return Out("too_often", True)


def over(talk: Talk, named: str) -> Wait:
    """The call ends as the flow says, but for what already happened: the first person reached or message kept names it."""
    if talk.reached:
        outcome = talk.reached[0]
    elif named == "resolved" and talk.answered is None:
        outcome = "caller_left"
    else:
        outcome = named
    talk.outcome = outcome
    talk.emit("ended", {"outcome": outcome, "by": "flow", "unfinished": False})
    talk.stack = []
    return Wait("none")


def hung_up(talk: Talk, status: str) -> Wait:
    """The caller left or the line was cut; the two look alike."""
    if talk.outcome is not None:
        return Wait("none")
    before = talk.before.wait
    if before.kind == "queue" and not any(event.type == "waited" for event in talk.events):
        seconds = round(max(0.0, talk.now - talk.before.asked_at), 1)
        left = {"target": before.spec["target"], "task": before.spec["task"], "result": "abandoned"}
        talk.emit("waited", left | {"seconds": seconds, "opened": False})
    unfinished = False
    if talk.reached:
        talk.outcome = talk.reached[0]
    elif talk.answered is not None:
        talk.outcome = "resolved"
    else:
        talk.outcome = "caller_left"
        unfinished = talk.before.wait.kind in ("gather", "secret", "lookup") and bool(talk.stack)
    talk.emit("ended", {"outcome": talk.outcome, "by": "caller", "unfinished": unfinished, "status": status})
    if not unfinished:
        talk.stack = []
    return Wait("none")
