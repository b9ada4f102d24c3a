"""What agents do at the desk and on the phone, and the worker's turns beside them."""

from __future__ import annotations

import random
import re
import threading
from concurrent.futures import ThreadPoolExecutor
from html import unescape
from typing import Any

from bench.shift.stage import TARGET, Agent, Caller, Stage
from bench.shift.twilio import Leg, Rings
from ivr.handoff import callback
from ivr.handoff.task import Task
from ivr.phone import zone_of
from ivr.web.shown import next_task
from ivr.web.taking import Taken, take
from ivr.worker import Worker

WORKER = 2.0
"""Seconds between two turns of the worker."""

NO_ANSWER, DECLINES, NOT_REACHED = 0.03, 0.03, 0.2
"""Shares: agents who do not pick up, or press nothing; calls back in vain."""


class Agents:
    """The agents of a stage, in the middle of their day: each had two callers, and is busy with one more."""

    def __init__(self, stage: Stage, rings: Rings) -> None:
        self.stage, self.rings, self.store = stage, rings, stage.store
        rings.ended = self._hung_up
        self.worker = Worker(stage.wiring.config, stage.store, stage.moment, stage.wiring.log)
        self.worker.rest = rings  # type: ignore[assignment]  # as the application's
        for index in range(stage.plan.agents):
            stage.agents.append(self._agent(index))
        stage.after(WORKER, self._work)

    def _agent(self, index: int) -> Agent:
        stage, phone = self.stage, f"+1555003{index:04d}"
        user = self.store.users.add(f"agent{index}", f"Agent {index}", "-", "agent", phone, (), stage.moment())
        agent = Agent(user, stage.dice(f"agent {index}"), index % 4 != 0)
        for earlier in range(2):
            earlier_task(stage, f"before-{index}-{earlier}", agent, None, stage.moment() - agent.dice.uniform(60, 3000))
        self.store.users.set_presence(user.id, "wrap_up", stage.moment())
        stage.after(agent.dice.uniform(0, 1) * handling(agent.dice), lambda: self._is_back(agent))
        return agent

    def _work(self) -> None:
        """The worker's turn. A phone that nobody heard of is given up by it: the caller is in line, the agent away."""
        self.worker.turn()
        for agent in self.stage.agents:
            if agent.has is not None and agent.leg is None and agent.presence == "busy":
                task = self.store.tasks.get(agent.has.task)
                if task is not None and task.state == "waiting":
                    self._gives_back(agent, "away")
        self.stage.after(WORKER, self._work)

    def left(self, caller: Caller) -> None:
        """A caller has hung up. Who was about to have them is free, though their phone may ring for a moment more."""
        for agent in self.stage.agents:
            if agent.has is caller:
                agent.has, agent.presence = None, "available"
                if agent.leg is None:
                    self._looks_soon(agent)

    # — at the desk —

    def _is_back(self, agent: Agent) -> None:
        self.store.users.set_presence(agent.user.id, "available", self.stage.moment())
        agent.presence = "available"
        self._looks_soon(agent)

    def _looks_soon(self, agent: Agent) -> None:
        self.stage.after(agent.dice.uniform(2, 10), lambda: self._looks(agent))

    def _looks(self, agent: Agent) -> None:
        """Takes whom the desk offers, if there is anybody."""
        if not agent.idle:
            return
        stage = self.stage
        offered, first = next_task(stage.wiring, agent.user, stage.moment()), stage.first_for(agent)
        if offered != (first.task if first else None):
            stage.wrong("order", f"{agent.user.login} is offered {offered}, in the turn of {first and first.task}")
        caller = next((each for each in stage.callers if each.task == offered), None)
        if caller is None or not self._takes(agent, caller):
            self._looks_soon(agent)

    def _takes(self, agent: Agent, caller: Caller) -> bool:
        """Whether it went well. Who is alike may take the same caller at the same moment: it is told to one of them."""
        alike = [each for each in self.stage.agents if each.alike and each.idle and each is not agent]
        rival = alike[0] if agent.alike and alike else None
        self.stage.seen.takes += 1
        # What chance makes of a request must not hang on whose it is.
        self.rings.reliable = rival is not None
        went = self._at_once(caller, agent, *([rival] if rival else []))
        if rival is not None:
            self.stage.seen.contested += 1
            if all(each.well for each in went):
                self.stage.wrong("twice", f"{caller.task} was taken by two agents")
            if went[1].well:
                agent.user, rival.user = rival.user, agent.user
        if not any(each.well for each in went):
            return False
        leg, self.rings.newest = self.rings.newest, None
        caller.held, agent.has, agent.presence, agent.leg = True, caller, "busy", leg
        if leg is not None:
            self._rings(agent, leg)
        return True

    def _at_once(self, caller: Caller, *agents: Agent) -> list[Taken]:
        """All of them take this caller in the same moment, each in a thread of their own."""
        wiring, task, barrier = self.stage.wiring, self.store.tasks.get(caller.task), threading.Barrier(len(agents))
        assert task is not None

        def run(agent: Agent) -> Taken:
            barrier.wait(10)
            return take(wiring, agent.user, task)

        if len(agents) == 1:
            return [run(agents[0])]
        with ThreadPoolExecutor(len(agents)) as threads:
            return list(threads.map(run, agents))

    # — on the phone —

    def _rings(self, agent: Agent, leg: Leg) -> None:
        if agent.dice.random() < NO_ANSWER:
            ring = self.stage.wiring.config.file.desk.ring
            self.stage.after(ring, lambda: self._is_over(agent, leg, "no-answer"))
        else:
            self.stage.after(agent.dice.uniform(3, 9), lambda: self._picks_up(agent, leg))

    def _picks_up(self, agent: Agent, leg: Leg) -> None:
        if leg.over:
            return
        leg.picked_up = True
        gather = re.search(r'<Gather[^>]* action="([^"]+)"', self._asks(leg, leg.url))
        if gather is None or agent.dice.random() < DECLINES:
            self.stage.after(4, lambda: self._is_over(agent, leg, "completed"))
        else:
            self.stage.after(agent.dice.uniform(3, 6), lambda: self._accepts(agent, leg, unescape(gather[1])))

    def _accepts(self, agent: Agent, leg: Leg, url: str) -> None:
        """Presses the key. Twilio connects the two if the caller is still there."""
        if leg.over:
            return
        dial = re.search(r'<Dial[^>]* action="([^"]+)".*<(Queue|Number)>([^<]+)<', self._asks(leg, url, Digits="1"))
        caller = agent.has
        if dial is None or caller is None:
            self._is_over(agent, leg, "completed")
            return
        done, queue = unescape(dial[1]), dial[3] if dial[2] == "Queue" else None
        if queue is None and caller.dice.random() < NOT_REACHED:
            self.stage.after(20, lambda: self._did_not_reach(agent, caller, leg, done))
            return
        if queue is not None and caller.call.waiting != "Enqueue":
            self.stage.wrong("lost", f"{caller.task} is not in line any more, and {queue} was dialled")
            self._is_over(agent, leg, "completed")
            return
        self.stage.seen.dialled.update([queue] if queue else [])
        caller.connected += 1
        if caller.connected > 1:
            self.stage.wrong("twice", f"{caller.task} was connected {caller.connected} times")
        if queue not in (None, caller.task):
            self.stage.wrong("lost", f"{caller.task} was to be connected, and {queue} was dialled")
        caller.state, caller.met = "talked" if queue else "called back", self.stage.moment()
        self.stage.after(talk(caller.dice), lambda: self._part(agent, caller, leg, done))

    def _part(self, agent: Agent, caller: Caller, leg: Leg, done: str) -> None:
        """The two have talked. Whose webhooks come first is open."""

        def agents() -> None:
            self._asks(leg, done, DialCallStatus="completed", DialBridged="true")
            self._asks(leg, leg.told, CallStatus="completed")

        def callers() -> None:
            if caller.state == "talked":
                caller.call.queue_result("bridged")
                if caller.call.waiting == "Gather" and caller.dice.random() < 0.5:
                    caller.call.press("1")
                if not caller.call.ended:
                    caller.call.hang_up()

        order = [agents, callers]
        caller.dice.shuffle(order)
        for each in order:
            each()
        leg.over, agent.leg, agent.presence = True, None, "wrap_up"
        self.stage.after(wrap_up(agent.dice), lambda: self._finishes(agent, caller))

    def _finishes(self, agent: Agent, caller: Caller) -> None:
        if not self.store.tasks.finish(caller.task, self.stage.moment(), "answered", "solved"):
            self.stage.wrong("lost", f"{caller.task} cannot be finished")
        agent.has, agent.presence = None, "available"
        self._looks_soon(agent)

    def _did_not_reach(self, agent: Agent, caller: Caller, leg: Leg, done: str) -> None:
        """A call back in vain: tried again later."""
        self._asks(leg, done, DialCallStatus="no-answer", DialBridged="false")
        self._asks(leg, leg.told, CallStatus="completed")
        leg.over, agent.leg = True, None
        stage = self.stage
        due = callback.again(stage.moment(), 1, stage.offer, stage.target.hours, zone_of(caller.number))
        if due is None or not self.store.tasks.again(caller.task, due, stage.moment()):
            stage.wrong("lost", f"{caller.task} was not reached and is not tried again")
        else:
            caller.due = due
        self._gives_back(agent, "available")

    def _is_over(self, agent: Agent, leg: Leg, status: str) -> None:
        """Without a talk: the caller, if they are still there, waits again, and the agent is away for a while."""
        if leg.over:
            return
        leg.over, agent.leg = True, None
        self._asks(leg, leg.told, CallStatus=status)
        if agent.has is not None:
            self._gives_back(agent, "away")
        else:
            self._looks_soon(agent)

    def _hung_up(self, leg: Leg) -> None:
        """The product has Twilio end a leg."""
        agent = next((each for each in self.stage.agents if each.leg is leg), None)
        if agent is not None:
            self._is_over(agent, leg, "completed" if leg.picked_up else "canceled")

    def _gives_back(self, agent: Agent, presence: str) -> None:
        if agent.has is not None:
            agent.has.held = False
        agent.has, agent.presence = None, presence
        if presence == "away":
            self.stage.after(agent.dice.uniform(10, 40), lambda: self._is_back(agent))
        else:
            self._looks_soon(agent)

    def _asks(self, leg: Leg, url: str, **fields: str) -> str:
        return self.stage.telephone.of_leg(leg, url, **fields)


def earlier_task(stage: Stage, id_: str, agent: Agent, caller: str | None, ended: float) -> None:
    """Somebody whom this agent had before."""
    taken = ended - handling(agent.dice)
    times: dict[str, Any] = {"entered": taken - 60, "due": taken - 60, "taken": taken, "talked": taken + 8}
    task = Task(
        id_, "call", "queue", TARGET, "northlight", id_, caller, None, "en", "bill", None, None, 0.0, **times,
        state="done", result="answered", agent=agent.user.id, parted=ended - 15, done=ended, outcome="solved",
    )  # fmt: skip
    with stage.store.database.write() as connection:
        stage.store.tasks.add(connection, task, ended)


def talk(dice: random.Random) -> float:
    """Seconds of a talk: most are short, some are not."""
    return dice.lognormvariate(4.0, 0.6)


def wrap_up(dice: random.Random) -> float:
    """Seconds to write it up."""
    return dice.uniform(5, 25)


def handling(dice: random.Random) -> float:
    """Seconds that one caller takes an agent: ringing, whisper, talk, wrap-up."""
    return dice.uniform(6, 15) + talk(dice) + wrap_up(dice)
