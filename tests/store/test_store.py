"""The database edge on SQLite and PostgreSQL: migrations, compare-and-set, the outbox, people, erasing, and flows."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext

from ivr.cli import main
from ivr.engine.events import Event
from ivr.errors import StoreGone, UsageError
from ivr.personal import history as past
from ivr.project import Project
from ivr.store.database import Database
from ivr.store.grants import Grant
from ivr.store.jobs import ATTEMPTS, LEASE_SECONDS
from ivr.store.migrate import current, head, require_current, upgrade
from ivr.store.people import PersonRow
from ivr.store.store import DatabaseStore
from ivr.store.tables import metadata
from ivr.turn import Commit
from tests.actors import MARGO, STRANGER, Crm, House, at_once, configured

DAY = 86400.0

# Migrations


def test_migrations_make_exactly_the_tables_of_the_code(empty_url: str) -> None:
    database = Database(empty_url)
    assert current(database) is None
    assert upgrade(database) == head() == current(database)
    with database.read() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        assert compare_metadata(context, metadata) == []
    assert upgrade(database) == head()
    database.close()


def test_two_servers_that_migrate_at_once_wait_for_each_other(empty_url: str) -> None:
    both = [Database(empty_url) for _ in range(2)]
    assert at_once(*[lambda one=one: upgrade(one) for one in both]) == [head()] * 2
    for one in both:
        one.close()


def test_an_empty_database_is_named_with_what_to_do(empty_url: str) -> None:
    database = Database(empty_url)
    with pytest.raises(UsageError, match="is empty; run 'ivr db upgrade'"):
        require_current(database)
    upgrade(database)
    require_current(database)
    database.close()


def test_an_address_that_is_none_is_one_clear_line() -> None:
    for url in ("nonsense", "nonsense://x", "mysql://x/y"):
        with pytest.raises(UsageError, match="database URL"):
            Database(url)


def test_a_server_that_is_not_there_is_store_gone() -> None:
    database = Database("postgresql+psycopg://nobody@127.0.0.1:1/nothing")
    for use in (database.read, database.write, database.quick_read, database.quick_write):
        with pytest.raises(StoreGone):
            use().__enter__()


# Compare and set


def commit_of(house: House, sid: str, turn: int, events: int = 1, **changes: Any) -> Commit:
    made = tuple(Event("heard", house.moment(), "", {"kind": "silence", "n": number}, {}) for number in range(events))
    values: dict[str, Any] = {
        "sid": sid, "turn": turn, "session": "{}", "events": made, "twiml": f"<Response><!--{turn}--></Response>",
        "at": house.moment(), "silent_at": house.moment() + 60, "caller": None, "number": None, "language": "en",
        "outcome": None, "closing": None,
    }  # fmt: skip
    return Commit(**{**values, **changes})


def test_only_one_of_many_writers_advances_a_call(house: House) -> None:
    call = house.calls(MARGO).dial()
    stores = [house.store, *[house.another_worker().store for _ in range(3)]]
    read = house.store.load(call.sid)
    assert read is not None
    won = at_once(*[lambda s=store: s.advance(read, commit_of(house, call.sid, 2, 3)) for store in stores])
    assert sorted(won) == [False, False, False, True]
    assert call.row["turn"] == 2 and call.row["seq"] == len(call.events) == read.seq + 3
    assert not house.store.advance(read, commit_of(house, call.sid, 2))
    assert not house.store.close(read, commit_of(house, call.sid, 1, outcome="resolved"))


def test_a_turn_that_cannot_be_stored_whole_is_not_stored_at_all(house: House) -> None:
    call = house.calls(MARGO).dial()
    read = house.store.load(call.sid)
    assert read is not None
    before = call.trace
    clash = read._replace(seq=read.seq - 1)  # its first event has a number that is taken
    with pytest.raises(Exception, match="(?i)unique"):
        house.store.advance(clash, commit_of(house, call.sid, 2, 2))
    assert call.trace == before


def test_a_call_begins_once_however_many_begin_it(house: House) -> None:
    sid = "CA" + "7" * 32
    begun = house.calls(MARGO).dial().row
    from ivr.turn import Begun

    made = Begun("northlight", begun["bundle"], MARGO, "nothing special", False)
    stores = [house.store, *[house.another_worker().store for _ in range(3)]]
    won = at_once(*[lambda s=store: s.begin(made, commit_of(house, sid, 1, 2)) for store in stores])
    assert sum(each is not None for each in won) == 1
    assert len(house.rows("events", sid=sid)) == 2


def test_closing_twice_closes_once_and_folds_the_history_once(house: House) -> None:
    call = house.calls(MARGO).dial()
    read = house.store.load(call.sid)
    assert read is not None
    summary = past.Summary(call.sid, house.moment(), 60, "resolved", False, ("bill",))
    commit = commit_of(house, call.sid, 1, outcome="resolved", closing=summary, caller="margo")
    assert [house.store.close(read, commit), house.store.close(read, commit)] == [True, False]
    person = house.store.person("margo")
    assert person is not None and person.history is not None
    assert person.history["calls"] == 5 and person.history["recent"][-1]["sid"] == call.sid


def test_folding_a_call_twice_is_folding_it_once(house: House) -> None:
    summary = past.Summary("CAx", house.moment(), 60, "resolved", False, ("bill",))
    for _ in range(2):
        with house.store.database.write() as connection:
            house.store.callers.fold_history(connection, "margo", None, summary, house.moment())
    person = house.store.person("margo")
    assert person is not None and person.history is not None and person.history["calls"] == 5


def test_the_sweeper_finds_calls_that_fell_silent_and_no_others(house: House) -> None:
    silent, ended = house.calls(MARGO).dial(), house.calls(MARGO).dial().hang_up()
    assert house.store.calls.silent_since(house.moment()) == []
    house.moment.pass_by(300)
    fresh = house.calls(MARGO).dial()
    assert house.store.calls.silent_since(house.moment()) == [silent.sid]
    assert ended.row["state"] == "closed" and fresh.row["state"] == "open"


# The outbox


@pytest.fixture
def asked(house: House) -> House:
    """A server whose caller has asked for something."""
    house.calls(STRANGER).dial().press("1").press("1").press("48104").hears("reporting an outage")
    return house


def test_a_job_is_leased_by_one_worker_only(asked: House) -> None:
    now = asked.moment()
    stores = [asked.store, *[asked.another_worker().store for _ in range(3)]]
    leased = at_once(*[lambda s=store: list(s.jobs.lease(now)) for store in stores])
    assert sorted(len(jobs) for jobs in leased) == [0, 0, 0, 1]
    job = next(jobs[0] for jobs in leased if jobs)
    assert (job.name, job.payload, job.attempts) == ("report_outage", {"postcode": "48104"}, 1)


def test_the_job_of_a_killed_worker_is_done_by_another_under_the_same_key(asked: House) -> None:
    now, other = asked.moment(), asked.another_worker().store
    (first,) = asked.store.jobs.lease(now)
    assert other.jobs.lease(now + LEASE_SECONDS - 1) == []
    (second,) = other.jobs.lease(now + LEASE_SECONDS + 1)
    assert (second.key, second.attempts) == (first.key, 2)
    other.jobs.done(second, now + LEASE_SECONDS + 2)
    assert asked.store.jobs.lease(now + 10 * DAY) == []


def test_a_job_that_fails_is_tried_again_later_and_at_last_given_up(asked: House) -> None:
    now, waits = asked.moment(), []
    for attempt in range(1, ATTEMPTS + 1):
        (job,) = asked.store.jobs.lease(now)
        assert job.attempts == attempt
        assert asked.store.jobs.failed(job, now, "no") is (attempt == ATTEMPTS)
        due = asked.rows("outbox")[0]["run_at"]
        waits.append(due - now)
        now = due
    assert waits == sorted(waits) and waits[0] < 15
    assert asked.store.jobs.lease(now + DAY) == []
    assert asked.rows("outbox")[0]["failed"] is not None


# People


class Said(NamedTuple):
    """How a command ended, and all that it said."""

    exit_code: int
    output: str


Imports = Callable[[str], Said]


@pytest.fixture
def imports(
    house: House, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> Imports:
    """`ivr callers import` of a CSV text."""

    def run(text: str) -> Said:
        file = tmp_path / "people.csv"
        file.write_text(text)
        monkeypatch.setenv("DATABASE_URL", house.url)
        folder = str(house.project.folder)
        monkeypatch.setattr(sys, "argv", ["ivr", "--project", folder, "callers", "import", str(file)])
        capsys.readouterr()
        try:
            main()
        except SystemExit as left:
            code = int(left.code or 0)
        else:
            code = 0
        return Said(code, "".join(capsys.readouterr()))

    return run


def test_people_are_imported_with_several_numbers_and_known_at_each(house: House, imports: Imports) -> None:
    result = imports(
        "caller,number,first_name,date_of_birth,prefers.language\nada,+15550200001;+15550200002,Ada,1990-01-02,en\n"
    )
    assert result.exit_code == 0, result.output
    for number in ("+15550200001", "+15550200002"):
        (person,) = house.store.people(number)
        assert person.id == "ada" and person.facts["date_of_birth"] == "1990-01-02"
    house.calls("+15550200002").dial().hears("Hello Ada")


def test_importing_again_changes_facts_and_makes_nobody_new(house: House, imports: Imports) -> None:
    people = len(house.rows("callers"))
    for name in ("Maggie", "Margot"):
        assert imports(f"number,first_name\n{MARGO},{name}\n").exit_code == 0
    (person,) = house.store.people(MARGO)
    assert person.id == "margo" and person.facts["first_name"] == "Margot" and person.facts["last_name"] == "Lindqvist"
    assert person.origins["first_name"][0] == "import"
    assert len(house.rows("callers")) == people


def test_every_faulty_row_is_named_and_nothing_is_half_imported(house: House, imports: Imports) -> None:
    before = house.dump()
    result = imports(
        "number,first_name,date_of_birth\n+15550200001,Ada,1990-01-02\nnonsense,Bo,1990-01-02\n"
        "+15550200003,Cy,yesterday\n,Di,1990-01-02\n+15550200005,Ed,1991-02-03\n"
    )
    assert result.exit_code == 1 and "nothing was imported" in result.output
    for place in ("people.csv:3", "people.csv:4", "people.csv:5"):
        assert place in result.output
    assert "people.csv:2" not in result.output and "people.csv:6" not in result.output
    assert house.dump() == before


def test_a_fact_nobody_declared_is_refused(house: House, imports: Imports) -> None:
    result = imports("number,frist_name\n+15550200001,Ada\n")
    assert result.exit_code == 1 and "first_name" in result.output


# Erasing

CANARY = "Zyxwvut"


def leaves_traces(house: House) -> list[str]:
    """A person who leaves something of herself in every table that can hold it; returns the canaries."""
    numbers = ("+15550300001", "+15550300002")
    facts = {
        "first_name": f"{CANARY}name",
        "last_name": f"{CANARY}last",
        "date_of_birth": "1971-02-03",
        "postcode": "99321",
        "prefers.language": "en",
    }
    case = {
        "id": "case-1", "about": "bill", "summary": f"{CANARY}summary", "opened": "2026-02-20",
        "promise": f"{CANARY}promise", "promise_by": "2026-03-09",
    }  # fmt: skip
    house.store.put_person(PersonRow(numbers, "ada", facts, [case]), "sample", house.moment())
    account = {"number": f"{CANARY}9", "overdue": 55.5, "last_reading": 10, "outage": False}
    bill = {"open": 12.5, "due": "2026-03-10", "late_fee": 5, "first_fee_this_year": True}
    busy = house.another_worker(sources=Crm(account=account, billing=bill))
    house.store.cache.write("account", "k" * 64, {"number": f"{CANARY}9"}, house.moment())

    call = busy.calls(numbers[0]).dial().hears(f"{CANARY}name")
    call.press("2").press("2").press("02031971").press("99321").press("1").hears("taking")
    call.press("1").press("3").press("03152026").press("1")
    call.hang_up()
    first, second = house.store.jobs.lease(house.moment(), 2)
    house.store.jobs.done(first, house.moment())
    house.store.jobs.failed(second._replace(attempts=ATTEMPTS), house.moment(), f"they said {CANARY}")
    message = busy.calls(numbers[1]).dial().press("0").dial_result("busy").record(8, f"https://x/{CANARY}recording")
    message.recording_ready()
    busy.calls(numbers[0]).dial().say(f"{CANARY} words of mine").hang_up()
    busy.calls(numbers[0]).dial().press("2")  # still open when she is forgotten
    _is_written_about(house, call.sid, message.sid)
    return [CANARY, "1971-02-03", "02031971", "99321", *numbers, '"ada"', "'ada'"]


def _is_written_about(house: House, call: str, message: str) -> None:
    """Agents listen to her, write things down, and send her a card."""
    words, at = f"{CANARY} in our words", house.moment()
    card = Grant("g1", "gesture", "apology", f"{call}-1", call, "ada", "bill", None, "card", words, words, "u1", at)
    with house.store.database.write() as connection:
        assert house.store.cases.note(connection, "case-1", at, words, "u1")
        assert house.store.grants.add(connection, card, None, {})
    (task,) = [task for task in house.store.tasks.of_call(message) if task.kind == "voicemail"]
    assert house.store.tasks.finish(task.id, at, "handled", note=words)


def test_who_is_forgotten_is_in_no_table_any_more(dial_house: House) -> None:
    canaries = leaves_traces(dial_house)
    assert all(canary in dial_house.dump() for canary in (CANARY, "+15550300001", "1971-02-03"))
    assert {row["kind"] for row in dial_house.rows("outbox")} == {"action"}
    dial_house.store.callers.forget("ada")
    dump = dial_house.dump()
    left = [line for line in dump.splitlines() if any(canary in line for canary in canaries)]
    assert left == []
    assert dial_house.store.people("+15550300001") == []
    assert len(dial_house.rows("calls")) == 4  # the figures stay


def test_who_is_forgotten_during_a_call_still_has_a_person_and_leaves_nothing_after(house: House) -> None:
    house.store.put_person(PersonRow(("+15550300001",), "ada", {"first_name": CANARY}), "sample", house.moment())
    call = house.calls("+15550300001").dial()
    house.store.callers.forget("ada")
    reply = house.post(*_turn(call, "0"))
    assert reply.status == 200
    call.status(CallStatus="completed")
    assert CANARY not in house.dump() and "+15550300001" not in house.dump()


def _turn(call: Any, digits: str) -> tuple[str, dict[str, str]]:
    from tests.actors import webhook

    return webhook(call, "/voice/turn?turn=1", Digits=digits)


def test_forgetting_one_person_leaves_the_others_as_they_were(dial_house: House) -> None:
    other = dial_house.calls(MARGO).dial().press("2").hang_up()
    before = other.trace, dial_house.rows("facts", caller="margo")
    leaves_traces(dial_house)
    dial_house.store.callers.forget("ada")
    assert (other.row, dial_house.rows("facts", caller="margo")) == (before[0][0], before[1])
    assert len(other.events) == len(before[0][1]) and other.events[0].private


def test_facts_histories_and_recordings_end_with_their_time(house: House) -> None:
    now = house.moment()
    call = house.calls("+15550100001").dial().say("x").dial_result("busy").record(7)
    assert house.rows("recordings", call=call.sid)
    tag = "tags.bereavement"
    assert tag in {row["name"] for row in house.rows("facts", caller="jerome")}
    house.store.callers.expire(now + 359 * DAY)
    assert house.rows("recordings") == []
    house.store.callers.expire(now + 361 * DAY)
    names = {row["name"] for row in house.rows("facts", caller="jerome")}
    assert tag not in names and "first_name" in names
    house.store.callers.expire(now + 400 * DAY)
    assert house.rows("history") == []


# Flows


def test_what_one_process_publishes_another_sees_and_can_load(house: House, shipped: Project) -> None:
    other = house.another_worker().store
    assert shipped.bundle is not None
    loaded = other.published()
    assert loaded.id == shipped.bundle.id and loaded is not shipped.bundle
    assert loaded.to_json() == shipped.bundle.to_json()


def test_a_start_without_anything_published_says_what_to_do(empty_url: str, shipped: Project) -> None:
    store = DatabaseStore(configured(shipped, empty_url), lambda: 0.0)
    upgrade(store.database)
    with pytest.raises(UsageError, match="ivr check"):
        store.published()
    store.dispose()


def test_two_processes_that_publish_at_once_agree_on_one(house: House, shipped: Project) -> None:
    assert shipped.bundle is not None
    stores = [house.another_worker().store for _ in range(3)]
    bundle = replace(shipped.bundle, id="f" * 20)
    at_once(*[lambda s=store: s.bundles.publish(bundle, house.moment()) for store in stores])
    assert [row["bundle"] for row in house.rows("published")] == [bundle.id]


def test_a_cached_answer_of_one_process_is_there_for_another(house: House) -> None:
    other = house.another_worker().store
    writers = [house.store, other]
    at_once(*[lambda s=store: s.cache.write("account", "k", {"a": 1}, 5.0) for store in writers])
    assert other.cache.read("account", "k") == ({"a": 1}, 5.0)
    assert other.cache.expire(6.0) == 1 and house.store.cache.read("account", "k") is None


def test_a_notice_is_heard_by_new_calls_on_every_worker(house: House) -> None:
    other = house.another_worker()
    house.store.bundles.set_notice("northlight", "Our offices are closed on Friday.", house.moment())
    house.moment.pass_by(2)
    for each in (house, other):
        each.calls(MARGO).dial().hears("closed on Friday")
