"""One webhook turn, a straight line: which turn is it, what was said, run, render, store.

The ports it needs are declared in `ports.py`. Everything below this module does no I/O; this one does none of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ivr.engine.closing import left_open, summary
from ivr.engine.decide import decide
from ivr.engine.events import Event
from ivr.engine.inputs import Answer, Checked, Dialled, HungUp, Input, Keys, NoAnswer, Silence, StillWaiting, Words
from ivr.engine.options import command_for, options_at
from ivr.engine.run import choices, resume, start
from ivr.engine.session import Session, Sprint, from_json
from ivr.flow.bundle import Bundle
from ivr.flow.model import Line
from ivr.personal import history as past
from ivr.personal.choose import Decision
from ivr.personal.identity import level_at_first, who_matches
from ivr.personal.snapshot import Person, Snapshot, personal_facts
from ivr.ports import Begun, Call, CallRequest, Commit, Parts
from ivr.speech.words import understand

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
    given = _input(parts, bundle, session, request)
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
        private = {"sid": request.recorded.sid, "url": request.recorded.url}
        parts.store.keep_late(
            call.sid,
            (Event("recorded", now, "", {"seconds": request.recorded.seconds, "late": True}, private),),
            "voicemail",
        )
    if request.dialled is not None:
        data = {
            "status": request.dialled.status,
            "bridged": request.dialled.bridged,
            "seconds": request.dialled.seconds,
            "late": True,
        }
        parts.store.keep_late(
            call.sid, (Event("dialled", now, "", data),), "handed_over" if request.dialled.bridged else None
        )
    return parts.empty


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


# — what was said —


def _input(parts: Parts, bundle: Bundle, session: Session, request: CallRequest) -> Input | None:
    """The webhook as an input of the present wait; None where the wait is a lookup, which the shell answers itself."""
    wait = session.wait
    if wait.kind == "lookup":
        return None
    if wait.kind == "dial":
        return request.dialled or Dialled("no-answer", False)
    if wait.kind == "record":
        return request.recorded or Silence()
    if wait.kind == "secret":
        return _secret(parts, bundle, session, request)
    if request.digits:
        return Keys(request.digits)
    if request.words:
        return _words(bundle, session, request)
    return Silence()


def _words(bundle: Bundle, session: Session, request: CallRequest) -> Words:
    read = understand(request.words, choices(bundle, session))
    return Words(request.words, read.choice, read.score, read.runner_up, request.confidence)


def _secret(parts: Parts, bundle: Bundle, session: Session, request: CallRequest) -> Input:
    """Compares the answer here and passes on only whether it matched; a lone command key or a command said is passed on."""
    heard = request.digits or request.words
    if not heard:
        return Silence()
    line = bundle.lines[session.line]
    place = (session.stack[-1]["flow"], session.stack[-1]["step"])
    if len(request.digits) == 1 and (
        command_for(line, request.digits) or request.digits in options_at(bundle, place).keys
    ):
        return Keys(request.digits)
    if request.words:
        said = _words(bundle, session, request)
        if said.choice and said.choice.startswith("command:"):
            return Words("", said.choice, said.score)
    spec = bundle.part.verify[session.wait.spec["verify"]]
    index = int(session.wait.spec["question"])
    if spec.check is not None:
        return _checked_by_source(parts, bundle, session, spec.check, heard, index)
    among = session.wait.spec["among"]
    people = {caller: person for caller in among if (person := parts.store.person(caller))}
    matched = who_matches(
        spec.questions[index], heard, {name: person.facts for name, person in people.items()}, among, session.language
    )
    one = people.get(matched[0]) if len(matched) == 1 else None
    if one is None or one.id == session.person:
        return Checked(index, bool(matched), tuple(matched), one.id if one else None)
    return Checked(index, True, tuple(matched), one.id, personal_facts(bundle, one, parts.clock()))


def _checked_by_source(parts: Parts, bundle: Bundle, session: Session, source: str, heard: str, index: int) -> Checked:
    """A source that takes `answer` (and `number`, `question`) and gives the flag `matched`."""
    spec = bundle.part.sources[source]
    given = {"answer": heard, "number": session.call.get("number"), "question": str(index)}
    found = parts.sources.ask(bundle, source, {name: given.get(name) for name in spec.takes}, spec.budget)
    matched = isinstance(found, Answer) and found.values.get("matched") is True
    person = session.person or (session.people[0] if len(session.people) == 1 else None)
    return Checked(index, matched, (person,) if person and matched else (), person)


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
    return Sprint(session, events)


def _commit(parts: Parts, bundle: Bundle, sprint: Sprint, sid: str, turn: int) -> Commit:
    """Renders before anything is saved, so that a render fault leaves no half turn."""
    session, events = sprint
    now = parts.clock()
    return Commit(
        sid=sid,
        turn=turn,
        session=session.to_json(),
        events=events,
        twiml=parts.render(bundle, session, events, turn),
        at=now,
        silent_at=now + silence_allowed(session),
        caller=session.person,
        number=_own_number(session),
        language=session.language,
        outcome=session.outcome,
        closing=summary(session, now) if session.outcome is not None else None,
    )


def _own_number(session: Session) -> str | None:
    """The number whose history this call belongs to: not a forwarded one, not one that several people share."""
    if session.person is not None or session.people or session.call.get("forwarded"):
        return None
    number: str | None = session.call.get("number")
    return number


def silence_allowed(session: Session) -> float:
    """Seconds without a webhook after which this call must be over."""
    if session.wait.kind == "dial":
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
        sprint = resume(bundle, from_json(call.session), HungUp(status), now)
        session = sprint.session
        commit = Commit(
            sid,
            call.turn,
            session.to_json(),
            sprint.events,
            call.twiml,
            now,
            now,
            session.person,
            _own_number(session),
            session.language,
            session.outcome,
            summary(session, now),
        )
        if parts.store.close(call, commit):
            return True
    return False
