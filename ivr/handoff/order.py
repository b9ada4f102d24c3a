"""Who is served next: by when they came, priority as seconds ahead, and for a moment kept for the agent who knows them."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import NamedTuple


class Waiting(NamedTuple):
    """A task that nobody has yet. `entered`, `due`: UTC seconds; `ahead`: seconds; `kind`: call, callback or voicemail;
    `last_agent`: who had this caller's last task."""

    id: str
    entered: float
    ahead: float
    kind: str
    due: float
    last_agent: str | None = None


def key(task: Waiting) -> tuple[float, str]:
    """The order of service: as if they had come `ahead` seconds earlier. Nobody is overtaken by more than that."""
    return task.entered - task.ahead, task.id


def ready(task: Waiting, now: float) -> bool:
    """Whether a person is to be served now: callers who wait, and callbacks that are due. Messages wait for nobody."""
    return task.kind == "call" or (task.kind == "callback" and task.due <= now)


def position(task_id: str, tasks: Iterable[Waiting], now: float) -> int | None:
    """Place in line, 1: next; None for a task that is not among `tasks`. A callback that is not due yet is before nobody."""
    everybody = list(tasks)
    mine = next((task for task in everybody if task.id == task_id), None)
    if mine is None:
        return None
    return 1 + sum(1 for task in everybody if ready(task, now) and key(task) < key(mine))


def next_for(agent: str, tasks: Iterable[Waiting], free_agents: Collection[str], now: float, kept: float) -> str | None:
    """The task that `agent` should take; None where there is none for them.

    For `kept` seconds after they came, a caller is left to their last agent where that one is free, and their last agent
    takes them as if they had come `kept` seconds earlier: the agent who knows them first, at nobody's great expense.
    """

    def order(task: Waiting) -> tuple[float, str]:
        entered, id_ = key(task)
        return entered - (kept if task.last_agent == agent and now - task.entered < kept else 0.0), id_

    def others(task: Waiting) -> bool:
        last = task.last_agent
        return last is not None and last != agent and last in free_agents and now - task.entered < kept

    mine = [task for task in tasks if ready(task, now) and not others(task)]
    return min(mine, key=order).id if mine else None
