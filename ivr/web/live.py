"""/desk/events: tells open pages that something has changed, by server-sent events, and never at the cost of a voice turn.

One thread a process looks at the database, only while somebody listens. A stream holds one of the server's threads, so there
are fewer of them than threads: who finds no place refreshes now and then instead.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from flask import Flask, Response, current_app, g, request

from ivr.clock import stopwatch
from ivr.errors import StoreGone
from ivr.web import console
from ivr.web.auth import requires

if TYPE_CHECKING:
    from ivr.web.app import Wiring

LOOK = 0.5
"""Seconds between two looks at the database."""
TICK = 1.0
"""Seconds until a stream notices that its page was closed, or that the server stops."""
HEARTBEAT = 15.0
LONGEST = 600.0
"""Seconds; then the page connects again, which spreads pages over servers that were added."""
RETRY = 1000
"""Milliseconds until a page connects again."""
AGAIN = 15
"""Seconds until a page that found no place may try again."""

pages = console.blueprint("live")


def register(app: Flask, wiring: Wiring, *, alone: bool = False) -> None:
    """The route. `alone`: no calls are answered here, so nearly all threads may hold streams."""
    threads = wiring.config.file.server.threads
    places = threads - 2 if alone else threads // 2
    app.extensions["live"] = Live(lambda: wiring.store.tasks.revision(), max(1, places))
    app.register_blueprint(pages)


class Live:
    """Wakes those who listen when `look` says something new. `places`: how many may listen at once."""

    def __init__(self, look: Callable[[], object], places: int, every: float = LOOK, tick: float = TICK) -> None:
        self.look, self.places, self.every, self.tick = look, places, every, tick
        self.stopping: Callable[[], bool] = lambda: False
        """whether the server stops: then streams end"""
        self._listening = self._version = 0
        self._watched = False
        self._changed = threading.Condition()

    def enter(self) -> bool:
        """Takes a place; False where all are taken."""
        with self._changed:
            if self._listening >= self.places:
                return False
            self._listening += 1
            if not self._watched:
                self._watched = True
                threading.Thread(target=self._watch, name="live", daemon=True).start()
        return True

    def leave(self) -> None:
        """Gives it back."""
        with self._changed:
            self._listening -= 1
            self._changed.notify_all()

    def wait(self, seen: int) -> int:
        """The version once it is another than `seen`, or after a tick."""
        with self._changed:
            self._changed.wait_for(lambda: self._version != seen, self.tick)
            return self._version

    def _watch(self) -> None:
        """Looks while somebody listens. The first look counts as news: what happened before it nobody has seen."""
        last: object = None
        while True:
            try:
                found = self.look()
            except StoreGone:
                # Pages learn of that by themselves once they ask for something; here it is tried again.
                found = last
            with self._changed:
                if found != last:
                    last = found
                    self._version += 1
                    self._changed.notify_all()
                self._changed.wait_for(lambda: not self._listening, self.every)
                if not self._listening:
                    self._watched = False
                    return


@pages.get("/desk/events")
@requires("agent")
def events() -> Response:
    """The stream: `event: desk` whenever something has changed, and at its beginning, for what was missed before it."""
    live: Live = current_app.extensions["live"]
    if not live.enter():
        return Response("All live places are taken; the page refreshes by itself.", 503, {"Retry-After": str(AGAIN)})
    wiring, session, peer = console.wired(), g.web_session.id, _socket(request.environ)

    def over() -> bool:
        return live.stopping() or _gone(peer)

    def signed_in() -> bool:
        return wiring.store.sessions.find(session, wiring.clock()) is not None

    # Proxies must hand on each event at once.
    headers = {"Cache-Control": "no-cache", "X-Accel-Buffering": "no"}
    response = Response(stream(live, over, signed_in, stopwatch), mimetype="text/event-stream", headers=headers)
    response.call_on_close(live.leave)
    return response


def stream(
    live: Live, over: Callable[[], bool], signed_in: Callable[[], bool], seconds: Callable[[], float]
) -> Iterator[str]:
    """What one page is told. `over`: nobody reads it any more, or the server stops; `seconds`: a clock that never goes back."""
    began = beat = seconds()
    yield f"retry: {RETRY}\n\n"
    seen = -1
    while not over() and (now := seconds()) - began < LONGEST:
        version = live.wait(seen)
        if version != seen:
            seen = version
            yield f"event: desk\ndata: {version}\n\n"
        elif now - beat >= HEARTBEAT:
            beat = now
            if not _still(signed_in):
                return
            yield ": still here\n\n"


def _still(signed_in: Callable[[], bool]) -> bool:
    try:
        return signed_in()
    except StoreGone:
        return True


def _socket(environ: dict[str, Any]) -> socket.socket | None:
    found = environ.get("gunicorn.socket") or environ.get("werkzeug.socket")
    return found if isinstance(found, socket.socket) else None


def _gone(peer: socket.socket | None) -> bool:
    """Whether the page was closed: else its place would stay taken until the next word to it is lost."""
    if peer is None:
        return False
    try:
        return peer.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT) == b""
    except BlockingIOError:
        return False
    except (OSError, ValueError):
        return True
