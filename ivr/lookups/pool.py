"""All sources of a project, asked so that no call is ever hurt by one of them.

In this order: an answer that is still fresh; where the circuit is open, the last good one; else the source itself, for
as long as the budget lasts. What comes after that is kept for the caller's next turn. Each source has its own threads:
one that hangs takes none from the others.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ivr.clock import Clock, stopwatch
from ivr.config import SourceSpec
from ivr.engine.inputs import Answer, NoAnswer
from ivr.flow.bundle import Bundle
from ivr.lookups.breaker import Breaker
from ivr.lookups.cache import CacheStore, late_key, lookup_key
from ivr.lookups.connections import Connections
from ivr.lookups.crew import Crew
from ivr.lookups.fault import LookupFault
from ivr.lookups.http import fetch
from ivr.lookups.samples import Samples
from ivr.personal.snapshot import declared_values

LATE = 60.0
"""Seconds for which an answer that came after its turn is as good as fresh: the caller is still waiting for it."""

KEPT_IN_MEMORY = 10_000
"""Answers that a process holds at most; the cache store has the rest."""

Outcome = Mapping[str, Any] | LookupFault
Observe = Callable[[str, str, float], None]
Found = tuple[Answer | NoAnswer | None, str]


@dataclass(slots=True)
class _Job:
    """One request under way. `left`: somebody waited for it in vain."""

    source: str
    spec: SourceSpec
    key: str
    give: Mapping[str, Any]
    secret: bool
    begun: float = field(default_factory=stopwatch)
    finished: threading.Event = field(default_factory=threading.Event)
    outcome: Outcome | None = None
    left: bool = False


@dataclass(frozen=True, slots=True)
class _Kept:
    outcome: Outcome
    at: float
    until: float


class Lookups:
    """Answers `ask` for every source in config.yaml. One per process; safe for many threads; make it after a fork.

    `workers`: requests that one source may have under way. `patience`: seconds after which a request is given up even
    if callers still wait. `secret`: sources that check what a caller says in secret (`check:` of a verify entry);
    nothing they are asked or answer is written to the cache, and while they are down nobody passes.
    `observe(source, outcome, seconds)` hears of every question: `cached`, `answered`, `last_good`, `not_found`,
    `failed` or `late`, and how long the call waited.
    """

    def __init__(
        self,
        sources: Mapping[str, SourceSpec],
        project: Path,
        environment: Mapping[str, str],
        cache: CacheStore,
        clock: Clock,
        workers: int = 16,
        *,
        patience: float = 10.0,
        secret: Collection[str] = (),
        observe: Observe | None = None,
    ) -> None:
        self._sources, self._environment, self._cache, self._clock = sources, environment, cache, clock
        self._patience, self._secret, self._observe = patience, frozenset(secret), observe
        self._samples = Samples(project)
        self._connections = Connections()
        remote = [name for name, spec in sources.items() if spec.sample is None]
        self._breakers = {name: Breaker(clock) for name in remote}
        self._crews = {name: Crew(f"lookup-{name}", workers) for name in remote}
        self._lock = threading.Lock()
        self._running: dict[tuple[str, str], _Job] = {}
        self._memory: dict[tuple[str, str], _Kept] = {}

    def ask(self, bundle: Bundle, source: str, give: Mapping[str, Any], budget: float) -> Answer | NoAnswer | None:
        """An answer, a failure, or None: still running after `budget` seconds, and the same question finds it later.

        Only what the source takes is sent, and only what it is declared to give, here and in `bundle`, comes back.
        """
        began = stopwatch()
        spec = self._sources.get(source)
        if spec is None:
            return NoAnswer("failed", "no such source")
        sent = {name: give[name] for name in spec.takes if give.get(name) is not None}
        if spec.sample is not None:
            found, outcome = self._sampled(spec, sent)
        else:
            found, outcome = self._asked(source, spec, sent, began + budget)
        if self._observe is not None:
            with suppress(Exception):  # a gauge that fails must not cost the caller their answer
                self._observe(source, outcome, stopwatch() - began)
        return _as_declared(found, bundle, source, spec) if isinstance(found, Answer) else found

    def close(self) -> None:
        """Ends the idle threads and connections. Those that still wait for a source are left to end by themselves."""
        for crew in self._crews.values():
            crew.close()
        self._connections.close()

    def _sampled(self, spec: SourceSpec, give: Mapping[str, Any]) -> Found:
        try:
            return Answer(declared_values(spec.gives, self._samples.answer(spec, give))), "answered"
        except LookupFault as fault:
            return NoAnswer("failed", str(fault)), "not_found" if fault.not_found else "failed"

    def _asked(self, source: str, spec: SourceSpec, give: Mapping[str, Any], deadline: float) -> Found:
        key = lookup_key(spec.takes, give)
        fresh = self._fresh(source, spec, key)
        if isinstance(fresh, Answer):
            return fresh, "cached"
        outcome = fresh or self._outcome(source, spec, key, give, deadline)
        if isinstance(outcome, Mapping):
            return Answer(outcome), "answered"
        if outcome is not None and outcome.not_found:
            return NoAnswer("failed", str(outcome)), "not_found"
        kept = self._last_good(source, spec, key)
        if kept is not None:
            return kept, "last_good"
        return (None, "late") if outcome is None else (NoAnswer("failed", str(outcome)), "failed")

    # What is kept

    def _fresh(self, source: str, spec: SourceSpec, key: str) -> Answer | LookupFault | None:
        """An answer that is still fresh; or a fault that came too late for its turn, told once."""
        now, place = self._clock(), (source, key)
        with self._lock:
            kept = self._memory.get(place)
            if kept is not None and (now > kept.until or isinstance(kept.outcome, LookupFault)):
                del self._memory[place]
        if kept is not None and now <= kept.until:
            return kept.outcome if isinstance(kept.outcome, LookupFault) else Answer(kept.outcome, _age(now, kept.at))
        if source in self._secret:
            return None
        for lasts, name in ((spec.cache, key), (LATE if spec.cache < LATE else 0.0, late_key(key))):
            stored = self._read(source, name) if lasts else None
            if stored is not None and stored[0] and now <= stored[1] + lasts:
                with self._lock:
                    self._remember(place, _Kept(stored[0], stored[1], stored[1] + lasts))
                return Answer(stored[0], _age(now, stored[1]))
        return None

    def _last_good(self, source: str, spec: SourceSpec, key: str) -> Answer | None:
        if source in self._secret or not spec.keep_last_good:
            return None
        stored, now = self._read(source, key), self._clock()
        if stored is None or not stored[0] or now > stored[1] + spec.keep_last_good:
            return None
        return Answer(stored[0], _age(now, stored[1]))

    def _read(self, source: str, key: str) -> tuple[dict[str, Any], float] | None:
        try:
            return self._cache.read(source, key)
        except Exception:  # a cache that is gone is an empty one
            return None

    def _write(self, source: str, key: str, values: Mapping[str, Any], at: float) -> None:
        with suppress(Exception):
            self._cache.write(source, key, dict(values), at)

    def _remember(self, place: tuple[str, str], kept: _Kept) -> None:
        self._memory.pop(place, None)
        self._memory[place] = kept
        while len(self._memory) > KEPT_IN_MEMORY:
            del self._memory[next(iter(self._memory))]

    # Asking

    def _outcome(
        self, source: str, spec: SourceSpec, key: str, give: Mapping[str, Any], deadline: float
    ) -> Outcome | None:
        """What the source says to this question; None where it has not by the deadline."""
        job = self._join(source, spec, key, give)
        if isinstance(job, LookupFault):
            return job
        if not job.finished.wait(max(0.0, deadline - stopwatch())):
            with self._lock:
                job.left = job.outcome is None
        elif isinstance(job.outcome, LookupFault):
            with self._lock:
                # Told now; the next question is a new one.
                kept = self._memory.get((source, key))
                if kept is not None and kept.outcome is job.outcome:
                    del self._memory[source, key]
        return job.outcome

    def _join(self, source: str, spec: SourceSpec, key: str, give: Mapping[str, Any]) -> _Job | LookupFault:
        """The request that is already under way for this question, else a new one."""
        with self._lock:
            job = self._running.get((source, key))
            if job is not None:
                return job
            if not self._breakers[source].allows():
                return LookupFault("circuit open")
            job = _Job(source, spec, key, give, source in self._secret)
            if not self._crews[source].submit(lambda: self._perform(job)):
                return LookupFault("too many questions at once")
            self._running[source, key] = job
            return job

    def _perform(self, job: _Job) -> None:
        """A worker's part: asks, wakes those who wait, and only then writes."""
        breaker, outcome = self._breakers[job.source], self._ask_source(job)
        if not isinstance(outcome, LookupFault) or (outcome.status is not None and not outcome.unwell):
            breaker.succeeded()
        elif outcome.unwell:
            breaker.failed()
        at, place = self._clock(), (job.source, job.key)
        with self._lock:
            job.outcome, late = outcome, job.left
            del self._running[place]
            lasts = max(job.spec.cache if not job.secret else 0.0, LATE if late else 0.0)
            if late or (lasts and not isinstance(outcome, LookupFault)):
                self._remember(place, _Kept(outcome, at, at + lasts))
        job.finished.set()
        if not job.secret:
            self._store(job, outcome, at, late)

    def _ask_source(self, job: _Job) -> Outcome:
        timeout = max(self._patience, job.spec.budget)
        try:
            if stopwatch() - job.begun > timeout:
                return LookupFault("its turn did not come in time")
            raw = fetch(job.spec, job.give, self._environment, timeout, self._connections)
            return declared_values(job.spec.gives, raw)
        except LookupFault as fault:
            return fault
        except Exception:  # whatever a lying source made of us is its fault; the message could hold what it sent
            return LookupFault("what it answered could not be read", unwell=True)

    def _store(self, job: _Job, outcome: Outcome, at: float, late: bool) -> None:
        if isinstance(outcome, LookupFault):
            # Whom the source does not know any more must not come back as its last good answer.
            if outcome.not_found and self._read(job.source, job.key):
                self._write(job.source, job.key, {}, at)
            return
        if job.spec.cache or job.spec.keep_last_good:
            self._write(job.source, job.key, outcome, at)
        if late and job.spec.cache < LATE:
            self._write(job.source, late_key(job.key), outcome, at)


def _age(now: float, at: float) -> float:
    """Seconds, and never less than none: the clocks of two machines differ."""
    return max(0.0, round(now - at, 3))


def _as_declared(answer: Answer, bundle: Bundle, source: str, spec: SourceSpec) -> Answer:
    """The answer as the call's own version declares it: after a reload, config.yaml may be ahead of an old call."""
    pinned = bundle.part.sources.get(source)
    declared = pinned.gives if pinned else {}
    kinds = {name: field.kind for name, field in spec.gives.items()}
    fits = {name for name, field in declared.items() if field.kind == kinds.get(name)}
    return Answer({name: value for name, value in answer.values.items() if name in fits}, answer.age)
