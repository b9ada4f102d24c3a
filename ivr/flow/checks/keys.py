"""Keys and words that mean two things at once."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

from ivr.flow.bundle import Place
from ivr.flow.checks.project import Project, Report
from ivr.flow.checks.ways import options, ways
from ivr.flow.model import Ask, Command, Handoff, Line, Menu, Option, Pick, Step
from ivr.flow.prompts import Prompt
from ivr.source import Path, Source

SINGLE = ("digits", "number", "money")
"""Kinds of answer that a single digit may be."""

ITEMS = 8
"""How many of a list are read out at once, each with its own key."""


def check(project: Project, report: Report) -> None:
    """Every question, and the commands of every line."""
    for place, source, step in project.places():
        if not isinstance(step, (Menu, Ask, Pick)):
            continue
        taken = _clashes(project, report, source, place, step)
        _prefixes(report, source, place, step, taken)
        _never(project, report, source, place, step)
        for _, line in project.lines.values():
            _commands(project, report, source, place, line)
        for language in project.languages():
            _phrases(project, report, source, place, step, language)
    for source, line in project.lines.values():
        _in_line(project, report, source, line)


def _key_path(source: Source, path: Path) -> Path:
    return (*path, "key") if (*path, "key") in source.marks else (*path, "keys")


def _clashes(project: Project, report: Report, source: Source, place: Place, step: Step) -> dict[str, str]:
    """Key → option, and a problem for each key that has two."""
    taken: dict[str, str] = dict(_own_keys(step))
    names = {name for name, _, _ in options(project, place)}
    for name, option, path in options(project, place):
        for key in option.all_keys:
            if key in taken:
                other = taken[key]
                what = f"the option '{other}'" if other in names else other
                twice = "twice in this option" if other == name else f"and so does {what}"
                message = f"at '{place[1]}' the key {key} means '{name}' {twice}"
                report.add(source, _key_path(source, path), "key-clash", message, "give it another key")
            else:
                taken[key] = name
    return taken


def _own_keys(step: Step) -> Iterator[tuple[str, str]]:
    """Keys that the question itself needs."""
    if isinstance(step, Ask) and (step.kind == "yes_no"):
        yield from (("1", "yes"), ("2", "no"))
    elif isinstance(step, Pick) and step.one_by_one:
        yield from (("1", "this one"), ("2", "the next one"), ("3", "the one before"))
    elif isinstance(step, Pick):
        yield from ((str(number), f"number {number} of the list") for number in range(1, ITEMS + 1))


def _prefixes(report: Report, source: Source, place: Place, step: Step, taken: dict[str, str]) -> None:
    if not isinstance(step, Menu):
        return
    longest = max(map(len, taken), default=1)
    reported: set[str] = set()
    for key in sorted(taken, key=len):
        longer = next((other for other in taken if other != key and other.startswith(key)), None)
        owner = taken[key]
        path = ("steps", place[1], "options", owner) if owner in step.options else ("options", owner)
        if key == "#" and longest > 1:
            message = "the key # cannot be chosen here: where keys have several digits, # ends them"
            report.add(source, _key_path(source, path), "key-prefix", message, "give it another key")
        elif longer is not None and owner not in reported:
            reported.add(owner)
            message = f"the key {key} is also how {longer} begins, so whoever presses {key} has to wait"
            report.add(
                source, _key_path(source, path), "key-prefix", message, "let all keys of a menu have the same length"
            )


def _never(project: Project, report: Report, source: Source, place: Place, step: Step) -> None:
    """Keys of options at a question for a value, that can only be part of the answer."""
    if not isinstance(step, Ask) or step.kind == "yes_no":
        return
    single = step.kind in SINGLE and (step.length is None or step.length[0] == 1)
    for name, option, path in options(project, place):
        for key in option.all_keys:
            if len(key) > 1 or single and key.isdigit():
                message = f"the key {key} of '{name}' is taken for an answer here"
                report.add(
                    source,
                    _key_path(source, path),
                    "key-is-answer",
                    message,
                    "use * or #, or give the answer a 'length:'",
                )


def _commands(project: Project, report: Report, source: Source, place: Place, line: Line) -> None:
    for name, option, path in options(project, place):
        for command_name, command in line.commands.items():
            for key in set(option.all_keys) & set(command.key):
                if not _same(project, place[0], option, command):
                    message = f"everywhere else the key {key} means '{command_name}', here it means '{name}'"
                    report.add(
                        source, _key_path(source, path), "command-key-reused", message, "give the option another key"
                    )


def _same(project: Project, flow: str, option: Option, command: Command) -> bool:
    """Whether an option and a command lead to the same place, or both to people."""
    one = option.next or option.enter
    other = command.next or command.enter
    if one is None or other is None:
        return False
    here, there = project.resolve(flow, one), project.resolve(None, other)
    return here is None or there is None or here == there or to_people(project, here) and to_people(project, there)


def to_people(project: Project, place: Place) -> bool:
    """Whether a place leads straight to people: a handoff is reached before anything is asked."""
    return project.once(("people", place), lambda: _to_people(project, place))


def _to_people(project: Project, place: Place) -> bool:
    seen, stack = {place}, [place]
    while stack:
        step = project.step(stack[-1])
        here = stack.pop()
        if isinstance(step, Handoff) or step is None:
            return True
        if step.listens:
            continue
        for way in ways(project, here):
            if way.to is not None and way.to not in seen and way.why != "otherwise":
                seen.add(way.to)
                stack.append(way.to)
    return False


def _in_line(project: Project, report: Report, source: Source, line: Line) -> None:
    taken: dict[str, str] = {}
    for name, command in line.commands.items():
        for key in command.key:
            if key in taken:
                message = f"the key {key} means both '{taken[key]}' and '{name}'"
                report.add(source, ("commands", name, "key"), "key-clash", message, "give one of them another key")
            taken.setdefault(key, name)
    for language in line.languages:
        said: dict[str, str] = {}
        for name in line.commands:
            for phrase in phrases(project, language, f"command.{name}"):
                if phrase in said and said[phrase] != name:
                    message = f"'{phrase}' ({language}) means both '{said[phrase]}' and '{name}'"
                    report.add(
                        source, ("commands", name), "phrase-clash", message, "take it out of one of the two", key=True
                    )
                said.setdefault(phrase, name)


def normalise(text: str) -> str:
    """Words as they are compared: lower case, no accents, no punctuation."""
    folded = unicodedata.normalize("NFKD", text).casefold().replace("'", "").replace("’", "")
    return " ".join(re.findall(r"\w+", "".join(letter for letter in folded if not unicodedata.combining(letter))))


def phrases(project: Project, language: str, name: str | None) -> frozenset[str]:
    """The words that belong to a label or command: its phrases, and its text where that holds no values."""
    if name is None:
        return frozenset()
    return project.once(("phrases", language, name), lambda: _of(project, language, name))


def _of(project: Project, language: str, name: str) -> frozenset[str]:
    found = project.prompts.get(language, {}).get(name) or next(
        (known[name] for known in project.prompts.values() if name in known), None
    )
    if found is None:
        return frozenset()
    prompt: Prompt = found[1]
    text = prompt.wordings.get("text")
    said = (text.text,) if text is not None and not text.pieces() else ()
    return frozenset(words for phrase in (*prompt.phrases, *said) if (words := normalise(phrase)))


def _phrases(project: Project, report: Report, source: Source, place: Place, step: Step, language: str) -> None:
    taken: dict[str, tuple[str, Option | None]] = {}
    for word, prompt in _own_words(step):
        for phrase in phrases(project, language, prompt):
            taken.setdefault(phrase, (word, None))
    for name, option, path in options(project, place):
        reported: set[str] = set()
        for phrase in sorted(phrases(project, language, option.label)):
            other = taken.setdefault(phrase, (name, option))
            if other[0] == name or other[0] in reported or _twins(option, other[1]):
                continue
            reported.add(other[0])
            message = f"at '{place[1]}' the words '{phrase}' ({language}) mean both '{other[0]}' and '{name}', so neither is understood"
            report.add(source, (*path, "label"), "phrase-clash", message, "take them out of one of the two prompts")
        _against_commands(project, report, source, place, (name, option, path), language)


def _twins(one: Option, other: Option | None) -> bool:
    """Two options that are the same but for when they are offered."""
    return other is not None and one.label == other.label and one.when is not None and other.when is not None


def _against_commands(
    project: Project, report: Report, source: Source, place: Place, chosen: tuple[str, Option, Path], language: str
) -> None:
    name, option, path = chosen
    for _, line in project.lines.values():
        for command_name, command in line.commands.items():
            shared = phrases(project, language, option.label) & phrases(project, language, f"command.{command_name}")
            if shared and not _same(project, place[0], option, command):
                phrase = sorted(shared)[0]
                message = (
                    f"everywhere else the words '{phrase}' ({language}) mean '{command_name}', here they mean '{name}'"
                )
                report.add(
                    source, (*path, "label"), "command-phrase-reused", message, "take them out of the option's prompt"
                )


def _own_words(step: Step) -> Iterator[tuple[str, str]]:
    """Words that the question itself needs, and their prompts."""
    if isinstance(step, Menu) and step.speak_at_most is not None and len(step.options) > step.speak_at_most:
        yield "more choices", "words.more"
    if (
        isinstance(step, Menu)
        and step.guess_first is not None
        or isinstance(step, Ask)
        and (step.kind == "yes_no" or step.confirm)
    ):
        yield from (("yes", "words.yes"), ("no", "words.no"))
    if isinstance(step, Pick):
        yield from ((word, f"words.{word}") for word in ("choose", "next", "previous"))
