"""Webhooks as Twilio sends them: the form, the signature, the way over the network, and what comes back.

It plays the other side of the wire, so it computes the signature itself instead of borrowing the code under test.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, replace
from http.client import HTTPConnection, HTTPException, HTTPSConnection, RemoteDisconnected
from typing import Protocol
from urllib.parse import SplitResult, urldefrag, urlencode, urlsplit
from xml.etree.ElementTree import ParseError

from ivr.errors import UsageError
from ivr.simulate.twiml_player import Verbs, read

ACCOUNT_SID = "AC" + "0" * 32
SIGNATURE = "X-Twilio-Signature"
IDEMPOTENCY_TOKEN = "I-Twilio-Idempotency-Token"
XML_TYPES = ("text/xml", "application/xml", "text/html")


class WireError(UsageError):
    """The server could not be reached, refused the webhook, or answered with something that is not TwiML."""


@dataclass(frozen=True)
class Reply:
    """What the server answered."""

    status: int
    content_type: str
    body: bytes


@dataclass(frozen=True)
class Sent:
    """One webhook as it went out. `voice` is false for callbacks, whose answer is no document to execute."""

    url: str
    form: Mapping[str, str]
    headers: Mapping[str, str]
    voice: bool


class Wire(Protocol):
    """A way to post a form to a URL: HTTP, or a web framework's test client."""

    def post(self, url: str, form: Mapping[str, str], headers: Mapping[str, str]) -> Reply: ...


def sign(token: str, url: str, form: Mapping[str, str]) -> str:
    """`X-Twilio-Signature` of a POST: HMAC-SHA1 over the URL without its fragment and the sorted fields, in base64."""
    signed = urldefrag(url).url + "".join(name + form[name] for name in sorted(form))
    return base64.b64encode(hmac.new(token.encode(), signed.encode(), hashlib.sha1).digest()).decode()


def form_fields(
    call_sid: str,
    from_: str,
    to: str,
    *,
    account_sid: str = ACCOUNT_SID,
    call_status: str = "in-progress",
    direction: str = "inbound",
    extra: Mapping[str, str] | None = None,
) -> dict[str, str]:
    """The 23 fields that come with every webhook of an inbound call, legacy twins included; `extra` adds or replaces.

    A caller from elsewhere, or one who withholds the number, leaves the places blank: blank fields are signed too.
    """
    origin, target = _place(from_), _place(to)
    del target["Zip"]  # the line's own number has no postcode
    return {
        "AccountSid": account_sid,
        "ApiVersion": "2010-04-01",
        "CallSid": call_sid,
        "CallStatus": call_status,
        "Direction": direction,
        "From": from_,
        "Caller": from_,
        "To": to,
        "Called": to,
        **{f"{side}{part}": value for side in ("From", "Caller") for part, value in origin.items()},
        **{f"{side}{part}": value for side in ("To", "Called") for part, value in target.items()},
        **(extra or {}),
    }


def _place(number: str) -> dict[str, str]:
    known = number.startswith("+1")
    place = {"City": "SPRINGFIELD", "State": "IL", "Zip": "62701", "Country": "US"}
    return {part: value if known else "" for part, value in place.items()}


class HttpWire:
    """Posts over real HTTP and keeps the connection. One for each thread.

    `connect_to` is where the server really listens ("http://127.0.0.1:8080") when the URLs carry its public name,
    which stays what is signed and what the Host header says.
    """

    def __init__(self, timeout: float = 15.0, connect_to: str | None = None) -> None:
        self._timeout = timeout
        self._connect_to = None if connect_to is None else urlsplit(connect_to)
        self._connections: dict[tuple[str, str], HTTPConnection] = {}

    def post(self, url: str, form: Mapping[str, str], headers: Mapping[str, str]) -> Reply:
        parts = urlsplit(url)
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        sent = {**headers, "Host": parts.netloc, "Content-Type": "application/x-www-form-urlencoded"}
        try:
            return self._exchange(self._connect_to or parts, path, urlencode(form), sent)
        except (OSError, HTTPException) as error:
            raise WireError(f"no answer from {urldefrag(url).url}: {error or type(error).__name__}") from error

    def close(self) -> None:
        """Closes the connections that were kept."""
        for connection in self._connections.values():
            connection.close()
        self._connections.clear()

    def _exchange(self, server: SplitResult, path: str, body: str, headers: Mapping[str, str]) -> Reply:
        key = (server.scheme, server.netloc)
        kept = self._connections.pop(key, None)
        connection = kept or self._connect(server)
        try:
            connection.request("POST", path, body, headers)
            response = connection.getresponse()
            reply = Reply(response.status, response.getheader("Content-Type", ""), response.read())
        except (RemoteDisconnected, ConnectionResetError, BrokenPipeError):
            connection.close()
            if kept is None:
                raise
            # A server may drop an idle connection at any time; only a fresh one tells whether it is there.
            return self._exchange(server, path, body, headers)
        except BaseException:
            connection.close()
            raise
        self._connections[key] = connection
        return reply

    def _connect(self, server: SplitResult) -> HTTPConnection:
        kinds: dict[str, type[HTTPConnection]] = {"http": HTTPConnection, "https": HTTPSConnection}
        if server.scheme not in kinds or not server.hostname:
            raise WireError(f"{server.geturl()!r} is not a URL that begins with http:// or https://")
        return kinds[server.scheme](server.hostname, server.port, timeout=self._timeout)


class Webhooks:
    """Signs, sends and remembers the webhooks of one call, and reads the documents that answer them."""

    def __init__(self, wire: Wire, token: str) -> None:
        self._wire, self._token = wire, token
        self.sent: list[Sent] = []
        self.documents: list[str] = []

    def document(self, url: str, form: Mapping[str, str]) -> Verbs:
        """Posts a voice webhook; its answer is TwiML."""
        return self._send(self._signed(url, form, voice=True))

    def callback(self, url: str, form: Mapping[str, str]) -> None:
        """Posts a webhook that only tells something; any answer without an error will do."""
        self._send(self._signed(url, form, voice=False))

    def again(self, n: int, *, with_token: bool) -> Verbs:
        """Posts the n-th webhook again, with the same bytes."""
        sent = self.sent[n]
        headers = {name: value for name, value in sent.headers.items() if with_token or name != IDEMPOTENCY_TOKEN}
        return self._send(replace(sent, headers=headers))

    def _signed(self, url: str, form: Mapping[str, str], *, voice: bool) -> Sent:
        # Made from the call and the count, so that a test's requests are the same in every run.
        name = f"{form.get('CallSid')} {len(self.sent)}"
        token = str(uuid.uuid5(uuid.NAMESPACE_URL, name))
        return Sent(url, form, {SIGNATURE: sign(self._token, url, form), IDEMPOTENCY_TOKEN: token}, voice)

    def _send(self, sent: Sent) -> Verbs:
        self.sent.append(sent)
        reply = self._wire.post(sent.url, sent.form, sent.headers)
        body = reply.body.decode("utf-8", "replace")
        answered = f"{sent.url} answered {reply.status}"
        if reply.status >= 300:  # Twilio would follow a redirect, and lose the caller's keys on the way
            raise WireError(f"{answered}: {body[:200]}")
        if not sent.voice:
            return ()
        if reply.content_type.split(";")[0].strip().lower() not in XML_TYPES:
            raise WireError(f"{answered} with {reply.content_type or 'no content type'}, not XML: {body[:200]}")
        self.documents.append(body)
        try:
            return read(body)
        except ParseError as error:
            raise WireError(f"{answered} with broken XML ({error}): {body[:200]}") from error
