"""`ivr tokens`: API tokens."""

from __future__ import annotations

from pathlib import Path

import click
from rich.markup import escape
from rich.table import Table

from ivr import clock
from ivr.cli.common import load_config, open_store, out
from ivr.errors import UsageError
from ivr.problems import did_you_mean
from ivr.store.tokens import add_token, list_tokens, revoke_token


@click.group("tokens")
def command() -> None:
    """API tokens."""


@command.command("add")
@click.argument("name")
@click.pass_obj
def add(folder: Path, name: str) -> None:
    """Make a token for NAME. It is shown once."""
    store = open_store(load_config(folder))
    out.print(add_token(store.database, name, clock.now()), markup=False)


@command.command("list")
@click.pass_obj
def list_(folder: Path) -> None:
    """Every token by name, and since when; the tokens themselves are not kept."""
    table = Table("name", "since", box=None, pad_edge=False)
    tokens = list_tokens(open_store(load_config(folder)).database)
    for name, at in tokens:
        table.add_row(escape(name), clock.iso(at))
    out.print(table if tokens else "no tokens; 'ivr tokens add NAME' makes one")


@command.command("revoke")
@click.argument("name")
@click.pass_obj
def revoke(folder: Path, name: str) -> None:
    """End NAME's token, from its next request on."""
    store = open_store(load_config(folder))
    if not revoke_token(store.database, name):
        known = [each for each, _ in list_tokens(store.database)]
        raise UsageError(f"there is no token '{name}'; {did_you_mean(name, known)}")
    out.print(f"the token '{name}' opens nothing any more", markup=False)
