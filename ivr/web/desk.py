"""/desk: who waits, one of them with all that is known, and what an agent does: take, write down, finish.

Every POST answers htmx with the task as it is now, and a plain form with the way back to the page.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from flask import Flask, Response, abort, flash, g, make_response, render_template, request, url_for

from ivr.handoff.task import Task, is_unwritten
from ivr.web import console
from ivr.web.auth import requires, see
from ivr.web.served import is_fragment, served
from ivr.web.shown import colleague, is_mine, listed, next_task, packet_of_task
from ivr.web.taking import GIVEN_BACK, accept_key, take

if TYPE_CHECKING:
    from ivr.web.app import Wiring

OUTCOMES = {
    "solved": "Solved",
    "not_solved": "Not solved",
    "call_again": "Call again later",
    "wrong_person": "Wrong person",
}
LONGEST_NOTE = 4000
"""Characters."""

pages = console.blueprint("desk")


def register(app: Flask, _: Wiring) -> None:
    """The routes."""
    app.register_blueprint(pages)


# What is seen


@pages.get("/desk")
@requires("agent")
def index() -> Any:
    """The page: with what this agent has in hand, where they have something and do not ask for the list."""
    mine = _in_hand() if "list" not in request.args else None
    return see(url_for("desk.task", id_=mine.id)) if mine else _page(None)


@pages.get("/desk/list")
@requires("agent")
def waiting() -> str:
    """The left column. With the presence at the top where that has changed since the page drew it."""
    seen = request.args.get("presence")
    path = urlsplit(request.headers.get("HX-Current-URL", "")).path
    drawn = _list(unquote(path.rpartition("/")[2]))
    return drawn if seen in (None, g.user.presence) else drawn + render_template("_presence.html", oob=True)


@pages.get("/desk/tasks/<id_>")
@requires("agent")
def task(id_: str) -> Any:
    """One task with its packet. `seen`: what the page shows of it; where that is still so, nothing is sent."""
    wiring, found = console.wired(), served(id_)
    if is_fragment() and request.args.get("seen") == _version(found):
        return "", 204
    wiring.store.tasks.open_packet(id_, wiring.clock())
    return _detail(found) if is_fragment() else _page(found)


def _page(task: Task | None) -> str:
    return render_template("desk/page.html", task=task, **_about(task), **_list_values(task.id if task else ""))


def _list(current: str) -> str:
    return render_template("desk/list.html", **_list_values(current))


def _list_values(current: str) -> dict[str, Any]:
    return {"listed": listed(console.wired(), g.user, console.wired().clock()), "current": current}


def _detail(task: Task | None, problem: str | None = None) -> str:
    return render_template("desk/task.html", task=task, problem=problem, **_about(task))


def _about(task: Task | None) -> dict[str, Any]:
    """What the templates need of one task."""
    if task is None:
        return {}
    wiring, now = console.wired(), console.wired().clock()
    return {
        "packet": packet_of_task(wiring, g.user, task),
        "mine": is_mine(task, g.user),
        "version": _version(task),
        "holder": colleague(wiring, task.agent) if task.agent and not is_mine(task, g.user) else None,
        "key": accept_key(wiring, task),
        "unheard": task.agent_call is None and task.taken is not None and now - task.taken > wiring.rest.seconds,
        "back": round(wiring.config.file.desk.ring + GIVEN_BACK),
        "outcomes": OUTCOMES,
        "unwritten": is_unwritten(task),
    }


def _version(task: Task) -> str:
    """Changes with what is shown of a task. A note does not count: who writes it must not see the page drawn anew."""
    return f"{task.kind}-{task.state}-{task.agent or ''}-{task.attempts}-{task.due:.0f}-{bool(task.agent_call)}"


def _in_hand() -> Task | None:
    tasks = console.wired().store.tasks.open_tasks()
    return next((task for task in tasks if is_mine(task, g.user)), None)


# What is done


@pages.post("/desk/next")
@requires("agent")
def take_next() -> Response:
    """Takes whoever this agent should serve now."""
    wiring = console.wired()
    mine = _in_hand()
    if mine is not None:
        return answer(mine, "You have somebody in hand. Finish that one first.", 409)
    id_ = next_task(wiring, g.user, wiring.clock())
    found = wiring.store.tasks.get(id_) if id_ else None
    if found is None:
        return answer(None, "Nobody is waiting for you just now.", 409)
    return _take(found)


@pages.post("/desk/tasks/<id_>/take")
@requires("agent")
def take_this(id_: str) -> Response:
    """Takes just this one."""
    found = served(id_)
    if found.kind == "voicemail":
        abort(409, "A message is listened to; there is nobody on the line.")
    return _take(found)


def _take(task: Task) -> Response:
    taken = take(console.wired(), g.user, task)
    # What went well stands on the page.
    return answer(served(task.id), "" if taken.well else taken.words, 200 if taken.well else 409)


def answer(task: Task | None, words: str = "", status: int = 200) -> Response:
    """The task as it is now, and the list anew. What went well is said in the corner, what did not above the task.

    For a plain form the page, with the sentence on top.
    """
    where = url_for("desk.task", id_=task.id) if task else url_for("desk.index")
    if not is_fragment():
        if words:
            flash(words)
        return see(where)
    g.user = console.wired().store.users.get(g.user.id)
    well = status < 400
    response = make_response(_detail(task, None if well else words), status)
    response.headers["HX-Push-Url"] = where
    told = {"notice": {"text": words}} if well and words else {}
    # After the swap: the button that was pressed may be gone by then, and nobody would hear what is triggered at it.
    response.headers["HX-Trigger-After-Swap"] = json.dumps({"refresh": None} | told)
    return response
