"""An agent's day at the desk, in a real browser."""

from __future__ import annotations

from playwright.sync_api import expect

from ivr.store.people import PersonRow
from tests.actors import JEROME, MARGO, STRANGER, House, Phone
from tests.browser.conftest import Desk

PAGES = True

NARROW = {"width": 360, "height": 740}
USUAL = {"width": 1280, "height": 720}
LONG = "Maximiliane-Theodora Freifrau von Hohenz"
HOSTILE = "ليلى <b>\u202eحداد</b> 👋"


def margo_waits(house: House) -> Phone:
    """She has proved who she is, moved, heard her bill, and asks for a person."""
    call = house.calls(MARGO).dial().press("3").proves().press("03282026").press("1").press("1")
    return call.say("but the final bill must go to my new address").say("agent")


def somebody_waits(house: House, number: str, name: str | None = None) -> Phone:
    """A person whose number is theirs alone, of whom no more is known than a name."""
    if name is not None:
        facts = {"first_name": name, "prefers.language": "en"}
        house.store.put_person(PersonRow((number,), facts=facts), "import", house.moment())
    call = house.calls(number).dial()
    return (call if name is not None else call.press("1")).press("0")


def test_a_caller_arrives_is_taken_talked_with_and_written_up_by_keyboard_alone(desk: Desk) -> None:
    page, keys, house = desk.page, desk.page.keyboard, desk.house
    page.goto(desk.address)
    desk.signs_in(page, desk.agent())
    expect(page.get_by_text("Nobody is waiting")).to_be_visible()
    desk.shot("empty")

    margo = margo_waits(house)
    expect(page.locator("#list [data-item]")).to_contain_text("Margo")
    keys.press("j")
    keys.press("Enter")
    expect(page.locator("#task h1")).to_contain_text("Margo")
    desk.shot("waiting")

    keys.press("t")
    expect(page.get_by_text("Your phone is ringing.")).to_be_visible()
    desk.shot("ringing")
    desk.later(6)
    desk.leg.picks_up().hears("Margo").presses("1")
    expect(page.get_by_text("on the call")).to_be_visible()
    keys.press("n")
    keys.type("Final bill to 12 Elm Street.")
    expect(page.get_by_text("Saved")).to_be_visible()
    desk.shot("on-a-call")

    desk.later(190)
    keys.type(" Half a wo")
    desk.leg.hangs_up()
    margo.queue_result("bridged")
    expect(page.get_by_role("radio", name="Solved", exact=True)).to_be_visible()
    keys.type("rd is kept.")
    keys.press("Escape")
    keys.press("w")
    expect(page.get_by_role("radio", name="Solved", exact=True)).to_be_focused()
    keys.press("1")
    desk.shot("wrap-up")
    keys.press("w")
    expect(page.get_by_text("Nobody is waiting")).to_be_visible()
    (task,) = house.rows("tasks")
    assert (task["outcome"], task["result"]) == ("solved", "answered")
    assert task["note"] == "Final bill to 12 Elm Street. Half a word is kept."
    assert page.get_by_label("Your presence: available").is_visible()


def test_a_call_that_was_dialled_is_written_up_by_keyboard_alone(desk: Desk) -> None:
    page, keys, house = desk.page, desk.page.keyboard, desk.house
    call = house.calls(JEROME).dial().say("I need to close my mother's account").agent_accepts(noun=1)
    desk.opens(desk.agent())
    expect(page.get_by_text("Nobody is waiting")).to_be_visible()
    call.dial_result("completed", seconds=240)
    row = page.get_by_role("region", name="To write up").locator("[data-item]")
    expect(row).to_contain_text("Jerome")
    keys.press("j")
    keys.press("Enter")
    expect(page.locator("#task h1")).to_contain_text("Jerome")
    desk.shot("to-write-up")
    keys.press("w")
    expect(page.get_by_role("radio", name="Solved", exact=True)).to_be_visible()
    keys.press("n")
    keys.type("Papers by post.")
    keys.press("Escape")
    keys.press("1")
    keys.press("w")
    expect(page.get_by_text("Nobody is waiting")).to_be_visible()
    (task,) = house.rows("tasks")
    assert (task["outcome"], task["note"]) == ("solved", "Papers by post.")


def a_row_more(house: House, number: int) -> None:
    """Another caller in line, of whom nothing is known; the line takes no 41st call."""
    first = house.store.tasks.open_tasks()[0]
    at = first.entered + 7 * number
    more = first._replace(id=f"CA{number}-1", caller=None, number=f"+1555010{number:04}", entered=at, reason="outage")
    with house.store.database.write() as connection:
        house.store.tasks.add(connection, more, house.moment())


def test_a_long_line_of_long_names_is_read_from_the_keyboard(desk: Desk) -> None:
    page, keys, house = desk.page, desk.page.keyboard, desk.house
    margo_waits(house)
    somebody_waits(house, "+15550109991", LONG)
    somebody_waits(house, "+15550109992", HOSTILE)
    for number in range(1, 58):
        a_row_more(house, number)
    desk.later(900)
    desk.opens(desk.agent())
    rows = page.locator("#list [data-item]")
    expect(rows).to_have_count(60)
    for _ in range(5):
        keys.press("j")
    page.evaluate("document.querySelector('aside.list').scrollTop = 400")
    before = page.evaluate("document.activeElement.id")
    desk.later(1)
    a_row_more(house, 58)
    expect(rows).to_have_count(61)
    assert page.evaluate("document.querySelector('aside.list').scrollTop") == 400
    assert page.evaluate("document.activeElement.id") == before != ""
    page.evaluate("document.querySelector('aside.list').scrollTop = 0")
    rows.filter(has_text="Maxi").click()
    expect(page.locator("#task h1")).to_have_text(LONG)
    desk.shot("long-list")
    rows.filter(has_text="👋").click()
    expect(page.locator("#task h1")).to_contain_text("<b>")
    desk.shot("hostile-name")

    page.set_viewport_size(NARROW)
    desk.shot("narrow-task")
    page.get_by_role("link", name="All callers").click()
    expect(rows.first).to_be_visible()
    desk.shot("narrow-list")
    assert page.evaluate("document.documentElement.scrollWidth") <= NARROW["width"]


def test_a_message_is_listened_to_and_ticked_off_in_the_dark(desk: Desk) -> None:
    page, keys, house = desk.page, desk.page.keyboard, desk.house
    page.emulate_media(color_scheme="dark")
    desk.twilio.recordings["RE" + 32 * "1"] = b"ID3" + bytes(400)
    ana = desk.agent()
    house.store.users.set_presence(ana.id, "available", house.moment())
    margo = margo_waits(house)
    (waiting,) = house.store.tasks.open_tasks()
    message = waiting._replace(id="v-RE" + 32 * "1", kind="voicemail", recording="RE" + 32 * "1")
    with house.store.database.write() as connection:
        house.store.tasks.add(connection, message, house.moment())
    house.store.calls.recording_ready(str(message.recording), margo.sid, "", 34.0, "completed", house.moment())
    desk.later(240)
    desk.opens(ana)
    page.locator("#list [data-item]", has_text="4 min ago").click()
    expect(page.locator("audio")).to_be_visible()
    desk.shot("voicemail-dark")
    keys.press("h")
    expect(page.get_by_text("This is done.")).to_be_visible()

    keys.press("t")
    expect(page.get_by_text("Your phone is ringing.")).to_be_visible()
    desk.leg.picks_up().presses("1")
    expect(page.get_by_text("on the call")).to_be_visible()
    keys.press("c")
    expect(page.get_by_role("heading", name="Cases")).to_be_visible()
    desk.shot("case-dark")
    keys.press("Escape")
    keys.press("Escape")
    expect(page.get_by_role("heading", name="Cases")).to_have_count(0)
    keys.press("g")
    expect(page.get_by_text("Sympathy").first).to_be_visible()
    desk.shot("gesture-dark")
    page.set_viewport_size(NARROW)
    desk.shot("narrow-gesture-dark")


def test_a_session_that_ends_in_the_middle_of_a_word_loses_nothing(desk: Desk) -> None:
    page, keys, house = desk.page, desk.page.keyboard, desk.house
    ana = desk.agent()
    margo_waits(house)
    desk.opens(ana)
    keys.press("t")
    expect(page.get_by_text("Your phone is ringing.")).to_be_visible()
    desk.leg.picks_up().presses("1")
    expect(page.get_by_text("on the call")).to_be_visible()
    keys.press("n")
    house.store.sessions.revoke_all(ana.id)
    keys.type("unsaved")
    expect(page.get_by_text("You are signed out.")).to_be_visible()
    desk.shot("signed-out")
    with page.context.expect_page() as opened:
        page.get_by_role("link", name="Sign in again").click()
    desk.signs_in(opened.value, ana)
    page.bring_to_front()
    page.evaluate("dispatchEvent(new Event('focus'))")
    expect(page.get_by_text("You are signed out.")).to_be_hidden()
    expect(page.get_by_text("Saved")).to_be_visible()
    assert house.rows("tasks")[0]["note"] == "unsaved"
    desk.forgives("401")


def test_without_live_updates_the_page_refreshes_by_itself_and_says_so(desk: Desk) -> None:
    page, live = desk.page, desk.house.app.extensions["live"]
    page.clock.install()
    live.places = 0
    desk.opens(desk.agent())
    page.clock.fast_forward(3000)
    expect(page.get_by_text("This page refreshes every 15 seconds")).to_be_visible()
    somebody_waits(desk.house, STRANGER)
    page.clock.fast_forward(15000)
    expect(page.locator("#list [data-item]")).to_have_count(1)

    desk.stops()
    page.clock.fast_forward(15000)
    expect(page.get_by_text("Connection lost")).to_be_visible()
    desk.shot("stale")
    live.places = 4
    desk.starts()
    page.clock.fast_forward(128_000)
    expect(page.get_by_text("Connection lost")).to_be_hidden()
    expect(page.get_by_text("This page refreshes every 15 seconds")).to_be_hidden()
    desk.forgives("503", "ERR_CONNECTION_REFUSED", "htmx:", "[object Event]")
