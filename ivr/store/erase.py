"""Erasing what is personal in calls, so that their figures can stay."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, delete, func, select, update

from ivr.handoff.task import Task
from ivr.store import tables as t
from ivr.store.queues import COLUMNS
from ivr.store.recordings import delete_at_twilio
from ivr.store.tasks import done

AT_ONCE = 500

DUE = 0.0
"""A job that is due whatever the time is."""


def erase_personal(connection: Connection, sids: Sequence[str]) -> None:
    """Private parts of events, sessions, numbers, recordings and what was requested are gone; a call still open is closed, and
    nobody has to call back or listen. A caller who waits on the line still has their place."""
    for start in range(0, len(sids), AT_ONCE):
        some = sids[start : start + AT_ONCE]
        calls = update(t.calls).where(t.calls.c.sid.in_(some))
        gone = {"session": None, "number": None, "caller": None, "twiml": "<Response/>", "state": "closed"}
        connection.execute(calls.values(**gone, outcome=func.coalesce(t.calls.c.outcome, "caller_left")))
        connection.execute(update(t.events).where(t.events.c.sid.in_(some)).values(private=None))
        _erase_tasks(connection, some)
        given = {"words": None, "why": None, "caller": None}
        connection.execute(update(t.grants).where(t.grants.c.call.in_(some)).values(given))
        _erase_jobs(connection, some)
        mine = delete(t.recordings).where(t.recordings.c.call.in_(some)).returning(t.recordings.c.sid)
        for sid in connection.execute(mine).scalars().all():
            delete_at_twilio(connection, sid, DUE)


def _erase_jobs(connection: Connection, sids: Sequence[str]) -> None:
    requested = t.outbox.c.call.in_(sids)
    over = t.outbox.c.done.is_not(None) | t.outbox.c.failed.is_not(None)
    connection.execute(update(t.outbox).where(requested, over).values(payload="{}", error=None))
    # What nobody has done yet is not done any more: it would need what is to be erased.
    connection.execute(delete(t.outbox).where(requested, ~over))


def _erase_tasks(connection: Connection, sids: Sequence[str]) -> None:
    c = t.tasks.c
    mine = c.call.in_(sids)
    left = select(*COLUMNS).where(mine, c.done.is_(None), c.kind != "call", c.state.in_(("waiting", "ringing")))
    for row in connection.execute(left.order_by(c.id).with_for_update()).all():
        task = Task(*row)
        done(connection, task, task.changed, "deleted")
    gone = {"caller": None, "number": None, "words": None, "note": None}
    connection.execute(update(t.tasks).where(mine).values(gone))
