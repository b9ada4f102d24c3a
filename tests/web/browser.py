"""Somebody at a browser: signed in, with the page's token sent along as a page does."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from ivr.store.users import User
from tests.actors import House

PASSWORD = "correct horse battery"


def user(
    house: House,
    login: str,
    role: str = "agent",
    *,
    name: str = "",
    phone: str | None = None,
    targets: Sequence[str] = (),
) -> User:
    """Somebody with an account and no password that fits."""
    return house.store.users.add(login, name or login.title(), "!", role, phone, targets, house.moment())


class Page(NamedTuple):
    """What the browser got."""

    status: int
    text: str
    headers: Mapping[str, str]


class Browser:
    """A browser with its cookies. With `who` it is signed in already."""

    def __init__(self, house: House, who: User | None = None) -> None:
        self.house, self.client = house, house.app.test_client()
        if who is not None:
            token = f"token of {who.login} {id(self)}"
            digest = hashlib.sha256(token.encode()).hexdigest()
            house.store.sessions.open(who.id, digest, house.moment(), "a browser in a test")
            with self.client.session_transaction() as session:
                session["token"] = token

    def get(self, path: str, *, htmx: bool = False, **headers: str) -> Page:
        """Opens a page; redirects are not followed."""
        return self._open("GET", path, {}, htmx, headers)

    def post(self, path: str, *, htmx: bool = False, token: str | None = None, **fields: Any) -> Page:
        """Sends a form, with the token that this browser's pages carry."""
        sent = {**fields, "csrf_token": self.token if token is None else token}
        return self._open("POST", path, sent, htmx, {})

    @property
    def token(self) -> str:
        """The token in a page of this browser."""
        found = re.search(r'name="csrf-token" content="([^"]+)"', self.get("/nowhere").text)
        assert found
        return found[1]

    def _open(self, method: str, path: str, fields: Mapping[str, Any], htmx: bool, headers: Mapping[str, str]) -> Page:
        asked = {"Accept": "text/html", **({"HX-Request": "true"} if htmx else {}), **headers}
        answer = self.client.open(path, method=method, data=fields or None, headers=asked)
        page = Page(answer.status_code, answer.get_data(as_text=True), answer.headers)
        answer.close()
        return page

    def signs_in(self, login: str, password: str = PASSWORD, **more: str) -> Page:
        """The form at /login."""
        return self.post("/login", login=login, password=password, **more)
