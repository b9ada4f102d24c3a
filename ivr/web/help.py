"""What an agent may do for a caller after the call: gestures that management approved, and concessions within a limit."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from flask import Flask, Response, abort, g, render_template, request, url_for

from ivr.config import Concession
from ivr.handoff.gestures import OWN
from ivr.handoff.offers import offers, payload, refusal
from ivr.handoff.seen import named
from ivr.handoff.task import Task
from ivr.store.audit import note_in
from ivr.store.grants import UNDO_SECONDS, Grant
from ivr.store.tasks import held
from ivr.web import console
from ivr.web.auth import requires
from ivr.web.draft import WAYS, draft_of, not_sendable
from ivr.web.served import Past, done, panel, past, refused, served, undone
from ivr.web.served import once as form_id
from ivr.web.shown import colleague, label

if TYPE_CHECKING:
    from ivr.web.app import Wiring

ERASED = "This call was erased, so nobody knows any more whom it was with. Nothing can be done for it."
LONGEST_WHY = 500
"""Characters."""

pages = console.blueprint("help")


def register(app: Flask, _: Wiring) -> None:
    """The routes."""
    app.register_blueprint(pages)


# Gestures


@pages.get("/desk/tasks/<id_>/gesture")
@requires("agent")
def gesture(id_: str) -> str:
    """The gestures, and the first of them previewed."""
    return _gestures(served(id_))


@pages.post("/desk/tasks/<id_>/gesture/preview")
@requires("agent")
def preview(id_: str) -> str:
    """The same with what was chosen and written; nothing is sent."""
    return _gestures(served(id_))


@pages.post("/desk/tasks/<id_>/gesture")
@requires("agent")
def send(id_: str) -> Any:
    """Sends it, a moment later."""
    task = served(id_)
    call, id_of_grant = past(task.call), form_id(task)
    if call is None:
        abort(409, ERASED)
    wiring, now = console.wired(), console.wired().clock()
    draft = draft_of(wiring, task, call, request.form)
    why_not = not_sendable(draft)
    if why_not or draft is None or draft.words is None:
        return refused(422, why_not, lambda problem: _gestures(task, problem))
    grant = _grant(task, call, id_of_grant, "gesture", draft.name, now)._replace(by=draft.by, words=draft.words)
    give: dict[str, Any] = {"to": draft.to, "words": draft.words, "from": call.session.call.get("to")}
    if draft.by == "email":
        line = call.bundle.lines.get(call.session.line)
        # The subject stands in lists that others see, so it says who writes and not why.
        give |= {"subject": line.title or line.line if line else "", "language": call.session.language}
    with wiring.store.database.write() as connection:
        if wiring.store.grants.add(connection, grant, None if draft.by == "card" else draft.by, give):
            note_in(connection, now, g.user.id, "gesture", task.id, f"{draft.name} by {draft.by}")
    _must_stand(id_of_grant)
    told = f"{draft.title}: the card is ready to print." if draft.by == "card" else f"{draft.title} is on its way."
    return _done(told, task, "help.gesture", lambda: _gestures(task, fresh=True), id_of_grant)


def _gestures(task: Task, problem: str = "", fresh: bool = False) -> str:
    call = past(task.call)
    draft = draft_of(console.wired(), task, call, {} if fresh else request.form) if call else None
    return panel(
        "gesture",
        task,
        gestures=console.wired().config.file.gestures,
        draft=draft,
        ways=WAYS,
        longest=OWN,
        problem=problem or (ERASED if call is None else ""),
        erased=call is None,
        **_sent(task, "gesture"),
    )


@pages.get("/desk/grants/<id_>/card")
@requires("agent")
def card(id_: str) -> str:
    """A gesture as it is printed."""
    grant = _granted(id_)
    if grant.by != "card" or grant.undone is not None:
        abort(404, "There is no card to print here. It was taken back, or went another way.")
    return render_template("desk/card.html", grant=grant, task=served(grant.task))


# Concessions


@pages.get("/desk/tasks/<id_>/concession")
@requires("agent")
def concession(id_: str) -> str:
    """What may be granted in this call, and how like cases were treated."""
    return _concessions(served(id_))


@pages.post("/desk/tasks/<id_>/concession")
@requires("agent")
def grant(id_: str) -> Any:
    """Grants it, a moment later."""
    task = served(id_)
    call, id_of_grant = past(task.call), form_id(task)
    if call is None:
        abort(409, ERASED)
    wiring, now, name = console.wired(), console.wired().clock(), request.form.get("concession", "")
    offer = next((each for each in _offers(task, call) if each["name"] == name), None)
    if offer is None:
        abort(422, "This cannot be granted in this call. Choose something that is offered.")
    spec, amount, why = wiring.config.file.concessions[name], _amount(), request.form.get("why", "").strip()
    made = _grant(task, call, id_of_grant, "concession", name, now)._replace(amount=amount, why=why[:LONGEST_WHY])
    with wiring.store.database.write() as connection:
        # Whoever else grants for this task waits here, so that two together stay within the limit.
        held(connection, task.id)
        before = wiring.store.grants.granted(connection, task.id, name, but=id_of_grant)
        problem = _why_not(spec, offer, amount, before, why)
        give = payload(spec, _facts(call), amount)
        if not problem and wiring.store.grants.add(connection, made, spec.do, give):
            note_in(connection, now, g.user.id, "grant", task.id, f"{name} {amount:g}")
    if problem:
        return refused(422, problem, lambda words_: _concessions(task, words_))
    _must_stand(id_of_grant)
    return _done(f"Granted: {spec.title}.", task, "help.concession", lambda: _concessions(task), id_of_grant)


def _amount() -> float:
    """What was entered; not a number where it is none."""
    try:
        return round(float(request.form.get("amount", "").strip().lstrip("$€£")), 2)
    except ValueError:
        return float("nan")


def _why_not(spec: Concession, offer: Mapping[str, Any], amount: float, before: float, why: str) -> str:
    """Why it cannot be granted, and what to do. What was granted `before` for this task counts towards the limit."""
    if offer.get("missing"):
        return f"Not known yet: {', '.join(map(named, offer['missing']))}. It cannot be granted without."
    if before and 0 < amount <= spec.limit < amount + before:
        return f"{before:g} of {spec.limit:g} is granted already. At most {spec.limit - before:g} is left."
    return refusal(spec, amount, why) or ""


def _offers(task: Task, call: Past) -> list[dict[str, Any]]:
    wiring = console.wired()
    every, since = wiring.config.file.concessions, wiring.clock() - wiring.config.file.desk.like
    return offers(every, _facts(call), task.reason, wiring.store.grants.like(task.reason, since, every))


def _facts(call: Past) -> Mapping[str, Mapping[str, Any]]:
    return {**call.session.facts, "found": call.session.found}


def _concessions(task: Task, problem: str = "") -> str:
    call, wiring = past(task.call), console.wired()
    return panel(
        "concession",
        task,
        offers=_offers(task, call) if call else [],
        configured=bool(wiring.config.file.concessions),
        about=label(wiring, task),
        money=wiring.config.file.money,
        given=request.form,
        problem=problem or (ERASED if call is None else ""),
        **_sent(task, "concession"),
    )


# Both


@pages.post("/desk/grants/<id_>/undo")
@requires("agent")
def undo(id_: str) -> Response:
    """Takes it back, while nothing has left the house."""
    wiring, found = console.wired(), _granted(id_)
    if found.user != g.user.id:
        abort(403, f"{colleague(wiring, found.user)} did this; only they can take it back.")
    if not wiring.store.grants.undo(found.id, wiring.clock()):
        abort(409, "This is on its way already and cannot be taken back.")
    wiring.store.audit.note(wiring.clock(), g.user.id, "undo", found.id, found.name)
    where = url_for("help.concession" if found.kind == "concession" else "help.gesture", id_=found.task)
    return undone("Taken back.", where)


def _must_stand(id_: str) -> None:
    """A form sent a second time after what it made was taken back makes nothing."""
    found = console.wired().store.grants.get(id_)
    if found is None or found.undone is not None:
        abort(409, "You have taken this back. Reload the page to do it anew.")


def _granted(id_: str) -> Grant:
    """The grant, where the user serves its task's target."""
    found = console.wired().store.grants.get(id_)
    if found is None:
        abort(404, "There is nothing like this any more.")
    served(found.task)
    return found


def _grant(task: Task, call: Past, id_: str, kind: str, name: str, now: float) -> Grant:
    empty: dict[str, Any] = dict.fromkeys(("amount", "by", "words", "why"))
    caller = task.caller or call.session.person
    return Grant(id_, kind, name, task.id, task.call, caller, task.reason, user=g.user.id, at=now, **empty)


def _live(task: Task, kind: str) -> list[Grant]:
    """What stands for this task."""
    found = console.wired().store.grants.of_task(task.id)
    return [each for each in found if each.kind == kind and each.undone is None]


def _sent(task: Task, kind: str) -> dict[str, Any]:
    """What stands already, with who did it, and the token of a new form."""
    wiring = console.wired()
    made, now = _live(task, kind), wiring.clock()
    return {
        "sent": made,
        "who": {each.user: colleague(wiring, each.user) for each in made},
        "titles": {name: spec.title for name, spec in _specs(kind).items()},
        "undoable": {each.id for each in made if each.user == g.user.id and now <= each.at + UNDO_SECONDS},
        "once": uuid.uuid4().hex,
    }


def _specs(kind: str) -> Mapping[str, Any]:
    file = console.wired().config.file
    return file.gestures if kind == "gesture" else file.concessions


def _done(words_: str, task: Task, endpoint: str, draw: Any, grant_id: str) -> Response:
    return done(words_, url_for(endpoint, id_=task.id), draw, url_for("help.undo", id_=grant_id))
