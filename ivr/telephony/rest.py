"""What we ask of Twilio: to ring, to hang up, to send, to route, to delete.

Each request has a timeout and is made once. Nothing here tries again: that is for the caller to decide, who knows from a
fault's `sure` whether it may have happened. TWILIO_API_URL in the environment leads elsewhere: to a mock, in tests.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cached_property
from typing import Any, NamedTuple

from ivr.config import Config
from ivr.telephony.faults import RestFault, asked_to, refused

SECONDS = 10.0
"""How long Twilio may take to accept a connection, and again to answer."""

NOT_IN_PROGRESS = 21220
"""Twilio's error for a call that is over already."""

NEWEST = 50
"""Tasks among which one is looked for."""

TRIES = 3
"""How often a task that changes under our hands is looked at again."""

ENDS = {"pending": "canceled", "reserved": "canceled", "assigned": "completed", "wrapping": "completed"}
"""A task's status → how it ends."""

CHUNK = 64 * 1024
KEPT_HEADERS = ("Content-Type", "Content-Length", "Content-Range", "Accept-Ranges")
_RANGE = re.compile(r"bytes=(\d{1,15}-\d{0,15}|-\d{1,15})$")


class Media(NamedTuple):
    """A recording on its way: HTTP status (200, 206 or 416), the headers that describe it, and its bytes."""

    status: int
    headers: Mapping[str, str]
    chunks: Iterator[bytes]


class Rest:
    """Twilio's REST API with the account of `config`. Every method raises RestFault. Shared by threads."""

    def __init__(self, config: Config, seconds: float = SECONDS) -> None:
        self.config, self.seconds = config, seconds

    @cached_property
    def client(self) -> Any:
        """The library's client, made when it is first needed: its import takes longer than a turn."""
        sid, tokens, environment = self.config.account_sid, self.config.tokens, self.config.environment
        if not sid:
            raise RestFault("TWILIO_ACCOUNT_SID is not set; it begins with AC and is on Twilio's console", sure=True)
        if not tokens:
            raise RestFault("TWILIO_AUTH_TOKEN is not set; it is on Twilio's console", sure=True)
        from twilio.http.http_client import TwilioHttpClient
        from twilio.rest import Client

        # The library logs every address and header at info.
        quiet = logging.getLogger("ivr.telephony.rest")
        quiet.setLevel(logging.WARNING)
        # A connection of its own for each request: one kept open may be closed by the other side just as we send, and
        # then nobody knows whether the call was made.
        http = TwilioHttpClient(pool_connections=False, timeout=self.seconds, logger=quiet)
        client = Client(sid, tokens[0], http_client=http, environment=dict(environment))
        elsewhere = environment.get("TWILIO_API_URL")
        if elsewhere:
            client.api.base_url = client.taskrouter.base_url = elsewhere.rstrip("/")
        return client

    def ring(self, to: str, from_: str, url: str, status_url: str, seconds: float) -> str:
        """Calls `to` (a number, `sip:` address or `client:` name) and returns the CallSid before anybody has answered.

        `url` is asked for TwiML once they have; `status_url` is told how it ended; `seconds` is how long it rings.
        """
        with asked_to("ring the agent"):
            return _sid_of(
                self.client.calls.create(
                    to=to,
                    from_=from_,
                    url=url,
                    method="POST",
                    status_callback=status_url,
                    status_callback_method="POST",
                    status_callback_event=["completed"],
                    timeout=max(1, round(seconds)),
                )
            )

    def hang_up(self, call: str) -> None:
        """Ends a call, also one that still rings. One that is over stays over."""
        sid = _sid("CA", call, "a call")
        try:
            with asked_to("hang up"):
                self.client.calls(sid).update(status="completed")
        except RestFault as fault:
            if fault.status != 404 and fault.code != NOT_IN_PROGRESS:
                raise

    def send_sms(self, to: str, from_: str, body: str) -> str:
        """Sends an SMS and returns its SID. Asked twice, Twilio sends twice."""
        with asked_to("send the SMS"):
            return _sid_of(self.client.messages.create(to=to, from_=from_, body=body))

    def delete_queue(self, queue: str) -> None:
        """Deletes a queue; one that is gone stays gone. Twilio refuses while somebody waits in it."""
        sid = _sid("QU", queue, "a queue")
        with _gone_is_fine(), asked_to("delete the queue"):
            self.client.queues(sid).delete()

    def delete_recording(self, recording: str) -> None:
        """Deletes a recording; one that is gone stays gone."""
        sid = _sid("RE", recording, "a recording")
        with _gone_is_fine(), asked_to("delete the recording"):
            self.client.recordings(sid).delete()

    def recording(self, recording: str, range_: str | None = None) -> Media:
        """A recording as MP3, by its SID or its URL. `range_` is a browser's Range header.

        The request goes to Twilio by the SID, whatever the URL says: it carries our account's password.
        """
        import requests

        sid = _sid("RE", recording.rsplit("/", 1)[-1], "a recording")
        client = self.client
        path = f"{client.api.base_url}/2010-04-01/Accounts/{client.account_sid}/Recordings/{sid}.mp3"
        headers = {"Accept-Encoding": "identity"}
        if range_ and _RANGE.match(range_):
            headers["Range"] = range_
        what = "fetch the recording"
        with asked_to(what):
            url = client.get_hostname(path)
            answer = requests.get(url, auth=client.auth, headers=headers, stream=True, timeout=self.seconds)
        if answer.status_code not in (200, 206, 416):
            answer.close()
            raise refused(what, answer.status_code, None, "it may be deleted, or not ready yet")
        kept = {name: answer.headers[name] for name in KEPT_HEADERS if name in answer.headers}
        return Media(answer.status_code, kept, _chunks(answer))

    def callback_task(
        self,
        workspace: str,
        workflow: str,
        attributes: Mapping[str, Any],
        entered: float,
        priority: int = 0,
        channel: str = "voice",
    ) -> str:
        """A TaskRouter task that waits as if since `entered` (UTC seconds, not in the future). Returns its SID.

        Asked twice, Twilio makes two: look with `find_task` first.
        """
        tasks = self._tasks(workspace)
        with asked_to("create the task"):
            return _sid_of(
                tasks.create(
                    workflow_sid=workflow,
                    attributes=json.dumps(attributes),
                    virtual_start_time=datetime.fromtimestamp(entered, UTC),
                    priority=priority,
                    task_channel=channel,
                )
            )

    def find_task(self, workspace: str, value: str, attribute: str = "call_sid") -> str | None:
        """The SID of the newest task with that attribute, among the newest ones, or None.

        Listed rather than asked for by attribute: Twilio answers only three such questions a second.
        """
        tasks = self._tasks(workspace)
        with asked_to("list the tasks"):
            newest: Sequence[Any] = tasks.list(ordering="DateCreated:desc", limit=NEWEST)
            return next((_sid_of(task) for task in newest if _attributes(task).get(attribute) == value), None)

    def cancel_task(self, workspace: str, task: str, reason: str) -> bool:
        """Cancels a task that nobody has yet. False where an agent has it or had it, or their phone is ringing: it is theirs.

        Only as it was when we looked: where it changed meanwhile (412), it is looked at again.
        """
        context = self._tasks(workspace, _sid("WT", task, "a task"))
        for _ in range(TRIES):
            try:
                with asked_to("cancel the task"):
                    found = context.fetch_with_http_info()
                    status, tag = found.data.assignment_status, found.headers.get("ETag")
                    if status != "pending":
                        return bool(status == "canceled")
                    more = {"if_match": tag} if tag else {}
                    context.update(assignment_status="canceled", reason=reason, **more)
                    return True
            except RestFault as fault:
                if fault.status == 404:
                    return True
                if fault.status != 412:
                    raise
        raise RestFault("the task changed each time it was to be cancelled; try again", sure=True, status=412)

    def accept_reservation(self, workspace: str, task: str, reservation: str) -> None:
        """A worker has accepted a task. One that they may not accept any more, or again, stays as it is."""
        context = self._tasks(workspace, _sid("WT", task, "a task"))
        with _too_late_is_fine(), asked_to("accept the reservation"):
            context.reservations(_sid("WR", reservation, "a reservation")).update(reservation_status="accepted")

    def end_task(self, workspace: str, task: str) -> None:
        """Ends a task: as completed where a worker has accepted it, else as cancelled. One that is over stays over."""
        context = self._tasks(workspace, _sid("WT", task, "a task"))
        with _gone_is_fine(), asked_to("end the task"):
            status = context.fetch().assignment_status
            if status in ENDS:
                context.update(assignment_status=ENDS[status], reason="the call back is over")

    def _tasks(self, workspace: str, *task: str) -> Any:
        if not workspace:
            message = "config.yaml names no TaskRouter workspace; add workspace: WS… beside the target's workflow:"
            raise RestFault(message, sure=True)
        space = self.client.taskrouter.v1.workspaces(_sid("WS", workspace, "a workspace"))
        return space.tasks(*task) if task else space.tasks


@contextmanager
def _too_late_is_fine() -> Iterator[None]:
    """What was to be changed is over, or was changed before: nothing is left to do."""
    try:
        yield
    except RestFault as fault:
        if fault.status not in (400, 404, 409, 410):
            raise


@contextmanager
def _gone_is_fine() -> Iterator[None]:
    """What was to be deleted is not there: that is what was wanted."""
    try:
        yield
    except RestFault as fault:
        if fault.status != 404:
            raise


def _sid(prefix: str, text: str, what: str) -> str:
    """`text`, which becomes part of an address, if it looks like a SID."""
    if not re.fullmatch(rf"{prefix}[0-9A-Za-z]{{1,62}}", text):
        raise RestFault(f"that is not the SID of {what} ({prefix}…)", sure=True)
    return text


def _sid_of(made: Any) -> str:
    if not isinstance(made.sid, str):
        raise TypeError("an answer without a SID")
    return made.sid


def _attributes(task: Any) -> Mapping[str, Any]:
    made = json.loads(task.attributes or "{}")
    return made if isinstance(made, dict) else {}


def _chunks(answer: Any) -> Iterator[bytes]:
    from requests.exceptions import RequestException

    try:
        yield from answer.iter_content(CHUNK)
    except RequestException:
        # The headers are out already: who listens sees a length that is not reached, and asks for the rest.
        return
    finally:
        answer.close()
