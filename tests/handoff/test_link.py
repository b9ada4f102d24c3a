"""A link to one packet opens that packet for a while, and nothing else ever."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivr.handoff.link import sign, task_of

KEY, NOW = "a secret key", 1_772_460_900
keys, tasks = st.text(min_size=1, max_size=30), st.text(st.characters(exclude_categories=["Cs"]), max_size=80)


@given(keys.filter(lambda key: key.isascii()), tasks, st.integers(NOW, NOW + 10**6))
def test_a_link_opens_its_packet_until_its_time(key, task, until):
    token = sign(key, task, until)
    assert re.fullmatch(r"[\w.-]+", token, re.ASCII)
    if len(token) <= 400:
        assert task_of(key, token, until) == task
        assert task_of(key, token, until + 1) is None
        assert task_of(key + "x", token, NOW) is None


@given(st.integers(0, 200), st.characters())
def test_a_link_changed_in_one_place_opens_nothing(place, character):
    token = sign(KEY, "CA1-1", NOW + 60)
    place %= len(token)
    changed = token[:place] + character + token[place + 1 :]
    assert changed == token or task_of(KEY, changed, NOW) is None


@given(st.text(max_size=500))
def test_any_text_at_all_opens_nothing(token):
    assert task_of(KEY, token, NOW) is None


@pytest.mark.parametrize("token", ["", ".", "..", "a.b.c", f"{'x' * 500}.1.y", "Q0E.99999999999.", "\ud800.1.2"])
def test_odd_tokens_open_nothing(token):
    assert task_of(KEY, token, NOW) is None


def test_without_a_key_nothing_is_signed_and_nothing_opens():
    with pytest.raises(ValueError, match="IVR_SECRET_KEY"):
        sign("", "CA1-1", NOW)
    assert task_of("", sign("x", "CA1-1", NOW + 9), NOW) is None
