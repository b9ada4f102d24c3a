"""`ivr check`: every problem at once."""

from __future__ import annotations

import json
import os
from pathlib import Path

import click

from ivr.cli.common import err, out
from ivr.problems import Problem, errors
from ivr.project import read_project


@click.command("check")
@click.option(
    "--format", "form", type=click.Choice(["text", "json", "github"]), default="text", help="How problems are written."
)
@click.option("--strict", is_flag=True, help="Exit 1 on warnings too.")
@click.pass_obj
def command(folder: Path, form: str, strict: bool) -> None:
    """Every problem in config, flows and prompts, with its place. Exit 1 on errors."""
    problems = read_project(folder, os.environ).problems
    if form == "json":
        click.echo(json.dumps([problem.as_json() for problem in problems], indent=1))
    else:
        for problem in problems:
            click.echo(_github(problem) if form == "github" else str(problem))
    wrong = errors(problems)
    if form == "text":
        warned = len(problems) - len(wrong)
        words = f"{len(wrong)} error(s), {warned} warning(s)" if problems else "no problems"
        (err if wrong else out).print(words)
    if wrong or (strict and problems):
        raise click.exceptions.Exit(1)


def _github(problem: Problem) -> str:
    level = "warning" if problem.level == "warning" else "error"
    where = problem.where
    text = f"[{problem.code}] {problem.message} {problem.hint}".replace("%", "%25").replace("\n", "%0A")
    return f"::{level} file={where.file},line={where.line},col={where.column}::{text}"
