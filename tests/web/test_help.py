"""Gestures and concessions: what an agent may send and grant, in approved words, within a limit, and once."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ivr.config import Mail
from ivr.store.people import PersonRow
from ivr.worker import Worker
from tests.actors import ALICIA, MARGO, ROSA, STRANGER, House, at_once
from tests.web.browser import Browser, Page, user
from tests.web.panels import TEAM, joins, once, task_of, waits

PAGES = True

HOSTILE = '<script>alert("x")</script>'


@pytest.fixture
def ana(line: House) -> Browser:
    """Ana's browser."""
    return Browser(line, user(line, "ana", targets=[TEAM]))


def opens(ana: Browser, id_: str, what: str = "gesture") -> Page:
    return ana.get(f"/desk/tasks/{id_}/{what}")


def sends(ana: Browser, id_: str, gesture: str = "apology", by: str = "sms", own: str = "", **more: Any) -> Page:
    if "once" not in more:
        more["once"] = once(opens(ana, id_))
    return ana.post(f"/desk/tasks/{id_}/gesture", gesture=gesture, by=by, own=own, **more)


def grants(ana: Browser, id_: str, amount: str = "15", why: str = "paid in time", **more: Any) -> Page:
    more.setdefault("once", "a form")
    return ana.post(f"/desk/tasks/{id_}/concession", concession="waive_late_fee", amount=amount, why=why, **more)


def jobs(house: House, name: str) -> list[dict[str, Any]]:
    return [{**row, "payload": json.loads(row["payload"])} for row in house.rows("outbox", name=name)]


def with_mail(house: House) -> House:
    """E-mail can be sent, and one address is known."""
    file = house.config.file.model_copy(
        update={
            "mail": Mail(host="localhost", **{"from": "hello@northlight.example"}),
            "gestures": {
                name: spec.model_copy(update={"by": ("sms", "email", "card")})
                for name, spec in house.config.file.gestures.items()
            },
        }
    )
    made = House(house.project, house.url, house.moment, house.made, config={"file": file}, only=None)
    made.store.put_person(PersonRow((ALICIA,), facts={"email": "alicia@example.com"}), "test", house.moment())
    return made


# Gestures


def test_a_gesture_is_shown_before_it_goes_with_the_callers_own_name(line: House, ana: Browser) -> None:
    shown = opens(ana, waits(line)).text
    for title in ("Sympathy", "Apology", "Congratulations", "Thank you"):
        assert title in shown
    id_ = waits(line, ROSA)
    assert "Dear" not in shown or "Dear Margo" in shown
    spanish = ana.post(f"/desk/tasks/{id_}/gesture/preview", gesture="apology", by="sms").text
    assert "Rosa: sentimos las molestias" in spanish
    assert jobs(line, "sms") == []


def test_a_gesture_goes_through_the_outbox_to_the_caller(line: House, ana: Browser) -> None:
    call = joins(line)
    answer = sends(ana, task_of(call), own="See you on Tuesday!")
    assert answer.status == 303
    (job,) = jobs(line, "sms")
    assert job["payload"]["to"] == MARGO and job["payload"]["from"] == call.to
    assert job["payload"]["words"].startswith("Dear Margo, we are sorry")
    assert job["payload"]["words"].endswith("patience. See you on Tuesday!")
    assert (job["kind"], job["call"], job["run_at"]) == ("message", call.sid, line.moment() + 10)
    (grant,) = line.rows("grants")
    assert (grant["kind"], grant["name"], grant["words"]) == ("gesture", "apology", job["payload"]["words"])
    listed = opens(ana, task_of(call)).text
    assert "Sent for this call" in listed and "Ana, <time" in listed
    assert [row["action"] for row in line.rows("audit")] == ["gesture"]


def test_a_caller_nobody_knows_is_not_called_by_a_name(line: House, ana: Browser) -> None:
    sends(ana, waits(line, STRANGER, "1"))
    (job,) = jobs(line, "sms")
    assert job["payload"]["words"].startswith("We are sorry")


def test_a_form_that_is_sent_twice_sends_one_message(house: House) -> None:
    browser, id_ = Browser(house, user(house, "ana")), waits(house)
    token = once(opens(browser, id_))
    assert sends(browser, id_, once=token).status == sends(browser, id_, once=token).status == 303
    assert len(jobs(house, "sms")) == len(house.rows("grants")) == 1


def test_two_clicks_at_the_same_moment_send_one_message(house: House) -> None:
    who = user(house, "ana")
    one, two, id_ = Browser(house, who), Browser(house, who), waits(house)
    token = once(opens(one, id_))
    at_once(lambda: sends(one, id_, once=token), lambda: sends(two, id_, once=token))
    assert len(jobs(house, "sms")) == len(house.rows("grants")) == 1


def test_a_gesture_is_taken_back_while_nothing_has_left(house: House) -> None:
    ana, id_ = Browser(house, user(house, "ana")), waits(house)
    undo = sends(ana, id_, htmx=True).headers["HX-Trigger"]
    answer = ana.post(json.loads(undo)["notice"]["undo"], htmx=True)
    assert answer.status == 200 and "undone" in json.loads(answer.headers["HX-Trigger"])
    assert jobs(house, "sms") == []
    assert house.rows("grants")[0]["undone"] == house.moment()
    assert "Sent for this call" not in opens(ana, id_).text


def test_what_the_outbox_has_taken_cannot_be_taken_back(line: House, ana: Browser) -> None:
    id_ = waits(line)
    sends(ana, id_)
    (grant,) = line.rows("grants")
    line.moment.pass_by(11)
    Worker(line.config, line.store, line.moment, line.app.extensions["ivr"].log).outbox()
    answer = ana.post(f"/desk/grants/{grant['id']}/undo", htmx=True)
    assert (answer.status, answer.text) == (409, "This is on its way already and cannot be taken back.")
    assert "Undo" not in opens(ana, id_).text


def test_a_form_sent_again_after_undo_sends_nothing(line: House, ana: Browser) -> None:
    id_ = waits(line)
    token = once(opens(ana, id_))
    sends(ana, id_, once=token)
    ana.post(f"/desk/grants/{line.rows('grants')[0]['id']}/undo")
    assert sends(ana, id_, once=token).status == 409
    assert jobs(line, "sms") == []


def test_only_who_sent_it_takes_it_back(line: House, ana: Browser) -> None:
    sends(ana, waits(line))
    bo = Browser(line, user(line, "bo", targets=[TEAM]))
    answer = bo.post(f"/desk/grants/{line.rows('grants')[0]['id']}/undo", htmx=True)
    assert answer.status == 403 and "Ana did this" in answer.text


def test_a_card_is_printed_and_nothing_is_sent(line: House, ana: Browser) -> None:
    assert sends(ana, waits(line), "sympathy", "card", own="I light a candle.").status == 303
    assert jobs(line, "sms") == []
    (grant,) = line.rows("grants")
    card = ana.get(f"/desk/grants/{grant['id']}/card").text
    assert 'class="gesture"' in card and "we are so sorry for your loss" in card and "I light a candle." in card
    ana.post(f"/desk/grants/{grant['id']}/undo")
    assert ana.get(f"/desk/grants/{grant['id']}/card").status == 404


def test_a_gesture_by_mail_goes_to_the_address_we_have_under_the_lines_name(line: House) -> None:
    house = with_mail(line)
    ana = Browser(house, user(house, "ana"))
    id_ = waits(house, ALICIA)
    shown = ana.post(f"/desk/tasks/{id_}/gesture/preview", gesture="thank_you", by="email").text
    assert "a•••@example.com" in shown and "alicia@example.com" not in shown
    sends(ana, id_, "thank_you", "email", own="Until soon.")
    (job,) = jobs(house, "email")
    assert job["payload"]["to"] == "alicia@example.com" and job["payload"]["subject"] == "Northlight Energy"
    assert job["payload"]["words"].endswith("\n\nUntil soon.")


def test_a_way_that_cannot_reach_them_says_why(line: House) -> None:
    house = with_mail(line)
    ana = Browser(house, user(house, "ana"))
    id_ = waits(house, "anonymous", "1")
    shown = opens(ana, id_).text
    assert "their number is withheld" in shown and "we have no address of theirs" in shown
    for by, why in (("sms", "their number is withheld"), ("email", "we have no address of theirs")):
        answer = sends(ana, id_, by=by, htmx=True)
        assert answer.status == 422 and why in answer.text
    assert house.rows("outbox", kind="message") == []
    assert sends(ana, id_, by="card").status == 303


def test_what_is_wrong_with_a_gesture_is_said(line: House, ana: Browser) -> None:
    id_ = waits(line)
    changes: tuple[tuple[dict[str, str], str], ...] = (
        ({"gesture": "flowers"}, "Choose one of the gestures"),
        ({"own": "x" * 201}, "Shorten it to 200"),
    )
    for change, words in changes:
        plain, part = sends(ana, id_, **change), sends(ana, id_, htmx=True, **change)
        assert (plain.status, part.status) == (422, 422)
        assert words in plain.text and words in part.text and "<" not in part.text
    assert line.rows("grants") == []


def test_hostile_words_are_shown_and_sent_as_text(line: House, ana: Browser) -> None:
    line.store.put_person(PersonRow((STRANGER,), facts={"first_name": HOSTILE}), "test", line.moment())
    id_ = waits(line, STRANGER, "1")
    shown = ana.post(
        f"/desk/tasks/{id_}/gesture/preview", gesture="apology", by="sms", own="<b>dear</b>\r\nBcc: x"
    ).text
    assert HOSTILE not in shown and "&lt;script&gt;" in shown and "&lt;b&gt;dear&lt;/b&gt; Bcc: x" in shown
    sends(ana, id_, own="<b>dear</b>")
    assert jobs(line, "sms")[0]["payload"]["words"].endswith("<b>dear</b>")


def test_nothing_can_be_sent_for_a_call_that_was_erased(line: House, ana: Browser) -> None:
    call = joins(line, STRANGER, "1")
    id_ = task_of(call)
    token = once(opens(ana, id_))
    line.run("UPDATE calls SET session = NULL WHERE sid = :sid", sid=call.sid)
    assert "This call was erased" in opens(ana, id_).text
    assert "This call was erased" in opens(ana, id_, "concession").text
    assert sends(ana, id_, once=token).status == grants(ana, id_).status == 409
    assert line.rows("grants") == []


def test_without_gestures_the_page_says_where_they_come_from(line: House) -> None:
    file = line.config.file.model_copy(update={"gestures": {}, "concessions": {}})
    house = House(line.project, line.url, line.moment, line.made, config={"file": file}, only=None)
    ana, id_ = Browser(house, user(house, "ana")), waits(house)
    assert "config.yaml under gestures:" in opens(ana, id_).text
    assert "config.yaml under concessions:" in opens(ana, id_, "concession").text


@pytest.mark.parametrize("what", ["gesture", "concession"])
def test_help_is_for_the_agents_of_that_target(line: House, ana: Browser, what: str) -> None:
    id_ = waits(line)
    path = f"/desk/tasks/{id_}/{what}"
    other = Browser(line, user(line, "bo", targets=["bereavement_team"]))
    assert other.get(path).status == other.post(path, once="x").status == 403
    assert Browser(line, user(line, "dora", role="designer")).get(path).status == 403
    assert Browser(line).get(path).status == 303
    assert ana.get(f"/desk/tasks/nobody-1/{what}").status == 404
    assert ana.post(path, token="forged", once="x").status == 400
    assert ana.post(path).status == 400
    assert line.rows("grants") == []


# Concessions


def bill(house: House, number: str = MARGO, *keys: str) -> str:
    """Somebody asks about their bill, and then for a person."""
    return waits(house, number, *keys, "2")


def test_a_concession_is_offered_with_its_limit_and_how_like_cases_were_treated(line: House, ana: Browser) -> None:
    id_ = bill(line)
    shown = opens(ana, id_, "concession").text
    assert "Waive the late fee" in shown and "20.00 USD" in shown and "no case like it yet" in shown
    assert "Nothing to grant here" in opens(ana, waits(line), "concession").text


def test_like_cases_are_counted(line: House, ana: Browser) -> None:
    who = line.store.users.by_login("ana")
    for granted in (True, True, False):
        id_ = bill(line)
        if granted:
            assert grants(ana, id_, once=id_).status == 303
        line.run("UPDATE tasks SET state = 'done', done = changed, agent = :ana WHERE id = :id", ana=who.id, id=id_)
    assert "granted in 2 of 3 like it" in opens(ana, bill(line), "concession").text


def test_a_concession_is_granted_through_the_outbox(line: House, ana: Browser) -> None:
    id_ = bill(line)
    answer = grants(ana, id_, "12.50", "paid in time", htmx=True)
    assert answer.status == 200 and "12.50 USD" in answer.text and "paid in time" in answer.text
    (job,) = jobs(line, "waive_fee")
    assert (job["kind"], job["payload"]) == ("action", {"account": "4411", "fee": 12.5})
    assert job["run_at"] == line.moment() + 10
    (grant,) = line.rows("grants")
    assert (grant["amount"], grant["why"], grant["reason"], grant["user"]) == (
        12.5,
        "paid in time",
        "bill",
        line.store.users.by_login("ana").id,
    )


def test_a_concession_is_taken_back(line: House, ana: Browser) -> None:
    answer = grants(ana, bill(line), htmx=True)
    assert ana.post(json.loads(answer.headers["HX-Trigger"])["notice"]["undo"]).status == 303
    assert jobs(line, "waive_fee") == []


def test_what_cannot_be_granted_is_refused_in_words(line: House, ana: Browser) -> None:
    id_ = bill(line)
    for amount, why, words in (
        ("20.01", "asked nicely", "20.01 is over your limit of 20"),
        ("1e309", "asked nicely", "a number above zero"),
        ("nan", "asked nicely", "a number above zero"),
        ("-5", "asked nicely", "a number above zero"),
        ("0.001", "asked nicely", "a number above zero"),
        ("lots", "asked nicely", "a number above zero"),
        ("20", " ", "Say in a few words why"),
    ):
        plain, part = grants(ana, id_, amount, why), grants(ana, id_, amount, why, htmx=True)
        assert (plain.status, part.status) == (422, 422)
        assert words in plain.text and words in part.text
        assert line.rows("grants") == jobs(line, "waive_fee") == []


def test_several_grants_together_stay_within_the_limit(line: House, ana: Browser) -> None:
    id_ = bill(line)
    assert grants(ana, id_, "15", once="one").status == 303
    answer = grants(ana, id_, "6", once="two", htmx=True)
    assert (answer.status, answer.text) == (422, "15 of 20 is granted already. At most 5 is left.")
    assert grants(ana, id_, "5", once="three").status == 303


def test_two_colleagues_at_the_same_moment_stay_within_the_limit(house: House) -> None:
    id_ = bill(house)
    both = [Browser(house, user(house, login)) for login in ("ana", "bo")]
    tokens = [browser.token for browser in both]
    at_once(*(lambda b=b, k=k: grants(b, id_, "15", token=k) for b, k in zip(both, tokens, strict=True)))
    assert len(house.rows("grants")) == len(jobs(house, "waive_fee")) == 1


def test_the_same_form_twice_grants_once(line: House, ana: Browser) -> None:
    id_ = bill(line)
    assert grants(ana, id_).status == grants(ana, id_).status == 303
    assert len(jobs(line, "waive_fee")) == 1


def test_what_is_not_offered_cannot_be_granted(line: House, ana: Browser) -> None:
    assert grants(ana, waits(line, MARGO, "1")).status == 422
    assert line.rows("grants") == []


def test_what_the_action_needs_must_be_known(line: House, ana: Browser) -> None:
    id_ = bill(line, STRANGER, "1")
    assert "Not known yet: account" in opens(ana, id_, "concession").text
    answer = grants(ana, id_, htmx=True)
    assert answer.status == 422 and "Not known yet: account" in answer.text
