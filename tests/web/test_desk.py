"""/desk: what agents see of who waits, and what becomes of a caller whom they take."""

from __future__ import annotations

import re
from typing import Any

import pytest

from ivr.store.people import PersonRow
from ivr.store.users import User
from tests.actors import MARGO, STRANGER, House, Phone, at_once
from tests.conftest import MakeHouse
from tests.fake_twilio import FakeTwilio
from tests.web.browser import Browser, Page, user
from tests.web.legs import Leg

PAGES = True

PHONE = "+15550007777"
TEAM = "care_team"


@pytest.fixture
def desk(sqlite_url: str, make_house: MakeHouse, fake_twilio: FakeTwilio) -> House:
    """A server whose Twilio account is the played one."""
    return make_house(sqlite_url, config=fake_twilio.account)


@pytest.fixture
def ana(desk: House) -> User:
    return agent(desk, "ana")


def agent(house: House, login: str, **more: Any) -> User:
    """Somebody with a phone who is available."""
    made = user(house, login, **{"phone": PHONE, "targets": [TEAM], **more})
    house.store.users.set_presence(made.id, "available", house.moment())
    return made


def waits(house: House, number: str = MARGO, *keys: str) -> str:
    """A caller joins the queue: the id of the task."""
    call = house.calls(number).dial()
    for key in keys:
        call.press(key)
    call.press("0")
    return task_of(call)


def task_of(call: Phone) -> str:
    return str(call.session.wait.spec["task"])


def row(house: House, id_: str) -> dict[str, Any]:
    (found,) = house.rows("tasks", id=id_)
    return found


def takes(page: Browser, id_: str) -> Page:
    return page.post(f"/desk/tasks/{id_}/take", htmx=True)


def talks(house: House, twilio: FakeTwilio, page: Browser, id_: str) -> Leg:
    """The agent takes the caller, and the two talk."""
    takes(page, id_)
    return Leg(house, twilio).picks_up().presses("1")


def parts(house: House, twilio: FakeTwilio, page: Browser, id_: str) -> None:
    """They have talked."""
    talks(house, twilio, page, id_).hangs_up()
    assert row(house, id_)["state"] == "wrap_up"


def callback(house: House, number: str = MARGO) -> str:
    """Somebody who waits is called back instead."""
    id_ = waits(house, number)
    assert house.store.tasks.book(id_, number, house.moment(), house.moment())
    house.moment.pass_by(60)
    return id_


# Who waits


def test_nobody_sees_the_desk_without_signing_in(desk: House) -> None:
    answer = Browser(desk).get("/desk")
    assert (answer.status, answer.headers["Location"]) == (303, "/login?next=/desk")


def test_who_works_elsewhere_is_told_so(desk: House) -> None:
    assert Browser(desk, user(desk, "dora", role="designer")).get("/desk").status == 403


def test_the_list_shows_who_waits_and_how_long_and_why(desk: House, ana: User) -> None:
    id_ = waits(desk)
    page = Browser(desk, ana).get("/desk").text
    assert "Margo" in page and "speak to someone" in page
    assert f'data-since="{row(desk, id_)["entered"]}"' in page
    assert 'Waiting <span class="count">1</span>' in page


def test_agents_see_only_callers_of_their_own_targets(desk: House) -> None:
    id_, other = waits(desk), Browser(desk, agent(desk, "bo", targets=["bereavement_team"]))
    assert "Nobody is waiting" in other.get("/desk").text
    assert other.get(f"/desk/tasks/{id_}").status == 403
    assert takes(other, id_).status == 403


def test_a_number_is_masked_until_its_caller_is_theirs(desk: House, ana: User, fake_twilio: FakeTwilio) -> None:
    id_, page = waits(desk, STRANGER, "1"), Browser(desk, ana)
    assert STRANGER not in page.get(f"/desk/tasks/{id_}").text + page.get("/desk").text
    assert STRANGER in Browser(desk, user(desk, "root", role="admin")).get(f"/desk/tasks/{id_}").text
    assert STRANGER in takes(page, id_).text


def test_a_hostile_name_is_only_text(desk: House, ana: User) -> None:
    name = "<script>alert(1)</script>\u202egnp.exe"
    person = PersonRow(("+15550109999",), facts={"first_name": name, "prefers.language": "en"})
    desk.store.put_person(person, "import", desk.moment())
    page = Browser(desk, ana).get(f"/desk/tasks/{waits(desk, '+15550109999')}").text
    assert "<script>alert" not in page and "\u202e" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page


def test_the_first_two_lines_are_enough_to_say_the_right_first_sentence(desk: House, ana: User) -> None:
    call = desk.calls(MARGO).dial().press("3").proves().say("actually it's about my bill").say("agent")
    head = re.search(
        r'<header class="lead">.*?</header>', Browser(desk, ana).get(f"/desk/tasks/{task_of(call)}").text, re.S
    )
    assert head
    for words in (
        "Margo",
        "verified",
        "English",
        "brisk",
        "on hold",
        "actually it&#39;s about my bill",
        "understood as",
    ):
        assert words in head[0]


def test_a_packet_says_what_not_to_ask_again(desk: House, ana: User) -> None:
    call = desk.calls(MARGO).dial().press("3").proves().say("agent")
    page = Browser(desk, ana).get(f"/desk/tasks/{task_of(call)}").text
    assert "Do not ask again" in page and "verified: identity" in page
    assert "04121988" not in page and "1988" not in page


def test_opening_a_packet_is_kept_once(desk: House, ana: User) -> None:
    id_, page = waits(desk), Browser(desk, ana)
    page.get(f"/desk/tasks/{id_}")
    opened = row(desk, id_)["opened"]
    desk.moment.pass_by(9)
    page.get(f"/desk/tasks/{id_}")
    assert opened == row(desk, id_)["opened"] == desk.moment() - 9


def test_a_page_that_shows_a_task_as_it_is_gets_nothing_new(desk: House, ana: User) -> None:
    id_, page = waits(desk), Browser(desk, ana)
    version = re.search(r"\?seen=([^\"]+)", page.get(f"/desk/tasks/{id_}").text)
    assert version
    where = f"/desk/tasks/{id_}?seen={version[1]}"
    assert page.get(where, htmx=True).status == 204
    desk.store.tasks.take(id_, ana.id, desk.moment())
    assert "Asking Twilio to ring" in page.get(where, htmx=True).text


def test_going_back_in_the_browser_gets_a_whole_page(desk: House, ana: User) -> None:
    id_ = waits(desk)
    page = Browser(desk, ana).get(f"/desk/tasks/{id_}", htmx=True, **{"HX-History-Restore-Request": "true"})
    assert page.text.lstrip().startswith("<!doctype html>")


def test_the_list_brings_the_presence_along_once_it_has_changed(desk: House, ana: User) -> None:
    page = Browser(desk, ana)
    assert "hx-swap-oob" not in page.get("/desk/list?presence=available", htmx=True).text
    desk.store.users.set_presence(ana.id, "away", desk.moment())
    assert 'id="presence" data-menu hx-swap-oob="true"' in page.get("/desk/list?presence=available", htmx=True).text


def test_a_session_that_has_ended_leads_to_the_login(desk: House, ana: User) -> None:
    id_, page = waits(desk), Browser(desk, ana)
    token = page.token
    desk.store.sessions.revoke_all(ana.id)
    lost = page.post(f"/desk/tasks/{id_}/note", htmx=True, token=token, note="half a wo")
    assert lost.status == 401
    assert lost.headers["HX-Redirect"].startswith("/login")


def test_a_caller_is_kept_for_the_agent_who_knows_them(desk: House, ana: User, fake_twilio: FakeTwilio) -> None:
    page, bo = Browser(desk, ana), Browser(desk, agent(desk, "bo"))
    first = waits(desk)
    parts(desk, fake_twilio, page, first)
    page.post(f"/desk/tasks/{first}/finish", outcome="solved")
    waits(desk)
    assert "for Ana" in bo.get("/desk").text and "for you" in page.get("/desk").text
    assert "Nobody is waiting for you just now" in bo.post("/desk/next", htmx=True).text
    desk.moment.pass_by(31)
    assert "Your phone is ringing" in bo.post("/desk/next", htmx=True).text


def test_the_next_caller_is_who_is_first_in_the_order_of_service(desk: House, ana: User) -> None:
    first = waits(desk, STRANGER, "1")
    desk.moment.pass_by(60)
    waits(desk)
    Browser(desk, ana).post("/desk/next", htmx=True)
    assert row(desk, first)["state"] == "ringing"


# Taking


def test_taking_a_caller_rings_the_agents_phone_from_the_line(desk: House, ana: User, fake_twilio: FakeTwilio) -> None:
    id_, page = waits(desk), Browser(desk, ana)
    answer = takes(page, id_)
    assert answer.status == 200 and "Your phone is ringing" in answer.text and "Press 1 to accept" in answer.text
    assert answer.headers["HX-Push-Url"] == f"/desk/tasks/{id_}"
    (call,) = fake_twilio.calls.values()
    assert (call["To"], call["From"], call["Timeout"]) == (PHONE, "+15550001111", "25")
    assert call["Url"] == f"http://localhost/voice/agent?task={id_}"
    assert call["StatusCallback"] == f"http://localhost/voice/agent/status?task={id_}"
    assert row(desk, id_)["agent_call"] == next(iter(fake_twilio.calls))
    assert [entry.action for entry in desk.store.audit.recent(5, ana.id)] == ["take"]


def test_without_javascript_the_same_buttons_lead_to_the_page(desk: House, ana: User, fake_twilio: FakeTwilio) -> None:
    id_, page = waits(desk), Browser(desk, ana)
    answer = page.post("/desk/next")
    assert (answer.status, answer.headers["Location"]) == (303, f"/desk/tasks/{id_}")
    assert page.get("/desk").headers["Location"] == f"/desk/tasks/{id_}"
    assert page.get("/desk?list=all").status == 200


def test_an_agent_without_a_phone_is_told_where_to_set_one(desk: House, fake_twilio: FakeTwilio) -> None:
    id_, page = waits(desk), Browser(desk, agent(desk, "bo", phone=None))
    answer = takes(page, id_)
    assert answer.status == 409 and "Set the one that should ring under Account" in answer.text
    assert row(desk, id_)["state"] == "waiting" and not fake_twilio.calls


def test_of_two_agents_the_second_reads_who_was_first(desk: House, ana: User) -> None:
    id_ = waits(desk)
    takes(Browser(desk, ana), id_)
    answer = takes(Browser(desk, agent(desk, "bo")), id_)
    assert answer.status == 409 and "Ana has just taken this call." in answer.text


def test_two_agents_at_once_ring_one_phone(database_url: str, make_house: MakeHouse, fake_twilio: FakeTwilio) -> None:
    house = make_house(database_url, config=fake_twilio.account)
    id_, pages = waits(house), [Browser(house, agent(house, login)) for login in ("ana", "bo", "cem")]
    tokens = [page.token for page in pages]

    def take(page: Browser, token: str) -> Page:
        return page.post(f"/desk/tasks/{id_}/take", htmx=True, token=token)

    answers = at_once(*[lambda p=page, t=token: take(p, t) for page, token in zip(pages, tokens, strict=True)])
    assert sorted(answer.status for answer in answers) == [200, 409, 409]
    assert len(fake_twilio.calls) == 1


def test_an_agent_has_one_caller_at_a_time(desk: House, ana: User, fake_twilio: FakeTwilio) -> None:
    page = Browser(desk, ana)
    takes(page, waits(desk))
    second = waits(desk, STRANGER, "1")
    assert "You have another caller in hand" in takes(page, second).text
    assert page.post("/desk/next", htmx=True).status == 409
    assert len(fake_twilio.calls) == 1 and row(desk, second)["state"] == "waiting"


def test_a_caller_who_hung_up_a_moment_before_is_not_rung_for(desk: House, ana: User, fake_twilio: FakeTwilio) -> None:
    call = desk.calls(MARGO).dial().press("0")
    id_ = task_of(call)
    call.hang_up()
    answer = takes(Browser(desk, ana), id_)
    assert answer.status == 409 and "The caller has hung up." in answer.text and not fake_twilio.calls


def test_what_twilio_refuses_leaves_the_caller_in_line(desk: House, ana: User, fake_twilio: FakeTwilio) -> None:
    id_ = waits(desk)
    fake_twilio.refuses(400, 21211, "The 'To' number is not a valid phone number")
    answer = takes(Browser(desk, ana), id_)
    assert answer.status == 409
    assert "Your phone was not rung" in answer.text and "The caller is still in line." in answer.text
    assert (row(desk, id_)["state"], row(desk, id_)["agent"]) == ("waiting", None)
    assert desk.store.users.get(ana.id).presence == "available"  # type: ignore[union-attr]


def test_when_twilio_does_not_answer_the_page_says_what_happens_next(
    desk: House, ana: User, fake_twilio: FakeTwilio
) -> None:
    id_, page = waits(desk), Browser(desk, ana)
    fake_twilio.loses()
    assert takes(page, id_).status == 200
    assert row(desk, id_)["state"] == "ringing"
    desk.moment.pass_by(12)
    page_now = page.get(f"/desk/tasks/{id_}").text
    assert "If your phone does not ring within 55 s, the caller is back in line." in page_now
    desk.moment.pass_by(60)
    assert desk.store.tasks.release_stale(desk.moment(), 55) == 1
    assert row(desk, id_)["state"] == "waiting"


def test_without_a_twilio_account_one_line_says_so(line: House) -> None:
    id_ = waits(line)
    answer = takes(Browser(line, agent(line, "ana")), id_)
    assert answer.status == 409 and "TWILIO_ACCOUNT_SID is not set" in answer.text
    assert row(line, id_)["state"] == "waiting"


@pytest.mark.parametrize("status", ["busy", "no-answer", "failed", "completed"])
def test_a_phone_that_nobody_takes_up_gives_the_caller_back(
    desk: House, ana: User, fake_twilio: FakeTwilio, status: str
) -> None:
    id_, page = waits(desk), Browser(desk, ana)
    takes(page, id_)
    Leg(desk, fake_twilio).ends(status)
    assert (row(desk, id_)["state"], row(desk, id_)["entered"]) == ("waiting", desk.moment())
    assert "Your presence: away" in page.get("/desk").text


# Talking, writing it down


def test_while_they_talk_the_page_counts_and_keeps_the_note(desk: House, ana: User, fake_twilio: FakeTwilio) -> None:
    id_, page = waits(desk), Browser(desk, ana)
    talks(desk, fake_twilio, page, id_)
    shown = page.get(f"/desk/tasks/{id_}").text
    assert "on the call" in shown and f'data-since="{desk.moment()}"' in shown
    assert "Saved" in page.post(f"/desk/tasks/{id_}/note", htmx=True, note=" moves in March ").text
    assert ">moves in March</textarea>" in page.get(f"/desk/tasks/{id_}").text


def test_a_note_on_somebody_elses_caller_is_refused_and_says_whose_it_is(
    desk: House, ana: User, fake_twilio: FakeTwilio
) -> None:
    id_, bo = waits(desk), Browser(desk, agent(desk, "bo"))
    talks(desk, fake_twilio, Browser(desk, ana), id_)
    answer = bo.post(f"/desk/tasks/{id_}/note", htmx=True, note="mine?")
    assert answer.status == 409 and "Ana has it now" in answer.text
    assert row(desk, id_)["note"] is None


def test_the_call_can_be_ended_on_the_page_where_twilios_word_was_lost(
    desk: House, ana: User, fake_twilio: FakeTwilio
) -> None:
    id_, page = waits(desk), Browser(desk, ana)
    talks(desk, fake_twilio, page, id_)
    assert "Not solved" in page.post(f"/desk/tasks/{id_}/over", htmx=True).text
    assert row(desk, id_)["state"] == "wrap_up"


def test_wrap_up_ends_with_an_outcome_and_a_note(desk: House, ana: User, fake_twilio: FakeTwilio) -> None:
    id_, page = waits(desk), Browser(desk, ana)
    parts(desk, fake_twilio, page, id_)
    answer = page.post(f"/desk/tasks/{id_}/finish", htmx=True, outcome="solved", note="all good")
    assert answer.status == 200 and answer.headers["HX-Push-Url"] == "/desk"
    done = row(desk, id_)
    assert (done["state"], done["result"], done["outcome"], done["note"]) == ("done", "answered", "solved", "all good")
    assert "Nobody is waiting" in page.get("/desk").text and "Your presence: available" in page.get("/desk").text


def test_an_unknown_outcome_is_asked_for_again(desk: House, ana: User, fake_twilio: FakeTwilio) -> None:
    id_, page = waits(desk), Browser(desk, ana)
    parts(desk, fake_twilio, page, id_)
    answer = page.post(f"/desk/tasks/{id_}/finish", htmx=True, outcome="great")
    assert (answer.status, answer.text) == (422, "Choose how it ended.")


def test_what_is_finished_twice_is_finished_once(desk: House, ana: User, fake_twilio: FakeTwilio) -> None:
    id_, page = waits(desk), Browser(desk, ana)
    parts(desk, fake_twilio, page, id_)
    token = page.token

    def finish() -> int:
        return page.post(f"/desk/tasks/{id_}/finish", htmx=True, token=token, outcome="call_again").status

    assert sorted(at_once(finish, finish)) == [200, 409]
    assert len(desk.rows("tasks", kind="callback")) == 1


def test_a_note_is_kept_on_the_case_there_is(desk: House, ana: User, fake_twilio: FakeTwilio) -> None:
    id_, page = waits(desk), Browser(desk, ana)
    with desk.store.database.write() as connection:
        desk.store.cases.open(
            connection, "c1", "margo", "bill", "too high", "agent", "northlight", desk.moment(), "2026-03-02"
        )
    parts(desk, fake_twilio, page, id_)
    page.post(f"/desk/tasks/{id_}/note", note="checked the meter")
    page.post(f"/desk/tasks/{id_}/finish", outcome="not_solved")
    (noted,) = desk.rows("case_events", kind="note")
    assert (noted["case"], noted["text"], noted["user"]) == ("c1", "checked the meter", ana.id)


def test_who_is_to_be_called_again_waits_as_a_callback(desk: House, ana: User, fake_twilio: FakeTwilio) -> None:
    id_, page = waits(desk), Browser(desk, ana)
    parts(desk, fake_twilio, page, id_)
    answer = page.post(f"/desk/tasks/{id_}/finish", htmx=True, outcome="call_again")
    assert "called back in 15 min" in answer.headers["HX-Trigger-After-Swap"]
    (again,) = desk.rows("tasks", kind="callback")
    assert (again["kind"], again["state"], again["number"], again["last_agent"]) == (
        "callback",
        "waiting",
        MARGO,
        ana.id,
    )
    assert again["due"] == desk.moment() + 900
    assert 'Callbacks <span class="count">1</span>' in page.get("/desk").text
    assert "too early to call back" in takes(page, again["id"]).text


def test_nobody_is_called_again_at_a_number_that_is_withheld(desk: House, ana: User, fake_twilio: FakeTwilio) -> None:
    id_, page = waits(desk, "anonymous", "1"), Browser(desk, ana)
    assert "Number withheld" in page.get("/desk").text
    parts(desk, fake_twilio, page, id_)
    answer = page.post(f"/desk/tasks/{id_}/finish", htmx=True, outcome="call_again")
    assert answer.status == 422 and "withheld" in answer.text
    assert row(desk, id_)["state"] == "wrap_up"


def test_a_callback_that_reaches_nobody_is_tried_again_then_closed_honestly(
    desk: House, ana: User, fake_twilio: FakeTwilio
) -> None:
    id_, page = callback(desk), Browser(desk, ana)
    said = []
    for _ in range(3):
        parts(desk, fake_twilio, page, id_)
        assert "Not reached" in page.get(f"/desk/tasks/{id_}").text
        said.append(page.post(f"/desk/tasks/{id_}/again", htmx=True).headers["HX-Trigger-After-Swap"])
        desk.moment.pass_by(900)
    assert "tried again in 15 min" in said[0] and "Not reached after 3 tries" in said[2]
    assert (row(desk, id_)["result"], row(desk, id_)["outcome"]) == ("not_reached", None)


def test_only_a_call_back_is_tried_again(desk: House, ana: User, fake_twilio: FakeTwilio) -> None:
    id_, page = waits(desk), Browser(desk, ana)
    parts(desk, fake_twilio, page, id_)
    assert page.post(f"/desk/tasks/{id_}/again", htmx=True).status == 409


def test_a_caller_in_distress_is_marked_and_served_first(desk: House, ana: User) -> None:
    waits(desk, STRANGER, "1")
    desk.moment.pass_by(60)
    with desk.store.database.write() as connection:
        rushed = desk.store.tasks.open_tasks()[0]._replace(id="CAx-1", because="please take care", ahead=600.0)
        desk.store.tasks.add(connection, rushed, desk.moment())
    page = Browser(desk, ana).get("/desk").text
    assert re.search(r'badge care"><span aria-hidden="true">♥</span> please take care', page)
    assert page.index("row-CAx-1") < page.index("row-CA0")


def test_a_message_appears_and_cannot_be_taken(desk: House, ana: User) -> None:
    waits(desk)
    with desk.store.database.write() as connection:
        message = desk.store.tasks.open_tasks()[0]._replace(id="v-RE1", kind="voicemail", recording="RE1")
        desk.store.tasks.add(connection, message, desk.moment())
    page = Browser(desk, ana)
    assert 'Voicemail <span class="count">1</span>' in page.get("/desk").text
    assert takes(page, "v-RE1").status == 409
