"""A bad and a good example of every problem, and the small project they are laid over."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import NamedTuple

FOLDER = Path(__file__).parent / "examples"
_BLOCK = re.compile(r"^--- (bad|good) (\S+)$", re.MULTILINE)


class Example(NamedTuple):
    """What a problem means, files of a project that has it, and of one that has not (path → text)."""

    explanation: str
    bad: Mapping[str, str]
    good: Mapping[str, str]


@cache
def load_examples() -> Mapping[str, Example]:
    """Code → its example. A file holds the explanation, then blocks that begin with `--- bad PATH` or `--- good PATH`."""
    return {path.stem: _read(path.read_text("utf-8")) for path in sorted(FOLDER.glob("*.txt"))}


def _read(text: str) -> Example:
    explanation, *blocks = _BLOCK.split(text)
    files: dict[str, dict[str, str]] = {"bad": {}, "good": {}}
    for which, path, content in zip(blocks[::3], blocks[1::3], blocks[2::3], strict=True):
        files[which][path] = content.removeprefix("\n")
    return Example(" ".join(explanation.split()), files["bad"], files["good"])


@cache
def base() -> Mapping[str, str]:
    """A small project without a problem."""
    folder = FOLDER / "_base"
    return {path.relative_to(folder).as_posix(): path.read_text("utf-8") for path in sorted(folder.rglob("*.yaml"))}


def project(overlay: Mapping[str, str]) -> dict[str, str]:
    """The small project with `overlay` laid over it."""
    return {**base(), **overlay}
