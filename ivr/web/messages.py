"""Messages that callers left: listened to through us, given to a colleague, answered by a call back, done, deleted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import Flask, Response, abort, flash, g, request, url_for

from ivr.handoff.task import Task, callback_after, callback_due
from ivr.store.audit import note_in
from ivr.store.recordings import Recording
from ivr.store.users import User
from ivr.telephony.faults import RestFault
from ivr.web import console
from ivr.web.auth import requires, see
from ivr.web.filters import relative, zone
from ivr.web.served import done, is_fragment, panel, served, undone
from ivr.web.shown import colleague, label, packet_of_task

if TYPE_CHECKING:
    from ivr.web.app import Wiring

GONE = "This message was deleted. There is nothing to listen to any more."

pages = console.blueprint("messages")


def register(app: Flask, _: Wiring) -> None:
    """The routes."""
    app.register_blueprint(pages)


@pages.get("/desk/tasks/<id_>/voicemail")
@requires("agent")
def voicemail(id_: str) -> str:
    """One message, with what is known of whom it is from."""
    return _message(_voicemail(id_))


@pages.get("/desk/recordings/<sid>.mp3")
@requires("agent")
def recording(sid: str) -> Response:
    """The sound itself, from Twilio: with our account's password, which no browser gets to see."""
    wiring = console.wired()
    task = served(f"v-{sid[:64]}")
    kept = wiring.store.calls.recording(sid)
    if kept is None:
        abort(404, GONE)
    range_ = request.headers.get("Range")
    try:
        media = wiring.rest.recording(kept.sid, range_)
    except RestFault as fault:
        wiring.log.error("recording_not_fetched", recording=sid, error=str(fault), status=fault.status)
        if fault.status == 404:
            abort(404, "Twilio does not have this message. It may have been deleted there, or is not ready yet.")
        abort(502, f"The message could not be fetched: {fault}. Try again in a moment.")
    if range_ is None or range_.startswith("bytes=0-"):
        wiring.store.calls.heard(kept.sid, wiring.clock())
        wiring.store.audit.note(wiring.clock(), g.user.id, "listen", task.id)
    response = Response(media.chunks, media.status, dict(media.headers))
    response.headers["Cache-Control"] = "private, no-store"
    response.headers.setdefault("Content-Type", "audio/mpeg")
    response.headers["Content-Disposition"] = "inline"
    return response


@pages.post("/desk/tasks/<id_>/voicemail/assign")
@requires("agent")
def assign(id_: str) -> Any:
    """For a colleague, for oneself, or for anybody again."""
    task, wiring = _voicemail(id_), console.wired()
    to = request.form.get("to", "")
    if to and to not in [each.id for each in _colleagues(task)]:
        abort(422, "Nobody with that name serves this target. Choose a colleague from the list.")
    if not wiring.store.tasks.assign(task.id, to or None, wiring.clock()):
        abort(409, "This message is done already.")
    wiring.store.audit.note(wiring.clock(), g.user.id, "assign", task.id, to)
    words = (
        "For anybody again." if not to else "It is yours." if to == g.user.id else f"Given to {colleague(wiring, to)}."
    )
    return done(words, _where(task), lambda: _message(_voicemail(id_)))


@pages.post("/desk/tasks/<id_>/voicemail/call-back")
@requires("agent")
def call_back(id_: str) -> Response:
    """Makes a call back of it. Where it may be made now, it is taken from the page that follows."""
    task, wiring = _voicemail(id_), console.wired()
    if task.number is None:
        abort(409, "Their number is withheld, so nobody can call them back.")
    now, store = wiring.clock(), wiring.store
    call = store.load(task.call)
    bundle = (store.bundle(call.bundle) if call else None) or store.published()
    due = callback_due(bundle, task.target, task.number, now)
    fresh = _call_back(task, due, now)
    with store.database.write() as connection:
        if store.tasks.add(connection, fresh, now):
            note_in(connection, now, g.user.id, "call_back", task.id)
    if task.agent is None:
        store.tasks.assign(task.id, g.user.id, now)
    store.tasks.finish(task.id, now, "handled")
    waiting = _standing(fresh)
    if waiting is None:
        return _go_to(task.id, "They were called back already.")
    if waiting.due > now:
        soon = relative(waiting.due, now, zone(task.line))
        return _go_to(waiting.id, f"It is too early or too late to call there now. The call back waits: {soon}.")
    return _go_to(waiting.id, "Take the call back when you are ready.")


def _call_back(task: Task, due: float, now: float) -> Task:
    """The call back that answers a message. The same one, however often it is asked for."""
    made = callback_after(task, f"{task.call}-{task.recording}", "they left a message", task.entered, due)
    return made._replace(ahead=task.ahead, recording=task.recording, changed=now)


def _standing(fresh: Task) -> Task | None:
    """The call back that their caller has now: this one, or the one that it was merged with."""
    tasks = console.wired().store.tasks
    made = tasks.get(fresh.id)
    if made is not None and made.result != "merged":
        return made if made.done is None else None
    theirs = (each for each in tasks.open_tasks([fresh.target]) if each.kind == "callback")
    return next(
        (each for each in theirs if each.number == fresh.number or (each.caller and each.caller == fresh.caller)), None
    )


def _go_to(id_: str, words: str) -> Response:
    """The page of that task."""
    where = url_for("desk.task", id_=id_)
    flash(words)
    return Response("", 204, {"HX-Redirect": where}) if is_fragment() else see(where)


@pages.post("/desk/tasks/<id_>/voicemail/handled")
@requires("agent")
def handled(id_: str) -> Any:
    """Nothing is left to do about it."""
    task, wiring = _voicemail(id_), console.wired()
    if task.agent is None:
        wiring.store.tasks.assign(task.id, g.user.id, wiring.clock())
    if wiring.store.tasks.finish(task.id, wiring.clock(), "handled"):
        wiring.store.audit.note(wiring.clock(), g.user.id, "handled", task.id)
    undo = url_for("messages.reopen", id_=task.id)
    return done("Message handled.", _where(task), lambda: _message(_voicemail(id_)), undo)


@pages.post("/desk/tasks/<id_>/voicemail/reopen")
@requires("agent")
def reopen(id_: str) -> Any:
    """It is not done after all."""
    task, wiring = _voicemail(id_), console.wired()
    if task.done is not None and not wiring.store.tasks.reopen(task.id, wiring.clock()):
        abort(409, "It is too late to take this back. The message can still be listened to.")
    wiring.store.audit.note(wiring.clock(), g.user.id, "reopen", task.id)
    return undone("The message waits again.", _where(task))


@pages.post("/desk/tasks/<id_>/voicemail/delete")
@requires("agent")
def delete(id_: str) -> Any:
    """Deletes the sound, here at once and at Twilio through the outbox."""
    task, wiring = _voicemail(id_), console.wired()
    if task.recording and wiring.store.calls.forget_recording(task.recording, wiring.clock()):
        wiring.store.audit.note(wiring.clock(), g.user.id, "delete", task.id)
    return done("Message deleted.", _where(task), lambda: _message(_voicemail(id_)))


def _voicemail(id_: str) -> Task:
    found = served(id_)
    if found.kind != "voicemail":
        abort(404, "This is no message. Go back to the list.")
    return found


def _where(task: Task) -> str:
    return url_for("messages.voicemail", id_=task.id)


def _colleagues(task: Task) -> list[User]:
    """Those who work for this target, by name."""
    users = console.wired().store.users.every()
    here = [each for each in users if each.may("agent") and each.disabled is None and each.serves(task.target)]
    return sorted(here, key=lambda each: each.name.casefold())


def _message(task: Task) -> str:
    wiring = console.wired()
    kept: Recording | None = wiring.store.calls.recording(task.recording) if task.recording else None
    return panel(
        "voicemail",
        task,
        recording=kept,
        gone=GONE,
        packet=packet_of_task(wiring, g.user, task),
        about=label(wiring, task),
        colleagues=_colleagues(task),
        holder=colleague(wiring, task.agent) if task.agent else None,
    )
