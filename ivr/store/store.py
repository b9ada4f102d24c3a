"""Everything a turn and the worker need of the database, in one place."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from ivr.clock import Clock
from ivr.config import Config
from ivr.engine.events import Event
from ivr.engine.session import from_json
from ivr.flow.bundle import Bundle
from ivr.flow.model import Line
from ivr.handoff.task import Task
from ivr.personal.likely import Popularity
from ivr.personal.snapshot import Person
from ivr.ports import Begun, Call, Commit
from ivr.store.audit import Audit
from ivr.store.bundles import Bundles, Cache
from ivr.store.callers import Callers
from ivr.store.calls import Calls
from ivr.store.cases import Cases
from ivr.store.database import Database
from ivr.store.effects import Effects, day_of
from ivr.store.grants import Grants
from ivr.store.jobs import Jobs
from ivr.store.people import PersonRow
from ivr.store.sessions import Attempts, Sessions
from ivr.store.tasks import Tasks
from ivr.store.users import Users


class DatabaseStore:
    """The Store of `turn.py`, on a database."""

    def __init__(self, config: Config, clock: Clock) -> None:
        self.database = Database(config.database, config.file.durability)
        self.callers = Callers(self.database, config)
        self.tasks = Tasks(self.database)
        self.cases = Cases(self.database)
        self.grants = Grants(self.database)
        self.bundles = Bundles(self.database, clock)
        self.calls = Calls(self.database, Effects(self.callers, self.tasks, self.cases, self._line))
        self.jobs = Jobs(self.database)
        self.cache = Cache(self.database)
        self.users = Users(self.database, lambda: uuid.uuid4().hex)
        self.sessions = Sessions(self.database)
        self.attempts = Attempts(self.database)
        self.audit = Audit(self.database)

    def load(self, sid: str) -> Call | None:
        """The call, or None."""
        return self.calls.load(sid)

    def newest_open(self, caller: str | None, number: str | None) -> Call | None:
        """The caller's newest call that has not closed."""
        return self.calls.newest_open(caller, number)

    def begin(self, begun: Begun, commit: Commit) -> Call | None:
        """Stores a new call; None where it is stored already."""
        return self.calls.begin(begun, commit)

    def advance(self, call: Call, commit: Commit) -> bool:
        """Stores a turn, by compare-and-set."""
        return self.calls.advance(call, commit)

    def close(self, call: Call, commit: Commit) -> bool:
        """Closes a call once."""
        return self.calls.close(call, commit)

    def keep_late(
        self, sid: str, events: Sequence[Event], outcome: str | None = None, tasks: Sequence[Task] = ()
    ) -> None:
        """Keeps what arrived after the end."""
        self.calls.keep_late(sid, events, outcome, tasks)

    def task(self, id_: str) -> Task | None:
        """One thing people have to do, or None."""
        return self.tasks.get(id_)

    def queue_size(self, target: str) -> int:
        """How many callers wait on the line for a target."""
        return self.tasks.size(target)

    def events_of(self, sid: str) -> Sequence[Event]:
        """Everything that happened in a call."""
        return self.calls.events_of(sid)

    def people(self, number: str) -> list[Person]:
        """Everybody a number belongs to."""
        return self.callers.people(number)

    def person(self, caller: str) -> Person | None:
        """One person."""
        return self.callers.person(caller)

    def bundle(self, id_: str) -> Bundle | None:
        """A bundle by name."""
        return self.bundles.bundle(id_)

    def published(self) -> Bundle:
        """What new calls get."""
        return self.bundles.published()

    def notice(self, line: str) -> str | None:
        """What operators want said on a line now."""
        return self.bundles.notice(line)

    def popularity(self, line: str) -> Popularity:
        """What everybody calls about lately."""
        return self.bundles.popularity(line)

    def day(self, line: str | None, at: float) -> str:
        """The date of a moment by a line's own clock, as ISO; in UTC where no line is known."""
        return day_of(self._line(line) if line else None, at)

    def number_called(self, task: Task) -> str | None:
        """The number of ours that the caller dialled: people may be called from it."""
        call = self.load(task.call)
        if call is not None and call.session:
            return str(from_json(call.session).call.get("to"))
        line = self._line(task.line)
        return line.numbers[0] if line and line.numbers else None

    def _line(self, name: str) -> Line | None:
        return self.bundles.published().lines.get(name)

    def put_person(self, person: PersonRow, source: str, at: float) -> str:
        """Stores one person: found by their id or by a number that is theirs alone, else new. Returns the id."""
        with self.database.write() as connection:
            for number in sorted(person.numbers):
                self.callers.one_at_a_time(connection, number)
            return self.callers.put(connection, person, source, at)

    def alive(self) -> bool:
        """Whether the database answers and has its tables; raises StoreGone where not."""
        return self.bundles.published_id() is not None

    def dispose(self) -> None:
        """Gives back every connection."""
        self.database.close()
