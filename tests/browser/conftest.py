"""A real browser at a real server, with callers on the line and a Twilio that rings the agent's phone."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import ConsoleMessage, Page, Playwright
from werkzeug.serving import make_server

from ivr.store.passwords import hash_password
from ivr.store.users import User
from tests.actors import House
from tests.browser.chromium import MISSING, find
from tests.conftest import MakeHouse
from tests.fake_twilio import FakeTwilio
from tests.web.browser import PASSWORD, Browser, user
from tests.web.legs import Leg


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any], playwright: Playwright) -> dict[str, Any]:
    """Starts whichever Chromium there is."""
    path = find(playwright.chromium.executable_path)
    if path is None:
        pytest.fail(MISSING, pytrace=False)
    root = ["--no-sandbox"] if os.geteuid() == 0 else []
    return {**browser_type_launch_args, "executable_path": path, "args": root}


@pytest.fixture(scope="session")
def base_url() -> None:
    """Each test has a server of its own. The plugin's fixture of this name is one that pytest warns about."""


class Desk:
    """The pages of one server. `house` is the same server, for callers."""

    def __init__(self, house: House, twilio: FakeTwilio, page: Page) -> None:
        self.house, self.twilio, self.page = house, twilio, page
        self.problems: list[str] = []
        self.starts()
        self.address = f"http://127.0.0.1:{self.server.server_port}"
        page.context.on("console", self._said)
        page.context.on("weberror", lambda fault: self.problems.append(str(fault.error)))
        page.set_default_timeout(5000)

    def starts(self) -> None:
        """The server, on the port that it had before."""
        port = self.server.server_port if hasattr(self, "server") else 0
        self.server = make_server("127.0.0.1", port, self.house.app, threaded=True)
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    def stops(self) -> None:
        """The server, and with it every stream."""
        live = self.house.app.extensions["live"]
        live.stopping = lambda: True
        self.server.shutdown()
        self.server.server_close()
        live.stopping = lambda: False

    def _said(self, message: ConsoleMessage) -> None:
        # A policy that was violated is said here too.
        if message.type in ("error", "warning"):
            self.problems.append(message.text)

    def agent(self, login: str = "ana", **more: Any) -> User:
        """Somebody with a phone."""
        return user(self.house, login, phone="+15550007777", **more)

    def opens(self, who: User) -> None:
        """The desk, for somebody who has signed in before."""
        cookie = Browser(self.house, who).client.get_cookie("ivr_session", "localhost")
        assert cookie is not None
        self.page.context.add_cookies([{"name": cookie.key, "value": cookie.value, "url": self.address}])
        self.page.goto(f"{self.address}/desk")

    def signs_in(self, page: Page, who: User) -> None:
        """By the form at /login."""
        self.house.store.users.set_password(who.id, hash_password(PASSWORD))
        page.get_by_label("Login").fill(who.login)
        page.get_by_label("Password").fill(PASSWORD)
        page.keyboard.press("Enter")
        page.wait_for_url(f"{self.address}/desk**")

    def forgives(self, *words: str) -> None:
        """What the browser complained of with these words is what was tested."""
        self.problems = [each for each in self.problems if not any(word in each for word in words)]

    def later(self, seconds: float) -> None:
        """The clock on the server's wall goes on."""
        self.house.moment.pass_by(seconds)

    @property
    def leg(self) -> Leg:
        """The agent's telephone that rings now."""
        return Leg(self.house, self.twilio)

    def shot(self, name: str) -> None:
        """Keeps what can be seen, where IVR_SCREENSHOTS names a folder."""
        folder = os.environ.get("IVR_SCREENSHOTS")
        if folder:
            self.page.mouse.move(0, 0)
            self.page.screenshot(path=str(Path(folder) / f"{name}.png"))


MakeDesk = Callable[[], Desk]


@pytest.fixture
def desk(sqlite_url: str, make_house: MakeHouse, fake_twilio: FakeTwilio, page: Page) -> Iterator[Desk]:
    """The shipped line, open, with nobody on it. Whatever a browser complains about fails the test."""
    made = Desk(make_house(sqlite_url, config=fake_twilio.account), fake_twilio, page)
    yield made
    page.close()
    made.stops()
    assert made.problems == []
