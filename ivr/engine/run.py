"""start and resume: one sprint of a call, up to its next wait.

    start(bundle, decision, snapshot, call, now)  → Sprint(session, events)
    resume(bundle, session, input, now)           → Sprint(session, events)

Pure. A step that fails here is an event and the caller still reaches a person; nothing in a designer's files or a caller's
input raises.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ivr.engine import gather, moves
from ivr.engine.inputs import HungUp, Input, Keys, Silence, Words, to_data
from ivr.engine.moves import Move, Out
from ivr.engine.options import choices as open_choices
from ivr.engine.options import options_at, shown
from ivr.engine.session import Session, Sprint, Wait
from ivr.engine.steps import ask, cases, menu, people, pick, plain, verify
from ivr.engine.talk import Talk
from ivr.flow.bundle import Bundle, Place
from ivr.flow.model import (
    Ask,
    Callback,
    Case,
    Do,
    Enter,
    Handoff,
    Lookup,
    Menu,
    Notify,
    Pick,
    Remember,
    Route,
    Step,
    Verify,
    Voicemail,
)
from ivr.personal.choose import Decision
from ivr.personal.snapshot import Snapshot

WITH_PEOPLE = ("dial", "queue", "record")
"""Waits that do not count towards the minutes of a call."""


def start(bundle: Bundle, decision: Decision, snapshot: Snapshot, call: Mapping[str, Any], now: float) -> Sprint:
    """The first sprint of a call. `call` has sid, from, to, number, withheld, line and direction."""
    line = bundle.lines[call["line"]]
    asks = line.ask_language is not None and snapshot.language is None and len(line.languages) > 1
    language = snapshot.language if snapshot.language in line.languages else line.languages[0]
    session = Session(
        call={key: value for key, value in call.items() if key != "line"},
        line=line.line,
        bundle=bundle.id,
        started=now,
        language=str(language),
        languages=line.languages,
        manner=decision.manner,
        level=snapshot.level,
        person=snapshot.person,
        people=snapshot.people,
        because=decision.because,
        control=decision.control,
        facts=snapshot.facts,
        ranking=() if decision.control else snapshot.ranking,
        last=snapshot.last,
    )
    talk = Talk(bundle, session, now)
    talk.emit("started", {"line": line.line, "bundle": bundle.id, "known": snapshot.level, "language": language})
    talk.emit("decided", decision.public(), {"facts": dict(decision.facts)})
    if asks:
        return _finish(talk, ask_language(talk, decision.flow))
    return _finish(talk, _open_flow(talk, decision.flow))


def _open_flow(talk: Talk, name: str) -> Wait:
    flow = talk.bundle.flows.get(name)
    if flow is None:
        return _run(talk, moves.emergency(talk))
    talk.stack = [moves.new_frame(flow.flow, flow.start, "choice")]
    talk.emit("entered", {"how": "choice"})
    return _run(talk, None)


def resume(bundle: Bundle, session: Session, given: Input, now: float) -> Sprint:
    """What `given` leads to. An input that the wait does not accept puts the same question again."""
    talk = Talk(bundle, session, now)
    talk.emit("heard", {"kind": given.kind}, _kept(given))
    if isinstance(given, HungUp):
        return _finish(talk, moves.hung_up(talk, given.status))
    if session.outcome is not None:
        return _finish(talk, Wait("none"))
    if not session.wait.accepts(given):
        talk.emit("unexpected", {"kind": given.kind, "wait": session.wait.kind})
        return _finish(talk, _run(talk, gather.repeat(talk)))
    if isinstance(given, (Keys, Words)):
        gather.count_answer(talk, given)
    if session.wait.kind != "lookup":
        talk.heard = []
    if session.wait.kind in WITH_PEOPLE:
        talk.away += max(0.0, now - session.asked_at)
    too_long = _too_long(talk)
    if too_long is not None:
        return _finish(talk, _run(talk, too_long))
    return _finish(talk, _answer(talk, given))


def _kept(given: Input) -> dict[str, Any]:
    """The input, enough to replay it. A secret answer is not in it to begin with."""
    return {"input": to_data(given)}


def _too_long(talk: Talk) -> Move | None:
    """Whether the minutes are over; who goes on after that has as many again before the next time."""
    times = talk.visits.get("*minutes", 0)
    limit = talk.bundle.part.limits.minutes * 60 * (times + 1)
    if talk.now - talk.before.started - talk.away <= limit or not talk.stack or talk.before.wait.kind in WITH_PEOPLE:
        return None
    talk.visits["*minutes"] = times + 1
    return moves.bound(talk, "minutes")


def _answer(talk: Talk, given: Any) -> Wait:
    wait = talk.before.wait
    if wait.spec.get("phase") == "language":
        return _language_answered(talk, given, wait)
    if wait.kind == "dial":
        return _run(talk, people.answer_dial(talk, given, wait))
    if wait.kind == "queue":
        return _run(talk, people.answer_queue(talk, given, wait))
    step = talk.bundle.step(talk.place)
    move: Move | None
    match step:
        case Menu():
            move = menu.answer(talk, step, given, wait)
        case Ask():
            move = ask.answer(talk, step, given, wait)
        case Pick():
            move = pick.answer(talk, step, given, wait)
        case Verify():
            move = verify.answer(talk, step, given, wait)
        case Lookup():
            move = plain.answer_lookup(talk, step, given, wait)
        case Voicemail():
            move = people.answer_voicemail(talk, given, wait)
        case _:
            talk.emit("fault", {"code": "missing-step"})
            move = moves.rescue(talk)
    return _run(talk, move)


def _run(talk: Talk, move: Move | None) -> Wait:
    """Makes moves and visits steps until something waits."""
    while True:
        if isinstance(move, Wait):
            return move
        if move is moves.AGAIN:
            move = _put_again(talk)
        elif move is not None:
            move = moves.apply(talk, move)
        else:
            move = _visit(talk)


PROMISES = (Do, Handoff, Callback, Case, Notify)
"""Steps whose words are spoken only once what they announce is under way."""


def _visit(talk: Talk) -> Move | None:
    step = talk.bundle.step(talk.place)
    if step is None:
        talk.emit("fault", {"code": "missing-step"})
        return moves.rescue(talk)
    limits = talk.bundle.part.limits
    talk.steps += 1
    if talk.steps > limits.steps_per_turn:
        return moves.bound(talk, "steps_per_turn")
    at = talk.at
    talk.visits[at] = talk.visits.get(at, 0) + 1
    if talk.visits[at] > limits.visits_per_step:
        return moves.bound(talk, "visits_per_step")
    if step.when is not None and not step.when.holds(talk.lookup()):
        return moves.go_on(step) or Out("skipped")
    talk.tries = {}
    for name in step.say_also if not isinstance(step, PROMISES) else ():
        talk.say(name)
    move = _visit_kind(talk, step)
    if isinstance(step, PROMISES) and not (isinstance(move, Out) and move.failed):
        # What they announce must be true: nothing was requested, nobody is rung, where they failed.
        for name in step.say_also:
            talk.say(name)
    if step.answers is not None and not (isinstance(move, Out) and move.failed):
        talk.answered = step.answers
        talk.emit("answered", {"to": step.answers})
    return move


def _visit_kind(talk: Talk, step: Step) -> Move | None:
    match step:
        case Menu():
            return menu.visit(talk, step)
        case Ask():
            return ask.visit(talk, step)
        case Pick():
            return pick.visit(talk, step)
        case Verify():
            return verify.visit(talk, step)
        case Route():
            return plain.visit_route(talk, step)
        case Lookup():
            return plain.visit_lookup(talk, step)
        case Do():
            return plain.visit_do(talk, step)
        case Remember():
            return plain.visit_remember(talk, step)
        case Enter():
            return plain.visit_enter(talk, step)
        case Handoff():
            return people.visit_handoff(talk, step)
        case Voicemail():
            return people.visit_voicemail(talk, step)
        case Callback():
            return people.visit_callback(talk, step)
        case Case():
            return cases.visit_case(talk, step)
        case Notify():
            return cases.visit_notify(talk, step)
        case _:
            return plain.visit_onward(talk, step)


def _put_again(talk: Talk) -> Move | None:
    """The present question once more, without the says that led to it."""
    if talk.before.wait.spec.get("phase") == "language":
        return ask_language(talk, talk.before.wait.spec["flow"])
    step = talk.bundle.step(talk.place)
    before = talk.before.stack[-1] if talk.before.stack else {}
    same = (before.get("flow"), before.get("step")) == talk.place
    wait = talk.before.wait if same else Wait("none")
    match step:
        case Menu():
            return menu.put(talk, step)
        case Ask() if wait.spec.get("phase") == "confirm" and (step.save_as or talk.frame["step"]) in talk.said:
            return ask.confirm(talk, step)
        case Ask():
            return ask.visit(talk, step)
        case Pick():
            return pick.visit(talk, step, int(wait.spec.get("index", 0)))
        case Verify() if wait.kind == "secret":
            return verify.put(talk, step, {name: wait.spec[name] for name in ("question", "right", "wrong", "among")})
        case _:
            return None


def ask_language(talk: Talk, flow: str) -> Wait:
    """Each language in its own voice, with its key."""
    prompt = talk.line.ask_language or "language.option"
    for index, language in enumerate(talk.line.languages, 1):
        talk.say(prompt, {"key": str(index)}, language=language)
    return gather.wait(talk, "gather", phase="language", digits=1, finish="", flow=flow)


def _language_answered(talk: Talk, given: Any, wait: Wait) -> Wait:
    """A key or a word chooses; silence and anything else is the first language."""
    languages = talk.line.languages
    index = 0
    if isinstance(given, Keys) and given.digits[:1].isdigit() and 1 <= int(given.digits[0]) <= len(languages):
        index = int(given.digits[0]) - 1
        talk.pending = given.digits[1:]
    elif isinstance(given, Words) and (given.choice or "").startswith("option:"):
        name = (given.choice or "").removeprefix("option:")
        index = languages.index(name) if name in languages else 0
    talk.language = languages[index]
    talk.heard = []
    talk.said["language"] = {"value": talk.language}
    talk.emit("commanded", {"command": "language", "language": talk.language})
    if not isinstance(given, Silence):
        plain.remember(talk, {"prefers.language": talk.language})
    return _open_flow(talk, wait.spec["flow"])


def _finish(talk: Talk, wait: Wait) -> Sprint:
    if wait.kind != "lookup":
        talk.pending = ""
    if wait.kind == "lookup" and wait.spec["times"]:
        talk.emit("asked", {"kind": "moment", "times": wait.spec["times"]})
    elif wait.kind == "lookup":
        talk.emit("asked", {"kind": "lookup", "source": wait.spec["source"]}, {"give": wait.spec["give"]})
    elif wait.kind != "none":
        talk.emit(
            "asked", {"kind": wait.kind, **{key: value for key, value in wait.spec.items() if key not in _SECRET}}
        )
    return Sprint(talk.session(wait), tuple(talk.events))


_SECRET = ("about", "among")


def choices(bundle: Bundle, session: Session) -> dict[str, tuple[str, ...]]:
    """Everything that words may mean at the present wait: choice → normalised phrases. The shell matches what was said to it."""
    line, phase = bundle.lines[session.line], str(session.wait.spec.get("phase", ""))
    if phase == "language":
        names = {language: _language_names(bundle, language) for language in line.languages}
        return {f"option:{language}": phrases for language, phrases in names.items()}
    place, names_shown = shown_at(bundle, session)
    if place is None:
        return {}
    return open_choices(bundle, line, session.language, place, phase, names_shown)


def shown_at(bundle: Bundle, session: Session) -> tuple[Place | None, tuple[str, ...]]:
    """Where the call waits, and the options there that are not hidden now."""
    if not session.stack:
        return None, ()
    place = (session.stack[-1]["flow"], session.stack[-1]["step"])
    if bundle.step(place) is None:
        return None, ()
    options = options_at(bundle, place).options
    if all(option.when is None for option in options.values()):
        return place, tuple(options)
    return place, tuple(shown(Talk(bundle, session, session.asked_at), options))


def _language_names(bundle: Bundle, language: str) -> tuple[str, ...]:
    return {"en": ("english", "ingles"), "es": ("spanish", "espanol", "en espanol")}.get(language, (language,))
