"""What an agent does with a caller whom they have, or had: writes down, says how it ended, has them tried again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import Flask, Response, abort, g, render_template, request, url_for

from ivr.config import CallbackOffer, Hours
from ivr.handoff import callback
from ivr.handoff.task import Task, callback_after, is_unwritten
from ivr.phone import zone_of
from ivr.store import dialled
from ivr.web import console
from ivr.web.auth import requires, see
from ivr.web.desk import OUTCOMES, answer
from ivr.web.filters import relative, zone
from ivr.web.served import is_fragment, served
from ivr.web.shown import colleague, is_mine

if TYPE_CHECKING:
    from ivr.web.app import Wiring

LONGEST_NOTE = 4000
"""Characters."""

pages = console.blueprint("wrap_up")


def register(app: Flask, _: Wiring) -> None:
    """The routes."""
    app.register_blueprint(pages)


def _mine(id_: str) -> Task:
    found = served(id_)
    if not is_mine(found, g.user):
        has = f"{colleague(console.wired(), found.agent)} has it now" if found.agent else "nobody has it now"
        abort(409, f"This is not yours any more: {has}. Copy what you have written before you go on.")
    return found


@pages.post("/desk/tasks/<id_>/write-up")
@requires("agent")
def write_up(id_: str) -> Response:
    """The caller reached them on their own phone, not from the desk: now it is theirs to write up."""
    wiring = console.wired()
    if dialled.write_up(wiring.store.database, served(id_).id, g.user.id, wiring.clock()):
        _audit("write_up", served(id_))
    found = served(id_)
    return answer(found) if is_mine(found, g.user) else answer(found, _why_not_mine(found), 409)


def _why_not_mine(task: Task) -> str:
    if task.done is not None:
        return "This is done already."
    if task.agent is not None:
        return f"{colleague(console.wired(), task.agent)} writes this up already."
    if is_unwritten(task):
        return "You have another caller in hand. Finish that one first."
    return "This caller is still waiting; there is nothing to write up yet."


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
    return answer(served(id_))


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
    then = _call_again(found, now) if outcome == "call_again" else None
    if not wiring.store.tasks.finish(found.id, now, "answered", outcome, _note() or None, then):
        late = served(id_).done is not None
        abort(409, "This is done already." if late else "The caller is still on the line. Hang up first.")
    _audit("finish", found, outcome)
    _keep_on_case(found, now)
    return answer(None, f"Done. They are called back {relative(then.due, now, zone(found.line))}." if then else "Done.")


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
        words = f"Not reached. They are tried again {relative(due, now, zone(found.line))}."
    else:
        wiring.store.tasks.finish(found.id, now, "not_reached", None, _note() or found.note)
        words = f"Not reached after {tries} tries. The call back is closed."
    _audit("not_reached", found)
    return answer(None, words)


def _call_again(task: Task, now: float) -> Task:
    """A call back in a while."""
    offer, hours, there = _rules(task)
    earlier = len(console.wired().store.tasks.of_call(task.call))
    due = callback.due(now + offer.again_after, hours, offer.between, there)
    return callback_after(task, f"{task.call}-a{earlier}", "we said we would", now, due)


def _rules(task: Task) -> tuple[CallbackOffer, Hours | None, str | None]:
    """How this task's target calls back: its offer, its hours, and the zone of the called number."""
    target = console.wired().config.file.targets.get(task.target)
    offer = target.waiting.callback if target and target.waiting else None
    return offer or CallbackOffer(), target.hours if target else None, zone_of(task.number or "")


def _keep_on_case(task: Task, now: float) -> None:
    """The note belongs to the matter, where there is one: whoever has it next reads it there."""
    store, words = console.wired().store, _note() or task.note or ""
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
