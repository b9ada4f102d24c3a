"""/desk/events: pages learn of changes at once, and however many are open, calls are answered."""

from __future__ import annotations

import http.client
import re
import subprocess
import urllib.parse
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ivr.clock import now
from ivr.simulate.wire import Call, HttpWire
from ivr.store.passwords import hash_password
from ivr.web.live import AGAIN, Live, stream
from tests.actors import House
from tests.cli.conftest import Run, project, run  # noqa: F401  # fixtures
from tests.cli.test_readme import TOKEN, free_port, start, wait_until_ready
from tests.web.browser import PASSWORD, Browser, user

PAGES = True

LINE = "+15550001111"
DESK = "event: desk\ndata: {}\n\n"


def never() -> bool:
    return False


def always() -> bool:
    return True


def clock(*moments: float) -> Callable[[], float]:
    """A stopwatch that shows these, one after the other, and then the last."""
    left = list(moments)
    return lambda: left.pop(0) if len(left) > 1 else left[0]


# What a page is told


def test_a_page_is_told_at_once_that_it_may_have_missed_something() -> None:
    told = stream(Live(lambda: 1, 1), never, always, clock(0))
    assert next(told) == "retry: 1000\n\n"
    assert next(told) == DESK.format(0)


def test_a_page_is_told_whenever_something_changes() -> None:
    found = [1]
    live = Live(lambda: found[0], 1, every=0.001)
    live.enter()
    told = stream(live, never, always, clock(0))
    first = [next(told), next(told)]
    if first[1] == DESK.format(0):
        assert next(told) == DESK.format(1)
    for version in (2, 3):
        found[0] += 1
        assert next(told) == DESK.format(version)
    live.leave()


def test_a_quiet_stream_is_kept_alive_every_15_seconds_and_ends_after_10_minutes() -> None:
    told = stream(Live(lambda: 1, 1, tick=0), never, always, clock(0, 1, 15, 16, 30, 599, 600))
    assert list(told)[2:] == [": still here\n\n"] * 3


def test_a_stream_ends_with_its_session() -> None:
    told = stream(Live(lambda: 1, 1, tick=0), never, never, clock(0, 1, 20, 20))
    assert list(told) == ["retry: 1000\n\n", DESK.format(0)]


def test_a_stream_ends_once_nobody_reads_it_or_the_server_stops() -> None:
    assert list(stream(Live(lambda: 1, 1), always, always, clock(0))) == ["retry: 1000\n\n"]


def test_the_database_is_looked_at_only_while_somebody_listens() -> None:
    looks: list[int] = []
    live = Live(lambda: looks.append(1) or len(looks), 1, every=0.001)
    assert looks == []
    live.enter()
    while live.wait(0) < 3:
        pass
    live.leave()
    before = live.wait(-1)
    while live._watched:
        pass
    assert live.wait(-1) <= before + 1


def test_there_are_fewer_places_than_threads(line: House) -> None:
    live = line.app.extensions["live"]
    assert live.places == line.config.file.server.threads // 2
    ana = user(line, "ana")
    for _ in range(live.places):
        assert live.enter()
    refused = Browser(line, ana).get("/desk/events")
    assert (refused.status, refused.headers["Retry-After"]) == (503, str(AGAIN))
    live.leave()
    assert live.enter()


def test_a_server_of_pages_alone_has_more_places_and_no_calls(line: House) -> None:
    from ivr.web import create_app

    alone = create_app(line.config, now=line.moment, only="console")
    assert alone.extensions["live"].places == line.config.file.server.threads - 2
    rules = {rule.rule for rule in alone.url_map.iter_rules()}
    assert "/desk" in rules and "/healthz" in rules and "/voice/incoming" not in rules
    assert alone.test_client().post("/voice/incoming").status_code == 404


def test_a_server_of_calls_alone_has_no_pages(line: House) -> None:
    from ivr.web import create_app

    alone = create_app(line.config, now=line.moment, only="voice")
    rules = {rule.rule for rule in alone.url_map.iter_rules()}
    assert "/voice/incoming" in rules and "/healthz" in rules
    assert not any(rule.startswith(("/desk", "/login", "/static")) for rule in rules)


# The real server, with one process


class Pages:
    """A browser that is signed in at a server, with many tabs."""

    def __init__(self, port: int, login: str) -> None:
        self.port, self.cookie = port, ""
        form = self._get("/login").read().decode()
        token = re.search(r'name="csrf-token" content="([^"]+)"', form)
        assert token
        fields = {"login": login, "password": PASSWORD, "csrf_token": token[1]}
        assert self._ask("POST", "/login", urllib.parse.urlencode(fields)).status == 303

    def opens(self) -> http.client.HTTPResponse:
        """One more tab's stream."""
        return self._get("/desk/events")

    def _get(self, path: str) -> http.client.HTTPResponse:
        return self._ask("GET", path)

    def _ask(self, method: str, path: str, body: str | None = None) -> http.client.HTTPResponse:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        headers = {"Cookie": self.cookie, "Content-Type": "application/x-www-form-urlencoded"}
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        self.cookie = (answer.getheader("Set-Cookie") or self.cookie).partition(";")[0]
        return answer


@pytest.fixture
def served(project: Path, run: Run) -> Iterator[tuple[int, subprocess.Popen[bytes]]]:  # noqa: F811  # the fixtures
    """`ivr serve` with one worker: its port and its process."""
    from ivr.config import read_config
    from ivr.store.store import DatabaseStore

    assert run("db", "upgrade").returncode == 0
    config, _ = read_config(project, {})
    assert config is not None
    store = DatabaseStore(config, now)
    store.users.add("ana", "Ana", hash_password(PASSWORD), "agent", None, (), now())
    store.dispose()
    port = free_port()
    process = start(project, ["serve", "--port", str(port), "--host", "127.0.0.1", "--workers", "1"])
    try:
        wait_until_ready(process, port)
        yield port, process
    finally:
        process.terminate()
        process.wait(20)


def test_calls_are_answered_however_many_pages_are_open_and_no_page_keeps_the_server_from_stopping(
    served: tuple[int, subprocess.Popen[bytes]],
) -> None:
    port, process = served
    pages = Pages(port, "ana")
    tabs = [pages.opens() for _ in range(12)]
    assert [tab.status for tab in tabs] == [200] * 4 + [503] * 8
    assert tabs[0].readline() + tabs[0].readline() + tabs[0].readline() == b"retry: 1000\n\nevent: desk\n"

    for number in range(6):
        call = Call(HttpWire(), f"http://127.0.0.1:{port}", TOKEN, "anonymous", LINE, f"CA{number:032x}")
        assert call.dial() and call.press("1")

    tabs[1].close()
    while pages.opens().status == 503:
        """The place of the tab that was closed is free within a moment."""

    process.terminate()
    # A stream that its server had to cut off would be incomplete.
    assert tabs[0].read().endswith(b"\n\n")
    assert process.wait(20) == 0
