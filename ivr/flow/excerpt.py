"""The lines of YAML that a step or a rule was written in, as they stand in the bundle that ran."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from ivr.flow.bundle import Bundle
from ivr.source import Path, Source, load


class Excerpt(NamedTuple):
    """`lines` of `file` from line `first` on; `marked` are the numbers of the first and the last line that are meant."""

    file: str
    first: int
    lines: tuple[str, ...]
    marked: tuple[int, int] | None = None


def step_lines(bundle: Bundle, place: str, within: Path = ()) -> Excerpt | None:
    """The lines of the step `flow.step`; `within`, such as ("route", 2), is what is marked. None where there is none."""
    flow, _, step = place.partition(".")
    return _excerpt(bundle, ("flow", flow), ("steps", step), within)


def rule_lines(bundle: Bundle, line: str, rule: int) -> Excerpt | None:
    """The lines of a line's `choose:` rule, counted from 0."""
    return _excerpt(bundle, ("line", line), ("choose", rule), ())


def _excerpt(bundle: Bundle, thing: tuple[str, str], path: Path, within: Path) -> Excerpt | None:
    source = bundle.once("sources", lambda: _sources(bundle.files)).get(thing)
    if source is None or path not in source.marks:
        return None
    text = bundle.files[source.file].splitlines()
    first, last = _extent(source, text, path)
    marked = _extent(source, text, path + within) if within and path + within in source.marks else None
    return Excerpt(source.file, first, tuple(text[first - 1 : last]), marked)


def _sources(files: Mapping[str, str]) -> dict[tuple[str, str], Source]:
    """Every line and flow as it was written, by what it is and its name."""
    found = {}
    for path in sorted(name for name in files if name.startswith("flows/")):
        for source in load(path, files[path])[0]:
            for word in ("line", "flow"):
                if isinstance(source.data, dict) and word in source.data:
                    found[word, str(source.data[word])] = source
    return found


def _extent(source: Source, text: list[str], path: Path) -> tuple[int, int]:
    """First and last line of what stands at `path`: up to whatever comes next beside it or around it."""
    first = source.marks[path].key_line
    beside = (mark.key_line for other, mark in source.marks.items() if other and len(other) <= len(path))
    ends = [line for line in beside if line > first]
    ends += [number for number, line in enumerate(text, 1) if number > first and line.startswith(("---", "..."))]
    last = min(ends, default=len(text) + 1) - 1
    while last > first and not text[last - 1].partition("#")[0].strip():
        last -= 1
    return first, last
