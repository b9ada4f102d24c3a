"""A link to one packet for an agent without an account: signed, and dead after a while.

token = sign(key, task, until)       # goes into a URL as it is
task = task_of(key, token, now)      # None: forged, changed or too old
"""

from __future__ import annotations

import hashlib
import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode

PURPOSE = b"ivr packet link\x00"
"""What is signed begins with this, so that nothing else signed with the same key can stand in for a link."""

LONGEST = 400
"""Characters of a token."""


def sign(key: str, task: str, until: int) -> str:
    """A token that opens the packet of `task` until then (UTC seconds). Raises ValueError without a key: anybody could sign."""
    if not key:
        raise ValueError("links to packets need a secret key: set IVR_SECRET_KEY")
    body = f"{_encode(task.encode())}.{until:d}"
    return f"{body}.{_encode(_signature(key, body))}"


def task_of(key: str, token: str, now: float) -> str | None:
    """The task whose packet `token` opens at `now`; None where it opens nothing."""
    body, _, signature = token.rpartition(".")
    if not key or len(token) > LONGEST or not token.isascii():
        return None
    if not hmac.compare_digest(_encode(_signature(key, body)), signature):
        return None
    task, _, until = body.rpartition(".")
    return _decode(task) if float(until) >= now else None


def _signature(key: str, body: str) -> bytes:
    return hmac.digest(key.encode(), PURPOSE + body.encode(), hashlib.sha256)


def _encode(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def _decode(text: str) -> str:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode()
