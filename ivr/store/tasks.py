"""The life of a task: waiting → ringing → talking → wrap_up → done, each step by compare-and-set and taken once.

Two agents take one task, a caller books a call back or leaves while an agent takes: one of the two was first, and the other
is told so. Every transaction here holds the task's row first and its agent's after it, so none waits for another in a circle.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Update, func, select, update

from ivr.handoff.task import Task
from ivr.store import tables as t
from ivr.store.callbacks import book, merge, one_booking_at_a_time, settle, take_back
from ivr.store.database import insert_once
from ivr.store.jobs import enqueue
from ivr.store.queues import COLUMNS, Queues
from ivr.store.users import set_presence_in

FREE: dict[str, Any] = {"state": "waiting", "agent": None, "agent_call": None, "taken": None}
"""Nobody has it any more."""

_ON_THE_LINE = ("waiting", "ringing")
IN_HAND = ("ringing", "talking", "wrap_up")
REOPENED_WITHIN = 600.0
"""Seconds in which a message marked as done may be open again."""


class Tasks(Queues):
    """The `tasks` table. Moments are UTC seconds; what returns a bool says whether it was so."""

    # — made and told —

    def add(self, connection: Connection, task: Task, at: float) -> bool:
        """A new task, for the agent first who knows the caller; False where it is there already.

        A call back that its caller has booked before is merged with that one.
        """
        if task.kind == "callback":
            one_booking_at_a_time(connection, task.target)
        row = task._replace(last_agent=_last_agent(connection, task.caller), changed=at)._asdict()
        if not insert_once(connection, t.tasks, row):
            return False
        if task.kind == "callback" and task.state == "waiting":
            merge(connection, task, at)
        return True

    def tell(self, id_: str, low: float, high: float, now: float) -> None:
        """The estimate that the caller was told, in seconds; the first one counts."""
        self._change(_set(id_, now, low=low, high=high).where(t.tasks.c.low.is_(None)))

    def open_packet(self, id_: str, now: float) -> None:
        """An agent reads the packet; the first time counts."""
        self._change(_set(id_, now, opened=now).where(t.tasks.c.opened.is_(None)))

    def set_number(self, id_: str, number: str, now: float) -> None:
        """The number that a waiting caller keyed in to be called back at, not confirmed yet."""
        self._change(_set(id_, now, number=number).where(t.tasks.c.kind == "call", t.tasks.c.done.is_(None)))

    def book(self, id_: str, number: str, due: float, now: float) -> bool:
        """The caller need not wait on the line: they are called back in their turn, not before `due`. False where an agent
        has taken them meanwhile, or they have left. Booked already at this number: True again."""
        with self.database.write() as connection:
            return book(connection, id_, number, due, now)

    def take_back(self, id_: str, turn: int, now: float) -> bool:
        """Undoes a booking that TaskRouter would have routed: a worker has its caller, or nobody knows. False where the
        caller has left with it."""
        with self.database.write() as connection:
            return take_back(connection, id_, turn, now)

    # — taken and given back —

    def take(self, id_: str, user: str, now: float) -> bool:
        """This agent's phone is going to ring for it. False where somebody else has it, it is done or not due yet, TaskRouter
        finds who takes it, or this agent has another one in hand."""
        with self.database.write() as connection:
            task = held(connection, id_)
            if task is None or task.state != "waiting" or (task.kind == "callback" and task.due > now):
                return False
            if task.way == "taskrouter":
                return False
            if not is_free(connection, user):
                return False
            connection.execute(_set(id_, now, state="ringing", agent=user, taken=now, agent_call=None))
            set_presence_in(connection, user, "busy", now)
        return True

    def set_agent_call(self, id_: str, sid: str, now: float, agent: str) -> bool:
        """The SID of the call to this agent's phone. False where the task is not theirs any more: that call is hung up."""
        with self.database.write() as connection:
            task = held(connection, id_)
            if task is not None and task.agent_call == sid:
                return True
            if task is None or task.state != "ringing" or task.agent != agent or task.agent_call is not None:
                hang_up_later(connection, sid, now)
                return False
            connection.execute(_set(id_, now, agent_call=sid))
        return True

    def release(self, id_: str, now: float, presence: str = "available", agent: str | None = None) -> bool:
        """Nobody took it after all (only if it rang at `agent`, where given): it waits again in its old place."""
        with self.database.write() as connection:
            task = held(connection, id_)
            if task is None or task.state != "ringing" or agent not in (None, task.agent):
                return False
            connection.execute(_set(id_, now, **FREE))
            _let_go(connection, task, presence, now)
        return True

    def release_stale(self, now: float, seconds: float) -> int:
        """Gives back what has been ringing for longer than this: nobody heard what became of it. Returns how many."""
        c = t.tasks.c
        stale = select(c.id, c.agent).where(c.done.is_(None), c.state == "ringing", c.taken < now - seconds)
        with self.database.read() as connection:
            rows = connection.execute(stale.order_by(c.id)).all()
        return sum(self.release(id_, now, "away", agent) for id_, agent in rows)

    # — talked and done —

    def accept(self, id_: str, agent_call: str, now: float) -> Task | None:
        """The agent is on the phone and wants the caller. None where the caller is gone, or this is not the agent's call;
        the task again where that was said before."""
        with self.database.write() as connection:
            task = held(connection, id_)
            if task is None or task.state not in ("ringing", "talking") or task.agent_call not in (None, agent_call):
                return None
            if task.state == "talking":
                return task
            talking: dict[str, Any] = {"state": "talking", "talked": now, "agent_call": agent_call}
            connection.execute(_set(id_, now, **talking))
        return task._replace(**talking, changed=now)

    def part(self, id_: str, now: float) -> bool:
        """The two have talked; the agent has something to write down."""
        with self.database.write() as connection:
            task = held(connection, id_)
            if task is None or task.state != "talking":
                return False
            parted(connection, task, now)
        return True

    def write_note(self, id_: str, words: str, agent: str) -> bool:
        """What its agent writes down, as they type. Nobody else's page changes with it."""
        mine = update(t.tasks).where(t.tasks.c.id == id_, t.tasks.c.agent == agent)
        return self._change(mine.values(note=words))

    def finish(
        self,
        id_: str,
        now: float,
        result: str,
        outcome: str | None = None,
        note: str | None = None,
        then: Task | None = None,
    ) -> bool:
        """It is done, and its agent is free. False where it was before, or a caller is still on the line for it.

        `then`: a call back that follows from it, for the same agent first.
        """
        with self.database.write() as connection:
            task = held(connection, id_)
            if task is None or task.done is not None or (task.kind == "call" and task.state in _ON_THE_LINE):
                return False
            if then is not None:
                self.add(connection, then, now)
            said = {"outcome": outcome, "note": note}
            done(connection, task, now, result, **{name: value for name, value in said.items() if value is not None})
            if then is not None:
                connection.execute(_set(then.id, now, last_agent=task.agent))
        return True

    def leave(self, id_: str, now: float) -> None:
        """The caller is not on the line any more."""
        with self.database.write() as connection:
            waited(connection, id_, "abandoned", now)

    def again(self, id_: str, due: float, now: float) -> bool:
        """Who was called back did not answer: tried again, not before `due`."""
        with self.database.write() as connection:
            task = held(connection, id_)
            if task is None or task.kind != "callback" or task.state not in IN_HAND:
                return False
            tried: dict[str, Any] = {**FREE, "talked": None, "attempts": task.attempts + 1, "due": due}
            connection.execute(_set(id_, now, **tried))
            _let_go(connection, task, "available", now)
        return True

    def assign(self, id_: str, user: str | None, now: float) -> bool:
        """A message that waits is for this colleague (None: for anybody). False where it is done."""
        c = t.tasks.c
        return self._change(_set(id_, now, agent=user).where(c.kind == "voicemail", c.state == "waiting"))

    def reopen(self, id_: str, now: float) -> bool:
        """A message marked as done a moment ago is to be listened to after all."""
        c = t.tasks.c
        undone: dict[str, Any] = {**FREE, "result": None, "outcome": None, "parted": None, "done": None}
        lately = (c.kind == "voicemail", c.result == "handled", c.done >= now - REOPENED_WITHIN)
        return self._change(_set(id_, now, **undone).where(*lately))

    def _change(self, statement: Update) -> bool:
        with self.database.write() as connection:
            return bool(connection.execute(statement).rowcount)


# — in a transaction that changes more —


def waited(connection: Connection, id_: str, result: str, now: float) -> None:
    """A caller's wait is over. Where it ended in a talk, its agent has something to write down; else it is done, and the
    phone that may be ringing for it stops. One that waits for a call back stays as it is."""
    if result == "callback_booked":
        settle(connection, id_, now)
        return
    task = held(connection, id_)
    if task is None or task.kind != "call" or task.done is not None:
        return
    if result == "bridged":
        if task.state != "wrap_up":
            parted(connection, task, now)
    elif task.state in _ON_THE_LINE:
        done(connection, task, now, result)
        if task.agent_call is not None:
            hang_up_later(connection, task.agent_call, now)


def parted(connection: Connection, task: Task, now: float) -> None:
    """The two have talked. Where no agent of ours did, nothing is left to write down."""
    if task.agent is None:
        done(connection, task, now, "answered")
        return
    connection.execute(_set(task.id, now, state="wrap_up", parted=now, talked=func.coalesce(t.tasks.c.talked, now)))
    set_presence_in(connection, task.agent, "wrap_up", now)


def done(connection: Connection, task: Task, now: float, result: str, **more: str) -> None:
    """The end of a task that the transaction holds; its agent is free."""
    connection.execute(_set(task.id, now, state="done", result=result, done=now, **more))
    _let_go(connection, task, "available", now)


def hang_up_later(connection: Connection, sid: str, now: float) -> None:
    """Asks for the end of a call to an agent's phone. It belongs to no caller, so nobody's erasing stops it."""
    enqueue(connection, f"hang_up:{sid}", "twilio", "hang_up", {"call": sid}, None, now)


def held(connection: Connection, id_: str) -> Task | None:
    """The task, which nobody else changes before this transaction ends."""
    row = connection.execute(select(*COLUMNS).where(t.tasks.c.id == id_).with_for_update()).first()
    return Task(*row) if row else None


def _set(id_: str, now: float, **values: Any) -> Update:
    return update(t.tasks).where(t.tasks.c.id == id_).values(**values, changed=now)


def _let_go(connection: Connection, task: Task, presence: str, now: float) -> None:
    """The agent's presence, unless they have chosen another in wrap-up."""
    if task.agent is not None and task.state in IN_HAND:
        u = t.users.c
        theirs = update(t.users).where(u.id == task.agent, u.presence.in_(("busy", "wrap_up")))
        connection.execute(theirs.values(presence=presence, presence_at=now))


def is_free(connection: Connection, user: str) -> bool:
    """Whether this agent works here and has nothing in hand. Holds their row: whatever else they take at this moment comes
    after or is seen."""
    works = select(t.users.c.id).where(t.users.c.id == user, t.users.c.disabled.is_(None)).with_for_update()
    c = t.tasks.c
    mine = select(c.id).where(c.agent == user, c.done.is_(None), c.state.in_(IN_HAND)).limit(1)
    return connection.execute(works).scalar() is not None and connection.execute(mine).scalar() is None


def _last_agent(connection: Connection, caller: str | None) -> str | None:
    """Who had this caller's last task that is done."""
    if caller is None:
        return None
    c = t.tasks.c
    theirs = select(c.agent).where(c.caller == caller, c.done.is_not(None), c.agent.is_not(None))
    return connection.execute(theirs.order_by(c.done.desc()).limit(1)).scalar()
