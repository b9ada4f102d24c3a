"""`ivr publish`: new calls get what is in this folder; calls in progress keep theirs."""

from __future__ import annotations

from pathlib import Path

import click

from ivr import clock
from ivr.cli.common import load_project, open_store, out


@click.command("publish")
@click.pass_obj
def command(folder: Path) -> None:
    """Give the flows in this folder to running servers, within a second. Refused while they have errors."""
    project, config, bundle = load_project(folder)
    store = open_store(config)
    before = store.bundles.published_id()
    for problem in project.problems:
        out.print(str(problem), markup=False)
    if before == bundle.id:
        out.print(f"nothing changed: {bundle.id} is published already")
        return
    store.bundles.publish(bundle, clock.now())
    out.print(f"published {bundle.id}; calls in progress finish on the version they began with")
