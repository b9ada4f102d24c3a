"""Likeliest reasons first: the order of the reasons a caller may have, before they say a word.

Six signals are multiplied, each raised to a fitted power (a conditional logit: McFadden, "Conditional logit analysis
of qualitative choice behavior", 1974), and the products are scaled to sum to one:

1. what everybody asks about lately, 2. whether that is rising or falling (hours and a month against days),
3. what the caller's group (a region, a site, a contract) asks about, 4. what people ask after the reasons this caller
had, 5. how often this caller asked it (exponentially fading), 6. whether it was their last one, and how long
ago that was: somebody back within a minute and a half nearly always has the same reason.

A first-time caller gets what everybody asks about these days, as it is. The powers were fitted on the first half of a
real help desk's log and measured on the second half ("Incident management process enriched event log", UCI id 498;
Amaral, Fantinato, Peres; CC BY 4.0); `bench/likely.py` does both. Pure code: no clock, no randomness, nothing read or
written.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

Contact = tuple[str, float]
"""One past contact: the reason, and when, in seconds since the epoch."""

KEPT = 30
"""How many of a caller's contacts are looked at (and worth keeping): the newest ones."""

HOUR, DAY = 3600.0, 86400.0

# A caller's fifth-last contact says half as much about what comes next as their last; the ninth-last, too little.
FOLLOWED, FOLLOWED_HALVES = 8, 4
# Observations a table is topped up with from the wider one behind it, so a quiet hour or a small line is not believed
# too readily: the month by all reasons evenly, days by the month and hours by days, a group, what follows, a caller.
WIDE_PRIOR, HOURS_PRIOR, GROUP_PRIOR, NEXT_PRIOR, OWN_PRIOR = 2.0, 100.0, 15.0, 10.0, 8.0
# How often, all told, the next reason is the same again.
REPEAT = 0.2
# Keeps a reason a group never asked about possible, and a rare reason's ratio from being mostly noise.
FLOOR = 2e-3


@dataclass(frozen=True, slots=True)
class Weights:
    """The power of each signal, and `again`: how much likelier the last reason is, in nats, after each gap.

    `gaps` are upper ends in seconds; `again` is one longer, for anything after the last of them.
    """

    recent: float
    hours: float
    month: float
    group: float
    follows: float = 0.0
    habit: float = 0.0
    again: tuple[float, ...] = (0.0,) * 7
    gaps: tuple[float, ...] = (90.0, 600.0, HOUR, DAY, 7 * DAY, 21 * DAY)


# What `python -m bench.likely --data FILE --fit` prints, but that no last reason, however old, counts against itself.
# The month is negative because what is asked about more than its month's usual goes on rising.
KNOWN = Weights(0.96, 0.95, -0.94, 0.53, 0.49, 0.36, (2.34, 1.02, 0.63, 0.31, 0.12, 0.02, 0.0))
# A first-time caller of a known group: what everybody asks about these days, leaning to what the group asks.
FIRST_TIME = Weights(1.0, 0.0, 0.0, 0.53)


@dataclass(slots=True)
class Fading:
    """Counts that halve every `half_life` seconds; `at` is the time they stand at (the newest one's)."""

    half_life: float
    at: float = -math.inf
    counts: dict[str, float] = field(default_factory=dict)
    total: float = 0.0

    def add(self, reason: str, at: float) -> None:
        """One more of `reason` at `at`; one older than the newest arrives already faded."""
        if at > self.at:
            fade = self.fade(at)
            # What has faded to nothing is dropped, so a table stays as small as what is asked about.
            self.counts = {name: count * fade for name, count in self.counts.items() if count * fade > 1e-9}
            self.at = at
        self.counts[reason] = self.counts.get(reason, 0.0) + 0.5 ** ((self.at - at) / self.half_life)
        # Summed anew, exactly: a running total would drift from the counts, and from a copy read back.
        self.total = math.fsum(self.counts.values())

    def fade(self, at: float) -> float:
        """What one count is worth at `at`: 0 to 1."""
        return 0.5 ** (max(0.0, at - self.at) / self.half_life) if self.counts else 1.0

    def shares(self, reasons: Sequence[str], behind: Sequence[float], prior: float) -> list[float]:
        """Each reason's share, topped up with `prior` observations spread like `behind` (Dirichlet smoothing)."""
        counts, total = self.counts, self.total + prior
        return [
            (counts.get(reason, 0.0) + prior * share) / total for reason, share in zip(reasons, behind, strict=True)
        ]

    def to_json(self) -> list[Any]:
        """Half-life in seconds, when it stands at (None: nothing counted), and the counts."""
        return [self.half_life, self.at if self.counts else None, dict(self.counts)]

    @classmethod
    def from_json(cls, data: Sequence[Any]) -> Fading:
        half_life, at, counts = data
        kept = {str(name): float(count) for name, count in counts.items()}
        return cls(float(half_life), -math.inf if at is None else float(at), kept, math.fsum(kept.values()))


def _fading(half_life: float) -> Callable[[], Fading]:
    return lambda: Fading(half_life)


@dataclass(slots=True)
class Popularity:
    """What everybody asks about, what each group does, and what follows what: fading counts.

    An accumulator, changed in place by `seen`: the worker that refreshes it owns it; a process that only ranks holds
    a copy made by `Popularity.from_json(other.to_json())`. It keeps no caller and no single contact.
    """

    hours: Fading = field(default_factory=_fading(6 * HOUR))
    recent: Fading = field(default_factory=_fading(3 * DAY))
    month: Fading = field(default_factory=_fading(30 * DAY))
    groups: dict[str, Fading] = field(default_factory=dict)
    follows: dict[str, Fading] = field(default_factory=dict)

    def seen(self, reason: str, at: float, previous: str | None = None, group: str | None = None) -> None:
        """Count one contact: its reason, when (seconds since the epoch), the same caller's last reason, their group."""
        if not math.isfinite(at):
            raise ValueError(f"a contact needs a finite time, not {at}")
        for table in (self.hours, self.recent, self.month):
            table.add(reason, at)
        if group is not None:
            self.groups.setdefault(group, Fading(14 * DAY)).add(reason, at)
        if previous is not None:
            self.follows.setdefault(previous, Fading(180 * DAY)).add(reason, at)

    def to_json(self) -> dict[str, Any]:
        """Plain lists and dicts, exact when read back."""
        return {
            "hours": self.hours.to_json(),
            "recent": self.recent.to_json(),
            "month": self.month.to_json(),
            "groups": {name: table.to_json() for name, table in self.groups.items()},
            "follows": {name: table.to_json() for name, table in self.follows.items()},
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Popularity:
        """What `to_json` gave; KeyError, TypeError or ValueError for anything else."""
        return cls(
            Fading.from_json(data["hours"]),
            Fading.from_json(data["recent"]),
            Fading.from_json(data["month"]),
            {name: Fading.from_json(table) for name, table in data["groups"].items()},
            {name: Fading.from_json(table) for name, table in data["follows"].items()},
        )


def remember(past: Iterable[Sequence[Any]], reason: str, at: float) -> tuple[Contact, ...]:
    """The caller's past with one more contact, newest last and no longer than `KEPT`."""
    return (*((str(r), float(t)) for r, t in past), (reason, at))[-KEPT:]


def signals(
    past: Sequence[Contact], popularity: Popularity, reasons: Sequence[str], now: float, group: str | None = None
) -> tuple[list[list[float]], int, float]:
    """The logarithms `rank` weighs, a list per signal (recent, hours, month, group, follows, habit), reason by reason;
    then where in `reasons` the caller's last one is (-1: nowhere), and how many seconds ago they had it."""
    log, even = math.log, [1 / len(reasons)] * len(reasons)
    month = popularity.month.shares(reasons, even, WIDE_PRIOR)
    recent = popularity.recent.shares(reasons, month, WIDE_PRIOR)
    hours = popularity.hours.shares(reasons, recent, HOURS_PRIOR)
    flat = [0.0] * len(reasons)
    rows = [
        [log(share + 1e-4) for share in recent],
        [log((share + FLOOR) / (usual + FLOOR)) for share, usual in zip(hours, recent, strict=True)],
        [log((share + FLOOR) / (usual + FLOOR)) for share, usual in zip(month, recent, strict=True)],
        flat,
        flat,
        flat,
    ]
    table = popularity.groups.get(group) if group is not None else None
    if table is not None:
        # The table stands at its own newest contact: a group long silent has less to say against its prior.
        prior = GROUP_PRIOR / max(table.fade(popularity.month.at), 1e-9)
        shares = table.shares(reasons, recent, prior)
        rows[3] = [log((share + FLOOR) / (usual + FLOOR)) for share, usual in zip(shares, recent, strict=True)]
    past = past[-KEPT:]
    if not past:
        return rows, -1, 0.0
    rows[4] = _after(past, popularity, reasons, recent)
    place = {reason: index for index, reason in enumerate(reasons)}
    habit = flat.copy()
    for reason, at in past:
        if reason in place:
            habit[place[reason]] += 0.5 ** (max(0.0, now - at) / (30 * DAY))
    whole = sum(habit) + OWN_PRIOR
    rows[5] = [
        log(((count + OWN_PRIOR * usual) / whole + FLOOR) / (usual + FLOOR))
        for count, usual in zip(habit, recent, strict=True)
    ]
    last, at = past[-1]
    return rows, place.get(last, -1), max(0.0, now - at)


def _after(past: Sequence[Contact], popularity: Popularity, reasons: Sequence[str], recent: list[float]) -> list[float]:
    """How much likelier each reason is after the ones this caller had than it is for anybody."""
    weights: dict[str, float] = {}
    for age, (reason, _) in enumerate(reversed(past[-FOLLOWED:])):
        weights[reason] = weights.get(reason, 0.0) + 0.5 ** (age / FOLLOWED_HALVES)
    whole, own = sum(weights.values()), 0.0
    mixed: dict[str, float] = {}
    for reason, weight in weights.items():
        table = popularity.follows.get(reason)
        if table is None:
            own += weight / whole * (1 - REPEAT)
            mixed[reason] = mixed.get(reason, 0.0) + weight / whole * REPEAT
            continue
        scale = weight / whole / (table.total + NEXT_PRIOR)
        own += scale * NEXT_PRIOR * (1 - REPEAT)
        mixed[reason] = mixed.get(reason, 0.0) + scale * NEXT_PRIOR * REPEAT
        for name, count in table.counts.items():
            mixed[name] = mixed.get(name, 0.0) + scale * count
    return [
        math.log((mixed.get(reason, 0.0) + own * usual + FLOOR) / (usual + FLOOR))
        for reason, usual in zip(reasons, recent, strict=True)
    ]


def rank(
    past: Sequence[Contact],
    popularity: Popularity,
    reasons: Sequence[str],
    now: float,
    group: str | None = None,
) -> tuple[tuple[str, float], ...]:
    """Every one of `reasons` with its probability, likeliest first; the probabilities sum to one.

    `past` is the caller's own contacts, newest last, times and `now` in seconds since the epoch. With no past it is
    popularity that ranks; with nothing counted either, all are equally likely. Equals keep the order of `reasons`.
    """
    reasons = tuple(dict.fromkeys(reasons))
    if not reasons:
        return ()
    if not past and group not in popularity.groups:
        return _popular(popularity, reasons)
    rows, last, gap = signals(past, popularity, reasons, now, group)
    weights = KNOWN if past else FIRST_TIME
    a, b, c = weights.recent, weights.hours, weights.month
    d, e, f = weights.group, weights.follows, weights.habit
    scores = [a * i + b * j + c * k + d * m + e * n + f * o for i, j, k, m, n, o in zip(*rows, strict=True)]
    if last >= 0:
        scores[last] += weights.again[bisect_right(weights.gaps, gap)]
    top = max(scores)
    odds = [math.exp(score - top) for score in scores]
    whole = math.fsum(odds)
    order = sorted(range(len(reasons)), key=odds.__getitem__, reverse=True)
    return tuple((reasons[index], odds[index] / whole) for index in order)


def _popular(popularity: Popularity, reasons: tuple[str, ...]) -> tuple[tuple[str, float], ...]:
    """What everybody asked about these days; the month only where days say nothing. All the rest, fitted on callers with
    a past, made a first-time caller wait no shorter on the half it was not fitted on."""
    month = popularity.month.shares(reasons, [1 / len(reasons)] * len(reasons), WIDE_PRIOR)
    shares = popularity.recent.shares(reasons, month, 1e-3)
    whole = math.fsum(shares)
    order = sorted(range(len(reasons)), key=shares.__getitem__, reverse=True)
    return tuple((reasons[index], shares[index] / whole) for index in order)
