"""Commands: what they say when all is well, and the one line they say when it is not. Never a traceback."""

from __future__ import annotations

import json
import socket
from pathlib import Path

from tests.cli.conftest import Run


def test_every_command_has_help(run: Run) -> None:
    from ivr.cli import COMMANDS

    listed = run("--help").stdout
    for name in COMMANDS:
        assert name in listed
    for name in ("serve", "simulate", "dial", "callers", "worker"):
        assert "Usage:" in run(name, "--help").stdout


def test_a_misspelt_command_names_the_nearest(run: Run) -> None:
    result = run("chekc")
    assert result.returncode == 2
    assert "did you mean 'check'?" in result.stderr


def test_the_shipped_line_has_no_problems(run: Run) -> None:
    result = run("check")
    assert (result.returncode, result.stdout.strip()) == (0, "no problems")


def test_check_names_every_mistake_with_its_line_in_three_formats(run: Run, project: Path) -> None:
    flow = project / "flows" / "bill.yaml"
    flow.write_text(flow.read_text().replace("lookup: billing", "lookup: biling", 1))
    prompts = project / "prompts" / "en" / "main.yaml"
    prompts.write_text(prompts.read_text().replace("line.notice", "line.notce", 1))
    text = run("check")
    assert text.returncode == 1
    assert "flows/bill.yaml:" in text.stdout and "did you mean 'billing'?" in text.stdout
    assert "prompts/en/main.yaml:" in text.stdout
    found = json.loads(run("check", "--format", "json").stdout)
    assert {problem["code"] for problem in found} >= {"unknown-source", "unknown-name"}
    assert "::error file=flows/bill.yaml,line=" in run("check", "--format", "github").stdout


def test_a_folder_without_a_project_says_what_to_do(run: Run, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    result = run("check", cwd=tmp_path / "empty")
    assert result.returncode == 1
    assert "ivr new DIR" in result.stdout
    assert "Traceback" not in result.stdout + result.stderr


def test_a_new_project_works_as_it_is_and_never_overwrites(run: Run, tmp_path: Path) -> None:
    assert run("new", str(tmp_path / "mine")).returncode == 0
    mine = tmp_path / "mine"
    assert run("check", "--strict", cwd=mine).returncode == 0
    assert "1 passed, 0 failed" in run("test", cwd=mine).stdout
    again = run("new", str(mine))
    assert again.returncode == 1
    assert "is not empty" in again.stderr


def test_a_recorded_conversation_is_a_dialogue_test_that_passes(run: Run, project: Path) -> None:
    mine = "flows/tests/mine.yaml"
    talk = run(
        "simulate", "--as", "margo", "--at", "2026-03-02 09:15", "--record", mine, keys="2\n/verify\nno thank you\n"
    )
    assert "$82.40" in talk.stdout
    assert (project / mine).exists()
    played = run("test", mine)
    assert "1 passed, 0 failed" in played.stdout, played.stdout


def test_a_simulated_call_can_be_explained_and_taken_back(run: Run) -> None:
    talk = run("simulate", "--as", "margo", "--at", "2026-03-02 09:15", keys="2\n/undo\n/why\n/nonsense\n/hangup\n")
    assert "taken back" in talk.stdout
    assert "because: nothing special" in talk.stdout
    assert "/help lists what is" in talk.stdout


def test_a_failing_lookup_takes_the_flows_own_branch(run: Run) -> None:
    talk = run(
        "simulate",
        "--as",
        "margo",
        "--at",
        "2026-03-02 09:15",
        keys="/lookup billing fail\n2\n/verify\n/agent accepts\n",
    )
    assert "(to care_team)" in talk.stdout


def test_serve_refuses_with_one_line_that_says_what_to_do(run: Run) -> None:
    no_token = run("serve")
    assert no_token.returncode == 1 and "TWILIO_AUTH_TOKEN is not set" in no_token.stderr
    no_key = run("serve", TWILIO_AUTH_TOKEN="t")
    assert "IVR_SECRET_KEY is not set" in no_key.stderr
    with socket.socket() as taken:
        taken.bind(("0.0.0.0", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        in_use = run("serve", "--port", port, TWILIO_AUTH_TOKEN="t", IVR_SECRET_KEY="k")
    assert f"port {port}" in in_use.stderr and "--port" in in_use.stderr
    unmigrated = run("serve", "--port", port, TWILIO_AUTH_TOKEN="t", IVR_SECRET_KEY="k")
    assert "run 'ivr db upgrade'" in unmigrated.stderr
    for result in (no_token, no_key, in_use, unmigrated):
        assert len(result.stderr.strip().splitlines()) == 1
        assert "Traceback" not in result.stderr


def test_a_database_that_cannot_be_reached_is_one_line(run: Run) -> None:
    gone = run("calls", DATABASE_URL="postgresql://nobody:secret@127.0.0.1:1/none")
    assert gone.returncode == 1
    assert "cannot be reached" in gone.stderr
    assert "secret" not in gone.stderr and "Traceback" not in gone.stderr


def test_people_are_imported_all_or_none_and_every_faulty_row_is_named(run: Run, project: Path) -> None:
    run("db", "upgrade")
    file = project / "people.csv"
    file.write_text(
        "number,first_name,date_of_birth,shoe_size\n"
        "+15550100031,Ada,1985-12-10,\n"
        "not a number,Bob,,\n"
        "+15550100032,Cleo,31.12.1990,\n"
        "+15550100033,Dan,,44\n"
        "+15550100031,Eve,,\n"
    )
    result = run("callers", "import", "people.csv")
    assert result.returncode == 1
    for line in ("people.csv:3:", "people.csv:4:", "people.csv:5:", "people.csv:6:", "nothing was imported"):
        assert line in result.stderr
    assert "nobody with the number" in run("callers", "show", "+15550100031").stderr
    file.write_text("number,first_name\n+15550100031;+15550100034,Ada\n")
    assert "1 people imported" in run("callers", "import", "people.csv").stdout
    assert "first_name: Ada" in run("callers", "show", "+15550100034").stdout
    exported = json.loads(run("callers", "export", "+15550100031").stdout)
    assert exported[0]["facts"]["first_name"]["value"] == "Ada"
    assert "forgotten" in run("callers", "forget", "+15550100031", "--yes").stdout
    assert "nobody with the number" in run("callers", "show", "+15550100031").stderr


def test_flows_with_errors_are_not_published(run: Run, project: Path) -> None:
    run("db", "upgrade")
    assert "published" in run("publish").stdout
    assert "nothing changed" in run("publish").stdout
    flow = project / "flows" / "main.yaml"
    flow.write_text(flow.read_text().replace("handoff: care_team", "handoff: care_taem", 1))
    refused = run("publish")
    assert refused.returncode == 1
    assert "did you mean 'care_team'?" in refused.stderr


def test_a_notice_is_set_and_taken_back(run: Run) -> None:
    run("db", "upgrade")
    run("publish")
    assert "within a second" in run("line", "notice", "northlight", "We are fixing it.").stdout
    assert "before: 'We are fixing it.'" in run("line", "notice", "northlight").stdout
    assert "did you mean 'northlight'?" in run("line", "notice", "nortlight", "x").stderr


def test_the_worker_does_what_is_due_and_stops(run: Run) -> None:
    run("db", "upgrade")
    assert "0 thing(s) done" in run("worker", "--once").stdout


def test_a_line_is_closed_in_an_emergency_and_opened_again(run: Run) -> None:
    run("db", "upgrade")
    run("publish")
    assert "is closed for new calls" in run("line", "close", "northlight", "--because", "storm").stdout
    assert "it was closed because: storm" in run("line", "open", "northlight").stdout
    assert "was not closed" in run("line", "open", "northlight").stdout
