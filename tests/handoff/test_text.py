"""The packet as sentences, and as the few words that an agent hears before they accept."""

from __future__ import annotations

from html import escape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivr.flow.spoken import seconds
from ivr.handoff.fit import fit
from ivr.handoff.text import WHISPER_SECONDS, lines, whisper_words
from ivr.jsontext import decode

names = st.text(max_size=60) | st.sampled_from(
    ["x" * 40_000, "<break time='9s'/>" * 9, "👩‍👩‍👧" * 30, "\u202eevil", "1234567890" * 9]
)


def test_alicias_packet_reads_as_sentences(play):
    found = dict(lines(play("alicia", "1", "verify", "“yes please”").packet(days_later=4)))
    assert found["Caller"] == ["Alicia Reyes", "verified", "+15550100003", "speaks English", "wordings: plain"]
    assert found["Why they call"] == ["about: bill"]
    assert "verified: identity" in found["Do not ask again"]
    promise = "we promised to take the late fee off your bill, by 2026-03-05: that day has passed"
    assert promise in found["Open case"]
    assert found["Already tried"] == ["called on 2026-03-01 about bill, which ended unfinished"]
    assert found["Chosen because"] == ["they have one open case"]


def test_what_may_be_offered_is_said_with_its_limit_and_how_often_it_was_granted(play):
    offer = {"name": "waive", "title": "Waive a late fee", "limit": 20.0, "like": "granted in 7 of 9 like it"}
    found = dict(lines(play("margo").packet(offers=[offer])))
    assert found["You may offer"] == ["Waive a late fee up to 20 · granted in 7 of 9 like it"]


def test_the_callers_own_words_come_with_how_they_were_understood(play):
    found = dict(lines(play("margo", "“it's about my bill”", "verify").packet()))
    assert found["Why they call"] == ["“it's about my bill”", "understood as: ask about your bill"]


def test_what_was_left_out_is_named(play):
    packet = decode(fit(play("margo", "3", "verify").packet(), 400))
    assert "this call" in dict(lines(packet))["Left out here"][0]


@pytest.mark.parametrize(
    ("name", "acts", "words"),
    [
        ("jerome", ["“I need to close my mother's account”"],
         "Jerome, recognised by number, not verified. They said: I need to close my mother's account."),
        ("margo", ["3", "verify"], "Margo Lindqvist, verified. To move your service."),
        ("alicia", ["0"], "Alicia, recognised by number, not verified. About bill. We promised to take the late fee off your bill."),
        ("alicia", ["1", "verify", "“yes”"],
         "Alicia Reyes, verified. About bill. We promised to take the late fee off your bill."),
        ("rosa", ["0"], "Rosa, recognised by number, not verified. Speaks Spanish."),
        ("stranger", ["1", "1"], "Not known who is calling. To report an outage."),
    ],
)  # fmt: skip
def test_a_whisper_says_the_most_important_in_whole_sentences(play, name, acts, words):
    assert whisper_words(play(name, *acts).packet()) == words


def test_a_sentence_that_is_too_long_is_left_out_whole(play):
    story = "my mother died in January and I would like to close her account but the letter never came " * 4
    packet = play("jerome", f"“{story}”").packet()
    assert whisper_words(packet) == "Jerome, recognised by number, not verified."
    packet["reason"]["understood"] = [{"reason": "close", "label": "close an account"}]
    assert whisper_words(packet) == "Jerome, recognised by number, not verified. To close an account."


@given(name=names, words=st.lists(names, max_size=3), promise=names, label=names)
def test_a_whisper_never_takes_longer_than_it_may(name, words, promise, label):
    packet = {
        "who": {"name": name, "words": "verified"},
        "reason": {"words": words, "understood": [{"label": label}]},
        "case": {"promise": promise},
        "language": "es",
    }
    said = whisper_words(packet)
    assert seconds(escape(said)) <= WHISPER_SECONDS
    assert dict(lines(packet))


@given(st.text(max_size=60))
def test_text_stays_text(name):
    packet = {"who": {"name": f"<b>{name}</b> &amp;", "words": "verified"}}
    assert "<b>" in dict(lines(packet))["Caller"][0]
    assert whisper_words(packet) == "" or whisper_words(packet).startswith("<b>")


def test_nothing_known_says_nothing():
    assert lines({}) == [] and whisper_words({}) == ""
