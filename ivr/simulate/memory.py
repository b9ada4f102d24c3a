"""A store that remembers nothing after the process ends: what the simulator and dialogue tests run on."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

from ivr.config import Desk
from ivr.engine.events import Event
from ivr.engine.inputs import Answer, NoAnswer
from ivr.engine.session import from_json
from ivr.flow.bundle import Bundle
from ivr.handoff.cases import after_call
from ivr.handoff.task import Task
from ivr.personal import history as past
from ivr.personal.likely import Popularity
from ivr.personal.snapshot import Person, declared_values
from ivr.ports import Begun, Call, Commit
from ivr.store.cases import own_case
from ivr.store.effects import day_of


class MemoryStore:
    """The Store of `turn.py`, in dictionaries."""

    def __init__(
        self,
        bundle: Bundle,
        people: Mapping[str, Sequence[Person]],
        notice: str | None = None,
        join: float = Desk().join,
    ) -> None:
        self.current = bundle
        self.join = join
        self.numbers = {number: [person.id for person in known] for number, known in people.items()}
        self.known = {person.id: person for known in people.values() for person in known}
        self.calls: dict[str, Call] = {}
        self.events: dict[str, list[Event]] = {}
        self.cases = {person.id: [dict(case) for case in person.cases] for person in self.known.values()}
        """every case of a caller, closed ones too"""
        self.tasks: dict[str, Task] = {}
        self.line_notice = notice

    def load(self, sid: str) -> Call | None:
        """The call, or None."""
        return self.calls.get(sid)

    def newest_open(self, caller: str | None, number: str | None) -> Call | None:
        """Simulated calls come one at a time."""
        return None

    def begin(self, begun: Begun, commit: Commit) -> Call | None:
        """Keeps a new call."""
        if commit.sid in self.calls:
            return None
        state = "closed" if commit.closing else "open"
        call = Call(
            commit.sid, state, commit.turn, 0, begun.bundle, commit.session, commit.twiml, commit.at, commit.silent_at
        )
        self.calls[commit.sid] = call
        self.events[commit.sid] = list(commit.events)
        self._effects(commit)
        return call

    def advance(self, call: Call, commit: Commit) -> bool:
        """Keeps a turn."""
        state = "closed" if commit.closing else "open"
        self.calls[commit.sid] = call._replace(
            turn=commit.turn, state=state, session=commit.session, twiml=commit.twiml
        )
        self.events[commit.sid] += commit.events
        self._effects(commit)
        return True

    def close(self, call: Call, commit: Commit) -> bool:
        """Closes a call."""
        self.calls[commit.sid] = call._replace(state="closed", session=commit.session)
        self.events[commit.sid] += commit.events
        self._effects(commit)
        return True

    def _effects(self, commit: Commit) -> None:
        self._add(commit.tasks)
        for event in commit.events:
            if event.type == "waited":
                self._waited(event, commit.at)
        person = self.known.get(commit.caller or "")
        if person is None:
            return
        for event in commit.events:
            if event.type == "remembered":
                person = replace(person, facts={**person.facts, **event.private["values"]})
        if commit.closing is not None:
            person = replace(person, history=past.fold(person.history, commit.closing))
        self.known[person.id] = replace(person, cases=self._cases(commit, person.id))

    def _add(self, tasks: Sequence[Task]) -> None:
        for task in tasks:
            self.tasks.setdefault(task.id, task)

    def _waited(self, event: Event, at: float) -> None:
        task = self.tasks[event.data["task"]]
        if task.kind == "call":
            result = "answered" if event.data["result"] == "bridged" else event.data["result"]
            self.tasks[task.id] = task._replace(state="done", result=result, done=at, changed=at)

    def _cases(self, commit: Commit, caller: str) -> Sequence[Mapping[str, Any]]:
        """The caller's open cases, as this turn leaves them: by the same rules as in a database."""
        if commit.closing is None and not any(event.type == "case_changed" for event in commit.events):
            return self.known[caller].cases
        mine, session = self.cases.setdefault(caller, []), from_json(commit.session)
        line = self.current.lines.get(session.line)
        day = day_of(line, commit.at)
        for event in commit.events:
            if event.type == "case_changed":
                change_case(mine, event, day)
        if commit.closing is not None:
            seen_to = {event.data["case"] for event in self.events[commit.sid] if event.type == "case_changed"}
            close_call(mine, seen_to, commit.closing, session.answered is not None, day, self.join)
        return [case for case in mine if not case.get("closed")]

    def book(self, id_: str, number: str, due: float, now: float) -> bool:
        """The caller is called back; False where they do not wait any more."""
        task = self.tasks[id_]
        if task.kind != "call" or task.state != "waiting":
            return task.kind == "callback" and task.number == number
        self.tasks[id_] = task._replace(kind="callback", number=number, due=due, changed=now)
        return True

    def task(self, id_: str) -> Task | None:
        """One thing people have to do, or None."""
        return self.tasks.get(id_)

    def queue_size(self, target: str) -> int:
        """How many callers wait on the line for a target."""
        return sum(task.target == target and task.kind == "call" and task.done is None for task in self.tasks.values())

    def keep_late(
        self, sid: str, events: Sequence[Event], outcome: str | None = None, tasks: Sequence[Task] = ()
    ) -> None:
        """Keeps what arrived after the end."""
        self.events[sid] += events
        self._add(tasks)

    def events_of(self, sid: str) -> Sequence[Event]:
        """Everything that happened in a call."""
        return self.events.get(sid, [])

    def people(self, number: str) -> list[Person]:
        """Everybody a number belongs to."""
        return [self.known[caller] for caller in self.numbers.get(number, ())]

    def person(self, caller: str) -> Person | None:
        """One person."""
        return self.known.get(caller)

    def bundle(self, id_: str) -> Bundle | None:
        """The one bundle there is."""
        return self.current if id_ == self.current.id else None

    def published(self) -> Bundle:
        """The one bundle there is."""
        return self.current

    def notice(self, line: str) -> str | None:
        """What is being said on the line now."""
        return self.line_notice if line in self.current.lines else None

    def popularity(self, line: str) -> Popularity:
        """Nobody has called yet."""
        return Popularity()


def change_case(cases: list[dict[str, Any]], event: Event, day: str) -> None:
    """What a step does to its caller's cases."""
    id_, summary = event.data["case"], event.private.get("summary")
    if event.data["action"] == "open":
        cases.append({"id": id_, "about": event.data["about"], "summary": summary, "opened": day, "origin": "call"})
        return
    for case in cases:
        if case["id"] == id_:
            case |= {"closed": day} if event.data["action"] == "close" else {"summary": summary} if summary else {}


def close_call(
    cases: list[dict[str, Any]], seen_to: Collection[str], summary: past.Summary, answered: bool, day: str, join: float
) -> None:
    """What a call that ended does to its caller's cases, unless its steps have seen to one about the same thing."""
    still_open = [case for case in cases if not case.get("closed")]
    closed = [case for case in cases if case.get("closed")]
    change = after_call(summary, answered, still_open, closed, day, join / past.DAY)
    if change is None or change.about in {case["about"] for case in cases if case["id"] in seen_to}:
        return
    if change.case_id is None:
        cases.append({"id": own_case(summary.sid), "about": change.about, "opened": day, "origin": "call"})
    for case in cases:
        if case["id"] == change.case_id:
            case.pop("closed", None)


class GivenSources:
    """Answers from a persona or a test: values, or the words `fail` and `late`; else `otherwise` (samples)."""

    def __init__(self, answers: Mapping[str, Any], otherwise: Any = None) -> None:
        self.answers = dict(answers)
        self.otherwise = otherwise

    def ask(self, bundle: Bundle, source: str, give: Mapping[str, Any], budget: float) -> Answer | NoAnswer | None:
        """The answer, at once."""
        answer = self.answers.get(source)
        if answer == "late":
            return None
        if answer in ("fail", "failed"):
            return NoAnswer("failed", "as the test says")
        if isinstance(answer, Mapping):
            return Answer(declared_values(bundle.part.sources[source].gives, answer))
        if self.otherwise is not None:
            found: Answer | NoAnswer | None = self.otherwise.ask(bundle, source, give, budget)
            return found
        return NoAnswer("failed", "no sample answers this")
