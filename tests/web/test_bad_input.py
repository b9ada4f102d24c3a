"""Bad input gets valid TwiML and status 200, never a fault; and a database that is gone costs the caller only an apology."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

import ivr.store.database as database
from tests.actors import EMERGENCY, EMPTY, LINE, MARGO, STRANGER, House, Phone, webhook
from tests.conftest import MakeHouse, Postgres

PATHS = [
    "/voice/incoming",
    "/voice/turn?turn=1",
    "/voice/status",
    "/voice/fallback",
    "/voice/whisper?call=x",
    "/voice/accept",
    "/voice/recording?call=x",
]
SID = "CA" + "1" * 32

FORMS: dict[str, dict[str, str]] = {
    "nothing at all": {},
    "only a call": {"CallSid": SID},
    "no call": {"From": MARGO, "To": LINE, "Digits": "1"},
    "blank everything": dict.fromkeys(["CallSid", "From", "To", "Digits", "SpeechResult", "CallStatus"], ""),
    "absurd values": {
        "CallSid": SID,
        "From": "\x00\x01",
        "To": "🙂" * 50,
        "Digits": "abc;--",
        "Confidence": "NaN",
        "SpeechResult": "\x00",
    },
    "absurd numbers": {
        "CallSid": SID,
        "From": MARGO,
        "To": LINE,
        "Confidence": "1e999",
        "RecordingDuration": "-5",
        "RecordingUrl": "x",
        "DialCallDuration": "inf",
        "DialCallStatus": "?",
    },
    "a call of another shape": {"CallSid": "'; DROP TABLE calls; --", "From": MARGO, "To": LINE},
    "a call that is too long": {"CallSid": "CA" + "1" * 500, "From": MARGO, "To": LINE},
    "a call with a line break": {"CallSid": SID + "\n", "From": MARGO, "To": LINE},
    "text where numbers belong": {
        "CallSid": SID,
        "From": "<b>&",
        "To": "]]>",
        "DialBridged": "maybe",
        "DialCallStatus": "x" * 500,
    },
    "very many fields": {"CallSid": SID, **{f"Field{number}": "x" for number in range(900)}},
    "long words": {"CallSid": SID, "From": MARGO, "To": LINE, "SpeechResult": "word " * 30_000},
    "half of 1 MB of digits": {"CallSid": SID, "From": MARGO, "To": LINE, "Digits": "1" * 200_000},
}


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS.keys())
@pytest.mark.parametrize("path", PATHS)
def test_any_form_gets_valid_twiml(line: House, path: str, form: dict[str, str]) -> None:
    for method in ("POST", "POST"):
        reply = line.post(path, form, method=method)
        assert reply.status == 200 and reply.content_type.startswith("text/xml")
    for status in line.rows("calls"):
        assert status["state"] == "open"


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS.keys())
def test_any_form_in_the_middle_of_a_call_gets_valid_twiml_and_the_call_goes_on(
    house: House, form: dict[str, str]
) -> None:
    call = house.calls(MARGO, SID).dial()
    for turn in (1, call.row["turn"], 99):
        assert house.post(f"/voice/turn?turn={turn}", form).status == 200
    other = house.calls(STRANGER).dial().hears("For English")
    assert other.row["turn"] == 1
    if call.row["state"] == "open":
        reply = house.post(
            *webhook(call, "/voice/fallback", ErrorUrl=f"{house.base}/voice/turn?turn=1", ErrorCode="11200")
        )
        assert b"<Gather" in reply.body or b"<Dial" in reply.body


@pytest.mark.parametrize("size", [300_000, 1_100_000])
@pytest.mark.parametrize("path", ["/voice/incoming", "/voice/turn?turn=1"])
def test_a_megabyte_of_digits_gets_a_person(house: House, path: str, size: int) -> None:
    call = house.calls(MARGO).dial()
    before = call.trace
    reply = house.post(*webhook(call, path, Digits="1" * size))
    assert reply.status == 200 and EMERGENCY.encode() in reply.body
    assert call.trace == before
    call.press("2").hears("date of birth")


def test_a_megabyte_to_a_callback_is_only_ignored(line: House) -> None:
    for path in ("/voice/status", "/voice/recording?call=x"):
        reply = line.post(path, {"CallSid": SID, "x": "1" * 1_100_000})
        assert reply.status == 200 and reply.body.endswith(EMPTY.encode())


def test_more_keys_than_a_question_takes_are_no_fault(house: House) -> None:
    call = house.calls(MARGO).dial().press("2")
    reply = house.post(*webhook(call, "/voice/turn?turn=2", Digits="0412198848104" + "1" * 150))
    assert reply.status == 200 and b"went wrong" not in reply.body


def test_a_turn_of_a_call_nobody_knows_begins_the_call(house: House) -> None:
    call = house.calls(MARGO)
    reply = house.post(*webhook(call, "/voice/turn?turn=7", Digits="2"))
    assert b"Hi Margo" in reply.body
    assert call.row["turn"] == 1 and call.types.count("heard") == 0


def test_a_get_is_answered_like_a_post(line: House) -> None:
    path = f"/voice/incoming?CallSid={SID}&From=%2B15550100002&To=%2B15550001111"
    assert b"Hi Margo" in line.post(path, {}, method="GET").body
    path = f"/voice/turn?turn=1&CallSid={SID}&From=%2B15550100002&To=%2B15550001111&Digits=2"
    assert b"date of birth" in line.post(path, {}, method="GET").body


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH"])
def test_other_methods_are_refused_in_one_line(line: House, method: str) -> None:
    reply = line.post("/voice/incoming", {}, method=method)
    assert reply.status == 405 and reply.content_type.startswith("text/plain") and reply.body.count(b"\n") == 1


def test_an_address_that_does_not_exist_is_refused_in_one_line(line: House) -> None:
    reply = line.send("/nowhere")
    assert reply.status == 404 and reply.body.count(b"\n") == 1


def test_no_file_but_a_recording_is_served(line: House) -> None:
    for name in ("en/main.yaml", "../config.yaml", "..%2fconfig.yaml", "%2e%2e/config.yaml", "en/", "nothing.wav"):
        assert line.send(f"/voice/audio/{name}", method="GET").status == 404


def test_a_fault_of_ours_speaks_the_callers_language_and_keeps_the_call(house: House) -> None:
    def breaks(*given: Any) -> str:
        raise RuntimeError("a fault of ours")

    call = house.calls("+15550100004").dial().hears("Northlight")
    before = call.trace
    reply = house.another_worker(render=breaks).post(*webhook(call, "/voice/turn?turn=1", Digits="1"))
    assert "Lo siento" in reply.body.decode() and EMERGENCY in reply.body.decode()
    assert call.trace == before
    call.press("1")
    assert call.row["turn"] == 2


# A database that is gone or locked


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Writes wait a moment for others, not four seconds."""
    monkeypatch.setattr(database, "BUSY_MS", 50)


@pytest.fixture
def locked(
    impatient: None, sqlite_url: str, make_house: MakeHouse
) -> Iterator[tuple[House, Phone, sqlite3.Connection]]:
    """A server with a call in progress, and a connection that can lock everybody else out."""
    house = make_house(sqlite_url)
    call = house.calls(MARGO).dial()
    with closing(sqlite3.connect(sqlite_url.removeprefix("sqlite:///"), isolation_level=None)) as other:
        yield house, call, other


def test_a_locked_database_costs_the_caller_only_an_apology(locked: tuple[House, Phone, sqlite3.Connection]) -> None:
    house, call, other = locked
    other.execute("BEGIN EXCLUSIVE")
    for path, form in (webhook(call, "/voice/turn?turn=1", Digits="2"), webhook(house.calls(MARGO), "/voice/incoming")):
        reply = house.post(path, form)
        assert reply.status == 200 and b"went wrong" in reply.body and EMERGENCY.encode() in reply.body
    for path in ("/voice/status", "/voice/recording?call=x"):
        recording = {"RecordingSid": "RE1", "RecordingUrl": "https://x/RE1", "RecordingDuration": "3"}
        reply = house.post(*webhook(call, path, CallStatus="completed", **recording))
        assert reply.body.endswith(EMPTY.encode())
    other.execute("ROLLBACK")
    assert call.row["turn"] == 1 and call.row["state"] == "open"
    call.press("2").hears("date of birth")


def test_a_database_whose_file_is_gone_costs_the_caller_only_an_apology(sqlite_url: str, make_house: MakeHouse) -> None:
    house = make_house(sqlite_url)
    call = house.calls(MARGO).dial()
    house.store.dispose()
    path = Path(sqlite_url.removeprefix("sqlite:///"))
    for file in path.parent.glob("ivr.db*"):
        file.unlink()
    gone(house, call)
    assert house.send("/readyz", method="GET").status == 503
    assert house.send("/healthz", method="GET").status == 200


def gone(house: House, call: Phone) -> None:
    """Every webhook, while nothing can be read or written."""
    person = EMERGENCY.encode()
    for where, form in (
        webhook(call, "/voice/turn?turn=1", Digits="2"),
        webhook(house.calls(MARGO), "/voice/incoming"),
        webhook(call, "/voice/fallback", ErrorUrl=f"{house.base}/voice/turn?turn=1", ErrorCode="11200"),
        webhook(call, "/voice/fallback", ErrorUrl="", ErrorCode="11205"),
    ):
        reply = house.post(where, form)
        assert (reply.status, b"went wrong" in reply.body, person in reply.body) == (200, True, True)
    assert house.post(*webhook(call, "/voice/status", CallStatus="completed")).body.endswith(EMPTY.encode())
    assert b"<Gather" in house.post(f"/voice/whisper?call={call.sid}", {"CallSid": SID}).body


def test_a_postgresql_that_goes_away_costs_an_apology_and_the_call_goes_on_when_it_is_back(
    postgres_url: str, postgres: Postgres, make_house: MakeHouse
) -> None:
    house = make_house(postgres_url)
    call = house.calls(MARGO).dial()
    name = postgres_url.split("?")[0].rsplit("/", 1)[-1]
    postgres.run(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false')
    cut = f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"
    postgres.run(cut)
    gone(house, call)
    assert house.send("/readyz", method="GET").status == 503
    postgres.run(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS true')
    call.press("2").hears("date of birth")


def test_a_postgresql_that_was_restarted_costs_at_most_one_caller_an_apology(
    postgres_url: str, postgres: Postgres, make_house: MakeHouse
) -> None:
    from tests.actors import at_once

    house = make_house(postgres_url)
    calls = [house.calls(STRANGER) for _ in range(6)]
    at_once(*[call.dial for call in calls])  # so that several connections are open
    name = postgres_url.split("?")[0].rsplit("/", 1)[-1]
    postgres.run(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")
    answers = [house.post(*webhook(call, "/voice/turn?turn=1", Digits="1")) for call in calls]
    assert sum(b"went wrong" in answer.body for answer in answers) <= 1


# The fallback


def test_the_fallback_asks_the_present_question_again(house: House) -> None:
    call = house.calls(MARGO).dial().press("2")
    before = call.trace
    for url in (
        f"{house.base}/voice/turn?turn=1",
        f"{house.base}/voice/turn?turn=2",
        f"{house.base}/voice/incoming",
        "",
        "::",
        "[x",
    ):
        reply = house.post(*webhook(call, "/voice/fallback", ErrorUrl=url, ErrorCode="11200"))
        assert reply.body.decode() == call.answer
    assert call.trace == before


def test_the_fallback_of_a_first_webhook_that_never_arrived_begins_the_call(house: House) -> None:
    call = house.calls(MARGO)
    reply = house.post(*webhook(call, "/voice/fallback", ErrorUrl=f"{house.base}/voice/incoming", ErrorCode="11205"))
    assert b"Hi Margo" in reply.body and call.row["turn"] == 1


def test_the_fallback_of_a_call_nobody_knows_is_a_person(house: House) -> None:
    call = house.calls(MARGO)
    reply = house.post(*webhook(call, "/voice/fallback", ErrorUrl=f"{house.base}/voice/turn?turn=4", ErrorCode="11205"))
    assert EMERGENCY.encode() in reply.body


# Recordings


def test_a_recording_is_ready_after_its_call_has_closed(dial_house: House) -> None:
    call = dial_house.calls(MARGO).dial().press("0").dial_result("busy").record(9)
    assert call.row["state"] == "closed"
    call.recording_ready()
    rows = dial_house.rows("recordings", call=call.sid)
    assert [(row["seconds"], row["status"]) for row in rows] == [(9, "completed")]
    call.recording_ready()
    assert dial_house.rows("recordings", call=call.sid) == rows


def test_a_recording_that_is_ready_before_its_turn_stays_ready(dial_house: House) -> None:
    call = dial_house.calls(MARGO).dial().press("0").dial_result("busy")
    ready = {"RecordingSid": "RE7", "RecordingUrl": "https://x/RE7", "RecordingDuration": "9"}
    dial_house.post(*webhook(call, f"/voice/recording?call={call.sid}", RecordingStatus="completed", **ready))
    dial_house.post(*webhook(call, f"/voice/turn?turn={call.row['turn']}", **ready))
    assert [row["status"] for row in dial_house.rows("recordings", call=call.sid)] == ["completed"]


def test_a_message_that_comes_after_the_end_is_kept_once_and_mends_the_outcome(dial_house: House) -> None:
    call = dial_house.calls(MARGO).dial().press("0").dial_result("busy")
    turn = call.row["turn"]
    call.status(CallStatus="completed")
    assert call.row["outcome"] == "caller_left"
    message = {"RecordingSid": "RE9", "RecordingUrl": "https://x/RE9", "RecordingDuration": "6", "Digits": "hangup"}
    for _ in range(2):
        assert dial_house.post(*webhook(call, f"/voice/turn?turn={turn}", **message)).body.endswith(EMPTY.encode())
    assert call.row["outcome"] == "voicemail"
    assert len(call.happened("recorded")) == 1 and len(dial_house.rows("recordings", call=call.sid)) == 1


def test_a_late_repetition_of_an_answered_message_is_not_a_second_message(dial_house: House) -> None:
    call = dial_house.calls(MARGO).dial().press("0").dial_result("busy").record(9, key="#")
    before = call.trace
    call.late(-2)
    assert call.trace == before
