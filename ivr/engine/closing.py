"""What a call leaves behind when it ends: the summary that is folded into the caller's history."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ivr.engine.session import Session
from ivr.personal.history import Summary


def summary(session: Session, now: float) -> Summary:
    """`session` as history keeps it. For a call that has not closed but is silent for good, `now` is when it was last heard."""
    counts = session.counts
    outcome = session.outcome or "caller_left"
    return Summary(
        sid=str(session.call.get("sid")),
        at=session.started,
        seconds=round(max(0.0, now - session.started), 1),
        outcome=outcome,
        unfinished=is_unfinished(session),
        reasons=session.reasons,
        question=question(session),
        answers=counts.get("answers", 0),
        interrupts=counts.get("interrupts", 0),
        words=counts.get("words", 0),
        asked_for_person=counts.get("person", 0) > 0,
    )


def is_unfinished(session: Session) -> bool:
    """Whether it ended at an open question, without an outcome."""
    left = session.outcome in (None, "caller_left") and session.answered is None and not session.reached
    return left and session.wait.kind in ("gather", "secret", "lookup", "none") and question(session) is not None


def question(session: Session) -> str | None:
    """The question that was open, as flow.step."""
    return f"{session.stack[-1]['flow']}.{session.stack[-1]['step']}" if session.stack else None


def left_open(session: Session) -> dict[str, Any]:
    """What a call that picks up again needs of this one: its question, what was said and found; never its trust."""
    said: Mapping[str, Any] = session.said
    return {"question": question(session), "said": dict(said), "found": dict(session.found)}
