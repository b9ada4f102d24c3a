"""Calls back: a wait that becomes one keeps its place, and one caller has one for a target, however often they ask."""

from __future__ import annotations

from sqlalchemy import Connection, and_, or_, select, text, update

from ivr.handoff.task import Task
from ivr.store import tables as t
from ivr.store.queues import COLUMNS, SERVED

GOODBYE = 60.0
"""Seconds in which nobody is called back: they are still being told so, and their line is busy."""


def one_booking_at_a_time(connection: Connection, target: str) -> None:
    """Two bookings for one target come one after the other. SQLite has a single writer anyway."""
    if connection.dialect.name != "sqlite":
        key = {"who": f"callbacks:{target}"}
        connection.execute(text("SELECT pg_advisory_xact_lock(hashtextextended(:who, 0))"), key)


def book(connection: Connection, id_: str, number: str, due: float, now: float) -> bool:
    """Makes a waiting call a call back to `number`. False where it is not waiting any more."""
    c = t.tasks.c
    target = connection.execute(select(c.target).where(c.id == id_)).scalar()
    if target is None:
        return False
    one_booking_at_a_time(connection, target)
    task = Task(*connection.execute(select(*COLUMNS).where(c.id == id_).with_for_update()).one())
    if task.kind == "callback":
        return task.number == number
    if task.kind != "call" or task.state != "waiting":
        return False
    due = max(due, now + GOODBYE)
    connection.execute(update(t.tasks).where(c.id == id_).values(kind="callback", number=number, due=due, changed=now))
    merge(connection, task._replace(kind="callback", number=number, due=due), now)
    return True


def merge(connection: Connection, task: Task, now: float) -> None:
    """Of all calls back to this caller for this target one stays: the one in hand, else the one with the best place. It is
    called at the number given last. `task` is stored and waits; needs `one_booking_at_a_time`."""
    c = t.tasks.c
    whose = c.number == task.number
    if task.caller is not None:
        whose = or_(c.caller == task.caller, and_(c.caller.is_(None), whose))
    still = (c.kind == "callback", c.target == task.target, c.done.is_(None), c.state.in_(("waiting", "ringing")))
    of_theirs = select(c.id, c.state, c.number).where(*still, whose).order_by(*SERVED).with_for_update()
    rows = connection.execute(of_theirs).all()
    best = next((row for row in rows if row.state == "ringing"), rows[0])
    if best.number != task.number:
        # When they may be called depends on where the number is.
        moved = update(t.tasks).where(c.id == best.id)
        connection.execute(moved.values(number=task.number, due=task.due, changed=now))
    others = [row.id for row in rows if row.id != best.id and row.state == "waiting"]
    merged = update(t.tasks).where(c.id.in_(others))
    connection.execute(merged.values(state="done", result="merged", done=now, changed=now))
