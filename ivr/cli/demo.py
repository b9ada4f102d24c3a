"""`ivr demo`: what `make run` does. Migrates an embedded database, loads sample callers, plays one call, serves."""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import Any

import click
from rich.markup import escape

from ivr import clock
from ivr.cli.common import load_world, out
from ivr.cli.serve import _must_be_free, publish_or_keep, serve
from ivr.config import Config
from ivr.personal.known import line_values
from ivr.simulate.dialogue import seconds_to_answer
from ivr.simulate.line import Caller
from ivr.simulate.people import find, to_store
from ivr.simulate.transcript import CALLER, LINE, conversation
from ivr.simulate.world import World, engine_caller, moment_of
from ivr.store.migrate import upgrade
from ivr.store.passwords import hash_password, new_password
from ivr.store.store import DatabaseStore

PERSONA = "margo"
REASON = "bill"
AT = "2026-03-02 09:15"


@click.command("demo")
@click.option("--port", type=int, help="Port to serve on.")
@click.option("--no-serve", is_flag=True, help="Stop after the call in the terminal.")
@click.pass_obj
def command(folder: Path, port: int | None, no_serve: bool) -> None:
    """Try it: sample callers, one call in the terminal, a local server, and what to type next."""
    world = load_world(folder)
    config = world.config
    port = port or config.file.server.port
    if not no_serve:
        _must_be_free(config.file.server.host, port)
    load_samples(folder, config, world)
    play_both(world)
    if no_serve:
        return
    token = config.tokens[0] if config.tokens else "local-" + secrets.token_hex(8)
    os.environ.setdefault("TWILIO_AUTH_TOKEN", token)
    os.environ.setdefault("IVR_SECRET_KEY", secrets.token_hex(16))
    os.environ.setdefault("IVR_PUBLIC_URL", f"http://localhost:{port}")
    _next(world, port, token, sample_agent(config))
    serve(folder, port=port, pretend=config.account_sid is None)


def load_samples(folder: Path, config: Config, world: World) -> None:
    """The personas as callers in the database."""
    at = clock.now()
    store = DatabaseStore(config, clock.now)
    upgrade(store.database)
    publish_or_keep(folder, store)
    for person in to_store(world.personas, at):
        store.put_person(person, "sample", at)
    store.dispose()


AGENT = "agent"


def sample_agent(config: Config) -> str:
    """An account for the desk, and its password, which is new each time."""
    store = DatabaseStore(config, clock.now)
    password = new_password()
    known = store.users.by_login(AGENT)
    if known is None:
        known = store.users.add(AGENT, "Ana", hash_password(password), "admin", "+15550002222", (), clock.now())
    else:
        store.users.set_password(known.id, hash_password(password))
    store.users.set_presence(known.id, "available", clock.now())
    store.dispose()
    return password


def play_both(world: World) -> None:
    """Margo's call, and the same errand on the static menu, side by side in seconds."""
    line = next(iter(world.bundle.lines.values()))
    persona = find(world.personas, PERSONA)
    at = moment_of(world.bundle, line.numbers[0], AT, clock.now())
    out.rule(f"{persona.name.capitalize()} calls: {persona.file.about}", style="dim")
    personal = _bill(world, persona, line.numbers[0], at, control=False)
    out.rule("The same errand on the static menu", style="dim")
    static = _bill(world, persona, line.numbers[0], at, control=True)
    out.rule(style="dim")
    if personal and static:
        words = f"[bold]Seconds to her answer: {personal:.0f} personal, {static:.0f} static[/]"
        out.print(f"{words} (estimated from the words spoken and her reactions)")


def _bill(world: World, persona: Any, to: str, at: float, *, control: bool) -> float | None:
    caller, _ = engine_caller(world, persona, persona.number, to, at, control=control)
    _show(caller.dial())
    for _ in range(6):
        key = _key_for(world, caller)
        if key is None:
            break
        _show(caller.press(key))
    _show(caller.verify())
    seconds = seconds_to_answer(caller.line.events())
    if not caller.over:
        _show(caller.hang_up())
    out.print(f"[dim]{seconds:.0f} s to the answer[/]" if seconds is not None else "[dim]no answer[/]")
    return seconds


def _key_for(world: World, caller: Caller) -> str | None:
    """The key that leads to the bill from the menu that is open, through submenus where there are some."""
    session = caller.line.session()
    if session is None or session.wait.kind != "gather" or not session.stack:
        return None
    flow, step = session.stack[-1]["flow"], session.stack[-1]["step"]
    options = getattr(world.bundle.step((flow, step)), "options", {})
    wanted = [name for name in options if name == REASON or options[name].reason == REASON] or [
        name for name in options if REASON in name or "money" in name
    ]
    return options[wanted[0]].all_keys[0] if wanted else None


def _show(events: list[Any]) -> None:
    for who, words in conversation(events):
        style = {LINE: "  {}", CALLER: "[cyan]      {}[/]"}.get(who, "[dim]  ({})[/]")
        out.print(style.format(escape(words)))


def _next(world: World, port: int, token: str, password: str) -> None:
    line = next(iter(world.bundle.lines.values()))
    out.print("\nNow try, in another terminal:")
    out.print(
        "  .venv/bin/ivr simulate --as jerome           talk to the line yourself; also: margo, alicia, stranger",
        markup=False,
    )
    out.print(
        f"  .venv/bin/ivr dial http://localhost:{port} --token {token} --from +15550100003 --to {line.numbers[0]}",
        markup=False,
    )
    desk = f"  http://localhost:{port}/desk"
    out.print(f"{desk:<47}where agents work: {AGENT} / {password}", markup=False)
    out.print(f"{'':<47}dial as above and press 0, then take the caller with t", markup=False)
    if not line_values(world.bundle, line, clock.now())["open"]:
        shut = "the line is closed at this hour: callers may leave a message, which comes to the desk too"
        out.print(f"{'':<47}({shut})", markup=False)
    out.print("  .venv/bin/ivr calls                          what happened, and why", markup=False)
    out.print("  .venv/bin/ivr test                           the dialogues that must keep working", markup=False)
    out.print("Edit flows/ and prompts/, then: .venv/bin/ivr check && .venv/bin/ivr publish\n", markup=False)
