"""`ivr callers`: people and their data."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import click
from rich.progress import Progress

from ivr import clock
from ivr.cli.common import err, load_config, open_store, out
from ivr.config import ConfigFile
from ivr.errors import UsageError
from ivr.lookups.cache import late_key, lookup_key
from ivr.personal import history as past
from ivr.personal.snapshot import Person
from ivr.phone import e164
from ivr.store.people import PersonRow, read_person
from ivr.store.store import DatabaseStore


@click.group("callers")
def command() -> None:
    """People: show, import, export, forget."""


@command.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.pass_obj
def import_(folder: Path, file: Path) -> None:
    """Import people from a CSV file: `number` (several: split by ;), `caller` (your own id) and any declared fact, such as
    first_name or prefers.language. All rows or none: every faulty row is named first."""
    config = load_config(folder)
    store = open_store(config)
    rows, faults = _read(file, config.file)
    for fault in faults:
        err.print(f"{file.name}:{fault}", markup=False)
    if faults:
        raise UsageError(f"{len(faults)} fault(s) in {file.name}; nothing was imported")
    at = clock.now()
    with Progress(console=err, transient=True) as progress, store.database.write() as connection:
        for person in progress.track(rows, description="importing"):
            store.callers.put(connection, person, "import", at)
    out.print(f"{len(rows)} people imported")


def _read(file: Path, config: ConfigFile) -> tuple[list[PersonRow], list[str]]:
    """Every row, and every fault as `LINE: what`."""
    people: list[PersonRow] = []
    faults: list[str] = []
    seen: dict[str, int] = {}
    with Progress(console=err, transient=True) as progress:
        task = progress.add_task("reading", total=file.stat().st_size)
        try:
            with file.open(encoding="utf-8-sig", newline="") as text:
                reader = csv.DictReader(text)
                if "number" not in (reader.fieldnames or ()):
                    return [], ["1: the first line must name the columns, and one of them 'number'"]
                for row in reader:
                    progress.update(
                        task, advance=sum(len(value or "") + 1 for value in row.values() if isinstance(value, str))
                    )
                    found = _row(row, config, reader.line_num, faults)
                    if found is not None:
                        people.append(found)
                        _repeated(found, reader.line_num, seen, faults)
        except (UnicodeDecodeError, csv.Error) as error:
            faults.append(f"{len(people) + 1}: this is not CSV in UTF-8 ({error})")
    return people, faults


def _row(row: Mapping[str, Any], config: ConfigFile, line: int, faults: list[str]) -> PersonRow | None:
    if None in row:
        faults.append(f"{line}: more values than there are columns")
        return None
    facts = {name: value for name, value in row.items() if name not in ("number", "caller") and value not in (None, "")}
    numbers = [number.strip() for number in (row.get("number") or "").split(";") if number.strip()]
    person, wrong = read_person({"numbers": numbers, "caller": row.get("caller"), "facts": facts}, config)
    if not numbers:
        wrong = ["a number is missing"]
    faults += [f"{line}: {fault}" for fault in wrong]
    return person


def _repeated(person: PersonRow, line: int, seen: dict[str, int], faults: list[str]) -> None:
    """One id twice is one person twice; two people may share a number only under two ids."""
    keys = [f"caller {person.id}"] if person.id else [f"number {number}" for number in person.numbers]
    for key in keys:
        if key in seen:
            faults.append(f"{line}: {key} is in line {seen[key]} already")
        seen.setdefault(key, line)


@command.command("show")
@click.argument("number")
@click.pass_obj
def show(folder: Path, number: str) -> None:
    """What is known of the people a NUMBER belongs to, with sources and age."""
    config = load_config(folder)
    store = open_store(config)
    for person in _people(store, config.file, number):
        out.print(f"caller {person.id}", markup=False)
        for name, value in sorted(person.facts.items()):
            source, at = person.origins[name]
            out.print(f"  {name}: {value}   (from {source}, {(clock.now() - at) / 86400:.0f} days ago)", markup=False)
        for name, value in past.view(person.history, clock.now()).items():
            out.print(f"  history.{name}: {value}", markup=False)
        for case in person.cases:
            out.print(
                f"  open case about {case['about']} since {case['opened']}: {case.get('summary') or ''}", markup=False
            )


@command.command("export")
@click.argument("number")
@click.pass_obj
def export(folder: Path, number: str) -> None:
    """Everything kept about the people of a NUMBER, as JSON: for the person who asks what is known of them."""
    config = load_config(folder)
    store = open_store(config)
    people = [_exported(store, person) for person in _people(store, config.file, number)]
    json.dump(people, sys.stdout, indent=1, default=str)
    sys.stdout.write("\n")


def _exported(store: DatabaseStore, person: Person) -> dict[str, Any]:
    calls = store.calls.of_caller(person.id)
    return {
        "caller": person.id,
        "facts": {
            name: {"value": value, "source": person.origins[name][0], "at": clock.iso(person.origins[name][1])}
            for name, value in person.facts.items()
        },
        "history": person.history,
        "cases": list(person.cases),
        "calls": [
            {
                "sid": row["sid"],
                "started": clock.iso(row["started"]),
                "outcome": row["outcome"],
                "events": list(_events(store, row["sid"])),
            }
            for row in calls
        ],
    }


def _events(store: DatabaseStore, sid: str) -> Iterator[dict[str, Any]]:
    return (event.as_data() for event in store.calls.events_of(sid))


@command.command("forget")
@click.argument("number")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.pass_obj
def forget(folder: Path, number: str, yes: bool) -> None:
    """Erase the people of a NUMBER: facts, history, cases, and what is personal in their calls. It cannot be undone."""
    config = load_config(folder)
    store = open_store(config)
    for person in _people(store, config.file, number):
        name = person.facts.get("first_name") or person.id
        if yes or click.confirm(f"Erase everything about {name} for good?"):
            calls = store.callers.forget(person.id)
            _forget_lookups(store, config.file, number)
            out.print(f"forgotten; {calls} call(s) keep their figures without what was personal")


def _forget_lookups(store: DatabaseStore, config: ConfigFile, number: str) -> None:
    """What sources answered about a number; a running server's own memory of it fades with the source's `cache:`."""
    for name, spec in config.sources.items():
        key = lookup_key(spec.takes, {taken: e164(number, config.region) for taken in spec.takes})
        store.cache.forget(name, (key, late_key(key)))


def _people(store: DatabaseStore, config: ConfigFile, text: str) -> list[Person]:
    number = e164(text, config.region)
    if number is None:
        raise UsageError(f"'{text}' is not a phone number in the form +15551234567")
    people = store.people(number)
    if not people:
        raise UsageError(f"nobody with the number {text} is known")
    return [store.person(person.id) or person for person in people]
