"""Twilio's REST API, played by a real HTTP server on a free port, as strict as Twilio's own OpenAPI about what it is asked.

    def test_an_agent_is_rung(fake_twilio, line):                      # the fixture comes from tests/conftest.py
        config = replace(line.config, **fake_twilio.account)           # account SID, token and TWILIO_API_URL
        Rest(config).ring("+15550002222", "+15550001111", "https://x.example/agent", "https://x.example/status", 20)
        (call,) = fake_twilio.calls.values()
        assert call["To"] == "+15550002222"

What it holds, by SID, each as the fields it was made with (and `status`): `calls`, `messages`, `tasks`, `queues`, `recordings`
(SID → bytes). A queue or recording that a test needs is put there: `fake_twilio.recordings["RE" + 32 * "1"] = b"ID3…"`.
`fake_twilio.asked` is every request, oldest first (method, path, form, headers).

How it goes wrong, until as many requests have: `refuses(400, 21211, "…", times=1)` answers so and does nothing; `loses(times=1)`
does what it is asked and hangs up without an answer; `drops(times=1)` does nothing and hangs up; `says(b"…")` answers the next
request with whatever that is, as if it were Twilio no longer who answers. `is_silent()`: no answer at all until the end of the test (give Rest a short `seconds`). `before(act)`: calls `act()` once, after the next request has been
read and before it is answered: for what happens just in between.
"""

from __future__ import annotations

import base64
import json
import re
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple
from urllib.parse import parse_qs, urlsplit

import pytest

ACCOUNT, TOKEN = "AC" + "0" * 31 + "1", "rest-token"
WORKSPACE, WORKFLOW = "WS" + "0" * 31 + "1", "WW" + "0" * 31 + "1"
NEVER = "http://127.0.0.1:9"
"""Where nobody answers: connections are refused."""

E164 = r"\+[1-9]\d{6,14}"
URL = r"https?://\S+"
INSTANT = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"
CALL = {
    "To": rf"{E164}|sip:\S+@\S+|client:\S+", "From": rf"{E164}|client:\S+", "Url": URL, "Method": "GET|POST",
    "StatusCallback": URL, "StatusCallbackMethod": "GET|POST", "Timeout": r"\d{1,3}",
    "StatusCallbackEvent": "initiated|ringing|answered|completed",
}  # fmt: skip
MESSAGE = {"To": E164, "From": E164, "Body": r"(?s).{1,1600}"}
TASK = {
    "WorkflowSid": r"WW[0-9a-fA-F]{32}", "Attributes": r"(?s)\{.{0,4094}\}", "VirtualStartTime": INSTANT,
    "Priority": r"\d+", "TaskChannel": r"\w+",
}  # fmt: skip
CHANGED_CALL = {"Status": "canceled|completed"}
CHANGED_RESERVATION = {"ReservationStatus": "accepted|rejected"}
CHANGED_TASK = {
    "AssignmentStatus": "pending|reserved|assigned|canceled|completed|wrapping", "Reason": r"(?s).{1,4096}",
}  # fmt: skip


class Asked(NamedTuple):
    """One request as it arrived. `form` has the last value of each field."""

    method: str
    path: str
    form: Mapping[str, str]
    headers: Mapping[str, str]


class Answer(NamedTuple):
    """What is answered."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = {}


def told(content: Any, status: int = 200, **headers: str) -> Answer:
    return Answer(status, json.dumps(content).encode(), {"Content-Type": "application/json", **headers})


def refusal(status: int, code: int, message: str) -> Answer:
    return told({"code": code, "message": message, "status": status}, status)


NOTHING = refusal(404, 20404, "The requested resource was not found")


class FakeTwilio:
    """One account. See the top of this file."""

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self.calls: dict[str, dict[str, Any]] = {}
        self.messages: dict[str, dict[str, Any]] = {}
        self.tasks: dict[str, dict[str, Any]] = {}
        self.queues: dict[str, int] = {}
        self.recordings: dict[str, bytes] = {}
        self._made = 0
        self._wrong: list[tuple[str, Answer]] = []
        self._before: Callable[[], None] | None = None
        self._go_on = threading.Event()
        self._go_on.set()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    @property
    def account(self) -> dict[str, Any]:
        """What a Config needs to ask here: `replace(config, **fake_twilio.account)`."""
        return {"account_sid": ACCOUNT, "tokens": (TOKEN,), "environment": {"TWILIO_API_URL": self.url}}

    def refuses(self, status: int, code: int = 20001, message: str = "no", times: int = 1) -> None:
        """So many requests are answered like that, and nothing happens."""
        self._wrong += [("says", refusal(status, code, message))] * times

    def says(self, body: bytes) -> None:
        """The next request succeeds with that, and nothing happens."""
        self._wrong.append(("says", Answer(201, body)))

    def loses(self, times: int = 1) -> None:
        """What so many requests ask for happens, and nobody is told."""
        self._wrong += [("loses", Answer(0))] * times

    def drops(self, times: int = 1) -> None:
        """So many requests are hung up on, and nothing happens."""
        self._wrong += [("drops", Answer(0))] * times

    def is_silent(self) -> None:
        """From now on nothing is answered."""
        self._go_on.clear()

    def before(self, act: Callable[[], None]) -> None:
        """`act` happens once, just before the next request is answered."""
        self._before = act

    def ends(self) -> None:
        self._go_on.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _new(self, prefix: str) -> str:
        self._made += 1
        return f"{prefix}{self._made:032x}"

    def _answer(self, asked: Asked, ranged: str | None) -> Answer | None:
        wanted = base64.b64encode(f"{ACCOUNT}:{TOKEN}".encode()).decode()
        if asked.headers.get("Authorization") != f"Basic {wanted}":
            return refusal(401, 20003, "Authenticate")
        wrong, answer = self._wrong.pop(0) if self._wrong else ("", Answer(0))
        if wrong == "says":
            return answer
        if wrong == "drops":
            return None
        done = self._do(asked, ranged)
        return None if wrong == "loses" else done

    def _do(self, asked: Asked, ranged: str | None) -> Answer:
        api, space = f"/2010-04-01/Accounts/{ACCOUNT}", f"/v1/Workspaces/{WORKSPACE}/Tasks"
        path = asked.path
        if not path.startswith((api, space)):
            return NOTHING
        match asked.method, *path.removeprefix(api).removeprefix(space).strip("/").removesuffix(".json").split("/"):
            case "POST", "Calls":
                return self._make(asked, "CA", self.calls, CALL, ("To", "From", "Url"), status="queued")
            case "POST", "Messages":
                return self._make(asked, "SM", self.messages, MESSAGE, ("To", "From", "Body"), status="queued")
            case "POST", "Calls", sid:
                return self._change_call(asked, sid)
            case "DELETE", "Queues", sid:
                if self.queues.get(sid):
                    return refusal(400, 22003, "Queue is not empty")
                return self._delete(self.queues, sid, "QU")
            case "DELETE", "Recordings", sid:
                return self._delete(self.recordings, sid, "RE")
            case "GET", "Recordings", name if name.removesuffix(".mp3") in self.recordings:
                return self._media(name.removesuffix(".mp3"), ranged)
            case "POST", "" if path == space:
                return self._make(
                    asked, "WT", self.tasks, TASK, ("Attributes",), assignment_status="pending", version=1
                )
            case "GET", "" if path == space:
                newest = [self._shown(sid, self.tasks) for sid in reversed(self.tasks)]
                meta = {"key": "tasks", "next_page_url": None, "page": 0, "page_size": 50, "url": self.url}
                return told({"tasks": newest, "meta": meta})
            case "GET", sid if path.startswith(space) and sid in self.tasks:
                return told(self._shown(sid, self.tasks), ETag=f'"{self.tasks[sid]["version"]}"')
            case "POST", sid if path.startswith(space) and sid in self.tasks:
                return self._change_task(asked, sid)
            case "POST", sid, "Reservations", reservation if path.startswith(space) and sid in self.tasks:
                return self._change_reservation(asked, sid, reservation)
        return NOTHING

    def _make(
        self,
        asked: Asked,
        prefix: str,
        into: dict[str, dict[str, Any]],
        fields: Mapping[str, str],
        needed: tuple[str, ...],
        **more: Any,
    ) -> Answer:
        wrong = misfits(asked.form, fields, needed)
        if wrong:
            return refusal(400, 20001, wrong)
        sid = self._new(prefix)
        into[sid] = {**asked.form, **more}
        return told(self._shown(sid, into), 201)

    def _shown(self, sid: str, held: Mapping[str, dict[str, Any]]) -> dict[str, Any]:
        """A resource as Twilio shows it: our fields in its spelling."""
        return {"sid": sid} | {re.sub(r"(?<!^)([A-Z])", r"_\1", name).lower(): it for name, it in held[sid].items()}

    def _delete(self, held: dict[str, Any], sid: str, prefix: str) -> Answer:
        if not re.fullmatch(rf"{prefix}[0-9a-fA-F]{{32}}", sid) or sid not in held:
            return NOTHING
        del held[sid]
        return Answer(204)

    def _change_call(self, asked: Asked, sid: str) -> Answer:
        if sid not in self.calls:
            return NOTHING
        wrong = misfits(asked.form, CHANGED_CALL, ("Status",))
        if wrong:
            return refusal(400, 20001, wrong)
        if self.calls[sid]["status"] == "completed":
            return refusal(400, 21220, "Call is not in-progress. Cannot redirect.")
        self.calls[sid]["status"] = asked.form["Status"]
        return told(self._shown(sid, self.calls))

    def _change_task(self, asked: Asked, sid: str) -> Answer:
        task = self.tasks[sid]
        wrong = misfits(asked.form, CHANGED_TASK, ("AssignmentStatus", "Reason"))
        if wrong:
            return refusal(400, 20001, wrong)
        if asked.headers.get("If-Match") not in (None, f'"{task["version"]}"'):
            return refusal(412, 20412, "Precondition failed")
        status = asked.form["AssignmentStatus"]
        before = {"canceled": ("pending", "reserved"), "completed": ("assigned", "wrapping")}.get(status, ())
        if task["assignment_status"] not in before:
            return refusal(400, 20001, f"Cannot make task {status} because it is not {' or '.join(before)}")
        task.update(assignment_status=status, reason=asked.form["Reason"])
        return told(self._shown(sid, self.tasks))

    def _change_reservation(self, asked: Asked, task: str, sid: str) -> Answer:
        wrong = misfits(asked.form, CHANGED_RESERVATION, ("ReservationStatus",))
        if wrong or not re.fullmatch(r"WR[0-9a-f]{32}", sid):
            return refusal(400, 20001, wrong or "not a reservation")
        if self.tasks[task]["assignment_status"] != "reserved":
            return refusal(400, 20001, "Reservation is not pending")
        self.tasks[task].update(assignment_status="assigned", reservation=sid)
        return told({"sid": sid, "reservation_status": asked.form["ReservationStatus"]})

    def _media(self, sid: str, ranged: str | None) -> Answer:
        whole = self.recordings[sid]
        about = {"Content-Type": "audio/mpeg", "Accept-Ranges": "bytes", "X-Twilio-Secret": "internal"}
        part = re.fullmatch(r"bytes=(\d+)-(\d*)", ranged or "")
        if not part:
            return Answer(200, whole, about)
        first, last = int(part[1]), min(int(part[2] or len(whole)), len(whole) - 1)
        if first >= len(whole):
            return Answer(416, b"", {"Content-Range": f"bytes */{len(whole)}"})
        return Answer(206, whole[first : last + 1], {**about, "Content-Range": f"bytes {first}-{last}/{len(whole)}"})

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        fake = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            # Headers and body leave together: otherwise the client's delayed acknowledgement costs 40 ms.
            wbufsize = -1

            def do_GET(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
                # Empty fields count: Twilio is asked with them, too.
                form = {name: given[-1] for name, given in parse_qs(body, keep_blank_values=True).items()}
                asked = Asked(self.command, urlsplit(self.path).path, form, dict(self.headers))
                fake.asked.append(asked)
                act, fake._before = fake._before, None
                if act:
                    act()
                fake._go_on.wait(20)
                answer = fake._answer(asked, self.headers.get("Range"))
                if answer is None:
                    self.close_connection = True
                    return
                self.send_response(answer.status)
                for name, value in answer.headers.items():
                    self.send_header(name, value)
                if answer.status != 204:
                    self.send_header("Content-Length", str(len(answer.body)))
                self.end_headers()
                self.wfile.write(answer.body)
                self.wfile.flush()

            do_POST = do_DELETE = do_GET

            def handle(self) -> None:
                with suppress(OSError):
                    super().handle()

            def log_message(self, *args: Any) -> None:
                pass

        return Handler


def misfits(form: Mapping[str, str], fields: Mapping[str, str], needed: tuple[str, ...]) -> str:
    """What Twilio would not take of a form, or nothing."""
    wrong = [f"'{name}' is not a field" for name in form if name not in fields]
    wrong += [f"'{name}' is missing" for name in needed if not form.get(name)]
    wrong += [
        f"'{value}' is not a {name}"
        for name, value in form.items()
        if name in fields and not re.fullmatch(fields[name], value)
    ]
    return "; ".join(wrong)


@pytest.fixture
def fake_twilio() -> Iterator[FakeTwilio]:
    """Twilio's REST API for one test."""
    fake = FakeTwilio()
    yield fake
    fake.ends()
