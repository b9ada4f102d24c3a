"""How long a caller will wait, as an honest range from the queue's own figures.

While everybody is busy, a queue moves on whenever one of its people is free again. Where that happens at random at a steady
rate, the time until it has happened k times has a gamma (Erlang) distribution of shape k. Its quantiles are worked out by the
cube-root formula of Wilson and Hilferty ("The distribution of chi-square", Proceedings of the National Academy of Sciences
17, 1931). Where somebody is free already, the caller is taken at once: the range errs on the long side, and shrinks to
nothing as people come.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import NamedTuple

Z = 1.0364
"""The normal quantile of 85 %: seven waits in ten end within the range."""

USUAL_COUNTS_AS = 5
"""Until there are many figures, `usual` counts as this many of them."""


class Range(NamedTuple):
    """Seconds, from `low` to `high`."""

    low: float
    high: float


def estimate(position: int, agents: int, handled: Iterable[float], usual: float) -> Range | None:
    """How long the caller at `position` (1: next) will wait; None while nobody works the queue.

    `agents`: people who work it now, free, busy or wrapping up. `handled`: seconds that recent callers took, from being taken
    to the agent being free again. `usual`: seconds one caller takes, as the queue's config says.
    """
    if agents < 1:
        return None
    known = [seconds for seconds in handled if 0 < seconds < math.inf]
    mean = (usual * USUAL_COUNTS_AS + sum(known)) / (USUAL_COUNTS_AS + len(known))
    shape = max(1, position)
    return Range(_quantile(shape, -Z) * mean / agents, _quantile(shape, Z) * mean / agents)


def _quantile(shape: int, z: float) -> float:
    """Wilson and Hilferty: a quantile of the gamma distribution of this shape and scale 1."""
    return shape * (1 - 1 / (9 * shape) + z / (3 * math.sqrt(shape))) ** 3


def spoken(range_: Range) -> tuple[int, int]:
    """The range in whole minutes, rounded outwards: never a minute that we cannot keep, and never "0 to 0"."""
    return math.floor(range_.low / 60), max(1, math.ceil(range_.high / 60))
