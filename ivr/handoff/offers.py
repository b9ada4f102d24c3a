"""What an agent may grant in this call, how like cases were treated, and why something cannot be granted."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from ivr.config import Concession
from ivr.personal.known import Facts


def offers(
    concessions: Mapping[str, Concession],
    facts: Facts,
    reason: str | None,
    like: Mapping[str, tuple[int, int]],
) -> list[dict[str, Any]]:
    """The concessions for this reason, each as JSON-native data.

    `name`, `title`, `limit`; `amount`, where `give:` says what it comes from and that is known; `missing`: what `give:` needs
    that is not known, so that it cannot be granted yet; `like`: how like cases were treated. `facts` as a session has them,
    root → name → value (`found` may be among them); `like` is a concession's name → (granted, of how many).
    """
    return [
        _offer(name, concession, facts, like.get(name, (0, 0)))
        for name, concession in concessions.items()
        if not concession.reasons or reason in concession.reasons
    ]


def _offer(name: str, concession: Concession, facts: Facts, like: tuple[int, int]) -> dict[str, Any]:
    made: dict[str, Any] = {"name": name, "title": concession.title, "limit": concession.limit}
    amount = _at(facts, concession.give.get(concession.amount, ""))
    if isinstance(amount, (int, float)) and not isinstance(amount, bool) and 0 < amount < math.inf:
        made["amount"] = amount
    needed = (field for field in concession.give if field != concession.amount)
    missing = sorted(field for field in needed if _at(facts, concession.give[field]) is None)
    if missing:
        made["missing"] = missing
    return made | {"like": granted_in_words(*like)}


def payload(concession: Concession, facts: Facts, amount: float) -> dict[str, Any]:
    """What the concession's action is given."""
    return {field: _at(facts, name) for field, name in concession.give.items()} | {concession.amount: amount}


def _at(facts: Facts, name: str) -> Any:
    """The value of a dotted name: `account.number`, `caller.tags.vip`, `found.bill.late_fee`."""
    root, _, rest = name.partition(".")
    values: Any = facts.get(root, {})
    if rest in values:
        return values[rest]
    for part in rest.split("."):
        values = values.get(part) if isinstance(values, Mapping) else None
    return values


def granted_in_words(granted: int, of: int) -> str:
    """How often like cases had it: `granted in 7 of 9 like it`."""
    return f"granted in {granted} of {of} like it" if of else "no case like it yet"


def refusal(concession: Concession, amount: float, why: str) -> str | None:
    """Why this cannot be granted, and what to do; None where it can."""
    limit = _in_words(concession.limit)
    if not 0 < amount < math.inf:
        return f"An amount is a number above zero. Enter one up to {limit}."
    if amount > concession.limit:
        return f"{_in_words(amount)} is over your limit of {limit}. Grant {limit} or less, or ask your lead."
    if not why.strip():
        return "Say in a few words why, so that the next colleague understands."
    return None


def _in_words(amount: float) -> str:
    return f"{amount:,.2f}".removesuffix(".00")
