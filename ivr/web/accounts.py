"""/account: my own name, password, phone and browsers. /users: everybody's accounts, for admins."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import Flask, Response, abort, flash, g, render_template, request, url_for

from ivr.errors import UsageError
from ivr.store.passwords import check_password, hash_password, matches, new_password
from ivr.store.users import PRESENCES, ROLES, User, phone_of
from ivr.web import console
from ivr.web.auth import requires, see

if TYPE_CHECKING:
    from ivr.web.app import Wiring

pages = console.blueprint("accounts")


def register(app: Flask, _: Wiring) -> None:
    """The routes."""
    app.register_blueprint(pages)


# My own account


@pages.get("/account")
@requires()
def account() -> str:
    """The page."""
    wiring = console.wired()
    browsers = wiring.store.sessions.of(g.user.id, wiring.clock())
    return render_template("account.html", browsers=browsers, this=g.web_session.id)


@pages.post("/account")
@requires()
def save_account() -> Response:
    """Name and phone."""
    wiring = console.wired()
    phone = phone_of(request.form.get("phone", ""), wiring.config.file.region)
    wiring.store.users.set_name(g.user.id, request.form.get("name", ""))
    wiring.store.users.set_phone(g.user.id, phone)
    flash("Saved.")
    return see(url_for("accounts.account"))


@pages.post("/account/password")
@requires()
def change_password() -> Response:
    """A new password, for who knows the old one; other browsers are signed out."""
    store, now = console.wired().store, console.wired().clock()
    if store.attempts.begin(g.user.login, "", now) is not None:
        abort(429)
    if not matches(store.users.password_hash(g.user.login), request.form.get("old", "")):
        abort(400, "Your present password is another one. Nothing was changed.")
    store.attempts.clear(g.user.login)
    store.users.set_password(g.user.id, hash_password(check_password(request.form.get("new", ""))))
    store.sessions.revoke_all(g.user.id, but=g.web_session.id)
    store.audit.note(now, g.user.id, "password", g.user.id)
    flash("Your password is changed, and other browsers are signed out.")
    return see(url_for("accounts.account"))


@pages.post("/account/revoke")
@requires()
def revoke_mine() -> Response:
    """Signs out one browser, or, without its id, everywhere."""
    store, id_ = console.wired().store, request.form.get("session")
    if id_:
        store.sessions.revoke(id_, g.user.id)
    else:
        store.sessions.revoke_all(g.user.id)
    store.audit.note(console.wired().clock(), g.user.id, "session", g.user.id, "one" if id_ else "every")
    return see(url_for("accounts.account"))


@pages.post("/account/presence")
@requires("agent")
def choose_presence() -> Any:
    """Available or away, from the menu at the top. While a task rings or is talked to, the task decides."""
    store, chosen = console.wired().store, request.form.get("presence", "")
    if chosen not in PRESENCES or chosen == "busy":
        abort(400)
    if not store.users.choose_presence(g.user.id, chosen, console.wired().clock()):
        abort(409, "You have a task. Finish it first.")
    g.user = store.users.get(g.user.id)
    return render_template("_presence.html") if "HX-Request" in request.headers else see(url_for("auth.index"))


# Everybody's


@pages.get("/users")
@requires("admin")
def users() -> str:
    """The list, and the form for one more."""
    return _users()


def _users(shown: User | None = None, password: str | None = None) -> str:
    wiring = console.wired()
    targets = sorted(wiring.config.file.targets)
    everybody = wiring.store.users.every()
    return render_template("users.html", users=everybody, roles=ROLES, targets=targets, shown=shown, password=password)


@pages.post("/users")
@requires("admin")
def add_user() -> str:
    """One more, with a password that is shown once."""
    wiring, password = console.wired(), new_password()
    form = request.form
    phone = phone_of(form.get("phone", ""), wiring.config.file.region)
    hashed = hash_password(password)
    login, name, role = form.get("login", ""), form.get("name", ""), form.get("role", "")
    made = wiring.store.users.add(login, name, hashed, role, phone, _targets(), wiring.clock())
    _note(made, "added")
    return _users(made, password)


@pages.post("/users/<id_>")
@requires("admin")
def change_user(id_: str) -> Any:
    """What somebody may do and whom they serve."""
    user, role = _user(id_), request.form.get("role", "")
    if user.id == g.user.id and role != user.role:
        abort(400, "You cannot change your own role: another admin can.")
    console.wired().store.users.set_role(user.id, role, _targets())
    _note(user, f"role {role}")
    flash(f"{user.name} is saved.")
    return see(url_for("accounts.users"))


@pages.post("/users/<id_>/<act>")
@requires("admin")
def act_on_user(id_: str, act: str) -> Any:
    """disable, enable, revoke (sign out everywhere), password (a new one, shown once)."""
    user, store, now = _user(id_), console.wired().store, console.wired().clock()
    if act not in ("disable", "enable", "revoke", "password"):
        abort(404)
    if act == "disable" and user.id == g.user.id:
        abort(400, "You cannot disable your own account: another admin can.")
    _note(user, act)
    if act == "enable":
        store.users.enable(user.id)
        flash(f"{user.name} may sign in again.")
        return see(url_for("accounts.users"))
    if act == "disable":
        store.users.disable(user.id, now)
    store.sessions.revoke_all(user.id)
    if act == "password":
        password = new_password()
        store.users.set_password(user.id, hash_password(password))
        store.attempts.clear(user.login)
        return _users(user, password)
    flash(f"{user.name} is signed out everywhere" + (" and cannot sign in any more." if act == "disable" else "."))
    return see(url_for("accounts.users"))


def _user(id_: str) -> User:
    user = console.wired().store.users.get(id_)
    if user is None:
        abort(404, "Nobody has this account.")
    return user


def _targets() -> list[str]:
    known = console.wired().config.file.targets
    given = request.form.getlist("targets")
    for name in given:
        if name not in known:
            raise UsageError(f"'{name[:60]}' is not a target in config.yaml")
    return given


def _note(user: User, detail: str) -> None:
    wiring = console.wired()
    wiring.store.audit.note(wiring.clock(), g.user.id, "user", user.id, detail)
