"""The problems of a whole project given as path → text, config.yaml included."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from ivr.config import DesignersPart, read_config
from ivr.flow.bundle import builtin_files, parse
from ivr.flow.checks import check
from ivr.flow.checks.examples import project
from ivr.problems import Problem
from ivr.source import load


def problems_of(files: Mapping[str, str], folder: Path) -> list[Problem]:
    """As `ivr check` finds them."""
    (folder / "config.yaml").write_text(files["config.yaml"], "utf-8")
    config, found = read_config(folder, {})
    part = config.designers_part() if config else DesignersPart()
    sources, _ = load("config.yaml", files["config.yaml"])
    rest = {path: text for path, text in files.items() if path != "config.yaml"}
    parsed = parse({**builtin_files(), **rest})
    return [*found, *check(parsed, sources[0] if sources else None, part, rest)]


def with_main(steps: str, folder: Path, **more: str) -> list[Problem]:
    """Problems of the example project with these steps as its main flow; `more` by the names in PATHS."""
    body = "".join(f"  {line}\n" for line in steps.strip("\n").splitlines())
    start = steps.strip().partition(":")[0]
    files = {"flows/main.yaml": f"flow: main\nstart: {start}\nsteps:\n{body}"}
    files |= {PATHS[name]: text for name, text in more.items()}
    return problems_of(project(files), folder)


PATHS = {
    "line": "flows/lines/line.yaml",
    "prompts": "prompts/en/more.yaml",
    "other": "flows/other.yaml",
    "config": "config.yaml",
}


def codes(problems: list[Problem]) -> list[str]:
    """Their codes, in order."""
    return [problem.code for problem in problems]
