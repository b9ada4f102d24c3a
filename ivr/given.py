"""A webhook's request → the input that the call's wait accepts. What was said is understood here, secrets are compared here."""

from __future__ import annotations

from dataclasses import replace

from ivr.engine.inputs import Answer, Checked, Dialled, Input, Keys, Queued, Silence, Words
from ivr.engine.options import command_for, options_at
from ivr.engine.run import choices
from ivr.engine.session import Session
from ivr.flow.bundle import Bundle
from ivr.personal.identity import who_matches
from ivr.personal.snapshot import personal_facts
from ivr.ports import CallRequest, Parts
from ivr.speech.words import understand


def given_by(parts: Parts, bundle: Bundle, session: Session, request: CallRequest) -> Input | None:
    """The webhook as an input of the present wait; None where the wait is a lookup, which the shell answers itself."""
    wait = session.wait
    if wait.kind == "lookup":
        return None
    if wait.kind == "dial":
        return request.dialled or Dialled("no-answer", False)
    if wait.kind == "queue":
        return wait_ended(parts, session, request.queued or Queued("failed"))
    if wait.kind == "record":
        return request.recorded or Silence()
    if wait.kind == "secret":
        return _secret(parts, bundle, session, request)
    if request.digits:
        return Keys(request.digits)
    if request.words:
        return _words(bundle, session, request)
    return Silence()


def wait_ended(parts: Parts, session: Session, given: Queued) -> Queued:
    """How the wait ended, with what only the task knows: that a call back was booked, or that the two have talked."""
    task = parts.store.task(session.wait.spec["task"])
    if task is None:
        return replace(given, result="waited_too_long" if given.result == "left" else given.result)
    result = given.result
    if task.kind == "callback":
        result = "callback_booked"
    elif task.talked is not None:
        result = "bridged"
    elif result == "left":
        result = "waited_too_long"
    seconds = given.seconds or max(0.0, (task.talked or task.changed) - task.entered)
    return replace(
        given,
        result=result,
        seconds=round(seconds, 1),
        number=task.number if result == "callback_booked" else None,
        low=task.low,
        high=task.high,
        opened=task.opened is not None,
    )


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
