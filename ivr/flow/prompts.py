"""Prompts: every word that is spoken, in the wordings a caller may like, and the words callers use.

A wording is compiled once: literal pieces (escaped, with SSML from a short allow-list) and expressions. Rendering picks the
first wording in the caller's manner, or `without:` where something in it is not known or may not be spoken to this caller.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from jinja2 import Environment, TemplateSyntaxError, nodes

from ivr.flow import spoken
from ivr.flow.expressions import Expression, ExpressionError, Lookup, compile_expression, from_tree
from ivr.problems import Problem
from ivr.source import Path, Source

_environment = Environment(autoescape=False)  # noqa: S701  # it only parses

SSML = ("break", "emphasis", "lang", "p", "phoneme", "prosody", "s", "say-as", "sub", "w")
_TAG = re.compile(r"</?([a-z-]+)((?:\s+[a-z:-]+=\"[^\"<>&]*\")*)\s*/?>")

PLURALS = ("zero", "one", "two", "few", "many", "other")
WORDS = ("text", "without", "phrases", "when", "neutral", "must_hear", "audio", "count", *PLURALS)
MANNERS = ("brisk", "gentle", "plain", "again")
"""Wordings every project may use; a line's rules may name others."""


class Piece(NamedTuple):
    """One value inside a wording, and the filter that speaks it."""

    expression: Expression
    how: str | None


@dataclass(frozen=True, slots=True)
class Wording:
    """One way to say it: literal text and values, in order."""

    text: str
    parts: tuple[str | Piece, ...]

    def pieces(self) -> list[Piece]:
        """The values in it."""
        return [part for part in self.parts if isinstance(part, Piece)]

    def render(self, lookup: Lookup, language: str, currency: str) -> str | None:
        """The inside of a Say, or None where a value is not known."""
        out: list[str] = []
        for part in self.parts:
            if isinstance(part, str):
                out.append(part)
                continue
            value = part.expression.evaluate(lookup)
            if value is None:
                return None
            out.append(spoken.speak(value, part.how, language, currency))
        return out[0] if len(out) == 1 else "".join(out)


@dataclass(frozen=True, slots=True)
class Prompt:
    """One prompt in one language."""

    name: str
    language: str
    wordings: Mapping[str, Wording]
    without: Wording | None = None
    count: Expression | None = None
    plurals: Mapping[str, Wording] | None = None
    when: Expression | None = None
    neutral: bool = False
    must_hear: bool = False
    audio: str | None = None
    phrases: tuple[str, ...] = ()
    builtin: bool = False

    def every_wording(self) -> dict[str, Wording]:
        """All wordings by name, `without` too."""
        return {**self.wordings, **(self.plurals or {}), **({"without": self.without} if self.without else {})}


class Rendered(NamedTuple):
    """What is spoken: the wording's name, the inside of a Say, and seconds it takes (an estimate)."""

    wording: str
    ssml: str
    seconds: float


def render(prompt: Prompt, lookup: Lookup, manner: Sequence[str], currency: str) -> Rendered | None:
    """`prompt` for this caller; None where nothing can be said (a value is not known and there is no `without:`)."""
    if prompt.count is not None:
        lookup = _with_count(lookup, prompt.count.evaluate(lookup))
    name, wording = _choose(prompt, lookup, manner)
    ssml = wording.render(lookup, prompt.language, currency) if wording else None
    if ssml is None and prompt.without is not None:
        name, ssml = "without", prompt.without.render(lookup, prompt.language, currency)
    if not ssml or not ssml.strip():
        return None
    return Rendered(name, ssml, spoken.seconds(ssml))


def _with_count(lookup: Lookup, count: Any) -> Lookup:
    """`count` in a plural's words is what it counts."""
    return lambda path: count if path == ("count",) else lookup(path)


def _choose(prompt: Prompt, lookup: Lookup, manner: Sequence[str]) -> tuple[str, Wording | None]:
    for name in manner:
        wording = prompt.wordings.get(name)
        if wording is not None:
            return name, wording
    if prompt.plurals and prompt.count:
        number = prompt.count.evaluate(lookup)
        if not isinstance(number, (int, float)):
            return "other", None
        category = spoken.plural(number, prompt.language)
        return category, prompt.plurals.get(category) or prompt.plurals.get("other")
    return "text", prompt.wordings.get("text")


def read_prompt(source: Source, name: str, language: str, data: Any) -> tuple[Prompt | None, list[Problem]]:
    """One entry of a prompts file, and what is wrong with it."""
    path: Path = (name,)
    problems: list[Problem] = []
    if isinstance(data, str):
        data = {"text": data}
        short = True
    else:
        short = False

    def at(key: str) -> Path:
        """Where a word of the prompt stands; a prompt that is only text has no words."""
        return path if short else (*path, key)

    if not isinstance(data, dict):
        return None, [
            source.problem(
                path, "wrong-value", "a prompt is text, or a group with 'text:'", "write the words after the colon"
            )
        ]

    def wording(key: str) -> Wording | None:
        try:
            return compile_wording(str(data[key]))
        except ExpressionError as error:
            code = getattr(error, "code", "wording")
            problems.append(source.problem(at(key), code, str(error), getattr(error, "hint", "")))
            return None

    def expression(key: str) -> Expression | None:
        try:
            return compile_expression(str(data[key])) if key in data else None
        except ExpressionError as error:
            problems.append(source.problem(at(key), "condition", str(error)))
            return None

    for key, value in data.items():
        if key != "phrases" and not isinstance(value, str):
            problems.append(source.problem(at(key), "wrong-value", "this must be text", "write it as 'word: text'"))
        if key in ("neutral", "must_hear") and value not in ("true", "false", "yes", "no"):
            problems.append(source.problem(at(key), "wrong-value", "this must be true or false"))
    if problems:
        return None, problems
    wordings = {key: made for key in data if key not in WORDS or key == "text" if (made := wording(key))}
    plurals = {key: made for key in data if key in PLURALS if (made := wording(key))} or None
    phrases = data.get("phrases", ())
    if not isinstance(phrases, (list, tuple)) or not all(isinstance(phrase, str) for phrase in phrases):
        problems.append(source.problem(at("phrases"), "wrong-value", "phrases are a list, as in [my bill, too much]"))
        phrases = ()
    prompt = Prompt(
        name=name,
        language=language,
        wordings=wordings,
        without=wording("without") if "without" in data else None,
        count=expression("count"),
        plurals=plurals,
        when=expression("when"),
        neutral=data.get("neutral") in ("true", "yes"),
        must_hear=data.get("must_hear") in ("true", "yes"),
        audio=data.get("audio"),
        phrases=tuple(phrases),
        builtin=source.file.startswith("builtin/"),
    )
    if not problems and "text" not in wordings and not plurals:
        problems.append(
            source.problem(path, "missing-word", f"the prompt '{name}' has no 'text:'", "add 'text:'", key=True)
        )
    if plurals and prompt.count is None and not problems:
        problems.append(
            source.problem(
                path, "plural-count", "a plural says what it counts", "add 'count: cases.open_count'", key=True
            )
        )
    return (None if problems else prompt), problems


def compile_wording(text: str) -> Wording:
    """`text` with `{{ values }}` and SSML; raises ExpressionError."""
    if "{%" in text or "{#" in text:
        raise ExpressionError("'{%' and '{#' do not stand in a wording; make two prompts and choose with 'when:'")
    try:
        template = _environment.parse(text)
    except TemplateSyntaxError as error:
        raise ExpressionError(f"this cannot be read: {error.message}") from None
    except RecursionError:
        raise ExpressionError("this is nested too deep") from None
    parts: list[str | Piece] = []
    for output in template.body:
        for node in output.nodes if isinstance(output, nodes.Output) else ():
            parts.append(_literal(node.data) if isinstance(node, nodes.TemplateData) else _piece(node))
    return Wording(text, tuple(parts))


def _piece(node: nodes.Expr) -> Piece:
    if isinstance(node, nodes.Filter) and node.node is not None and node.name in spoken.FILTERS:
        if node.args or node.kwargs:
            raise ExpressionError(f"the filter '{node.name}' takes nothing in brackets")
        return Piece(from_tree(node.name, node.node), node.name)
    return Piece(from_tree("value", node), None)


class SsmlError(ExpressionError):
    """A tag that no voice knows, or that is not closed."""

    code = "ssml"
    hint = f"allowed tags: {', '.join(SSML)}; a lone < is written as words"


def _literal(text: str) -> str:
    """Literal words with their tags kept and everything else escaped. A tag must open and close within one piece."""
    out: list[str] = []
    opened: list[str] = []
    end = 0
    for tag in _TAG.finditer(text):
        out.append(_words(text[end : tag.start()]))
        end = tag.end()
        name, whole = tag[1], tag[0]
        if name not in SSML:
            raise SsmlError(f"<{name}> is not allowed in a wording")
        if whole.startswith("</"):
            if not opened or opened.pop() != name:
                raise SsmlError(f"</{name}> closes nothing that is open here")
        elif not whole.endswith("/>"):
            opened.append(name)
        out.append(whole)
    out.append(_words(text[end:]))
    if opened:
        raise SsmlError(f"<{opened[-1]}> is not closed before the next value or the end")
    return "".join(out)


def _words(text: str) -> str:
    if "<" in text:
        raise SsmlError("a '<' here is neither a word nor an allowed tag")
    return " ".join(text.split("\n")).replace("&", "&amp;").replace(">", "&gt;")
