"""create_app: the parts wired together, and the Flask application around them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from flask import Flask

from ivr import clock
from ivr.config import Config
from ivr.engine.events import Event
from ivr.engine.session import Session
from ivr.flow.bundle import Bundle
from ivr.lookups.pool import Lookups
from ivr.ports import Parts
from ivr.store.store import DatabaseStore
from ivr.telephony.rest import Rest
from ivr.telephony.signature import Signatures
from ivr.telephony.twiml import EMPTY, Twiml
from ivr.web import (
    accounts,
    api,
    auth,
    console,
    desk,
    health,
    help,
    live,
    matters,
    messages,
    packet_page,
    trace,
    voice,
    wrap_up,
)
from ivr.web.log import Log, Metrics, configure
from ivr.web.packets import packet_text

MAX_BODY = 256 * 1024
"""Bytes of a request that are read: far above any webhook, far below what would hurt."""

PAGES = (auth, accounts, desk, wrap_up, help, matters, messages, packet_page, trace)
"""What people work in."""


@dataclass(frozen=True)
class Wiring:
    """What the views use."""

    config: Config
    store: DatabaseStore
    parts: Parts
    twiml: Twiml
    signatures: Signatures | None
    log: Log
    metrics: Metrics
    clock: clock.Clock
    rest: Rest


def wire(config: Config, *, insecure: bool = False, now: clock.Clock = clock.now, **replaced: Any) -> Wiring:
    """The parts for `config`. `insecure`: no signature is asked for (local use). `replaced`: other parts, by name."""
    log = configure()
    metrics = Metrics()
    store = replaced.pop("store", None) or DatabaseStore(config, now)
    sources = replaced.pop("sources", None) or Lookups(
        config.file.sources,
        config.project,
        config.environment,
        store.cache,
        now,
        secret=secret_sources(config),
        observe=metrics.looked_up,
    )
    twiml, rest = Twiml(config), replaced.pop("rest", None) or Rest(config)
    parts = Parts(store, sources, twiml, now, control_key(config), EMPTY, clock.stopwatch)
    if replaced:
        parts = replace(parts, **replaced)
    signatures = None if insecure else Signatures(config.tokens)
    wiring = Wiring(config, store, parts, twiml, signatures, log, metrics, now, rest)

    def packet(bundle: Bundle, session: Session, events: Sequence[Event]) -> str:
        try:
            return packet_text(wiring, bundle, session, events)
        except Exception as error:
            # A caller is on their way to a person: they get there, also without what we know of them.
            log.error("packet", call=session.call.get("sid"), error=type(error).__name__)
            return ""

    return wiring if "packet" in replaced else replace(wiring, parts=replace(parts, packet=packet))


def secret_sources(config: Config) -> set[str]:
    """Sources that check identities: what they are asked and answer is never cached."""
    return {entry.check for entry in config.file.verify.values() if entry.check}


def control_key(config: Config) -> str:
    """The key of the control group's hash: the server's secret, so that nobody outside can tell who is in it."""
    return config.secret_key or "local"


def create_app(
    config: Config,
    *,
    insecure: bool = False,
    now: clock.Clock = clock.now,
    only: Literal["voice", "console"] | None = None,
    **replaced: Any,
) -> Flask:
    """The application, or `only` one side of it. Raises UsageError where the database cannot be used."""
    wiring = wire(config, insecure=insecure, now=now, **replaced)
    app = Flask("ivr", static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = MAX_BODY
    app.config["MAX_FORM_MEMORY_SIZE"] = MAX_BODY
    app.url_map.strict_slashes = False
    app.extensions["ivr"] = wiring
    health.register(app, wiring)
    if only != "console":
        voice.register(app, wiring)
        api.register(app, wiring)
    if only != "voice":
        console.register(app, wiring)
        live.register(app, wiring, alone=only == "console")
        for page in PAGES:
            page.register(app, wiring)
    return app
