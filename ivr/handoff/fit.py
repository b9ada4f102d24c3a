"""A packet as JSON of bounded size: whole parts are left out, the least important first, and nothing is cut in the middle."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Mapping
from typing import Any

from ivr.jsontext import encode

LIMIT = 4096
"""UTF-8 bytes: what Twilio takes as a task's attributes."""

HUGE = 1024
"""UTF-8 bytes of one text. Where not everything fits, a longer one gives way to a marker before anything else is left out."""

OLDEST_FIRST = ("done",)
"""Lists whose first entries are the least important; of any other list it is the last ones."""

Path = tuple[str | int, ...]


def fit(packet: Mapping[str, Any], limit: int = LIMIT) -> str:
    """`packet` as JSON text of at most `limit` bytes (at least 2). `left_out` names the sections that are not whole.

    A packet that fits is only encoded. Otherwise huge texts are replaced one by one, then entries are left out one by one,
    both beginning with the least important section (the last), until the rest fits.
    """
    whole = _clean(packet)
    text = encode(whole)
    if _size(text) <= limit:
        return text
    sections = {name: value for name, value in whole.items() if name != "left_out"}
    cuts = [path for path in _texts((), sections) if _size(str(_at(sections, path))) > HUGE]
    marked = len(cuts)
    cuts += _entries((), sections)
    before = [name for name in whole.get("left_out", ()) if name not in sections]
    # The list of what is left out counts in full from the first cut on, so that each cut makes the packet smaller.
    reserve = _size(encode({"left_out": [*sections, *before]})) - 1

    def rest(count: int) -> dict[str, Any]:
        kept: dict[str, Any] = _without((), sections, set(cuts[:marked][:count]), set(cuts[marked:count]))
        return kept

    count = bisect_left(range(len(cuts)), True, key=lambda count: _size(encode(rest(count))) + reserve <= limit)
    cut = {path[0] for path in cuts[:count]} | set(whole.get("left_out", ()))
    text = encode({**rest(count), "left_out": [*(name for name in sections if name in cut), *before]})
    return text if _size(text) <= limit else "{}"


def _size(text: str) -> int:
    return len(text.encode())


def _clean(value: Any) -> Any:
    """`value` with text that UTF-8 can hold: half of a surrogate pair is no character."""
    if isinstance(value, str):
        return value.encode(errors="replace").decode()
    if isinstance(value, Mapping):
        return {_clean(key): _clean(inner) for key, inner in value.items()}
    return [_clean(inner) for inner in value] if isinstance(value, (list, tuple)) else value


def _at(value: Any, path: Path) -> Any:
    for part in path:
        value = value[part]
    return value


def _texts(path: Path, value: Any) -> Iterator[Path]:
    """Where every text stands, the least important first."""
    if isinstance(value, str):
        yield path
    elif isinstance(value, (dict, list)):
        for part in _parts(path, value):
            yield from _texts((*path, part), value[part])


def _entries(path: Path, value: Any) -> Iterator[Path]:
    """Where everything stands that is left out as a whole (a field, an entry of a list), the least important first."""
    if isinstance(value, dict) and value:
        for part in _parts(path, value):
            yield from _entries((*path, part), value[part])
    elif isinstance(value, list) and value:
        yield from ((*path, part) for part in _parts(path, value))
    elif path:
        yield path


def _parts(path: Path, value: dict[str, Any] | list[Any]) -> list[Any]:
    """Keys or indexes, the least important first."""
    parts = list(value) if isinstance(value, dict) else list(range(len(value)))
    return parts if path and path[-1] in OLDEST_FIRST else parts[::-1]


def _without(path: Path, value: Any, marked: set[Path], dropped: set[Path]) -> Any:
    """`value` with markers for the texts at `marked` and without what is at `dropped`, nor what that leaves empty."""
    if path in marked:
        return f"[left out: {len(value):,} characters]"
    if isinstance(value, dict):
        kept = {
            key: _without((*path, key), inner, marked, dropped)
            for key, inner in value.items()
            if (*path, key) not in dropped
        }
        return {key: inner for key, inner in kept.items() if inner not in ({}, []) or value[key] in ({}, [])}
    if isinstance(value, list):
        indexes = [index for index in range(len(value)) if (*path, index) not in dropped]
        return [_without((*path, index), value[index], marked, dropped) for index in indexes]
    return value
