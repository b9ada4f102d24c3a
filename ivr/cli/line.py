"""`ivr line`: what is said on a line for now."""

from __future__ import annotations

from pathlib import Path

import click

from ivr import clock
from ivr.cli.common import load_config, open_store, out
from ivr.errors import UsageError
from ivr.problems import did_you_mean


@click.group("line")
def command() -> None:
    """A line's notice for now (`line.notice` in flows)."""


@command.command("notice")
@click.argument("line")
@click.argument("text", required=False)
@click.pass_obj
def notice(folder: Path, line: str, text: str | None) -> None:
    """Say TEXT to every caller of LINE from now on; without TEXT, stop saying it."""
    store = open_store(load_config(folder))
    lines = store.published().lines
    if line not in lines:
        raise UsageError(f"there is no line '{line}'; {did_you_mean(line, lines)}")
    before = store.notice(line)
    store.bundles.set_notice(line, text, clock.now())
    was = f" (before: {before!r})" if before else ""
    out.print(
        f"new calls hear it within a second{was}" if text else f"nothing is announced any more{was}", markup=False
    )
