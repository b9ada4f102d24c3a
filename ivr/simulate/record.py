"""A simulated call as a dialogue test."""

from __future__ import annotations

from collections.abc import Sequence

from ivr.engine.events import Event
from ivr.handoff.seen import text


class Recorder:
    """Collects acts and, before each, what was heard."""

    def __init__(self, persona: str | None, from_: str, to: str, at: str | None) -> None:
        self.persona, self.from_, self.to, self.at = persona, from_, to, at
        self.lines: list[str] = []
        self.lookups: dict[str, str] = {}

    def act(self, line: str, heard: Sequence[Event]) -> None:
        """The first and last prompt heard, then what the caller does."""
        self._hears(heard)
        word, _, rest = line.partition(" ")
        if word == "/hangup":
            self.lines.append("hangs_up: yes")
        elif word == "/verify":
            self.lines.append("verifies: identity")
        elif word == "/agent":
            self.lines.append(f"agent: {rest}")
        elif word == "/record":
            self.lines.append(f"records: {rest or 7}s")
        elif line == "":
            self.lines.append("silence: yes")
        elif all(character in "0123456789*#" for character in line):
            self.lines.append(f'presses: "{line}"')
        else:
            quoted = line.replace("\\", "\\\\").replace('"', '\\"')
            self.lines.append(f'says: "{quoted}"')

    def _hears(self, heard: Sequence[Event]) -> None:
        prompts = [
            event.data["prompt"]
            for event in heard
            if event.type == "spoke" and not event.data["prompt"].startswith(("menu.", "ask."))
        ]
        for prompt in dict.fromkeys([*prompts[:1], *prompts[-1:]]):
            self.lines.append(f"hears: {prompt}")

    def text(self, events: Sequence[Event]) -> str:
        """The test as YAML. `events` are all of the call's: how it ended is among them."""
        lines = list(self.lines)
        ended = next((event for event in reversed(events) if event.type == "ended"), None)
        if ended is not None:
            lines.append(f"ends: {ended.data['outcome']}")
        who = f"caller: {self.persona}" if self.persona else f'caller: {{number: "{self.from_}"}}'
        at = f"\nat: {self.at}" if self.at else ""
        lookups = (
            f"\nlookups: {{{', '.join(f'{name}: {how}' for name, how in self.lookups.items())}}}"
            if self.lookups
            else ""
        )
        body = "\n".join(f"  - {line}" for line in lines)
        return f'test: What happened when {self.persona or self.from_} called\n{who}{at}\ncall: "{self.to}"{lookups}\ndialogue:\n{body}\n'


NOBODY = "+15550100099"
"""Who calls in a test made of a real call: a number out of stories, so that no test holds anybody's."""

_AGENT = {"bridged": "accepts", "callback_booked": "calls_back", "busy": "busy", "no-answer": "no_answer"}


def recorded(events: Sequence[Event], to: str, at: str) -> str:
    """A call that happened, as a dialogue test. `to` is the number that was called, `at` when: `2026-03-02 14:00`."""
    recorder, since, verifies = Recorder(None, NOBODY, to, at), [], False
    for event in events:
        line = _act(event)
        if line is None:
            since.append(event)
            continue
        if not (verifies and line == "/verify"):
            recorder.act(line, since)
        since, verifies = [], line == "/verify"
    return recorder.text(events)


def _act(event: Event) -> str | None:
    """What the caller, or whoever was rung, did: as it is typed to the simulator. One `/verify` answers every question."""
    given = event.private.get("input", {}) if event.type == "heard" else {}
    match given.get("kind"):
        case "keys":
            return str(given["digits"])
        case "words" if given["text"].strip():
            return text(given["text"])
        case "silence":
            return ""
        case "checked":
            return "/verify"
        case "recorded":
            return f"/record {given['seconds']:.0f}"
        case "hung_up":
            return "/hangup"
        case "dialled":
            return f"/agent {_AGENT['bridged'] if given['bridged'] else _AGENT.get(given['status'], 'declines')}"
        case "queued":
            return f"/agent {_AGENT.get(given['result'], 'no_answer')}"
    return None
