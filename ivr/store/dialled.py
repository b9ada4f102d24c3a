"""Talks of people who were dialled, from their end until they are written up.

Their phone was rung by Twilio, so nobody at the desk took anything: whoever of them had the call says so once it is over.
"""

from __future__ import annotations

from sqlalchemy import update

from ivr.handoff.task import is_unwritten
from ivr.store import tables as t
from ivr.store.database import Database
from ivr.store.tasks import held, is_free


def write_up(database: Database, id_: str, user: str, now: float) -> bool:
    """This agent writes it up. False where somebody else does or did, or they have another one in hand.

    Who was available is in wrap-up meanwhile; any other presence stays as they chose it.
    """
    with database.write() as connection:
        task = held(connection, id_)
        if task is None or not is_unwritten(task) or not is_free(connection, user):
            return False
        connection.execute(update(t.tasks).where(t.tasks.c.id == id_).values(agent=user, changed=now))
        u = t.users.c
        available = update(t.users).where(u.id == user, u.presence == "available")
        connection.execute(available.values(presence="wrap_up", presence_at=now))
    return True


def finish_unwritten(database: Database, before: float, now: float) -> int:
    """What was over before that moment, and nobody has written up since, is done. Returns how many."""
    c = t.tasks.c
    unwritten = (c.done.is_(None), c.way == "dial", c.state == "wrap_up", c.agent.is_(None), c.parted < before)
    with database.write() as connection:
        over = update(t.tasks).where(*unwritten)
        return connection.execute(over.values(state="done", result="answered", done=now, changed=now)).rowcount
