"""Kinds of values, and how far a caller must be known before a value may be used.

At run time a value is what JSON has: text, numbers, flags, lists. Money is a number in the line's currency, a date is
`2026-03-10`, a time is `09:15`: they compare and sort as they stand. None means *not known*.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, time
from typing import Any, Literal

from ivr.phone import e164

Kind = Literal["text", "number", "money", "date", "time", "flag", "phone", "list", "record", "any"]
Speak = Literal["anyone", "recognised", "verified", "never"]
Level = Literal["anyone", "recognised", "verified"]

LEVELS: Mapping[str, int] = {"anyone": 0, "recognised": 1, "verified": 2, "never": 3}


def convert(kind: str, value: Any) -> Any:
    """`value` (text from a file, or JSON from outside) as `kind`.

    Raises ValueError with a plain sentence. None and "" are not known.
    """
    if value is None or value == "":
        return None
    if kind in ("number", "money"):
        return _number(value, kind)
    if kind == "flag":
        if isinstance(value, bool):
            return value
        word = str(value).strip().lower()
        if word in ("yes", "true", "1", "y", "on"):
            return True
        if word in ("no", "false", "0", "n", "off"):
            return False
        raise ValueError(f"'{value}' is not yes or no")
    if kind == "date":
        return _date(str(value).strip())
    if kind == "time":
        return _time(str(value).strip())
    if kind == "phone":
        number = e164(str(value).strip())
        if number is None:
            raise ValueError("this is not a phone number in the form +15551234567")
        return number
    if kind == "list":
        if not isinstance(value, list):
            raise ValueError("this is not a list")
        return value[:100]
    if kind == "text" and not isinstance(value, (str, int, float)):
        raise ValueError("this is not text")
    text = str(value).strip() if kind == "text" else value
    # Half of a surrogate pair, which JSON may hold, is no text that could be stored.
    return text[:2000].encode(errors="replace").decode() if isinstance(text, str) else text


def _number(value: Any, kind: str) -> int | float:
    if isinstance(value, bool):
        raise ValueError("yes or no is not a number")
    try:
        number = float(str(value).replace(",", "") if isinstance(value, str) else value)
    except (TypeError, ValueError, OverflowError):
        raise ValueError(f"'{str(value)[:40]}' is not a number") from None
    if number != number or abs(number) > 1e15:
        raise ValueError("this number is out of range")
    number = round(number, 2 if kind == "money" else 6)
    return int(number) if number == int(number) else number


def _date(text: str) -> str:
    try:
        return date.fromisoformat(text[:10]).isoformat()
    except ValueError:
        raise ValueError(f"'{text[:40]}' is not a date in the form 2026-03-31") from None


def _time(text: str) -> str:
    try:
        return time.fromisoformat(text).strftime("%H:%M")
    except ValueError:
        raise ValueError(f"'{text[:40]}' is not a time in the form 09:30") from None
