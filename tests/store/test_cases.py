"""Cases: opened by calls that end without an answer, joined, promised about, closed and opened again; and messages to callers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from ivr.engine.events import Event
from ivr.errors import UsageError
from ivr.personal.history import Summary
from ivr.ports import Call, Commit
from ivr.project import Project
from ivr.simulate.memory import MemoryStore
from ivr.simulate.people import people_by_number
from ivr.store.people import PersonRow
from tests.actors import MARGO, STRANGER, House, personas

DAY = 86400.0


class Cabinet:
    """A house, and what is open for its callers."""

    def __init__(self, house: House) -> None:
        self.house, self.store, self.cases = house, house.store, house.store.cases
        self.calls = 0

    def does(self, what: str, *given: Any, **more: Any) -> bool:
        """One change, in a transaction of its own."""
        with self.store.database.write() as connection:
            return bool(getattr(self.cases, what)(connection, *given, **more))

    def opens(self, id_: str, about: str = "bill", caller: str = "margo", **more: Any) -> bool:
        """A case of an agent's."""
        at = self.house.moment()
        given = {"summary": f"{about}?", "origin": "agent", "line": "northlight", "at": at, "day": "2026-03-02", **more}
        return self.does("open", id_, caller, about, **given)

    def call(self, *reasons: str, outcome: str = "caller_left", from_: str = MARGO, **more: Any) -> str:
        """A call about something, from its beginning to its end; returns its SID."""
        phone = self.house.calls(from_).dial()
        read = self.store.load(phone.sid)
        assert read is not None
        person = self.store.people(from_)
        caller = person[0].id if len(person) == 1 else None
        assert self.store.close(read, ending(read, reasons, outcome, self.house.moment(), caller, from_, **more))
        return phone.sid

    def of(self, caller: str = "margo", every: bool = False) -> list[tuple[str, str, list[str]]]:
        """What is open: about what, since when, and what happened to it."""
        cases = self.cases.of_caller(caller, every)
        return [(case["about"], case["opened"], [event["kind"] for event in case["events"]]) for case in cases]


def ending(
    read: Call,
    reasons: Sequence[str],
    outcome: str,
    at: float,
    caller: str | None,
    number: str | None,
    unfinished: bool = False,
    events: Sequence[Event] = (),
) -> Commit:
    """The end of a call, as `turn.py` stores it."""
    summary = Summary(read.sid, at, 60, outcome, unfinished, tuple(reasons))
    assert read.session is not None
    own = None if caller else number
    return Commit(
        read.sid, read.turn, read.session, tuple(events), read.twiml, at, at, caller, own, "en", outcome, summary
    )


def changed(action: str, case: str, about: str | None, summary: str | None, at: float) -> Event:
    """What a `case` step says."""
    private = {"summary": summary} if summary else {}
    return Event("case_changed", at, "main.case", {"action": action, "case": case, "about": about}, private)


@pytest.fixture
def cabinet(house: House) -> Cabinet:
    """On each kind of database."""
    return Cabinet(house)


@pytest.fixture
def small(line: House) -> Cabinet:
    """On SQLite only: for what does not depend on the database."""
    return Cabinet(line)


# One case


def test_whatever_is_done_to_a_case_is_in_its_history(cabinet: Cabinet) -> None:
    at, user = cabinet.house.moment(), "u1"
    assert cabinet.opens("c1", user=user)
    assert cabinet.does("join", "c1", at + 1, "CA2")
    assert cabinet.does("update", "c1", at + 2, "the bill of March", None, user)
    assert cabinet.does("note", "c1", at + 3, "she is patient", user)
    assert cabinet.does("promise", "p1", "c1", "we call her", "2026-03-09", at + 4, user)
    assert cabinet.does("kept", "p1", at + 5, "2026-03-08", user)
    assert cabinet.does("close", "c1", at + 6, "2026-03-08", user)
    assert cabinet.does("reopen", "c1", at + 7, None, "CA3")
    case = cabinet.cases.get("c1")
    assert case is not None
    kinds = ["opened", "joined", "updated", "note", "promised", "kept", "closed", "reopened"]
    assert [event["kind"] for event in case["events"]] == kinds
    assert [event["at"] for event in case["events"]] == [at + number for number in range(8)]
    assert [event["text"] for event in case["events"]][2:6] == [
        "the bill of March",
        "she is patient",
        "we call her",
        "we call her",
    ]
    assert (case["events"][1]["call"], case["events"][7]["call"], case["events"][2]["user"]) == ("CA2", "CA3", user)
    assert (case["summary"], case["closed"], case["promises"][0]["kept"]) == ("the bill of March", None, "2026-03-08")


def test_what_is_done_twice_or_to_nothing_changes_nothing(cabinet: Cabinet) -> None:
    at = cabinet.house.moment()
    assert cabinet.opens("c1") and not cabinet.opens("c1", about="outage")
    assert not cabinet.does("reopen", "c1", at)
    assert cabinet.does("promise", "p1", "c1", "x", None, at, "u1") and not cabinet.does(
        "promise", "p1", "c1", "y", None, at, "u1"
    )
    assert cabinet.does("kept", "p1", at, "2026-03-02", "u1") and not cabinet.does("kept", "p1", at, "2026-03-03", "u1")
    assert cabinet.does("close", "c1", at, "2026-03-02") and not cabinet.does("close", "c1", at, "2026-03-05")
    for what, *given in (
        ("join", at),
        ("update", at, "x"),
        ("note", at, "x", "u1"),
        ("close", at, "2026-03-02"),
        ("reopen", at),
    ):
        assert not cabinet.does(what, "nothing", *given)
    assert not cabinet.does("promise", "p2", "nothing", "x", None, at, "u1")
    assert cabinet.of(every=True) == [("bill", "2026-03-02", ["opened", "promised", "kept", "closed"])]
    assert cabinet.cases.get("nothing") is None


def test_the_next_call_hears_of_the_promise_that_is_due_first_and_counts_the_case_once(cabinet: Cabinet) -> None:
    at = cabinet.house.moment()
    cabinet.opens("c1")
    for name, by in (("p1", None), ("p2", "2026-03-20"), ("p3", "2026-03-09"), ("p4", "2026-03-01")):
        cabinet.does("promise", name, "c1", f"promise {name}", by, at, "u1")
    cabinet.does("kept", "p4", at, "2026-03-01", "u1")
    person = cabinet.store.person("margo")
    assert person is not None and [(case["id"], case["promise"], case["promise_by"]) for case in person.cases] == [
        ("c1", "promise p3", "2026-03-09")
    ]
    assert person.cases == cabinet.store.people(MARGO)[0].cases
    assert [(case["promise"], len(case["promises"])) for case in cabinet.cases.every() if case["id"] == "c1"] == [
        ("promise p3", 4)
    ]


def test_all_open_cases_are_listed_and_the_closed_ones_when_asked(small: Cabinet) -> None:
    before = {case["id"] for case in small.cases.every()}
    small.opens("c1")
    small.opens("c2", day="2026-02-01")
    small.does("close", "c2", small.house.moment(), "2026-03-02")
    assert {case["id"] for case in small.cases.every()} - before == {"c1"}
    listed = small.cases.every(closed=True)
    assert {"c1", "c2"} < {case["id"] for case in listed} | {"x"}
    assert [case["opened"] for case in listed] == sorted(case["opened"] for case in listed)


# Imports


def test_an_import_replaces_what_imports_brought_and_leaves_what_calls_and_agents_opened(cabinet: Cabinet) -> None:
    def put(*cases: Mapping[str, Any]) -> None:
        cabinet.store.put_person(PersonRow((MARGO,), "margo", {}, cases), "import", cabinet.house.moment())

    cabinet.opens("ours")
    put({"id": "theirs", "about": "outage", "opened": "2026-02-01", "promise": "we call", "promise_by": "2026-03-09"})
    put({"about": "meter", "opened": "2026-02-02"})
    assert {case["id"]: case["origin"] for case in cabinet.cases.of_caller("margo")} == {
        "margo-0": "import",
        "ours": "agent",
    }
    # Their own system knows more of our case by now.
    for _ in range(2):
        put({"id": "ours", "about": "bill", "opened": "2026-03-02", "closed": "2026-03-05", "promise": "a letter"})
    (ours,) = cabinet.cases.of_caller("margo", every=True)
    assert (ours["id"], ours["origin"], ours["closed"], ours["promise"]) == ("ours", "agent", "2026-03-05", "a letter")
    with pytest.raises(UsageError, match="somebody else's"):
        cabinet.store.put_person(
            PersonRow((STRANGER,), "ada", {}, [{"id": "ours", "about": "bill", "opened": "2026-03-02"}]), "import", 0.0
        )


# Calls


def test_a_question_without_an_answer_opens_a_case_that_later_calls_join_until_it_is_solved(cabinet: Cabinet) -> None:
    first = cabinet.call("bill", unfinished=True)
    (case,) = cabinet.cases.of_caller("margo")
    assert (case["about"], case["origin"], case["line"], case["events"][0]["call"]) == (
        "bill",
        "call",
        "northlight",
        first,
    )
    assert len(case["id"]) <= 40
    cabinet.call("bill", outcome="resolved")
    assert cabinet.of() == [("bill", "2026-03-02", ["opened", "joined"])]
    cabinet.call("outage", outcome="resolved")
    cabinet.does("close", case["id"], cabinet.house.moment(), "2026-03-02")
    assert cabinet.of() == []
    cabinet.house.moment.pass_by(3 * DAY)
    cabinet.call("bill", outcome="voicemail")
    assert cabinet.of() == [("bill", "2026-03-02", ["opened", "joined", "closed", "reopened"])]
    cabinet.does("close", case["id"], cabinet.house.moment(), "2026-03-05")
    cabinet.house.moment.pass_by(30 * DAY)
    cabinet.call("bill", outcome="voicemail")
    assert cabinet.of() == [("bill", "2026-04-04", ["opened"])]


def test_the_day_is_the_one_on_the_lines_own_clock(small: Cabinet) -> None:
    small.house.moment.pass_by(14 * 3600)
    at = small.house.moment()
    assert (small.store.day("northlight", at), small.store.day(None, at), small.store.day("gone", at)) == (
        "2026-03-02", "2026-03-03", "2026-03-03",
    )  # fmt: skip


def test_a_case_that_a_step_has_seen_to_is_left_as_the_step_left_it(small: Cabinet) -> None:
    at = small.house.moment()
    small.call("bill", unfinished=True, events=[changed("open", "step-1", "bill", "the bill of March", at)])
    assert small.of() == [("bill", "2026-03-02", ["opened"])]
    small.call("bill", unfinished=True, events=[changed("close", "step-1", None, None, at)])
    assert small.of(every=True) == [("bill", "2026-03-02", ["opened", "closed"])]
    small.call("bill", unfinished=True, events=[changed("open", "step-2", "outage", None, at)])
    assert {about: kinds for about, _, kinds in small.of()} == {
        "bill": ["opened", "closed", "reopened"],
        "outage": ["opened"],
    }
    small.call("outage", outcome="resolved", events=[changed("join", "step-2", "outage", "no light", at)])
    small.call("outage", outcome="resolved", events=[changed("update", "step-2", None, "light again", at)])
    (case,) = [case for case in small.cases.of_caller("margo") if case["about"] == "outage"]
    assert [event["kind"] for event in case["events"]] == ["opened", "joined", "updated"]
    assert case["summary"] == "light again" and case["events"][1]["text"] == "no light"


def test_a_number_nobody_had_has_its_case_and_a_withheld_one_has_none(small: Cabinet) -> None:
    small.call("bill", unfinished=True, from_=STRANGER)
    (person,) = small.store.people(STRANGER)
    assert [case["about"] for case in person.cases] == ["bill"]
    before = len(small.house.rows("cases"))
    phone = small.house.calls("anonymous").dial()
    read = small.store.load(phone.sid)
    assert read is not None
    commit = ending(read, ("bill",), "caller_left", small.house.moment(), None, None, unfinished=True)
    assert small.store.close(read, commit)
    assert len(small.house.rows("cases")) == before


def test_a_case_opened_while_a_stranger_is_on_the_line_is_theirs_when_they_ring_back(small: Cabinet) -> None:
    phone = small.house.calls(STRANGER).dial()
    read = small.store.load(phone.sid)
    assert read is not None
    at = small.house.moment()
    commit = ending(read, (), "", at, None, STRANGER, events=[changed("open", "step-1", "bill", None, at)])
    assert small.store.advance(read, commit._replace(turn=read.turn + 1, outcome=None, closing=None))
    assert small.store.people(STRANGER)[0].cases[0]["id"] == "step-1"
    assert phone.row["caller"] == small.store.people(STRANGER)[0].id


def test_a_simulated_caller_has_the_same_cases(small: Cabinet, shipped: Project) -> None:
    assert shipped.bundle is not None
    memory = MemoryStore(shipped.bundle, people_by_number(personas(shipped.folder), small.house.moment()))
    at = small.house.moment()
    calls: list[dict[str, Any]] = [
        {"reasons": ("bill",), "outcome": "caller_left", "unfinished": True},
        {"reasons": ("bill",), "outcome": "resolved"},
        {"reasons": ("outage",), "outcome": "caller_left", "events": [changed("open", "step-1", "outage", "dark", at)]},
        {"reasons": ("outage",), "outcome": "resolved", "events": [changed("close", "step-1", None, None, at)]},
        {"reasons": ("outage",), "outcome": "voicemail"},
        {"reasons": ("moving",), "outcome": "voicemail"},
    ]
    for number, given in enumerate(calls):
        read = small.store.load(small.house.calls(MARGO, sid=f"CA{number}").dial().sid)
        assert read is not None
        memory.calls[read.sid], memory.events[read.sid] = read, []
        commit = ending(read, at=at, caller="margo", number=None, **given)
        assert small.store.close(read, commit) and memory.close(read, commit)
    here, there = memory.person("margo"), small.store.person("margo")
    assert here is not None and there is not None
    fields = ("id", "about", "opened", "origin", "summary")
    assert sorted([tuple(case.get(name) for name in fields) for case in here.cases]) == sorted(
        [tuple(case.get(name) for name in fields) for case in there.cases]
    )
    assert len(here.cases) == 3


def test_who_is_forgotten_leaves_no_case_and_nothing_that_was_written_about_it(cabinet: Cabinet) -> None:
    cabinet.opens("c1")
    cabinet.does("promise", "p1", "c1", "we call her", None, cabinet.house.moment(), "u1")
    cabinet.store.callers.forget("margo")
    assert cabinet.cases.get("c1") is None
    assert not [row for table in ("case_events", "promises") for row in cabinet.house.rows(table, case="c1")]


# Messages


def test_a_message_to_the_caller_is_a_job_that_knows_the_line_and_the_language(small: Cabinet) -> None:
    phone = small.house.calls(MARGO).dial()
    read = small.store.load(phone.sid)
    assert read is not None
    told = Event(
        "notified", small.house.moment(), "main.tell", {"prompt": "p", "by": "sms"}, {"words": "Soon.", "to": MARGO}
    )
    commit = ending(read, (), "", small.house.moment(), "margo", None, events=[told])
    commit = commit._replace(turn=read.turn + 1, outcome=None, closing=None)
    assert small.store.advance(read, commit) and not small.store.advance(read, commit)
    (job,) = small.store.jobs.lease(small.house.moment())
    assert (job.kind, job.name, job.call) == ("message", "sms", phone.sid)
    assert job.payload == {
        "to": MARGO, "words": "Soon.", "language": "en", "line": "northlight", "from": phone.to, "subject": "Northlight Energy",
    }  # fmt: skip
