"""What was keyed or said, as the value a question asked for: digits, numbers, dates, times, phone numbers, yes or no."""

from __future__ import annotations

import re
from datetime import date
from typing import Any

from ivr.phone import as_keyed
from ivr.speech.words import normalise

_DIGIT_WORDS = {
    "en": "zero one two three four five six seven eight nine".split(),
    "es": "cero uno dos tres cuatro cinco seis siete ocho nueve".split(),
}
_DIGIT_ALIASES = {"oh": "0", "o": "0", "un": "1", "una": "1", "double": "", "to": "2", "for": "4"}
_MONTHS = {
    "en": "january february march april may june july august september october november december".split(),
    "es": "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre".split(),
}
_MAX_DIGITS = 60


def spoken_digits(text: str, language: str) -> str | None:
    """`four four one one` or `44 11` as `4411`; None where it holds other words."""
    names = {word: str(number) for words in _DIGIT_WORDS.values() for number, word in enumerate(words)}
    out: list[str] = []
    for word in normalise(text).split():
        if word.isdigit() and word.isascii():
            out.append(word)
        elif word in names:
            out.append(names[word])
        elif word in _DIGIT_ALIASES:
            out.append(_DIGIT_ALIASES[word])
        else:
            return None
    digits = "".join(out)
    return digits[:_MAX_DIGITS] or None


def read_digits(text: str, language: str, length: tuple[int, int] | None) -> str | None:
    """Digits as keyed (a closing # is dropped) or said, of the length asked for; else None."""
    digits = text.rstrip("#") if re.fullmatch(r"[0-9*#]+", text) else spoken_digits(text, language)
    if not digits or not digits.isdigit() or len(digits) > _MAX_DIGITS:
        return None
    low, high = length or (1, _MAX_DIGITS)
    return digits if low <= len(digits) <= high else None


def read_date(text: str, language: str) -> str | None:
    """Eight digits (month day year in the Americas' English and Spanish lines, else day month year), or words, as ISO.

    The four-digit year decides where eight digits could be read both ways only if one reading is impossible.
    """
    digits = re.sub(r"\D", "", text) if re.fullmatch(r"[0-9*#/. -]+", text) else ""
    if len(digits) == 8:
        first, second, year = int(digits[:2]), int(digits[2:4]), int(digits[4:])
        orders = (
            ((first, second), (second, first))
            if language.split("-")[0] in ("en", "es")
            else ((second, first), (first, second))
        )
        return next((found for month, day in orders if (found := _iso(year, month, day))), None)
    if digits:
        return None
    return _date_in_words(text, language)


def _date_in_words(text: str, language: str) -> str | None:
    words = normalise(text).split()
    months = {name: number for names in _MONTHS.values() for number, name in enumerate(names, 1)}
    month = next((months[word] for word in words if word in months), None)
    numbers = [int(found[1]) for word in words if (found := re.fullmatch(r"(\d{1,4})(?:st|nd|rd|th)?", word))]
    day = next((number for number in numbers if number <= 31), None)
    year = next((number for number in numbers if number > 1000), None)
    return _iso(year, month, day) if month and day and year else None


def _iso(year: int, month: int, day: int) -> str | None:
    try:
        return date(year, month, day).isoformat()
    except ValueError:
        return None


def read_time(text: str, language: str) -> str | None:
    """Three or four digits, `9 30`, `9:30 pm` as `21:30`."""
    said = text.lower().replace(".", "").rstrip("#")
    found = re.search(r"(?<!\d)(\d{1,2}?)[: ]?(\d{2})?(?!\d)\s*(am|pm|a m|p m)?", said)
    if not found:
        return None
    hour, minute = int(found[1]), int(found[2] or 0)
    half = (found[3] or "").replace(" ", "")
    if half == "pm" and hour < 12:
        hour += 12
    if half == "am" and hour == 12:
        hour = 0
    return f"{hour:02}:{minute:02}" if hour < 24 and minute < 60 else None


def read_number(text: str, language: str) -> float | int | None:
    """Keyed with * for the decimal point, or said in digits."""
    cleaned = re.sub(r"[$€£,]|dollars?|d[oó]lares?|euros?", "", text.lower()).strip().rstrip("#").replace("*", ".")
    if not re.fullmatch(r"-?\d{1,12}(\.\d{1,6})?", cleaned):
        digits = spoken_digits(cleaned, language)
        if digits is None or len(digits) > 12:
            return None
        cleaned = digits
    value = float(cleaned)
    return int(value) if value == int(value) else value


def read_answer(
    kind: str, text: str, language: str, length: tuple[int, int] | None, line_number: str | None = None
) -> Any:
    """`text`, keyed or said, as `kind` (as in `ask: … as:`); None where it is no such answer.

    `line_number`: the number that was called; a phone number keyed without a plus is read as in its country.
    """
    match kind:
        case "digits":
            return read_digits(text, language, length)
        case "number" | "money":
            number = read_number(text, language)
            return round(number, 2) if number is not None and kind == "money" else number
        case "date":
            return read_date(text, language)
        case "time":
            return read_time(text, language)
        case "phone":
            digits = text.rstrip("#")
            spoken = digits if re.fullmatch(r"\+?[0-9]+", digits) else spoken_digits(digits, language)
            return as_keyed(spoken, line_number) if spoken else None
        case "words":
            return text.strip()[:1000] or None
    return None
