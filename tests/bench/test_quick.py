"""The benches run, in their short forms, and their last line is one that a script can read. Nothing here is about speed."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
NUMBER = r"\d+(\.\d+)?"

LAST_LINES = {
    "turns": rf"ratio turn={NUMBER} first={NUMBER}",
    "likely": rf"top1={NUMBER} top3={NUMBER} position={NUMBER} first_time_position={NUMBER} ms={NUMBER}",
    "crash": r"calls=40 in_flight=\d+ lost=0 twice=0",
    "queue": rf"callers=30 agents=4 lost=0 twice=0 order=0 within={NUMBER} error_p50={NUMBER} error_p90={NUMBER} wait_ms_p50={NUMBER}",
    "load": rf"turns per second: sqlite={NUMBER} postgresql={NUMBER} errors=0",
    "scale": rf"scale={NUMBER}",
}


@pytest.mark.parametrize("bench", LAST_LINES)
def test_the_short_form_runs_and_ends_with_the_figures(bench: str) -> None:
    ran = subprocess.run(
        [sys.executable, "-m", f"bench.{bench}", "--quick"], cwd=ROOT, capture_output=True, text=True, timeout=110
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert re.fullmatch(LAST_LINES[bench], ran.stdout.splitlines()[-1]), ran.stdout


@pytest.mark.parametrize("bench", LAST_LINES)
def test_help_says_what_is_measured(bench: str) -> None:
    ran = subprocess.run([sys.executable, "-m", f"bench.{bench}", "--help"], cwd=ROOT, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    assert "--quick" in ran.stdout
