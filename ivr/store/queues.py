"""What there is to do, read from the `tasks` table: who waits and for whom, what a caller had before, a queue's own figures."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from sqlalchemy import bindparam, func, select

from ivr.handoff.estimate import Past
from ivr.handoff.task import Task
from ivr.store import tables as t
from ivr.store.database import Database, Prepared

COLUMNS = [t.tasks.c[name] for name in Task._fields]
SERVED = (t.tasks.c.entered - t.tasks.c.ahead, t.tasks.c.id)
"""The order of service."""

WORKING = ("available", "busy", "wrap_up")
"""Presences of people who take part in the work now."""

LEFT = ("abandoned", "waited_too_long")
"""Results of those who did not wait until somebody came."""


class Queues:
    """The `tasks` table and the presence of people, read only."""

    def __init__(self, database: Database) -> None:
        self.database = database
        c = t.tasks.c
        self._by_id = Prepared(database.writer, select(*COLUMNS).where(c.id == bindparam("id")))
        of_target = (c.target == bindparam("target"), c.done.is_(None), c.kind == "call")
        size = select(func.count()).where(*of_target, (c.state == "waiting") | (c.state == "ringing"))
        self._size = Prepared(database.writer, size)

    def get(self, id_: str) -> Task | None:
        """The task, or None."""
        with self.database.quick_read() as cursor:
            row = self._by_id.quick(cursor, {"id": id_}).fetchone()
        return Task(*row) if row else None

    def size(self, target: str) -> int:
        """How many callers wait on the line for this target, those included whose agent's phone rings."""
        with self.database.quick_read() as cursor:
            return int(self._size.quick(cursor, {"target": target}).fetchone()[0])

    def of_call(self, sid: str) -> list[Task]:
        """Every task that a call made, in the order they began."""
        return self._tasks(select(*COLUMNS).where(t.tasks.c.call == sid).order_by(t.tasks.c.entered, t.tasks.c.id))

    def of_caller(self, caller: str, limit: int = 50) -> list[Task]:
        """The newest tasks of one person, newest first."""
        mine = select(*COLUMNS).where(t.tasks.c.caller == caller)
        return self._tasks(mine.order_by(t.tasks.c.entered.desc(), t.tasks.c.id).limit(limit))

    def open_tasks(self, targets: Sequence[str] | None = None) -> list[Task]:
        """All that is not done for these targets (none: for all), in the order of service."""
        still = select(*COLUMNS).where(t.tasks.c.done.is_(None)).order_by(*SERVED)
        return self._tasks(still.where(t.tasks.c.target.in_(targets)) if targets else still)

    def waiting(self, target: str) -> list[Task]:
        """What nobody has taken yet, also what is not due yet, in the order of service."""
        c = t.tasks.c
        free = select(*COLUMNS).where(c.target == target, c.done.is_(None), c.state == "waiting")
        return self._tasks(free.order_by(*SERVED))

    def unheard_of(self, before: float) -> list[tuple[Task, str]]:
        """Callers who wait on the line for this desk, and to whose task nothing has happened since then, each with the bundle of
        their call."""
        c = t.tasks.c
        waits = (c.done.is_(None), c.kind == "call", c.way == "queue", c.state == "waiting", c.changed < before)
        found = select(*COLUMNS, t.calls.c.bundle).join(t.calls, t.calls.c.sid == c.call).where(*waits).order_by(c.id)
        with self.database.read() as connection:
            return [(Task(*row[:-1]), row[-1]) for row in connection.execute(found)]

    def revision(self) -> tuple[Any, ...]:
        """Another one than before: something that pages show has changed, a task or what somebody can do now.

        Sums, not the latest moment: the clocks of two servers may differ a little.
        """
        c, u = t.tasks.c, t.users.c
        tasks = select(c.state, func.count(), func.sum(c.changed)).where(c.done.is_(None)).group_by(c.state)
        people = select(u.presence, func.count(), func.sum(u.presence_at)).group_by(u.presence)
        with self.database.read() as connection:
            rows = [connection.execute(each.order_by(each.selected_columns[0])).all() for each in (tasks, people)]
        return tuple(tuple(row) for found in rows for row in found)

    def past(self, target: str, since: float, limit: int = 50) -> list[Past]:
        """What became of the callers of this target whose tasks are done since then, newest first."""
        c = t.tasks.c
        wanted = select(c.kind, c.result, c.entered, c.taken, c.talked, c.done)
        done = wanted.where(c.target == target, c.done >= since, c.kind != "voicemail", c.way != "dial")
        with self.database.read() as connection:
            return [_past(row) for row in connection.execute(done.order_by(c.done.desc(), c.id).limit(limit))]

    def working(self, target: str) -> int:
        """How many people work for this target now: available, on a call, or ending one."""
        return len(self._people(target, WORKING))

    def free_agents(self, target: str) -> list[str]:
        """The ids of those who could take a caller of this target now, the longest free first."""
        return self._people(target, ("available",))

    def _people(self, target: str, presences: Sequence[str]) -> list[str]:
        u = t.users.c
        here = select(u.id, u.targets).where(u.disabled.is_(None), u.presence.in_(presences))
        with self.database.read() as connection:
            rows = connection.execute(here.order_by(u.presence_at, u.id)).all()
        serving = ((id_, json.loads(targets)) for id_, targets in rows)
        return [id_ for id_, targets in serving if not targets or target in targets]

    def _tasks(self, statement: Any) -> list[Task]:
        with self.database.read() as connection:
            return [Task(*row) for row in connection.execute(statement)]


def _past(row: Any) -> Past:
    """One caller. Who was to be called back did not wait on the line, so says nothing of how long people stay there."""
    over = row.taken if row.talked is not None else row.done
    left = row.result in LEFT
    waited = over - row.entered if row.kind == "call" else 0.0
    if row.talked is None or row.taken is None:
        return Past(waited, left)
    return Past(waited, left, row.talked - row.taken, row.done - row.taken)
