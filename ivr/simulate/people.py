"""Personas: people to call as, from flows/personas."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field

from ivr.config import ConfigFile, Seconds
from ivr.errors import ProblemsFound, UsageError
from ivr.kinds import convert
from ivr.personal import history as past
from ivr.personal.snapshot import Person
from ivr.problems import Problem, did_you_mean
from ivr.shape import Shape, validate
from ivr.source import Source, load
from ivr.store.people import PersonRow

DAY = 86400.0


class PastCall(Shape):
    """One call of a persona's history, so many days or minutes before the call that is played."""

    days_ago: float | None = None
    minutes_ago: float | None = None
    reason: str | None = None
    outcome: str = "resolved"
    minutes: float = 1
    unfinished: bool = False
    interrupts: bool = False
    question: str | None = None


class PersonaFile(Shape):
    """A persona as written."""

    persona: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
    about: str | None = None
    number: str
    prefers: dict[str, str] = {}
    facts: dict[str, Any] = {}
    reacts: Seconds = 2.0
    speaks: bool = False
    history: tuple[PastCall, ...] = ()
    cases: tuple[dict[str, str], ...] = ()
    lookups: dict[str, Any] = {}
    same_people_as: str | None = None
    answers_wrongly: bool = False


@dataclass(frozen=True, slots=True)
class Persona:
    """Somebody to call as."""

    file: PersonaFile
    facts: Mapping[str, Any]
    known: bool

    @property
    def name(self) -> str:
        """As in flows/personas."""
        return self.file.persona

    @property
    def number(self) -> str:
        """What the caller's number shows as."""
        return self.file.number

    def person(self, now: float) -> Person | None:
        """What is known of them at `now`; None for somebody nobody knows."""
        if not self.known:
            return None
        record: Mapping[str, Any] | None = None
        for index, call in enumerate(self.file.history):
            record = past.fold(record, _summary(f"{self.name}-{index}", call, now))
        cases = [{"id": f"{self.name}-case-{index}", **case} for index, case in enumerate(self.file.cases)]
        return Person(self.name, dict(self.facts), dict.fromkeys(self.facts, ("persona", now)), record, cases)


def _summary(sid: str, call: PastCall, now: float) -> past.Summary:
    """`days_ago` is when it began, `minutes_ago` when it ended."""
    seconds = call.minutes * 60
    at = now - call.minutes_ago * 60 - seconds if call.minutes_ago is not None else now - (call.days_ago or 0) * DAY
    reasons = (call.reason,) if call.reason else ()
    answers = 3
    return past.Summary(
        sid,
        at,
        seconds,
        call.outcome,
        call.unfinished,
        reasons,
        call.question,
        answers,
        answers if call.interrupts else 0,
    )


def read_personas(folder: Path, config: ConfigFile) -> dict[str, Persona]:
    """Every persona of a project; raises ProblemsFound with all that is wrong."""
    files: dict[str, tuple[Source, PersonaFile]] = {}
    problems: list[Problem] = []
    for path in sorted((folder / "flows" / "personas").glob("*.yaml")):
        sources, found = load(path.relative_to(folder).as_posix(), path.read_bytes())
        problems += found
        for source in sources:
            file, found = validate(source, (), source.data, PersonaFile)
            problems += found
            if file is not None:
                files[file.persona] = (source, file)
    personas = {name: _persona(source, file, files, config, problems) for name, (source, file) in files.items()}
    if problems:
        raise ProblemsFound(tuple(problems))
    return personas


def _persona(
    source: Source, file: PersonaFile, files: Mapping[str, Any], config: ConfigFile, problems: list[Problem]
) -> Persona:
    facts: dict[str, Any] = {f"prefers.{name}": value for name, value in file.prefers.items()}
    for name, value in file.facts.items():
        if name not in config.facts:
            problems.append(
                source.problem(
                    ("facts", name),
                    "unknown-fact",
                    f"'{name}' is not a declared fact",
                    did_you_mean(name, config.facts),
                    key=True,
                )
            )
            continue
        try:
            facts[name] = convert(config.facts[name].kind, value)
        except ValueError as error:
            problems.append(source.problem(("facts", name), "wrong-value", str(error)))
    if file.same_people_as is not None and file.same_people_as not in files:
        problems.append(
            source.problem(
                ("same_people_as",),
                "unknown-persona",
                f"'{file.same_people_as}' is not a persona",
                did_you_mean(file.same_people_as, files),
            )
        )
    known = bool(facts or file.history or file.cases)
    return Persona(file, facts, known)


def people_by_number(personas: Mapping[str, Persona], now: float) -> dict[str, list[Person]]:
    """Number → the people it belongs to."""
    numbers: dict[str, list[Person]] = {}
    for persona in personas.values():
        person = persona.person(now)
        if person is not None and persona.number.startswith("+"):
            numbers.setdefault(persona.number, []).append(person)
    return numbers


def to_store(personas: Mapping[str, Persona], now: float) -> list[PersonRow]:
    """The personas as a store takes them, for the demo and for benches."""
    return [
        PersonRow((number,), person.id, person.facts, list(person.cases), person.history)
        for number, people in people_by_number(personas, now).items()
        for person in people
    ]


def find(personas: Mapping[str, Persona], name: str) -> Persona:
    """A persona by name; raises UsageError that names the nearest."""
    if name not in personas:
        raise UsageError(f"there is no persona '{name}' in flows/personas; {did_you_mean(name, personas)}")
    return personas[name]
