"""Every command in the README works, in the order in which it stands there. `make run` and `make test` are CI's own."""

from __future__ import annotations

import re
import shlex
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from tests.cli.conftest import ROOT, Run

README = (ROOT / "README.md").read_text()
BY_CI = ("make run", "make test")
KEYS = {
    "--as margo": "2\n/verify\nno\n",
    "--as jerome": "I need help\n/agent accepts\n",
    "anonymous": "1\n/hangup\n",
    "+15550100007": "1\n5551234567\n1\n",
}
TOKEN, KEY = "readme-token", "readme-key"


def commands() -> list[str]:
    """Every line of every `sh` block."""
    return [
        line.strip()
        for block in re.findall(r"```sh\n(.*?)```", README, re.S)
        for line in block.splitlines()
        if line.strip()
    ]


def free_port() -> int:
    """A port that nobody uses."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_the_readmes_commands_work(run: Run, project: Path) -> None:
    port, server = free_port(), None
    try:
        for line in commands():
            if line in BY_CI or line.startswith(("export ", ".venv/bin/python -m bench")):
                continue
            words = shlex.split(
                line.replace("localhost:8080", f"127.0.0.1:{port}").replace("--port 8080", f"--port {port}")
            )
            arguments = (
                [word for word in words[1:] if word not in ("&&", "cd", "first")]
                if "new" not in words
                else ["new", "first"]
            )
            where = project / "first" if words[0].startswith("..") else project
            if "serve" in words:
                server = start(project, arguments)
                wait_until_ready(server, port)
                continue
            if "worker" in words:
                arguments.append("--once")
            keys = next((typed for clue, typed in KEYS.items() if clue in line), "")
            result = run(*arguments, cwd=where, keys=keys or "/hangup\n", TWILIO_AUTH_TOKEN=TOKEN, IVR_SECRET_KEY=KEY)
            assert result.returncode == 0, f"{line}\n{result.stdout}\n{result.stderr}"
            if "new" in words:
                first_flow(project / "first")
            if "callers" in words and "import" in words:
                sample_callers(project)
    finally:
        if server is not None:
            server.terminate()
            server.wait(20)


def sample_callers(project: Path) -> None:
    """The README's later commands speak of the sample callers that `make run` loads."""
    from ivr.cli.common import load_world
    from ivr.cli.demo import load_samples

    world = load_world(project)
    load_samples(project, world.config, world)


def first_flow(folder: Path) -> None:
    """The ten lines of the README, put where it says."""
    flow, words = re.findall(r"```yaml\n(.*?)```", README, re.S)[:2]
    (folder / "flows" / "main.yaml").write_text(flow)
    (folder / "prompts" / "en" / "main.yaml").write_text(words)
    (folder / "flows" / "tests" / "hours.yaml").unlink()


def start(project: Path, arguments: list[str]) -> subprocess.Popen[bytes]:
    """The server, as the README starts it."""
    import os

    environment = {**os.environ, "TWILIO_AUTH_TOKEN": TOKEN, "IVR_SECRET_KEY": KEY}
    environment.pop("DATABASE_URL", None)
    command = [sys.executable, "-c", "from ivr.cli import main; main()", *arguments]
    return subprocess.Popen(command, cwd=project, env=environment, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)


def wait_until_ready(server: subprocess.Popen[bytes], port: int) -> None:
    """Asks /readyz until it answers; the operating system is what is waited for, not a length of time."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        if server.poll() is not None:
            pytest.fail(f"the server stopped with {server.returncode}")
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=1) as answer:
                if answer.status == 200:
                    return
        except OSError:
            continue
    pytest.fail("the server was not ready in 30 seconds")


def test_the_first_flow_is_as_short_as_the_readme_says() -> None:
    flow = re.findall(r"```yaml\n(.*?)```", README, re.S)[0]
    assert len(flow.strip().splitlines()) <= 10
