"""The packet of one task for people without an account, behind a link that is signed and soon dead. Read only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from flask import Flask, Response, make_response, render_template

from ivr.engine.events import Event
from ivr.handoff.link import task_of
from ivr.handoff.text import lines
from ivr.web import console
from ivr.web.packets import packet_of_call
from ivr.web.served import past

if TYPE_CHECKING:
    from ivr.web.app import Wiring

pages = console.blueprint("packet")

OLD = (
    "This link has expired",
    "Links to a caller's packet work for a while only, so that nobody finds them later. Sign in and open the desk, or ask "
    "whoever sent it for a new one.",
)
ERASED = (
    "Nothing is left of this call",
    "What was personal in it has been erased, so there is nothing to show any more.",
)


def register(app: Flask, _: Wiring) -> None:
    """The routes."""
    app.register_blueprint(pages)


@pages.get("/packet/<token>")
def packet(token: str) -> Response:
    """The packet. Nobody signs in for it: the link is what lets them in."""
    wiring, now = console.wired(), console.wired().clock()
    id_ = task_of(key, token, now) if (key := wiring.config.secret_key) else None
    if id_ is None:
        return _page(410, title=OLD[0], text=OLD[1])
    task = wiring.store.tasks.get(id_)
    sid = task.call if task else id_.rpartition("-")[0]
    call = past(sid)
    if call is None:
        return _page(410, title=ERASED[0], text=ERASED[1])
    target = task.target if task else handed_to(wiring.store.calls.events_of(sid), id_)
    if task is not None:
        wiring.store.tasks.open_packet(task.id, now)
    wiring.store.audit.note(now, None, "link", id_, "packet opened")
    made = packet_of_call(wiring, call.bundle, call.session, target)
    return _page(200, title=_name(made), told=lines(made), line=call.session.line, at=now)


def handed_to(events: Sequence[Event], id_: str) -> str:
    """The target of a hand-off that made no task: its number is the end of the id."""
    targets = [str(event.data["target"]) for event in events if event.type == "handed_off" and event.data["target"]]
    number = id_.rpartition("-")[2]
    place = int(number) - 1 if number.isdecimal() else -1
    return targets[place] if -1 < place < len(targets) else (targets or [""])[-1]


def _name(made: Mapping[str, Any]) -> str:
    return str(made.get("who", {}).get("name") or "A caller")


def _page(status: int, **values: Any) -> Response:
    response = make_response(render_template("desk/packet.html", **values), status)
    # The address is the key: no search engine and no other site may learn it.
    response.headers["X-Robots-Tag"] = "noindex, nofollow, noarchive"
    response.headers["Referrer-Policy"] = "no-referrer"
    return response
