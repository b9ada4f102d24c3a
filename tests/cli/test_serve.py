"""The real server, two workers: flows are edited, saved broken, mended and published while calls are in progress."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ivr.simulate.wire import Call, HttpWire
from tests.cli.conftest import Run
from tests.cli.test_readme import KEY, TOKEN, free_port, start, wait_until_ready

LINE = "+15550001111"
OPEN_ALL_DAY = '"00:00-24:00"'


@pytest.fixture
def server(project: Path, run: Run) -> Iterator[str]:
    """The address of `ivr serve` with two workers, on a line that never closes."""
    line = project / "flows" / "lines" / "northlight.yaml"
    text = line.read_text()
    text = text.replace('open: {mon-fri: "08:00-20:00", sat: "09:00-13:00"}', f"open: {{mon-sun: {OPEN_ALL_DAY}}}")
    line.write_text(text.replace("  holidays: US-MI\n", ""))
    run("db", "upgrade")
    port = free_port()
    process = start(project, ["serve", "--port", str(port), "--host", "127.0.0.1", "--workers", "2"])
    try:
        wait_until_ready(process, port)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(20)


def begin(address: str, number: int) -> Call:
    """A caller with a hidden number, who is asked for the language first."""
    call = Call(HttpWire(), address, TOKEN, "anonymous", LINE, f"CA{number:032x}")
    call.dial()
    return call


def finish(call: Call) -> str:
    """English, then the question that follows: which words ask it."""
    heard = call.press("1")
    call.hang_up()
    return " ".join(said.text for said in heard)


def test_each_call_ends_on_the_version_it_began_with(server: str, project: Path, run: Run) -> None:
    environment = {"TWILIO_AUTH_TOKEN": TOKEN, "IVR_SECRET_KEY": KEY}
    words = project / "prompts" / "en" / "main.yaml"
    old = words.read_text()
    early = [begin(server, number) for number in range(6)]

    words.write_text(old.replace("text: What can I do for you?\n", "text: How can I help?\n"))
    assert run("publish", **environment).returncode == 0
    wait_for_the_new_words(server)
    between = [begin(server, number) for number in range(100, 106)]

    words.write_text(old.replace("text: What can I do for you?\n", "text: {{ nobody.knows }\n"))
    assert run("publish", **environment).returncode == 1
    after_broken = [begin(server, number) for number in range(200, 206)]

    words.write_text(old.replace("text: What can I do for you?\n", "text: Tell me.\n"))
    assert run("publish", **environment).returncode == 0

    assert all("What can I do for you?" in finish(call) for call in early)
    assert all("How can I help?" in finish(call) for call in between)
    assert all("How can I help?" in finish(call) for call in after_broken)


def wait_for_the_new_words(server: str) -> None:
    """Both workers read what is published within a second; calls are made until none hears the old words any more."""
    fresh = 0
    for number in range(1000, 4000):
        fresh = fresh + 1 if "How can I help?" in finish(begin(server, number)) else 0
        if fresh >= 80:
            return
    pytest.fail("new calls still hear the old words")
