"""What agents send and grant after a call: gestures and concessions, recorded, and done through the outbox, once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from sqlalchemy import Connection, Select, delete, func, select, update

from ivr.store import tables as t
from ivr.store.database import Database, insert_once
from ivr.store.jobs import enqueue

UNDO_SECONDS = 10.0
"""For so long nothing leaves the house, and the agent may take it back."""


class Grant(NamedTuple):
    """One gesture or concession. `kind`: gesture or concession; `by`: sms, email or card (gestures); `amount` and `why`
    (concessions); `words` as they were sent; `user`: who; moments are UTC seconds."""

    id: str
    kind: str
    name: str
    task: str
    call: str
    caller: str | None
    reason: str | None
    amount: float | None
    by: str | None
    words: str | None
    why: str | None
    user: str
    at: float
    undone: float | None = None


_COLUMNS = [t.grants.c[name] for name in Grant._fields]


class Grants:
    """The `grants` table."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def add(self, connection: Connection, grant: Grant, do: str | None, give: Mapping[str, Any]) -> bool:
        """Records it, and has it done a moment later: `do` with `give`, an action, sms or email (None: a card, which the agent
        prints). False where it is there already: a button that was pressed twice."""
        if not insert_once(connection, t.grants, grant._asdict()):
            return False
        if do is not None:
            kind = "action" if grant.kind == "concession" else "message"
            enqueue(connection, grant.id, kind, do, give, grant.call, grant.at + UNDO_SECONDS)
        return True

    def granted(self, connection: Connection, task: str, name: str, but: str) -> float:
        """How much of a concession stands for a task, apart from the grant `but`."""
        g = t.grants.c
        stands = (g.task == task, g.name == name, g.kind == "concession", g.undone.is_(None), g.id != but)
        return float(connection.execute(select(func.coalesce(func.sum(g.amount), 0.0)).where(*stands)).scalar_one())

    def undo(self, id_: str, now: float) -> bool:
        """Takes it back. False where it is on its way already, or was taken back before."""
        g, box = t.grants.c, t.outbox.c
        with self.database.write() as connection:
            mine = select(*_COLUMNS).where(g.id == id_, g.undone.is_(None)).with_for_update()
            row = connection.execute(mine).first()
            if row is None:
                return False
            untouched = delete(t.outbox).where(box.key == id_, box.attempts == 0, box.done.is_(None))
            if connection.execute(untouched).rowcount == 0 and (row.by != "card" or now > row.at + UNDO_SECONDS):
                return False
            connection.execute(update(t.grants).where(g.id == id_).values(undone=now))
        return True

    def get(self, id_: str) -> Grant | None:
        """One of them, or None."""
        return next(iter(self._grants(select(*_COLUMNS).where(t.grants.c.id == id_))), None)

    def of_task(self, task: str) -> list[Grant]:
        """What was sent and granted for one task, oldest first, also what was taken back."""
        return self._grants(select(*_COLUMNS).where(t.grants.c.task == task).order_by(t.grants.c.at, t.grants.c.id))

    def of_caller(self, caller: str, limit: int = 50) -> list[Grant]:
        """What one person was sent and granted lately, newest first, also what was taken back."""
        theirs = select(*_COLUMNS).where(t.grants.c.caller == caller)
        return self._grants(theirs.order_by(t.grants.c.at.desc(), t.grants.c.id).limit(limit))

    def like(self, reason: str | None, since: float, names: Iterable[str]) -> dict[str, tuple[int, int]]:
        """How like cases were treated: concession → (granted in, of how many), of the tasks about this reason that agents have
        finished since then. Every one of `names` is in it."""
        if reason is None:
            return dict.fromkeys(names, (0, 0))
        k, g = t.tasks.c, t.grants.c
        # Whatever is done since then has changed since then, and that has an index.
        like = (k.changed >= since, k.done >= since, k.agent.is_not(None), k.reason == reason)
        granted = select(g.name, func.count(g.task.distinct())).join(t.tasks, k.id == g.task)
        granted = granted.where(*like, g.kind == "concession", g.undone.is_(None)).group_by(g.name)
        with self.database.read() as connection:
            of = connection.execute(select(func.count()).select_from(t.tasks).where(*like)).scalar() or 0
            counts = {row[0]: row[1] for row in connection.execute(granted)}
        return {name: (counts.get(name, 0), of) for name in names}

    def _grants(self, statement: Select[Any]) -> list[Grant]:
        with self.database.read() as connection:
            return [Grant(*row) for row in connection.execute(statement)]
