"""Signing in and out, and who may see a page: `@requires("agent")`."""

from __future__ import annotations

import hashlib
import ipaddress
import secrets
from collections.abc import Callable
from datetime import datetime
from functools import wraps
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

from flask import Flask, Response, abort, current_app, g, redirect, render_template, request, session, url_for

from ivr.store.passwords import hash_password, is_outdated, matches
from ivr.store.users import User, login_of, plain
from ivr.web import console, filters

if TYPE_CHECKING:
    from ivr.web.app import Wiring

View = TypeVar("View", bound=Callable[..., Any])

pages = console.blueprint("auth")


def register(app: Flask, _: Wiring) -> None:
    """The routes."""
    app.register_blueprint(pages)


def current_user() -> User | None:
    """Who is signed in. Asked of the database once a request, so that revoking works at once."""
    if "user" not in g:
        wiring = console.wired()
        token = session.get("token")
        found = wiring.store.sessions.find(_digest(token), wiring.clock()) if token else None
        g.user, g.web_session = found or (None, None)
    user: User | None = g.user
    return user


def requires(*roles: str) -> Callable[[View], View]:
    """Only for these roles and admins; without roles, for everybody signed in. Others are asked to sign in, or told why not."""

    def decorate(view: View) -> View:
        @wraps(view)
        def guarded(*given: Any, **named: Any) -> Any:
            user = current_user()
            if user is None:
                abort(_sign_in_first())
            if roles and not any(user.may(role) for role in roles):
                abort(403)
            return view(*given, **named)

        return guarded  # type: ignore[return-value]  # the same signature

    return decorate


def _sign_in_first() -> Response:
    """The way to /login and back. After a form was sent, back to the page it stood on."""
    if "HX-Request" in request.headers:
        back = urlsplit(request.headers.get("HX-Current-URL", "")).path
        return Response("Please sign in again.", 401, {"HX-Redirect": url_for("auth.login", next=local(back))})
    back = request.full_path.rstrip("?") if request.method == "GET" else urlsplit(request.referrer or "").path
    return see(url_for("auth.login", next=local(back)))


def see(where: str) -> Response:
    """The answer to a form that worked: another page."""
    response: Response = redirect(where, 303)  # type: ignore[assignment]  # Flask's own response class
    return response


def local(path: str | None) -> str | None:
    """`path` where it leads to a page of ours; None where it could lead anywhere else."""
    if not path or not path.startswith("/") or path.startswith(("//", "/\\")) or plain(path) != path or "\\" in path:
        return None
    parts = urlsplit(path)
    return None if parts.scheme or parts.netloc else path


def home(user: User) -> str:
    """The first page that the role may see."""
    for _, endpoint, role, _ in console.NAVIGATION:
        if endpoint in current_app.view_functions and user.may(role):
            return url_for(endpoint)
    return url_for("accounts.account")


@pages.get("/")
def index() -> Response:
    """The way in."""
    user = current_user()
    return see(home(user) if user else url_for("auth.login"))


@pages.get("/login")
def login() -> Any:
    """The form."""
    user = current_user()
    return see(local(request.args.get("next")) or home(user)) if user else _form("")


@pages.post("/login")
def sign_in() -> Any:
    """One way for every failure: the same words, the same time, whether the login exists or not."""
    wiring = console.wired()
    store, now = wiring.store, wiring.clock()
    given, password = login_of(request.form.get("login", "")), request.form.get("password", "")
    until = store.attempts.begin(given, address(), now)
    if until is not None:
        again = datetime.fromtimestamp(until + 59, filters.zone(None))
        problem = f"Too many failed tries. Try again at {again:%H:%M}, or ask an admin for a new password."
        return _form(given, problem), 429, {"Retry-After": str(max(int(until - now), 1))}
    stored = store.users.password_hash(given)
    right = matches(stored, password)
    user = store.users.by_login(given)
    if not right or stored is None or user is None:
        return _form(given, "Login or password is wrong."), 401
    store.attempts.clear(given)
    if is_outdated(stored):
        store.users.set_password(user.id, hash_password(password))
    open_session(user)
    store.audit.note(now, user.id, "login", user.id)
    return see(local(request.form.get("next")) or home(user))


def _form(login: str, problem: str | None = None) -> str:
    return render_template("login.html", login=login, problem=problem, next=local(request.values.get("next")))


@pages.post("/logout")
def logout() -> Response:
    """Ends this browser's session."""
    user = current_user()
    if user is not None:
        wiring = console.wired()
        wiring.store.sessions.revoke(g.web_session.id, user.id)
        wiring.store.audit.note(wiring.clock(), user.id, "logout", user.id)
    session.clear()
    return see(url_for("auth.login"))


def open_session(user: User) -> None:
    """Signs this browser in: a new token, and nothing kept of what the cookie held before."""
    wiring = console.wired()
    token = secrets.token_urlsafe(32)
    wiring.store.sessions.open(user.id, _digest(token), wiring.clock(), request.user_agent.string)
    session.clear()
    session.permanent = True
    session["token"] = token


def _digest(token: Any) -> str:
    return hashlib.sha256(str(token).encode()).hexdigest()


def address() -> str:
    """Where the request comes from. A neighbour is a proxy of ours: then what it says last, which nobody outside can set."""
    peer, said = request.remote_addr or "", request.headers.get("X-Forwarded-For", "").rpartition(",")[2].strip()
    try:
        return str(ipaddress.ip_address(said)) if said and ipaddress.ip_address(peer).is_private else peer
    except ValueError:
        return peer
