"""Who may be calling, how surely, and whether an answer proves it.

What a caller answers to `verify` is compared here, at the edge, and goes no further: the engine is told only which
question matched.
"""

from __future__ import annotations

import hashlib
import hmac
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any

from ivr.config import Question
from ivr.kinds import Level
from ivr.speech.answers import read_date


def level_at_first(number: str | None, people: int, forwarded: bool, attestation: str) -> Level:
    """How far a caller is known by their number alone.

    `attestation` is Twilio's StirVerstat: a number that failed its STIR/SHAKEN check may be anybody's.
    """
    if number is None or people != 1 or forwarded or "Failed" in attestation:
        return "anyone"
    return "recognised"


def matches(question: Question, heard: str, expected: Any, language: str) -> bool:
    """Whether what was keyed or said answers `question`. Constant time where it counts."""
    if expected is None or not heard:
        return False
    if question.kind == "date":
        answered = read_date(heard, language)
        return answered is not None and hmac.compare_digest(answered, str(expected)[:10])
    return hmac.compare_digest(_bare(heard), _bare(str(expected)))


def who_matches(
    question: Question, heard: str, people: Mapping[str, Mapping[str, Any]], among: Sequence[str], language: str
) -> list[str]:
    """Those of `among` whose fact the answer matches; `people` is person → facts."""
    fact = (question.equals or "").removeprefix("caller.")
    return [person for person in among if matches(question, heard, people.get(person, {}).get(fact), language)]


def _bare(text: str) -> bytes:
    folded = unicodedata.normalize("NFKD", text).casefold()
    return "".join(character for character in folded if character.isalnum()).encode()


def in_control_group(key: str, caller: str, line: str, share: float) -> bool:
    """Whether this caller hears the menu that everybody hears: a keyed hash, so the answer never changes and cannot be guessed."""
    digest = hmac.digest(key.encode(), f"{line}\x00{caller}".encode(), hashlib.sha256)
    return int.from_bytes(digest[:8], "big") < share * 2**64
