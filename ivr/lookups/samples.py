"""`sample:` files: answers for the demo and for tests, by the first value that is given.

    "+15550100001": {number: "4401", overdue: 0}
    default: {overdue: 0}

Such a file is always fresh and never slow, so nothing of it goes through the cache or the threads.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ivr.config import SourceSpec
from ivr.lookups.fault import LookupFault
from ivr.source import load


class Samples:
    """The sample files of one project, each read again when it changes."""

    def __init__(self, project: Path) -> None:
        self._project = project
        self._read: dict[str, tuple[tuple[int, int], Mapping[str, Any]]] = {}

    def answer(self, spec: SourceSpec, give: Mapping[str, Any]) -> Mapping[str, Any]:
        """What the file has for the first of `takes`, else its `default:`. Raises LookupFault."""
        entries = self._entries(spec.sample or "")
        first = next((give[name] for name in spec.takes if name in give), None)
        found = entries.get(str(first)) if first is not None else None
        if found is None:
            found = entries.get("default")
        if found is None:
            raise LookupFault("not found", status=404)
        if not isinstance(found, Mapping):
            raise LookupFault(f"an entry of {spec.sample} is not a group of 'name: value' lines")
        return found

    def _entries(self, name: str) -> Mapping[str, Any]:
        path = self._project / name
        try:
            state = path.stat()
            version = (state.st_mtime_ns, state.st_size)
            known = self._read.get(name)
            if known is not None and known[0] == version:
                return known[1]
            text = path.read_bytes()
        except OSError:
            raise LookupFault(f"there is no readable {name}") from None
        documents, problems = load(name, text)
        if problems:
            raise LookupFault(f"{name} has a mistake in line {problems[0].where.line}")
        entries = documents[0].data if documents else {}
        if not isinstance(entries, Mapping):
            raise LookupFault(f"{name} is not a group of 'value: answer' lines")
        self._read[name] = (version, entries)
        return entries
