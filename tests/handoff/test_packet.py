"""The packet says all that an agent should know before they say hello, and nothing that they may not."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ivr.config import Fact
from ivr.engine.events import Event
from ivr.flow.model import Survey
from ivr.flow.spoken import seconds
from ivr.handoff.fit import LIMIT, fit
from ivr.handoff.packet import SECTIONS, Extras, packet
from ivr.handoff.seen import may_see, text
from ivr.handoff.text import WHISPER_SECONDS, lines, whisper_words
from ivr.jsontext import decode, encode

MOVES = ("3", "verify", "03282026", "1")
HOSTILE = [
    "<script>alert(1)</script>",
    '<break time="9s"/> & co',
    "👩‍👩‍👧 Zoë",
    "\u202eevil\u202c name",
    "a\x00b\x1b[31m",
]


def test_alicias_agent_sees_what_was_promised_and_asks_nothing_again(play):
    found = play("alicia", "1", "verify", "“yes please”").packet()
    assert found["who"] == {"name": "Alicia Reyes", "number": "+15550100003", "known": "verified", "words": "verified"}
    assert found["case"]["promise"] == "take the late fee off your bill" and found["case"]["promise_by"] == "2026-03-05"
    assert "late" not in found["case"]
    assert found["ask_not"][0] == "verified: identity"
    assert "account number: 4423" in found["known"]
    assert found["because"] == "they have one open case"
    assert found["tried"] == ["called on 2026-03-01 about bill, which ended unfinished"]
    assert found["calls"][1] == "2026-02-20 bill, handed over, 7 min"


def test_a_promise_whose_day_has_passed_is_late(play):
    assert play("alicia").packet(days_later=4)["case"]["late"] is True


def test_the_case_about_the_reason_of_the_call_comes_before_a_newer_one(play):
    cases = [{"id": "1", "about": "moving"}, {"id": "2", "about": "bill"}]
    found = play("margo", *MOVES).packet(cases=cases)
    assert found["case"] == {"about": "moving", "id": "1", "others": 1}


def test_a_closed_case_is_not_the_current_one(play):
    cases = [{"id": "1", "about": "bill"}, {"id": "2", "about": "bill", "closed": "2026-03-01"}]
    assert play("margo").packet(cases=cases)["case"] == {"about": "bill", "id": "1"}
    assert "case" not in play("margo").packet(cases=cases[1:])


def test_sections_come_in_the_order_of_their_importance_and_empty_ones_not_at_all(play):
    found = play("margo", *MOVES, "0").packet(link="https://line.example/p/x")
    assert list(found) == [name for name in SECTIONS if name in found]
    assert "case" not in found and "offers" not in found
    assert decode(encode(found)) == found


def test_what_a_caller_did_is_told_in_the_order_it_happened(play):
    found = play("margo", *MOVES, "2", "0").packet()
    told = [line for line in found["done"] if " heard: " not in line]
    assert told == [
        "0:09 chose: move your service",
        "0:17 verified: identity",
        "0:27 answered moving day: 2026-03-28",
        "0:27 had the answer: moving",
        "0:36 answered bill too: no",
        "0:40 asked for a person",
        "0:40 joined the line of those who wait for a colleague",
    ]
    assert found["reason"] == {"understood": [{"reason": "moving", "label": "move your service"}], "about": "moving"}
    assert found["ask_not"] == ["verified: identity", "moving day: 2026-03-28", "bill too: no"]
    assert "asked for: book move (account 4411, day 2026-03-28)" in found["tried"]


def test_an_answer_that_was_not_confirmed_may_be_asked_again(play):
    assert play("margo", "3", "verify", "03282026").packet()["ask_not"] == ["verified: identity"]


def test_the_callers_own_words_are_the_reason_and_not_asked_again(play):
    found = play("jerome", "“I need to close my mother's account”").packet(target="bereavement_team")
    assert found["reason"]["words"] == ["I need to close my mother's account"]
    assert "ask_not" not in found


def test_yes_and_no_are_not_a_reason(play):
    found = play("margo", "“it's about my bill”", "verify", "“no thank you”").packet()
    assert found["reason"]["words"] == ["it's about my bill"]


def test_what_failed_is_told_once_with_how_often(play):
    found = play("margo", "2", "verify", billing="fail").packet()
    assert "billing could not be looked up: failed" in found["tried"]
    assert "was not understood 2 times" in play("margo", "7", "7").packet()["tried"]
    assert "said and pressed nothing once" in play("margo", "silence").packet()["tried"]
    assert play("margo", "0", "agent no_answer").packet()["tried"] == ["waited in line for 10 min, which was too long"]
    nobody = play("jerome", "“my mother's account”", "agent no_answer").packet()
    assert nobody["tried"] == ["a colleague was rung and did not take the call (no-answer)"]


def test_somebody_who_fails_to_prove_who_they_are_stays_unverified(play):
    found = play("margo", "2", "01011901", "01011901", "11111").packet()
    assert found["who"]["words"] == "recognised by number, not verified"
    assert "could not be verified: answers" in found["tried"]
    assert "gave an answer to prove who they are that did not match 2 times" in found["tried"]


@pytest.mark.parametrize(
    ("name", "number", "words"),
    [
        ("stranger", "+15550100009", "not known who is calling"),
        ("withheld", None, "number withheld, not known who is calling"),
        ("margo", "+15550100002", "recognised by number, not verified"),
    ],
)
def test_how_surely_we_know_them_is_said_in_words(play, name, number, words):
    who = play(name).packet()["who"]
    assert (who["number"], who["words"]) == (number, words)


def test_waiting_and_calling_back_are_told_and_why_somebody_waits_less_is_not(play):
    booked = play("margo", "0", "agent calls_back").packet()
    assert [line.partition(" ")[2] for line in booked["done"] if "joined" in line or "called back" in line] == [
        "joined the line of those who wait for a colleague",
        "asked to be called back",
    ]
    call = play("jerome", "silence")
    way = {"target": "care_team", "task": "CA1-1", "way": "queue", "ahead": 600.0, "because": "a death in the family"}
    queued = Event("queued", call.at + 60, "main.connect", way)
    found = packet(call.bundle, call.session, [*call.events, queued], None, Extras("care_team"), call.at)
    assert found["done"][-1] == "1:00 joined the line of those who wait for a colleague"
    assert "death" not in everything(found)


def test_a_message_is_told_with_its_length(play):
    call = play("jerome", "silence", "agent no_answer")
    call.caller.record(7.0)
    assert [line for line in call.packet()["done"] if line.endswith("left a message of 7 s")]


# — what may be seen —


def texts(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from (str(key), *texts(inner))
    elif isinstance(value, list):
        for inner in value:
            yield from texts(inner)
    else:
        yield str(value)


def everything(found: dict) -> str:
    return "\n".join(texts(found)).lower()


def test_why_jerome_is_served_gently_is_for_those_who_care_for_the_bereaved_and_nobody_else(play):
    call = play("jerome", "“I need to close my mother's account”")
    others = everything(call.packet())
    for word in ("bereave", "death", "in the family"):
        assert word not in others
    carers = call.packet(target="bereavement_team", sees=("care",))
    assert carers["because"] == "a death in the family"
    assert "tags bereavement: yes" in carers["known"]


def test_that_the_bereavement_team_was_rung_first_is_not_told_to_others(play):
    call = play("jerome", "silence", "agent no_answer")
    assert "bereave" not in everything(call.packet())


def test_without_a_target_nobody_sees_what_is_sensitive(play):
    call = play("jerome", "silence", "hang_up")
    assert call.session.wait.kind == "none"
    assert "bereave" not in everything(call.packet(target="care_team", sees=("marketing",)))
    assert "because" not in packet(call.bundle, call.session, call.events, None, Extras(), call.at)


def test_secrets_are_in_no_packet_however_well_the_caller_is_known(play):
    found = everything(play("margo", *MOVES, "0").packet(sees=("care", "identity")))
    for secret in ("1988", "04121988", "48104", "birth_date"):
        assert secret not in found
    assert "lindqvist" in found


def test_a_last_name_is_shown_only_once_the_caller_is_verified(play):
    assert play("margo").packet()["who"]["name"] == "Margo"
    assert play("margo", "2", "verify").packet()["who"]["name"] == "Margo Lindqvist"


def test_what_was_looked_up_is_shown_from_its_level_on(play):
    assert "known" not in play("margo").packet()
    found = play("margo", "2", "verify").packet()["known"]
    assert "bill open: 82.40 USD" in found and "account number: 4411" in found
    assert not [line for line in found if "first fee" in line]


def test_on_a_control_call_nothing_says_what_would_have_been_chosen(play):
    call = play("margo")
    session = replace(call.session, control=True)
    found = packet(call.bundle, session, call.events, None, Extras("care_team"), call.at)
    assert "because" not in found


def test_a_record_is_seen_only_where_all_within_it_may_be(shipped):
    assert not may_see(shipped.bundle, ("caller", "tags"), "verified", ("care",))
    assert may_see(shipped.bundle, ("caller", "tags", "bereavement"), "anyone", ("care",))
    assert not may_see(shipped.bundle, ("caller", "nothing"), "verified", ("care",))


def test_a_sensitive_fact_is_never_shown_for_its_level_alone(shipped):
    facts = {
        **shipped.bundle.part.facts,
        "tags.bereavement": Fact(kind="flag", sensitive=True, speak="anyone", purpose="care"),
    }
    bundle = replace(shipped.bundle, part=shipped.bundle.part.model_copy(update={"facts": facts}), memo={})
    assert not may_see(bundle, ("caller", "tags", "bereavement"), "verified", ())


def test_what_a_survey_was_told_about_the_agent_is_not_for_the_agent(play):
    call = play("margo", *MOVES, "2", "0")
    line = call.bundle.lines["northlight"].model_copy(update={"survey": Survey(flow="moving")})
    bundle = replace(call.bundle, lines={"northlight": line}, memo={})
    found = packet(bundle, call.session, call.events, None, Extras("care_team"), call.at)
    assert not [line for line in found["done"] if "moving day" in line] and "ask_not" not in found


def test_an_erased_call_still_has_its_packet(play):
    call = play("margo", "“it's about my bill”", "verify", "0")
    bare = [event._replace(private={}) for event in call.events]
    found = packet(call.bundle, call.session, bare, None, Extras("care_team"), call.at)
    assert "words" not in found["reason"]
    assert [line for line in found["done"] if "asked for a person" in line]


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_and_words_stay_text_on_one_line(play, name):
    call = play("margo", f"“{name}”", facts={"first_name": name})
    found = call.packet()
    shown = "".join(texts(found))
    assert not [character for character in shown if ord(character) < 32 or character in "\u202e\u202c\ud800"]
    assert decode(encode(found)) == found
    assert text("\ud800 half a pair\u2028") == "half a pair"
    if name.startswith("<"):
        assert found["who"]["name"] == name and name in found["reason"]["words"]


acts = st.sampled_from(["1", "2", "3", "4", "0", "9", "*", "7", "verify", "silence", "48120", "03282026"])
said = st.sampled_from(["“my bill”", "“yes”", "“no thank you”", "“español”", "“the meter, <b>please</b>”", "“back”"])


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    name=st.sampled_from(["jerome", "margo", "alicia", "rosa", "stranger", "withheld"]),
    acts=st.lists(acts | said, max_size=9),
)
def test_every_call_has_a_packet_at_every_moment(play, name, acts):
    call = play(name, *acts)
    found = call.packet()
    assert list(found)[0] == "who" and decode(encode(found)) == found
    assert len(fit(found).encode()) <= LIMIT
    assert seconds(whisper_words(found)) <= WHISPER_SECONDS and lines(found)
    assert "bereave" not in everything(found)
