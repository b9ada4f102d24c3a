"""The packet as sentences, for a page and a terminal, and as the few words an agent hears before they accept.

Whatever was left out of the packet is simply not said. What callers said stays text: who shows it escapes it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from html import escape
from typing import Any

from ivr.flow.spoken import seconds
from ivr.handoff.seen import in_words, named

LANGUAGES = {"en": "English", "es": "Spanish", "fr": "French", "de": "German", "pt": "Portuguese", "it": "Italian"}

WHISPER_SECONDS = 8.0

HEADINGS: Mapping[str, str] = {
    "ask_not": "Do not ask again",
    "case": "Open case",
    "known": "What we know",
    "tried": "Already tried",
    "offers": "You may offer",
    "because": "Chosen because",
    "calls": "Earlier calls",
    "done": "This call",
    "link": "More",
    "left_out": "Left out here",
}


def lines(packet: Mapping[str, Any]) -> list[tuple[str, list[str]]]:
    """(heading, lines) in the order in which an agent needs them."""
    found = [("Caller", _caller(packet)), ("Why they call", _reason(packet.get("reason", {})))]
    for name, heading in HEADINGS.items():
        value = packet.get(name)
        if name == "case":
            found.append((heading, _case(value or {})))
        elif name == "offers":
            found.append((heading, [_offer(offer) for offer in value or ()]))
        elif name == "left_out":
            found.append((heading, [", ".join(HEADINGS.get(each, named(each)).lower() for each in value or ())]))
        else:
            found.append(
                (heading, [str(value)] if isinstance(value, str) else [in_words(each) for each in value or ()])
            )
    return [(heading, told) for heading, inner in found if (told := [line for line in inner if line])]


def _caller(packet: Mapping[str, Any]) -> list[str]:
    who = packet.get("who", {})
    manner: Sequence[str] = packet.get("manner", ())
    return [
        in_words(who.get("name", "")),
        in_words(who.get("words", "")),
        in_words(who.get("number") or ""),
        f"speaks {_language(packet['language'])}" if packet.get("language") else "",
        f"wordings: {in_words(manner)}" if manner else "",
    ]


def _language(code: str) -> str:
    return LANGUAGES.get(code.partition("-")[0], in_words(code))


def _reason(reason: Mapping[str, Any]) -> list[str]:
    own = [in_words(words) for words in reason.get("words", ())]
    labels = _labels(reason)
    told = [f"“{words}”" for words in own] + ([f"understood as: {', then '.join(labels)}"] if labels else [])
    about = in_words(reason.get("about") or "")
    repeats = about in own or about in [each.get("reason") for each in reason.get("understood", ())]
    return told if repeats or not about else [*told, f"about: {named(about)}"]


def _labels(reason: Mapping[str, Any]) -> list[str]:
    return [in_words(each.get("label") or each.get("reason", "")) for each in reason.get("understood", ())]


def _case(case: Mapping[str, Any]) -> list[str]:
    others = case.get("others", 0)
    return [
        f"about {named(in_words(case['about']))}" if case.get("about") else "",
        in_words(case.get("summary", "")),
        _promise(case),
        f"opened on {in_words(case['opened'])}" if case.get("opened") else "",
        f"{others} more {'case is' if others == 1 else 'cases are'} open" if others else "",
    ]


def _promise(case: Mapping[str, Any]) -> str:
    if not case.get("promise"):
        return ""
    by = f", by {in_words(case['promise_by'])}" if case.get("promise_by") else ""
    return f"we promised to {in_words(case['promise'])}{by}{': that day has passed' if case.get('late') else ''}"


def _offer(offer: Mapping[str, Any]) -> str:
    limit = f" up to {in_words(offer['limit'])}" if offer.get("limit") is not None else ""
    like = f" · {in_words(offer['like'])}" if offer.get("like") else ""
    return f"{in_words(offer.get('title', ''))}{limit}{like}"


def whisper_words(packet: Mapping[str, Any], at_most: float = WHISPER_SECONDS) -> str:
    """What an agent hears before they accept, in at most so many seconds (an estimate): whole sentences, the most important
    first; one that does not fit is left out. Plain text: who speaks it escapes it."""
    said = ""
    for sentence in _sentences(packet):
        longer = f"{said} {sentence}".strip()
        if seconds(escape(longer, quote=False)) <= at_most:
            said = longer
    return said


def _sentences(packet: Mapping[str, Any]) -> Iterator[str]:
    who, reason, case = (packet.get(name, {}) for name in ("who", "reason", "case"))
    parts = [who["name"]] if who.get("name") else []
    yield _sentence(", ".join(map(in_words, [*parts, who.get("words", "")])))
    labels = _labels(reason)
    if labels:
        yield _sentence(f"To {', and to '.join(labels)}")
    for words in reason.get("words", ())[:1]:
        yield _sentence(f"They said: {in_words(words)}")
    if not labels and not reason.get("words") and reason.get("about"):
        yield _sentence(f"About {named(in_words(reason['about']))}")
    if case:
        yield _sentence(_case_in_brief(case))
    language = packet.get("language", "en")
    if not str(language).startswith("en"):
        yield _sentence(f"Speaks {_language(str(language))}")


def _case_in_brief(case: Mapping[str, Any]) -> str:
    if case.get("promise"):
        late = "We are late, we" if case.get("late") else "We"
        return f"{late} promised to {in_words(case['promise'])}"
    return f"A case is open about {named(in_words(case['about']))}" if case.get("about") else "A case is open"


def _sentence(words: str) -> str:
    words = words.strip(" ,")
    return f"{words[:1].upper()}{words[1:]}{'' if words[-1:] in '.?!' else '.'}" if words else ""
