"""The working state of one sprint: a session taken apart, the events so far, and what is about to be spoken.

It lives for one call of `start` or `resume` and never leaves it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ivr.engine.events import Event
from ivr.engine.session import Session, Wait
from ivr.flow.bundle import Bundle, Place
from ivr.flow.expressions import Lookup
from ivr.flow.model import Line
from ivr.flow.prompts import render
from ivr.kinds import LEVELS
from ivr.personal.known import line_values, now_values, reader

MAX_DEPTH = 4

NO_VARIABLES: Mapping[str, Any] = {}


class Talk:
    """Mutable; see the module. Names are those of Session."""

    def __init__(self, bundle: Bundle, session: Session, now: float) -> None:
        self.bundle = bundle
        self.before = session
        self.now = now
        self.line: Line = bundle.lines[session.line]
        self.events: list[Event] = []
        self.language = session.language
        self.manner = session.manner
        self.level = session.level
        self.person = session.person
        self.facts = session.facts
        self.stack: list[dict[str, Any]] = [dict(frame) for frame in session.stack]
        self.said = dict(session.said)
        self.found = dict(session.found)
        self.visits = dict(session.visits)
        self.tries = dict(session.tries)
        self.counts = dict(session.counts)
        self.pending = session.pending
        self.heard: list[tuple[str, Mapping[str, Any]]] = list(session.heard)
        self.speech = 0.0
        self.away = session.away
        self.reasons = session.reasons
        self.answered = session.answered
        self.reached = session.reached
        self.rescued = session.rescued
        self.guessed = session.guessed
        self.outcome = session.outcome
        self.steps = 0
        self.bounded = False
        self._moving: dict[str, Mapping[str, Any]] = {}

    # — where we are —

    @property
    def frame(self) -> dict[str, Any]:
        """The running flow."""
        return self.stack[-1]

    @property
    def place(self) -> Place:
        """The running flow and its step."""
        frame = self.stack[-1]
        return frame["flow"], frame["step"]

    @property
    def at(self) -> str:
        """The same as text, for events."""
        if not self.stack:
            return ""
        frame = self.stack[-1]
        return f"{frame['flow']}.{frame['step']}"

    # — what is known —

    def lookup(self, here: Mapping[str, Any] = NO_VARIABLES, level: str | None = None) -> Lookup:
        """The lookup function for this moment; `here` are names that exist inside one wording only.

        `level` is for rules of care, which see what this caller may not hear.
        """
        return reader(
            self.bundle,
            LEVELS[level or self.level],
            self.facts,
            self._moving_values,
            self.said,
            self.found,
            self.stack[-1]["given"] if self.stack else {},
            here,
        )

    def _moving_values(self, root: str) -> Mapping[str, Any]:
        if root == "call":
            return self._work_out(root)  # its fields change within a sprint
        if root not in self._moving:
            self._moving[root] = self._work_out(root)
        return self._moving[root]

    def _work_out(self, root: str) -> Mapping[str, Any]:
        if root == "now":
            return now_values(self.line, self.now)
        if root == "line":
            return line_values(self.bundle, self.line, self.now, self.before.call.get("notice"))
        if root == "call":
            call = self.before.call
            return {
                "known": self.level,
                "language": self.language,
                "minutes": round((self.now - self.before.started) / 60, 2),
                "withheld": call.get("withheld"),
                "id": call.get("sid"),
                "from": call.get("number"),
            }
        return {}

    # — what happens —

    def emit(self, type_: str, data: Mapping[str, Any] | None = None, private: Mapping[str, Any] | None = None) -> None:
        """It happened, here and now."""
        self.events.append(Event(type_, self.now, self.at, data or {}, private or {}))

    def say(
        self, name: str, here: Mapping[str, Any] = NO_VARIABLES, *, again: bool = False, language: str | None = None
    ) -> None:
        """Speaks a prompt; one whose `when:` does not hold, or that holds something not known, keeps silent."""
        prompt = self.bundle.prompt(language or self.language, name)
        if prompt is None:
            self.emit("fault", {"code": "missing-prompt", "prompt": name})
            return
        lookup = self.lookup(here)
        if prompt.when is not None and not prompt.when.holds(lookup):
            return
        manner = ("again", *self.manner) if again else self.manner
        rendered = render(prompt, lookup, manner, self.bundle.part.money)
        if rendered is None:
            self.emit("silent", {"prompt": name})
            return
        data: dict[str, Any] = {"prompt": name, "wording": rendered.wording, "language": prompt.language}
        data["seconds"] = rendered.seconds
        if prompt.must_hear:
            data["must_hear"] = True
        if prompt.neutral:
            data["neutral"] = True
        if prompt.audio and rendered.wording == "text":
            data["audio"] = f"{prompt.language}/{prompt.audio}"
        self.emit("spoke", data, {"ssml": rendered.ssml})
        self.speech += rendered.seconds
        if not again:
            self.heard.append((name, here))

    def session(self, wait: Wait) -> Session:
        """What to keep."""
        return replace(
            self.before,
            language=self.language,
            manner=self.manner,
            level=self.level,
            person=self.person,
            facts=self.facts,
            stack=tuple(self.stack),
            said=self.said,
            found=self.found,
            visits=self.visits,
            wait=wait,
            tries=self.tries,
            pending=self.pending,
            heard=tuple(self.heard),
            asked_at=self.now,
            speech=self.speech,
            away=self.away,
            reasons=self.reasons,
            counts=self.counts,
            answered=self.answered,
            reached=self.reached,
            rescued=self.rescued,
            guessed=self.guessed,
            outcome=self.outcome,
        )
