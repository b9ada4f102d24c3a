"""HTTP over connections that are kept alive, in which nothing outlasts its deadline.

The usual clients take a timeout for each read, so a source that sends one byte now and then holds them for ever; here
what is left of the deadline is the timeout of every single operation, from connecting to the last byte of the body.
Only the system's own name resolution cannot be hurried. No redirects, no proxies, no compression (so nothing unpacks to
gigabytes), and nothing is ever logged, because addresses hold callers' numbers.
"""

from __future__ import annotations

import http.client
import io
import socket
import ssl
import threading
from collections.abc import Mapping
from typing import Any, NamedTuple

from ivr.clock import stopwatch

LIMIT = 256 * 1024
"""Bytes of an answer that are read at most."""

KEPT = 16
"""Idle connections that are kept to one host."""

IDLE = 30.0
"""Seconds after which an idle connection is not trusted any more."""


class Origin(NamedTuple):
    """Where a connection leads."""

    scheme: str
    host: str
    port: int


class Reply(NamedTuple):
    """What came back. `body` is one byte longer than LIMIT where the answer was too long."""

    status: int
    body: bytes


class Connections:
    """Kept-alive connections, shared by threads. Make it after a fork: a connection must have one owner."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._idle: dict[Origin, list[tuple[http.client.HTTPConnection, float]]] = {}
        self._trust: ssl.SSLContext | None = None
        self._closed = False

    def request(
        self, method: str, origin: Origin, target: str, headers: Mapping[str, str], body: bytes | None, deadline: float
    ) -> Reply:
        """One exchange, over before `deadline` (by the stopwatch). Raises OSError, HTTPException or ValueError."""
        connection = self._take(origin)
        if connection is not None:
            try:
                return self._exchange(connection, origin, method, target, headers, body, deadline)
            except TimeoutError:
                raise
            except OSError:
                # The other side closed it while it lay idle, and so, probably, the others. What we send may be sent
                # twice: lookups only read, and actions carry an idempotency key.
                self._drop(origin)
        connection = self._open(origin, deadline)
        return self._exchange(connection, origin, method, target, headers, body, deadline)

    def close(self) -> None:
        """Closes what is idle, and what is in use as soon as it is done."""
        with self._lock:
            self._closed = True
            origins = list(self._idle)
        for origin in origins:
            self._drop(origin)

    def _exchange(
        self,
        connection: http.client.HTTPConnection,
        origin: Origin,
        method: str,
        target: str,
        headers: Mapping[str, str],
        body: bytes | None,
        deadline: float,
    ) -> Reply:
        whole = False
        try:
            timed: Any = connection.sock
            timed.deadline = deadline
            connection.request(method, target, body=body, headers=dict(headers))
            reply = connection.getresponse()
            told = reply.headers.get("Content-Length", "")
            if told.isdigit() and int(told) > LIMIT:
                return Reply(reply.status, b" " * (LIMIT + 1))
            content = reply.read(LIMIT + 1)
            if reply.length and len(content) <= LIMIT:
                raise http.client.IncompleteRead(content)
            whole = reply.isclosed() and connection.sock is not None
            return Reply(reply.status, content)
        finally:
            if whole:
                self._keep(origin, connection)
            else:
                connection.close()

    def _take(self, origin: Origin) -> http.client.HTTPConnection | None:
        with self._lock:
            idle = self._idle.get(origin, [])
            while idle:
                connection, since = idle.pop()
                if stopwatch() - since < IDLE:
                    return connection
                connection.close()
        return None

    def _keep(self, origin: Origin, connection: http.client.HTTPConnection) -> None:
        with self._lock:
            idle = self._idle.setdefault(origin, [])
            if len(idle) < KEPT and not self._closed:
                idle.append((connection, stopwatch()))
                return
        connection.close()

    def _drop(self, origin: Origin) -> None:
        with self._lock:
            idle = self._idle.pop(origin, [])
        for connection, _ in idle:
            connection.close()

    def _open(self, origin: Origin, deadline: float) -> http.client.HTTPConnection:
        connection = http.client.HTTPConnection(origin.host, origin.port)
        connection.auto_open = 0
        connection.sock = _Timed(_dial(origin, self._context() if origin.scheme == "https" else None, deadline))
        return connection

    def _context(self) -> ssl.SSLContext:
        with self._lock:
            if self._trust is None:
                self._trust = _trust()
            return self._trust


def _trust() -> ssl.SSLContext:
    """The system's authorities (and SSL_CERT_FILE); where there are none, as with Python for macOS, certifi's."""
    context = ssl.create_default_context()
    paths = ssl.get_default_verify_paths()
    if paths.cafile is None and paths.capath is None:
        import certifi

        context.load_verify_locations(certifi.where())
    return context


def _dial(origin: Origin, context: ssl.SSLContext | None, deadline: float) -> socket.socket:
    """A connected socket. Each of a host's addresses gets its share of the time: one dead one must not use it up."""
    addresses = socket.getaddrinfo(origin.host, origin.port, type=socket.SOCK_STREAM)
    failure: OSError = OSError("no address")
    for index, (family, kind, protocol, _, address) in enumerate(addresses):
        made = socket.socket(family, kind, protocol)
        try:
            made.settimeout(_left(deadline) / (len(addresses) - index))
            made.connect(address)
            made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if context is None:
                return made
            made.settimeout(_left(deadline))
            return context.wrap_socket(made, server_hostname=origin.host)
        except OSError as error:
            made.close()
            failure = error
    raise failure


def _left(deadline: float) -> float:
    left = deadline - stopwatch()
    if left <= 0:
        raise TimeoutError("the deadline has passed")
    return left


class _Timed:
    """What http.client uses of a socket, each operation with no more time than is left."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self.deadline = 0.0

    def sendall(self, data: bytes) -> None:
        self.sock.settimeout(_left(self.deadline))
        self.sock.sendall(data)

    def makefile(self, mode: str) -> io.BufferedReader:
        return io.BufferedReader(_Bytes(self))

    def close(self) -> None:
        self.sock.close()


class _Bytes(io.RawIOBase):
    """The socket as a file to read. It holds the socket open until the answer is read, as a socket's own file does."""

    def __init__(self, timed: _Timed) -> None:
        self._timed = timed
        self._raw = timed.sock.makefile("rb", buffering=0)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        self._timed.sock.settimeout(_left(self._timed.deadline))
        return self._raw.readinto(buffer)

    def close(self) -> None:
        self._raw.close()
        super().close()
