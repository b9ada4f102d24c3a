"""Waiting in a queue, beat by beat: what is said next, which keys count, and when the wait is over. Pure.

A beat is one document of Twilio's waitUrl. Everything it needs comes with it, so a beat that is asked for twice is the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

from ivr.config import Waiting
from ivr.handoff.estimate import Range, spoken

OFFER_EVERY = 4
"""Beats between two offers of a callback."""

MAX_TRIES = 3
"""How often a number may be keyed in wrongly before the caller is simply back in line."""

Phase = Literal["hold", "confirm", "number"]


class Now(NamedTuple):
    """Where the caller stands at this beat.

    `position`: 1 is next (None: not known); `told`: the position they heard last; `waited`: seconds; `number`: to call back;
    `coming`: an agent's phone is ringing for them; `tries`: numbers keyed in wrongly so far.
    """

    beat: int
    phase: Phase
    digits: str = ""
    position: int | None = None
    told: int | None = None
    estimate: Range | None = None
    waited: float = 0.0
    number: str | None = None
    coming: bool = False
    tries: int = 0


class Beat(NamedTuple):
    """What to play: prompts with their values, then music or quiet.

    `phase`: what keys mean until the next beat; `told`: the position the caller knows now; `book`: the number was confirmed;
    `keyed`: a number was keyed in; `leave`: the wait is over.
    """

    says: tuple[tuple[str, Mapping[str, Any]], ...] = ()
    phase: Phase = "hold"
    told: int | None = None
    tries: int = 0
    book: bool = False
    keyed: str | None = None
    leave: bool = False


def next_beat(waiting: Waiting, now: Now) -> Beat:
    """What this beat plays."""
    offer = waiting.callback
    if offer is not None and not now.coming:
        if now.phase == "number":
            return _number_keyed(now)
        if now.phase == "confirm":
            return _confirmed(now)
        if now.digits == offer.key:
            return ask_number(now)
    if now.waited > waiting.at_most and not now.coming:
        return Beat((("wait.too_long", {}),), leave=True, told=now.told)
    return _hold(waiting, now)


def ask_number(now: Now) -> Beat:
    """Reads the number back to confirm it; asks for one where there is none."""
    if now.number is None:
        return Beat((("wait.callback_which", {}),), "number", now.told, now.tries)
    return Beat((("wait.callback_number", {"number": now.number}),), "confirm", now.told, now.tries)


def _confirmed(now: Now) -> Beat:
    if now.digits == "1" and now.number is not None:
        return Beat((), "hold", now.told, book=True)
    if now.digits == "2":
        return Beat((("wait.callback_which", {}),), "number", now.told, now.tries)
    return Beat((("wait.back_in_line", {}),), "hold", now.told)


def _number_keyed(now: Now) -> Beat:
    if now.digits:
        return Beat((), "confirm", now.told, now.tries, keyed=now.digits)
    return Beat((("wait.back_in_line", {}),), "hold", now.told)


def wrong_number(now: Now) -> Beat:
    """A number that cannot be called: once more, or back in line."""
    if now.tries + 1 >= MAX_TRIES:
        return Beat((("wait.callback_wrong", {}), ("wait.back_in_line", {})), "hold", now.told)
    return Beat((("wait.callback_wrong", {}), ("wait.callback_which", {})), "number", now.told, now.tries + 1)


def _hold(waiting: Waiting, now: Now) -> Beat:
    """The position where it is news, else one of the queue's own lines in turn: never the same twice in a row."""
    says: list[tuple[str, Mapping[str, Any]]] = []
    if now.coming:
        says.append(("wait.callback_kept", {}))
    elif now.position is not None and now.position != now.told:
        says.append(("wait.position", {"position": now.position}))
        says += _estimate(now.estimate)
    elif waiting.say and (len(waiting.say) > 1 or now.beat % 2):
        lines = waiting.say
        says.append((lines[now.beat % len(lines)], {}) if len(lines) > 1 else (lines[0], {}))
    if waiting.callback is not None and not now.coming and now.beat % OFFER_EVERY == 0:
        says.append(("wait.offer_callback", {"key": waiting.callback.key}))
    told = now.told if now.coming or now.position is None else now.position
    return Beat(tuple(says), "hold", told)


def _estimate(estimate: Range | None) -> list[tuple[str, Mapping[str, Any]]]:
    if estimate is None:
        return []
    low, high = spoken(estimate)
    if low < 1:
        return [("wait.estimate_short", {"high": max(2, high)})]
    return [("wait.estimate", {"low": low, "high": max(high, low + 1)})]
