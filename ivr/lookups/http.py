"""JSON over HTTP: one question to one source. No cache, no second try: those are the pool's."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from typing import Any

from ivr.config import SourceSpec
from ivr.lookups.connections import Connections
from ivr.lookups.fault import LookupFault
from ivr.lookups.requests import auth_headers, exchange

DEEPEST = 12
LONGEST_TEXT = 2000

# What neither XML, nor PostgreSQL's JSON, nor UTF-8 can hold: control characters, halves of pairs, non-characters.
_UNWRITABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")


def fetch(
    spec: SourceSpec,
    give: Mapping[str, Any],
    environment: Mapping[str, str],
    timeout: float,
    connections: Connections | None = None,
) -> dict[str, Any]:
    """The JSON object that the source answers to `give`, within `timeout` seconds in all. Raises LookupFault.

    It may say anything but can do no harm any more: text is text that can be stored and spoken, numbers are finite,
    nothing is nested so deep that reading it again would fail.
    """
    if spec.url is None:
        raise LookupFault("it has no address")
    body = exchange(spec.method, spec.url, give, auth_headers(spec.auth, environment), timeout, connections)
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):
        raise LookupFault("what it answered is not JSON", unwell=True) from None
    if not isinstance(answer, dict):
        raise LookupFault("what it answered is not a JSON object", unwell=True)
    return {_UNWRITABLE.sub("", name): tame(value) for name, value in answer.items()}


def tame(value: Any, depth: int = 1) -> Any:
    """`value` without what would break those who store or speak it later; what cannot be mended is not known."""
    if isinstance(value, str):
        return _UNWRITABLE.sub("", value[:LONGEST_TEXT])
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, int):
        return value if abs(value) < 1e18 else str(value)[:LONGEST_TEXT]
    if depth >= DEEPEST and isinstance(value, (dict, list)):
        return None
    if isinstance(value, dict):
        return {_UNWRITABLE.sub("", name): tame(inner, depth + 1) for name, inner in value.items()}
    if isinstance(value, list):
        return [tame(inner, depth + 1) for inner in value]
    return value
