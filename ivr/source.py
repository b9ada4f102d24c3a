"""YAML text → plain data in which every scalar is still the text that was typed, with the place of every key and value.

YAML 1.1 turns +15550001111 into a number, 22:30 into 1350 and `no` into False. Here nothing is converted: the schema does
that later, knowing what it wants. Duplicate keys, aliases, tags and several documents are problems, not surprises.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

import yaml

from ivr.problems import Problem, Where

Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
Path = tuple[str | int, ...]

MAX_BYTES = 1_000_000
MAX_DEPTH = 40
MAX_NODES = 100_000


@dataclass(frozen=True, slots=True)
class Mark:
    """Where a value stands and, in a mapping, where its key stands: lines and columns from 1."""

    line: int
    column: int
    key_line: int
    key_column: int


@dataclass(slots=True)
class Source:
    """One document of one file: `data` (dicts, lists and text) and the place of everything in it."""

    file: str
    data: Any
    marks: dict[Path, Mark] = field(default_factory=dict)

    def where(self, path: Path = (), key: bool = False) -> Where:
        """The place of the value (or its key) at `path`, or of the nearest thing around it that is known."""
        for length in range(len(path), -1, -1):
            mark = self.marks.get(path[:length])
            if mark is not None:
                at_key = key and length == len(path) or length < len(path)
                return (
                    Where(self.file, mark.key_line, mark.key_column)
                    if at_key
                    else Where(self.file, mark.line, mark.column)
                )
        return Where(self.file, 1, 1)

    def problem(
        self, path: Path, code: str, message: str, hint: str = "", *, key: bool = False, level: Any = "error"
    ) -> Problem:
        """A problem at `path`."""
        return Problem(self.where(path, key), code, level, message, hint)


def load(file: str, text: str | bytes, *, words: bool = False) -> tuple[list[Source], list[Problem]]:
    """Every document in `text`, and all that is wrong with its YAML.

    `words`: the file holds spoken words, where an unquoted ` #` silently cuts a sentence short and is therefore an error.
    """
    if isinstance(text, bytes):
        try:
            text = text.decode("utf-8")
        except UnicodeDecodeError as error:
            line = error.object.count(b"\n", 0, error.start) + 1
            return [], [
                Problem(Where(file, line, 1), "yaml-encoding", "error", "this file is not UTF-8", "save it as UTF-8")
            ]
    if len(text) > MAX_BYTES:
        return [], [
            Problem(
                Where(file, 1, 1), "yaml-too-large", "error", "this file is over 1 MB", "split it into several files"
            )
        ]
    try:
        too_much = _bounds(file, text)
        if too_much:
            return [], [too_much]
        roots = [node for node in yaml.compose_all(text, Loader=Loader) if node is not None]
    except yaml.MarkedYAMLError as error:
        return [], [_syntax(file, error)]
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        return [], [
            Problem(
                Where(file, line, 1), "yaml-encoding", "error", "a character here is not allowed in YAML", "delete it"
            )
        ]
    builder = _Builder(file, text.splitlines() if words else [])
    return [builder.document(root) for root in roots], builder.problems


def _bounds(file: str, text: str) -> Problem | None:
    """Refuses what would exhaust the parser, on the flat event stream: composing a deep tree first can crash the process."""
    depth = 0
    for nodes, event in enumerate(yaml.parse(text, Loader=Loader)):
        mark: Any = event.start_mark
        where = Where(file, mark.line + 1, mark.column + 1)
        if isinstance(event, yaml.AliasEvent):
            return Problem(
                where, "yaml-alias", "error", "aliases (*name) are not allowed", "write it out; to speak a *, quote it"
            )
        if isinstance(event, (yaml.MappingStartEvent, yaml.SequenceStartEvent)):
            depth += 1
        elif isinstance(event, (yaml.MappingEndEvent, yaml.SequenceEndEvent)):
            depth -= 1
        if depth > MAX_DEPTH or nodes > MAX_NODES:
            return Problem(where, "yaml-too-large", "error", "this file is nested too deep or too long", "split it")
    return None


_SYNTAX_HINTS = (
    ("tab", "indent with spaces, not with a tab"),
    ("\\t", "indent with spaces, not with a tab"),
    ("mapping values are not allowed", "a colon in the words? put the whole text in quotes"),
    ("unexpected end of stream", "a quote or bracket is opened and never closed"),
    ("block end", "check the indentation of this line and the ones above"),
    ("cannot start any token", "quote text that begins with a special character such as @, ` or %"),
    ("did not find expected alphabetic or numeric character", 'a * or & here must be in quotes, as in key: "*"'),
    ("could not find expected ':'", "a colon and a space are missing after the key"),
)


def _syntax(file: str, error: yaml.MarkedYAMLError) -> Problem:
    unclosed = "quoted scalar" in str(error.context)
    mark = error.context_mark if unclosed and error.context_mark else error.problem_mark or error.context_mark
    where = Where(file, mark.line + 1, mark.column + 1) if mark else Where(file, 1, 1)
    said = error.problem or "this is not YAML"
    hint = next((hint for clue, hint in _SYNTAX_HINTS if clue in said), "check quotes, colons and indentation here")
    return Problem(where, "yaml-syntax", "error", said, hint)


class _Builder:
    """Turns composed nodes into plain data while collecting places and problems."""

    def __init__(self, file: str, lines: list[str]) -> None:
        self.file = file
        self.lines = lines
        self.problems: list[Problem] = []
        self.marks: dict[Path, Mark] = {}

    def document(self, root: Any) -> Source:
        self.marks = {}
        return Source(self.file, self._build(root, (), root), self.marks)

    def _report(self, node: Any, code: str, message: str, hint: str) -> None:
        mark = node.start_mark
        self.problems.append(Problem(Where(self.file, mark.line + 1, mark.column + 1), code, "error", message, hint))

    def _build(self, node: Any, path: Path, key: Any) -> Any:
        start, at_key = node.start_mark, key.start_mark
        self.marks[path] = Mark(start.line + 1, start.column + 1, at_key.line + 1, at_key.column + 1)
        if not node.tag.startswith("tag:yaml.org,2002:") or (
            node.tag.rsplit(":", 1)[1] in ("binary", "set", "omap", "pairs")
        ):
            self._report(
                node, "yaml-tag", f"the tag {node.tag} is not allowed", "remove it; everything here is plain text"
            )
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, path)
        if isinstance(node, yaml.SequenceNode):
            return [self._build(child, (*path, index), child) for index, child in enumerate(node.value)]
        if not node.style:
            self._plain(node)
        return node.value

    def _mapping(self, node: Any, path: Path) -> dict[str, Any]:
        data: dict[str, Any] = {}
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                self._report(key, "yaml-key", "a key must be plain text", "write it as one word")
                continue
            name = key.value
            if name in data:
                first = self.marks[(*path, name)].key_line
                self._report(
                    key, "yaml-duplicate", f"'{name}' is here twice (first in line {first})", "keep one of them"
                )
                continue
            data[name] = self._build(value, (*path, name), key)
            if value.value == "" and not getattr(value, "style", "quoted"):
                self._report(key, "yaml-empty", f"'{name}' has no value", 'give it one, or write "" for nothing')
        return data

    def _plain(self, node: Any) -> None:
        """In files of spoken words an unquoted ` #` cuts the sentence: `Press # to finish` would say `Press`.

        A comment set apart by two spaces or more is meant as one.
        """
        end = node.end_mark
        if self.lines and end.line < len(self.lines):
            rest = self.lines[end.line][end.column :]
            if node.value and re.match(r"\s#", rest):
                self._report(
                    node,
                    "yaml-comment",
                    "the words after # are not spoken: YAML takes them for a comment",
                    "put the text in quotes",
                )
