"""What happens beside calls: the outbox, the sweeper, and upkeep. Several workers may run; none does another's job."""

from __future__ import annotations

from typing import Any

from ivr.clock import Clock
from ivr.config import Config
from ivr.errors import IvrError, StoreGone
from ivr.lookups.actions import perform
from ivr.personal.likely import Popularity
from ivr.ports import Parts
from ivr.store.jobs import Job
from ivr.store.store import DatabaseStore
from ivr.telephony.twiml import Twiml
from ivr.turn import hang_up

ACTION_SECONDS = 10.0
SWEEP_SECONDS = 15.0
UPKEEP_SECONDS = 300.0
COUNTED_DAYS = 90


class Worker:
    """One worker. `turn` does what is due and returns how much that was."""

    def __init__(self, config: Config, store: DatabaseStore, clock: Clock, log: Any) -> None:
        self.config, self.store, self.clock, self.log = config, store, clock, log
        self.parts = Parts(store, _NoSources(), Twiml(config), clock)
        self._swept = self._kept = float("-inf")

    def turn(self) -> int:
        """The outbox always; the sweeper and upkeep when it is time. A database that is gone is waited for."""
        try:
            done = self.outbox()
            if self.clock() - self._swept > SWEEP_SECONDS:
                self._swept = self.clock()
                done += self.sweep()
            if self.clock() - self._kept > UPKEEP_SECONDS:
                self._kept = self.clock()
                self.upkeep()
        except StoreGone as error:
            self.log.error("database", error=str(error), hint="is it running? the worker tries again")
            return 0
        return done

    def outbox(self) -> int:
        """Performs due jobs; returns how many were tried."""
        jobs = self.store.jobs.lease(self.clock())
        for job in jobs:
            self._perform(job)
        return len(jobs)

    def _perform(self, job: Job) -> None:
        spec = self.config.file.actions.get(job.name)
        try:
            if spec is None:
                raise IvrError(f"config.yaml has no action '{job.name}'")
            perform(spec, job.payload, job.key, self.config.environment, ACTION_SECONDS)
        except IvrError as error:
            final = self.store.jobs.failed(job, self.clock(), str(error))
            write = self.log.error if final else self.log.warning
            write("action_failed", action=job.name, call=job.call, attempts=job.attempts, final=final, error=str(error))
            return
        self.store.jobs.done(job, self.clock())
        self.log.info("action_done", action=job.name, call=job.call, attempts=job.attempts)

    def sweep(self) -> int:
        """Closes calls that have been silent longer than their wait: a callback that never came."""
        closed = sum(hang_up(self.parts, sid, "no callback") for sid in self.store.calls.silent_since(self.clock()))
        if closed:
            self.log.info("swept", calls=closed)
        return closed

    def upkeep(self) -> None:
        """Deletes what is over, and counts what people call about."""
        now = self.clock()
        expired = self.store.callers.expire(now)
        longest = max((spec.keep_last_good for spec in self.config.file.sources.values()), default=86400.0)
        expired += self.store.cache.expire(now - longest)
        while erased := self.store.calls.erase_before(now - self.config.file.calls_keep):
            expired += erased
        for line, contacts in self.store.calls.reasons_since(now - COUNTED_DAYS * 86400.0).items():
            counts = Popularity()
            for reason, at, previous in contacts:
                counts.seen(reason, at, previous)
            self.store.bundles.keep_popularity(line, counts, now)
        self.log.info("upkeep", expired=expired)


class _NoSources:
    """Nobody waits for a lookup of a call that is over."""

    def ask(self, *_: Any) -> None:
        """Nothing."""
        return
