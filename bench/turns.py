"""CPU time of our turn against the static signed menu of Twilio's own Flask tutorial, interleaved in one process.

    python -m bench.turns [--quick]

Turn: Margo presses 2 in the shipped line; signature, session read, engine, render, one transaction on a SQLite file,
info logs and metrics on. First: her first webhook, with the account answer warm. Medians of time.process_time.
"""

from __future__ import annotations

import gc
import io
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
from flask import Flask, Response, abort, request
from twilio.request_validator import RequestValidator
from twilio.twiml.voice_response import Gather, VoiceResponse

from bench.shipped import BASE, TOKEN, application, environ, fields, help_of
from ivr.simulate.wire import sign

SID = "CA{:032x}"


def tutorial() -> Flask:
    """The static menu: signature check, a menu, what each key leads to."""
    app = Flask("tutorial")
    validator = RequestValidator(TOKEN)

    def checked() -> None:
        if not validator.validate(request.url, request.form, request.headers.get("X-Twilio-Signature", "")):
            abort(403)

    @app.post("/voice")
    def voice() -> Response:
        checked()
        response = VoiceResponse()
        gather = Gather(num_digits=1, action="/gather")
        gather.say("For sales, press 1. For support, press 2.")
        response.append(gather)
        response.redirect("/voice")
        return Response(str(response), mimetype="text/xml")

    @app.post("/gather")
    def gather_() -> Response:
        checked()
        response = VoiceResponse()
        if request.form.get("Digits") == "1":
            response.say("You selected sales. Good for you!")
        elif request.form.get("Digits") == "2":
            gather = Gather(num_digits=1, action="/gather")
            gather.say("You need support. We will help! Press 1 to go on.")
            response.append(gather)
        response.redirect("/voice")
        return Response(str(response), mimetype="text/xml")

    return app


def timed(app: Any, environ_: dict[str, Any]) -> float:
    """CPU microseconds of one WSGI call."""
    status: list[str] = []
    start = time.process_time_ns()
    body = b"".join(app(environ_, lambda code, headers, info=None: status.append(code)))
    took = (time.process_time_ns() - start) / 1000
    if not status[0].startswith("200") or b"<Response>" not in body:
        raise SystemExit(f"unexpected answer {status[0]}: {body[:200]!r}")
    return took


@click.command(help=help_of(__doc__))
@click.option("--quick", is_flag=True, help="A few rounds, to see that it runs.")
@click.option("--rounds", default=3000, help="Rounds to measure.")
def main(quick: bool, rounds: int) -> None:
    rounds = 100 if quick else rounds
    log = io.StringIO()
    real, sys.stderr = sys.stderr, log
    try:
        with tempfile.TemporaryDirectory() as folder:
            figures = run(f"sqlite:///{Path(folder) / 'bench.db'}", rounds)
    finally:
        sys.stderr = real
    table(figures)


def run(database: str, rounds: int) -> dict[str, list[float]]:
    """Interleaved rounds: the tutorial's first and turn, then ours, each a new call."""
    app, store = application(database)
    static = tutorial()
    ours, theirs = app.wsgi_app, static.wsgi_app
    figures: dict[str, list[float]] = {name: [] for name in ("static first", "static turn", "first", "turn")}
    gc.disable()
    warm = max(20, rounds // 10)
    for index in range(rounds + warm):
        sid = SID.format(index)
        first, second = fields(sid), fields(sid, Digits="2")
        work: list[tuple[str, Callable[[], float]]] = [
            ("static first", lambda f=first: timed(theirs, environ("/voice", f))),  # type: ignore[misc]
            ("first", lambda f=first: timed(ours, environ("/voice/incoming", f))),  # type: ignore[misc]
            ("static turn", lambda f=second: timed(theirs, environ("/gather", f))),  # type: ignore[misc]
            ("turn", lambda f=second: timed(ours, environ("/voice/turn?turn=1", f))),  # type: ignore[misc]
        ]
        for name, measure in work:
            took = measure()
            if index >= warm:
                figures[name].append(took)
        app.test_client().post("/voice/status", **_hang_up(sid))
        if index % 200 == 0:
            gc.collect()
    store.dispose()
    return figures


def _hang_up(sid: str) -> dict[str, Any]:
    """Every call ends, as calls do; not measured."""
    form = fields(sid, CallStatus="completed")
    return {"data": form, "headers": {"X-Twilio-Signature": sign(TOKEN, BASE + "/voice/status", form)}}


def table(figures: dict[str, list[float]]) -> None:
    """Medians, and the ratios."""
    middle = {name: statistics.median(values) for name, values in figures.items()}
    print(f"CPU µs, medians of {len(figures['turn'])} interleaved rounds, {BASE}")
    for name, value in middle.items():
        high = sorted(figures[name])[int(len(figures[name]) * 0.95)]
        print(f"  {name:13} {value:8.1f}   p95 {high:8.1f}")
    print(
        f"ratio turn={middle['turn'] / middle['static turn']:.2f} first={middle['first'] / middle['static first']:.2f}"
    )


if __name__ == "__main__":
    main()
