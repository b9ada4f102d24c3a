"""A Twilio webhook's form → CallRequest. Missing or absurd fields become the nearest sensible call, never a fault."""

from __future__ import annotations

import re
from collections.abc import Mapping

from ivr.engine.inputs import Dialled, Queued, Recorded
from ivr.phone import e164
from ivr.ports import CallRequest

MAX_DIGITS = 200
MAX_WORDS = 2000
_NOT_KEYS = re.compile(r"[^0-9*#]")
_SID = re.compile(r"[A-Za-z0-9_-]{1,64}$")


def call_request(form: Mapping[str, str], turn: int | None, region: str | None) -> CallRequest | None:
    """The request, or None without a usable CallSid: nobody can be answered then."""
    sid = form.get("CallSid", "")
    if not _SID.match(sid):
        return None
    from_, to = form.get("From", "")[:100], form.get("To", "")[:100]
    words = form.get("SpeechResult", "")[:MAX_WORDS].strip()
    return CallRequest(
        sid=sid,
        turn=turn,
        from_=from_,
        to=e164(to, region) or to,
        number=e164(from_, region),
        forwarded=bool(form.get("ForwardedFrom")) and form.get("ForwardedFrom") != from_,
        attestation=form.get("StirVerstat", "")[:60],
        direction=form.get("Direction", "inbound")[:20],
        digits=_NOT_KEYS.sub("", form.get("Digits", "")[:MAX_DIGITS]) if not form.get("RecordingSid") else "",
        words=words,
        confidence=_number(form.get("Confidence")),
        dialled=_dialled(form),
        recorded=_recorded(form),
        queued=_queued(form),
    )


def _number(text: str | None) -> float | None:
    try:
        value = float(text or "")
    except ValueError:
        return None
    return value if 0 <= value < 1e9 else None


def _dialled(form: Mapping[str, str]) -> Dialled | None:
    """Decided on DialBridged: a leg that was answered and then declined in the whisper may also say `completed`."""
    status = form.get("DialCallStatus")
    if not status:
        return None
    bridged = form["DialBridged"] == "true" if "DialBridged" in form else status in ("completed", "answered")
    return Dialled(status[:20], bridged, _number(form.get("DialCallDuration")) or 0.0)


RESULTS = {
    "bridged": "bridged",
    "bridging-in-process": "bridged",
    "redirected-from-bridged": "bridged",
    "queue-full": "full",
    "hangup": "abandoned",
    "leave": "left",
    "redirected": "left",
}
"""QueueResult → how the wait ended. `left` is our own doing: the task knows why."""


def _queued(form: Mapping[str, str]) -> Queued | None:
    result = form.get("QueueResult")
    if not result:
        return None
    queue = form.get("QueueSid", "")[:64] or None
    return Queued(RESULTS.get(result, "failed"), _number(form.get("QueueTime")) or 0.0, queue)


def _recorded(form: Mapping[str, str]) -> Recorded | None:
    url = form.get("RecordingUrl", "")[:500]
    if not url:
        return None
    sid = form.get("RecordingSid") or url.rsplit("/", 1)[-1]
    return Recorded(sid[:64], url, _number(form.get("RecordingDuration")) or 0.0, form.get("Digits") == "hangup")
