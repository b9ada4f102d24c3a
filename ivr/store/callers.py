"""Callers: people, their numbers, facts and history, and all of it erased."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, bindparam, delete, exists, insert, select, text, update

from ivr.config import Config
from ivr.jsontext import decode, encode
from ivr.personal import history as past
from ivr.personal.snapshot import Person
from ivr.store import tables as t
from ivr.store.cases import first_promise, put_cases
from ivr.store.database import Database, Prepared
from ivr.store.erase import erase_personal
from ivr.store.people import PersonRow
from ivr.store.recordings import forget_recordings

BUILTIN_PURPOSE = "preference"


class Callers:
    """The `callers`, `numbers`, `facts` and `history` tables."""

    def __init__(
        self, database: Database, config: Config, new_id: Callable[[], str] = lambda: uuid.uuid4().hex
    ) -> None:
        self.database = database
        self.new_id = new_id
        self.config = config
        n, f, h, c, p = t.numbers.c, t.facts.c, t.history.c, t.cases.c, t.promises.c
        engine = database.writer
        joined = t.numbers.outerjoin(t.history, h.caller == n.caller).outerjoin(t.facts, f.caller == n.caller)
        self.by_number = Prepared(
            engine,
            select(n.caller, h.record, f.name, f.value, f.source, f.at, self._has_case(n.caller))
            .select_from(joined)
            .where(n.number == bindparam("number")),
        )
        by_id = t.callers.outerjoin(t.history, h.caller == t.callers.c.id).outerjoin(
            t.facts, f.caller == t.callers.c.id
        )
        self.by_id = Prepared(
            engine,
            select(t.callers.c.id, h.record, f.name, f.value, f.source, f.at)
            .select_from(by_id)
            .where(t.callers.c.id == bindparam("id")),
        )
        self.open_cases = Prepared(
            engine,
            select(c.id, c.about, c.summary, c.opened, c.origin, p.id, p.text, p.by)
            .select_from(t.cases.outerjoin(t.promises, (p.case == c.id) & p.kept.is_(None)))
            .where(c.caller == bindparam("caller"), c.closed.is_(None))
            .order_by(c.opened, c.id),
        )

    def people(self, number: str) -> list[Person]:
        """Everybody this number belongs to, with all that is known of them."""
        with self.database.quick_read() as cursor:
            rows = self.by_number.quick(cursor, {"number": number}).fetchall()
            people = _people(rows)
            if len(people) == 1 and rows[0][6]:
                people = [self._with_cases(cursor, people[0])]
        return people

    @staticmethod
    def _has_case(caller: Any) -> Any:
        """Whether there is anything to read from `cases`: most callers have none."""
        return exists(
            select(t.cases.c.id).where(t.cases.c.caller == caller, t.cases.c.closed.is_(None)).correlate(t.numbers)
        )

    def person(self, caller: str) -> Person | None:
        """One person by id."""
        with self.database.quick_read() as cursor:
            people = _people(self.by_id.quick(cursor, {"id": caller}).fetchall())
            return self._with_cases(cursor, people[0]) if people else None

    def _with_cases(self, cursor: Any, person: Person) -> Person:
        rows = self.open_cases.quick(cursor, {"caller": person.id}).fetchall()
        if not rows:
            return person
        cases: dict[str, dict[str, Any]] = {}
        promises: dict[str, list[dict[str, Any]]] = {}
        for id_, about, summary, opened, origin, *promise in rows:
            cases[id_] = {"id": id_, "about": about, "summary": summary, "opened": opened, "origin": origin}
            promises.setdefault(id_, []).append(dict(zip(("id", "text", "by"), promise, strict=True)))
        for id_, case in cases.items():
            case |= first_promise([promise for promise in promises[id_] if promise["id"] is not None])
        return Person(person.id, person.facts, person.origins, person.history, list(cases.values()))

    # — written with a turn —

    def remember(
        self,
        connection: Connection,
        caller: str | None,
        number: str | None,
        values: Mapping[str, Any],
        source: str,
        at: float,
    ) -> str | None:
        """Keeps facts; a number nobody has yet becomes a caller of its own."""
        caller = caller or self.for_number(connection, number, at)
        if caller is not None:
            self.put_facts(connection, caller, values, source, at)
        return caller

    def fold_history(
        self, connection: Connection, caller: str | None, number: str | None, summary: past.Summary, at: float
    ) -> str | None:
        """The caller's history with this call in it; returns whose it is."""
        caller = caller or self.for_number(connection, number, at)
        if caller is None:
            return None
        self.one_at_a_time(connection, caller)
        old = connection.execute(select(t.history.c.record).where(t.history.c.caller == caller)).scalar()
        record = encode(past.fold(decode(old) if old else None, summary))
        if old is None:
            connection.execute(insert(t.history).values(caller=caller, record=record, at=at))
        else:
            connection.execute(update(t.history).where(t.history.c.caller == caller).values(record=record, at=at))
        return caller

    def one_at_a_time(self, connection: Connection, who: str) -> None:
        """Two transactions about the same number or caller come one after the other, also before there is a row to lock.

        SQLite has a single writer anyway.
        """
        if not self.database.is_sqlite:
            connection.execute(text("SELECT pg_advisory_xact_lock(hashtextextended(:who, 0))"), {"who": who})

    def mend_history(
        self, connection: Connection, caller: str | None, number: str | None, sid: str, outcome: str
    ) -> None:
        """A closed call turned out to have ended otherwise: its entry in the caller's history says so too."""
        if caller is None and number is not None:
            owners = connection.execute(select(t.numbers.c.caller).where(t.numbers.c.number == number)).scalars().all()
            caller = str(owners[0]) if len(owners) == 1 else None
        mine = t.history.c.caller == caller
        old = connection.execute(select(t.history.c.record).where(mine).with_for_update()).scalar() if caller else None
        if old is None:
            return
        record = decode(old)
        for call in record["recent"]:
            if call["sid"] == sid:
                call |= {"outcome": outcome, "unfinished": False}
        connection.execute(update(t.history).where(mine).values(record=encode(record)))

    def for_number(self, connection: Connection, number: str | None, at: float) -> str | None:
        """The one person of `number`, made if there is none; None for a number that several share."""
        if number is None:
            return None
        self.one_at_a_time(connection, number)
        found = connection.execute(select(t.numbers.c.caller).where(t.numbers.c.number == number)).scalars().all()
        if found:
            return str(found[0]) if len(found) == 1 else None
        return self.add(connection, self.new_id(), [number], at)

    # — imports and the API —

    def add(self, connection: Connection, caller: str, numbers: Iterable[str], at: float) -> str:
        """A caller with these numbers, made or extended."""
        if connection.execute(select(t.callers.c.id).where(t.callers.c.id == caller)).scalar() is None:
            connection.execute(insert(t.callers).values(id=caller, at=at))
        for number in numbers:
            known = select(t.numbers.c.number).where(t.numbers.c.number == number, t.numbers.c.caller == caller)
            if connection.execute(known).scalar() is None:
                connection.execute(insert(t.numbers).values(number=number, caller=caller))
        return caller

    def put(self, connection: Connection, person: PersonRow, source: str, at: float) -> str:
        """Stores one person: found by id or by a number that is theirs alone, else new."""
        caller = person.id
        for number in person.numbers if caller is None else ():
            owners = connection.execute(select(t.numbers.c.caller).where(t.numbers.c.number == number)).scalars().all()
            if len(owners) == 1:
                caller = str(owners[0])
                break
        caller = self.add(connection, caller or self.new_id(), person.numbers, at)
        self.put_facts(connection, caller, person.facts, source, at)
        if person.history is not None:
            self.put_history(connection, caller, person.history, at)
        if person.cases is not None:
            put_cases(connection, caller, person.cases, at)
        return caller

    def put_facts(self, connection: Connection, caller: str, values: Mapping[str, Any], source: str, at: float) -> None:
        """Keeps facts, each for its declared purpose and time; None deletes one."""
        for name, value in values.items():
            connection.execute(delete(t.facts).where(t.facts.c.caller == caller, t.facts.c.name == name))
            if value is None:
                continue
            declared = self.config.file.facts.get(name)
            until = at + declared.keep if declared and declared.keep else None
            connection.execute(
                insert(t.facts).values(
                    caller=caller,
                    name=name,
                    value=encode(value),
                    source=source,
                    at=at,
                    purpose=declared.purpose if declared else BUILTIN_PURPOSE,
                    until=until,
                )
            )

    def put_history(self, connection: Connection, caller: str, record: Mapping[str, Any], at: float) -> None:
        """Replaces a caller's history (imports and samples)."""
        connection.execute(delete(t.history).where(t.history.c.caller == caller))
        connection.execute(insert(t.history).values(caller=caller, record=encode(record), at=at))

    def forget(self, caller: str) -> int:
        """Erases a person: facts, history, cases, numbers, and what is personal in their calls. Returns how many calls."""
        with self.database.write() as connection:
            sids = connection.execute(select(t.calls.c.sid).where(t.calls.c.caller == caller)).scalars().all()
            numbers = connection.execute(select(t.numbers.c.number).where(t.numbers.c.caller == caller)).scalars().all()
            own = select(t.calls.c.sid).where(t.calls.c.number.in_(numbers), t.calls.c.caller.is_(None))
            sids = [*sids, *connection.execute(own).scalars().all()]
            erase_personal(connection, sids)
            # Its keys are hashes, so nobody's answers can be told apart; all of it can be asked again.
            connection.execute(delete(t.lookup_cache))
            for table in (t.cases, t.facts, t.history, t.numbers):
                connection.execute(delete(table).where(table.c.caller == caller))
            connection.execute(delete(t.callers).where(t.callers.c.id == caller))
        return len(sids)

    def expire(self, now: float) -> int:
        """Deletes facts and histories whose time is over; returns how many."""
        keep = self.config.file.history_keep
        with self.database.write() as connection:
            facts = connection.execute(delete(t.facts).where(t.facts.c.until < now)).rowcount
            history = connection.execute(delete(t.history).where(t.history.c.at < now - keep)).rowcount
            old = now - self.config.file.recordings_keep
            recordings = forget_recordings(connection, t.recordings.c.at < old, now)
            return int(facts + history + recordings)


def _people(rows: Sequence[Any]) -> list[Person]:
    people: dict[str, Person] = {}
    for caller, record, name, value, source, at, *_ in rows:
        person = people.get(caller)
        if person is None:
            person = people[caller] = Person(caller, {}, {}, decode(record) if record else None)
        if name is not None:
            person.facts[name] = decode(value)  # type: ignore[index]  # the dict was made just above
            person.origins[name] = (source, at)  # type: ignore[index]  # likewise
    return list(people.values())
