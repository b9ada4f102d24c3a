"""Words against phrases: normalised, then compared forgivingly. The whole of understanding until a better engine comes.

understand("uh yeah I was charged too much", choices) → Understanding("option:bill", 0.93, None)
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from rapidfuzz import fuzz

SURE = 0.82
"""A reading below this is no reading: the caller is asked again rather than sent somewhere wrong."""

MAX_WORDS = 60


class Understanding(NamedTuple):
    """The choice that was meant, how surely (0 to 1), and the next best; `choice` is None where nothing fits."""

    choice: str | None
    score: float
    runner_up: str | None = None


NOTHING = Understanding(None, 0.0)

_FILLERS = frozenset(
    "uh um er hm hmm please hi hello hey well so like just oh ah hola buenas buenos dias tardes eh este pues por favor".split()
)


def normalise(text: str) -> str:
    """Lower case, no accents, no punctuation, apostrophes closed up, one space between words."""
    folded = unicodedata.normalize("NFKD", text[:2000]).casefold().replace("'", "").replace("’", "")
    letters = "".join(character for character in folded if not unicodedata.combining(character))
    return " ".join(re.findall(r"\w+", letters)[:MAX_WORDS])


def understand(text: str, choices: Mapping[str, Sequence[str]]) -> Understanding:
    """The best of `choices` (name → normalised phrases) for `text`. Earlier choices win ties with later ones' tiers.

    A choice's name begins with its tier (`option:`, `command:`, `elsewhere:`): what is open here is preferred to a command,
    and a command to a reason elsewhere in the line.
    """
    said = normalise(text)
    if not said:
        return NOTHING
    bare = " ".join(word for word in said.split() if word not in _FILLERS) or said
    heard = (bare,) if bare == said else (bare, said)  # a filler may be part of a phrase: "please do", "por supuesto"
    scores: dict[str, float] = {}
    for name, phrases in choices.items():
        best = 0.0
        for phrase in phrases:
            best = max(best, *(_score(words, phrase) for words in heard))
            if best == 1.0:
                break
        scores[name] = best
    return _decide(scores)


def _score(said: str, phrase: str) -> float:
    if said == phrase:
        return 1.0
    words, wanted = said.split(), phrase.split()
    if len(wanted) <= len(words) and _holds_in_order(words, wanted):
        # A whole phrase inside a longer sentence: the more of the sentence it is, the surer.
        share = len(wanted) / len(words)
        return (
            0.9 + 0.09 * share if len(wanted) > 1 else 0.83 + 0.1 * share if len(words) <= 8 or len(phrase) > 4 else 0.7
        )
    if min(len(said), len(phrase)) < 4:
        return 0.0
    spelled = fuzz.ratio(said, phrase) / 100
    together = fuzz.token_sort_ratio(said, phrase) / 100
    inside = fuzz.partial_ratio(said, phrase) / 100 * 0.92 if len(wanted) > 1 and len(said) > len(phrase) else 0.0
    return min(0.98, max(spelled, together, inside))


def _holds_in_order(words: Sequence[str], wanted: Sequence[str]) -> bool:
    size = len(wanted)
    return any(words[at : at + size] == list(wanted) for at in range(len(words) - size + 1))


_TIERS = {"option": 0.0, "command": 0.02, "elsewhere": 0.06}


def _decide(scores: Mapping[str, float]) -> Understanding:
    ranked = sorted(scores, key=lambda name: -(scores[name] - _TIERS.get(name.split(":")[0], 0.0)))
    if not ranked or scores[ranked[0]] < SURE:
        return Understanding(None, scores[ranked[0]] if ranked else 0.0, ranked[0] if ranked else None)
    best = ranked[0]
    second = ranked[1] if len(ranked) > 1 else None
    same_tier = second is not None and second.split(":")[0] == best.split(":")[0]
    if second is not None and same_tier and scores[best] == scores[second]:
        # Two options fit equally: asking again is better than guessing.
        return Understanding(None, scores[best], best)
    return Understanding(best, round(scores[best], 4), second)
