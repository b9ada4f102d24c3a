"""`ivr worker`: does what calls asked for, closes silent calls, counts what people call about, deletes what is over."""

from __future__ import annotations

import signal
import threading
from pathlib import Path

import click

from ivr import clock
from ivr.cli.common import load_config, open_store, out
from ivr.web.log import configure
from ivr.worker import Worker

IDLE_SECONDS = 1.0


@click.command("worker")
@click.option("--once", is_flag=True, help="Do what is due now, then stop.")
@click.pass_obj
def command(folder: Path, once: bool) -> None:
    """Do what calls asked for (the outbox), close calls that fell silent, and keep what must be kept. Run one or several."""
    config = load_config(folder)
    worker = Worker(config, open_store(config), clock.now, configure())
    if once:
        done = worker.outbox() + worker.sweep()
        worker.upkeep()
        out.print(f"{done} thing(s) done")
        return
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    out.print("working; ctrl-c stops after the present job")
    while not stop.is_set():
        if worker.turn() == 0:
            stop.wait(IDLE_SECONDS)
