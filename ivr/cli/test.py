"""`ivr test`: dialogue tests."""

from __future__ import annotations

from pathlib import Path

import click

from ivr import clock
from ivr.cli.common import load_world, out
from ivr.errors import ProblemsFound
from ivr.simulate.dialogue import Dialogue, Result, caller_of, play, read_dialogues, unreached
from ivr.simulate.transcript import conversation
from ivr.simulate.world import World, engine_caller, moment_of


@click.command("test")
@click.argument("path", required=False, type=click.Path(exists=True, path_type=Path))
@click.option("--transcript", is_flag=True, help="Show what was said in every dialogue.")
@click.pass_obj
def command(folder: Path, path: Path | None, transcript: bool) -> None:
    """Run the dialogue tests of flows/tests (or of one file), and show what no test reaches."""
    world = load_world(folder)
    dialogues = read_dialogues(folder, path)
    results = [run(world, dialogue) for dialogue in dialogues]
    for result in results:
        mark = "[green]ok[/]  " if result.passed else "[red]FAIL[/]"
        seconds = f"  ({result.seconds:.0f} s to the answer)" if result.seconds is not None else ""
        out.print(f"{mark} {result.dialogue.file.test}{seconds}")
        for problem in result.failures:
            out.print(str(problem), markup=False)
        if transcript:
            for who, words in conversation(result.events):
                out.print(f"       {who:>6}  {words}", markup=False)
    if path is None and results:
        _coverage(world, results)
    failed = sum(not result.passed for result in results)
    out.print(
        f"{len(results) - failed} passed, {failed} failed" if results else "no dialogue tests; write one in flows/tests"
    )
    if failed:
        raise click.exceptions.Exit(1)


def run(world: World, dialogue: Dialogue) -> Result:
    """Plays one dialogue on the engine."""
    persona, number, problems = caller_of(dialogue, world.personas)
    if problems:
        raise ProblemsFound(tuple(problems))
    at = moment_of(world.bundle, dialogue.file.call, dialogue.file.at, clock.now())
    caller, _ = engine_caller(world, persona, number, dialogue.file.call, at, dialogue.file.lookups)
    return play(dialogue, caller, world.bundle)


def _coverage(world: World, results: list[Result]) -> None:
    steps, options = unreached(world.bundle, results)
    if steps:
        out.print(f"steps no test reaches: {', '.join(steps)}", markup=False)
    if options:
        out.print(f"options no test chooses: {', '.join(options)}", markup=False)
