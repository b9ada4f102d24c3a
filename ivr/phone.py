"""Phone numbers: E.164 in, masked out. The only importer of phonenumbers.

Fictional numbers (+1 555 …) are callers too: a number must be possible, not assigned.
"""

from __future__ import annotations

import re

import phonenumbers

_E164 = re.compile(r"\+[1-9]\d{6,14}$")
# What carriers send for a hidden number: ANONYMOUS, RESTRICTED, BLOCKED, UNKNOWN, UNAVAILABLE spelled on the keypad.
_WITHHELD = {"+266696687", "+7378742833", "+2562533", "+8656696", "+86282452253"}
_LOOKS_LIKE_A_NUMBER = re.compile(r"\+?\d[\d\s().-]{5,}\d")


def e164(text: str, region: str | None = None) -> str | None:
    """`text` as E.164, or None: withheld, anonymous, `client:` and `sip:` callers have no number.

    `region` (such as "US") helps with national numbers; without it only international ones are read.
    """
    if text in _WITHHELD:
        return None
    if _E164.match(text) and len(text) <= 16:
        return text
    if not text or len(text) > 40 or ":" in text or "@" in text:
        return None
    try:
        number = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_possible_number(number):
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def as_keyed(digits: str, like: str | None) -> str | None:
    """A number keyed without a plus, as E.164: national as in the country of `like` (a line's number), or international."""
    if digits.startswith("+"):
        return e164(digits)
    region = None
    if like and like.startswith("+"):
        try:
            code = phonenumbers.parse(like, None).country_code
        except phonenumbers.NumberParseException:
            code = None
        region = phonenumbers.region_code_for_country_code(code) if code else None
    return e164(digits, region) or (e164("+" + digits) if len(digits) > 10 else None)


def masked(text: str) -> str:
    """For logs and screens: enough to recognise a number one knows, not enough to dial it."""
    if len(text) < 7 or not any(character.isdigit() for character in text):
        return text
    return f"{text[:2]}•••{text[-4:]}" if text.startswith("+") else f"•••{text[-2:]}"


def mask_within(text: str) -> str:
    """`text` with everything in it that looks like a phone number masked."""
    return _LOOKS_LIKE_A_NUMBER.sub(lambda found: masked(found.group()), text)


def zone_of(number: str) -> str | None:
    """The time zone that an E.164 number lies in; None where it may lie in several, or nobody knows."""
    from phonenumbers import timezone

    try:
        zones = timezone.time_zones_for_number(phonenumbers.parse(number))
    except phonenumbers.NumberParseException:
        return None
    return zones[0] if len(zones) == 1 and zones[0] != timezone.UNKNOWN_TIMEZONE else None


def callable_from(number: str, line: str) -> bool:
    """Whether a line may be asked to call `number`: one of the line's own country, so that nobody is sent to dear places."""
    try:
        return bool(phonenumbers.parse(number).country_code == phonenumbers.parse(line).country_code)
    except phonenumbers.NumberParseException:
        return False


def region_of(number: str) -> str | None:
    """The region whose national numbers are keyed in beside this E.164 number: the first of its country code."""
    try:
        region = str(phonenumbers.region_code_for_country_code(phonenumbers.parse(number).country_code or 0))
    except phonenumbers.NumberParseException:
        return None
    return region if region.isalpha() else None
