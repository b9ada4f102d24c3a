"""The JSON Schema accepts everything that is shipped, as an editor would read it, and refuses unknown words."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from ivr.cli.schema import WHAT, schema

ROOT = Path(__file__).resolve().parents[2]


def documents() -> list[tuple[str, str, Any]]:
    """(kind, name, data) of every shipped YAML document, read the way editors read YAML."""
    found = [("config", "config.yaml", yaml.safe_load((ROOT / "config.yaml").read_text()))]
    folders = {"lines": "line", "personas": "persona", "tests": "test"}
    for path in sorted([*(ROOT / "flows").rglob("*.yaml"), *(ROOT / "prompts").rglob("*.yaml")]):
        kind = "prompts" if "prompts" in path.parts else folders.get(path.parent.name, "flow")
        for data in yaml.load_all(path.read_text(), Loader=yaml.BaseLoader):
            found.append((kind, path.relative_to(ROOT).as_posix(), data))
    return found


@pytest.mark.parametrize("what", WHAT)
def test_each_schema_is_a_valid_draft_7_schema(what: str) -> None:
    jsonschema.Draft7Validator.check_schema(schema(what))


@pytest.mark.parametrize(
    ("kind", "name", "data"), documents(), ids=lambda value: value if isinstance(value, str) else ""
)
def test_what_is_shipped_fits_its_schema(kind: str, name: str, data: Any) -> None:
    faults = list(jsonschema.Draft7Validator(schema(kind)).iter_errors(data))
    assert not faults, faults[0]


WAITING = """
targets:
  care: {queue: {at_most: 10m, say: wait.thanks, music: hold.wav, callback: {key: 1, tries: 3}}}
  sales: {taskrouter: {workflow: WW1, workspace: WS1, priority: [{because: x, when: line.open, ahead: 5m}]}}
gestures: {sympathy: {title: Sympathy, text: sorry, by: [sms, card]}}
concessions: {fee: {title: Fee, do: waive, limit: 20, amount: fee, reasons: bill}}
mail: {host: smtp.example, from: care@example.com}
desk: {ring: 20s}
emergency: {dial: "+15550003333"}
"""
STEPS = """
flow: main
start: a
steps:
  a: {callback: care, number: call.from, about: said.reason, next: {booked: b, failed: b}}
  b: {case: open, about: bill, summary: words, next: c, otherwise: c}
  c: {notify: words, by: caller.prefers.channel, next: d, otherwise: d}
  d: {handoff: care, next: {ended: d, callback_booked: d, waited_too_long: d}}
"""
SURVEY = """
line: helpline
numbers: ["+15550001111"]
languages: [en]
choose: [{because: x, flow: main}]
otherwise: main.d
survey: {flow: survey, unless: caller.tags.bereavement, purpose: care}
"""


@pytest.mark.parametrize(("kind", "text"), [("config", WAITING), ("flow", STEPS), ("line", SURVEY)])
def test_words_about_people_fit(kind: str, text: str) -> None:
    faults = list(jsonschema.Draft7Validator(schema(kind)).iter_errors(yaml.safe_load(text)))
    assert not faults, faults[0]


@pytest.mark.parametrize(
    ("kind", "text", "instead"),
    [
        ("config", WAITING.replace("at_most", "at_mots"), "at_most"),
        ("config", WAITING.replace("sms, card", "sms, fax"), "card"),
        ("flow", STEPS.replace("case: open", "case: opne"), "open"),
        ("flow", STEPS.replace("summary", "sumary"), "summary"),
        ("line", SURVEY.replace("unless", "except"), "unless"),
    ],
)
def test_a_slip_in_words_about_people_does_not_fit(kind: str, text: str, instead: str) -> None:
    assert list(jsonschema.Draft7Validator(schema(kind)).iter_errors(yaml.safe_load(text))), instead


def test_an_unknown_word_does_not_fit() -> None:
    flow = {"flow": "main", "start": "a", "steps": {"a": {"say": "x", "nxt": "b"}}}
    assert list(jsonschema.Draft7Validator(schema("flow")).iter_errors(flow))
