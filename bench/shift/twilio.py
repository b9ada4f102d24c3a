"""Twilio's side: the wire to the application, and the phones that it has rung."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from io import BytesIO
from time import perf_counter
from typing import Any
from urllib.parse import urlencode

from flask import Flask

from bench.shipped import BASE, LINE, TOKEN
from ivr.simulate.wire import Reply, form_fields, sign
from ivr.telephony.faults import RestFault

REFUSED, UNHEARD = 0.02, 0.01
"""Shares: requests to ring that Twilio refuses, or never answers."""


@dataclass
class Leg:
    """A call to an agent's phone. `told`: the URL that hears how it ended."""

    sid: str
    to: str
    url: str
    told: str
    picked_up: bool = False
    over: bool = False


class Telephone:
    """The wire from Twilio to the application, without a network. `waits`: the seconds each /voice/wait took."""

    def __init__(self, app: Flask) -> None:
        self.app = app
        self.waits: list[float] = []

    def post(self, url: str, form: Mapping[str, str], headers: Mapping[str, str]) -> Reply:
        """One webhook. Raises OSError for an answer other than 200."""
        path, _, query = url.removeprefix(BASE).partition("?")
        body = urlencode(form).encode()
        environ: dict[str, Any] = {
            "REQUEST_METHOD": "POST", "SCRIPT_NAME": "", "PATH_INFO": path, "QUERY_STRING": query, "SERVER_NAME": "localhost",
            "SERVER_PORT": "80", "HTTP_HOST": "localhost", "SERVER_PROTOCOL": "HTTP/1.1", "wsgi.url_scheme": "http",
            "CONTENT_TYPE": "application/x-www-form-urlencoded", "CONTENT_LENGTH": str(len(body)),
            "wsgi.input": BytesIO(body), "wsgi.errors": BytesIO(), "wsgi.version": (1, 0), "wsgi.multithread": True,
            **{f"HTTP_{name.upper().replace('-', '_')}": value for name, value in headers.items()},
        }  # fmt: skip
        status: list[str] = []
        began = perf_counter()
        answer = b"".join(self.app.wsgi_app(environ, lambda code, *_: status.append(code)))  # type: ignore[arg-type]
        if path == "/voice/wait":
            self.waits.append(perf_counter() - began)
        if not status[0].startswith("200"):
            raise OSError(f"{path} answered {status[0]}")
        return Reply(200, "text/xml", answer)

    def of_leg(self, leg: Leg, url: str, **fields: str) -> str:
        """A webhook of an agent's leg, and its answer."""
        form = form_fields(leg.sid, LINE, leg.to, extra={"Direction": "outbound-api", **fields})
        return self.post(url, form, {"X-Twilio-Signature": sign(TOKEN, url, form)}).body.decode()


class Rings:
    """Of Twilio's REST API what agents' phones need. Some requests are refused, some never answered, unless `reliable`.

    `ended`: told of a leg that the product hangs up.
    """

    def __init__(self, dice: random.Random) -> None:
        self.legs: dict[str, Leg] = {}
        self.newest: Leg | None = None
        self.reliable = False
        self.ended: Callable[[Leg], None] = lambda leg: None
        self._dice = dice

    def ring(self, to: str, from_: str, url: str, status_url: str, seconds: float) -> str:
        """As `Rest.ring`."""
        self.newest = None
        chance = 1.0 if self.reliable else self._dice.random()
        if chance < REFUSED + UNHEARD:
            raise RestFault("Twilio has a bad day", sure=chance < REFUSED)
        leg = self.newest = Leg(f"CA{len(self.legs) + 1:032x}", to, url, status_url)
        self.legs[leg.sid] = leg
        return leg.sid

    def hang_up(self, call: str) -> None:
        """As `Rest.hang_up`."""
        self.ended(self.legs[call])
