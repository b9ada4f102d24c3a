"""Numbers in E.164, numbers that are nobody's, and numbers that may be seen."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivr.phone import e164, mask_within, masked

numbers = st.integers(10**9, 10**13).map(lambda number: f"+{number}")


@given(st.text(max_size=60) | st.text("+0123456789 ()-.ext", max_size=30), st.sampled_from((None, "US", "DE", "XX")))
def test_whatever_comes_is_a_number_in_e164_or_none(text, region):
    number = e164(text, region)
    assert number is None or (number[0] == "+" and number[1:].isdigit() and len(number) <= 16)
    assert number is None or e164(number, region) == number


@pytest.mark.parametrize("text", ["+15550001111", "+442079460000", "+4915112345678"])
def test_a_number_in_e164_stays_as_it_is(text):
    assert e164(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "anonymous",
        "Anonymous",
        "client:margo",
        "sip:a@b.example",
        "+266696687",
        "+7378742833",
        "+86282452253",
        "unknown",
        "1" * 50,
        "+",
        "+0123456789",
    ],
)
def test_withheld_client_and_sip_callers_have_no_number(text):
    assert e164(text) is None


def test_a_national_number_needs_its_region():
    assert e164("(313) 555-0123") is None
    assert e164("(313) 555-0123", "US") == "+13135550123"


@given(numbers)
def test_a_masked_number_cannot_be_dialled(number):
    seen = masked(number)
    assert number not in seen and sum(character.isdigit() for character in seen) <= 5
    assert mask_within(f"calls {number} now") != f"calls {number} now"
    assert number[2:-4] not in mask_within(f"calls {number} now") or len(number) < 9


@given(st.text(max_size=80))
def test_masking_never_breaks(text):
    masked(text)
    mask_within(text)
