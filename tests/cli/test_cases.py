"""`ivr cases`: what is open, one case with its history, and closing it."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from bench.shipped import FOLDER, OPEN
from ivr.cli import main
from ivr.config import read_config
from ivr.store.migrate import upgrade
from ivr.store.store import DatabaseStore

Ivr = Callable[..., str]


@pytest.fixture
def ivr(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Ivr:
    """`ivr("cases")`: what the command says, on a database with one case in it."""
    url = f"sqlite:///{tmp_path / 'cases.db'}"
    monkeypatch.setenv("DATABASE_URL", url)
    config, _ = read_config(FOLDER, {"DATABASE_URL": url})
    assert config is not None
    store = DatabaseStore(config, lambda: OPEN)
    upgrade(store.database)
    ada = store.users.add("ada", "Ada", "!", "agent", None, (), OPEN)
    with store.database.write() as connection:
        store.callers.add(connection, "margo", ["+15550100002"], OPEN)
        words = "The [bold] bill of March"
        store.cases.open(connection, "c1", "margo", "bill", words, "call", None, OPEN, "2026-03-02", "CA1")
        store.cases.promise(connection, "p1", "c1", "we call [red]her", "2026-03-09", OPEN + 60, ada.id)
    store.dispose()

    def run(*arguments: str) -> str:
        monkeypatch.setattr(sys, "argv", ["ivr", "--project", str(FOLDER), *arguments])
        capsys.readouterr()
        with pytest.raises(SystemExit) as left:
            main()
        said = capsys.readouterr()
        return said.err if left.value.code else said.out

    return run


def test_a_case_is_listed_shown_with_its_history_and_closed_once(ivr: Ivr) -> None:
    listed = ivr("cases")
    for word in ("c1", "2026-03-02", "bill", "margo", "we call [red]her", "2026-03-09"):
        assert word in listed
    assert ivr("cases", "show", "c1").splitlines() == [
        "c1  bill, open, opened 2026-03-02 (call), caller margo",
        "  The [bold] bill of March",
        "  promised by 2026-03-09: we call [red]her",
        "  2026-03-02 14:15 UTC  opened    call CA1  The [bold] bill of March",
        "  2026-03-02 14:16 UTC  promised  ada  we call [red]her",
    ]
    assert "is closed" in ivr("cases", "close", "c1")
    assert "was closed before" in ivr("cases", "close", "c1")
    assert "no open cases" in ivr("cases")
    assert "c1" in ivr("cases", "--all")


def test_a_case_that_is_not_there_is_said_in_one_line(ivr: Ivr) -> None:
    for command in ("show", "close"):
        assert ivr("cases", command, "c9").strip().endswith("there is no case 'c9'; 'ivr cases --all' lists them")
