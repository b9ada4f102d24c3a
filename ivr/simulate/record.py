"""A simulated call as a dialogue test."""

from __future__ import annotations

from collections.abc import Sequence

from ivr.engine.events import Event
from ivr.simulate.line import Caller


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

    def text(self, caller: Caller) -> str:
        """The test as YAML."""
        lines = list(self.lines)
        ended = next((event for event in reversed(caller.line.events()) if event.type == "ended"), None)
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
