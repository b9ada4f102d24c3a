"""`ivr serve`: gunicorn (waitress on Windows) with the application, and the flows of this folder published."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import click

from ivr import clock
from ivr.cli.common import err, out
from ivr.config import Config, read_config
from ivr.errors import ProblemsFound, UsageError
from ivr.problems import errors
from ivr.project import read_project
from ivr.simulate.agent import PretendedRest
from ivr.store.migrate import require_current
from ivr.store.store import DatabaseStore

GRACEFUL_SECONDS = 14

Only = Literal["voice", "console"] | None


@click.command("serve")
@click.option("--host", help="Address to listen on.")
@click.option("--port", type=int, help="Port to listen on.")
@click.option("--workers", type=int, help="Processes.")
@click.option("--only", type=click.Choice(["voice", "console"]), help="Only the webhooks, or only the pages.")
@click.option(
    "--insecure", is_flag=True, help="Accept unsigned webhooks. For trying things out on your own machine only."
)
@click.pass_obj
def command(folder: Path, host: str | None, port: int | None, workers: int | None, only: Only, insecure: bool) -> None:
    """Answer Twilio's webhooks, and show the pages that people work in."""
    serve(folder, host, port, workers, only, insecure=insecure)


def serve(
    folder: Path,
    host: str | None = None,
    port: int | None = None,
    workers: int | None = None,
    only: Only = None,
    *,
    insecure: bool = False,
    pretend: bool = False,
) -> None:
    """Publishes and serves until stopped. Raises UsageError with one line that says what to do.

    `pretend`: agents' phones are played here, so that the desk can be tried without an account at Twilio.
    """
    config = _config(folder)
    _must_be_safe(config, insecure)
    host = host or config.file.server.host
    port = port or config.file.server.port
    _must_be_free(host, port)
    store = DatabaseStore(config, clock.now)
    require_current(store.database)
    publish_or_keep(folder, store)
    store.dispose()
    if insecure:
        err.print("[bold red]INSECURE: webhooks are not checked for their signature. Never do this on the internet.[/]")
    out.print(f"serving on http://{host}:{port}  (database: {_shown(config.database)})", markup=False)

    def make() -> Any:
        from ivr.web.app import create_app

        parts: dict[str, Any] = {"rest": PretendedRest(config, clock.now)} if pretend else {}
        return create_app(config, insecure=insecure, only=only, **parts)

    _run(config, host, port, workers or config.file.server.workers, make)


def _config(folder: Path) -> Config:
    config, problems = read_config(folder, os.environ)
    if config is None:
        raise ProblemsFound(errors(problems))
    return config


def _must_be_safe(config: Config, insecure: bool) -> None:
    if insecure:
        return
    if not config.tokens:
        raise UsageError(
            "TWILIO_AUTH_TOKEN is not set; set it to your account's auth token (or try things out with --insecure)"
        )
    if not config.secret_key:
        raise UsageError(
            "IVR_SECRET_KEY is not set; set it to a long random text, for example from 'openssl rand -hex 32'"
        )


def _must_be_free(host: str, port: int) -> None:
    """A port in use is one clear line now, rather than a server that tries again for minutes."""
    with contextlib.closing(
        socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM)
    ) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise UsageError(
                f"port {port} on {host} cannot be used ({error.strerror}); choose another with --port"
            ) from None


def publish_or_keep(folder: Path, store: DatabaseStore) -> None:
    """Publishes the flows in `folder`; broken ones leave what was published last, loudly. Raises ProblemsFound if nothing was."""
    project = read_project(folder, os.environ)
    if project.bundle is not None:
        store.bundles.publish(project.bundle, clock.now())
        return
    wrong = errors(project.problems)
    if store.bundles.published_id() is None:
        raise ProblemsFound(wrong)
    for problem in wrong:
        err.print(str(problem), markup=False)
    err.print(
        f"[bold red]The flows in this folder have {len(wrong)} error(s): SERVING THE LAST PUBLISHED VERSION instead.[/]"
    )


def _shown(url: str) -> str:
    """A database URL without its password."""
    head, at, tail = url.rpartition("@")
    return f"{head.split('://')[0]}://…@{tail}" if at else url


def _run(config: Config, host: str, port: int, workers: int, make: Callable[[], Any]) -> None:
    if sys.platform == "win32":
        import waitress

        waitress.serve(make(), host=host, port=port, threads=config.file.server.threads)
        return
    metrics = tempfile.mkdtemp(prefix="ivr-metrics-")
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = metrics
    try:
        _gunicorn(config, host, port, workers, make)
    finally:
        shutil.rmtree(metrics, ignore_errors=True)


def _gunicorn(config: Config, host: str, port: int, workers: int, make: Callable[[], Any]) -> None:
    from gunicorn.app.base import BaseApplication

    class Server(BaseApplication):  # type: ignore[misc]  # gunicorn has no annotations
        def load_config(self) -> None:
            options: dict[str, Any] = {
                "bind": f"{host}:{port}",
                "workers": workers,
                "worker_class": "gthread",
                "threads": config.file.server.threads,
                "timeout": 30,
                "graceful_timeout": GRACEFUL_SECONDS,
                "keepalive": 75,
                "loglevel": "warning",
                "control_socket_disable": True,
                "post_worker_init": _end_streams_with,
                "child_exit": _child_exit,
            }
            for name, value in options.items():
                if name in self.cfg.settings:
                    self.cfg.set(name, value)

        def load(self) -> Any:
            return make()

    Server().run()


def _end_streams_with(worker: Any) -> None:
    """A page's stream would keep a worker that is to stop from stopping."""
    live = worker.wsgi.extensions.get("live")
    if live is not None:
        live.stopping = lambda: not worker.alive


def _child_exit(server: Any, worker: Any) -> None:
    from prometheus_client import multiprocess

    multiprocess.mark_process_dead(worker.pid)  # type: ignore[no-untyped-call]  # the library has no annotations
