"""Whoever was dialled talked on their own phone: they find the call at the desk afterwards, and write it up like any other."""

from __future__ import annotations

from typing import Any

import pytest

from ivr.handoff.task import Task
from ivr.store import dialled
from ivr.store.users import User
from ivr.worker import UNWRITTEN, Worker
from tests.actors import JEROME, House, Phone, at_once, webhook
from tests.conftest import MakeHouse
from tests.fake_twilio import FakeTwilio
from tests.web.browser import Browser, user
from tests.web.legs import Leg
from tests.web.panels import once, waits

PAGES = True

TEAM = "bereavement_team"
WORDS = "I need to close my mother's account"


def rings(house: House) -> Phone:
    """Jerome is asked one question, and the bereavement team is dialled."""
    return house.calls(JEROME).dial().say(WORDS).hears("someone")


def talked(house: House, seconds: float = 95) -> str:
    """They have talked, and parted just now: the id of the task."""
    call = rings(house).agent_accepts(noun=1)
    call.dial_result("completed", seconds=seconds)
    assert call.row["outcome"] == "handed_over"
    return task_of(call).id


def task_of(call: Phone) -> Task:
    (task,) = call.house.store.tasks.of_call(call.sid)
    return task


def row(house: House, id_: str) -> dict[str, Any]:
    (found,) = house.rows("tasks", id=id_)
    return found


def agent(house: House, login: str = "bea", *targets: str) -> User:
    return user(house, login, phone="+15550007777", targets=targets or (TEAM,))


def presence(house: House, who: User) -> str:
    found = house.store.users.get(who.id)
    assert found is not None
    return found.presence


def test_jeromes_call_is_found_opened_written_up_and_done(house: House) -> None:
    id_, bea = talked(house), Browser(house, agent(house))
    house.moment.pass_by(300)
    listed = bea.get("/desk").text
    assert 'To write up <span class="count">1</span>' in listed and "5 min ago" in listed
    assert "Waiting <span" not in listed
    packet = bea.get(f"/desk/tasks/{id_}").text
    assert "Jerome" in packet and "talked for 1:35" in packet and "tags bereavement: yes" in packet
    assert "close my mother&#39;s account" in packet and "Write it up" in packet and "Take this call" not in packet
    mine = bea.post(f"/desk/tasks/{id_}/write-up", htmx=True)
    assert mine.status == 200 and "Not solved" in mine.text and "Gesture" in mine.text and "Offer" in mine.text

    panel = bea.get(f"/desk/tasks/{id_}/gesture")
    bea.post(f"/desk/tasks/{id_}/gesture", gesture="sympathy", by="card", own="", once=once(panel))
    (card,) = house.rows("grants")
    assert (card["name"], card["by"], card["task"]) == ("sympathy", "card", id_)
    panel = bea.get(f"/desk/tasks/{id_}/case")
    bea.post(f"/desk/tasks/{id_}/case", other="mother's account", summary="to be closed", once=once(panel))
    assert [case["about"] for case in house.rows("cases", origin="agent")] == ["mother's account"]

    note = "Sends the papers by post."
    bea.post(f"/desk/tasks/{id_}/note", htmx=True, note=note)
    assert bea.post(f"/desk/tasks/{id_}/finish", htmx=True, outcome="solved", note=note).status == 200
    done = row(house, id_)
    assert (done["state"], done["result"], done["outcome"], done["note"]) == ("done", "answered", "solved", note)
    assert "Nobody is waiting" in bea.get("/desk").text
    assert [entry["about"] for entry in house.rows("audit", action="write_up")] == [id_]


def test_the_task_says_when_they_talked_and_what_it_was_about(line: House) -> None:
    id_ = talked(line, 95)
    task = row(line, id_)
    assert (task["kind"], task["way"], task["state"], task["target"]) == ("call", "dial", "wrap_up", TEAM)
    now = line.moment()
    assert (task["talked"], task["parted"], task["words"]) == (now - 95, now, WORDS)


def test_people_of_another_team_do_not_see_it(line: House) -> None:
    id_, ana = talked(line), Browser(line, agent(line, "ana", "care_team"))
    assert "To write up" not in ana.get("/desk").text
    for answer in (ana.get(f"/desk/tasks/{id_}"), ana.post(f"/desk/tasks/{id_}/write-up", htmx=True)):
        assert answer.status == 403 and "Jerome" not in answer.text
    assert row(line, id_)["agent"] is None


def test_nothing_is_to_be_written_up_where_nobody_took_the_call(line: House) -> None:
    rings(line).dial_result("no-answer").record(7)
    assert [task["kind"] for task in line.rows("tasks")] == ["voicemail"]


def test_it_is_nobodys_turn_and_counts_nowhere_as_waiting(line: House) -> None:
    id_, bea = talked(line), agent(line)
    tasks = line.store.tasks
    line.store.users.set_presence(bea.id, "available", line.moment())
    assert tasks.size(TEAM) == 0 and tasks.waiting(TEAM) == []
    page = Browser(line, bea)
    assert "Take the next caller" not in page.get("/desk").text
    assert "Nobody is waiting for you" in page.post("/desk/next", htmx=True).text
    assert page.post(f"/desk/tasks/{id_}/take", htmx=True).status == 409
    page.post(f"/desk/tasks/{id_}/write-up")
    line.moment.pass_by(7200)
    page.post(f"/desk/tasks/{id_}/finish", outcome="solved")
    assert row(line, id_)["result"] == "answered" and tasks.past(TEAM, 0.0) == []


def test_of_two_colleagues_one_writes_it_up(house: House) -> None:
    id_, both = talked(house), [agent(house), agent(house, "ben")]
    pages = [Browser(house, who) for who in both]
    tokens = [page.token for page in pages]

    def claim(index: int) -> tuple[int, str]:
        answer = pages[index].post(f"/desk/tasks/{id_}/write-up", htmx=True, token=tokens[index])
        return answer.status, answer.text

    went = sorted(at_once(lambda: claim(0), lambda: claim(1)))
    assert [status for status, _ in went] == [200, 409] and "writes this up already" in went[1][1]
    winner = [who.id for who in both].index(row(house, id_)["agent"])
    assert claim(winner)[0] == 200
    assert "To write up" not in pages[0].get("/desk?list=all").text + pages[1].get("/desk?list=all").text


@pytest.mark.parametrize(("before", "meanwhile"), [("available", "wrap_up"), ("away", "away")])
def test_writing_up_leaves_a_presence_as_it_was(line: House, before: str, meanwhile: str) -> None:
    id_, bea = talked(line), agent(line)
    line.store.users.set_presence(bea.id, before, line.moment())
    page = Browser(line, bea)
    page.post(f"/desk/tasks/{id_}/write-up")
    assert presence(line, bea) == meanwhile
    page.post(f"/desk/tasks/{id_}/finish", outcome="solved")
    assert presence(line, bea) == before


def test_one_thing_at_a_time(sqlite_url: str, make_house: MakeHouse, fake_twilio: FakeTwilio) -> None:
    house = make_house(sqlite_url, config=fake_twilio.account)
    bea = agent(house, "bea", TEAM, "care_team")
    page, waiting, id_ = Browser(house, bea), waits(house), talked(house)
    assert page.post(f"/desk/tasks/{waiting}/write-up", htmx=True).status == 409
    page.post(f"/desk/tasks/{waiting}/take", htmx=True)
    Leg(house, fake_twilio).picks_up().presses("1")
    answer = page.post(f"/desk/tasks/{id_}/write-up", htmx=True)
    assert answer.status == 409 and "Finish that one first" in answer.text
    assert presence(house, bea) == "busy" and row(house, id_)["agent"] is None


def test_a_result_that_comes_after_the_caller_hung_up_is_written_up_too(house: House) -> None:
    call = rings(house).agent_accepts(noun=1)
    call.status(CallStatus="completed", CallDuration="80")
    assert house.rows("tasks") == []
    form = {"DialCallStatus": "completed", "DialBridged": "true", "DialCallDuration": "61"}
    late = webhook(call, f"/voice/turn?turn={call.row['turn']}", **form)
    house.post(*late)
    task = task_of(call)
    assert (task.state, task.target, task.words) == ("wrap_up", TEAM, WORDS)
    house.post(*late)
    assert task_of(call) == task and call.row["outcome"] == "handed_over"


def test_a_late_result_of_nobody_leaves_nothing_to_write_up(line: House) -> None:
    call = rings(line)
    call.status(CallStatus="completed")
    line.post(*webhook(call, f"/voice/turn?turn={call.row['turn']}", DialCallStatus="canceled", DialBridged="false"))
    assert line.rows("tasks") == []


def test_the_newest_is_first(line: House) -> None:
    older = talked(line)
    line.moment.pass_by(60)
    newer = talked(line)
    page = Browser(line, agent(line)).get("/desk").text
    assert page.index(f"row-{newer}") < page.index(f"row-{older}")


def test_a_caller_who_is_to_be_called_again_waits_as_a_callback(line: House) -> None:
    id_, page = talked(line), Browser(line, agent(line))
    page.post(f"/desk/tasks/{id_}/write-up")
    page.post(f"/desk/tasks/{id_}/finish", outcome="call_again")
    (again,) = line.rows("tasks", kind="callback")
    assert (again["target"], again["number"], again["state"]) == (TEAM, JEROME, "waiting")


def test_what_nobody_writes_up_is_done_after_a_day(house: House) -> None:
    left, claimed = talked(house), talked(house)
    bea, worker = agent(house), Worker(house.config, house.store, house.moment, house.app.extensions["ivr"].log)
    assert dialled.write_up(house.store.database, claimed, bea.id, house.moment())
    house.moment.pass_by(UNWRITTEN - 1)
    worker.sweep()
    assert row(house, left)["state"] == "wrap_up"
    house.moment.pass_by(2)
    worker.sweep()
    assert (row(house, left)["state"], row(house, left)["result"]) == ("done", "answered")
    assert row(house, claimed)["state"] == "wrap_up"
    answer = Browser(house, bea).post(f"/desk/tasks/{left}/write-up", htmx=True)
    assert answer.status == 409 and "done already" in answer.text
