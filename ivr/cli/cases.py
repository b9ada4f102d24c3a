"""`ivr cases`: open matters."""

from __future__ import annotations

from pathlib import Path

import click
from rich.table import Table

from ivr.cli.common import load_config, open_store, out


@click.command("cases")
@click.option("--all", "every", is_flag=True, help="Closed ones too.")
@click.pass_obj
def command(folder: Path, every: bool) -> None:
    """Open cases and what was promised, oldest first. They are imported or come through the API."""
    store = open_store(load_config(folder))
    table = Table(box=None, pad_edge=False)
    for name in ("opened", "about", "caller", "promise", "by", "closed"):
        table.add_column(name)
    rows = store.callers.cases(every)
    for row in rows:
        table.add_row(*(str(row[name] or "") for name in ("opened", "about", "caller", "promise", "by", "closed")))
    out.print(table if rows else "no cases; PUT /api/v1/callers/NUMBER with 'cases' brings them in")
