"""What agents send and grant: recorded, sent once after a moment in which it can be taken back, and counted for like cases."""

from __future__ import annotations

from typing import Any

import pytest

from ivr.handoff.task import Task
from ivr.store.grants import UNDO_SECONDS, Grant
from tests.actors import MARGO, House, at_once

WAIVED = {"fee": 5, "account": "A-17"}


class Giver:
    """An agent, and what they give."""

    def __init__(self, house: House) -> None:
        self.house, self.grants = house, house.store.grants

    def gives(self, id_: str, do: str | None = "sms", give: dict[str, Any] | None = None, **given: Any) -> bool:
        """A gesture, unless it is said otherwise."""
        at = self.house.moment()
        values: dict[str, Any] = {
            "kind": "gesture", "name": "apology", "task": "CA1-1", "call": "CA1", "caller": "margo", "reason": "bill",
            "amount": None, "by": do, "words": "We are sorry.", "why": None, "user": "u1", "at": at,
        }  # fmt: skip
        grant = Grant(id_, **{**values, **given})
        with self.house.store.database.write() as connection:
            return self.grants.add(connection, grant, do, give or {"to": MARGO, "words": "We are sorry."})

    def waives(self, id_: str, **given: Any) -> bool:
        """A concession."""
        concession = {
            "kind": "concession",
            "name": "waive_late_fee",
            "by": None,
            "words": None,
            "amount": 5.0,
            "why": "our fault",
        }
        return self.gives(id_, "waive_fee", WAIVED, **{**concession, **given})

    def finished(self, id_: str, reason: str | None = "bill", agent: str | None = "u1", ago: float = 0.0) -> None:
        """A task that is done."""
        at = self.house.moment() - ago
        task = Task(
            id_, "call", "queue", "care_team", "northlight", "CA1", "margo", None, "en", reason, None, None, 0.0, at, at
        )
        with self.house.store.database.write() as connection:
            self.house.store.tasks.add(
                connection, task._replace(agent=agent, state="done", result="answered", done=at), at
            )


@pytest.fixture
def giver(house: House) -> Giver:
    """On each kind of database."""
    return Giver(house)


def test_a_button_pressed_twice_sends_once_and_a_moment_later(giver: Giver) -> None:
    assert sorted(at_once(lambda: giver.gives("g1"), lambda: giver.gives("g1"))) == [False, True]
    jobs, now = giver.house.store.jobs, giver.house.moment()
    assert jobs.lease(now) == []
    (job,) = jobs.lease(now + UNDO_SECONDS, 10)
    assert (job.kind, job.name, job.key, job.call) == ("message", "sms", "g1", "CA1")
    assert job.payload == {"to": MARGO, "words": "We are sorry."}


def test_a_concession_is_an_action_and_a_card_goes_nowhere(giver: Giver) -> None:
    assert giver.waives("g1") and giver.gives("g2", None, by="card")
    (job,) = giver.house.store.jobs.lease(giver.house.moment() + UNDO_SECONDS, 10)
    assert (job.kind, job.name, job.key, job.payload) == ("action", "waive_fee", "g1", WAIVED)
    assert [grant.id for grant in giver.grants.of_task("CA1-1")] == ["g1", "g2"]
    assert giver.grants.of_task("CA2-1") == []


def test_what_has_not_left_the_house_can_be_taken_back_once(giver: Giver) -> None:
    giver.gives("g1")
    giver.waives("g2")
    giver.gives("g3", None, by="card")
    now = giver.house.moment()
    assert giver.grants.undo("g1", now + 5) and not giver.grants.undo("g1", now + 5)
    assert giver.grants.undo("g3", now + UNDO_SECONDS) and not giver.grants.undo("nothing", now)
    (job,) = giver.house.store.jobs.lease(now + UNDO_SECONDS, 10)
    assert job.key == "g2" and not giver.grants.undo("g2", now + UNDO_SECONDS)
    assert {grant.id: grant.undone for grant in giver.grants.of_caller("margo")} == {
        "g1": now + 5,
        "g2": None,
        "g3": now + UNDO_SECONDS,
    }
    giver.gives("g4", None, by="card")
    assert not giver.grants.undo("g4", now + UNDO_SECONDS + 1)


def test_taking_back_and_sending_at_one_moment_is_one_or_the_other(giver: Giver) -> None:
    now = giver.house.moment()
    other = giver.house.another_worker().store.grants
    for number in range(6):
        giver.gives(f"g{number}")
        sent, undone = at_once(
            lambda: giver.house.store.jobs.lease(now + UNDO_SECONDS),
            lambda n=number: other.undo(f"g{n}", now + UNDO_SECONDS),
        )
        assert bool(sent) is not undone


def test_how_like_cases_were_treated(giver: Giver) -> None:
    names = ["waive_late_fee", "free_month"]
    assert giver.grants.like("bill", 0.0, names) == {"waive_late_fee": (0, 0), "free_month": (0, 0)}
    for number in range(4):
        giver.finished(f"CA{number}-1")
    giver.finished("CA5-1", "outage")
    giver.finished("CA6-1", agent=None)
    giver.finished("CA7-1", ago=1000.0)
    for number in (0, 1, 5, 7, 8):
        giver.waives(f"g{number}", task=f"CA{number}-1")
    giver.waives("g1-again", task="CA1-1")
    giver.waives("g3", task="CA3-1")
    giver.grants.undo("g3", giver.house.moment())
    giver.gives("g9", task="CA2-1", name="waive_late_fee")  # a gesture of that name is no concession
    since = giver.house.moment() - 500
    assert giver.grants.like("bill", since, names) == {"waive_late_fee": (2, 4), "free_month": (0, 4)}
    assert giver.grants.like("bill", since - 1000, names)["waive_late_fee"] == (3, 5)
    assert giver.grants.like(None, 0.0, names) == {"waive_late_fee": (0, 0), "free_month": (0, 0)}


def test_who_is_forgotten_is_in_no_grant_any_more_and_nothing_is_sent(giver: Giver) -> None:
    call = giver.house.calls(MARGO).dial().hang_up()
    giver.gives("g1", call=call.sid)
    giver.waives("g2", call=call.sid)
    giver.house.store.callers.forget("margo")
    assert giver.grants.of_caller("margo") == []
    for grant in giver.grants.of_task("CA1-1"):
        assert (grant.caller, grant.words, grant.why) == (None, None, None)
    assert {grant.amount for grant in giver.grants.of_task("CA1-1")} == {None, 5.0}
    assert giver.house.store.jobs.lease(giver.house.moment() + UNDO_SECONDS, 10) == []
