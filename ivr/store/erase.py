"""Erasing what is personal in calls, so that their figures can stay."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, delete, func, update

from ivr.store import tables as t

AT_ONCE = 500


def erase_personal(connection: Connection, sids: Sequence[str]) -> None:
    """Private parts of events, sessions, numbers, recordings and what was requested are gone; a call still open is closed."""
    for start in range(0, len(sids), AT_ONCE):
        some = sids[start : start + AT_ONCE]
        calls = update(t.calls).where(t.calls.c.sid.in_(some))
        gone = {"session": None, "number": None, "caller": None, "twiml": "<Response/>", "state": "closed"}
        connection.execute(calls.values(**gone, outcome=func.coalesce(t.calls.c.outcome, "caller_left")))
        connection.execute(update(t.events).where(t.events.c.sid.in_(some)).values(private=None))
        connection.execute(delete(t.recordings).where(t.recordings.c.call.in_(some)))
        requested = t.outbox.c.call.in_(some)
        over = t.outbox.c.done.is_not(None) | t.outbox.c.failed.is_not(None)
        connection.execute(update(t.outbox).where(requested, over).values(payload="{}", error=None))
        # What nobody has done yet is not done any more: it would need what is to be erased.
        connection.execute(delete(t.outbox).where(requested, ~over))
