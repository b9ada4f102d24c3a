"""`ivr line`: what is said on a line for now, and closing it in an emergency."""

from __future__ import annotations

from pathlib import Path

import click

from ivr import clock
from ivr.cli.common import load_config, open_store, out
from ivr.errors import UsageError
from ivr.problems import did_you_mean
from ivr.store.store import DatabaseStore
from ivr.turn import closed_notice


@click.group("line")
def command() -> None:
    """A line for now: its notice (`line.notice` in flows), and closing it (`line.open`)."""


@command.command("notice")
@click.argument("line")
@click.argument("text", required=False)
@click.pass_obj
def notice(folder: Path, line: str, text: str | None) -> None:
    """Say TEXT to every caller of LINE from now on; without TEXT, stop saying it."""
    store = _store(folder, line)
    before = store.notice(line)
    store.bundles.set_notice(line, text, clock.now())
    was = f" (before: {before!r})" if before else ""
    out.print(
        f"new calls hear it within a second{was}" if text else f"nothing is announced any more{was}", markup=False
    )


@command.command("close")
@click.argument("line")
@click.option("--because", required=True, help="Why, for your colleagues.")
@click.pass_obj
def close(folder: Path, line: str, because: str) -> None:
    """Close LINE for new calls, whatever its hours say, until `ivr line open`."""
    store = _store(folder, line)
    store.bundles.set_notice(closed_notice(line), because, clock.now())
    out.print(f"{line} is closed for new calls within a second; 'ivr line open {line}' takes it back", markup=False)


@command.command("open")
@click.argument("line")
@click.pass_obj
def open_(folder: Path, line: str) -> None:
    """Let LINE follow its hours again."""
    store = _store(folder, line)
    was = store.notice(closed_notice(line))
    store.bundles.set_notice(closed_notice(line), None, clock.now())
    out.print(
        f"{line} follows its hours again (it was closed because: {was})" if was else f"{line} was not closed",
        markup=False,
    )


def _store(folder: Path, line: str) -> DatabaseStore:
    store = open_store(load_config(folder))
    lines = store.published().lines
    if line not in lines:
        raise UsageError(f"there is no line '{line}'; {did_you_mean(line, lines)}")
    return store
