"""A CRM that is really there: an HTTP server on a free port, which answers as a test tells it to."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple

import pytest


class Seen(NamedTuple):
    """One request as it arrived."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    connection: int


class Crm:
    """What the tests say to the server, and what it saw."""

    def __init__(self) -> None:
        self.seen: list[Seen] = []
        self.asked = threading.Semaphore(0)
        self.open = threading.Event()
        self.open.set()
        self.over = threading.Event()
        self._answer: Callable[[Any], None] = lambda handler: None
        self.says({})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def says(self, content: Any, status: int = 200, **headers: str) -> None:
        """From now on every answer is this: bytes as they are, everything else as JSON."""
        body = content if isinstance(content, bytes) else json.dumps(content).encode()

        def answer(handler: BaseHTTPRequestHandler) -> None:
            handler.send_response(status)
            handler.send_header("Content-Length", str(len(body)))
            for name, value in headers.items():
                handler.send_header(name, value)
            handler.end_headers()
            handler.wfile.write(body)

        self._answer = answer

    def does(self, answer: Callable[[BaseHTTPRequestHandler], None]) -> None:
        """From now on every answer is whatever `answer` does with the connection."""
        self._answer = answer

    def waits(self) -> None:
        """From now on no answer comes until `goes_on`."""
        self.open.clear()

    def goes_on(self) -> None:
        self.open.set()

    def was_asked(self) -> None:
        """Returns as soon as one more request has arrived."""
        assert self.asked.acquire(timeout=20)

    def ends(self) -> None:
        self.over.set()
        self.open.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        crm = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            # Headers and body leave together: otherwise the client's delayed acknowledgement costs 40 ms.
            wbufsize = -1

            def do_GET(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                crm.seen.append(Seen(self.command, self.path, dict(self.headers), body, self.client_address[1]))
                crm.asked.release()
                crm.open.wait(20)
                try:
                    crm._answer(self)
                    self.wfile.flush()
                except OSError:
                    self.close_connection = True

            do_POST = do_GET

            def handle(self) -> None:
                with suppress(OSError):
                    super().handle()

            def log_message(self, *args: Any) -> None:
                pass

        return Handler


@pytest.fixture
def crm() -> Iterator[Crm]:
    served = Crm()
    yield served
    served.ends()
