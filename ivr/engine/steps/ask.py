"""`ask`: one answer of one kind, refused, confirmed, and kept as `said.<name>`."""

from __future__ import annotations

from typing import Any

from ivr.engine import gather
from ivr.engine.inputs import Keys, Recorded, Silence, Words
from ivr.engine.moves import AGAIN, Move, Out
from ivr.engine.options import options_at
from ivr.engine.session import Wait
from ivr.engine.talk import Talk
from ivr.flow.model import Ask
from ivr.speech.answers import read_answer

LONGEST = {"date": 8, "time": 4, "number": 13, "money": 13, "phone": 16, "words": 1}


def visit(talk: Talk, step: Ask) -> Wait:
    """Puts the question."""
    talk.say(step.ask)
    if step.kind == "yes_no":
        talk.say("ask.yes_no")
        return gather.wait(talk, "gather", phase="yes_no", digits=1, finish="")
    if step.kind == "recording":
        return gather.wait(talk, "record", phase="ask", at_most=60)
    digits, finish = _keypad(talk, step)
    return gather.wait(talk, "gather", phase="words" if step.kind == "words" else "value", digits=digits, finish=finish)


def _keypad(talk: Talk, step: Ask) -> tuple[int, str]:
    """How many keys, and which ends them: a # that is an option cannot also end an answer."""
    longest = step.length[1] if step.length else LONGEST.get(step.kind, 20)
    exact = (step.length and step.length[0] == step.length[1]) or step.kind in ("date", "time", "words")
    sharp = "#" in options_at(talk.bundle, talk.place).keys
    return longest, "" if exact or sharp else "#"


def answer(talk: Talk, step: Ask, given: Keys | Words | Silence | Recorded, wait: Wait) -> Move:
    """Takes what was pressed, said or recorded."""
    phase = wait.spec.get("phase")
    if isinstance(given, Silence):
        return gather.no_answer(talk, "no_input")
    if isinstance(given, Recorded):
        return _done(talk, step, given.sid, None)
    if phase in ("yes_no", "confirm"):
        return _yes_no(talk, step, given, confirming=phase == "confirm")
    if isinstance(given, Keys):
        value = None if step.kind == "words" else _read(talk, step, given.digits)
        if value is None:
            taken = gather.take_keys(talk, given, gather.visible(talk, step), lone_only=True)
            return gather.no_answer(talk, "no_match") if taken is None else taken
        return _collect(talk, step, value, None)
    return _said(talk, step, given)


def _said(talk: Talk, step: Ask, given: Words) -> Move:
    if step.kind == "words" and (given.choice is None or given.score < 0.995):
        return _collect(talk, step, given.text.strip()[:1000] or None, given.text)
    value = _read(talk, step, given.text) if step.kind != "words" else None
    if value is not None:
        return _collect(talk, step, value, given.text)
    move = _named(talk, given)
    if move is not None:
        return move
    if step.kind == "words" and given.text.strip():
        return _collect(talk, step, given.text.strip()[:1000], given.text)
    return gather.no_answer(talk, "no_match")


def _named(talk: Talk, given: Words) -> Move | None:
    """Words understood as an option here, a command, or another subject."""
    kind, _, name = (given.choice or "").partition(":")
    options = options_at(talk.bundle, talk.place).options
    if kind == "option" and name in options:
        return gather.choose(talk, name, options[name], "words", given.text, None)
    return gather.take_words(talk, given)


def _read(talk: Talk, step: Ask, text: str) -> Any:
    return read_answer(step.kind, text, talk.language, step.length, talk.line.numbers[0])


def _yes_no(talk: Talk, step: Ask, given: Keys | Words, *, confirming: bool) -> Move:
    said: bool | None = None
    if isinstance(given, Keys) and given.digits[:1] in ("1", "2"):
        said = given.digits[0] == "1"
        talk.pending = "" if confirming else given.digits[1:]
    elif isinstance(given, Words) and given.choice in ("option:yes", "option:no"):
        said = given.choice == "option:yes"
    if said is None:
        if isinstance(given, Words):
            move = _named(talk, given)
        else:
            move = gather.take_keys(talk, given, gather.visible(talk, step), lone_only=True)
        return move if move is not None else gather.no_answer(talk, "no_match")
    if confirming:
        talk.emit("confirmed", {"right": said})
        if said:
            return _done(talk, step, None, None)
        talk.said.pop(step.save_as or talk.frame["step"], None)
        talk.tries = {}
        return AGAIN
    return _done(talk, step, said, given.text if isinstance(given, Words) else None)


def _collect(talk: Talk, step: Ask, value: Any, words: str | None) -> Move:
    """Keeps the answer for now, asks the refusals, then for confirmation."""
    name = step.save_as or talk.frame["step"]
    talk.said[name] = {"value": value, "spoken": words}
    lookup = talk.lookup()
    for index, refusal in enumerate(step.refuse):
        if refusal.when.holds(lookup):
            del talk.said[name]
            return _refuse(talk, step, refusal.say, index)
    if step.confirm is None:
        return _done(talk, step, value, words)
    talk.tries = {}
    return confirm(talk, step)


def confirm(talk: Talk, step: Ask) -> Wait:
    """Reads the answer back."""
    talk.say(step.confirm or "")
    talk.say("ask.yes_no")
    return gather.wait(talk, "gather", phase="confirm", digits=1, finish="")


def _refuse(talk: Talk, step: Ask, prompt: str, index: int) -> Move:
    """A refusal counts as a wrong answer, in its own words."""
    count = talk.tries["no_match"] = talk.tries.get("no_match", 0) + 1
    talk.emit("refused", {"rule": index, "times": count})
    talk.say(prompt)
    allowed = talk.line.no_match if step.no_match is None else step.no_match
    return Out("no_match", True) if count > (len(allowed) if isinstance(allowed, tuple) else allowed) else AGAIN


def _done(talk: Talk, step: Ask, value: Any, words: str | None) -> Move:
    name = step.save_as or talk.frame["step"]
    if value is not None:
        talk.said[name] = {"value": value, "spoken": words}
    value = talk.said[name]["value"]
    talk.emit("collected", {"name": name, "as": step.kind}, {"value": value})
    gather.answered(talk)
    return Out(("yes" if value else "no") if step.kind == "yes_no" else "done")
