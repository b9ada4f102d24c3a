"""Plain data against a pydantic model: the object, or every fault as a Problem at its own line."""

from __future__ import annotations

import re
import types
from typing import Annotated, Any, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel, ConfigDict, ValidationError

from ivr.problems import Problem, did_you_mean
from ivr.source import Path, Source

M = TypeVar("M", bound=BaseModel)


class Shape(BaseModel):
    """Base of everything that is read from YAML: frozen, and an unknown word is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True, arbitrary_types_allowed=True)


class NotYet(ValueError):
    """A word of the language that belongs to something not built yet."""


def validate(source: Source, path: Path, data: Any, model: type[M]) -> tuple[M | None, list[Problem]]:
    """`data`, which stands at `path` of `source`, as `model`, and all that is wrong with it."""
    try:
        return model.model_validate(data), []
    except ValidationError as error:
        return None, [_problem(source, path, data, model, fault) for fault in error.errors(include_url=False)]


def _problem(source: Source, path: Path, data: Any, model: type[BaseModel], fault: Any) -> Problem:
    inner = _walk(data, fault["loc"])
    place = (*path, *inner)
    kind = fault["type"]
    last = str(inner[-1]) if inner else ""
    if kind == "extra_forbidden":
        owner = _model_at(model, fault["loc"][:-1])
        hint = did_you_mean(last, _words(owner)) if owner else ""
        return source.problem(place, "unknown-word", f"'{last}' is not a word that can stand here", hint, key=True)
    if kind == "missing":
        missing = str(fault["loc"][-1])
        return source.problem(place, "missing-word", f"'{missing}' is missing here", f"add '{missing}:'", key=True)
    reason = (fault.get("ctx") or {}).get("error")
    if isinstance(reason, NotYet):
        return source.problem(place, "not-yet", str(reason), "leave it out for now", key=True, level="not-yet")
    code = getattr(reason, "code", "wrong-value")
    message = str(reason) if reason else _plain(fault)
    hint = getattr(reason, "hint", "")
    if kind == "literal_error":
        hint = did_you_mean(str(fault["input"]), re.findall(r"'([^']*)'", fault["ctx"]["expected"]))
    return source.problem(place, code, message, hint)


_PLAIN = {
    "int_parsing": "this must be a whole number",
    "int_type": "this must be a whole number",
    "float_parsing": "this must be a number",
    "bool_parsing": "this must be yes or no",
    "list_type": "this must be a list, as in [a, b]",
    "tuple_type": "this must be a list, as in [a, b]",
    "dict_type": "this must be a group of 'name: value' lines",
    "model_type": "this must be a group of 'name: value' lines",
    "model_attributes_type": "this must be a group of 'name: value' lines",
    "string_type": "this must be text",
}


def _plain(fault: Any) -> str:
    if fault["type"] == "literal_error":
        return f"this must be one of {fault['ctx']['expected']}"
    return _PLAIN.get(fault["type"], str(fault["msg"]).lower())


def _walk(data: Any, loc: tuple[int | str, ...]) -> Path:
    """pydantic puts union tags into its paths; the real path is what can be walked in the data."""
    path: list[int | str] = []
    for part in loc:
        if isinstance(data, dict) and part in data:
            data = data[part]
        elif isinstance(data, list) and isinstance(part, int) and part < len(data):
            data = data[part]  # noqa: SIM114  # joined to one condition, the type of `part` is lost
        else:
            continue
        path.append(part)
    return tuple(path)


def _words(model: type[BaseModel]) -> list[str]:
    return [info.alias or name for name, info in model.model_fields.items()]


def _model_at(model: type[BaseModel], loc: tuple[int | str, ...]) -> type[BaseModel] | None:
    """The model in which an unknown word stood, to name the words that it knows."""
    current: Any = model
    for part in loc:
        candidates = [current] if _is_model(current) else _models(current)
        if _is_model(current):
            info = next((i for n, i in current.model_fields.items() if part in (i.alias or n, n)), None)
            if info is not None:
                current = info.annotation
                continue
        tagged = [m for m in candidates if part in (m.__name__, getattr(m, "verb", None))]
        current = tagged[0] if tagged else candidates[0] if len(candidates) == 1 else current
    found = [current] if _is_model(current) else list(_models(current))
    return found[0] if len(found) == 1 else None


def _is_model(thing: Any) -> bool:
    return isinstance(thing, type) and issubclass(thing, BaseModel)


def _models(annotation: Any) -> list[type[BaseModel]]:
    if _is_model(annotation):
        return [annotation]
    if get_origin(annotation) in (Union, types.UnionType, Annotated) or get_origin(annotation):
        return [model for argument in get_args(annotation) for model in _models(argument)]
    return []
