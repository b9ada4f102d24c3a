"""`handoff` and `voicemail`: to people, now or later."""

from __future__ import annotations

from datetime import UTC, datetime

from ivr.engine.inputs import Dialled, Recorded, Silence
from ivr.engine.moves import Move, Out, hung_up, over
from ivr.engine.session import Session, Wait
from ivr.engine.talk import Talk
from ivr.flow.bundle import Bundle
from ivr.flow.hours import is_open
from ivr.flow.model import Handoff, Voicemail

SHORTEST_MESSAGE = 1.0
"""Seconds; a shorter recording is a click, not a message."""


def visit_handoff(talk: Talk, step: Handoff) -> Move:
    """Rings the target, if it is open."""
    target = talk.bundle.part.targets[step.handoff]
    if not is_open(target.hours, datetime.fromtimestamp(talk.now, UTC)):
        talk.emit("failed", {"outcome": "closed", "target": step.handoff})
        return Out("closed", True)
    about = step.about.evaluate(talk.lookup()) if step.about else None
    talk.emit("handed_off", {"target": step.handoff}, {"about": about} if about is not None else {})
    return Wait("dial", {"target": step.handoff, "about": about})


def answer_dial(talk: Talk, given: Dialled, wait: Wait) -> Move:
    """Takes how the ringing went. What counts is whether the two were connected."""
    talk.emit("dialled", {"status": given.status, "bridged": given.bridged, "seconds": given.seconds})
    if given.bridged:
        talk.reached = (*talk.reached, "handed_over")
        talk.rescued = False
    if wait.spec.get("emergency"):
        if not given.bridged:
            talk.say("line.goodbye")
        return over(talk, "fault")
    if given.bridged:
        return Out("ended")
    return Out("busy" if given.status == "busy" else "unanswered", True)


def visit_voicemail(talk: Talk, step: Voicemail) -> Move:
    """Records a message after the tone."""
    return Wait("record", {"target": step.voicemail, "at_most": step.at_most})


def answer_voicemail(talk: Talk, given: Recorded | Silence) -> Move:
    """Keeps the message, also one whose caller hung up to end it."""
    if isinstance(given, Silence) or given.seconds < SHORTEST_MESSAGE:
        talk.emit("no_input", {"times": 1})
        return Out("no_input", True)
    talk.emit("recorded", {"seconds": given.seconds}, {"sid": given.sid, "url": given.url})
    talk.reached = (*talk.reached, "voicemail")
    if given.hung_up:
        return hung_up(talk, "completed")
    return Out("done")


def whisper(bundle: Bundle, session: Session, now: float) -> str:
    """What the agent hears before they accept: the inside of a Say. Facts obey the caller's level here too."""
    talk = Talk(bundle, session, now)
    target = bundle.part.targets.get(str(session.wait.spec.get("target")))
    about = session.wait.spec.get("about")
    if target and target.whisper:
        talk.say(target.whisper, {"about": about})
    spoken = [event.private["ssml"] for event in talk.events if event.type == "spoke"]
    return " ".join(spoken)
