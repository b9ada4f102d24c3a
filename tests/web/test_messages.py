"""Messages that callers left: listened to through us, assigned, answered, done, deleted."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.actors import MARGO, STRANGER, House
from tests.conftest import MakeHouse
from tests.fake_twilio import FakeTwilio
from tests.web.browser import Browser, Page, user
from tests.web.panels import TEAM, leaves_message, waits

PAGES = True

SOUND = b"ID3" + bytes(range(200))


@pytest.fixture
def desk(sqlite_url: str, make_house: MakeHouse, fake_twilio: FakeTwilio) -> House:
    """A server whose Twilio account is the played one."""
    return make_house(sqlite_url, config=fake_twilio.account)


@pytest.fixture
def ana(desk: House) -> Browser:
    """Ana's browser."""
    return Browser(desk, user(desk, "ana", targets=[TEAM], phone="+15550007777"))


@pytest.fixture
def message(desk: House, fake_twilio: FakeTwilio) -> str:
    """Margo has left one: the id of the task."""
    return left(desk, fake_twilio)


def left(house: House, twilio: FakeTwilio, number: str = MARGO, *keys: str) -> str:
    id_ = leaves_message(house, number, *keys)
    twilio.recordings[sid_of(id_)] = SOUND
    return id_


def sid_of(id_: str) -> str:
    return id_.removeprefix("v-")


def row(house: House, id_: str) -> dict[str, Any]:
    (found,) = house.rows("tasks", id=id_)
    return found


def does(browser: Browser, id_: str, what: str, **fields: Any) -> Page:
    return browser.post(f"/desk/tasks/{id_}/voicemail/{what}", **fields)


def audited(house: House) -> list[str]:
    return [each["action"] for each in house.rows("audit")]


# Listening


def test_a_message_says_whose_it_is_and_how_long(desk: House, ana: Browser, message: str) -> None:
    page = ana.get(f"/desk/tasks/{message}/voicemail").text
    assert "Margo" in page and "0:12" in page and "nobody has listened yet" in page
    assert f'src="/desk/recordings/{sid_of(message)}.mp3"' in page


def test_the_sound_comes_through_us_and_is_kept_nowhere(
    desk: House, ana: Browser, message: str, fake_twilio: FakeTwilio
) -> None:
    answer = ana.client.get(f"/desk/recordings/{sid_of(message)}.mp3")
    assert (answer.status_code, answer.data, answer.mimetype) == (200, SOUND, "audio/mpeg")
    assert answer.headers["Cache-Control"] == "private, no-store"
    assert "X-Twilio-Secret" not in answer.headers
    assert desk.rows("recordings")[0]["heard"] == desk.moment()
    assert audited(desk) == ["listen"]
    assert "first heard" in ana.get(f"/desk/tasks/{message}/voicemail").text


def test_a_browser_may_jump_within_the_sound(desk: House, ana: Browser, message: str) -> None:
    path = f"/desk/recordings/{sid_of(message)}.mp3"
    part = ana.client.get(path, headers={"Range": "bytes=3-6"})
    assert (part.status_code, part.data) == (206, SOUND[3:7])
    assert part.headers["Content-Range"] == f"bytes 3-6/{len(SOUND)}"
    assert ana.client.get(path, headers={"Range": "bytes=9999-"}).status_code == 416
    assert audited(desk) == []


def test_the_sound_is_for_the_agents_of_that_target(desk: House, message: str) -> None:
    path = f"/desk/recordings/{sid_of(message)}.mp3"
    other = Browser(desk, user(desk, "bo", targets=["bereavement_team"]))
    assert other.get(path).status == 403
    assert Browser(desk, user(desk, "dora", role="designer")).get(path).status == 403
    assert Browser(desk).get(path).status == 303
    assert other.get("/desk/recordings/RE0.mp3").status == 404
    assert desk.rows("recordings")[0]["heard"] is None


def test_where_twilio_fails_it_is_said_in_words(
    desk: House, ana: Browser, message: str, fake_twilio: FakeTwilio
) -> None:
    path = f"/desk/recordings/{sid_of(message)}.mp3"
    del fake_twilio.recordings[sid_of(message)]
    answer = ana.get(path)
    assert answer.status == 404 and "It may have been deleted there, or is not ready yet" in answer.text
    fake_twilio.ends()
    answer = ana.get(path)
    assert answer.status == 502 and "Try again in a moment" in answer.text
    assert desk.rows("recordings")[0]["heard"] is None


# Done about it


def test_a_message_is_given_to_a_colleague_and_back(desk: House, ana: Browser, message: str) -> None:
    bo = user(desk, "bo", targets=[TEAM])
    assert (
        "Given to Bo."
        in json.loads(does(ana, message, "assign", to=bo.id, htmx=True).headers["HX-Trigger"])["notice"]["text"]
    )
    assert (row(desk, message)["agent"], row(desk, message)["state"]) == (bo.id, "waiting")
    does(ana, message, "assign", to="")
    assert row(desk, message)["agent"] is None


def test_a_message_is_given_only_to_who_may_have_it(desk: House, ana: Browser, message: str) -> None:
    for to in (user(desk, "bo", targets=["bereavement_team"]).id, user(desk, "dora", role="designer").id, "nobody"):
        assert does(ana, message, "assign", to=to).status == 422
    assert row(desk, message)["agent"] is None


def test_a_message_is_handled_and_that_is_taken_back(desk: House, ana: Browser, message: str) -> None:
    answer = does(ana, message, "handled", htmx=True)
    assert (row(desk, message)["result"], row(desk, message)["agent"]) == (
        "handled",
        desk.store.users.by_login("ana").id,
    )
    assert "handled" in answer.text and "by Ana" in answer.text
    assert does(ana, message, "handled").status == 303
    assert ana.post(json.loads(answer.headers["HX-Trigger"])["notice"]["undo"], htmx=True).status == 200
    assert row(desk, message)["state"] == "waiting"
    assert does(ana, message, "reopen").status == 303


def test_it_is_taken_back_for_a_while_only(desk: House, ana: Browser, message: str) -> None:
    does(ana, message, "handled")
    desk.moment.pass_by(601)
    assert does(ana, message, "reopen").status == 409
    assert does(ana, message, "assign", to="").status == 409


def test_a_call_back_answers_a_message_with_its_packet_and_place(
    desk: House, ana: Browser, message: str, fake_twilio: FakeTwilio
) -> None:
    answer = does(ana, message, "call-back")
    left_ = row(desk, message)
    (made,) = desk.rows("tasks", kind="callback")
    assert answer.headers["Location"].endswith(f"/desk/tasks/{made['id']}")
    assert (made["number"], made["entered"], made["call"]) == (MARGO, left_["entered"], left_["call"])
    assert (left_["state"], left_["result"]) == ("done", "handled")
    assert ana.post(f"/desk/tasks/{made['id']}/take", htmx=True).status == 200
    assert [call["To"] for call in fake_twilio.calls.values()] == ["+15550007777"]
    assert does(ana, message, "call-back").headers["Location"] == answer.headers["Location"]
    assert len(desk.rows("tasks", kind="callback")) == 1


def test_who_is_waiting_to_be_called_back_is_called_once(desk: House, ana: Browser, message: str) -> None:
    booked = waits(desk)
    assert desk.store.tasks.book(booked, MARGO, desk.moment(), desk.moment())
    does(ana, message, "call-back")
    standing = [task["result"] for task in desk.rows("tasks", kind="callback")]
    assert sorted(standing, key=str) == [None, "merged"]


def test_nobody_is_called_back_at_night(desk: House, message: str) -> None:
    desk.moment.pass_by(14 * 3600)
    ana = Browser(desk, user(desk, "ana"))
    answer = does(ana, message, "call-back")
    assert answer.status == 303
    assert "It is too early or too late to call there now" in ana.get(answer.headers["Location"]).text
    (made,) = desk.rows("tasks", kind="callback")
    assert made["due"] > desk.moment()


def test_who_withholds_their_number_cannot_be_called_back(desk: House, ana: Browser, fake_twilio: FakeTwilio) -> None:
    id_ = left(desk, fake_twilio, "anonymous", "1")
    assert "Number withheld" in ana.get(f"/desk/tasks/{id_}/voicemail").text
    assert does(ana, id_, "call-back").status == 409
    assert row(desk, id_)["state"] == "waiting"


def test_a_message_is_deleted_here_and_at_twilio(desk: House, ana: Browser, message: str) -> None:
    page = ana.get(f"/desk/tasks/{message}/voicemail").text
    assert 'data-ask="Delete the message of Margo, here and at Twilio?' in page
    assert does(ana, message, "delete").status == does(ana, message, "delete").status == 303
    assert desk.rows("recordings") == []
    (job,) = desk.rows("outbox", name="delete_recording")
    assert json.loads(job["payload"]) == {"recording": sid_of(message)}
    assert row(desk, message)["result"] == "deleted"
    assert ana.get(f"/desk/recordings/{sid_of(message)}.mp3").status == 404
    assert "This message was deleted" in ana.get(f"/desk/tasks/{message}/voicemail").text
    assert audited(desk) == ["delete"]


def test_messages_are_for_the_agents_of_that_target(desk: House, ana: Browser, message: str) -> None:
    other = Browser(desk, user(desk, "bo", targets=["bereavement_team"]))
    assert other.get(f"/desk/tasks/{message}/voicemail").status == 403
    for what in ("assign", "handled", "reopen", "delete", "call-back"):
        assert does(other, message, what).status == 403
        assert does(ana, message, what, token="forged").status == 400
        assert does(ana, waits(desk, STRANGER, "1"), what).status == 404
    assert row(desk, message)["state"] == "waiting" and len(desk.rows("recordings")) == 1
