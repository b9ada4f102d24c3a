"""/desk: who waits, one of them with all that is known, and what an agent does: take, write down, finish.

Every POST answers htmx with the task as it is now, and a plain form with the way back to the page.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from flask import Flask, Response, abort, flash, g, make_response, render_template, request, url_for

from ivr.config import CallbackOffer
from ivr.handoff import callback
from ivr.handoff.task import Task
from ivr.phone import zone_of
from ivr.web import console, filters
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
    }


def _version(task: Task) -> str:
    """Changes with what is shown of a task. A note does not count: who writes it must not see the page drawn anew."""
    return f"{task.kind}-{task.state}-{task.agent or ''}-{task.attempts}-{task.due:.0f}-{bool(task.agent_call)}"


def _mine(id_: str) -> Task:
    found = served(id_)
    if not is_mine(found, g.user):
        has = f"{colleague(console.wired(), found.agent)} has it now" if found.agent else "nobody has it now"
        abort(409, f"This is not yours any more: {has}. Copy what you have written before you go on.")
    return found


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
        return _answer(mine, "You have somebody in hand. Finish that one first.", 409)
    id_ = next_task(wiring, g.user, wiring.clock())
    found = wiring.store.tasks.get(id_) if id_ else None
    if found is None:
        return _answer(None, "Nobody is waiting for you just now.", 409)
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
    return _answer(served(task.id), "" if taken.well else taken.words, 200 if taken.well else 409)


@pages.post("/desk/tasks/<id_>/note")
@requires("agent")
def note(id_: str) -> Any:
    """Keeps the note as it is typed."""
    wiring = console.wired()
    wiring.store.tasks.write_note(_mine(id_).id, _note(), g.user.id)
    if not is_fragment():
        return see(url_for("desk.task", id_=id_))
    return render_template("desk/saved.html", at=wiring.clock())


@pages.post("/desk/tasks/<id_>/over")
@requires("agent")
def over(id_: str) -> Response:
    """The call is over, should Twilio's word of it have been lost."""
    wiring, found = console.wired(), _mine(id_)
    wiring.store.tasks.part(found.id, wiring.clock())
    _audit("over", found)
    return _answer(served(id_))


@pages.post("/desk/tasks/<id_>/finish")
@requires("agent")
def finish(id_: str) -> Response:
    """The end of wrap-up: how it ended, and a note for whoever has this caller next."""
    wiring, found = console.wired(), _mine(id_)
    outcome = request.form.get("outcome", "")
    if outcome not in OUTCOMES:
        abort(422, "Choose how it ended.")
    if outcome == "call_again" and not found.number:
        abort(422, "This caller's number is withheld, so nobody can call them again. Choose another outcome.")
    now = wiring.clock()
    if not wiring.store.tasks.finish(found.id, now, "answered", outcome, _note() or None):
        abort(409, "The caller is still on the line. Hang up first.")
    _audit("finish", found, outcome)
    _keep_on_case(found, now)
    words = "Done."
    if outcome == "call_again":
        due = _call_again(found, now)
        words = f"Done. They are called back {filters.relative(due, now, filters.zone(found.line))}."
    return _answer(None, words)


@pages.post("/desk/tasks/<id_>/again")
@requires("agent")
def again(id_: str) -> Response:
    """Who was called back was not reached: tried again later, or closed where the tries are used up."""
    wiring, found = console.wired(), _mine(id_)
    if found.kind != "callback":
        abort(409, "Only a call back can be tried again.")
    now, tries = wiring.clock(), found.attempts + 1
    due = callback.again(now, tries, *_rules(found))
    if due is not None:
        wiring.store.tasks.again(found.id, due, now)
        zone = filters.zone(found.line)
        words = f"Not reached. They are tried again {filters.relative(due, now, zone)}."
    else:
        wiring.store.tasks.finish(found.id, now, "not_reached", None, _note() or found.note)
        words = f"Not reached after {tries} tries. The call back is closed."
    _audit("not_reached", found)
    return _answer(None, words)


def _call_again(task: Task, now: float) -> float:
    """A call back in a while, for this agent first."""
    wiring = console.wired()
    offer, hours, zone = _rules(task)
    due = callback.due(now + offer.again_after, hours, offer.between, zone)
    fresh = Task(
        id=f"{task.id}-again",
        kind="callback",
        way="queue",
        target=task.target,
        line=task.line,
        call=task.call,
        caller=task.caller,
        number=task.number,
        language=task.language,
        reason=task.reason,
        words=task.words,
        because="we said we would",
        ahead=0.0,
        entered=now,
        due=due,
    )
    with wiring.store.database.write() as connection:
        wiring.store.tasks.add(connection, fresh, now)
    return due


def _rules(task: Task) -> tuple[CallbackOffer, Any, str | None]:
    """How this task's target calls back: its offer, its hours, and the zone of the called number."""
    target = console.wired().config.file.targets.get(task.target)
    offer = target.waiting.callback if target and target.waiting else None
    return offer or CallbackOffer(), target.hours if target else None, zone_of(task.number or "")


def _keep_on_case(task: Task, now: float) -> None:
    """The note belongs to the matter, where there is one: whoever has it next reads it there."""
    store, words = console.wired().store, _note() or task.note
    cases = store.cases.of_caller(task.caller) if task.caller and words else []
    same = [case for case in cases if case["about"] == task.reason] or cases
    if same:
        with store.database.write() as connection:
            store.cases.note(connection, same[-1]["id"], now, words, g.user.id, task.call)


def _note() -> str:
    return request.form.get("note", "").strip()[:LONGEST_NOTE]


def _audit(action: str, task: Task, detail: str = "") -> None:
    wiring = console.wired()
    wiring.store.audit.note(wiring.clock(), g.user.id, action, task.id, detail)


def _answer(task: Task | None, words: str = "", status: int = 200) -> Response:
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
