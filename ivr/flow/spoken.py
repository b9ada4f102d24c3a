"""Values as a language speaks them: money, days, times, numbers, codes. Everything from outside is escaped here.

What comes out is the inside of a `<Say>`: text with XML escaped, and SSML from a short allow-list.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime, time
from functools import lru_cache
from html import unescape
from typing import Any

from babel.core import Locale
from babel.dates import format_skeleton, format_time
from babel.lists import format_list
from babel.numbers import format_currency, format_decimal
from babel.plural import PluralRule

MAX_VALUE = 300
"""Characters of one value from outside that are spoken; the rest is left out."""

LOCALES: Mapping[str, str] = {"en": "en-US", "es": "es-US", "fr": "fr-FR", "de": "de-DE", "pt": "pt-BR", "it": "it-IT"}
"""The locale spoken where a line names only a language."""

_INVALID = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_ISO_DATE = re.compile(r"\d{4}-\d\d-\d\d$")


def locale_of(language: str) -> str:
    """`en` → `en-US`; a full locale stays."""
    return language if "-" in language else LOCALES.get(language, language)


@lru_cache(maxsize=64)
def _babel(language: str) -> Locale:
    try:
        return Locale.parse(locale_of(language), sep="-")
    except Exception:
        return Locale.parse("en_US")


def escape(text: str) -> str:
    """`text` from outside, safe inside XML and short enough to speak."""
    if len(text) > MAX_VALUE:
        text = text[:MAX_VALUE]
    if not text.isascii() or not text.isprintable():
        text = _INVALID.sub(" ", text)
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _tidy(text: str) -> str:
    return escape(text.replace("\u202f", " ").replace("\xa0", " "))


@lru_cache(maxsize=4096)
def _money(value: float, language: str, currency: str) -> str:
    return _tidy(format_currency(value, currency, locale=_babel(language)))


@lru_cache(maxsize=4096)
def _day(value: str, language: str) -> str:
    return _tidy(format_skeleton("MMMMd", date.fromisoformat(value[:10]), locale=_babel(language)))


@lru_cache(maxsize=4096)
def _time(value: str, language: str) -> str:
    moment = time.fromisoformat(value) if len(value) < 9 else datetime.fromisoformat(value).time()
    return _tidy(format_time(moment, "short", locale=_babel(language)))


@lru_cache(maxsize=4096)
def _number(value: float, language: str) -> str:
    return _tidy(format_decimal(value, locale=_babel(language)))


def _as(how: str) -> Callable[[Any, str, str], str]:
    return lambda value, language, currency: f'<say-as interpret-as="{how}">{escape(str(value))}</say-as>'


def _list(value: Any, language: str, currency: str) -> str:
    items = [str(item) for item in value] if isinstance(value, list) else [str(value)]
    return escape(format_list(items[:20], locale=_babel(language)))


FILTERS: Mapping[str, Callable[[Any, str, str], str]] = {
    "money": lambda value, language, currency: _money(float(value), language, currency),
    "day": lambda value, language, currency: _day(str(value), language),
    "time": lambda value, language, currency: _time(str(value), language),
    "number": lambda value, language, currency: _number(float(value), language),
    "digits": _as("digits"),
    "spell": _as("characters"),
    "phone": _as("telephone"),
    "list": _list,
}
"""Name → how a value is spoken: (value, language, currency) → inside of a Say."""

TAKES: Mapping[str, tuple[str, ...]] = {
    "money": ("money", "number"),
    "day": ("date",),
    "time": ("time",),
    "number": ("number", "money"),
    "digits": ("text", "number", "phone"),
    "spell": ("text", "number"),
    "phone": ("phone", "text"),
    "list": ("list",),
}
"""Name → kinds of values it may be used on."""


def speak(value: Any, how: str | None, language: str, currency: str) -> str:
    """`value` as `language` speaks it. A value that does not fit its filter is spoken as it stands."""
    try:
        if how is not None:
            return FILTERS[how](value, language, currency)
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            return _number(value, language)
        if isinstance(value, list):
            return _list(value, language, currency)
        if isinstance(value, str) and _ISO_DATE.match(value):
            return _day(value, language)
    except (ValueError, TypeError, ArithmeticError):
        pass
    return escape(str(value))


def plural(number: float, language: str) -> str:
    """The CLDR plural category (one, few, other …) of `number` in `language`."""
    rule: PluralRule = _babel(language).plural_form
    return str(rule(number))


def plural_categories(language: str) -> tuple[str, ...]:
    """Every category that `language` needs, but `other`; whole numbers to a million decide."""
    rule = _babel(language).plural_form
    return tuple(sorted({str(rule(number)) for number in range(200)} - {"other"}))


_TAG = re.compile(r"<[^>]*>")
_BREAK = re.compile(r'<break[^>]*time="(\d+)(ms|s)"')


def plain(ssml: str) -> str:
    """What is heard, as plain text."""
    return " ".join(unescape(_TAG.sub("", ssml)).split()) if "<" in ssml or "&" in ssml else ssml


CHARACTERS_PER_SECOND = 15.0
"""How fast a neural voice speaks, spaces counted: about 160 words a minute. An estimate, and labelled so everywhere."""


@lru_cache(maxsize=4096)
def seconds(ssml: str) -> float:
    """Estimated seconds it takes to speak `ssml`."""
    text = plain(ssml)
    pauses = (
        sum(int(n) / (1000 if unit == "ms" else 1) for n, unit in _BREAK.findall(ssml)) if "<break" in ssml else 0.0
    )
    ends = text.count(". ") + text.count("? ") + text.count("! ")
    digits = sum(character.isdigit() for character in text)
    return round((len(text) + 3 * digits) / CHARACTERS_PER_SECOND + 0.25 * ends + pauses, 2)
