"""Cases at the desk: opened, written on, promised about and closed, and all of it there at the next call."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from ivr.store.people import PersonRow
from tests.actors import ALICIA, MARGO, STRANGER, House
from tests.web.browser import Browser, Page, user
from tests.web.panels import TEAM, waits

PAGES = True

TODAY, TOMORROW = "2026-03-02", "2026-03-03"
HOSTILE = "<img src=x onerror=alert(1)>"


@pytest.fixture
def ana(line: House) -> Browser:
    """Ana's browser."""
    return Browser(line, user(line, "ana", targets=[TEAM]))


def shows(browser: Browser, id_: str) -> Page:
    return browser.get(f"/desk/tasks/{id_}/case")


def opens(
    browser: Browser, id_: str, about: str = "moving", summary: str = "wants the final bill", **more: Any
) -> Page:
    return browser.post(f"/desk/tasks/{id_}/case", about=about, summary=summary, **{"once": "a form", **more})


def changes(browser: Browser, id_: str, case: str, how: str, **fields: Any) -> Page:
    return browser.post(f"/desk/tasks/{id_}/case/{case}/{how}", **{"once": "a form", **fields})


def cases(house: House, number: str = MARGO) -> list[dict[str, Any]]:
    (person,) = house.store.people(number)
    return [dict(case) for case in house.store.cases.of_caller(person.id, every=True)]


def opened(house: House, browser: Browser, number: str = MARGO) -> tuple[str, str]:
    """Somebody waits, and has a case now: ids of task and case."""
    id_ = waits(house, number)
    assert opens(browser, id_).status == 303
    return id_, cases(house, number)[-1]["id"]


def test_a_case_is_opened_once_with_who_and_when(house: House) -> None:
    browser, id_ = Browser(house, user(house, "ana")), waits(house)
    assert opens(browser, id_).status == opens(browser, id_).status == 303
    (case,) = cases(house)
    assert (case["about"], case["summary"], case["opened"], case["origin"]) == (
        "moving",
        "wants the final bill",
        TODAY,
        "agent",
    )
    assert [event["kind"] for event in case["events"]] == ["opened"]
    page = shows(browser, id_).text
    assert "Ana: opened" in page and "wants the final bill" in page


def test_what_a_case_is_about_comes_from_the_lines_menus_or_is_a_word_of_ones_own(line: House, ana: Browser) -> None:
    id_ = waits(line)
    page = shows(ana, id_).text
    assert '<option value="bill">ask about your bill</option>' in page and 'value="agent"' not in page
    assert opens(ana, id_, about="", other="a broken meter box").status == 303
    assert cases(line)[0]["about"] == "a broken meter box"


def test_a_promise_is_there_at_the_next_call(line: House, ana: Browser) -> None:
    id_, case = opened(line, ana)
    assert changes(ana, id_, case, "promise", promise="send the final bill", by=TOMORROW).status == 303
    packet = ana.get(f"/desk/tasks/{waits(line)}").text
    assert f"we promised to send the final bill, by {TOMORROW}" in packet


def test_a_promise_made_twice_by_one_form_is_one_promise(line: House, ana: Browser) -> None:
    id_, case = opened(line, ana)
    for _ in range(2):
        changes(ana, id_, case, "promise", promise="call on Tuesday", by=TODAY)
    assert [each["text"] for each in cases(line)[0]["promises"]] == ["call on Tuesday"]


def test_a_promise_is_kept_and_says_so(line: House, ana: Browser) -> None:
    id_ = waits(line, ALICIA)
    (case,) = cases(line, ALICIA)
    promise = case["promises"][0]["id"]
    assert changes(ana, id_, case["id"], "kept", promise=promise).status == 303
    changes(ana, id_, case["id"], "kept", promise=promise)
    (case,) = cases(line, ALICIA)
    assert case["promises"][0]["kept"] == TODAY
    assert [event["kind"] for event in case["events"]] == ["kept"]
    assert f"kept {TODAY}" in shows(ana, id_).text


def test_a_promise_whose_day_has_passed_is_shown_as_late(line: House) -> None:
    line.moment.pass_by(7 * 86400)
    assert "2026-03-05, late" in shows(Browser(line, user(line, "ana")), waits(line, ALICIA)).text


def test_what_is_wrong_with_a_promise_is_said(line: House, ana: Browser) -> None:
    id_, case = opened(line, ana)
    for fields, words in (
        ({"promise": "send it", "by": "2026-03-01"}, "That day has passed"),
        ({"promise": "send it", "by": ""}, "That is not a day"),
        ({"promise": "send it", "by": "soon"}, "That is not a day"),
        ({"promise": " ", "by": TOMORROW}, "Write what was promised"),
        ({"promise": "x" * 301, "by": TOMORROW}, "shorten it to 300"),
    ):
        plain = changes(ana, id_, case, "promise", **fields)
        part = changes(ana, id_, case, "promise", htmx=True, **fields)
        assert (plain.status, part.status) == (422, 422)
        assert words in plain.text and words in part.text
        assert cases(line)[0]["promises"] == []


def test_a_summary_is_changed_and_the_history_keeps_the_old_one(line: House, ana: Browser) -> None:
    id_, case = opened(line, ana)
    bo = Browser(line, user(line, "bo", targets=[TEAM]))
    assert changes(bo, id_, case, "update", summary="the bill has come\nand is right").status == 303
    assert changes(bo, id_, case, "update", summary=" ").status == 422
    (found,) = cases(line)
    assert found["summary"] == "the bill has come\nand is right"
    page = shows(ana, id_).text
    assert "Ana: opened" in page and "Bo: summary changed" in page and "wants the final bill" in page


def test_a_case_is_closed_and_opened_again(house: House) -> None:
    browser = Browser(house, user(house, "ana"))
    id_, case = opened(house, browser)
    answer = changes(browser, id_, case, "close", htmx=True)
    assert cases(house)[0]["closed"] == TODAY and "closed 2026-03-02" in answer.text
    assert changes(browser, id_, case, "close").status == 303
    undo = json.loads(answer.headers["HX-Trigger"])["notice"]["undo"]
    assert browser.post(undo, htmx=True).status == 200
    assert cases(house)[0]["closed"] is None
    assert [event["kind"] for event in cases(house)[0]["events"]] == ["opened", "closed", "reopened"]


def test_two_cases_about_the_same_thing_are_one(line: House, ana: Browser) -> None:
    id_, _ = opened(line, ana)
    answer = opens(ana, id_, once="another form", htmx=True)
    assert (answer.status, answer.text) == (422, "A case about moving is open already. Write on that one.")


def test_a_number_that_nobody_has_yet_becomes_somebody(line: House, ana: Browser) -> None:
    id_ = waits(line, STRANGER, "1")
    assert opens(ana, id_).status == 303
    assert [case["about"] for case in cases(line, STRANGER)] == ["moving"]
    assert "wants the final bill" in shows(ana, id_).text


def test_for_a_withheld_number_it_is_said_why_there_can_be_no_case(line: House, ana: Browser) -> None:
    id_ = waits(line, "anonymous", "1")
    assert "Their number is withheld, so we would not know them" in shows(ana, id_).text
    answer = opens(ana, id_, htmx=True)
    assert answer.status == 409 and "withheld" in answer.text


def test_for_a_number_of_several_people_it_is_said_why_there_can_be_no_case(line: House, ana: Browser) -> None:
    for name in ("one", "two"):
        line.store.put_person(PersonRow((STRANGER,), id=name), "test", line.moment())
    id_ = waits(line, STRANGER, "1")
    assert "belongs to 2 people" in shows(ana, id_).text
    assert opens(ana, id_).status == 409


def test_for_an_erased_call_it_is_said_why_there_can_be_no_case(line: House, ana: Browser) -> None:
    id_ = waits(line, STRANGER, "1")
    line.run("UPDATE calls SET session = NULL")
    assert "This call was erased" in shows(ana, id_).text


def test_what_is_wrong_with_a_case_is_said(line: House, ana: Browser) -> None:
    for fields, words in (
        ({"about": "", "other": ""}, "Say what the case is about"),
        ({"about": "", "other": "x" * 61}, "shorten it to 60"),
        ({"summary": "x" * 2001}, "shorten it to 2000"),
    ):
        answer = opens(ana, waits(line), **fields)
        assert answer.status == 422 and words in answer.text
        assert cases(line) == []


def test_another_callers_case_cannot_be_reached_through_ones_own(line: House, ana: Browser) -> None:
    id_, (case,) = waits(line), cases(line, ALICIA)
    for how, fields in (
        ("update", {"summary": "x"}),
        ("promise", {"promise": "x", "by": TOMORROW}),
        ("kept", {"promise": case["promises"][0]["id"]}),
        ("close", {}),
        ("reopen", {}),
    ):
        assert changes(ana, id_, case["id"], how, **fields).status == 404
    mine = opened(line, ana)[1]
    assert changes(ana, id_, mine, "kept", promise=case["promises"][0]["id"]).status == 404
    assert cases(line, ALICIA)[0]["promises"][0]["kept"] is None


def test_hostile_words_are_shown_as_text(line: House, ana: Browser) -> None:
    id_ = waits(line)
    opens(ana, id_, about="", other=HOSTILE, summary=f"</textarea>{HOSTILE}\u202eevil")
    case = cases(line)[0]["id"]
    changes(ana, id_, case, "promise", promise=HOSTILE, by=TODAY)
    page = shows(ana, id_).text
    assert HOSTILE not in page and "</textarea><img" not in page
    assert not re.search("[\u202a-\u202e]", page)


def test_cases_are_for_the_agents_of_that_target(line: House, ana: Browser) -> None:
    id_, case = opened(line, ana)
    other = Browser(line, user(line, "bo", targets=["bereavement_team"]))
    assert shows(other, id_).status == opens(other, id_).status == changes(other, id_, case, "close").status == 403
    assert shows(Browser(line, user(line, "dora", role="designer")), id_).status == 403
    assert changes(ana, id_, case, "close", token="forged").status == 400
    assert cases(line)[0]["closed"] is None
