"""`ivr users`: who may sign in to the pages people work in."""

from __future__ import annotations

import sys
from pathlib import Path

import click
from rich.markup import escape
from rich.table import Table

from ivr import clock
from ivr.cli.common import load_config, open_store, out
from ivr.config import Config
from ivr.errors import UsageError
from ivr.problems import did_you_mean
from ivr.store.passwords import check_password, hash_password, new_password
from ivr.store.store import DatabaseStore
from ivr.store.users import ROLES, User, phone_of


@click.group("users")
def command() -> None:
    """People with an account: agents, designers, ops, admins."""


from_stdin = click.option("--password-stdin", is_flag=True, help="Read the password from standard input.")


@command.command("add")
@click.argument("login")
@click.option("--name", default="", help="How they are called; their login, unless given.")
@click.option("--role", type=click.Choice(ROLES), default="agent", show_default=True, help="What they may do.")
@click.option("--phone", default="", help="What rings for a caller: +15551234567, sip:… or client:….")
@click.option("--target", "targets", multiple=True, help="A target they serve; again for more. None: every target.")
@from_stdin
@click.pass_obj
def add(
    folder: Path, login: str, name: str, role: str, phone: str, targets: tuple[str, ...], password_stdin: bool
) -> None:
    """Make an account for LOGIN. Without a terminal the password is made up, and shown once."""
    config = load_config(folder)
    store = open_store(config)
    rings = phone_of(phone, config.file.region)
    _known(config, targets)
    if store.users.by_login(login) is not None:
        raise UsageError(f"there is a user '{login}' already; choose another login")
    password, made_up = _password(password_stdin)
    user = store.users.add(login, name, hash_password(password), role, rings, targets, clock.now())
    store.audit.note(clock.now(), None, "user", user.id, "added")
    out.print(f"{user.login} may sign in as {user.role}", markup=False)
    _show(password, made_up)


@command.command("list")
@click.pass_obj
def list_(folder: Path) -> None:
    """Everybody with an account."""
    table = Table(box=None, pad_edge=False)
    for column in ("login", "name", "role", "phone", "targets", "presence"):
        table.add_column(column)
    everybody = open_store(load_config(folder)).users.every()
    for user in everybody:
        presence = "disabled" if user.disabled else user.presence
        row = (user.login, user.name, user.role, user.phone or "", ", ".join(user.targets) or "every", presence)
        table.add_row(*map(escape, row))
    out.print(table if everybody else "nobody has an account; 'ivr users add LOGIN' makes one")


@command.command("disable")
@click.argument("login")
@click.pass_obj
def disable(folder: Path, login: str) -> None:
    """Shut LOGIN out, at once and everywhere."""
    store, user = _find(folder, login)
    store.users.disable(user.id, clock.now())
    store.sessions.revoke_all(user.id)
    store.audit.note(clock.now(), None, "user", user.id, "disable")
    out.print(
        f"{user.login} is signed out and cannot sign in; 'ivr users enable {user.login}' takes it back", markup=False
    )


@command.command("enable")
@click.argument("login")
@click.pass_obj
def enable(folder: Path, login: str) -> None:
    """Let LOGIN sign in again."""
    store, user = _find(folder, login)
    store.users.enable(user.id)
    store.audit.note(clock.now(), None, "user", user.id, "enable")
    out.print(f"{user.login} may sign in again", markup=False)


@command.command("password")
@click.argument("login")
@from_stdin
@click.pass_obj
def password(folder: Path, login: str, password_stdin: bool) -> None:
    """Give LOGIN a new password; they are signed out everywhere."""
    store, user = _find(folder, login)
    new, made_up = _password(password_stdin)
    store.users.set_password(user.id, hash_password(new))
    store.sessions.revoke_all(user.id)
    store.attempts.clear(user.login)
    store.audit.note(clock.now(), None, "user", user.id, "password")
    out.print(f"{user.login} has a new password", markup=False)
    _show(new, made_up)


def _find(folder: Path, login: str) -> tuple[DatabaseStore, User]:
    store = open_store(load_config(folder))
    user = store.users.by_login(login)
    if user is None:
        raise UsageError(
            f"there is no user '{login}'; {did_you_mean(login, [each.login for each in store.users.every()])}"
        )
    return store, user


def _known(config: Config, targets: tuple[str, ...]) -> None:
    for target in targets:
        if target not in config.file.targets:
            raise UsageError(f"'{target}' is not a target; {did_you_mean(target, config.file.targets)}")


def _password(from_stdin: bool) -> tuple[str, bool]:
    """The password, and whether we made it up."""
    if from_stdin:
        return check_password(sys.stdin.readline().rstrip("\r\n")), False
    if sys.stdin.isatty():
        return check_password(click.prompt("Password", hide_input=True, confirmation_prompt=True)), False
    return new_password(), True


def _show(password: str, made_up: bool) -> None:
    if made_up:
        out.print(f"password, shown only now: {password}", markup=False)
