"""`ivr schema`: JSON Schema for editors."""

from __future__ import annotations

import json
from typing import Any

import click
from pydantic import BaseModel

DRAFT = "http://json-schema.org/draft-07/schema#"
WHAT = ("flow", "line", "config", "persona", "test", "prompts")


@click.command("schema")
@click.argument("what", type=click.Choice(WHAT), default="flow")
def command(what: str) -> None:
    """JSON Schema (draft 7) of flows, lines, config.yaml, personas, dialogue tests or prompts, for editors."""
    click.echo(json.dumps(schema(what), indent=1))


def schema(what: str) -> dict[str, Any]:
    """The schema; a file may hold several documents, each of this shape."""
    if what == "prompts":
        return _prompts()
    made = _model(what).model_json_schema(by_alias=True)
    made = _widened(json.loads(json.dumps(made).replace("#/$defs/", "#/definitions/")))
    if "$defs" in made:
        made["definitions"] = made.pop("$defs")
    return {"$schema": DRAFT, **made}


def _model(what: str) -> type[BaseModel]:
    from ivr.config import ConfigFile
    from ivr.flow.model import Flow, Line
    from ivr.simulate.dialogue import DialogueFile
    from ivr.simulate.people import PersonaFile

    models: dict[str, type[BaseModel]] = {
        "flow": Flow,
        "line": Line,
        "config": ConfigFile,
        "persona": PersonaFile,
        "test": DialogueFile,
    }
    return models[what]


def _widened(node: Any) -> Any:
    """Editors read YAML's numbers and yes/no before we see text: wherever we take text, they may find those.

    `discriminator` and `oneOf` are beyond what editors of draft 7 know or like: `anyOf` says the same.
    """
    if isinstance(node, list):
        return [_widened(item) for item in node]
    if not isinstance(node, dict):
        return node
    out = {
        ("anyOf" if key == "oneOf" else key): _widened(value) for key, value in node.items() if key != "discriminator"
    }
    if out.get("type") in ("string", "number", "integer", "boolean") and "enum" not in out and "const" not in out:
        out["type"] = ["string", "number", "integer", "boolean"]
        for limit in ("minimum", "maximum", "exclusiveMinimum"):
            out.pop(limit, None)
    if out.get("type") == "array" and "items" in out:
        return {"anyOf": [out, {"type": ["string", "number", "integer"]}]}
    return out


def _prompts() -> dict[str, Any]:
    from ivr.flow.prompts import PLURALS

    words = {"type": ["string", "number", "boolean"]}
    named = dict.fromkeys(("text", "without", "when", "audio", "count", "neutral", "must_hear", *PLURALS), words)
    whole = {
        "type": "object",
        "properties": {**named, "phrases": {"type": "array", "items": words}},
        "additionalProperties": words,
    }
    return {"$schema": DRAFT, "type": "object", "additionalProperties": {"anyOf": [words, whole]}}
