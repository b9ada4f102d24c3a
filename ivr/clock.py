"""The only reader of time. Everything else gets its `now` handed in.

Moments are UTC seconds since the epoch as float: they sort, subtract, and survive JSON.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], float]


def now() -> float:
    """Seconds since the epoch, UTC, to the millisecond."""
    return round(time.time(), 3)


def stopwatch() -> float:
    """Seconds on a clock that never goes back; only differences mean something."""
    return time.perf_counter()


def iso(moment: float) -> str:
    """`moment` as ISO 8601 in UTC, to the second."""
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
