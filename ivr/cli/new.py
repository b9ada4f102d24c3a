"""`ivr new`: a project that works, to change from there."""

from __future__ import annotations

import shutil
from pathlib import Path

import click

from ivr.cli.common import out
from ivr.errors import UsageError

STARTER = Path(__file__).parent / "starter"


@click.command("new")
@click.argument("folder", type=click.Path(path_type=Path))
def command(folder: Path) -> None:
    """Start a project in FOLDER: one line, one flow, its words, a person to call as, a test. It works as it is."""
    if folder.exists() and any(folder.iterdir()):
        raise UsageError(f"{folder} is not empty; name a new folder")
    shutil.copytree(STARTER, folder, dirs_exist_ok=True)
    out.print(f"{folder} is ready. Next:", markup=False)
    for line in (f"cd {folder}", "ivr check", "ivr simulate --as ada", "ivr test"):
        out.print(f"  {line}", markup=False)
