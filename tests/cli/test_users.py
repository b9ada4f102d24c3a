"""`ivr users` and `ivr tokens`: what they say when all is well, and the one line they say when it is not."""

from __future__ import annotations

import io
import re
import sys
from collections.abc import Callable
from typing import NamedTuple

import pytest

from ivr.cli import main
from ivr.store.passwords import matches
from ivr.store.store import DatabaseStore
from tests.cli.conftest import ROOT
from tests.conftest import MakeHouse


class Said(NamedTuple):
    """How a command ended, and what it said."""

    code: int
    out: str
    err: str


Run = Callable[..., Said]


@pytest.fixture
def store(sqlite_url: str, make_house: MakeHouse) -> DatabaseStore:
    """The database that the commands work on."""
    return make_house(sqlite_url).store


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], sqlite_url: str) -> Run:
    """`run("users", "list")`: the `ivr` command in this process."""
    monkeypatch.chdir(ROOT)
    monkeypatch.setenv("DATABASE_URL", sqlite_url)
    monkeypatch.setenv("COLUMNS", "200")

    def go(*arguments: str, keys: str = "") -> Said:
        monkeypatch.setattr(sys, "argv", ["ivr", *arguments])
        monkeypatch.setattr(sys, "stdin", io.StringIO(keys))
        with pytest.raises(SystemExit) as ended:
            main()
        return Said(int(ended.value.code or 0), *capsys.readouterr())

    return go


def refused(run: Run, *arguments: str, keys: str = "") -> str:
    """The one line with which this is refused."""
    said = run(*arguments, keys=keys)
    assert said.code == 1 and len(said.err.strip().splitlines()) == 1, said
    return said.err


def test_an_account_is_made_listed_shut_and_opened(run: Run, store: DatabaseStore) -> None:
    made = run("users", "add", "Ada", "--name", "Ada [L]", "--phone", "client:ada", "--target", "care_team")
    shown = re.search(r"password, shown only now: (\S{16})\n", made.out)
    assert made.code == 0 and shown, made.err
    ada = store.users.by_login("ada")
    assert ada is not None and (ada.role, ada.targets, ada.phone) == ("agent", ("care_team",), "client:ada")
    assert matches(store.users.password_hash("ada"), shown[1])
    listed = run("users", "list").out
    assert re.search(r"ada +Ada \[L\] +agent +client:ada +care_team +away", listed)

    store.sessions.open(ada.id, "digest", ada.at, "")
    assert "'ivr users enable ada' takes it back" in run("users", "disable", "ada").out
    assert store.sessions.of(ada.id, ada.at) == [] and "disabled" in run("users", "list").out
    assert "may sign in again" in run("users", "enable", "ada").out

    store.sessions.open(ada.id, "digest", ada.at, "")
    run("users", "password", "ada", "--password-stdin", keys="correct horse battery\n")
    assert matches(store.users.password_hash("ada"), "correct horse battery")
    assert store.sessions.of(ada.id, ada.at) == []
    assert [each.detail for each in store.audit.recent(9)] == ["password", "enable", "disable", "added"]


def test_what_is_wrong_with_an_account_is_one_line_that_says_what_to_do(run: Run, store: DatabaseStore) -> None:
    assert "'ivr users add LOGIN' makes one" in run("users", "list").out
    assert "did you mean 'care_team'?" in refused(run, "users", "add", "ada", "--target", "care_taem")
    assert "write +15551234567, sip:" in refused(run, "users", "add", "ada", "--phone", "soon")
    assert "10 to 200 characters" in refused(run, "users", "add", "ada", "--password-stdin", keys="short\n")
    assert "no spaces" in refused(run, "users", "add", "a da")
    assert store.users.every() == []
    run("users", "add", "ada", "--role", "admin")
    assert "choose another login" in refused(run, "users", "add", "ADA")
    assert "did you mean 'ada'?" in refused(run, "users", "disable", "adda")


def test_a_token_is_made_listed_and_revoked(run: Run, store: DatabaseStore) -> None:
    assert "'ivr tokens add NAME' makes one" in run("tokens", "list").out
    token = run("tokens", "add", "crm").out.strip()
    listed = run("tokens", "list").out
    assert "crm" in listed and token not in listed
    assert "did you mean 'crm'?" in refused(run, "tokens", "revoke", "crn")
    assert "opens nothing any more" in run("tokens", "revoke", "crm").out
    assert "there are none yet" in refused(run, "tokens", "revoke", "crm")
