"""What is known, as conditions and wordings see it: one function from a dotted name to its value.

Above the caller's level a fact is not known, to a condition as to a wording, so a call sounds the same as if the fact did
not exist. Only the rules that choose a flow see everything; the checks insist that such a flow gives nothing away.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from ivr.flow.bundle import Bundle
from ivr.flow.expressions import Lookup
from ivr.flow.hours import DAYS, closes_at, opens_at
from ivr.flow.model import Line
from ivr.flow.names import Field
from ivr.kinds import LEVELS

Facts = Mapping[str, Mapping[str, Any]]
"""Root (`caller`, `history`, a source …) → dotted name within it → value."""


class Access(NamedTuple):
    """Where a name's value lies, and the least level at which it is known; `inner`: at which all that is in it is."""

    root: str
    key: str
    level: int
    rest: tuple[str, ...]
    inner: int = 0
    field: Field | None = None


def access(bundle: Bundle, path: tuple[str, ...]) -> Access:
    """How `path` is read in `bundle`."""
    field = bundle.field_at(path)
    level = _level(field) if field else 0
    for length in range(1, len(path)):
        outer = bundle.field_at(path[:length])
        if outer is not None and outer.kind in ("list",):
            level = max(level, _level(outer))
    inner = _most(field) if field and field.fields else 0
    return Access(path[0], ".".join(path[1:]), level, path[1:], inner, field)


def _level(field: Field) -> int:
    return min(LEVELS[field.speak], LEVELS["verified"])


def _most(field: Field) -> int:
    """The least level at which everything inside a record or a list is known."""
    return max((max(_level(each), _most(each)) for each in field.fields.values()), default=0)


def _without_secrets(value: Any, field: Field, level: int) -> Any:
    """A record or a list without what is above `level`."""
    if isinstance(value, (list, tuple)):
        return [_without_secrets(item, field, level) for item in value]
    if not isinstance(value, Mapping):
        return value
    known = {name: field.fields[name] for name in value if name in field.fields}
    return {
        name: _without_secrets(value[name], inner, level) for name, inner in known.items() if _level(inner) <= level
    }


def reader(
    bundle: Bundle,
    level: int,
    facts: Facts,
    moving: Callable[[str], Mapping[str, Any]],
    said: Mapping[str, Any],
    found: Mapping[str, Any],
    given: Mapping[str, Any],
    here: Mapping[str, Any],
) -> Lookup:
    """The lookup function of one moment of one call.

    `moving` gives the roots that are worked out when asked for (`now`, `line`, `call`); `here` what exists only inside one
    wording (`label`, `key`, `item`).
    """
    table: dict[tuple[str, ...], Access] = bundle.once("access", dict)

    def lookup(path: tuple[str, ...]) -> Any:
        if here and path[0] in here:
            return _within(here[path[0]], path[1:])
        place = table.get(path)
        if place is None:
            place = table[path] = access(bundle, path)
        if place.level > level:
            return None
        root = place.root
        if root in ("said", "found"):
            value = _said(said, place.rest) if root == "said" else _within(found, place.rest)
            return value if place.inner <= level or place.field is None else _without_secrets(value, place.field, level)
        if root == "given":
            return given.get(place.key)
        values = facts.get(root)
        if values is None:
            values = moving(root)
        value = values.get(place.key)
        return value if place.inner <= level or place.field is None else _without_secrets(value, place.field, level)

    return lookup


def _within(value: Any, path: tuple[str, ...]) -> Any:
    for part in path:
        value = value.get(part) if isinstance(value, Mapping) else None
    return value


def _said(said: Mapping[str, Any], path: tuple[str, ...]) -> Any:
    """`said.x` is the value; `.spoken` the caller's words, `.label` an option's name; else a field of the value."""
    entry = said.get(path[0]) if path else None
    if entry is None:
        return None
    if len(path) == 1:
        return entry.get("value")
    if path[1] in ("spoken", "label"):
        return entry.get(path[1])
    return _within(entry.get("value"), path[1:])


def line_values(
    bundle: Bundle, line: Line, now: float, notice: str | None = None, closed: bool = False
) -> dict[str, Any]:
    """The fields of `line`. Hours change on the minute, so each minute is worked out once; `closed`: by its operators, for now."""
    key, minute = ("hours", line.line), int(now // 60)
    kept: tuple[int, dict[str, Any]] | None = bundle.memo.get(key)
    if kept is None or kept[0] != minute:
        kept = bundle.memo[key] = (minute, _hours(line, minute * 60.0))
    return {**kept[1], "notice": notice, **({"open": False} if closed else {})}


def _hours(line: Line, now: float) -> dict[str, Any]:
    moment = datetime.fromtimestamp(now, ZoneInfo("UTC"))
    closes = closes_at(line.hours, moment)
    opens = opens_at(line.hours, moment)
    return {
        "name": line.title or line.line,
        "open": line.hours is None or closes is not None,
        "opens_day": opens.date().isoformat() if opens else None,
        "opens_time": opens.strftime("%H:%M") if opens else None,
        "closes_time": closes.strftime("%H:%M") if closes else None,
    }


def now_values(line: Line, now: float) -> dict[str, Any]:
    """The fields of `now`, by the clock of the line's zone."""
    here = datetime.fromtimestamp(now, ZoneInfo(line.hours.timezone if line.hours else "UTC"))
    part = "morning" if here.hour < 12 else "afternoon" if here.hour < 18 else "evening"
    return {
        "date": here.date().isoformat(),
        "time": here.strftime("%H:%M"),
        "hour": here.hour,
        "weekday": DAYS[here.weekday()],
        "day_part": part,
    }
