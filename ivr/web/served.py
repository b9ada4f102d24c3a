"""What an agent may reach, and how a panel beside a task answers: a part of the page for htmx, a page of its own without."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from typing import Any, NamedTuple

from flask import Response, abort, flash, g, make_response, render_template, request

from ivr.engine.session import Session, from_json
from ivr.flow.bundle import Bundle
from ivr.handoff.task import Task
from ivr.web import console
from ivr.web.auth import see
from ivr.web.shown import caller_name


class Past(NamedTuple):
    """A call as it is stored, with the bundle that it ran on."""

    bundle: Bundle
    session: Session


def served(id_: str) -> Task:
    """The task, where the signed-in user serves its target; else the request ends with a sentence."""
    found = console.wired().store.tasks.get(id_[:80])
    if found is None:
        abort(404, "There is no such task any more. Go back to the list.")
    if not g.user.serves(found.target):
        abort(403, "This caller is with people of another team.")
    return found


def past(sid: str) -> Past | None:
    """The call, or None where nothing personal of it is left."""
    wiring = console.wired()
    call = wiring.store.load(sid)
    if call is None or not call.session:
        return None
    return Past(wiring.store.bundle(call.bundle) or wiring.store.published(), from_json(call.session))


def is_fragment() -> bool:
    """Whether a part of the page is asked for; what a browser goes back to is always whole."""
    return "HX-Request" in request.headers and "HX-History-Restore-Request" not in request.headers


def panel(template: str, task: Task, **values: Any) -> str:
    """`desk/<template>.html`: alone, for beside the packet, or as a page of its own (`whole`)."""
    whole, name = not is_fragment(), caller_name(console.wired(), task)
    layout = "desk/_whole.html" if whole else "desk/_alone.html"
    return render_template(f"desk/{template}.html", layout=layout, whole=whole, task=task, caller=name, **values)


def done(words: str, where: str, draw: Callable[[], str], undo: str | None = None) -> Response:
    """It worked: for htmx the panel anew and a sentence in the corner, for a plain form the way to `where`.

    `undo` is posted to where it is taken back; `changed` has the desk draw the packet anew.
    """
    if not is_fragment():
        flash(words)
        return see(where)
    return _with_events(make_response(draw()), words, undo, "changed")


def undone(words: str, where: str) -> Response:
    """It was taken back: the panel that shows it draws itself anew."""
    if not is_fragment():
        flash(words)
        return see(where)
    return _with_events(make_response(""), words, None, "changed", "undone")


def _with_events(response: Response, words: str, undo: str | None, *names: str) -> Response:
    told = {"notice": {"text": words, "undo": undo}, "refresh": None}
    response.headers["HX-Trigger"] = json.dumps(told | dict.fromkeys(names))
    return response


def refused(status: int, words: str, draw: Callable[[str], str]) -> Any:
    """It did not: for htmx the sentence alone, so that what was written stays; for a plain form the page with it."""
    if is_fragment():
        abort(status, words)
    return draw(words), status


def once(task: Task) -> str:
    """The id of what this form makes: the same when it is sent twice, and nobody else's."""
    token = request.form.get("once", "")
    if not token:
        abort(400, "The page sent something that we cannot read. Go back, reload it and try again.")
    return hashlib.sha256(f"{g.user.id} {task.id} {token}".encode()).hexdigest()[:32]
