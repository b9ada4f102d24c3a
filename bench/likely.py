"""How well are a caller's likeliest reasons ranked before they say anything? Measured on a log of past contacts.

Rows are walked in time order. Before each row of the second half every ranking orders all the reasons from earlier
rows only (a caller's location too is the one of their earlier row); the position of the true reason counts. The log
the numbers are quoted for: "Incident management process enriched event log", UCI id 498 (Amaral, Fantinato, Peres;
CC BY 4.0), the first event of each incident, as CSV with opened_at, caller, location (may be missing) and reason.
"""

from __future__ import annotations

import csv
import random
import statistics
import sys
import zlib
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from math import exp, sqrt
from pathlib import Path
from time import perf_counter

import click
from rich.console import Console
from rich.progress import track
from rich.table import Table

from ivr.personal.likely import DAY, KNOWN, Contact, Fading, Popularity, rank, remember, signals

WARM_UP = 1000  # rows that are only counted before weights are fitted: nothing is known yet
PASSES = 6


class Unusable(Exception):
    """A log that cannot be measured on; the message says why in one line."""


@dataclass(frozen=True, slots=True)
class Row:
    """One contact of the log; `at` in seconds since the epoch."""

    at: float
    caller: str
    reason: str
    location: str | None


@dataclass(slots=True)
class World:
    """Everything known before a row: what the rankings may look at."""

    reasons: tuple[str, ...]
    menu: Counter[str]  # over the first half, then left alone
    everybody: Counter[str] = field(default_factory=Counter)
    recent: Fading = field(default_factory=lambda: Fading(3 * DAY))
    places: dict[str, Fading] = field(default_factory=dict)
    popularity: Popularity = field(default_factory=Popularity)
    past: dict[str, tuple[Contact, ...]] = field(default_factory=dict)
    often: dict[str, Counter[str]] = field(default_factory=dict)
    place: dict[str, str | None] = field(default_factory=dict)

    def saw(self, row: Row) -> None:
        """Take in a row, once every ranking has been asked about it."""
        past = self.past.get(row.caller, ())
        self.everybody[row.reason] += 1
        self.recent.add(row.reason, row.at)
        if row.location is not None:
            self.places.setdefault(row.location, Fading(14 * DAY)).add(row.reason, row.at)
        self.popularity.seen(row.reason, row.at, past[-1][0] if past else None, row.location)
        self.past[row.caller] = remember(past, row.reason, row.at)
        self.often.setdefault(row.caller, Counter())[row.reason] += 1
        self.place[row.caller] = row.location


Ranking = Callable[[World, Row], Sequence[str]]


def by(world: World, *keys: Callable[[str], float]) -> list[str]:
    """The reasons, highest of the first key first, ties by the next."""
    return sorted(world.reasons, key=lambda reason: tuple(-key(reason) for key in keys))


def static_menu(world: World, row: Row) -> Sequence[str]:
    return by(world, world.menu.__getitem__)


def last_reason(world: World, row: Row) -> Sequence[str]:
    past = world.past.get(row.caller)
    last = past[-1][0] if past else None
    return by(world, lambda reason: reason == last, world.everybody.__getitem__)


def most_frequent(world: World, row: Row) -> Sequence[str]:
    return by(world, world.often.get(row.caller, Counter()).__getitem__, world.everybody.__getitem__)


def fading_popularity(world: World, row: Row) -> Sequence[str]:
    return by(world, lambda reason: world.recent.counts.get(reason, 0.0), world.everybody.__getitem__)


def fading_frequency(world: World, row: Row) -> Sequence[str]:
    """The caller's fading counts, topped up with two observations of their location's, those with ten of all's."""
    wide = dict(zip(world.reasons, world.recent.shares(world.reasons, [0.0] * len(world.reasons), 1e-9), strict=True))
    counts: dict[str, float] = {}
    for reason, at in world.past.get(row.caller, ()):
        counts[reason] = counts.get(reason, 0.0) + 0.5 ** ((row.at - at) / (14 * DAY))
    near = world.places.get(world.place.get(row.caller) or "", Fading(14 * DAY))

    def weight(reason: str) -> float:
        local = (near.counts.get(reason, 0.0) + 10 * wide[reason]) / (near.total + 10)
        return counts.get(reason, 0.0) + 2 * local

    return by(world, weight, world.everybody.__getitem__)


RANKINGS: dict[str, Ranking] = {
    "static menu": static_menu,
    "last, then popularity": last_reason,
    "most often, then popularity": most_frequent,
    "fading, backing off": fading_frequency,
    "fading popularity": fading_popularity,
}


@dataclass(slots=True)
class Score:
    """Positions (1 is the top) of the true reason, and seconds a ranking took."""

    known: list[int] = field(default_factory=list)
    first_time: list[int] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)

    def cells(self) -> tuple[str, str, str, str, str]:
        """Top 1 and top 3 in percent, the two mean positions, median milliseconds."""
        whole = len(self.known) or 1
        top1, top3 = (100 * sum(place <= top for place in self.known) / whole for top in (1, 3))
        known, first = (statistics.fmean(places) if places else 0.0 for places in (self.known, self.first_time))
        return f"{top1:.1f}", f"{top3:.1f}", f"{known:.2f}", f"{first:.2f}", f"{1000 * self.middle():.3f}"

    def middle(self) -> float:
        return statistics.median(self.seconds) if self.seconds else 0.0


def read(path: Path) -> list[Row]:
    """The log, oldest first; Unusable when it is not one."""
    rows = []
    try:
        with path.open(encoding="utf-8", newline="") as file:
            reader = csv.DictReader(file)
            missing = {"opened_at", "caller", "reason"} - set(reader.fieldnames or ())
            if missing:
                raise Unusable(f"{path}: no column {', '.join(sorted(missing))}")
            for line in reader:
                try:
                    when = datetime.fromisoformat(line["opened_at"] or "")
                except (TypeError, ValueError):
                    shown = line["opened_at"]
                    raise Unusable(f"{path}, line {reader.line_num}: {shown!r} is not a time") from None
                if not line["caller"] or not line["reason"]:
                    raise Unusable(f"{path}, line {reader.line_num}: a caller and a reason are needed")
                at = (when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp()
                rows.append(Row(at, line["caller"], line["reason"], line.get("location") or None))
    except OSError as fault:
        raise Unusable(f"{path}: {fault.strerror}") from None
    except (UnicodeDecodeError, csv.Error) as fault:
        raise Unusable(f"{path}: not a CSV file in UTF-8 ({fault})") from None
    if len(rows) < 10:
        raise Unusable(f"{path}: {len(rows)} contacts are too few to measure on")
    return sorted(rows, key=lambda row: row.at)


def made_up(contacts: int = 4000, callers: int = 500) -> list[Row]:
    """A history for want of a real one: callers with a favourite or two, fashions that change, always the same."""
    dice = random.Random(498)
    reasons = [f"r{number}" for number in range(1, 41)]
    habits = {f"c{number}": dice.choices(reasons, k=3) for number in range(callers)}
    rows, at = [], 1_700_000_000.0
    last: dict[str, str] = {}
    for number in range(contacts):
        at += dice.expovariate(1 / 120)
        # Squared: few callers make most of the calls, as everywhere.
        caller = f"c{int(callers * dice.random() ** 2)}"
        fashion = int(40 * dice.random() ** 2.5 + number / 4000) % 40
        reason = dice.choice(habits[caller]) if dice.random() < 0.5 else reasons[fashion]
        if caller in last and dice.random() < 0.2:
            reason = last[caller]
        last[caller] = reason
        rows.append(Row(at, caller, reason, f"l{zlib.crc32(caller.encode()) % 7}"))
    return rows


def fit(rows: Sequence[Row], reasons: tuple[str, ...], console: Console) -> list[float]:
    """The weights of `KNOWN` from these rows alone: likelihood climbed one row at a time, steps shrinking (AdaGrad:
    Duchi, Hazan, Singer, 2011), averaged over the last pass."""
    world, seen = World(reasons, Counter()), []
    for index, row in enumerate(track(rows, "signals", console=console, transient=True)):
        past = world.past.get(row.caller)
        if past and index >= WARM_UP:
            values, last, gap = signals(past, world.popularity, reasons, row.at, world.place.get(row.caller))
            columns = list(zip(*values, strict=True))
            seen.append((columns, reasons.index(row.reason), last, 6 + bisect_right(KNOWN.gaps, gap)))
        world.saw(row)
    weights = [1.0] + [0.0] * (6 + len(KNOWN.gaps))
    slopes, mean = [1.0] * len(weights), [0.0] * len(weights)
    dice = random.Random(0)
    for turn in track(range(PASSES), "fitting", console=console, transient=True):
        dice.shuffle(seen)
        for columns, true, last, again in seen:
            a, b, c, d, e, f = weights[:6]
            odds = [exp(a * i + b * j + c * k + d * m + e * n + f * o) for i, j, k, m, n, o in columns]
            if last >= 0:
                odds[last] *= exp(weights[again])
            whole = sum(odds)
            slope = [0.0] * len(weights)
            for number, logs in enumerate(zip(*columns, strict=True)):
                expected = sum(chance * value for chance, value in zip(odds, logs, strict=True)) / whole
                slope[number] = logs[true] - expected
            if last >= 0:
                slope[again] = (last == true) - odds[last] / whole
            for number, value in enumerate(slope):
                slopes[number] += value * value
                weights[number] += 0.3 * value / sqrt(slopes[number])
            if turn == PASSES - 1:
                mean = [total + weight / len(seen) for total, weight in zip(mean, weights, strict=True)]
    return mean


def walk(rows: Sequence[Row], console: Console) -> Iterator[tuple[World, Row]]:
    """Each row of the second half, with the world as it was before it."""
    half = len(rows) // 2
    world = World(tuple(sorted({row.reason for row in rows})), Counter(row.reason for row in rows[:half]))
    for index, row in enumerate(track(rows, "ranking", console=console, transient=True)):
        if index >= half:
            yield world, row
        world.saw(row)


@click.command(help=(__doc__ or "").partition("\n")[0])
@click.option("--data", type=click.Path(path_type=Path), help="The log as CSV; without it one is made up.")
@click.option("--quick", is_flag=True, help="Rank for a fifth of the callers: a few seconds.")
@click.option("--fit", "fitted", is_flag=True, help="Fit the weights on the first half, print them, measure nothing.")
def main(data: Path | None, quick: bool, fitted: bool) -> None:
    noise = Console(stderr=True)
    try:
        rows = read(data) if data else made_up()
    except Unusable as fault:
        click.echo(fault, err=True)
        sys.exit(1)
    if fitted:
        # The names of all reasons are the menu, known beforehand; nothing else of the second half is looked at.
        found = fit(rows[: len(rows) // 2], tuple(sorted({row.reason for row in rows})), noise)
        click.echo(" ".join(f"{weight:.2f}" for weight in found))
        return
    scores = {name: Score() for name in (*RANKINGS, "ivr")}
    guesses: list[tuple[float, bool]] = []
    for world, row in walk(rows, noise):
        # All are counted, so popularity is the whole line's; by name, so the callers ranked are always the same ones.
        if quick and zlib.crc32(row.caller.encode()) % 5:
            continue
        past, place = world.past.get(row.caller, ()), world.place.get(row.caller)
        for name, ranking in RANKINGS.items():
            started = perf_counter()
            order = ranking(world, row)
            note(scores[name], order, row, past, perf_counter() - started)
        started = perf_counter()
        ranked = rank(past, world.popularity, world.reasons, row.at, place)
        note(scores["ivr"], [reason for reason, _ in ranked], row, past, perf_counter() - started)
        guesses.append((ranked[0][1], ranked[0][0] == row.reason))
    show(scores, guesses)


def note(score: Score, order: Sequence[str], row: Row, past: Sequence[Contact], seconds: float) -> None:
    """Add one ranking's result."""
    (score.known if past else score.first_time).append(1 + order.index(row.reason))
    score.seconds.append(seconds)


def show(scores: dict[str, Score], guesses: Sequence[tuple[float, bool]]) -> None:
    """The table, how sure guesses turn out, and the line a script reads."""
    ours = scores["ivr"]
    table = Table(title=f"{len(ours.known)} contacts of callers with a past, {len(ours.first_time)} of first-timers")
    for heading in ("ranking", "top 1 %", "top 3 %", "position", "first time", "ms"):
        table.add_column(heading, justify="left" if heading == "ranking" else "right")
    for name, score in scores.items():
        table.add_row(name, *score.cells())
    Console().print(table)
    said = []
    for bar in (0.3, 0.5, 0.8):
        sure = [(chance, right) for chance, right in guesses if chance >= bar]
        if sure:
            meant, share = (100 * statistics.fmean(values) for values in zip(*sure, strict=True))
            said.append(f"at least {bar:.0%} sure: {share:.1f} % of {len(sure)} right ({meant:.1f} % meant)")
    click.echo("\n".join(said) or "no guess was at least 30 % sure")
    top1, top3, position, first, ms = ours.cells()
    click.echo(f"top1={top1} top3={top3} position={position} first_time_position={first} ms={ms}")


if __name__ == "__main__":
    main()
