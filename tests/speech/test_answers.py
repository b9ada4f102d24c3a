"""What was keyed or said becomes the value that was asked for, or nothing; and nothing that is said breaks anything."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ivr.speech.answers import read_answer, read_date, read_digits, read_number, spoken_digits

KINDS = ("digits", "number", "money", "date", "time", "phone", "words", "yes_no", "recording", "unheard of")
ENGLISH = "zero one two three four five six seven eight nine".split()
SPANISH = "cero uno dos tres cuatro cinco seis siete ocho nueve".split()
dates = st.dates(date(1900, 1, 1), date(2099, 12, 31))
MONTHS = "january february march april may june july august september october november december".split()


@given(st.sampled_from(KINDS), st.text() | st.text("0123456789*#+ .:pam"), st.sampled_from(("en", "es", "xx", "en-GB")))
@example("time", "٣:٤٥", "en")
@example("number", "9" * 400, "en")
@example("digits", "²", "en")
def test_nothing_that_is_said_breaks_anything(kind, text, language):
    read_answer(kind, text, language, None)
    read_answer(kind, text, language, (3, 5))


@given(st.text("0123456789", min_size=1, max_size=40))
def test_digits_come_back_as_they_were_keyed_and_said(digits):
    assert read_digits(digits, "en", None) == digits
    assert read_digits(digits + "#", "en", None) == digits
    assert spoken_digits(" ".join(ENGLISH[int(digit)] for digit in digits), "en") == digits
    assert spoken_digits(" ".join(SPANISH[int(digit)] for digit in digits), "es") == digits
    assert spoken_digits(" ".join(digits), "en") == digits


@given(st.text("0123456789", min_size=1, max_size=30), st.integers(1, 30), st.integers(0, 30))
def test_digits_keep_to_their_length(digits, low, more):
    assert (read_digits(digits, "en", (low, low + more)) is not None) == (low <= len(digits) <= low + more)


@given(dates)
def test_a_date_comes_back_as_it_was_keyed_and_said(day):
    keyed = f"{day.month:02}{day.day:02}{day.year}"
    assert read_date(keyed, "en") == day.isoformat()
    assert read_date(f"{MONTHS[day.month - 1]} {day.day} {day.year}", "en") == day.isoformat()
    assert read_date(f"the {day.day} of {MONTHS[day.month - 1]}, {day.year}", "en") == day.isoformat()


@given(dates)
def test_eight_digits_that_can_be_read_in_one_way_only_are_read_in_that_way(day):
    read = read_date(f"{day.day:02}{day.month:02}{day.year}", "en")
    assert read == (day if day.day > 12 else date(day.year, day.day, day.month)).isoformat()


@pytest.mark.parametrize("text", ["02302026", "13132026", "0101", "030120261", "february 30 2026", "next tuesday"])
def test_a_day_that_there_is_not_is_none(text):
    assert read_date(text, "en") is None


@given(st.integers(0, 10**11), st.integers(0, 99))
def test_a_number_comes_back_as_it_was_keyed(whole, cents):
    assert read_number(str(whole), "en") == whole
    assert read_answer("money", f"{whole % 10**7}*{cents:02}", "en", None) == round(whole % 10**7 + cents / 100, 2)


@given(st.integers(0, 23), st.integers(0, 59))
def test_a_time_comes_back_as_it_was_keyed_and_said(hour, minute):
    expected = f"{hour:02}:{minute:02}"
    assert read_answer("time", f"{hour:02}{minute:02}", "en", None) == expected
    assert read_answer("time", f"{hour}:{minute:02}", "en", None) == expected
    half = "pm" if hour >= 12 else "am"
    assert read_answer("time", f"{hour % 12 or 12}:{minute:02} {half}", "en", None) == expected


@pytest.mark.parametrize("text", ["2460", "25:00", "soon", ""])
def test_a_time_that_there_is_not_is_none(text):
    assert read_answer("time", text, "en", None) is None


def test_words_are_kept_as_they_are_within_reason():
    assert read_answer("words", "  hello there ", "en", None) == "hello there"
    assert read_answer("words", "   ", "en", None) is None
    assert len(read_answer("words", "x" * 5000, "en", None)) == 1000
