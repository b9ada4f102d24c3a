"""Callers for the panels beside a packet: who waits, who left a message, and the token of a panel's form."""

from __future__ import annotations

import re

from tests.actors import MARGO, House, Phone
from tests.web.browser import Page

TEAM = "care_team"


def waits(house: House, number: str = MARGO, *keys: str, **extra: str) -> str:
    """A caller joins the queue: the id of the task."""
    return task_of(joins(house, number, *keys, **extra))


def joins(house: House, number: str = MARGO, *keys: str, **extra: str) -> Phone:
    """The same, as the call."""
    call = house.calls(number, **extra).dial()
    for key in (*keys, "0"):
        call.press(key)
    return call


def task_of(call: Phone) -> str:
    return str(call.session.wait.spec["task"])


def leaves_message(house: House, number: str = MARGO, *keys: str) -> str:
    """All places in line are taken, so a caller leaves a message: the id of the task."""
    call = joins(house, number, *keys)
    call.queue_result("queue-full").record(12)
    (message,) = [task for task in house.store.tasks.of_call(call.sid) if task.kind == "voicemail"]
    return message.id


def once(page: Page, which: int = 0) -> str:
    """The token of a form on the page, which lets it work once."""
    return re.findall(r'name="once" value="([^"]+)"', page.text)[which]
