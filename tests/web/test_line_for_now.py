"""What operators change on a line for now: its notice, and closing it. New calls follow within a second; others go on."""

from __future__ import annotations

from ivr.turn import closed_notice
from tests.actors import MARGO, House

LINE = "northlight"


def test_a_line_that_is_closed_in_an_emergency_gives_new_calls_its_closed_flow(house: House) -> None:
    assert house.calls(MARGO).dial().flow == "main"
    house.store.bundles.set_notice(closed_notice(LINE), "storm", house.moment())
    house.store.bundles.refresh()
    assert house.calls(MARGO).dial().flow == "after_hours"
    house.store.bundles.set_notice(closed_notice(LINE), None, house.moment())
    house.store.bundles.refresh()
    assert house.calls(MARGO).dial().flow == "main"


def test_a_notice_is_heard_by_new_calls(house: House) -> None:
    house.store.bundles.set_notice(LINE, "We are fixing an outage.", house.moment())
    house.store.bundles.refresh()
    assert "We are fixing an outage." in " ".join(heard.text for heard in house.calls(MARGO).dial().heard)
