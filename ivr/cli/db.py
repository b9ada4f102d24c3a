"""`ivr db`: migrations."""

from __future__ import annotations

from pathlib import Path

import click

from ivr import clock
from ivr.cli.common import load_config, out
from ivr.store.migrate import current, head, upgrade
from ivr.store.store import DatabaseStore


@click.group("db")
def command() -> None:
    """Migrations of the database."""


@command.command("upgrade")
@click.pass_obj
def upgrade_(folder: Path) -> None:
    """Bring the database to this version. Safe to run again, and on several machines at once."""
    store = DatabaseStore(load_config(folder), clock.now)
    out.print(f"the database is at migration {upgrade(store.database)}")


@command.command("status")
@click.pass_obj
def status(folder: Path) -> None:
    """Where the database is, and where it should be."""
    store = DatabaseStore(load_config(folder), clock.now)
    out.print(f"at migration {current(store.database) or 'none'}; this version needs {head()}")
