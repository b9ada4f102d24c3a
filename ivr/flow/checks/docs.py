"""The reference of all problems, printed by `ivr docs` and `ivr explain`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ivr.flow.checks.catalogue import CATALOGUE
from ivr.flow.checks.examples import load_examples
from ivr.problems import did_you_mean

_LEVELS = (
    ("error", "Errors", "A project with one of these is not published."),
    ("not-yet", "Not yet", "Words of the language that are not built yet. A project with one is not published."),
    ("warning", "Warnings", "A project with these works; its callers may not like it."),
)


def reference() -> str:
    """Every code with what it means, an example that has it and one that has not, as Markdown."""
    parts = ["# Problems\n\nWhat `ivr check` finds, by code.\n"]
    for level, title, about in _LEVELS:
        parts.append(f"## {title}\n\n{about}\n")
        parts += [explain(code) for code in sorted(CATALOGUE) if CATALOGUE[code].level == level]
    return "\n".join(parts)


def explain(code: str) -> str:
    """One code as Markdown; for a code that does not exist, what may have been meant."""
    if code not in CATALOGUE:
        return f"There is no code '{code}': {did_you_mean(code, CATALOGUE)}\n"
    found, example = CATALOGUE[code], load_examples().get(code)
    lines = [f"### {code}\n", f"*{found.level}: {found.title}.* {found.explanation}\n"]
    if example is not None:
        lines += [*_files("Not like this:", example.bad), *_files("But like this:", example.good)]
    return "\n".join(lines)


def _files(title: str, files: Mapping[str, str]) -> Iterator[str]:
    yield f"{title}\n"
    for path, text in files.items():
        yield f"```yaml\n# {path}\n{_visible(text).rstrip()}\n```\n"


def _visible(text: str) -> str:
    """Control characters as an escape, so that the reader sees them."""
    return "".join(
        character if character.isprintable() or character == "\n" else repr(character)[1:-1] for character in text
    )
