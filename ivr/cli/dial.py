"""`ivr dial`: play Twilio against a running server, over real HTTP, with real signatures."""

from __future__ import annotations

import os
import secrets
import sys
from collections.abc import Iterator
from pathlib import Path

import click

from ivr.cli.common import out
from ivr.errors import UsageError
from ivr.simulate.wire import Call, Heard, HttpWire


@click.command("dial")
@click.argument("url")
@click.option("--from", "from_", required=True, help="The caller's number, as Twilio would send it.")
@click.option("--to", required=True, help="The line's number.")
@click.option("--token", help="Auth token to sign with; TWILIO_AUTH_TOKEN unless given.")
@click.option("--connect-to", help="Connect here instead, and sign for URL: when URL is the public address.")
@click.option("--script", type=click.Path(exists=True, path_type=Path), help="A file with one act a line.")
@click.option("--duplicate", is_flag=True, help="Send every webhook twice, as a retry would.")
@click.option("--late", is_flag=True, help="After each answer send the webhook before it once more.")
def command(
    url: str,
    from_: str,
    to: str,
    token: str | None,
    connect_to: str | None,
    script: Path | None,
    duplicate: bool,
    late: bool,
) -> None:
    """Call a running server at URL (such as http://localhost:8080). Type keys, words, nothing for silence, /hangup."""
    token = token or os.environ.get("TWILIO_AUTH_TOKEN", "").split(",")[0].strip()
    if not token:
        raise UsageError(
            "there is no token to sign with; set TWILIO_AUTH_TOKEN or give --token (a server with --insecure takes any)"
        )
    call = Call(HttpWire(connect_to=connect_to), url.rstrip("/"), token, from_, to, "CA" + secrets.token_hex(16))
    out.print(f"[dim]{call.call_sid}[/]")
    _show(call.dial())
    for line in _acts(script):
        if call.ended:
            break
        _show(_act(call, line))
        if duplicate:
            _again(call, call.resend(), "the same again")
        if late and len(call.requests) > 1:
            _again(call, call.late(len(call.requests) - 2), "late")
    if not call.ended:
        call.hang_up()
    out.print("[dim](the call is over)[/]")


def _acts(script: Path | None) -> Iterator[str]:
    if script is not None:
        yield from (line.strip() for line in script.read_text("utf-8").splitlines() if not line.startswith("//"))
        return
    while True:
        try:
            yield (input("> ") if sys.stdin.isatty() else sys.stdin.readline() or _over()).strip()
        except EOFError:
            return


def _over() -> str:
    raise EOFError


def _act(call: Call, line: str) -> list[Heard]:
    word, _, rest = line.partition(" ")
    if word == "/hangup":
        call.hang_up()
        return []
    if word == "/wait":
        return call.keep_waiting()
    if word == "/agent" and call.waiting == "Enqueue":
        return call.queue_result("bridged" if rest == "accepts" else "leave")
    if word == "/agent":
        if rest == "accepts":
            call.agent_accepts()
        elif rest == "declines":
            call.agent_declines()
        return call.dial_result({"busy": "busy", "no_answer": "no-answer"}.get(rest, "completed"))
    if word == "/record":
        return call.record(int(rest) if rest.isdigit() else 7)
    if word.startswith("/"):
        raise UsageError(
            f"'{word}' is not known; write keys, words, nothing, /agent accepts, /wait, /record 7 or /hangup"
        )
    if not line:
        return call.silence()
    if all(character in "0123456789*#" for character in line):
        return call.press(line)
    return call.say(line)


def _show(heard: list[Heard]) -> None:
    for said in heard:
        out.print(f"  {said.text}" if said.kind == "say" else f"  ({said.kind} {said.text})", markup=False)


def _again(call: Call, heard: list[Heard], why: str) -> None:
    same = len(call.twiml) > 1 and call.twiml[-1] in call.twiml[:-1]
    out.print(
        f"[dim]({why}: {'the same answer' if same else 'another answer: ' + ' '.join(said.text for said in heard)})[/]"
    )
