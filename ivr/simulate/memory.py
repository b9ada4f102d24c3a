"""A store that remembers nothing after the process ends: what the simulator and dialogue tests run on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from ivr.engine.events import Event
from ivr.engine.inputs import Answer, NoAnswer
from ivr.flow.bundle import Bundle
from ivr.personal import history as past
from ivr.personal.likely import Popularity
from ivr.personal.snapshot import Person, declared_values
from ivr.ports import Begun, Call, Commit


class MemoryStore:
    """The Store of `turn.py`, in dictionaries."""

    def __init__(self, bundle: Bundle, people: Mapping[str, Sequence[Person]], notice: str | None = None) -> None:
        self.current = bundle
        self.numbers = {number: [person.id for person in known] for number, known in people.items()}
        self.known = {person.id: person for known in people.values() for person in known}
        self.calls: dict[str, Call] = {}
        self.events: dict[str, list[Event]] = {}
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
        person = self.known.get(commit.caller or "")
        if person is None:
            return
        for event in commit.events:
            if event.type == "remembered":
                person = replace(person, facts={**person.facts, **event.private["values"]})
        if commit.closing is not None:
            person = replace(person, history=past.fold(person.history, commit.closing))
        self.known[person.id] = person

    def keep_late(self, sid: str, events: Sequence[Event], outcome: str | None = None) -> None:
        """Keeps what arrived after the end."""
        self.events[sid] += events

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
