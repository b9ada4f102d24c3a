"""What the people of a target may see of a caller, and text from outside as text that shows on one line."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from ivr.flow.bundle import Bundle
from ivr.flow.model import Line
from ivr.flow.names import Field
from ivr.kinds import LEVELS

# Controls, line ends, and marks that turn the direction of what follows: nothing of these belongs into a name.
_UNSEEN = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]+")


def may_see(bundle: Bundle, path: tuple[str, ...], level: str, sees: Collection[str]) -> bool:
    """Whether the value at `path` may be shown to agents, in a call at `level`, whose target `sees` these purposes.

    A sensitive fact is for those who see its purpose, whatever the level, and for nobody else: agents are not callers. Cases
    are always for agents. Anything else obeys its `speak:` as it does towards the caller, and identity needs a verified one.
    What is not declared does not exist.
    """
    if path[0] == "cases":
        return True
    fact = bundle.part.facts.get(".".join(path[1:])) if path[0] == "caller" else None
    if fact is not None and fact.sensitive:
        return fact.purpose in sees
    if fact is not None and fact.purpose == "identity" and level != "verified":
        return False
    around = [bundle.field_at(path[:length]) for length in range(1, len(path) + 1)]
    if not all(field is not None and _open(field, level) for field in around):
        return False
    return around[-1] is not None and _all_open(around[-1], level)


def _open(field: Field, level: str) -> bool:
    return not field.sensitive and LEVELS[field.speak] <= LEVELS[level]


def _all_open(field: Field, level: str) -> bool:
    """Whether everything inside a record or a list may be shown too."""
    return all(_open(inner, level) and _all_open(inner, level) for inner in field.fields.values())


@dataclass(frozen=True, slots=True)
class View:
    """Who looks at a call: the bundle and line it runs on, its level, what the target's people see, when the call began."""

    bundle: Bundle
    line: Line
    level: str
    sees: frozenset[str]
    started: float

    def may_see(self, *path: str) -> bool:
        """Whether the value at this dotted name may be shown."""
        return may_see(self.bundle, path, self.level, self.sees)


def text(value: Any) -> str:
    """`value` from outside as text on one line: no control characters, nothing that turns its direction."""
    return " ".join(_UNSEEN.sub(" ", str(value)).split())


def in_words(value: Any) -> str:
    """A value as a person writes it: yes and no, lists with commas, numbers without idle decimals."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, (list, tuple)):
        return ", ".join(map(in_words, value))
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return text(value)


def named(name: str) -> str:
    """A name from YAML as a person says it: `moving_day` is moving day."""
    return name.replace("_", " ").replace(".", " ")
