"""JSON text, quickly: a turn writes a dozen of them, and every one is heard as silence."""

from __future__ import annotations

from typing import Any

import orjson


def encode(data: Any) -> str:
    """`data` as compact JSON; what JSON does not know is written as its text."""
    return orjson.dumps(data, default=str).decode()


def decode(text: str | bytes) -> Any:
    """The data in `text`; raises ValueError."""
    return orjson.loads(text)
