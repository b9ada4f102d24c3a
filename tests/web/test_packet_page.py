"""/packet/…: one packet for people without an account, behind a link that is soon dead."""

from __future__ import annotations

from typing import Any

from ivr.handoff.link import sign
from ivr.store.people import PersonRow
from tests.actors import JEROME, MARGO, STRANGER, House
from tests.web.browser import Browser, Page
from tests.web.panels import leaves_message, waits

PAGES = True

HOSTILE = '<script>alert("x")</script>'


def link(house: House, id_: str, seconds: float = 60, key: str | None = None) -> str:
    return f"/packet/{sign(key or house.config.secret_key, id_, int(house.moment() + seconds))}"


def follows(house: House, id_: str, **more: Any) -> Page:
    """Somebody without an account opens the link."""
    return Browser(house).get(link(house, id_, **more))


def test_a_link_opens_the_packet_for_somebody_without_an_account(line: House) -> None:
    id_ = waits(line, MARGO, "2")
    page = follows(line, id_)
    assert page.status == 200
    assert "Margo" in page.text and "ask about your bill" in page.text and "You may offer" in page.text
    assert "<form" not in page.text.split("<main")[1].split("</main>")[0]


def test_opening_the_link_is_written_down(line: House) -> None:
    id_ = waits(line)
    follows(line, id_)
    assert line.rows("tasks", id=id_)[0]["opened"] == line.moment()
    (entry,) = line.rows("audit")
    assert (entry["user"], entry["action"], entry["about"]) == (None, "link", id_)


def test_no_search_engine_and_no_cache_keeps_the_page(line: House) -> None:
    page = follows(line, waits(line))
    assert page.headers["Cache-Control"] == "no-store"
    assert "noindex" in page.headers["X-Robots-Tag"] and 'name="robots" content="noindex"' in page.text
    assert page.headers["Referrer-Policy"] == "no-referrer"


def test_what_we_did_not_sign_opens_nothing(line: House) -> None:
    for token in ("x", "a.b.c", "é", "..", "%00", "a" * 500, "Q0Ex.99999999999.AAAA"):
        page = Browser(line).get(f"/packet/{token}")
        assert page.status == 410 and "This link has expired" in page.text


def test_an_old_link_says_what_to_do(line: House) -> None:
    id_ = waits(line)
    page = follows(line, id_, seconds=-1)
    assert page.status == 410 and "ask whoever sent it for a new one" in page.text and "Margo" not in page.text
    assert follows(line, id_, key="another").status == 410
    assert line.rows("audit") == [] and line.rows("tasks")[0]["opened"] is None


def test_a_hand_off_that_was_dialled_has_its_packet_too(line: House) -> None:
    call = line.calls(JEROME).dial().say("I need to close my mother's account")
    page = follows(line, str(call.session.wait.spec["task"]))
    assert page.status == 200 and line.rows("tasks") == []
    # Those who are dialled are the people who may see it.
    assert "Jerome" in page.text and "tags bereavement: yes" in page.text


def test_a_message_has_its_packet_too(line: House) -> None:
    assert "Margo" in follows(line, leaves_message(line)).text


def test_nothing_is_shown_of_a_call_that_was_erased(line: House) -> None:
    id_ = waits(line)
    line.run("UPDATE calls SET session = NULL")
    page = follows(line, id_)
    assert page.status == 410 and "Nothing is left of this call" in page.text
    assert follows(line, "CA-of-nobody-1").status == 410


def test_hostile_words_are_shown_as_text(line: House) -> None:
    line.store.put_person(PersonRow((STRANGER,), facts={"first_name": HOSTILE}), "test", line.moment())
    page = follows(line, waits(line, STRANGER, "1"))
    assert HOSTILE not in page.text and "&lt;script&gt;" in page.text
