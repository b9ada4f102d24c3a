"""How long a caller will wait, as an honest range from the queue's own figures.

While everybody is busy, a queue moves on whenever one of its people is free again, and whenever somebody ahead gives up.
Where both happen at random at steady rates, the time that each place takes is exponential; the whole is close to a gamma
distribution of the same mean and variance (with nobody giving up, to an Erlang one: exactly that). For the steps of such a
queue see Whitt, "Predicting queueing delays", Management Science 45, 1999. The quantiles are worked out by the cube-root
formula of Wilson and Hilferty, "The distribution of chi-square", Proceedings of the National Academy of Sciences 17, 1931.

Where somebody is free already, the caller is taken at once: the range errs on the long side, and shrinks as people come.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import NamedTuple

Z = 1.0364
"""The normal quantile of 85 %: seven waits in ten end within the range."""

USUAL_COUNTS_AS = 5
"""Until there are many figures, `usual` counts as this many of them."""


class Range(NamedTuple):
    """Seconds, from `low` to `high`."""

    low: float
    high: float


class Past(NamedTuple):
    """What became of somebody, in seconds. `waited`: on the line until an agent took them, or they `left`; `rang`: from then until
    the two talked; `handled`: from being taken to the agent being free again. None: it never was."""

    waited: float
    left: bool
    rang: float | None = None
    handled: float | None = None


def estimate(
    position: int, agents: int, past: Sequence[Past], usual: float, still: Iterable[float] = ()
) -> Range | None:
    """How long until the caller at `position` (1: next) talks to somebody; None while nobody works the queue.

    `agents`: people who work it now, free, busy or wrapping up. `past`: its latest callers. `usual`: seconds one caller takes, as
    the queue's config says. `still`: seconds that those on the line have waited so far.
    """
    if agents < 1:
        return None
    handled = _known(each.handled for each in past)
    rang = _known(each.rang for each in past)
    mean = (usual * USUAL_COUNTS_AS + sum(handled)) / (USUAL_COUNTS_AS + len(handled))
    waited = sum(_known(each.waited for each in past)) + sum(_known(still))
    leaving = sum(each.left for each in past) / (usual * USUAL_COUNTS_AS + waited)
    steps = [1 / (agents / mean + ahead * leaving) for ahead in range(max(1, position))]
    whole, spread = sum(steps), sum(step * step for step in steps)
    shape, answer = whole * whole / spread, sum(rang) / max(1, len(rang))
    return Range(*(_quantile(shape, z) * spread / whole + answer for z in (-Z, Z)))


def _known(seconds: Iterable[float | None]) -> list[float]:
    return [each for each in seconds if each is not None and 0 < each < math.inf]


def _quantile(shape: float, z: float) -> float:
    """Wilson and Hilferty: a quantile of the gamma distribution of this shape and scale 1."""
    return shape * (1 - 1 / (9 * shape) + z / (3 * math.sqrt(shape))) ** 3


def spoken(range_: Range) -> tuple[int, int]:
    """The range in whole minutes, rounded outwards: never a minute that we cannot keep, and never "0 to 0"."""
    return math.floor(range_.low / 60), max(1, math.ceil(range_.high / 60))
