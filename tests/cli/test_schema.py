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


def test_an_unknown_word_does_not_fit() -> None:
    flow = {"flow": "main", "start": "a", "steps": {"a": {"say": "x", "nxt": "b"}}}
    assert list(jsonschema.Draft7Validator(schema("flow")).iter_errors(flow))
