"""One webhook turn, a straight line: which turn is it, what was said, run, render, store.

The ports it needs are declared in `ports.py`. Everything below this module does no I/O; this one does none of its own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ivr.engine.closing import left_open, summary
from ivr.engine.decide import decide
from ivr.engine.events import Event
from ivr.engine.inputs import (
    Answer,
    Dialled,
    HungUp,
    Input,
    NoAnswer,
    Queued,
    Recorded,
    StillWaiting,
)
from ivr.engine.run import resume, start
from ivr.engine.session import Session, Sprint, from_json
from ivr.flow.bundle import Bundle
from ivr.flow.model import Line
from ivr.given import given_by, wait_ended
from ivr.handoff.task import made_by
from ivr.personal import history as past
from ivr.personal.choose import Decision
from ivr.personal.identity import level_at_first
from ivr.personal.snapshot import Person, Snapshot
from ivr.ports import Begun, Call, CallRequest, Commit, Parts

PATIENCE = 4.0
"""Seconds a turn may take for lookups: Twilio asks again after 5."""

MAX_FILLERS = 3
"""How often a caller hears that we are still looking, before the step's own branch."""

GRACE = 45.0
"""Seconds of silence past a wait after which nobody is there any more: Twilio's retries and slow lines included."""

TALK_GRACE = 4 * 3600.0
"""The same while the caller is with people."""


class NoLine(Exception):
    """No line lists the number that was called, and there are several."""


def answer(parts: Parts, request: CallRequest) -> str:
    """The TwiML for one webhook. Raises only what the shell turns into an apology and a person."""
    # A first webhook is nearly always the first: that the call exists already is found out when it is stored.
    call = parts.store.load(request.sid) if request.turn is not None else None
    if call is None:
        return _first(parts, request)
    if call.state != "open":
        return _after_the_end(parts, call, request)
    if request.turn != call.turn:
        return call.twiml
    session = from_json(call.session or "")
    bundle = _bundle(parts, call.bundle)
    given = given_by(parts, bundle, session, request)
    began = parts.stopwatch()
    if given is None:
        sprint: Sprint | None = None
    else:
        sprint = resume(bundle, session, given, parts.clock())
    sprint = _settle(parts, bundle, sprint or Sprint(session, ()), began)
    turn = call.turn + 1
    commit = _commit(parts, bundle, sprint, request.sid, turn)
    if parts.store.advance(call, commit):
        return commit.twiml
    return _lost(parts, request)


def _lost(parts: Parts, request: CallRequest) -> str:
    """Another request was stored first: its answer, or, if it was the end of the call, what a closed call answers."""
    winner = parts.store.load(request.sid)
    if winner is None:
        return parts.empty
    return winner.twiml if winner.state == "open" else _after_the_end(parts, winner, request)


def _bundle(parts: Parts, id_: str) -> Bundle:
    """The version the call began with; should it be gone, what is published now: the caller still reaches a step or a person."""
    return parts.store.bundle(id_) or parts.store.published()


def _after_the_end(parts: Parts, call: Call, request: CallRequest) -> str:
    """A closed call is never reopened; what a late webhook brings is kept."""
    if request.turn is None or request.turn == call.turn - 1:
        return call.twiml
    if request.turn != call.turn:
        return parts.empty
    now = parts.clock()
    if request.recorded is not None and request.recorded.seconds >= 1:
        _keep_message(parts, call, request.recorded, now)
    if request.queued is not None and request.queued.result == "bridged":
        data = {"result": "bridged", "seconds": request.queued.seconds, "late": True}
        parts.store.keep_late(call.sid, (Event("waited", now, "", data),), "handed_over")
    if request.dialled is not None:
        _keep_talk(parts, call, request.dialled, now)
    return parts.empty


def _keep_talk(parts: Parts, call: Call, dialled: Dialled, now: float) -> None:
    """A caller who hung up first may have talked with those who were dialled, who then have something to write up."""
    session = from_json(call.session) if call.session else None
    events = parts.store.events_of(call.sid)
    asked: Mapping[str, Any] = next((event.data for event in reversed(events) if event.type == "asked"), {})
    data: dict[str, Any] = {"status": dialled.status, "bridged": dialled.bridged, "seconds": dialled.seconds}
    private: Mapping[str, Any] = {}
    if asked.get("kind") == "dial" and not asked.get("emergency"):
        data |= {"target": asked["target"], "task": asked["task"]}
        private = next(event.private for event in reversed(events) if event.type == "handed_off")
    event = Event("dialled", now, "", {**data, "late": True}, private)
    tasks = made_by(_bundle(parts, call.bundle), session, (event,)) if session else ()
    parts.store.keep_late(call.sid, (event,), "handed_over" if dialled.bridged else None, tasks)


def _keep_message(parts: Parts, call: Call, recorded: Recorded, now: float) -> None:
    """A message that arrives after its caller has hung up is kept, and listened to, like any other."""
    session = from_json(call.session) if call.session else None
    asked = [event.data for event in parts.store.events_of(call.sid) if event.type == "asked"]
    target = next((data.get("target") for data in reversed(asked) if data["kind"] == "record"), None)
    data = {"seconds": recorded.seconds, "target": target, "late": True}
    event = Event("recorded", now, "", data, {"sid": recorded.sid, "url": recorded.url})
    tasks = made_by(_bundle(parts, call.bundle), session, (event,)) if session else ()
    parts.store.keep_late(call.sid, (event,), "voicemail", tasks)


# — the first turn —


def _first(parts: Parts, request: CallRequest) -> str:
    if request.turn is not None:
        # A turn of a call we never answered (another server's, or forgotten): begin it here rather than drop the caller.
        request = CallRequest(
            request.sid, None, request.from_, request.to, request.number, request.forwarded, request.attestation
        )
    bundle = parts.store.published()
    line = bundle.line_for(request.to)
    if line is None:
        raise NoLine(request.to)
    now, began = parts.clock(), parts.stopwatch()
    people = parts.store.people(request.number) if request.number else []
    level = level_at_first(request.number, len(people), request.forwarded, request.attestation)
    person = people[0] if level == "recognised" else None
    person, last = _with_open_call(parts, bundle, person, now)
    looked_up = _needs(parts, bundle, line, request, began)
    call = {
        "sid": request.sid,
        "from": request.from_,
        "to": request.to,
        "number": request.number,
        "line": line.line,
        "withheld": request.number is None,
        "forwarded": request.forwarded,
        "direction": request.direction,
        "notice": parts.store.notice(line.line),
        "closed": parts.store.notice(closed_notice(line.line)) is not None,
    }
    decision, snapshot = decide(
        bundle,
        line,
        call,
        person,
        [each.id for each in people],
        parts.store.popularity(line.line),
        looked_up,
        last,
        now,
        parts.control_key,
    )
    sprint = _settle(parts, bundle, start(bundle, decision, snapshot, call, now), began)
    sprint = Sprint(sprint.session, (_with_snapshot(sprint.events[0], call, snapshot, decision), *sprint.events[1:]))
    begun = Begun(line.line, bundle.id, request.number, decision.because, decision.control)
    commit = _commit(parts, bundle, sprint, request.sid, 1)
    stored = parts.store.begin(begun, commit)
    return stored.twiml if stored is not None else _lost(parts, request)


def closed_notice(line: str) -> str:
    """The name under which it is kept that operators closed a line for now."""
    return f"{line}:closed"


def _with_snapshot(event: Event, call: Mapping[str, Any], snapshot: Snapshot, decision: Decision) -> Event:
    """The first event holds all that `start` was handed, so that the call can be replayed from its events alone."""
    private = {
        "call": dict(call),
        "snapshot": {
            "level": snapshot.level,
            "person": snapshot.person,
            "people": list(snapshot.people),
            "language": snapshot.language,
            "facts": snapshot.facts,
            "ranking": [list(pair) for pair in snapshot.ranking],
            "last": snapshot.last,
        },
    }
    return Event(event.type, event.at, event.step, event.data, private)


def _with_open_call(
    parts: Parts, bundle: Bundle, person: Person | None, now: float
) -> tuple[Person | None, Mapping[str, Any] | None]:
    """The person with their last call in their history, also one that nobody has closed yet: people ring back within seconds.

    Beside it the open question of that call, if it ended unfinished and this bundle asks for it.
    """
    if person is None:
        return None, None
    before = parts.store.newest_open(person.id, None)
    session: Session | None = None
    if before is not None and before.silent_at < now + GRACE and before.session:
        session = from_json(before.session)
        if before.silent_at - GRACE < now:
            ended = summary(session, before.updated)
            person = Person(person.id, person.facts, person.origins, past.fold(person.history, ended), person.cases)
    sid = past.last_sid(person.history)
    if sid is None or not person.history or not person.history["recent"][-1]["unfinished"]:
        return person, None
    if session is None or session.call.get("sid") != sid:
        stored = parts.store.load(sid)
        session = from_json(stored.session) if stored and stored.session else None
    question = person.history["recent"][-1]["question"]
    return person, left_open(session) if session else {"question": question} if question else None


def _needs(
    parts: Parts, bundle: Bundle, line: Line, request: CallRequest, began: float
) -> dict[str, Mapping[str, Any]]:
    """The line's `needs:`, within the budget; what is late or fails is simply not known."""
    found: dict[str, Mapping[str, Any]] = {}
    for source in line.needs:
        spec = bundle.part.sources.get(source)
        if spec is None:
            continue
        give = dict.fromkeys(spec.takes, request.number)
        if request.number is None or set(spec.takes) - {"number", "phone", "from"}:
            continue
        left = PATIENCE - (parts.stopwatch() - began)
        answered = parts.sources.ask(bundle, source, give, max(0.0, min(spec.budget, left)))
        if isinstance(answered, Answer):
            found[source] = answered.values
    return found


# — lookups, rendering, storing —


def _settle(parts: Parts, bundle: Bundle, sprint: Sprint, began: float) -> Sprint:
    """Answers lookups until something else is awaited, or the turn's patience is over and a filler is spoken."""
    session, events = sprint
    while session.wait.kind == "lookup":
        spec = session.wait.spec
        source = bundle.part.sources.get(spec["source"])
        left = max(0.0, PATIENCE - (parts.stopwatch() - began))
        found = (
            parts.sources.ask(bundle, spec["source"], spec["give"], min(source.budget, left))
            if source
            else NoAnswer("failed", "no such source")
        )
        if found is None and spec["times"] < MAX_FILLERS:
            late = resume(bundle, session, StillWaiting(spec["times"] + 1), parts.clock())
            return Sprint(late.session, events + late.events)
        given: Input = found if found is not None else NoAnswer("late", f"after {MAX_FILLERS} fillers")
        more = resume(bundle, session, given, parts.clock())
        session, events = more.session, events + more.events
    if _is_full(parts, bundle, session, events):
        more = resume(bundle, session, Queued("full"), parts.clock())
        return _settle(parts, bundle, Sprint(more.session, events + more.events), began)
    return Sprint(session, events)


def _is_full(parts: Parts, bundle: Bundle, session: Session, events: Sequence[Event]) -> bool:
    """Whether the queue that was just joined has no place left."""
    if session.wait.kind != "queue" or not events or not any(event.type == "queued" for event in events):
        return False
    name = str(session.wait.spec["target"])
    target = bundle.part.targets.get(name)
    return bool(target and target.waiting and parts.store.queue_size(name) >= target.waiting.full_at)


def _commit(parts: Parts, bundle: Bundle, sprint: Sprint, sid: str, turn: int) -> Commit:
    """Renders before anything is saved, so that a render fault leaves no half turn."""
    session, events = sprint
    now = parts.clock()
    packet = parts.packet(bundle, session, events) if session.wait.kind in ("dial", "queue") else ""
    return Commit(
        sid=sid,
        turn=turn,
        session=session.to_json(),
        events=events,
        twiml=parts.render(bundle, session, events, turn, packet),
        at=now,
        silent_at=now + silence_allowed(session),
        caller=session.person,
        number=_own_number(session),
        language=session.language,
        outcome=session.outcome,
        closing=summary(session, now) if session.outcome is not None else None,
        tasks=made_by(bundle, session, events),
    )


def _own_number(session: Session) -> str | None:
    """The number whose history this call belongs to: not a forwarded one, not one that several people share."""
    if session.person is not None or session.people or session.call.get("forwarded"):
        return None
    number: str | None = session.call.get("number")
    return number


def silence_allowed(session: Session) -> float:
    """Seconds without a webhook after which this call must be over."""
    if session.wait.kind in ("dial", "queue"):
        return TALK_GRACE
    if session.wait.kind == "record":
        return float(session.wait.spec.get("at_most", 120)) + session.speech + GRACE
    return session.speech + float(session.wait.spec.get("timeout") or 6.0) + GRACE


def hang_up(parts: Parts, sid: str, status: str) -> bool:
    """Closes a call once: by its final status callback, or by the sweeper. False where it was closed already."""
    for _ in range(3):
        call = parts.store.load(sid)
        if call is None or call.state != "open" or call.session is None:
            return False
        bundle = _bundle(parts, call.bundle)
        now = parts.clock()
        session, events = _talked(parts, bundle, from_json(call.session), now)
        session, more = resume(bundle, session, HungUp(status), now)
        events += more
        commit = Commit(
            sid,
            call.turn,
            session.to_json(),
            events,
            call.twiml,
            now,
            now,
            session.person,
            _own_number(session),
            session.language,
            session.outcome,
            summary(session, now),
            made_by(bundle, session, events),
        )
        if parts.store.close(call, commit):
            return True
    return False


def _talked(parts: Parts, bundle: Bundle, session: Session, now: float) -> Sprint:
    """A caller who leaves a queue may have talked with somebody, or booked a call back, before Twilio says so."""
    if session.wait.kind == "queue":
        given = wait_ended(parts, session, Queued("abandoned"))
        if given.result != "abandoned":
            return resume(bundle, session, given, now)
    return Sprint(session, ())
