"""A packet that is too long loses its least important parts first, whole, and says so."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivr.handoff.fit import HUGE, LIMIT, fit
from ivr.handoff.packet import SECTIONS
from ivr.jsontext import decode, encode

texts = st.text(st.characters(), max_size=40) | st.sampled_from(
    ["x" * 3000, "é" * 700, "🙂" * 300, "\ud800" * 9, "\u202e" + "ا" * 60, '"\\\x00\n' * 30, ""]
)
scalars = texts | st.none() | st.booleans() | st.integers(-(10**15), 10**15) | st.floats(allow_nan=False)
entries = scalars | st.dictionaries(texts, scalars, max_size=3)
values = (
    entries
    | st.lists(entries, max_size=6)
    | st.dictionaries(texts, entries | st.lists(entries, max_size=3), max_size=4)
)


@st.composite
def packets(draw):
    drawn = draw(st.dictionaries(st.sampled_from(list(SECTIONS)), values, max_size=len(SECTIONS)))
    return {name: drawn[name] for name in SECTIONS if name in drawn}


limits = st.integers(2, 6000)


def leaves(value, path=()):
    """Every value in it with the names it stands under; of entries of a list only what they are, not where."""
    if isinstance(value, dict):
        return {leaf for key, inner in value.items() for leaf in leaves(inner, (*path, key))}
    if isinstance(value, list):
        return {(path, encode(inner)) for inner in value if not marked(encode(inner))}
    return set() if marked(encode(value)) else {(path, encode(value))}


def marked(text):
    return "[left out: " in text


@given(packets(), limits)
def test_it_is_always_json_within_its_limit(packet, limit):
    text = fit(packet, limit)
    assert len(text.encode()) <= limit
    assert isinstance(decode(text), dict)


@given(packets())
def test_what_fits_is_left_alone(packet):
    everything = fit(packet, 10**9)
    assert fit(packet, len(everything.encode())) == everything
    assert "left_out" not in decode(everything)


@given(packets(), limits)
def test_fitting_twice_is_fitting_once(packet, limit):
    once = fit(packet, limit)
    assert fit(decode(once), limit) == once


@given(packets(), limits, limits)
def test_what_was_fitted_before_can_be_made_smaller_and_keeps_its_list(packet, one, other):
    large = decode(fit(packet, max(one, other)))
    small = decode(fit(large, min(one, other)))
    assert not small or set(large.get("left_out", ())) <= set(small.get("left_out", ()))


@given(packets(), limits, limits)
def test_more_room_never_shows_less(packet, one, other):
    less, more = (decode(fit(packet, limit)) for limit in sorted((one, other)))
    left_less, left_more = (set(found.pop("left_out", ())) for found in (less, more))
    assert leaves(less) <= leaves(more)
    assert left_more <= left_less or not less


@given(packets(), limits)
def test_nothing_is_cut_in_the_middle(packet, limit):
    whole = decode(fit(packet, 10**9))
    left = decode(fit(packet, limit))
    left.pop("left_out", None)
    assert leaves(left) <= leaves(whole)


@given(packets(), limits)
def test_what_is_not_whole_is_named(packet, limit):
    whole = decode(fit(packet, 10**9))
    left = decode(fit(packet, limit))
    named = left.pop("left_out", [])
    if left or named:
        assert {name for name in whole if name not in left or left[name] != whole[name]} <= set(named)


@given(packets(), limits)
def test_who_and_why_stay_as_long_as_they_fit(packet, limit):
    whole = decode(fit(packet, 10**9))
    first = {name: whole[name] for name in ("who", "reason") if name in whole}
    huge = any(len(text.encode()) > HUGE for text in strings(first))
    if not huge and len(encode({**first, "left_out": list(whole)}).encode()) <= limit:
        left = decode(fit(packet, limit))
        assert {name: left[name] for name in first} == first


def strings(value):
    if isinstance(value, str):
        return [value]
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [text for each in inner for text in strings(each)]


@given(packets(), limits)
def test_the_most_important_sections_go_last(packet, limit):
    whole = decode(fit(packet, 10**9))
    left = decode(fit(packet, limit))
    gone = [name for name in whole if name not in left and whole[name] not in ({}, [])]
    kept = [name for name in left if name in SECTIONS and whole[name] not in ({}, [])]
    order = list(SECTIONS)
    assert all(order.index(name) > order.index(other) for name in gone for other in kept)


def test_what_happened_first_in_a_call_is_left_out_first():
    packet = {"who": {"name": "Ada"}, "done": [f"0:{n:02d} heard: {'la ' * 40}" for n in range(60)]}
    left = decode(fit(packet))
    assert left["who"] == {"name": "Ada"} and left["left_out"] == ["done"]
    assert left["done"] == packet["done"][-len(left["done"]) :] and len(left["done"]) > 20


def test_the_oldest_calls_are_left_out_first():
    packet = {"who": {}, "calls": [f"2026-01-{30 - n} {'bill ' * 60}" for n in range(30)]}
    left = decode(fit(packet))["calls"]
    assert left == packet["calls"][: len(left)]


def test_a_name_of_forty_kilobytes_costs_nothing_else():
    packet = {
        "who": {"name": "<b>" * 14_000, "number": "+15550100002"},
        "reason": {"words": ["my bill"]},
        "done": ["0:01 x"],
    }
    left = decode(fit(packet))
    assert left["who"] == {"name": "[left out: 42,000 characters]", "number": "+15550100002"}
    assert left["reason"] == packet["reason"] and left["done"] == packet["done"]
    assert left["left_out"] == ["who"]


def test_jeromes_long_story_is_kept_whole_and_the_least_important_goes(play):
    story = ("my mother died in January and I would like to close her account but the letter " * 12).strip()
    found = play("jerome", f"“{story}”").packet(calls=None, offers=[{"title": "x" * 500, "limit": 20}] * 9)
    assert len(encode(found).encode()) > LIMIT
    left = decode(fit(found))
    assert left["who"] == found["who"] and left["reason"] == found["reason"]
    assert "done" not in left and left["left_out"][-1] == "done"


def test_what_is_empty_can_go_too():
    assert decode(fit({"who": {}, "reason": [], "done": ["x" * 50], "known": {"a": []}}, 40)) == {}


@pytest.mark.parametrize("limit", [2, 20, 60, 200])
def test_even_the_smallest_limit_holds(limit):
    assert len(fit({"who": {"name": "Ada"}, "done": ["x"] * 99}, limit)) <= limit
