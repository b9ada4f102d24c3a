"""`ivr tokens`: API tokens."""

from __future__ import annotations

from pathlib import Path

import click

from ivr import clock
from ivr.cli.common import load_config, open_store, out
from ivr.store.tokens import add_token


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
