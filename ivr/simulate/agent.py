"""An agent's phone without a telephone network: it is picked up at once and accepts. For trying the desk out; no account is needed."""

from __future__ import annotations

import hashlib
import re
import threading
from html import unescape

from ivr.clock import Clock
from ivr.config import Config
from ivr.simulate.webhook import HttpWire, form_fields, sign
from ivr.telephony.rest import Rest

PICKS_UP_AFTER = 2.0
"""Seconds that the phone rings."""


class PretendedRest(Rest):
    """Twilio's REST API, but that an agent's phone is played here: it asks our own server what Twilio would ask."""

    def __init__(self, config: Config, now: Clock) -> None:
        super().__init__(config)
        self.now = now

    def ring(self, to: str, from_: str, url: str, status_url: str, seconds: float) -> str:
        """Picks up after two seconds and presses the key. Nobody hears anything."""
        sid = "CA" + hashlib.sha256(f"{url} {self.now()}".encode()).hexdigest()[:32]
        threading.Timer(PICKS_UP_AFTER, self._play, (sid, to, from_, url)).start()
        return sid

    def hang_up(self, call: str) -> None:
        """There is nothing to hang up."""

    def _play(self, sid: str, to: str, from_: str, url: str) -> None:
        wire = HttpWire()
        try:
            whisper = self._ask(wire, url, form_fields(sid, from_, to, direction="outbound-api"))
            action = re.search(r'<Gather[^>]* action="([^"]+)"[^>]*>.*?[Pp]ress (\d)', whisper, re.S)
            if action:
                form = form_fields(sid, from_, to, direction="outbound-api", extra={"Digits": action[2]})
                self._ask(wire, unescape(action[1]), form)
        finally:
            wire.close()

    def _ask(self, wire: HttpWire, url: str, form: dict[str, str]) -> str:
        signed = {"X-Twilio-Signature": sign(self.config.tokens[0], url, form)}
        return wire.post(url, form, signed).body.decode()
