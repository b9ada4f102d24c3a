"""What changes the world, asked of another system. The worker that empties the outbox calls it, never a turn."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ivr.config import ActionSpec
from ivr.lookups.connections import Connections
from ivr.lookups.fault import LookupFault
from ivr.lookups.requests import auth_headers, exchange


def perform(
    spec: ActionSpec,
    give: Mapping[str, Any],
    key: str,
    environment: Mapping[str, str],
    timeout: float,
    connections: Connections | None = None,
) -> None:
    """POSTs what the action takes of `give`. Returns once it is done; raises LookupFault otherwise.

    The outbox tries again after a fault, and a reply may get lost after the deed is done: `key` is the same at every
    try of one request, so that the other side does it once. An action without a `url:` is recorded only.
    """
    if spec.url is None:
        return
    if not key.isascii() or not key.isprintable():
        raise LookupFault("the idempotency key holds characters that a header cannot")
    sent = {name: give[name] for name in spec.takes if give.get(name) is not None}
    headers = {**auth_headers(spec.auth, environment), "Idempotency-Key": key}
    exchange("POST", spec.url, sent, headers, timeout, connections)
