"""`verify`: the only thing that makes a caller `verified`. The answers themselves never come here."""

from __future__ import annotations

from collections.abc import Mapping

from ivr.engine import gather
from ivr.engine.inputs import Checked, Keys, Silence, Words
from ivr.engine.moves import Move, Out
from ivr.engine.session import Wait
from ivr.engine.talk import Talk
from ivr.flow.model import Verify

DIGITS = {"date": 8}


def visit(talk: Talk, step: Verify) -> Move:
    """Asks the first question; a caller who is verified passes, and where there is nobody to compare with nothing is asked."""
    talk.pending = ""
    if talk.level == "verified":
        return Out("verified")
    spec = talk.bundle.part.verify[step.verify]
    if not talk.before.people and spec.check is None:
        talk.emit("not_verified", {"why": "nobody to compare with"})
        return Out("not_verified", True)
    return put(talk, step, {"question": 0, "right": 0, "wrong": 0, "among": list(talk.before.people)})


def put(talk: Talk, step: Verify, state: Mapping[str, object]) -> Wait:
    """Asks the question that `state` is at."""
    question = talk.bundle.part.verify[step.verify].questions[int(str(state["question"]))]
    talk.say(question.ask)
    digits = question.length or DIGITS.get(question.kind, 12)
    finish = "" if question.length or question.kind in DIGITS else "#"
    return gather.wait(talk, "secret", verify=step.verify, digits=digits, finish=finish, **state)


def answer(talk: Talk, step: Verify, given: Checked | Keys | Words | Silence, wait: Wait) -> Move:
    """Takes whether it matched; keys and words that arrive here are commands, everything else stayed at the edge."""
    if isinstance(given, Silence):
        return gather.no_answer(talk, "no_input")
    if isinstance(given, Keys):
        taken = gather.take_keys(talk, given, [], lone_only=True)
        return gather.no_answer(talk, "no_match") if taken is None else taken
    if isinstance(given, Words):
        move = gather.take_words(talk, given)
        return gather.no_answer(talk, "no_match") if move is None else move
    return _checked(talk, step, given, wait)


def _checked(talk: Talk, step: Verify, given: Checked, wait: Wait) -> Move:
    spec = talk.bundle.part.verify[step.verify]
    state = {name: wait.spec[name] for name in ("question", "right", "wrong", "among")}
    talk.emit("checked", {"question": state["question"], "matched": given.matched})
    talk.tries = {}
    if given.matched:
        state |= {"right": state["right"] + 1, "wrong": 0, "among": list(given.people)}
        if state["right"] >= spec.need:
            return _verified(talk, given)
    else:
        state["wrong"] += 1
        if state["wrong"] < spec.tries:
            talk.say("verify.again")
            return put(talk, step, state)
        state["wrong"] = 0
    state["question"] += 1
    if spec.need - state["right"] > len(spec.questions) - state["question"]:
        talk.emit("not_verified", {"why": "answers"})
        return Out("not_verified", True)
    return put(talk, step, state)


def _verified(talk: Talk, given: Checked) -> Move:
    """The person who matched is the caller from here on, with everything that is known about them."""
    if len(given.people) > 1:
        talk.emit("not_verified", {"why": "more than one person matched"})
        return Out("not_verified", True)
    if given.person is not None and given.person != talk.person:
        talk.person = given.person
        talk.facts = {**talk.facts, **given.facts}
    talk.level = "verified"
    talk.emit("verified")
    talk.rescued = False
    return Out("verified")
