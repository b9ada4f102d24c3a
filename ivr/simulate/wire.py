"""A caller on a wire: plays Twilio against a server, sending signed webhooks and executing the TwiML that comes back.

Used by `ivr dial`, by tests (over a test client) and by benches. Nothing in it is random and nothing reads a clock:
the same acts give the same requests.

    call = Call(HttpWire(), "https://line.example.com", token, "+15550100", "+15550199", "CA" + "1" * 32)
    call.dial()
    call.press("2")
    call.hang_up()
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from ivr.simulate.twiml_player import (
    CALLER_VERBS,
    WAITING_VERBS,
    WHISPER_VERBS,
    Heard,
    Leg,
    TwimlError,
    Verbs,
    play,
    resolve,
)
from ivr.simulate.webhook import (
    ACCOUNT_SID,
    HttpWire,
    Reply,
    Sent,
    Webhooks,
    Wire,
    WireError,
    form_fields,
    sign,
)

__all__ = ["Call", "Heard", "HttpWire", "Reply", "Sent", "TwimlError", "Wire", "WireError", "form_fields", "sign"]

KEYS = frozenset("0123456789*#")
DIAL_STATUSES = ("completed", "answered", "busy", "no-answer", "failed", "canceled")


class Call:
    """One call from its first webhook to its last. What the caller does is a method; each returns what they then heard.

    heard     everything the caller heard, in order
    twiml     every document the server answered, in order, also those to duplicates and whispers
    requests  every webhook sent, in order, callbacks included
    bridged   whether the last agent who was tried talked with the caller
    ended     whether the call is over
    """

    def __init__(
        self,
        wire: Wire,
        base_url: str,
        token: str,
        from_: str,
        to: str,
        call_sid: str,
        *,
        account_sid: str = ACCOUNT_SID,
        extra: Mapping[str, str] | None = None,
        status_callbacks: bool = True,
        seconds: int = 30,
    ) -> None:
        """`extra` fields go with every webhook; `seconds` is what the call will have lasted, for want of a clock."""
        self.from_, self.to, self.call_sid, self.account_sid = from_, to, call_sid, account_sid
        self.extra = dict(extra or {})
        self.heard: list[Heard] = []
        self.bridged = False
        self.ended = False
        self._webhooks = Webhooks(wire, token)
        self.twiml, self.requests = self._webhooks.documents, self._webhooks.sent
        self._base, self._status_callbacks, self._seconds = base_url.rstrip("/"), status_callbacks, seconds
        self._caller = Leg(self._fetch, self._base, CALLER_VERBS, self.heard)
        self._music: Leg | None = None  # only in a queue
        self._position, self._waited = 1, 0
        self._agents_tried, self._agent_sid = 0, ""
        self._recording: tuple[str, dict[str, str]] | None = None

    @property
    def waiting(self) -> str | None:
        """The verb the caller waits in (Gather, Record, Dial, Enqueue), or None before and after the call."""
        return None if self.ended else self._caller.waits_in

    # What the caller does

    def dial(self) -> list[Heard]:
        """Rings the line: the call's first webhook."""
        if self.requests:
            raise TwimlError("a call is dialled once; a second call is a second Call")
        self._caller.go(f"{self._base}/voice/incoming")
        return self._since(0)

    def press(self, digits: str, *, type_ahead: bool = False) -> list[Heard]:
        """Presses keys at a Gather. It takes what it needs; `type_ahead` leaves the rest to the Gathers that follow."""
        if not digits or set(digits) - KEYS:
            raise ValueError(f"{digits!r} are not keys of a telephone")
        before = len(self.heard)
        left = self._listener().press(digits)
        self._settle()
        while type_ahead and left and not self.ended and self._listener().waits_in == "Gather":
            left = self._listener().press(left)
            self._settle()
        return self.heard[before:]

    def say(self, text: str, confidence: float = 0.9) -> list[Heard]:
        """Says something at a Gather that listens to speech."""
        before = len(self.heard)
        self._listener().say(text, confidence)
        return self._since(before)

    def silence(self) -> list[Heard]:
        """Does nothing until a Gather or a Record gives up."""
        before = len(self.heard)
        self._listener().silence()
        return self._since(before)

    def record(self, seconds: int = 7, url: str | None = None, *, key: str = "", hang_up: bool = False) -> list[Heard]:
        """Speaks after the beep; `key` ends the recording, or `hang_up` ends it and the call."""
        before = len(self.heard)
        verb = self._on_line().standing_at("Record")
        sid = self._sid("RE", len(self.requests))
        fields = {
            "RecordingUrl": url or f"https://api.twilio.com/2010-04-01/Accounts/{self.account_sid}/Recordings/{sid}",
            "RecordingSid": sid,
            "RecordingDuration": str(min(seconds, int(verb.get("maxLength", "3600")))),
        }
        callback = verb.get("recordingStatusCallback")
        self._recording = None if callback is None else (self._absolute(callback), fields)
        if hang_up:
            self._leave({**fields, "Digits": "hangup"})
        else:
            self._caller.act(**fields, **({"Digits": key} if key else {}))
        return self._since(before)

    def hang_up(self, seconds: int | None = None, *, dial_status: str | None = None) -> list[Heard]:
        """Leaves. A queue's action is told so; a Dial's action only if `dial_status` says what it is told."""
        match self._on_line().waits_in:
            case "Enqueue":
                self._leave(self._queue_result("hangup"), seconds)
            case "Dial" if dial_status:
                self._leave(self._dial_result(dial_status, bool(self._agent_sid) and self.bridged, 0), seconds)
            case _:
                self._end("completed", seconds)
        return []

    # What agents, queues and Twilio do

    def dial_result(self, status: str, bridged: bool | None = None, seconds: int = 30) -> list[Heard]:
        """The Dial is over. `bridged` is by default what an agent made of it, or else whether `status` says so."""
        before = len(self.heard)
        verb = self._on_line().standing_at("Dial")
        if bridged is None:
            bridged = self.bridged if self._agent_sid else status in ("completed", "answered")
        fields = self._dial_result(status, bridged, seconds)
        self.bridged, self._agent_sid = bridged, ""
        self._after(verb.get("action"), fields)
        return self._since(before)

    def agent_accepts(self, keys: str = "1", *, noun: int = 0) -> list[Heard]:
        """A Dial's `noun`-th phone is picked up and `keys` pressed at the whisper. Returns what the agent heard."""
        return self._whisper(keys, noun)

    def agent_declines(self, keys: str = "", *, noun: int = 0) -> list[Heard]:
        """The phone is picked up, by a mailbox perhaps, which says nothing at the whisper or presses `keys`."""
        return self._whisper(keys, noun)

    def keep_waiting(self, position: int = 1, seconds: int = 30) -> list[Heard]:
        """Time passes in a queue: the waiting music's next document is played."""
        before = len(self.heard)
        wait_url = self._on_line().standing_at("Enqueue").get("waitUrl")
        self._position, self._waited = position, self._waited + seconds
        if self._music is not None and wait_url:
            self._music.go_on(self._absolute(wait_url))
        return self._since(before)

    def queue_result(self, result: str = "bridged") -> list[Heard]:
        """The time in the queue is over: bridged (and the two have parted), leave, redirected, queue-full, error, …"""
        before = len(self.heard)
        verb = self._on_line().standing_at("Enqueue")
        self._music = None
        self._after(verb.get("action"), self._queue_result(result))
        return self._since(before)

    def recording_ready(self) -> list[Heard]:
        """The last recording's file is there: tells the Record's recordingStatusCallback, during the call or after."""
        if self._recording is None:
            raise TwimlError("no <Record> with a recordingStatusCallback has recorded anything")
        url, recorded = self._recording
        ready = {"RecordingStatus": "completed", "RecordingChannels": "1", "RecordingSource": "RecordVerb"}
        self._webhooks.callback(url, {"AccountSid": self.account_sid, "CallSid": self.call_sid, **recorded, **ready})
        return []

    def status(self, url: str | None = None, **fields: str) -> list[Heard]:
        """A status callback with these fields, to the line's own URL or another. The call here goes on."""
        self._webhooks.callback(self._absolute(url or f"{self._base}/voice/status"), self._form(fields))
        return []

    # What the network does

    def resend(self, *, with_token: bool = True) -> list[Heard]:
        """The last webhook arrives a second time."""
        return self.late(-1, with_token=with_token)

    def late(self, n: int, *, with_token: bool = True) -> list[Heard]:
        """`requests[n]` arrives again. Without its idempotency token it is a proxy's repetition, not Twilio's.

        The call stays where it is, since Twilio has its answer already; returned is what this answer would have said.
        """
        return list(play(self._webhooks.again(n, with_token=with_token), CALLER_VERBS | WAITING_VERBS).heard)

    # How it is done

    def _on_line(self) -> Leg:
        if self.ended or not self.requests:
            raise TwimlError("the call is over" if self.ended else "the call has not been dialled")
        return self._caller

    def _listener(self) -> Leg:
        """The leg that hears the caller's keys: in a queue that is the waiting music."""
        caller = self._on_line()
        return caller if self._music is None else self._music

    def _since(self, before: int) -> list[Heard]:
        self._settle()
        return self.heard[before:]

    def _settle(self) -> None:
        """Draws the consequences of where the legs stand now: a queue begins or is left, the call ends."""
        if self.ended:
            return
        match (self.waiting, self._music and self._music.waits_in):
            case "Enqueue", "Leave":
                self.queue_result("leave")
            case "Enqueue", "Hangup":
                self._leave(self._queue_result("hangup"))
            case "Enqueue", _ if self._music is None:
                self._position, self._waited = 1, 0
                self._music = Leg(self._fetch_music, self._caller.url, WAITING_VERBS, self.heard, beats=True)
                wait_url = self._caller.standing_at("Enqueue").get("waitUrl")
                if wait_url:
                    self._music.go(wait_url)
                    self._settle()
            case ((None | "Hangup"), _):
                self._end("completed")
            case "Reject", _:
                reason = self._caller.standing_at("Reject").get("reason")
                self._end("busy" if reason == "busy" else "no-answer", 0)

    def _after(self, action: str | None, fields: Mapping[str, str]) -> None:
        """A Dial or an Enqueue without an action goes on with the next verb, unlike Gather and Record."""
        if action:
            self._caller.act(**fields)
        else:
            self._caller.next_verb()

    def _leave(self, fields: Mapping[str, str], seconds: int | None = None) -> None:
        """The caller is gone during a verb whose action is told; nobody hears its answer."""
        verb = self._caller.standing_at()
        action = verb.get("action")
        if action or verb.tag == "Record":
            self._webhooks.document(self._absolute(action or ""), self._form({**fields, "CallStatus": "completed"}))
        self._end("completed", seconds)

    def _end(self, status: str, seconds: int | None = None) -> None:
        self.ended, self._music = True, None
        if self._status_callbacks:
            duration = str(self._seconds if seconds is None else seconds)
            self.status(CallStatus=status, CallDuration=duration, SequenceNumber="0")

    def _whisper(self, keys: str, noun: int) -> list[Heard]:
        verb = self._on_line().standing_at("Dial")
        party = verb[noun] if len(verb) else verb
        self._agents_tried += 1
        self._agent_sid = self._sid("CA", self._agents_tried)
        url = party.get("url") if party.tag != "Queue" else None  # a Queue's url is for the one who waits in it
        if not url:
            self.bridged = bool(keys)  # nobody is asked: keys stand for picking up
            return []
        child = form_fields(
            self._agent_sid,
            verb.get("callerId", self.from_),
            (party.text or "").strip(),
            account_sid=self.account_sid,
            direction="outbound-dial",
            extra={"ParentCallSid": self.call_sid},
        )
        agent = Leg(
            lambda to, fields: self._webhooks.document(to, {**child, **fields}), self._caller.url, WHISPER_VERBS
        )
        agent.go(url)
        if keys and agent.waits_in == "Gather":
            agent.press(keys)
        for _ in range(10):
            if agent.waits_in == "Gather":
                agent.silence()
        # Twilio connects the two once the whisper has no verbs left: only a Hangup keeps them apart.
        self.bridged = agent.waits_in is None
        return agent.heard

    def _dial_result(self, status: str, bridged: bool, seconds: int) -> dict[str, str]:
        if status not in DIAL_STATUSES:
            raise ValueError(f"{status!r} is not a DialCallStatus: {', '.join(DIAL_STATUSES)}")
        if not self._agent_sid:
            self._agents_tried += 1
        return {
            "DialCallStatus": status,
            "DialBridged": str(bridged).lower(),
            "DialCallSid": self._agent_sid or self._sid("CA", self._agents_tried),
            **({"DialCallDuration": str(seconds)} if bridged else {}),
        }

    def _queue_result(self, result: str) -> dict[str, str]:
        return {"QueueResult": result, "QueueSid": self._sid("QU", ""), "QueueTime": str(self._waited)}

    def _fetch(self, url: str, fields: Mapping[str, str]) -> Verbs:
        # An inbound call rings until the first document is played.
        ringing = {} if self.requests else {"CallStatus": "ringing"}
        return self._webhooks.document(url, self._form({**ringing, **fields}))

    def _fetch_music(self, url: str, fields: Mapping[str, str]) -> Verbs:
        place = {
            "CallStatus": "ringing",  # so Twilio calls it while somebody waits
            "QueueSid": self._sid("QU", ""),
            "QueuePosition": str(self._position),
            "QueueTime": str(self._waited),
            "AvgQueueTime": str(self._waited),
            "CurrentQueueSize": str(self._position),
            "MaxQueueSize": "1000",
        }
        return self._webhooks.document(url, self._form({**place, **fields}))

    def _form(self, fields: Mapping[str, str]) -> dict[str, str]:
        extra = {**self.extra, **fields}
        return form_fields(self.call_sid, self.from_, self.to, account_sid=self.account_sid, extra=extra)

    def _absolute(self, url: str) -> str:
        return resolve(self._caller.url, url)

    def _sid(self, kind: str, what: object) -> str:
        return kind + hashlib.sha256(f"{self.call_sid} {kind} {what}".encode()).hexdigest()[:32]
