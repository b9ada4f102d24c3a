"""Where answers are kept between calls. The database has its own; this one is for the simulator and for tests."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any, Protocol


class CacheStore(Protocol):
    """Values by source and key, with the moment they were stored. Shared by all workers; `write` replaces."""

    def read(self, source: str, key: str) -> tuple[dict[str, Any], float] | None: ...
    def write(self, source: str, key: str, values: dict[str, Any], at: float) -> None: ...


class MemoryCache:
    """A CacheStore that ends with the process."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, str], tuple[dict[str, Any], float]] = {}

    def read(self, source: str, key: str) -> tuple[dict[str, Any], float] | None:
        """What was written last, and when."""
        return self._kept.get((source, key))

    def write(self, source: str, key: str, values: dict[str, Any], at: float) -> None:
        """Keeps a copy of `values`."""
        self._kept[source, key] = (dict(values), at)


def lookup_key(takes: Iterable[str], give: Mapping[str, Any]) -> str:
    """The key of a question: the same for the same values, in whatever order, and none of them to be read in it."""
    sent = {name: give[name] for name in takes if give.get(name) is not None}
    return hashlib.sha256(json.dumps(sent, sort_keys=True, default=str).encode()).hexdigest()


def late_key(key: str) -> str:
    """Beside the key of a question, the one under which an answer waits that came after the caller's turn."""
    return hashlib.sha256(f"late {key}".encode()).hexdigest()
