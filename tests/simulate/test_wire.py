"""The wire caller plays Twilio: it signs like Twilio and executes TwiML like Twilio.

A line here is a dict from path to the TwiML that it answers; a list answers one document after another.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import parse_qsl, urlsplit

import pytest

from ivr.simulate.wire import Call, Heard, HttpWire, Reply, Sent, TwimlError, WireError, form_fields, sign

BASE = "https://line.example.com"
TOKEN = "a token"
CALL_SID = "CA" + "1" * 32
MARGO = "+12175550142"
LINE = "+18005550199"
BYE = "<Say>Goodbye.</Say>"


class FakeLine:
    """A server in memory: answers each path with its documents, and repeats the last one."""

    def __init__(self, answers: Mapping[str, str | list[str] | Reply]) -> None:
        self.answers = {path: [answer] if not isinstance(answer, list) else answer for path, answer in answers.items()}

    def post(self, url: str, form: Mapping[str, str], headers: Mapping[str, str]) -> Reply:
        assert headers["X-Twilio-Signature"] == sign(TOKEN, url, form)
        answers = self.answers[urlsplit(url).path] if urlsplit(url).path != "/voice/status" else [Reply(204, "", b"")]
        answer = answers.pop(0) if len(answers) > 1 else answers[0]
        if isinstance(answer, Reply):
            return answer
        return Reply(200, "text/xml; charset=utf-8", f"<Response>{answer}</Response>".encode())


def rings(incoming: str | list[str] | Reply, /, **others: str | list[str]) -> Call:
    """A call that has dialled a line which answers `incoming` first, and under other paths what their names say."""
    call = ring(incoming, **others)
    call.dial()
    return call


def ring(incoming: str | list[str] | Reply, /, **others: str | list[str]) -> Call:
    line = FakeLine({"/voice/incoming": incoming, **{f"/voice/{name}": answer for name, answer in others.items()}})
    return Call(line, BASE, TOKEN, MARGO, LINE, CALL_SID)


def words(heard: list[Heard]) -> list[str]:
    return [sound.text for sound in heard]


def last(call: Call) -> Sent:
    """The last webhook that asked for a document."""
    return [sent for sent in call.requests if sent.voice][-1]


def said(call: Call, *names: str) -> dict[str, str]:
    """Those of the last webhook's fields that have one of these names."""
    return {name: value for name, value in last(call).form.items() if name in names}


GATHER = '<Gather action="turn?n=1" numDigits="1"><Say>Press 1.</Say></Gather>'


# The envelope


def test_the_signature_is_the_one_in_twilios_documentation() -> None:
    form = {
        "CallSid": "CA1234567890ABCDE",
        "Caller": "+12349013030",
        "Digits": "1234",
        "From": "+12349013030",
        "To": "+18005551212",
    }

    assert sign("12345", "https://mycompany.com/myapp.php?foo=1&bar=2", form) == "0/KCTR6DLpKmkAf8muzZqo1nDgQ="


def test_the_fragment_is_not_signed() -> None:
    assert sign("t", "https://a.example/x?n=1#rc=2", {"B": ""}) == sign("t", "https://a.example/x?n=1", {"B": ""})


def test_a_webhook_carries_twenty_three_fields_and_their_legacy_twins_agree() -> None:
    form = form_fields(CALL_SID, MARGO, LINE)

    assert len(form) == 23
    assert form["Caller"] == form["From"] == MARGO
    assert form["Called"] == form["To"] == LINE
    assert form["CallerCity"] == form["FromCity"] != ""


@pytest.mark.parametrize("caller", ["anonymous", "+442079460000", "sip:margo@example.com", ""])
def test_where_a_caller_calls_from_is_blank_unless_known(caller: str) -> None:
    form = form_fields(CALL_SID, caller, LINE)

    assert len(form) == 23
    assert form["FromCity"] == form["CallerZip"] == ""


def test_extra_fields_go_with_every_webhook() -> None:
    line = FakeLine({"/voice/incoming": GATHER, "/voice/turn": BYE})
    call = Call(line, BASE, TOKEN, MARGO, LINE, CALL_SID, extra={"StirVerstat": "TN-Validation-Passed-A"})
    call.dial()
    call.press("1")

    assert [sent.form["StirVerstat"] for sent in call.requests] == ["TN-Validation-Passed-A"] * 3


def test_a_call_rings_first_is_in_progress_then_and_completed_at_last() -> None:
    call = rings(GATHER, turn=BYE)
    call.press("1")

    assert [sent.form["CallStatus"] for sent in call.requests] == ["ringing", "in-progress", "completed"]


def test_the_same_acts_give_the_same_requests() -> None:
    calls = [rings(GATHER, turn=BYE), rings(GATHER, turn=BYE)]
    for call in calls:
        call.press("1")

    assert calls[0].requests == calls[1].requests


# Hearing


def test_verbs_are_heard_in_order_and_a_document_that_ends_ends_the_call() -> None:
    call = ring(
        '<Say language="en-GB">Hello.</Say><Pause length="2"/><Play>https://a.example/tune.wav</Play><Say>Bye.</Say>'
    )

    assert call.dial() == [
        Heard("Hello.", "en-GB"),
        Heard("https://a.example/tune.wav", None, "play"),
        Heard("Bye."),
    ]
    assert call.ended
    assert call.waiting is None


def test_ssml_is_heard_as_plain_words() -> None:
    call = rings(
        "<Say><s>Hello<break time='300ms'/>Margo &amp; Co.</s> Your <emphasis>new</emphasis> code is "
        "<say-as interpret-as='digits'>12</say-as>, from the <sub alias='World Wide Web Consortium'>W3C</sub>.</Say>"
    )

    assert words(call.heard) == ["Hello Margo & Co. Your new code is 12, from the World Wide Web Consortium."]


def test_a_loop_is_heard_as_often_as_it_says_and_an_endless_one_once() -> None:
    call = rings('<Say loop="2">Hello.</Say><Play loop="0">https://a.example/tune.wav</Play>')

    assert words(call.heard) == ["Hello.", "Hello.", "https://a.example/tune.wav"]


def test_what_is_after_a_hangup_is_not_heard() -> None:
    assert words(rings("<Say>One.</Say><Hangup/><Say>Two.</Say>").heard) == ["One."]


def test_a_call_that_the_document_ends_is_reported_completed_once() -> None:
    call = rings("<Hangup/>")

    assert [sent.url for sent in call.requests] == [f"{BASE}/voice/incoming", f"{BASE}/voice/status"]
    assert call.requests[-1].form["CallStatus"] == "completed"
    assert call.requests[-1].form["CallDuration"] == "30"


@pytest.mark.parametrize(("reason", "status"), [("", "no-answer"), (' reason="busy"', "busy")])
def test_a_rejected_call_never_was_in_progress(reason: str, status: str) -> None:
    call = rings(f"<Reject{reason}/>")

    assert call.ended
    assert call.requests[-1].form["CallStatus"] == status


def test_status_callbacks_can_be_left_out() -> None:
    line = FakeLine({"/voice/incoming": "<Hangup/>"})
    call = Call(line, BASE, TOKEN, MARGO, LINE, CALL_SID, status_callbacks=False)
    call.dial()

    assert call.ended
    assert len(call.requests) == 1


# Gather


def test_a_key_is_posted_to_the_action_with_its_query_and_without_its_fragment() -> None:
    call = rings('<Gather action="/voice/turn?n=1&amp;k=a%20b#rc=1"><Say>Press 1.</Say></Gather>', turn=GATHER)

    assert words(call.heard) == ["Press 1."]
    assert call.waiting == "Gather"
    assert words(call.press("1")) == ["Press 1."]
    assert last(call).url == f"{BASE}/voice/turn?n=1&k=a%20b"
    assert said(call, "Digits", "SpeechResult") == {"Digits": "1"}


def test_an_action_is_relative_to_the_document_it_stands_in() -> None:
    call = rings('<Gather action="deep/turn"/>', **{"deep/turn": '<Gather action="../turn"/>', "turn": BYE})
    call.press("1")
    call.press("1")

    assert last(call).url == f"{BASE}/voice/turn"


def test_a_gather_without_action_asks_its_own_document_again() -> None:
    call = rings(["<Gather><Say>Again?</Say></Gather>", BYE])
    call.press("1")

    assert last(call).url == f"{BASE}/voice/incoming"


def test_keys_beyond_num_digits_are_dropped() -> None:
    call = rings('<Gather action="turn" numDigits="2"/>', turn=GATHER)
    call.press("123")

    assert said(call, "Digits") == {"Digits": "12"}
    assert call.waiting == "Gather"


def test_keys_typed_ahead_answer_the_gathers_that_follow() -> None:
    call = rings('<Gather action="turn" numDigits="2"/>', turn=[GATHER, BYE])
    call.press("123", type_ahead=True)

    assert said(call, "Digits") == {"Digits": "3"}
    assert call.ended


def test_the_finishing_key_is_not_passed_on() -> None:
    call = rings('<Gather action="turn"/>', turn=BYE)
    call.press("12#4")

    assert said(call, "Digits") == {"Digits": "12"}


def test_the_finishing_key_can_be_another_or_none() -> None:
    star = rings('<Gather action="turn" finishOnKey="*"/>', turn=BYE)
    star.press("1#*")
    none = rings('<Gather action="turn" finishOnKey="" numDigits="3"/>', turn=BYE)
    none.press("1#*")

    assert said(star, "Digits") == {"Digits": "1#"}
    assert said(none, "Digits") == {"Digits": "1#*"}


def test_the_finishing_key_alone_is_no_input() -> None:
    call = rings(f'<Gather action="turn"/>{BYE}')

    assert words(call.press("#")) == ["Goodbye."]


def test_speech_is_posted_with_its_confidence() -> None:
    call = rings('<Gather action="turn" input="dtmf speech"/>', turn=BYE)
    call.say("my bill", confidence=0.75)

    assert said(call, "Digits", "SpeechResult", "Confidence") == {"SpeechResult": "my bill", "Confidence": "0.75"}


def test_a_gather_for_keys_does_not_hear_speech() -> None:
    assert words(rings(f'<Gather action="turn"/>{BYE}').say("my bill")) == ["Goodbye."]


def test_a_gather_for_speech_does_not_hear_keys() -> None:
    assert words(rings(f'<Gather action="turn" input="speech"/>{BYE}').press("1")) == ["Goodbye."]


def test_silence_falls_through_to_the_next_verb() -> None:
    call = rings(f"{GATHER}<Redirect>turn?n=2</Redirect>", turn=GATHER)

    assert words(call.silence()) == ["Press 1."]
    assert last(call).url == f"{BASE}/voice/turn?n=2"


def test_silence_is_posted_where_the_gather_asks_for_it() -> None:
    call = rings('<Gather action="turn" actionOnEmptyResult="true"/>', turn=BYE)
    call.silence()

    assert last(call).url == f"{BASE}/voice/turn"
    assert said(call, "Digits", "SpeechResult") == {}


# Redirect


def test_a_redirect_is_followed_at_once() -> None:
    call = rings("<Say>One.</Say><Redirect>turn</Redirect><Say>Never.</Say>", turn="<Say>Two.</Say>")

    assert words(call.heard) == ["One.", "Two."]


def test_ten_redirects_in_a_row_are_followed_and_the_eleventh_is_an_error() -> None:
    on = "<Redirect>turn</Redirect>"

    assert words(rings(on, turn=[*[on] * 9, BYE]).heard) == ["Goodbye."]
    with pytest.raises(TwimlError, match="more than 10 redirects"):
        rings(on, turn=[*[on] * 10, BYE])


# Record


def test_a_recording_is_posted_after_the_beep() -> None:
    call = rings('<Say>Speak.</Say><Record action="turn" maxLength="60"/>', turn=BYE)

    assert call.waiting == "Record"
    assert call.heard == [Heard("Speak."), Heard("", None, "beep")]
    assert words(call.record(seconds=90, url="https://a.example/RE1", key="#")) == ["Goodbye."]
    assert said(call, "RecordingUrl", "RecordingDuration", "Digits") == {
        "RecordingUrl": "https://a.example/RE1",
        "RecordingDuration": "60",
        "Digits": "#",
    }


def test_nothing_recorded_falls_through_to_the_next_verb() -> None:
    call = rings('<Record action="turn" playBeep="false"/><Say>Nothing?</Say>')

    assert call.heard == []
    assert words(call.silence()) == ["Nothing?"]


def test_a_caller_who_hangs_up_after_speaking_has_left_a_message() -> None:
    call = rings('<Record action="turn"/>', turn=BYE)

    assert call.record(hang_up=True) == []
    assert said(call, "Digits", "CallStatus") == {"Digits": "hangup", "CallStatus": "completed"}
    assert call.ended
    assert call.requests[-1].url == f"{BASE}/voice/status"


def test_a_recordings_file_is_reported_ready_later() -> None:
    call = rings('<Record action="turn" recordingStatusCallback="/voice/status?recording=1"/>', turn=BYE)
    call.record(seconds=5)
    call.recording_ready()

    assert call.requests[-1].url == f"{BASE}/voice/status?recording=1"
    assert call.requests[-1].form["RecordingSid"] == said(call, "RecordingSid")["RecordingSid"]
    assert call.requests[-1].form["RecordingStatus"] == "completed"


# Dial

DIAL = '<Dial action="turn" callerId="+18005550199"><Number url="whisper?turn=3">+12175550177</Number></Dial>'
WHISPER = '<Gather action="whisper?asked=1" numDigits="1"><Say>Margo. Press 1.</Say></Gather><Hangup/>'


def test_a_dials_result_is_posted_to_its_action() -> None:
    call = rings(f"{DIAL}<Say>Never.</Say>", turn=BYE)

    assert call.waiting == "Dial"
    assert words(call.dial_result("no-answer")) == ["Goodbye."]
    assert said(call, "DialCallStatus", "DialBridged", "DialCallDuration") == {
        "DialCallStatus": "no-answer",
        "DialBridged": "false",
    }
    assert last(call).form["DialCallSid"].startswith("CA")


def test_a_dial_without_action_goes_on_in_its_document() -> None:
    assert words(rings("<Dial>+12175550177</Dial><Say>And now?</Say>").dial_result("completed")) == ["And now?"]


def test_an_agent_who_accepts_hears_the_whisper_on_a_call_of_their_own() -> None:
    call = rings(DIAL, whisper=[WHISPER, "<Say>Connecting.</Say>"], turn=BYE)

    assert words(call.agent_accepts()) == ["Margo. Press 1.", "Connecting."]
    assert call.bridged
    assert call.waiting == "Dial"
    assert words(call.heard) == []
    assert last(call).url == f"{BASE}/voice/whisper?asked=1"
    assert said(call, "ParentCallSid", "From", "To", "Direction", "Digits") == {
        "ParentCallSid": CALL_SID,
        "From": "+18005550199",
        "To": "+12175550177",
        "Direction": "outbound-dial",
        "Digits": "1",
    }
    agent_sid = last(call).form["CallSid"]

    call.dial_result("completed", seconds=40)
    assert said(call, "CallSid", "DialCallSid", "DialBridged", "DialCallDuration") == {
        "CallSid": CALL_SID,
        "DialCallSid": agent_sid,
        "DialBridged": "true",
        "DialCallDuration": "40",
    }


def test_an_agent_who_stays_silent_at_the_whisper_is_not_connected() -> None:
    call = rings(DIAL, whisper=WHISPER, turn=BYE)
    call.agent_declines()
    call.dial_result("completed")

    assert not call.bridged
    assert said(call, "DialCallStatus", "DialBridged") == {"DialCallStatus": "completed", "DialBridged": "false"}


def test_a_whisper_that_runs_out_of_verbs_connects_whoever_picked_up() -> None:
    call = rings(DIAL, whisper="<Gather action='whisper'><Say>Press 1.</Say></Gather>")
    call.agent_declines()

    assert call.bridged


def test_a_whisper_may_not_dial() -> None:
    with pytest.raises(TwimlError, match="<Dial> cannot be played here"):
        rings(DIAL, whisper="<Dial>+12175550100</Dial>").agent_accepts()


def test_the_second_of_two_phones_can_be_the_one_that_is_answered() -> None:
    two = '<Dial action="turn"><Number>+12175550101</Number><Sip url="whisper">sip:a@example.com</Sip></Dial>'
    call = rings(two, whisper=WHISPER)
    call.agent_declines(noun=1)

    assert last(call).form["To"] == "sip:a@example.com"


# Queue

ENQUEUE = '<Enqueue action="turn" waitUrl="wait?beat=1">sales</Enqueue>'


def test_a_queue_plays_its_music_beat_by_beat() -> None:
    call = ring(
        f"<Say>One moment.</Say>{ENQUEUE}",
        wait=["<Say>Beat 1.</Say><Redirect>wait?beat=2</Redirect>", "<Say>Beat 2.</Say>", "<Say>Beat 3.</Say>"],
    )

    assert words(call.dial()) == ["One moment.", "Beat 1."]
    assert call.waiting == "Enqueue"
    assert words(call.keep_waiting(position=3, seconds=20)) == ["Beat 2."]
    assert said(call, "QueuePosition", "QueueTime", "CallStatus") == {
        "QueuePosition": "3",
        "QueueTime": "20",
        "CallStatus": "ringing",
    }
    assert words(call.keep_waiting()) == ["Beat 3."]
    assert last(call).url == f"{BASE}/voice/wait?beat=1"


def test_a_key_in_a_queue_can_lead_out_of_it() -> None:
    wait = ['<Gather action="wait?key=1" numDigits="1"><Say>Press 1.</Say></Gather>', "<Leave/>"]
    call = rings(ENQUEUE, wait=wait, turn=BYE)

    assert words(call.press("1")) == ["Goodbye."]
    assert said(call, "QueueResult") == {"QueueResult": "leave"}


def test_a_queue_ends_when_caller_and_agent_have_parted() -> None:
    call = rings(ENQUEUE, wait="<Pause length='9'/>", turn=BYE)
    call.keep_waiting(seconds=45)

    assert words(call.queue_result()) == ["Goodbye."]
    assert said(call, "QueueResult", "QueueTime") == {"QueueResult": "bridged", "QueueTime": "45"}


def test_hanging_up_in_a_queue_is_told_to_its_action() -> None:
    call = rings(ENQUEUE, wait="<Pause length='9'/>", turn=BYE)
    call.hang_up()

    assert said(call, "QueueResult", "CallStatus") == {"QueueResult": "hangup", "CallStatus": "completed"}
    assert words(call.heard) == []


def test_waiting_music_may_not_record() -> None:
    with pytest.raises(TwimlError, match="<Record> cannot be played here"):
        rings(ENQUEUE, wait="<Record/>")


# Hanging up, and webhooks that come twice or late


def test_hanging_up_is_reported_with_the_calls_length() -> None:
    call = rings(GATHER)
    call.hang_up(seconds=12)

    assert call.ended
    assert call.waiting is None
    assert call.requests[-1].url == f"{BASE}/voice/status"
    assert call.requests[-1].form["CallDuration"] == "12"


def test_a_dials_action_is_told_of_a_hang_up_only_on_request() -> None:
    silent, told = rings(DIAL, turn=BYE), rings(DIAL, turn=BYE)
    silent.hang_up()
    told.hang_up(dial_status="canceled")

    assert said(silent, "DialCallStatus") == {}
    assert said(told, "DialCallStatus", "CallStatus") == {"DialCallStatus": "canceled", "CallStatus": "completed"}


def test_nobody_acts_on_a_call_that_is_over_or_not_yet_dialled() -> None:
    over = rings("<Hangup/>")

    for act in (over.silence, over.hang_up, lambda: over.press("1"), lambda: over.dial_result("busy")):
        with pytest.raises(TwimlError, match="the call is over"):
            act()
    with pytest.raises(TwimlError, match="not been dialled"):
        ring(BYE).press("1")


def test_one_cannot_act_where_the_line_does_not_wait_for_it() -> None:
    with pytest.raises(TwimlError, match="<Gather>, not in <Record>"):
        rings(GATHER).record()


def test_a_resent_webhook_is_the_same_to_the_byte_and_leaves_the_call_where_it_was() -> None:
    call = rings(GATHER, turn=[GATHER, "<Say>Pardon?</Say>"])
    call.press("1")

    assert words(call.resend()) == ["Pardon?"]
    assert call.requests[-1] == call.requests[-2]
    assert call.requests[-1].headers["I-Twilio-Idempotency-Token"]
    assert call.waiting == "Gather"
    assert words(call.heard) == ["Press 1.", "Press 1."]
    assert len(call.twiml) == 3


def test_a_proxy_repeats_a_webhook_without_its_token() -> None:
    call = rings(GATHER)
    call.resend(with_token=False)

    assert set(call.requests[0].headers) - set(call.requests[1].headers) == {"I-Twilio-Idempotency-Token"}


def test_two_webhooks_never_share_a_token() -> None:
    call = rings(GATHER, turn=BYE)
    call.press("1")

    assert len({sent.headers["I-Twilio-Idempotency-Token"] for sent in call.requests}) == 3


def test_any_webhook_can_come_late_even_after_the_call() -> None:
    call = rings(GATHER, turn=BYE)
    call.press("1")

    assert words(call.late(1)) == ["Goodbye."]
    assert call.requests[-1] == call.requests[1]
    assert words(call.heard) == ["Press 1.", "Goodbye."]


def test_a_status_can_overtake_the_call() -> None:
    call = rings(GATHER, turn=BYE)
    call.status(CallStatus="completed", SequenceNumber="2")

    assert call.requests[-1].form["SequenceNumber"] == "2"
    assert not call.ended
    assert words(call.press("1")) == ["Goodbye."]


# What no caller should meet


@pytest.mark.parametrize(
    ("document", "complaint"),
    [
        ("<Echo/>", "<Echo> cannot be played here"),
        ("<Leave/>", "<Leave> cannot be played here"),
        ("<Gather><Dial/></Gather>", "within <Gather>"),
        ("<Dial><Conference>room</Conference></Dial>", "within <Dial>"),
        ("<Dial/>", "dials nobody"),
        ("<Redirect/>", "leads nowhere"),
        ('<Gather method="GET"/>', "only POST"),
    ],
)
def test_twiml_that_is_not_played_says_so(document: str, complaint: str) -> None:
    with pytest.raises(TwimlError, match=complaint):
        rings(document)


@pytest.mark.parametrize(
    ("reply", "complaint"),
    [
        (Reply(500, "text/html", b"Oops"), "answered 500: Oops"),
        (Reply(403, "text/plain", b""), "answered 403"),
        (Reply(308, "text/html", b"moved"), "answered 308"),
        (Reply(200, "text/plain", b"Internal error"), "with text/plain, not XML: Internal error"),
        (Reply(200, "text/xml", b"<Response>"), "with broken XML"),
        (Reply(204, "", b""), "no content type"),
    ],
)
def test_an_answer_that_is_no_twiml_says_what_it_was(reply: Reply, complaint: str) -> None:
    with pytest.raises(WireError, match=complaint):
        rings(reply)


def test_a_document_with_another_root_is_not_twiml() -> None:
    with pytest.raises(TwimlError, match="<html>"):
        rings(Reply(200, "text/html", b"<html/>"))


@pytest.mark.parametrize("keys", ["", "a", "1 2"])
def test_only_keys_of_a_telephone_can_be_pressed(keys: str) -> None:
    with pytest.raises(ValueError, match="not keys"):
        rings(GATHER).press(keys)


# Over real HTTP


class Requests(BaseHTTPRequestHandler):
    """Answers every POST with TwiML and remembers what came."""

    protocol_version = "HTTP/1.1"
    seen: list[tuple[str, str | None, dict[str, str], object]]
    drop_after_answer = False

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        form = dict(parse_qsl(body, keep_blank_values=True))
        assert sign(TOKEN, f"http://{self.headers['Host']}{self.path}", form) == self.headers["X-Twilio-Signature"]
        self.seen.append((self.path, self.headers["Host"], form, self.client_address))
        answer = f"<Response>{GATHER}</Response>".encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/xml")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)
        self.close_connection = self.drop_after_answer

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def serve() -> Iterator[Callable[..., tuple[str, list[tuple[str, str | None, dict[str, str], object]]]]]:
    servers: list[HTTPServer] = []

    def start(**settings: object) -> tuple[str, list[tuple[str, str | None, dict[str, str], object]]]:
        handler = type("Handler", (Requests,), {"seen": [], **settings})
        server = HTTPServer(("127.0.0.1", 0), handler)
        servers.append(server)
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        return f"http://127.0.0.1:{server.server_port}", handler.seen  # type: ignore[attr-defined]

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def test_over_http_a_call_keeps_its_connection_and_its_form_arrives_whole(
    serve: Callable[..., tuple[str, list]],
) -> None:
    base, seen = serve()
    wire = HttpWire(timeout=5)
    call = Call(wire, base, TOKEN, "sip:zoë+1@example.com", LINE, CALL_SID)
    call.dial()
    call.press("1")
    wire.close()

    assert [path for path, *_ in seen] == ["/voice/incoming", "/voice/turn?n=1"]
    assert seen[1][2] == {**call.requests[1].form}
    assert seen[0][3] == seen[1][3]


def test_over_http_a_connection_that_was_dropped_is_made_again(serve: Callable[..., tuple[str, list]]) -> None:
    base, seen = serve(drop_after_answer=True)
    wire = HttpWire(timeout=5)
    call = Call(wire, base, TOKEN, MARGO, LINE, CALL_SID)
    call.dial()
    call.press("1")
    wire.close()

    assert len(seen) == 2


def test_a_server_can_be_reached_elsewhere_than_under_its_public_name(serve: Callable[..., tuple[str, list]]) -> None:
    local, seen = serve()
    wire = HttpWire(timeout=5, connect_to=local)
    Call(wire, "http://line.example.com", TOKEN, MARGO, LINE, CALL_SID).dial()
    wire.close()

    assert seen[0][1] == "line.example.com"


def test_a_server_that_is_not_there_is_named() -> None:
    with pytest.raises(WireError, match="no answer from http://127.0.0.1:1/voice/incoming"):
        Call(HttpWire(timeout=5), "http://127.0.0.1:1", TOKEN, MARGO, LINE, CALL_SID).dial()


def test_a_url_of_another_kind_is_refused() -> None:
    with pytest.raises(WireError, match="http://"):
        HttpWire().post("ftp://line.example.com/x", {}, {})
