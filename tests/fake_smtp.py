"""A mail server that is really there, on a free port: it keeps what it is given, or refuses, or hangs up.

`letters`: what was accepted. `replies["RCPT"] = "550 no such user"` answers that command so; `loses = True` takes a letter
and hangs up without a word.
"""

from __future__ import annotations

import base64
import socketserver
import threading
from collections.abc import Iterator
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import NamedTuple

import pytest


class Letter(NamedTuple):
    """A letter as it arrived, with its envelope."""

    sender: str
    to: list[str]
    content: EmailMessage


class FakeSmtp:
    """One mail server. See the top of this file."""

    def __init__(self) -> None:
        self.letters: list[Letter] = []
        self.logins: list[tuple[str, str]] = []
        self.replies: dict[str, str] = {}
        self.loses = False
        fake = self

        class Handler(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                fake._converse(self)

        self._server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()
        self.port = self._server.server_address[1]

    def _converse(self, with_: socketserver.StreamRequestHandler) -> None:
        def say(words: str) -> None:
            with_.wfile.write(words.encode() + b"\r\n")

        say("220 mail.example")
        sender, to = "", []
        while line := with_.rfile.readline().decode().strip():
            verb, rest = line.split(" ", 1) if " " in line else (line, "")
            verb = verb.upper()
            where = rest.partition("<")[2].partition(">")[0]
            if verb in self.replies:
                say(self.replies[verb])
                continue
            if verb == "EHLO":
                say("250-mail.example\r\n250-SMTPUTF8\r\n250-8BITMIME\r\n250 AUTH PLAIN")
            elif verb == "AUTH":
                _, user, password = base64.b64decode(rest.split()[1]).decode().split("\0")
                self.logins.append((user, password))
                say("235 welcome")
            elif verb == "DATA":
                say("354 go on")
                lines = list(iter(with_.rfile.readline, b".\r\n"))
                content = message_from_bytes(b"".join(lines), policy=default)
                assert isinstance(content, EmailMessage)
                self.letters.append(Letter(sender, to, content))
                if self.loses:
                    return
                say("250 taken")
            elif verb == "QUIT":
                say("221 bye")
                return
            else:
                sender = where if verb == "MAIL" else sender
                to = [*to, where] if verb == "RCPT" else to
                say("250 fine")

    def ends(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@pytest.fixture
def fake_smtp() -> Iterator[FakeSmtp]:
    """A mail server for one test."""
    fake = FakeSmtp()
    yield fake
    fake.ends()
