"""Every code that a problem may have, with its level and a title. The explanations and examples are in examples/."""

from __future__ import annotations

from typing import NamedTuple

from ivr.flow.checks.examples import load_examples
from ivr.problems import Level


class Code(NamedTuple):
    """One kind of problem: how bad it is, its title, and what it means."""

    level: Level
    title: str
    explanation: str


_ERRORS = {
    "yaml-syntax": "this is not YAML",
    "yaml-encoding": "a character that does not belong",
    "yaml-too-large": "too large or nested too deep",
    "yaml-alias": "an alias",
    "yaml-tag": "a tag",
    "yaml-key": "a key that is no word",
    "yaml-duplicate": "the same word twice",
    "yaml-empty": "a word without a value",
    "yaml-comment": "words cut off by #",
    "unknown-word": "a word that cannot stand here",
    "missing-word": "a word is missing",
    "wrong-value": "a value that does not fit",
    "condition": "a condition that cannot be read",
    "unknown-step-kind": "a step without a verb",
    "wording": "a wording that cannot be read",
    "ssml": "a tag that no voice knows",
    "plural-count": "a plural that counts nothing",
    "no-config": "no config.yaml",
    "source-origin": "a source without an origin",
    "target-nowhere": "a target that reaches nobody",
    "duplicate-name": "one name for two things",
    "no-line": "no line",
    "no-flow": "no flow",
    "unknown-step": "a step that does not exist",
    "unknown-flow": "a flow that does not exist",
    "unknown-prompt": "a prompt that does not exist",
    "unknown-name": "a name that does not exist",
    "unknown-fact": "a fact that is not declared",
    "unknown-target": "a target that is not declared",
    "unknown-source": "a source that is not declared",
    "unknown-action": "an action that is not declared",
    "unknown-verify": "a verify entry that is not declared",
    "unknown-outcome": "an outcome that cannot happen",
    "unknown-filter": "a filter that does not exist",
    "unknown-language": "a language that the line does not speak",
    "unknown-kind": "a kind of value that does not exist",
    "unknown-give": "a value that is not taken",
    "missing-give": "a value that is not handed over",
    "too-early": "a value that cannot be known yet",
    "no-end": "a call that cannot end",
    "no-otherwise": "no 'otherwise' holds",
    "cycle-without-wait": "a round in which nobody is listened to",
    "no-way-on": "a step that leads nowhere",
    "two-ways-on": "a step that leads two ways",
    "missing-outcome": "an outcome that leads nowhere",
    "enter-without-next": "a return that leads nowhere",
    "key-clash": "one key for two things",
    "key-is-answer": "a key that is an answer",
    "command-key-length": "a command's key of several digits",
    "phrase-clash": "the same words for two things",
    "language-without-prompts": "a language without words",
    "missing-plural": "a plural form is missing",
    "audio-with-values": "a recording that would have to change",
    "audio-missing": "a recording is missing",
    "empty-text": "a wording that says nothing",
    "kind-mismatch": "kinds that do not fit",
    "two-kinds": "one name with two kinds",
    "above-level": "a fact for callers who are better known",
    "never-spoken": "a fact that is never spoken",
    "sensitive-use": "a sensitive fact outside care",
    "not-neutral": "a wording that could give the reason away",
    "may-be-unset": "a value that may not be set",
    "hours": "opening hours that cannot be read",
    "number-format": "a number that cannot be called",
    "number-twice": "one number for two lines",
    "no-rule-for-everybody": "callers without a flow",
    "command-nowhere": "a command that leads nowhere",
}

_WARNINGS = {
    "unknown-wording": "a wording that nobody hears",
    "unreachable-step": "a step that nothing leads to",
    "unreachable-flow": "a flow that nothing leads to",
    "never-resolved": "an end that never counts as resolved",
    "key-prefix": "a key that is how another begins",
    "command-key-reused": "a command's key with another meaning",
    "command-phrase-reused": "a command's words with another meaning",
    "command-without-words": "a command without words",
    "missing-translation": "a prompt that is not translated",
    "digit-in-label": "a digit in an option's name",
    "not-a-condition": "a value used as a condition",
    "rule-never-reached": "a rule that is never reached",
    "too-many-options": "too many options",
    "menu-too-deep": "too many menus",
    "slow-first-choice": "too long before the first choice",
    "no-person": "no person in sight",
    "survey-too-long": "a survey that asks too much",
    "unknown-reason": "a reason that nobody calls for",
    "no-mail": "e-mail without a mail server",
    "check-failed": "a check that could not be finished",
}

UNPROVOKED = ("check-failed",)
"""Codes that no project is known to cause, so there is no example."""


def _catalogue() -> dict[str, Code]:
    levels: list[tuple[Level, dict[str, str]]] = [
        ("error", _ERRORS),
        ("warning", _WARNINGS),
        ("not-yet", {"not-yet": "a word that is not built yet"}),
    ]
    explanations = {code: example.explanation for code, example in load_examples().items()}
    explanations["check-failed"] = (
        "One of the checks met something it was not made for. Please tell us; all other checks were finished."
    )
    return {
        code: Code(level, title, explanations.get(code, ""))
        for level, titles in levels
        for code, title in titles.items()
    }


CATALOGUE: dict[str, Code] = _catalogue()
"""Code → level, title and explanation, for every problem of the project."""


def level_of(code: str) -> Level:
    """The level of a code."""
    return CATALOGUE[code].level
