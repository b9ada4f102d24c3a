"""What Twilio is asked, over real HTTP; and what is said when it refuses, fails, or never answers."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from ivr.config import Config, read_config
from ivr.telephony.faults import RestFault
from ivr.telephony.rest import Rest
from tests.fake_twilio import NEVER, TOKEN, WORKFLOW, WORKSPACE, FakeTwilio

AGENT, LINE = "+15550002222", "+15550001111"
URL = "https://pbx.example/voice/agent?task=CA1-1#ct=2000&rt=5000&tt=14000&rc=1&rp=ct,rt,5xx"
STATUS = "https://pbx.example/voice/agent/status?task=CA1-1"
QUEUE, RECORDING, MISSING_TASK = "QU" + "1" * 32, "RE" + "2" * 32, "WT" + "f" * 32
NOON = 1772452800.0
"""2 March 2026, 12:00 UTC."""


@pytest.fixture(scope="module")
def config() -> Config:
    read, _ = read_config(Path(__file__).parents[2], {})
    assert read is not None
    return read


@pytest.fixture
def rest(config: Config, fake_twilio: FakeTwilio) -> Rest:
    return Rest(replace(config, **fake_twilio.account))


def fault(act: Callable[[], object]) -> RestFault:
    with pytest.raises(RestFault) as caught:
        act()
    assert "\n" not in str(caught.value) and TOKEN not in str(caught.value)
    return caught.value


# Calls and messages


@pytest.mark.parametrize("to", [AGENT, "sip:anna@example.com", "client:anna"])
def test_an_agent_is_rung(rest: Rest, fake_twilio: FakeTwilio, to: str) -> None:
    sid = rest.ring(to, LINE, URL, STATUS, 24.6)
    assert fake_twilio.calls[sid] == {
        "To": to, "From": LINE, "Url": URL, "Method": "POST", "Timeout": "25", "status": "queued",
        "StatusCallback": STATUS, "StatusCallbackMethod": "POST", "StatusCallbackEvent": "completed",
    }  # fmt: skip


def test_a_call_that_is_over_stays_over(rest: Rest, fake_twilio: FakeTwilio) -> None:
    sid = rest.ring(AGENT, LINE, URL, STATUS, 25)
    for _ in range(2):
        rest.hang_up(sid)
        assert fake_twilio.calls[sid]["status"] == "completed"
    rest.hang_up("CA" + "f" * 32)


def test_hanging_up_may_fail(rest: Rest, fake_twilio: FakeTwilio) -> None:
    fake_twilio.refuses(400, 21218, "Invalid 'ApplicationSid'")
    assert fault(lambda: rest.hang_up("CA" + "f" * 32)).code == 21218


def test_an_sms_is_sent_as_it_was_written(rest: Rest, fake_twilio: FakeTwilio) -> None:
    words = "Hello <Ñandú> & co. 🙂\nYours"
    sid = rest.send_sms(AGENT, LINE, words)
    assert fake_twilio.messages[sid] == {"To": AGENT, "From": LINE, "Body": words, "status": "queued"}


# Queues and recordings


def test_an_empty_queue_is_deleted_and_a_missing_one_is_not_missed(rest: Rest, fake_twilio: FakeTwilio) -> None:
    fake_twilio.queues[QUEUE] = 0
    rest.delete_queue(QUEUE)
    assert fake_twilio.queues == {}
    rest.delete_queue(QUEUE)


def test_a_queue_with_somebody_in_it_stays(rest: Rest, fake_twilio: FakeTwilio) -> None:
    fake_twilio.queues[QUEUE] = 1
    refused = fault(lambda: rest.delete_queue(QUEUE))
    assert refused.sure and "not empty" in str(refused)
    assert fake_twilio.queues == {QUEUE: 1}


def test_a_recording_is_deleted_once(rest: Rest, fake_twilio: FakeTwilio) -> None:
    fake_twilio.recordings[RECORDING] = b"ID3"
    rest.delete_recording(RECORDING)
    assert fake_twilio.recordings == {}
    rest.delete_recording(RECORDING)


@pytest.mark.parametrize("where", [RECORDING, f"https://elsewhere.example/stolen/{RECORDING}"])
def test_a_recording_is_fetched_from_twilio_whatever_its_url(rest: Rest, fake_twilio: FakeTwilio, where: str) -> None:
    fake_twilio.recordings[RECORDING] = sound = bytes(range(256)) * 1000
    media = rest.recording(where)
    assert (media.status, b"".join(media.chunks)) == (200, sound)
    assert media.headers == {"Content-Type": "audio/mpeg", "Content-Length": "256000", "Accept-Ranges": "bytes"}


def test_a_part_of_a_recording_can_be_asked_for(rest: Rest, fake_twilio: FakeTwilio) -> None:
    fake_twilio.recordings[RECORDING] = b"0123456789"
    media = rest.recording(RECORDING, "bytes=2-4")
    assert (media.status, b"".join(media.chunks), media.headers["Content-Range"]) == (206, b"234", "bytes 2-4/10")
    assert rest.recording(RECORDING, "bytes=99-").status == 416


@pytest.mark.parametrize("odd", ["bytes=-", "lines=1-2", "bytes=0-1\r\nX: y", "bytes=0-1,3-4"])
def test_an_odd_range_is_the_whole_recording(rest: Rest, fake_twilio: FakeTwilio, odd: str) -> None:
    fake_twilio.recordings[RECORDING] = b"0123456789"
    assert rest.recording(RECORDING, odd).status == 200


def test_a_missing_recording_is_a_fault(rest: Rest) -> None:
    missing = fault(lambda: rest.recording(RECORDING))
    assert missing.status == 404 and "deleted" in str(missing)


# TaskRouter


def test_a_callback_keeps_the_place_of_its_caller(rest: Rest, fake_twilio: FakeTwilio) -> None:
    sid = rest.callback_task(WORKSPACE, WORKFLOW, {"call_sid": "CA1", "ivr": {"task": "CA1-1"}}, NOON, 3)
    task = fake_twilio.tasks[sid]
    assert (task["VirtualStartTime"], task["Priority"], task["WorkflowSid"]) == ("2026-03-02T12:00:00Z", "3", WORKFLOW)
    assert json.loads(task["Attributes"]) == {"call_sid": "CA1", "ivr": {"task": "CA1-1"}}


def test_the_newest_task_of_a_call_is_found(rest: Rest) -> None:
    _, second, _ = (rest.callback_task(WORKSPACE, WORKFLOW, {"call_sid": call}, NOON) for call in ("CA1", "CA1", "CA2"))
    assert rest.find_task(WORKSPACE, "CA1") == second
    assert rest.find_task(WORKSPACE, "CA3") is None


def test_a_task_that_nobody_has_is_cancelled_and_stays_so(rest: Rest, fake_twilio: FakeTwilio) -> None:
    sid = rest.callback_task(WORKSPACE, WORKFLOW, {}, NOON)
    assert rest.cancel_task(WORKSPACE, sid, "callback booked")
    assert fake_twilio.tasks[sid]["assignment_status"] == "canceled"
    assert rest.cancel_task(WORKSPACE, sid, "callback booked")
    assert rest.cancel_task(WORKSPACE, MISSING_TASK, "callback booked")


def test_a_task_is_not_taken_from_an_agent_who_has_just_accepted_it(rest: Rest, fake_twilio: FakeTwilio) -> None:
    sid = rest.callback_task(WORKSPACE, WORKFLOW, {}, NOON)

    def accepts() -> None:
        fake_twilio.tasks[sid].update(version=2, assignment_status="assigned")

    # Between our look and our cancelling.
    fake_twilio.before(lambda: fake_twilio.before(accepts))
    assert not rest.cancel_task(WORKSPACE, sid, "callback booked")
    assert fake_twilio.tasks[sid]["assignment_status"] == "assigned"
    assert [asked.method for asked in fake_twilio.asked[1:]] == ["GET", "POST", "GET"]


def test_a_task_that_changes_all_the_time_is_given_up(rest: Rest, fake_twilio: FakeTwilio) -> None:
    sid = rest.callback_task(WORKSPACE, WORKFLOW, {}, NOON)

    def changes() -> None:
        fake_twilio.tasks[sid]["version"] += 1
        fake_twilio.before(lambda: fake_twilio.before(changes))

    fake_twilio.before(lambda: fake_twilio.before(changes))
    assert fault(lambda: rest.cancel_task(WORKSPACE, sid, "callback booked")).sure
    assert len(fake_twilio.asked) == 7


def test_a_target_without_a_workspace_says_what_to_add(rest: Rest, fake_twilio: FakeTwilio) -> None:
    assert "add workspace: WS…" in str(fault(lambda: rest.find_task("", "CA1")))
    assert fake_twilio.asked == []


# When it goes wrong


def test_without_an_account_it_says_which_variable_is_missing(config: Config) -> None:
    bare = replace(config, account_sid=None, tokens=(), environment={})
    missing = fault(lambda: Rest(bare).ring(AGENT, LINE, URL, STATUS, 25))
    assert missing.sure and str(missing).startswith("TWILIO_ACCOUNT_SID is not set")
    missing = fault(lambda: Rest(replace(bare, account_sid="AC1")).ring(AGENT, LINE, URL, STATUS, 25))
    assert missing.sure and str(missing).startswith("TWILIO_AUTH_TOKEN is not set")


def test_a_wrong_token_says_what_to_check(rest: Rest) -> None:
    rest.config = replace(rest.config, tokens=("old",))
    refused = fault(lambda: rest.send_sms(AGENT, LINE, "Hello"))
    assert refused.sure and refused.status == 401 and "TWILIO_AUTH_TOKEN" in str(refused)


def test_a_refusal_is_certain_and_holds_no_number(rest: Rest, fake_twilio: FakeTwilio) -> None:
    fake_twilio.refuses(400, 21211, f"The number {AGENT}\n(or 555-000-2222) is not\tvalid")
    refused = fault(lambda: rest.ring(AGENT, LINE, URL, STATUS, 25))
    assert refused.sure and refused.code == 21211
    assert str(refused) == (
        "Twilio refused to ring the agent (400): The number +1•••2222 (or •••22) is not valid; "
        "see https://www.twilio.com/docs/api/errors/21211"
    )


def test_asked_too_often_it_did_not_happen(rest: Rest, fake_twilio: FakeTwilio) -> None:
    fake_twilio.refuses(429, 20429, "Too Many Requests")
    refused = fault(lambda: rest.send_sms(AGENT, LINE, "Hello"))
    assert refused.sure and "wait a little" in str(refused)


@pytest.mark.parametrize("status", [301, 500, 503])
def test_an_answer_that_is_neither_yes_nor_no_is_uncertain(rest: Rest, fake_twilio: FakeTwilio, status: int) -> None:
    fake_twilio.refuses(status, status, f"trouble with {AGENT}")
    failed = fault(lambda: rest.send_sms(AGENT, LINE, "Hello"))
    assert not failed.sure and "nobody knows" in str(failed) and AGENT not in str(failed)


def test_a_lost_answer_is_uncertain_and_nothing_is_asked_twice(rest: Rest, fake_twilio: FakeTwilio) -> None:
    fake_twilio.loses()
    assert not fault(lambda: rest.ring(AGENT, LINE, URL, STATUS, 25)).sure
    assert len(fake_twilio.calls) == len(fake_twilio.asked) == 1


def test_an_answer_that_never_comes_is_not_waited_for(rest: Rest, fake_twilio: FakeTwilio) -> None:
    fake_twilio.is_silent()
    rest.seconds = 0.1
    assert not fault(lambda: rest.send_sms(AGENT, LINE, "Hello")).sure
    assert len(fake_twilio.asked) == 1


def test_where_nobody_listens_nothing_happened(rest: Rest) -> None:
    rest.config = replace(rest.config, environment={"TWILIO_API_URL": NEVER})
    assert fault(lambda: rest.send_sms(AGENT, LINE, "Hello")).sure
    assert fault(lambda: rest.recording(RECORDING)).sure


def test_an_address_that_is_none_is_named(rest: Rest) -> None:
    rest.config = replace(rest.config, environment={"TWILIO_API_URL": "twilio"})
    refused = fault(lambda: rest.send_sms(AGENT, LINE, "Hello"))
    assert refused.sure and "TWILIO_API_URL" in str(refused)


@pytest.mark.parametrize("words", [b"<html>Welcome to the hotel</html>", b"[]", b"{}", b"null"])
def test_an_answer_that_is_not_twilios_is_uncertain(rest: Rest, fake_twilio: FakeTwilio, words: bytes) -> None:
    fake_twilio.says(words)
    said = fault(lambda: rest.send_sms(AGENT, LINE, "Hello"))
    assert not said.sure and "proxy" in str(said)


@pytest.mark.parametrize("odd", ["", "CA", "CA1/../../Messages", "QU1", "CA1.json?x=", "CA1\n"])
def test_what_is_no_sid_never_becomes_an_address(rest: Rest, fake_twilio: FakeTwilio, odd: str) -> None:
    assert fault(lambda: rest.hang_up(odd)).sure
    assert fake_twilio.asked == []


def test_nothing_personal_is_logged(rest: Rest, fake_twilio: FakeTwilio, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("INFO"):
        rest.send_sms(AGENT, LINE, "Hello")
        rest.find_task(WORKSPACE, "CA1")
    assert caplog.messages == []
