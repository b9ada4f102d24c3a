"""Accounts, sessions, failed sign-ins and the audit log, on each kind of database."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivr.errors import UsageError
from ivr.store.audit import note_in
from ivr.store.passwords import check_password, hash_password, is_outdated, matches, new_password
from ivr.store.sessions import IDLE, LONGEST, PER_ADDRESS, PER_LOGIN, WINDOW
from ivr.store.users import ROLES, User, login_of, phone_of, plain, set_presence_in
from tests.actors import House, at_once

ADDRESS = "192.0.2.1"


def add(house: House, login: str = "ada", role: str = "agent", **more: object) -> User:
    given = {"name": login.title(), "password_hash": "!", "phone": None, "targets": (), "at": house.moment(), **more}
    return house.store.users.add(login, role=role, **given)  # type: ignore[arg-type]


# Users


def test_a_user_is_found_by_login_and_id_as_they_were_added(house: House) -> None:
    users = house.store.users
    ada = add(house, "Ada@Example.com ", targets=["care_team"], phone="+15550100099")
    assert (ada.login, ada.presence, ada.disabled) == ("ada@example.com", "away", None)
    assert users.by_login("ADA@example.com") == users.get(ada.id) == ada
    assert users.by_login("bob") is users.get("nobody") is None
    assert [each.login for each in (add(house, "bob"), *users.every())] == ["bob", "ada@example.com", "bob"]


@pytest.mark.parametrize("login", ["", " ", "a b", "x" * 81, "\x00", "\u202e"])
def test_a_login_that_nobody_could_type_is_refused(line: House, login: str) -> None:
    with pytest.raises(UsageError, match="a login has 1 to 80"):
        add(line, login)


def test_a_login_is_given_once_however_it_is_written(house: House) -> None:
    add(house, "ada")
    with pytest.raises(UsageError, match="choose another login"):
        add(house, "ADA")
    with pytest.raises(UsageError, match="choose one of agent, designer, ops, admin"):
        add(house, "bob", "boss")


def test_names_from_outside_are_kept_without_what_is_not_seen(house: House) -> None:
    ada = add(house, name="\x00<b>Ada\u202e\n \U0001f600 \ud800أحمد" + "x" * 200)
    assert ada.name.startswith("<b>Ada \U0001f600 أحمد") and len(ada.name) == 80
    assert house.store.users.get(ada.id) == ada


@given(st.text())
def test_a_login_is_the_same_when_it_is_read_again(text: str) -> None:
    assert login_of(login_of(text)) == login_of(text)
    assert plain(plain(text)) == plain(text)


def test_an_admin_may_do_everything_and_others_what_their_role_does(line: House) -> None:
    for role in ROLES:
        someone = add(line, role, role)
        assert [each for each in ROLES if someone.may(each)] == (list(ROLES) if role == "admin" else [role])


def test_who_serves_no_target_in_particular_serves_all(line: House) -> None:
    assert add(line).serves("care_team")
    assert not add(line, "bob", targets=["care_team"]).serves("bereavement_team")


def test_what_is_changed_is_changed(house: House) -> None:
    users, ada = house.store.users, add(house)
    users.set_role(ada.id, "ops", ["care_team"])
    users.set_name(ada.id, "Ada L.")
    users.set_phone(ada.id, "client:ada")
    users.set_presence(ada.id, "available", 5.0)
    changed = users.get(ada.id)
    assert changed is not None and changed.targets == ("care_team",)
    assert (changed.role, changed.name, changed.phone) == ("ops", "Ada L.", "client:ada")
    assert (changed.presence, changed.presence_at) == ("available", 5.0)
    with pytest.raises(UsageError, match="at least one letter"):
        users.set_name(ada.id, " \x00")


def test_nobody_chooses_another_presence_while_a_task_has_them(house: House) -> None:
    users, ada = house.store.users, add(house)
    assert users.choose_presence(ada.id, "available", 1.0)
    with house.store.database.write() as connection:
        set_presence_in(connection, ada.id, "busy", 2.0)
    assert not users.choose_presence(ada.id, "away", 3.0)
    now = users.get(ada.id)
    assert now is not None and (now.presence, now.presence_at) == ("busy", 2.0)


@pytest.mark.parametrize(
    ("text", "phone"),
    [
        ("", None), (" ", None), ("+15551234567", "+15551234567"), ("(555) 123-4567", "+15551234567"),
        ("sip:ada@example.com", "sip:ada@example.com"), ("client:ada", "client:ada"),
    ],
)  # fmt: skip
def test_a_phone_is_a_number_a_sip_address_or_a_client(text: str, phone: str | None) -> None:
    assert phone_of(text, "US") == phone


@pytest.mark.parametrize(
    "text", ["12", "sip:ada", "sip:a@b<x>", "client:a b", "ada@example.com", "+1", "client:" + "x" * 90]
)
def test_what_cannot_ring_is_refused_with_what_can(text: str) -> None:
    with pytest.raises(UsageError, match=r"write \+15551234567, sip:"):
        phone_of(text, "US")


# Passwords


def test_a_password_is_kept_only_as_a_hash_that_knows_it_again() -> None:
    stored = hash_password("grün wie Gras")
    assert "Gras" not in stored and not is_outdated(stored)
    assert matches(stored, "grün wie Gras")
    assert matches(stored, "gru\u0308n wie Gras"), "composed otherwise, it is the same word"
    assert not matches(stored, "grün wie gras")
    assert not matches(None, "grün wie Gras") and not matches("!", "!")


def test_a_hash_with_yesterdays_parameters_is_outdated() -> None:
    from argon2 import PasswordHasher

    assert is_outdated(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash("x"))


def test_a_password_is_long_enough_and_a_made_up_one_always_is() -> None:
    assert check_password(new_password()) != new_password()
    for bad in ("", "x" * 9, "x" * 201):
        with pytest.raises(UsageError, match="10 to 200 characters"):
            check_password(bad)


# Sessions


def test_a_session_lasts_while_it_is_used_and_a_week_at_most(house: House) -> None:
    ada, sessions, now = add(house), house.store.sessions, house.moment()
    sessions.open(ada.id, "digest", now, "Firefox\x00" + "x" * 300)
    found = sessions.find("digest", now)
    assert found is not None and found[0] == ada and found[1].browser.startswith("Firefoxx")
    assert sessions.find("diges", now) is None
    assert sessions.find("digest", now + IDLE) is None
    moment = now
    while moment + IDLE / 2 < now + LONGEST:
        moment += IDLE / 2
        assert sessions.find("digest", moment)
    assert sessions.find("digest", now + LONGEST) is None


def test_being_seen_is_written_at_most_once_a_minute(house: House) -> None:
    ada, sessions, now = add(house), house.store.sessions, house.moment()
    sessions.open(ada.id, "digest", now, "")
    for after, seen in ((30, 0), (59, 0), (61, 61), (90, 61), (121, 121)):
        sessions.find("digest", now + after)
        assert house.rows("web_sessions")[0]["seen"] == now + seen


def test_a_session_is_revoked_by_its_own_user_only(house: House) -> None:
    ada, bob, sessions, now = add(house), add(house, "bob"), house.store.sessions, house.moment()
    for digest, user in (("a1", ada), ("a2", ada), ("a3", ada), ("b1", bob)):
        sessions.open(user.id, digest, now, "")
    sessions.revoke("a1", bob.id)
    assert sessions.find("a1", now)
    sessions.revoke("a1", ada.id)
    assert sessions.find("a1", now) is None
    sessions.revoke_all(ada.id, but="a2")
    assert [each.id for each in sessions.of(ada.id, now)] == ["a2"]
    sessions.revoke_all(ada.id)
    assert sessions.of(ada.id, now) == [] and sessions.find("b1", now)


def test_who_is_disabled_is_signed_out_at_once(house: House) -> None:
    ada, users, now = add(house), house.store.users, house.moment()
    users.set_password(ada.id, "hash")
    house.store.sessions.open(ada.id, "digest", now, "")
    users.disable(ada.id, now)
    assert house.store.sessions.find("digest", now) is None and users.password_hash("ada") is None
    users.enable(ada.id)
    assert users.password_hash("ada") == "hash"


def test_sessions_that_ran_out_go_when_a_new_one_is_opened(house: House) -> None:
    ada, sessions, now = add(house), house.store.sessions, house.moment()
    sessions.open(ada.id, "old", now, "")
    sessions.open(ada.id, "new", now + IDLE, "")
    assert [row["id"] for row in house.rows("web_sessions")] == ["new"]


# Failed sign-ins


def test_after_five_failures_a_login_waits_until_the_first_is_old(house: House) -> None:
    attempts, now = house.store.attempts, house.moment()
    for second in range(PER_LOGIN):
        assert attempts.begin("ada", f"192.0.2.{second}", now + second) is None
    assert attempts.begin("ada", ADDRESS, now + 60) == now + WINDOW
    assert attempts.begin("bob", ADDRESS, now + 60) is None
    assert attempts.begin("ada", ADDRESS, now + WINDOW) is None
    assert attempts.begin("ada", ADDRESS, now + WINDOW) == now + 1 + WINDOW


def test_after_twenty_failures_an_address_waits_whatever_the_login(house: House) -> None:
    attempts, now = house.store.attempts, house.moment()
    for number in range(PER_ADDRESS):
        assert attempts.begin(f"user{number}", ADDRESS, now) is None
    assert attempts.begin("ada", ADDRESS, now) == now + WINDOW
    assert attempts.begin("ada", "192.0.2.2", now) is None


def test_a_success_forgets_the_failures_of_its_login_only(house: House) -> None:
    attempts, now = house.store.attempts, house.moment()
    for login in ("ada", "bob"):
        for _ in range(PER_LOGIN):
            attempts.begin(login, ADDRESS, now)
    attempts.clear("ada")
    assert attempts.begin("ada", ADDRESS, now) is None
    assert attempts.begin("bob", ADDRESS, now) is not None


def test_guessing_many_at_once_is_no_way_round(house: House) -> None:
    attempts, now = house.store.attempts, house.moment()
    tried = at_once(*[lambda: attempts.begin("ada", ADDRESS, now)] * 12)
    assert tried.count(None) == PER_LOGIN


def test_old_failures_are_not_kept(house: House) -> None:
    attempts, now = house.store.attempts, house.moment()
    attempts.begin("ada", ADDRESS, now)
    attempts.begin("bob", ADDRESS, now + WINDOW)
    assert [row["login"] for row in house.rows("login_attempts")] == ["bob"]


# The audit log


def test_what_was_done_is_read_latest_first(house: House) -> None:
    audit = house.store.audit
    audit.note(1.0, "ada", "take", "CA1-1")
    with house.store.database.write() as connection:
        note_in(connection, 2.0, "bob", "note", "CA2-1" + "x" * 200, "y" * 3000)
    audit.note(3.0, None, "user", "ada", "added")
    latest = audit.recent(2)
    assert [(each.user, each.action) for each in latest] == [(None, "user"), ("bob", "note")]
    assert len(latest[1].about) == 100 and len(latest[1].detail) == 2000
    assert [each.about for each in audit.recent(10, user="ada")] == ["CA1-1"]
