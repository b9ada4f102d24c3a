"""The voice webhooks. Signature, form → request, one turn; any fault is an apology and a person, always valid TwiML, always 200."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, quote, urlsplit

from flask import Flask, Response, abort, request, send_from_directory
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge

from ivr import turn as turns
from ivr.clock import stopwatch
from ivr.engine.session import from_json
from ivr.errors import StoreGone
from ivr.telephony.requests import call_request
from ivr.telephony.twiml import EMPTY, HANG_UP, VOICES, _say
from ivr.turn import NoLine
from ivr.web import agents
from ivr.web.assignment import SAFE, assignment
from ivr.web.wait import wait

if TYPE_CHECKING:
    from ivr.web.app import Wiring

DOCUMENT_ERRORS = ("12", "13")
"""How Twilio's error codes for a document, and for a verb in it, begin."""

FINAL = ("completed", "busy", "failed", "no-answer", "canceled")


def register(app: Flask, wiring: Wiring) -> None:
    """The routes under /voice."""

    def route(path: str, kind: str, view: Callable[[Wiring], str]) -> None:
        app.add_url_rule(
            path, f"voice_{kind}", _guarded(wiring, kind, view), methods=["POST", "GET"], strict_slashes=False
        )

    route("/voice/incoming", "incoming", _incoming)
    route("/voice/turn", "turn", _turn)
    route("/voice/status", "status", _status)
    route("/voice/fallback", "fallback", _fallback)
    route("/voice/whisper", "whisper", _whisper)
    route("/voice/accept", "accept", _accept)
    route("/voice/wait", "wait", wait)
    route("/voice/agent", "agent", agents.ring)
    route("/voice/agent/accept", "agent_accept", agents.accept)
    route("/voice/agent/done", "agent_done", agents.done)
    route("/voice/agent/status", "agent_status", agents.status)
    route("/voice/assignment", "assignment", assignment)
    route("/voice/recording", "recording", _recording)
    app.add_url_rule("/voice/audio/<path:name>", "voice_audio", lambda name: _audio(wiring, name))


def _guarded(wiring: Wiring, kind: str, view: Callable[[Wiring], str]) -> Callable[[], Response]:
    counter = wiring.metrics.turn.get(kind) or wiring.metrics.turn["other"]
    observe = wiring.metrics.seconds.observe

    def guarded() -> Response:
        began = stopwatch()
        try:
            _authenticate(wiring)
            body = view(wiring)
        except HTTPException as refusal:
            if not isinstance(refusal, RequestEntityTooLarge):
                raise
            # Nobody's caller sends this much, but somebody may be on the line: they get a person.
            body = _sorry(wiring, kind, "body too large")
        except NoLine as error:
            wiring.log.error("no_line", to=str(error), hint="list this number in a line's 'numbers:'")
            body = wiring.twiml.goodbye("Sorry, this number is not in service. Goodbye.")
        except StoreGone as error:
            body = _sorry(wiring, kind, f"database: {error}")
        except Exception as error:
            # The last line of defence: whatever is wrong with us, the caller reaches a person.
            # Its text may quote a caller's words, so only its kind and place are logged.
            body = _sorry(wiring, kind, type(error).__name__, where=_where(error))
        seconds = stopwatch() - began
        counter.inc()
        observe(seconds)
        kind_of = "application/json" if kind == "assignment" else "text/xml; charset=utf-8"
        return Response(body, content_type=kind_of)

    return guarded


def _sorry(wiring: Wiring, kind: str, error: str, where: str = "") -> str:
    wiring.metrics.faults.labels(kind).inc()
    wiring.log.error("fault", kind=kind, call=_field("CallSid"), error=error[:300], where=where)
    if kind == "whisper":
        # A Dial is not allowed here; without the words, the agent is still asked for the key.
        return wiring.twiml.whisper("", "1", "/voice/accept?key=1", _say("en", VOICES["en"]))
    if kind == "assignment":
        return SAFE
    if kind == "wait":
        # The caller stays in line, and the next beat is tried in a while.
        return wiring.twiml.quiet_beat(request.full_path)
    if kind in ("agent", "agent_accept", "agent_done"):
        return wiring.twiml.goodbye("Sorry, something went wrong on our side. The caller is still waiting.")
    return (
        EMPTY if kind in ("status", "recording", "agent_status") else wiring.twiml.apology(language=_language(wiring))
    )


def _field(name: str) -> str:
    try:
        return str(request.values.get(name, ""))[:64]
    except Exception:
        # A body that cannot be parsed at all has no fields.
        return ""


def _where(error: Exception) -> str:
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return f"{trace.tb_frame.f_code.co_filename.rsplit('/ivr/', 1)[-1]}:{trace.tb_lineno}" if trace else ""


def _language(wiring: Wiring) -> str:
    """The call's language, if that can be told without the database's help."""
    try:
        call = wiring.store.load(_field("CallSid"))
        return from_json(call.session).language if call and call.session else "en"
    except Exception:
        # This is already the fault path: English is better than a second fault.
        return "en"


def _authenticate(wiring: Wiring) -> None:
    """403 unless the request is Twilio's."""
    if wiring.signatures is None:
        return
    try:
        form: Any = request.form
        body = b"" if form else request.get_data()
        environ = request.environ
        signature = environ.get("HTTP_X_TWILIO_SIGNATURE", "")
        good = wiring.signatures.valid(public_url(wiring, environ), form, body, signature)
    except RequestEntityTooLarge:
        raise
    except (UnicodeError, ValueError):
        good = False
    if not good:
        wiring.metrics.refused.inc()
        wiring.log.warning("bad_signature", path=request.path, hint="is IVR_PUBLIC_URL the address Twilio calls?")
        abort(403)


def public_url(wiring: Wiring, environ: Mapping[str, Any]) -> str:
    """The URL as Twilio called it: on the configured public address, whatever the proxies in between made of it."""
    host = environ.get("HTTP_HOST", "")
    raw = environ.get("RAW_URI") or environ.get("REQUEST_URI") or quote(environ.get("PATH_INFO", ""), safe="/")
    path = raw.partition("?")[0] if raw.startswith("/") else urlsplit(raw).path
    base = wiring.config.public_url or f"{environ['wsgi.url_scheme']}://{host}"
    if host not in base and host.lower() == (named := urlsplit(base).netloc).lower():
        # Twilio signs the host in the letters that somebody typed into its console.
        base = base.replace(named, host, 1)
    prefix = urlsplit(base).path if wiring.config.public_url else ""
    if prefix and path.startswith(prefix + "/"):
        path = path[len(prefix) :]
    query = environ.get("QUERY_STRING", "")
    return f"{base}{path}{'?' + query if query else ''}"


def _incoming(wiring: Wiring) -> str:
    made = call_request(_form(), None, wiring.config.file.region)
    if made is None:
        return HANG_UP
    body = turns.answer(wiring.parts, made)
    wiring.log.info("incoming", call=made.sid, from_=made.from_, to=made.to)
    return body


def _form() -> Any:
    """The fields, wherever Twilio was told to put them."""
    return (request.form if request.method == "POST" else request.args).to_dict()


def _number_of_turn() -> int:
    """The turn that the URL carries; -1 for one that no call of ours has."""
    query = request.environ.get("QUERY_STRING", "")
    number = query[5:] if query.startswith("turn=") and query[5:].isdigit() else request.args.get("turn", "")
    return int(number) if number.isdigit() and number.isascii() and len(number) < 8 else -1


def _turn(wiring: Wiring) -> str:
    made = call_request(_form(), _number_of_turn(), wiring.config.file.region)
    if made is None:
        return HANG_UP
    body = turns.answer(wiring.parts, made)
    wiring.log.info("turn", call=made.sid, turn=made.turn)
    return body


def _status(wiring: Wiring) -> str:
    """Final statuses close the call; the others, in whatever order they come, change nothing."""
    sid, status = _field("CallSid"), _field("CallStatus")
    if status in FINAL and sid:
        closed = turns.hang_up(wiring.parts, sid, status)
        wiring.log.info("status", call=sid, status=status, closed=closed)
    return EMPTY


def _fallback(wiring: Wiring) -> str:
    """Twilio could not use our last answer: the present question again, or, without a database, a person."""
    wiring.log.error(
        "fallback", call=_field("CallSid"), code=_field("ErrorCode"), url=request.values.get("ErrorUrl", "")[:200]
    )
    if _field("ErrorCode").startswith(DOCUMENT_ERRORS):
        # Twilio refused the document itself; the same again would be refused again.
        return wiring.twiml.apology(language=_language(wiring))
    call = wiring.store.load(_field("CallSid"))
    if call is not None and call.state == "open":
        return call.twiml
    asked = parse_qs(urlsplit(request.values.get("ErrorUrl", "")).query).get("turn")
    if call is None and not asked:
        return _incoming(wiring)
    return call.twiml if call else wiring.twiml.apology()


def _whisper(wiring: Wiring) -> str:
    """What the agent hears. The webhook carries the agent's leg; the URL names the caller's call."""
    sid = request.args.get("call", "")[:64]
    call = wiring.store.load(sid)
    words, key = "", "1"
    if call is not None and call.session:
        name = str(from_json(call.session).wait.spec.get("target"))
        target = wiring.config.file.targets.get(name)
        key = target.accept_key if target else "1"
        words = agents.agent_whisper(wiring, sid, name)
    return wiring.twiml.whisper(words, key, f"/voice/accept?key={key}", _say("en", VOICES["en"]))


def _accept(wiring: Wiring) -> str:
    """The agent's key. The caller's own turn learns by DialBridged whether the two were connected."""
    return wiring.twiml.accepted(_field("Digits"), request.args.get("key", "1")[:1])


def _recording(wiring: Wiring) -> str:
    """A recording is ready, maybe long after its call."""
    made = call_request(request.values, -1, None)
    sid = request.args.get("call", "")[:64] or (made.sid if made else "")
    if made is not None and made.recorded is not None:
        kept = made.recorded
        status = _field("RecordingStatus") or "completed"
        wiring.store.calls.recording_ready(kept.sid, sid, kept.url, kept.seconds, status[:20], wiring.clock())
    return EMPTY


def _audio(wiring: Wiring, name: str) -> Response:
    response = send_from_directory(wiring.config.project.resolve() / "prompts", name, max_age=86400)
    return response if name.endswith((".wav", ".mp3")) else Response(status=404)
