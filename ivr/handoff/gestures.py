"""The words of a gesture, for one caller, and the ways in which it can reach them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ivr.config import Gesture
from ivr.engine.session import Session
from ivr.engine.talk import Talk
from ivr.flow.bundle import Bundle
from ivr.handoff.seen import text

OWN = 200
"""Characters that an agent may add."""


def words(bundle: Bundle, session: Session, facts: Mapping[str, Any], prompt: str, now: float) -> str | None:
    """The prompt as plain text in the caller's language, as far as this caller may hear it; None where it keeps silent.

    `facts` of the person as they are now, by dotted name: they may be newer than what the call knew.
    """
    known = {**session.facts, "caller": {**session.facts.get("caller", {}), **facts}}
    return Talk(bundle, replace(session, facts=known), now).words(prompt)


def with_own(said: str, own: str, by: str) -> str:
    """The words with the agent's own sentence after them: on a line of its own, where there is room for lines."""
    own = text(own)
    return f"{said}{' ' if by == 'sms' else chr(10) * 2}{own}" if own else said


def ways(gesture: Gesture, number: str | None, address: str | None, can_mail: bool) -> dict[str, str | None]:
    """Each way the gesture may go → why it cannot, or None. `address` is for e-mail; `can_mail`: a server sends it."""
    missing = {
        "sms": None if number else "their number is withheld",
        "email": "no server sends e-mail here" if not can_mail else None if address else "we have no address of theirs",
        "card": None,
    }
    return {by: missing[by] for by in gesture.by}
