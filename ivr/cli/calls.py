"""`ivr calls`: recent calls, or one call's trace with reasons."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from ivr import clock
from ivr.cli.common import load_config, open_store, out
from ivr.errors import UsageError
from ivr.phone import masked
from ivr.simulate.transcript import seconds_heard, trace


@click.command("calls")
@click.argument("sid", required=False)
@click.option("--last", default=20, help="How many calls to list.")
@click.pass_obj
def command(folder: Path, sid: str | None, last: int) -> None:
    """Recent calls; with SID, everything that happened in that call and why."""
    store = open_store(load_config(folder))
    if sid is None:
        _list(store.calls.recent(last))
        return
    events = store.calls.events_of(sid)
    if not events:
        raise UsageError(f"there is no call {sid}; 'ivr calls' lists the newest")
    began = events[0].at
    out.print(f"{sid}  {clock.iso(began)}  about {seconds_heard(events):.0f} s of speech (an estimate)", markup=False)
    for at, step, kind, words in trace(events):
        out.print(f"{at - began:7.1f} s  {step:28} {kind:14} {words}", markup=False)


def _list(found: Sequence[Mapping[str, Any]]) -> None:
    if not found:
        out.print("no calls yet; 'ivr dial' makes one, and 'ivr simulate' needs no server")
    for row in found:
        outcome = f"{row['outcome']}{', unfinished' if row['unfinished'] else ''}" if row["outcome"] else "in progress"
        seconds = f"{row['ended'] - row['started']:.0f} s" if row["ended"] else ""
        group = ", control group" if row["control"] else ""
        because = f"{row['because']}{group}"
        number = masked(row["number"] or "withheld")
        line = f"{clock.iso(row['started'])}  {row['sid']}  {number:9}  {seconds:>6}  {outcome}  ({because})"
        out.print(line, markup=False)
