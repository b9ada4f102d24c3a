"""What happens beside calls: the outbox, the sweeper, and upkeep. Several workers may run; none does another's job."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ivr.clock import Clock
from ivr.config import Config
from ivr.errors import IvrError, StoreGone
from ivr.handoff.task import Task, is_routed
from ivr.lookups.actions import perform
from ivr.outgoing import MayHaveGone, send
from ivr.personal.likely import Popularity
from ivr.ports import Parts
from ivr.store import dialled, routed
from ivr.store.expire import expire_console
from ivr.store.jobs import LOST, Job
from ivr.store.store import DatabaseStore
from ivr.telephony.rest import Rest
from ivr.telephony.twiml import Twiml, priority
from ivr.turn import hang_up

ACTION_SECONDS = 10.0
JOBS_PER_TURN = 10
SWEEP_SECONDS = 15.0
UPKEEP_SECONDS = 300.0
COUNTED_DAYS = 90
RING_SPARE = 30.0
"""Seconds after an agent's phone should have stopped ringing until nobody is expected to say so any more."""


GONE = 180.0
"""Seconds past the longest wait of a queue until nobody is there any more: whoever is has been told to leave by then."""

UNWRITTEN = 86400.0
"""Seconds in which people who were dialled can write up their call."""

FORGOTTEN = 86400.0
"""Seconds that TaskRouter keeps a task of ours for which it finds nobody."""


class Worker:
    """One worker. `turn` does what is due and returns how much that was."""

    def __init__(self, config: Config, store: DatabaseStore, clock: Clock, log: Any) -> None:
        self.config, self.store, self.clock, self.log = config, store, clock, log
        self.parts = Parts(store, _NoSources(), Twiml(config), clock)
        self.rest = Rest(config)
        self._swept = self._kept = self._gone = float("-inf")

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
            self._gone = self.clock()
            self.log.error("database", error=str(error), hint="is it running? the worker tries again")
            return 0
        return done

    def outbox(self) -> int:
        """Performs due jobs, one after the other; returns how many were tried."""
        for tried in range(JOBS_PER_TURN):
            # Leased one by one: whoever kills this worker loses what is being sent, not what waits behind it.
            jobs = self.store.jobs.lease(self.clock())
            if not jobs:
                return tried
            self._try(jobs[0])
        return JOBS_PER_TURN

    def _try(self, job: Job) -> None:
        about = {"kind": job.kind, "name": job.name, "call": job.call, "attempts": job.attempts}
        try:
            made = self._perform(job)
        except Exception as error:  # one job must never stop the others
            # Only our own faults are known to hold nothing personal.
            words = str(error) if isinstance(error, IvrError) else f"a fault of ours: {type(error).__name__}"
            unsafe = job.kind == "message" and (isinstance(error, MayHaveGone) or not isinstance(error, IvrError))
            final = self.store.jobs.failed(job, self.clock(), words, again=not unsafe)
            if final and job.name == "callback_task":
                routed.give_to_desk(self.store.database, str(job.payload.get("task")), self.clock())
            write = self.log.error if final else self.log.warning
            write("job_failed", **about, final=final, error=words)
            return
        self.store.jobs.done(job, self.clock())
        self.log.info("job_done", **about, made=made)

    def _perform(self, job: Job) -> str | None:
        if (job.kind, job.name) == ("twilio", "callback_task"):
            task = self.store.task(job.payload["task"])
            if task is None or not is_routed(task) or task.state != "waiting":
                return None
            job = job._replace(payload=self._to_route(task))
        if job.kind != "action":
            return send(job, self.config, self.rest, self.clock())
        spec = self.config.file.actions.get(job.name)
        if spec is None:
            raise IvrError(f"config.yaml has no action '{job.name}'")
        perform(spec, job.payload, job.key, self.config.environment, ACTION_SECONDS)
        return None

    def _to_route(self, task: Task) -> Mapping[str, Any]:
        """A call back as TaskRouter shall know it: at its caller's place in line, and nothing that says who they are."""
        target = self.config.file.targets.get(task.target)
        rules = target.taskrouter if target else None
        if rules is None:
            raise IvrError(f"config.yaml has no TaskRouter workflow for '{task.target}' any more")
        return {
            "workspace": rules.workspace or "",
            "workflow": rules.workflow,
            "attributes": {"target": task.target, "callback": task.id, "line": self.store.number_called(task)},
            "entered": task.entered,
            "priority": priority(task.ahead),
        }

    def sweep(self) -> int:
        """Ends what nobody will end any more: calls silent for longer than their wait, tasks that rang at an agent for too
        long or that TaskRouter has forgotten, messages whose worker never came back."""
        now = self.clock()
        for job in self.store.jobs.give_up_lost(now):
            self.log.error("job_failed", kind=job.kind, name=job.name, call=job.call, final=True, error=LOST)
        released = self.store.tasks.release_stale(now, self.config.file.desk.ring + RING_SPARE)
        for task in routed.waiting_since(self.store.database, now - FORGOTTEN):
            if routed.give_to_desk(self.store.database, task, now):
                self.log.error("callback_to_desk", task=task, hint="no worker of its workflow took it")
        closed = sum(hang_up(self.parts, sid, "no callback") for sid in self.store.calls.silent_since(now))
        if now - self._gone > GONE:
            # While the database was gone nobody could be told to leave.
            closed += self._close_left(now)
        released += dialled.finish_unwritten(self.store.database, now - UNWRITTEN, now)
        if closed or released:
            self.log.info("swept", calls=closed, tasks=released)
        return closed + released

    def _close_left(self, now: float) -> int:
        """Closes calls whose caller has left a queue, though Twilio's word of it never came. Returns how many."""
        closed = 0
        for task, id_ in self.store.tasks.unheard_of(now - GONE):
            bundle = self.store.bundle(id_) or self.store.published()
            target = bundle.part.targets.get(task.target)
            if target is None or target.waiting is None or now - task.entered <= target.waiting.at_most + GONE:
                continue
            closed += 1
            if not hang_up(self.parts, task.call, "no callback"):
                # Of a call that was erased only the place in line is left.
                self.store.tasks.leave(task.id, now)
        return closed

    def upkeep(self) -> None:
        """Deletes what is over, and counts what people call about."""
        now = self.clock()
        expired = self.store.callers.expire(now)
        longest = max((spec.keep_last_good for spec in self.config.file.sources.values()), default=86400.0)
        expired += self.store.cache.expire(now - longest)
        while erased := self.store.calls.erase_before(now - self.config.file.calls_keep):
            expired += erased
        expired += expire_console(self.store.database, now, self.config.file.calls_keep)
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
