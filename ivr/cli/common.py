"""What commands share: the project, its store, and where they say things."""

from __future__ import annotations

import os
from pathlib import Path

from rich.console import Console

from ivr import clock
from ivr.config import Config, read_config
from ivr.errors import ProblemsFound
from ivr.flow.bundle import Bundle
from ivr.problems import errors
from ivr.project import Project, read_project
from ivr.simulate.people import read_personas
from ivr.simulate.world import World
from ivr.store.migrate import require_current
from ivr.store.store import DatabaseStore

out = Console(highlight=False, soft_wrap=True)
err = Console(stderr=True, highlight=False, soft_wrap=True)


def load_config(folder: Path) -> Config:
    """config.yaml with the environment over it; raises ProblemsFound."""
    config, problems = read_config(folder, os.environ)
    if config is None or errors(problems):
        raise ProblemsFound(tuple(problems))
    return config


def load_project(folder: Path) -> tuple[Project, Config, Bundle]:
    """The project, fit to be used; raises ProblemsFound with the errors only."""
    project = read_project(folder, os.environ)
    if project.config is None or project.bundle is None:
        raise ProblemsFound(errors(project.problems))
    return project, project.config, project.bundle


def load_world(folder: Path) -> World:
    """Everything a simulated call needs."""
    _, config, bundle = load_project(folder)
    return World(config, bundle, read_personas(folder, config.file))


def open_store(config: Config) -> DatabaseStore:
    """The database, migrated and reachable; raises UsageError that says what to do."""
    store = DatabaseStore(config, clock.now)
    require_current(store.database)
    return store
