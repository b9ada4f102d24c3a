"""TaskRouter has found a worker and asks what it shall do: /voice/assignment answers from config.yaml and the form alone.

There is no look at the database or at anything slow: after 5 s Twilio would not listen any more. A caller who waits is
dequeued to the worker, or meets them in a conference; for a call back the worker's own phone is rung first.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from flask import request

from ivr.jsontext import decode, encode

if TYPE_CHECKING:
    from ivr.web.app import Wiring

SAFE = '{"instruction":"dequeue"}'
"""What is right where nothing is known: Twilio knows the worker's phone and the number that was called."""


def assignment(wiring: Wiring) -> str:
    """What TaskRouter shall do, as JSON."""
    attributes, worker = _object("TaskAttributes"), _object("WorkerAttributes")
    target = wiring.config.file.targets.get(str(attributes.get("target")))
    # `to` is Twilio's own attribute of a call that was enqueued.
    numbers = {"to": worker.get("contact_uri"), "from": attributes.get("line") or attributes.get("to")}
    answer: dict[str, Any] = {"instruction": "dequeue"}
    answer |= {name: number for name, number in numbers.items() if isinstance(number, str) and number}
    if target is not None:
        answer["timeout"] = int(target.ring)
    if attributes.get("callback"):
        answer |= {"instruction": "call"} | _call_back(wiring, str(attributes["callback"]))
    elif target is not None and target.taskrouter is not None:
        answer["instruction"] = target.taskrouter.instruction
        if target.taskrouter.after:
            answer["post_work_activity_sid"] = target.taskrouter.after
    if answer["instruction"] == "conference" and "from" not in answer:
        # Twilio makes no conference without a number to call from, but dequeues.
        answer["instruction"] = "dequeue"
    return encode(answer)


def _call_back(wiring: Wiring, task: str) -> dict[str, str]:
    """Where the worker's phone asks what to say.

    The reservation is left pending until they press the key: with Twilio's `accept` the task would be theirs before their
    phone rings, and nobody else's if they do not pick up. So it is TaskRouter that passes it on, after its own timeout.
    """
    base = f"{wiring.twiml.base}/voice/agent"
    query = f"task={quote(task, safe='')}"
    sids = {"external": request.values.get("TaskSid", ""), "reservation": request.values.get("ReservationSid", "")}
    routed = "".join(f"&{name}={quote(sid, safe='')}" for name, sid in sids.items() if sid)
    return {"url": f"{base}?{query}{routed}", "status_callback_url": f"{base}/status?{query}"}


def _object(field: str) -> dict[str, Any]:
    """A field that holds JSON; nothing where it does not."""
    try:
        made = decode(request.values.get(field, ""))
    except ValueError:
        return {}
    return made if isinstance(made, dict) else {}
