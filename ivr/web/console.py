"""What all pages share: a blueprint with CSRF, security headers and errors in words; static files; the session's cookie.

Nothing here runs for a voice webhook: the hooks are the blueprints' own, and only pages have a session.
"""

from __future__ import annotations

import hashlib
import json
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flask import (
    Blueprint,
    Flask,
    Response,
    abort,
    current_app,
    g,
    render_template,
    request,
    send_from_directory,
    url_for,
)
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface
from flask_wtf.csrf import ValidationError, generate_csrf, validate_csrf
from werkzeug.exceptions import HTTPException

from ivr.errors import IvrError, StoreGone, UsageError
from ivr.store.sessions import LONGEST
from ivr.web import filters
from ivr.web.voice import _where

if TYPE_CHECKING:
    from ivr.web.app import Wiring

STATIC = Path(__file__).parent / "static"
YEAR = 365 * 86400
MACHINES = ("/voice/", "/api/", "/static/")
"""Paths that nobody signs in for."""

POLICY = "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'"
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=()",
}

NAVIGATION = (
    ("Desk", "desk.index", "agent", "g d"),
    ("Ops", "ops.index", "ops", "g o"),
    ("Studio", "studio.index", "designer", "g s"),
    ("People", "accounts.users", "admin", "g u"),
)
"""Title, endpoint, role, keys. Shown where the page exists and the role may see it."""

WORDS = {
    400: ("That did not work", "The page sent something that we cannot read. Go back, reload it and try again."),
    403: ("Not for your role", "Your role does not let you see this. An admin can change it under People."),
    404: ("Nothing here", "There is no page at this address. It may have been deleted, or mistyped."),
    405: ("That did not work", "This address cannot be used like this. Go back and try again."),
    413: ("Too large", "What you sent is larger than we take. Shorten it and send it again."),
    429: ("Too many tries", "Wait a few minutes, then try again."),
    500: ("Our fault", "Something went wrong on our side, and it has been written down. Try again in a moment."),
    503: ("The database does not answer", "Nothing was changed. Calls go on; try again in a moment."),
}


def register(app: Flask, wiring: Wiring) -> None:
    """The session's cookie, templates' filters and globals, and /static."""
    app.secret_key = signing_key(wiring)
    app.session_interface = PageSessions()
    app.config.update(
        SESSION_COOKIE_NAME="ivr_session",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=(wiring.config.public_url or "").startswith("https://"),
        SESSION_REFRESH_EACH_REQUEST=False,
        PERMANENT_SESSION_LIFETIME=int(LONGEST),
        WTF_CSRF_TIME_LIMIT=None,  # a page stays open for a whole shift
    )
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    for name in ("masked", "ago", "clock_time", "lasting"):
        app.add_template_filter(getattr(filters, name), name)
    app.context_processor(_shared)
    app.add_url_rule("/static/<path:name>", "static", _static)
    if HTTPException not in app.error_handler_spec[None][None]:
        # With the API beside it, the API's handler decides who gets a page.
        app.register_error_handler(HTTPException, http_error)


def signing_key(wiring: Wiring) -> str:
    """The key of cookies and signed links. Without IVR_SECRET_KEY (only `--insecure` serves so) it is the same everywhere."""
    return hashlib.sha256(b"console " + (wiring.config.secret_key or "local").encode()).hexdigest()


class PageSessions(SecureCookieSessionInterface):
    """Signed cookies for people only: machines send none, and a voice turn must not pay for looking."""

    def open_session(self, app: Flask, request: Any) -> SecureCookieSession | None:
        """None makes Flask's null session."""
        return None if request.path.startswith(MACHINES) else super().open_session(app, request)


def wired() -> Wiring:
    """The parts of the application that runs."""
    wiring: Wiring = current_app.extensions["ivr"]
    return wiring


def blueprint(name: str) -> Blueprint:
    """A blueprint for pages: CSRF is checked before, headers are set after, and errors are pages (sentences for htmx)."""
    pages = Blueprint(name, __name__, template_folder="templates")
    pages.before_request(_check_csrf)
    pages.after_request(_harden)
    pages.register_error_handler(HTTPException, http_error)
    pages.register_error_handler(StoreGone, _store_gone)
    pages.register_error_handler(UsageError, lambda error: problem(400, sentence(error)))
    pages.register_error_handler(Exception, _fault)
    return pages


def _check_csrf() -> None:
    if request.method in ("GET", "HEAD", "OPTIONS"):
        return
    try:
        validate_csrf(request.form.get("csrf_token") or request.headers.get("X-CSRFToken"))
    except ValidationError:
        abort(400, "This page is too old, or its cookies were not kept. Go back, reload it and try again.")


def _harden(response: Response) -> Response:
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    if "Cache-Control" not in response.headers:
        response.headers["Cache-Control"] = "no-store"
    return response


def wants_page() -> bool:
    """Whether a browser asks, and not a machine, of a server that serves pages."""
    asks = "text/html" in request.headers.get("Accept", "") and not request.path.startswith(MACHINES)
    return asks and "auth" in current_app.blueprints


def problem(status: int, text: str | None = None) -> Response:
    """An error in words: what happened and what to do. A whole page, or for htmx and machines the sentence alone."""
    title, usual = WORDS.get(status, WORDS[500 if status >= 500 else 400])
    text = text or usual
    if "HX-Request" in request.headers or request.path.startswith(MACHINES):
        return _harden(Response(text, status, mimetype="text/plain"))
    return _harden(Response(render_template("error.html", title=title, text=text), status))


def sentence(error: UsageError) -> str:
    """What the command line says in one line, as a page says it."""
    text = str(error)
    return f"{text[:1].upper()}{text[1:]}."


def http_error(error: HTTPException) -> Response:
    """An `abort` as a page, in its own words where it has some."""
    own = error.description != type(error).description
    return problem(error.code or 500, error.description if own else None)


def _store_gone(error: IvrError) -> Response:
    wired().log.error("console", path=request.path, error=str(error))
    return problem(503)


def _fault(error: Exception) -> Response:
    # Its text may quote a caller's words, so only its kind and place are logged.
    wired().log.error("fault", kind="console", error=type(error).__name__, where=_where(error))
    return problem(500)


def notice(response: Response, text: str, undo: str | None = None) -> Response:
    """Shows `text` in the corner once htmx has this response. `undo`: a path that is posted to where it is taken back."""
    response.headers["HX-Trigger"] = json.dumps({"notice": {"text": text, "undo": undo}})
    return response


def asset(name: str) -> str:
    """The address of a file in static/: with its content's hash, so that browsers may keep it for a year."""
    return url_for("static", name=name, v=_hash(name))


@cache
def _hash(name: str) -> str:
    return hashlib.sha256((STATIC / name).read_bytes()).hexdigest()[:12]


def _static(name: str) -> Response:
    response = send_from_directory(STATIC, name, max_age=YEAR if "v" in request.args else 0)
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response


def _shared() -> dict[str, Any]:
    """What every template knows. The user is asked for by `requires`; an error page must not ask the database again."""
    user = g.get("user")
    pages = current_app.view_functions
    return {
        "user": user,
        "navigation": [each for each in NAVIGATION if user and each[1] in pages and user.may(each[2])],
        "asset": asset,
        "csrf_token": generate_csrf,
        "now": wired().clock,
        "zone": filters.zone,
    }
