"""`ivr simulate`: talk to the flow in the terminal. Touches no database."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from ivr import clock
from ivr.cli.common import load_world, out
from ivr.engine.events import Event
from ivr.errors import UsageError
from ivr.simulate.dialogue import AGENT
from ivr.simulate.line import Caller
from ivr.simulate.people import find
from ivr.simulate.record import Recorder
from ivr.simulate.transcript import CALLER, LINE, conversation, trace
from ivr.simulate.world import World, engine_caller, moment_of

HELP = """  2, 0, *         press keys
  my bill         say something
  (nothing)       stay silent
  /verify         answer the security questions as this persona would
  /lookup NAME fail|late   from now on this source fails, or is late
  /agent accepts|declines|busy|no_answer   what the person who is rung, or who works the queue, does
  /agent calls_back                        in a queue: you ask to be called back
  /record 7       leave a message of 7 seconds
  /why            why this flow was chosen, and everything that happened since
  /undo           take back what you did last
  /hangup, /quit  leave"""


@click.command("simulate")
@click.option("--as", "persona", help="Call as a persona of flows/personas.")
@click.option("--from", "number", help="Call from a number (or 'anonymous').")
@click.option("--to", help="The number that is called; the first line's, unless given.")
@click.option("--at", help='The time, by the line\'s clock: "2026-03-02 09:15".')
@click.option("--record", type=click.Path(path_type=Path), help="Write what happens as a dialogue test.")
@click.pass_obj
def command(
    folder: Path, persona: str | None, number: str | None, to: str | None, at: str | None, record: Path | None
) -> None:
    """Talk to the flow in the terminal: keys, words, silence. /help lists what else you can do."""
    world = load_world(folder)
    to = to or next(iter(world.bundle.lines.values())).numbers[0]
    someone = find(world.personas, persona) if persona else None
    from_ = number or (someone.number if someone else "+15550199999")
    moment = moment_of(world.bundle, to, at, clock.now())
    conversation_ = Conversation(world, someone, from_, to, moment)
    recorder = Recorder(persona, from_, to, at)
    try:
        conversation_.talk(recorder)
    finally:
        if record is not None:
            record.parent.mkdir(parents=True, exist_ok=True)
            record.write_text(recorder.text(conversation_.caller.line.events()), encoding="utf-8")
            out.print(f"written to {record}; 'ivr test {record}' plays it again")


class Conversation:
    """One simulated call at the keyboard; `undo` plays it again from the start without the last act."""

    def __init__(self, world: World, persona: Any, from_: str, to: str, at: float) -> None:
        self.world, self.persona, self.from_, self.to, self.at = world, persona, from_, to, at
        self.answers: dict[str, Any] = {}
        self.acts: list[str] = []
        self.caller = self._new()

    def _new(self) -> Caller:
        caller, _ = engine_caller(self.world, self.persona, self.from_, self.to, self.at, self.answers)
        return caller

    def talk(self, recorder: Recorder) -> None:
        """Until the call or the input ends."""
        show(self.caller.dial())
        if sys.stdin.isatty():
            out.print("[dim]/help lists what you can do[/]")
        while not self.caller.over:
            try:
                line = input("> ").strip()
            except EOFError:
                line = "/hangup"
            if line == "/quit":
                return
            try:
                self._do(line, recorder)
            except UsageError as error:
                out.print(str(error), markup=False)

    def _do(self, line: str, recorder: Recorder) -> None:
        if line == "/help":
            out.print(HELP, markup=False)
        elif line == "/why":
            for at, step, kind, words in trace(self.caller.line.events()):
                out.print(f"{at - self.at:6.1f} s  {step:28} {kind:12} {words}", markup=False)
        elif line == "/undo":
            self._undo(recorder)
        elif line.startswith("/lookup"):
            _, _, rest = line.partition(" ")
            name, _, how = rest.partition(" ")
            if name not in self.world.bundle.part.sources or how not in ("fail", "late"):
                raise UsageError("write /lookup NAME fail or /lookup NAME late")
            self.answers[name] = how
            self.caller.line.parts.sources.answers[name] = how  # type: ignore[attr-defined]  # simulated lines have them
            recorder.lookups[name] = how
        else:
            show(act(self.caller, line, recorder))
            self.acts.append(line)

    def _undo(self, recorder: Recorder) -> None:
        if not self.acts:
            raise UsageError("there is nothing to take back")
        self.acts.pop()
        self.caller = self._new()
        events = self.caller.dial()
        recorder.lines.clear()
        for earlier in self.acts:
            events = act(self.caller, earlier, recorder)
        out.print("[dim]taken back; you are here:[/]")
        show(events)


def act(caller: Caller, line: str, recorder: Recorder) -> list[Event]:
    """Does what a typed line says, and returns what followed."""
    word, _, rest = line.partition(" ")
    recorder.act(line, caller.since)
    match word:
        case "/hangup":
            return caller.hang_up()
        case "/verify":
            return caller.verify()
        case "/agent":
            if rest not in AGENT:
                raise UsageError(f"write /agent and one of {', '.join(AGENT)}")
            return caller.agent(rest)
        case "/record":
            return caller.record(float(rest) if rest.replace(".", "", 1).isdigit() else 7.0)
    if word.startswith("/"):
        raise UsageError(f"'{word}' is not known; /help lists what is")
    if line == "":
        return caller.silence()
    if all(character in "0123456789*#" for character in line):
        return caller.press(line)
    return caller.say(line)


def show(events: list[Event]) -> None:
    """What was heard, as lines."""
    for who, words in conversation(events):
        if who == LINE:
            out.print(f"  {words}", markup=False)
        elif who != CALLER:
            out.print(f"[dim]  ({words})[/]")
    asked = [event for event in events if event.type == "asked"]
    if asked and asked[-1].data["kind"] == "dial":
        out.print("[dim]  (ringing: /agent accepts | declines | busy | no_answer)[/]")
    elif asked and asked[-1].data["kind"] == "queue":
        out.print("[dim]  (waiting: /agent accepts | no_answer | calls_back, or /hangup)[/]")
    elif asked and asked[-1].data["kind"] == "record":
        out.print("[dim]  (recording: /record SECONDS)[/]")
