"""`case` and `notify`: what stays open for a caller, and what they are told in writing."""

from __future__ import annotations

from typing import Any

from ivr.engine.moves import Move, Out
from ivr.engine.talk import Talk
from ivr.flow.model import Case, Notify


def visit_case(talk: Talk, step: Case) -> Move:
    """Opens, joins, updates or closes a case. Nobody's case is kept: without a caller to keep it for, the step fails."""
    cases = dict(talk.facts.get("cases", {}))
    current = cases.get("current.id")
    joins = step.case == "join" and current is not None and cases.get("current.about") == step.about
    opens = step.case == "open" or (step.case == "join" and not joins)
    if not talk.is_somebody or (current is None and not opens):
        talk.emit("failed", {"outcome": "failed", "missing": ["cases.current" if talk.is_somebody else "caller"]})
        return Out("failed", True)
    summary = talk.words(step.summary) if step.summary else None
    action = "open" if opens else step.case
    if opens:
        number = talk.counts["cases"] = talk.counts.get("cases", 0) + 1
        current = f"{str(talk.before.call.get('sid'))[-34:]}-{number}"
        cases = {"open_count": cases.get("open_count", 0) + 1, "current.id": current, "current.about": step.about}
    elif action == "close":
        cases = {"open_count": max(0, cases.get("open_count", 1) - 1)}
    if summary is not None and action != "close":
        cases["current.summary"] = summary
    talk.facts = {**talk.facts, "cases": cases}
    private = {"summary": summary} if summary is not None else {}
    talk.emit("case_changed", {"action": action, "case": current, "about": step.about}, private)
    return Out("done")


def visit_notify(talk: Talk, step: Notify) -> Move:
    """Asks for a message to the caller: an SMS to the number they call from, or an e-mail to the address we have."""
    by = step.by.evaluate(talk.lookup()) if step.by else None
    by = by or "sms"
    to = _address(talk, str(by))
    words = talk.words(step.notify)
    if to is None or words is None:
        talk.emit("failed", {"outcome": "failed", "missing": ["address" if to is None else "words"]})
        return Out("failed", True)
    talk.emit("notified", {"prompt": step.notify, "by": by}, {"words": words, "to": to})
    return Out("done")


def _address(talk: Talk, by: str) -> Any:
    if by == "sms":
        return talk.before.call.get("number")
    fact = talk.bundle.part.mail_to
    return talk.lookup(level="verified")(("caller", *fact.split("."))) if by == "email" and fact else None
