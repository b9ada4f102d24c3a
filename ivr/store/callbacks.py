"""Calls back: a wait that becomes one keeps its place, and one caller has one for a target, however often they ask.

Where TaskRouter routes, a booking is final only once its caller has left the queue: until then it may turn out that a worker
has them, and it is taken back.
"""

from __future__ import annotations

from sqlalchemy import Connection, and_, delete, or_, select, text, update

from ivr.handoff.task import Task
from ivr.store import tables as t
from ivr.store.jobs import enqueue
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
    task = _to_book(connection, id_)
    if task is None:
        return False
    if task.kind == "callback":
        return task.number == number
    if task.kind != "call" or task.state != "waiting":
        return False
    booked = task._replace(kind="callback", number=number, due=max(due, now + GOODBYE))
    c = t.tasks.c
    values = {"kind": booked.kind, "number": number, "due": booked.due, "changed": now}
    connection.execute(update(t.tasks).where(c.id == id_).values(values))
    if task.way == "taskrouter":
        route(connection, booked)
    else:
        merge(connection, booked, now)
    return True


def take_back(connection: Connection, id_: str, turn: int, now: float) -> bool:
    """A call back that TaskRouter routes is a waiting call again. False where its caller has left with it: `turn`, in which
    they waited, is over."""
    c, of = t.tasks.c, t.calls.c
    waits = select(of.sid).join(t.tasks, c.call == of.sid).where(c.id == id_, of.state == "open", of.turn == turn)
    if connection.execute(waits.with_for_update(of=t.calls)).scalar() is None:
        return False
    theirs = (c.id == id_, c.kind == "callback", c.way == "taskrouter", c.state == "waiting")
    undone = connection.execute(update(t.tasks).where(*theirs).values(kind="call", changed=now)).rowcount
    connection.execute(delete(t.outbox).where(t.outbox.c.key == _key(id_, 0)))
    return bool(undone)


def settle(connection: Connection, id_: str, now: float) -> None:
    """The caller has left the queue with a call back, so it is final: also where it was being taken back at that moment."""
    task = _to_book(connection, id_)
    if task is None or task.way != "taskrouter" or task.state != "waiting":
        return
    if task.kind == "call":
        book(connection, id_, str(task.number), task.due, now)
    merge(connection, task._replace(kind="callback"), now)


def route(connection: Connection, task: Task) -> None:
    """Asks for the TaskRouter task of a call back, once it is due. What is in it is looked up then."""
    enqueue(connection, _key(task.id, task.attempts), "twilio", "callback_task", {"task": task.id}, None, task.due)


def _key(id_: str, attempts: int) -> str:
    return f"callback_task:{id_}:{attempts}"


def _to_book(connection: Connection, id_: str) -> Task | None:
    """The task, held, while nobody else books for its target."""
    c = t.tasks.c
    target = connection.execute(select(c.target).where(c.id == id_)).scalar()
    if target is None:
        return None
    one_booking_at_a_time(connection, target)
    return Task(*connection.execute(select(*COLUMNS).where(c.id == id_).with_for_update()).one())


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
