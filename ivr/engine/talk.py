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
from ivr.flow.prompts import Prompt, render
from ivr.flow.spoken import plain
from ivr.kinds import LEVELS
from ivr.personal.known import line_values, now_values, reader

MAX_DEPTH = 4

NO_VARIABLES: Mapping[str, Any] = {}


_FIXED = frozenset(("label", "key"))


def is_fixed(prompt: Prompt) -> bool:
    """Whether the words depend on nothing but an option's label and key."""
    pieces = [piece for wording in prompt.every_wording().values() for piece in wording.pieces()]
    names = {name for piece in pieces for name in piece.expression.names}
    return prompt.when is None and prompt.count is None and names <= {("label",), ("key",)}


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
        self.surveyed = session.surveyed
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

    @property
    def is_somebody(self) -> bool:
        """Whether what we learn can be kept for one caller: not of a shared, forwarded or hidden number."""
        call = self.before.call
        return self.person is not None or (
            call.get("number") is not None and not self.before.people and not call.get("forwarded")
        )

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
            call = self.before.call
            return line_values(self.bundle, self.line, self.now, call.get("notice"), bool(call.get("closed")))
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
        manner = ("again", *self.manner) if again else self.manner
        key = ("said", language or self.language, name, manner, here.get("label"), here.get("key"))
        kept: tuple[dict[str, Any], dict[str, Any]] | None = self.bundle.memo.get(key)
        if kept is None:
            kept = self._spoken(name, here, manner, language or self.language, key)
        if kept is not None:
            self.emit("spoke", *kept)
            self.speech += kept[0]["seconds"]
            if not again:
                self.heard.append((name, here))

    def _spoken(
        self, name: str, here: Mapping[str, Any], manner: tuple[str, ...], language: str, key: tuple[Any, ...]
    ) -> tuple[dict[str, Any], dict[str, Any]] | None:
        """The two parts of a `spoke` event. Words that are the same for every caller are worked out once."""
        prompt = self.bundle.prompt(language, name)
        if prompt is None:
            self.emit("fault", {"code": "missing-prompt", "prompt": name})
            return None
        lookup = self.lookup(here)
        if prompt.when is not None and not prompt.when.holds(lookup):
            return None
        rendered = render(prompt, lookup, manner, self.bundle.part.money)
        if rendered is None:
            self.emit("silent", {"prompt": name})
            return None
        data: dict[str, Any] = {"prompt": name, "wording": rendered.wording, "language": prompt.language}
        data["seconds"] = rendered.seconds
        if prompt.must_hear:
            data["must_hear"] = True
        if prompt.neutral:
            data["neutral"] = True
        if prompt.audio and rendered.wording == "text":
            data["audio"] = f"{prompt.language}/{prompt.audio}"
        spoken = data, {"ssml": rendered.ssml}
        if is_fixed(prompt) and here.keys() <= _FIXED:
            self.bundle.memo[key] = spoken
        return spoken

    def words(self, name: str) -> str | None:
        """The words of a prompt as plain text, for what is written rather than spoken; None where it keeps silent."""
        prompt = self.bundle.prompt(self.language, name)
        lookup = self.lookup()
        if prompt is None or (prompt.when is not None and not prompt.when.holds(lookup)):
            return None
        rendered = render(prompt, lookup, self.manner, self.bundle.part.money)
        return plain(rendered.ssml) if rendered else None

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
            surveyed=self.surveyed,
            outcome=self.outcome,
        )
