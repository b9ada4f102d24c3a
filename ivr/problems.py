"""Problems in a designer's files: data with a place, a stable code and a hint. Never an exception, never only the first."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, NamedTuple

Level = Literal["error", "warning", "not-yet"]


class Where(NamedTuple):
    """A place in a file: path relative to the project, line and column from 1."""

    file: str
    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Problem:
    """One finding. `code` is stable (scripts silence by it); `hint` says what to do."""

    where: Where
    code: str
    level: Level
    message: str
    hint: str = ""

    def __str__(self) -> str:
        hint = f" ({self.hint})" if self.hint else ""
        return (
            f"{self.where.file}:{self.where.line}:{self.where.column}: {self.level}[{self.code}] {self.message}{hint}"
        )

    def as_json(self) -> dict[str, str | int]:
        """For `--format json`."""
        return {
            "file": self.where.file,
            "line": self.where.line,
            "column": self.where.column,
            "code": self.code,
            "level": self.level,
            "message": self.message,
            "hint": self.hint,
        }


def ordered(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    """By place, each once."""
    return tuple(sorted(set(problems), key=lambda p: (p.where, p.level, p.code, p.message)))


def errors(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    """Those that forbid publishing: errors, and words that belong to what is not built yet."""
    return tuple(p for p in problems if p.level in ("error", "not-yet"))


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """A hint: the nearest known word, else what there is to choose from."""
    names = sorted(set(known))
    near = difflib.get_close_matches(word, names, n=1, cutoff=0.6)
    if near:
        return f"did you mean '{near[0]}'?"
    if not names:
        return "there are none yet"
    listed = ", ".join(names[:8])
    return f"known: {listed}{', …' if len(names) > 8 else ''}"
