"""What a call carries of the person: just those facts, history and rankings that its bundle names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ivr.flow.bundle import Bundle
from ivr.kinds import Level, convert
from ivr.personal import history as past


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody known: facts by name, how old each is and from where, the record of past calls, and open cases, newest last."""

    id: str
    facts: Mapping[str, Any] = field(default_factory=dict)
    origins: Mapping[str, tuple[str, float]] = field(default_factory=dict)
    history: Mapping[str, Any] | None = None
    cases: Sequence[Mapping[str, Any]] = ()


@dataclass(frozen=True, slots=True)
class Snapshot:
    """`people` are those the number belongs to; `person` is set only where the caller is recognised.

    `last` is the open question of the last call, if that ended unfinished.
    """

    level: Level = "anyone"
    person: str | None = None
    people: tuple[str, ...] = ()
    language: str | None = None
    facts: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    ranking: tuple[tuple[str, float], ...] = ()
    last: Mapping[str, Any] | None = None


ALWAYS = (
    ("caller", "prefers", "language"),
    ("caller", "prefers", "manner"),
    ("cases", "current", "id"),
    ("cases", "current", "about"),
)


def personal_facts(
    bundle: Bundle, person: Person, now: float, likely: Sequence[tuple[str, float]] = ()
) -> dict[str, dict[str, Any]]:
    """`caller`, `history` and `cases` of one person, limited to the names that `bundle` uses."""
    history = past.view(person.history, now)
    if likely:
        history |= {"likely_reason": likely[0][0], "likely": round(likely[0][1], 4)}
    values = {"caller": dict(person.facts), "history": history, "cases": case_fields(person.cases)}
    used: dict[str, dict[str, Any]] = {"caller": {}, "history": {}, "cases": {}}
    for path in (*bundle.uses(), *ALWAYS):
        root, name = path[0], ".".join(path[1:])
        if root in used and values[root].get(name) is not None:
            used[root][name] = values[root][name]
    return used


def case_fields(cases: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The fields of `cases`, flat; `current` is the newest open one."""
    still_open = [case for case in cases if not case.get("closed")]
    fields: dict[str, Any] = {"open_count": len(still_open)}
    if still_open:
        newest = still_open[-1]
        names = ("id", "about", "opened", "summary", "promise", "promise_by")
        fields["current.unanswered"] = newest.get("origin") == "call" and newest.get("promise") is None
        fields |= {f"current.{name}": newest[name] for name in names if newest.get(name) is not None}
    return fields


def declared_values(declared: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """`values` limited to the declared fields, each as its kind; a value that does not fit is not known."""
    kept: dict[str, Any] = {}
    for name, spec in declared.items():
        value = _at(values, spec.path or name)
        try:
            value = convert(spec.kind, value)
        except (ValueError, TypeError):
            continue
        if value is None:
            continue
        if spec.kind == "list" and spec.each:
            value = [declared_values(spec.each, item) for item in value if isinstance(item, Mapping)]
        kept[name] = value
    return kept


def _at(values: Any, path: str) -> Any:
    """A value at `name` or, in nested answers, at `outer.inner`."""
    if isinstance(values, Mapping) and path in values:
        return values[path]
    for part in path.split("."):
        values = values.get(part) if isinstance(values, Mapping) else None
    return values
