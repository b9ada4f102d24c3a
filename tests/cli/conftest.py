"""The `ivr` command as its users run it: a process of its own, in a folder of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
OWNED = ("config.yaml", "flows", "prompts", "samples")

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of the shipped line, with a database of its own."""
    folder = tmp_path / "line"
    folder.mkdir()
    for name in OWNED:
        source = ROOT / name
        shutil.copytree(source, folder / name) if source.is_dir() else shutil.copy(source, folder / name)
    return folder


@pytest.fixture
def run(project: Path) -> Run:
    """`run("check")`: the command's result; its working folder is the project unless `cwd` says otherwise."""

    def go(
        *arguments: str, cwd: Path | None = None, keys: str = "", **environment: str
    ) -> subprocess.CompletedProcess[str]:
        clean = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("TWILIO_", "IVR_", "DATABASE_URL"))
        }
        return subprocess.run(
            [sys.executable, "-c", "from ivr.cli import main; main()", *arguments],
            cwd=cwd or project,
            env={**clean, "COLUMNS": "200", **environment},
            input=keys,
            capture_output=True,
            text=True,
            timeout=60,
        )

    return go
