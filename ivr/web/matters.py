"""A caller's cases: opened, written on, promised about, closed. Whoever has this caller next finds all of it."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from flask import Flask, abort, g, request, url_for

from ivr.engine.decide import menu_reasons
from ivr.handoff.seen import named
from ivr.handoff.story import reason_label
from ivr.handoff.task import Task
from ivr.store.audit import note_in
from ivr.store.users import plain
from ivr.web import console, filters
from ivr.web.auth import requires
from ivr.web.served import done, once, panel, past, refused, served, undone
from ivr.web.shown import colleague

if TYPE_CHECKING:
    from ivr.web.app import Wiring

ABOUT, SUMMARY, PROMISE = 60, 2000, 300
"""Characters."""

HAPPENED = {
    "opened": "opened",
    "joined": "called about it again",
    "note": "note",
    "promised": "promised",
    "kept": "kept the promise",
    "updated": "summary changed",
    "closed": "closed",
    "reopened": "opened again",
}

OPENED_AGAIN, SO_ALREADY = "Case opened again.", "That was so already."

pages = console.blueprint("matters")

Change = Callable[[Any, str, float, str], str]
"""What is done to a case, in a transaction: (connection, case, moment, day) → what to tell, or "" where it was so before."""


def register(app: Flask, _: Wiring) -> None:
    """The routes."""
    app.register_blueprint(pages)


@pages.get("/desk/tasks/<id_>/case")
@requires("agent")
def cases(id_: str) -> str:
    """The caller's cases, and a new one."""
    return _cases(served(id_))


@pages.post("/desk/tasks/<id_>/case")
@requires("agent")
def open_case(id_: str) -> Any:
    """A new case about one thing."""
    task = served(id_)
    id_of_case = once(task)
    about = plain(request.form.get("other", "")) or plain(request.form.get("about", ""))
    summary = _text("summary")
    store, now, today = console.wired().store, console.wired().clock(), _today(task)
    owner, why_not = _owner(task)
    problem = why_not or _too_long(("What it is about", about, ABOUT), ("The summary", summary, SUMMARY))
    if not about and not problem:
        problem = "Say what the case is about."
    same = [each for each in store.cases.of_caller(owner) if each["about"] == about] if owner else []
    if same and same[0]["id"] != id_of_case and not problem:
        problem = f"A case about {named(about)} is open already. Write on that one."
    if problem:
        return refused(409 if why_not else 422, problem, lambda words: _cases(task, words))
    with store.database.write() as connection:
        owner = owner or _new_caller(connection, task, now)
        if owner is None:
            abort(409, "This number came to belong to several people just now. Reload the page.")
        details = ("agent", task.line, now, today, task.call, g.user.id)
        if store.cases.open(connection, id_of_case, owner, about, summary or None, *details):
            note_in(connection, now, g.user.id, "case", id_of_case, "opened")
    return done("Case opened.", url_for("matters.cases", id_=task.id), lambda: _cases(task))


@pages.post("/desk/tasks/<id_>/case/<case>/update")
@requires("agent")
def update(id_: str, case: str) -> Any:
    """What it is about now."""
    task, summary = served(id_), _text("summary")
    problem = "Write what it is about now." if not summary else _too_long(("The summary", summary, SUMMARY))

    def change(connection: Any, case: str, now: float, today: str) -> str:
        console.wired().store.cases.update(connection, case, now, summary, task.call, g.user.id)
        return "Summary saved."

    return _changed(id_, case, "updated", change, problem)


@pages.post("/desk/tasks/<id_>/case/<case>/promise")
@requires("agent")
def promise(id_: str, case: str) -> Any:
    """Something that will be done for the caller, by a day."""
    task = served(id_)
    words, by, id_of_promise = _text("promise"), request.form.get("by", ""), once(task)

    def change(connection: Any, case: str, now: float, today: str) -> str:
        console.wired().store.cases.promise(connection, id_of_promise, case, words, by, now, g.user.id)
        return "Promise kept in the case."

    return _changed(id_, case, "promised", change, _wrong_promise(words, by, _today(task)))


def _wrong_promise(words: str, by: str, today: str) -> str:
    if not words:
        return "Write what was promised."
    try:
        past_day = date.fromisoformat(by).isoformat() < today
    except ValueError:
        return "That is not a day. Choose one from the calendar, such as 2026-03-14."
    if past_day:
        return "That day has passed. Promise it for today or later."
    return _too_long(("The promise", words, PROMISE))


@pages.post("/desk/tasks/<id_>/case/<case>/kept")
@requires("agent")
def kept(id_: str, case: str) -> Any:
    """A promise was kept."""
    id_of_promise = request.form.get("promise", "")

    def change(connection: Any, case: str, now: float, today: str) -> str:
        store = console.wired().store
        found = store.cases.get(case)
        if found is None or id_of_promise not in [each["id"] for each in found["promises"]]:
            abort(404, "There is no such promise any more.")
        return "Marked as kept." if store.cases.kept(connection, id_of_promise, now, today, g.user.id) else ""

    return _changed(id_, case, "kept", change)


@pages.post("/desk/tasks/<id_>/case/<case>/close")
@requires("agent")
def close(id_: str, case: str) -> Any:
    """It is solved."""

    def change(connection: Any, case: str, now: float, today: str) -> str:
        closed = console.wired().store.cases.close(connection, case, now, today, g.user.id)
        return "Case closed." if closed else ""

    return _changed(id_, case, "closed", change, undo="matters.reopen")


@pages.post("/desk/tasks/<id_>/case/<case>/reopen")
@requires("agent")
def reopen(id_: str, case: str) -> Any:
    """It is not solved after all."""

    def change(connection: Any, case: str, now: float, today: str) -> str:
        return OPENED_AGAIN if console.wired().store.cases.reopen(connection, case, now, g.user.id) else ""

    return _changed(id_, case, "reopened", change)


def _changed(id_: str, case: str, kind: str, change: Change, problem: str = "", undo: str | None = None) -> Any:
    """A change of one case of this caller's."""
    task = served(id_)
    store, now = console.wired().store, console.wired().clock()
    owner, found = _owner(task)[0], store.cases.get(case)
    if found is None or owner is None or found["caller"] != owner:
        abort(404, "This caller has no such case any more. Reload the page.")
    if problem:
        return refused(422, problem, lambda words: _cases(task, words))
    with store.database.write() as connection:
        words = change(connection, case, now, _today(task))
        if words:
            note_in(connection, now, g.user.id, "case", case, kind)
    back = url_for(undo, id_=id_, case=case) if undo and words else None
    if kind == "reopened":
        return undone(words or SO_ALREADY, url_for("matters.cases", id_=id_))
    return done(words or SO_ALREADY, url_for("matters.cases", id_=id_), lambda: _cases(task), back)


def _owner(task: Task) -> tuple[str | None, str]:
    """Whose cases these are, or why none can be kept; neither where nobody has this number yet: writing gives it a caller."""
    if task.caller:
        return task.caller, ""
    call = past(task.call)
    if call is None:
        return None, "This call was erased, so nobody knows any more whose case it would be."
    if call.session.person:
        return call.session.person, ""
    number = call.session.call.get("number")
    if number is None:
        return None, "Their number is withheld, so we would not know them when they call again. No case can be kept."
    if call.session.call.get("forwarded"):
        return None, "The call was forwarded, so the number is not the caller's own. No case can be kept."
    people = console.wired().store.people(number)
    if len(people) > 1:
        return (
            None,
            f"This number belongs to {len(people)} people, and nobody proved who they are. No case can be kept.",
        )
    return (people[0].id if people else None), ""


def _new_caller(connection: Any, task: Task, now: float) -> str | None:
    """Nobody has this number yet: now it is a caller of its own."""
    call = past(task.call)
    number = call.session.call.get("number") if call else None
    return console.wired().store.callers.remember(connection, None, number, {}, "agent", now)


def _today(task: Task) -> str:
    """The day by the line's clock."""
    return datetime.fromtimestamp(console.wired().clock(), filters.zone(task.line)).date().isoformat()


def _text(name: str) -> str:
    """What was written, without what is not seen; line ends stay."""
    return "\n".join(map(plain, request.form.get(name, "").splitlines())).strip()


def _too_long(*texts: tuple[str, str, int]) -> str:
    return next(
        (f"{what} has {len(text)} characters; shorten it to {most}." for what, text, most in texts if len(text) > most),
        "",
    )


def _cases(task: Task, problem: str = "") -> str:
    wiring = console.wired()
    owner, why_not = _owner(task)
    every = list(reversed(wiring.store.cases.of_caller(owner, every=True))) if owner else []
    users = {event["user"] for case in every for event in case["events"] if event["user"]}
    return panel(
        "case",
        task,
        open=[case for case in every if not case["closed"]],
        closed=[case for case in every if case["closed"]],
        who={id_: colleague(wiring, id_) for id_ in users},
        happened=HAPPENED,
        reasons=_reasons(wiring, task),
        chosen=request.form.get("about") or task.reason or "",
        given=request.form if problem else {},
        named=named,
        today=_today(task),
        problem=problem if problem != why_not else "",
        why_not=why_not,
        once=uuid.uuid4().hex,
    )


def _reasons(wiring: Wiring, task: Task) -> Mapping[str, str]:
    """Every reason of the line's menus, as the line names it."""
    bundle = wiring.store.published()
    line = bundle.lines.get(task.line)
    found = menu_reasons(bundle, line) if line else ()
    return {reason: (line and reason_label(bundle, line, reason)) or named(reason) for reason in found}
