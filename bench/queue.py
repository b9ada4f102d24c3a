"""Many callers wait for few agents: is anybody lost, answered twice or out of turn, and how good was what they were told?

    python -m bench.queue [--quick] [--seed N] [--database URL]

The shipped line, its real application and database, signed webhooks, and the desk's own code for taking a caller; Twilio, the
callers and the agents are played on a clock that is set by hand (bench/shift). 200 callers and 20 agents, 10 minutes: the
queue has room for everybody, and a wait ends after 7 minutes. Callers hang up, book a call back, press keys late; agents do not
pick up, decline, take one caller in the same moment; Twilio refuses to ring, or never answers.

lost    a caller who did not end in one of the states of the table, or whose task says otherwise
twice   a caller whom two agents took or talked to
order   a take of somebody whose turn it was not, by when each came, priority, and the agent who knows them
place   a place in line that was said and was wrong

Each fails the run. The first estimate that each caller was told is judged by when they talked to somebody: `within` by the whole
minutes that they heard, `error` by the middle of the seconds behind it. Who waited longer than its end and had nobody is outside
it; who left before its end counts nowhere, since nobody knows how long they would have waited.
"""

from __future__ import annotations

import io
import random
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import redirect_stderr
from pathlib import Path
from typing import NamedTuple

import click
import yaml
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn
from rich.table import Table

from bench.load import percentile
from bench.servers import copy_project, databases, scratch
from bench.shift.agents import Agents
from bench.shift.callers import Callers
from bench.shift.stage import TARGET, Caller, Plan, Stage
from bench.shift.twilio import Rings
from bench.shipped import OPEN, application, help_of
from ivr.handoff.task import Task
from ivr.simulate.line import Moment

FULL, QUICK = Plan(200, 20, 10.0), Plan(30, 4, 3.0)
ENDS = {
    "talked": ("call", ("talking", "wrap_up", "done"), "talked with an agent"),
    "called back": ("callback", ("talking", "wrap_up", "done"), "booked, and talked when they were called back"),
    "booked": ("callback", ("waiting", "ringing", "talking"), "booked, and keep their place"),
    "left": ("call", ("done",), "hung up"),
    "message": ("call", ("done",), "waited too long, and left a message"),
    "waiting": ("call", ("waiting", "ringing"), "still in line"),
}
"""State → the kind and the states of its task, and what it means."""

RESULTS = {"left": "abandoned", "message": "waited_too_long", "talked": "answered", "called back": "answered"}


class Wait(NamedTuple):
    """One caller's wait in seconds, whether it ended with somebody (`met`), and what they were told: `low` to `high` as it is
    stored, and `heard` as it was said, in whole minutes."""

    seconds: float
    met: bool
    low: float
    high: float
    heard: tuple[float, float]


def ended(stage: Stage) -> Mapping[str, Task]:
    """Every caller's task. Who is in none of the states that there are, or in another one in the database, is noted."""
    tasks: dict[str, Task] = {}
    lost = stage.seen.wrong["lost"]
    for caller in stage.callers:
        made = stage.store.tasks.of_call(caller.call.call_sid)
        mine = [task for task in made if task.kind != "voicemail"]
        if caller.state not in ENDS or [task.id for task in mine] != [caller.task]:
            lost.append(f"{caller.call.call_sid} {caller.state}, with {len(mine)} tasks")
            continue
        task = tasks[caller.task] = mine[0]
        kind, states, _ = ENDS[caller.state]
        result = RESULTS[caller.state] if task.state == "done" else None
        if (task.kind, task.result) != (kind, result) or task.state not in states:
            lost.append(f"{caller.task}: {caller.state}, and stored as {task.kind}, {task.state}, {task.result}")
        messages = sum(task.kind == "voicemail" and task.state == "waiting" for task in made)
        if messages != (caller.state == "message"):
            lost.append(f"{caller.task}: {caller.state}, with {messages} messages")
    return tasks


def waits(callers: Sequence[Caller], tasks: Mapping[str, Task], end: float) -> list[Wait]:
    """The wait of each caller who was told how long it would be."""
    found = []
    for caller in callers:
        task = tasks.get(caller.task)
        if task and task.low is not None and task.high is not None and caller.told:
            over = caller.met or caller.gone or end
            found.append(Wait(over - caller.since, caller.met is not None, task.low, task.high, caller.told))
    return found


def share_within(ranges: Sequence[tuple[Wait, tuple[float, float]]]) -> tuple[int, float]:
    """How many can be judged, and the share of these whose wait was within its range."""
    judged = [(wait, low, high) for wait, (low, high) in ranges if wait.met or wait.seconds > high]
    within = sum(wait.met and low <= wait.seconds <= high for wait, low, high in judged)
    return len(judged), within / max(1, len(judged))


@click.command(help=help_of(__doc__))
@click.option("--quick", is_flag=True, help="30 callers, 4 agents, 3 minutes.")
@click.option("--seed", default=1, show_default=True, help="Another one: other callers, another day.")
@click.option("--database", help="A PostgreSQL to try it on, as postgresql+psycopg://…; or postgresql: from the wheel.")
def main(quick: bool, seed: int, database: str | None) -> None:
    plan = (QUICK if quick else FULL)._replace(seed=seed)
    with scratch() as folder, databases(database, folder) as make:
        stage, faults = run(plan, make("queue"), folder)
        tasks = ended(stage)
        stage.store.dispose()
    wrong = stage.seen.wrong
    wrong["twice"] += [f"{task}: dialled {times} times" for task, times in stage.seen.dialled.items() if times > 1]
    for kind, found in (*wrong.items(), ("fault", faults)):
        for each in found[:10]:
            click.echo(f"{kind}: {each}")
    figures = report(stage, waits(stage.callers, tasks, OPEN + 60 * plan.minutes))
    counts = " ".join(f"{kind}={len(wrong[kind])}" for kind in ("lost", "twice", "order"))
    click.echo(f"callers={plan.callers} agents={plan.agents} {counts} {figures}")
    if any(wrong.values()) or faults:
        sys.exit(1)


def run(plan: Plan, database: str, folder: Path) -> tuple[Stage, list[str]]:
    """The whole time, and what the server logged as its own faults."""
    project = copy_project(folder / "project")
    config = yaml.safe_load((project / "config.yaml").read_text())
    config["targets"][TARGET]["queue"].update(full_at=1000, at_most=f"{plan.at_most:.0f}s")
    (project / "config.yaml").write_text(yaml.safe_dump(config, sort_keys=False))
    moment, log = Moment(OPEN), io.StringIO()
    with redirect_stderr(log):
        rings = Rings(random.Random(f"{plan.seed} rings"))
        app, _ = application(database, moment, project, rest=rings)
        stage = Stage(app, moment, plan)
        Callers(stage, Agents(stage, rings).left)
    bar = Progress(TextColumn("{task.description}"), BarColumn(), console=Console(stderr=True), transient=True)
    with bar:
        task = bar.add_task(f"{plan.minutes:.0f} minutes", total=1.0)
        stage.run(lambda share: bar.update(task, completed=share))
    return stage, [line[:300] for line in log.getvalue().splitlines() if '"event":"fault"' in line]


def report(stage: Stage, told: Sequence[Wait]) -> str:
    """The table, and the figures of the last line."""
    states = Counter(caller.state for caller in stage.callers)
    table = Table(title=f"{stage.plan.callers} callers, {stage.plan.agents} agents, {stage.plan.minutes:.0f} minutes")
    table.add_column("callers", justify="right")
    table.add_column("at the end")
    for state, (_, _, words) in ENDS.items():
        table.add_row(str(states[state]), words)
    Console(width=100).print(table)
    seen = stage.seen
    judged, within = share_within([(wait, (wait.low, wait.high)) for wait in told])
    heard, within_minutes = share_within([(wait, wait.heard) for wait in told])
    errors = sorted(abs(wait.seconds - (wait.low + wait.high) / 2) for wait in told if wait.met)
    half, most = percentile(errors, 0.5), percentile(errors, 0.9)
    took = sorted(1000 * seconds for seconds in stage.telephone.waits)
    click.echo(f"{seen.takes} takes, {seen.contested} of them by two agents at once")
    click.echo(f"{seen.places} places in line said, {len(seen.wrong['place'])} of them wrong")
    click.echo(
        f"{within:.0%} of {judged} waits within the seconds told, {within_minutes:.0%} of {heard} within the minutes said"
    )
    click.echo(f"the middle of the range missed {len(errors)} waits by {half:.0f} s (median), {most:.0f} s (p90)")
    click.echo(
        f"/voice/wait: {len(took)} of them, p50 {percentile(took, 0.5):.1f} ms, p99 {percentile(took, 0.99):.1f} ms"
    )
    return (
        f"within={within_minutes:.2f} error_p50={half:.0f} error_p90={most:.0f} wait_ms_p50={percentile(took, 0.5):.1f}"
    )


if __name__ == "__main__":
    main()
