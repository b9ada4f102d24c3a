"""People as they come from outside (CSV, API, personas), checked against the declared facts before anything is stored."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ivr.config import ConfigFile
from ivr.kinds import convert
from ivr.phone import e164
from ivr.problems import did_you_mean

PREFERENCES = ("prefers.language", "prefers.manner", "prefers.channel")
MAX_ID = 36
CASE_TEXTS = {"id": MAX_ID, "about": 60, "summary": 2000, "promise": 2000}
"""Texts of a case, and how long each may be."""
CASE_FIELDS = ("id", "about", "summary", "opened", "closed", "promise", "promise_by")


@dataclass(frozen=True, slots=True)
class PersonRow:
    """One person to store: an id of the sender's choosing (or none), numbers in E.164, facts as their kinds, cases."""

    numbers: tuple[str, ...]
    id: str | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)
    cases: Sequence[Mapping[str, Any]] | None = None
    history: Mapping[str, Any] | None = None


def read_person(data: Mapping[str, Any], config: ConfigFile) -> tuple[PersonRow | None, list[str]]:
    """`{"number": …, "caller": …, "numbers": […], "facts": {…}, "cases": […]}` and everything that is wrong with it."""
    faults: list[str] = []
    for word in data.keys() - {"number", "numbers", "caller", "facts", "cases"}:
        faults.append(
            f"'{word}' is not a word here: {did_you_mean(word, ('number', 'numbers', 'caller', 'facts', 'cases'))}"
        )
    given = [data["number"]] if data.get("number") else []
    more = data.get("numbers") or []
    given += more if isinstance(more, list) else [more]
    numbers = []
    for text in given:
        number = e164(str(text).strip(), config.region)
        if number is None:
            faults.append(f"'{text}' is not a phone number in the form +15551234567")
        else:
            numbers.append(number)
    if not given:
        faults.append("a number is missing")
    facts = {} if data.get("facts") is None else data["facts"]
    kept = read_facts(facts, config, faults) if isinstance(facts, Mapping) else {}
    if not isinstance(facts, Mapping):
        faults.append("'facts' must be an object of names and values")
    cases = _cases(data.get("cases"), faults)
    identity = _text("caller", data["caller"], MAX_ID, faults) if data.get("caller") else None
    return (None if faults else PersonRow(tuple(dict.fromkeys(numbers)), identity, kept, cases)), faults


def read_facts(facts: Mapping[str, Any], config: ConfigFile, faults: list[str]) -> dict[str, Any]:
    """Facts as their declared kinds; each that cannot be is named in `faults`. An empty value is None: delete it."""
    known = (*config.facts, *PREFERENCES)
    kept: dict[str, Any] = {}
    for name, value in facts.items():
        if name not in known:
            faults.append(f"'{name}' is not a declared fact: {did_you_mean(name, known)}")
            continue
        kind = config.facts[name].kind if name in config.facts else "text"
        try:
            kept[name] = convert(kind, value)
        except ValueError as error:
            faults.append(f"{name}: {error}")
    return kept


def _cases(data: Any, faults: list[str]) -> Sequence[Mapping[str, Any]] | None:
    if data is None:
        return None
    if not isinstance(data, list):
        faults.append("'cases' must be a list")
        return None
    kept = []
    for case in data:
        if not isinstance(case, Mapping) or not case.get("about") or not case.get("opened"):
            faults.append("a case needs 'about' and 'opened'")
            continue
        wrong = case.keys() - set(CASE_FIELDS)
        if wrong:
            faults.append(
                f"'{sorted(wrong)[0]}' is not a field of a case: {did_you_mean(sorted(wrong)[0], CASE_FIELDS)}"
            )
        try:
            dates = {name: convert("date", case[name]) for name in ("opened", "closed", "promise_by") if case.get(name)}
        except ValueError as error:
            faults.append(f"case {str(case.get('about'))[:40]}: {error}")
            continue
        texts = {name: _text(name, case[name], most, faults) for name, most in CASE_TEXTS.items() if case.get(name)}
        kept.append(texts | dates)
    ids = [case["id"] for case in kept if case.get("id")]
    faults += [f"two cases have the id '{name}'" for name in sorted({name for name in ids if ids.count(name) > 1})]
    return kept


def _text(name: str, value: Any, most: int, faults: list[str]) -> str:
    """`value` as text that every database takes."""
    text = str(value).strip()
    if not isinstance(value, (str, int)) or len(text) > most or not text.replace("\n", " ").isprintable():
        faults.append(f"'{name}' must be plain text of at most {most} characters")
        return ""
    return text
