"""What callers do: call, wait beat by beat, hang up, book a call back, press keys late."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from bench.fill import number
from bench.shift.agents import earlier_task
from bench.shift.stage import Caller, Stage
from bench.shipped import BASE, LINE, TOKEN
from ivr.personal.history import Summary, fold
from ivr.simulate.wire import Call, Heard
from ivr.store.people import PersonRow

BEAT, GOODBYE = 30.0, 60.0
"""Seconds: one beat of a wait, and how soon after its booking nobody is called back yet."""

AT_ONCE, KNOWN, CUT_OFF, MET, IMPATIENT, CALL_BACK = 0.4, 0.6, 0.15, 0.25, 0.2, 0.15
"""Shares: who calls in the first seconds; whom we know; of these, whose last call was cut off, and who had an agent before; who
hangs up; who wants to be called back."""


class Callers:
    """The callers of a stage. `left` is told of each who hangs up."""

    def __init__(self, stage: Stage, left: Callable[[Caller], None]) -> None:
        self.stage, self.left = stage, left
        for index in range(stage.plan.callers):
            stage.callers.append(self._caller(index))

    def _caller(self, index: int) -> Caller:
        stage, dice = self.stage, self.stage.dice(f"caller {index}")
        call = Call(stage.telephone, BASE, TOKEN, number(index), LINE, f"CA{index + 2**64:032x}")
        caller = Caller(number(index), dice, call)
        if dice.random() < KNOWN:
            self._known(caller, index)
        at_once = dice.random() < AT_ONCE
        stage.after(
            dice.uniform(0, 5) if at_once else dice.uniform(5, 30 * stage.plan.minutes), lambda: self._dials(caller)
        )
        return caller

    def _known(self, caller: Caller, index: int) -> None:
        """Somebody who called yesterday."""
        stage, dice = self.stage, caller.dice
        cut_off, met = dice.random() < CUT_OFF, dice.random() < MET
        last = Summary(f"before-{index}", stage.moment() - 86400, 60.0, "caller_left", cut_off, ("bill",))
        row = PersonRow((caller.number,), None, {"prefers.language": "en"}, None, fold(None, last))
        person = stage.store.put_person(row, "bench", stage.moment())
        caller.ahead = stage.waiting.priority[-1].ahead if cut_off else 0.0
        if met:
            agent = dice.choice([agent for agent in stage.agents if not agent.alike])
            earlier_task(stage, f"met-{index}", agent, person, stage.moment() - dice.uniform(60, 3000))
            caller.knows = agent.user.id

    def _dials(self, caller: Caller) -> None:
        """Calls, and asks for a person at once."""
        call, stage = caller.call, self.stage
        heard = call.dial()
        while call.waiting == "Gather" and len(call.requests) < 8:
            heard = call.press("1" if any("English" in sound.text for sound in heard) else "0")
        if call.waiting != "Enqueue":
            stage.wrong("lost", f"{call.call_sid} asked for a person and waits in {call.waiting}")
            return
        caller.state, caller.since, caller.due = "waiting", stage.moment(), stage.moment()
        self._hears(caller, heard)
        chance = caller.dice.random()
        if chance < IMPATIENT:
            stage.after(caller.dice.uniform(15, 400), lambda: self._hangs_up(caller))
        elif chance < IMPATIENT + CALL_BACK:
            stage.after(caller.dice.uniform(10, 240), lambda: self._wants_a_call(caller))

    def _hears(self, caller: Caller, heard: Sequence[Heard]) -> None:
        """One beat of the wait, and whether the place in it is right."""
        stage, words = self.stage, " ".join(sound.text for sound in heard if sound.kind == "say")
        place = re.search(r"number (\d+) in line|next in line", words)
        if place:
            said, so = int(place[1] or 1), stage.place_of(caller, GOODBYE)
            stage.seen.places += 1
            if said != so:
                stage.wrong("place", f"{caller.task} heard {said} and is {so}")
        told = re.search(r"between (\d+) and (\d+) minutes|less than (\d+) minutes", words)
        if told and caller.told is None:
            caller.told = 60.0 * int(told[1] or 0), 60.0 * int(told[2] or told[3])
        if caller.call.waiting == "Record":
            caller.call.record(6, key="#")
            caller.state, caller.gone = "message", stage.moment()
        elif caller.call.ended:
            caller.state, caller.due = "booked", stage.moment() + GOODBYE
        else:
            caller.beat = beat = caller.beat + 1
            stage.after(BEAT + caller.dice.uniform(-3, 3), lambda: self._waits_on(caller, beat))

    def _waits_on(self, caller: Caller, beat: int) -> None:
        if caller.state == "waiting" and caller.beat == beat:
            self._hears(caller, caller.call.keep_waiting())

    def _presses(self, caller: Caller, keys: str) -> str:
        """What they hear; nothing where they are not on hold any more."""
        if caller.state != "waiting":
            return ""
        heard = caller.call.press(keys)
        self._hears(caller, heard)
        return " ".join(sound.text for sound in heard)

    def _wants_a_call(self, caller: Caller) -> None:
        """Presses the key, and confirms: at once, too late, another number, or not at all."""
        if "call you at" not in self._presses(caller, self.stage.offer.key):
            return
        how = caller.dice.random()
        if how < 0.2:
            self.stage.after(45, lambda: self._wants_a_call(caller))
        elif how < 0.4:
            self.stage.after(4, lambda: self._gives_another_number(caller))
        elif how < 0.9:
            self.stage.after(4, lambda: self._presses(caller, "1"))

    def _gives_another_number(self, caller: Caller) -> None:
        if "key in the number" in self._presses(caller, "2"):
            self._presses(caller, f"313{caller.number[-7:]}#")
            self.stage.after(4, lambda: self._presses(caller, "1"))

    def _hangs_up(self, caller: Caller) -> None:
        if caller.state == "waiting":
            caller.call.hang_up()
            caller.state, caller.gone = "left", self.stage.moment()
            self.left(caller)
