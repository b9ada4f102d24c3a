"""Calls back that TaskRouter routes, from a worker's key to their end. Nobody at our desk has them.

TaskRouter chooses the worker; the row says who was first. What TaskRouter has to be told of it goes through the outbox, in
the transaction that changes the row.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, select, update

from ivr.handoff.task import Task, is_routed
from ivr.store import tables as t
from ivr.store.callbacks import route
from ivr.store.database import Database
from ivr.store.jobs import enqueue
from ivr.store.tasks import FREE, done, held


def accept(
    database: Database, id_: str, leg: str, now: float, external: str | None, reservation: str | None
) -> Task | None:
    """A worker, on the call `leg`, wants to call back: theirs, if nobody was first. None where somebody was, or it is done;
    the task again where that was said before.

    `external`, `reservation`: the TaskRouter task and the worker's reservation of it, which is accepted with this.
    """
    with database.write() as connection:
        task = held(connection, id_)
        if task is None or not is_routed(task):
            return None
        if task.state == "talking" and task.agent_call == leg:
            return task
        if task.state != "waiting":
            return None
        talking: dict[str, Any] = {"state": "talking", "taken": now, "talked": now, "agent_call": leg}
        talking["external"] = external
        _set(connection, id_, now, **talking)
        if external and reservation:
            give = {"target": task.target, "task": external, "reservation": reservation}
            enqueue(connection, f"accept_reservation:{reservation}", "twilio", "accept_reservation", give, None, now)
    return task._replace(**talking, changed=now)


def reached(database: Database, id_: str, leg: str, now: float) -> bool:
    """The worker on `leg` has talked with the caller: it is done."""
    with database.write() as connection:
        task = held(connection, id_)
        if task is None or task.state != "talking" or task.agent_call != leg:
            return False
        done(connection, task, now, "answered")
        end(connection, task.target, task.external, now)
    return True


def not_reached(database: Database, id_: str, leg: str, due: float | None, now: float) -> bool:
    """The caller did not answer the worker on `leg`: routed once more at `due`; None: closed, that was the last try.

    Also after `reached`: the end of the worker's call may be told before how their dialling went.
    """
    with database.write() as connection:
        task = held(connection, id_)
        if task is None or task.agent_call != leg or task.result not in (None, "answered"):
            return False
        end(connection, task.target, task.external, now)
        tried = task._replace(attempts=task.attempts + 1)
        if due is None:
            _set(connection, id_, now, attempts=tried.attempts)
            done(connection, task, now, "not_reached")
            return True
        again: dict[str, Any] = {**FREE, "talked": None, "external": None, "result": None, "done": None, "due": due}
        _set(connection, id_, now, **again, attempts=tried.attempts)
        route(connection, tried._replace(due=due))
    return True


def not_wanted(database: Database, task: Task, external: str, now: float) -> None:
    """TaskRouter has a task for what is done, or in other hands: that one ends. The one in hand stays."""
    if external != task.external:
        with database.write() as connection:
            end(connection, task.target, external, now)


def end(connection: Connection, target: str, external: str | None, now: float) -> None:
    """Asks for the end of a TaskRouter task: one that is only called from, as ours are, never ends by itself."""
    if external is not None:
        give = {"target": target, "task": external}
        enqueue(connection, f"end_task:{external}", "twilio", "end_task", give, None, now)


def waiting_since(database: Database, before: float) -> Sequence[str]:
    """The ids of those that nobody has taken, due before then."""
    c = t.tasks.c
    ours = (c.done.is_(None), c.way == "taskrouter", c.kind == "callback", c.state == "waiting", c.due < before)
    with database.read() as connection:
        return connection.execute(select(c.id).where(*ours).order_by(c.id)).scalars().all()


def give_to_desk(database: Database, id_: str, now: float) -> bool:
    """TaskRouter does not find anybody: whoever is at our desk calls back, so that the caller is not forgotten."""
    c = t.tasks.c
    ours = (c.id == id_, c.way == "taskrouter", c.kind == "callback", c.state == "waiting")
    with database.write() as connection:
        moved = update(t.tasks).where(*ours).values(way="queue", changed=now)
        return bool(connection.execute(moved).rowcount)


def _set(connection: Connection, id_: str, now: float, **values: Any) -> None:
    connection.execute(update(t.tasks).where(t.tasks.c.id == id_).values(**values, changed=now))
