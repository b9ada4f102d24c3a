"""What a call means for its caller's cases: a question that had no answer stays open, by itself, until it is solved."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, Literal, NamedTuple

from ivr.personal.history import Summary

UNANSWERED = ("caller_left", "voicemail", "callback", "fault")
"""Outcomes of a call that leave a question open unless it had its answer before."""


class Change(NamedTuple):
    """A case to open (`case_id` is None: the store makes one), to join or to open again, about a reason."""

    kind: Literal["opened", "joined", "reopened"]
    case_id: str | None
    about: str


def after_call(
    summary: Summary,
    answered: bool,
    open_cases: Sequence[Mapping[str, Any]],
    closed_cases: Sequence[Mapping[str, Any]],
    now_date: str,
    join_days: float,
) -> Change | None:
    """What a call that ended does to its caller's cases; None: nothing.

    The call's question is its first reason (people excepted: they are not among `reasons`). A call about the same thing joins
    an open case, also one that was answered or talked to a person: only the caller says that it is solved. One that ended
    unfinished or unanswered opens a case, or again one that was closed at most `join_days` ago. `answered`: it had its answer
    before it ended. Cases are newest last and have `id`, `about` and, the closed ones, `closed`; days are `2026-03-10`.
    """
    if not summary.reasons:
        return None
    about = summary.reasons[0]
    same = [case for case in open_cases if case.get("about") == about]
    if same:
        return Change("joined", str(same[-1]["id"]), about)
    if not summary.unfinished and (answered or summary.outcome not in UNANSWERED):
        return None
    before = [case for case in closed_cases if case.get("about") == about and _days(case, now_date) <= join_days]
    if before:
        newest = min(reversed(before), key=lambda case: _days(case, now_date))
        return Change("reopened", str(newest["id"]), about)
    return Change("opened", None, about)


def _days(case: Mapping[str, Any], today: str) -> int:
    """Days since a case was closed."""
    return (date.fromisoformat(today) - date.fromisoformat(str(case["closed"])[:10])).days
