"""`pick`: one of a list that was looked up, all at once or one by one."""

from __future__ import annotations

from typing import Any

from ivr.engine import gather
from ivr.engine.inputs import Keys, Silence, Words
from ivr.engine.moves import Move, Out
from ivr.engine.session import Wait
from ivr.engine.talk import Talk
from ivr.flow.model import Pick

AT_ONCE = 8
CHOOSE, NEXT, PREVIOUS = "1", "2", "3"


def _items(talk: Talk, step: Pick, level: str | None = None) -> list[Any]:
    items = step.pick.evaluate(talk.lookup(level=level))
    return items if isinstance(items, list) else []


def visit(talk: Talk, step: Pick, index: int = 0) -> Move:
    """Speaks the list, or the item at `index`."""
    items = _items(talk, step)
    if not items:
        return Out("empty", True)
    if step.one_by_one:
        talk.say(step.each, {"item": items[index], "position": index + 1})
        talk.say("pick.choose", {"key": CHOOSE})
        if index + 1 < len(items):
            talk.say("pick.next", {"key": NEXT})
    else:
        for position, item in enumerate(items[:AT_ONCE], 1):
            talk.say(step.each, {"item": item, "position": position})
            talk.say("pick.option", {"key": str(position)})
    return gather.wait(talk, "gather", phase="pick", digits=1, finish="", index=index)


def answer(talk: Talk, step: Pick, given: Keys | Words | Silence, wait: Wait) -> Move:
    """Takes a key, or `next`, `previous` or `this one` said."""
    if isinstance(given, Silence):
        return gather.no_answer(talk, "no_input")
    items, index = _items(talk, step, "verified"), int(wait.spec.get("index", 0))
    key = given.digits[:1] if isinstance(given, Keys) else _key_said(given)
    if step.one_by_one:
        if key == CHOOSE and index < len(items):
            return _take(talk, step, items[index], index)
        if key == NEXT and index + 1 < len(items):
            return visit(talk, step, index + 1)
        if key == PREVIOUS:
            return visit(talk, step, max(0, index - 1))
    elif key.isdigit() and 1 <= int(key) <= min(len(items), AT_ONCE):
        return _take(talk, step, items[int(key) - 1], int(key) - 1)
    if isinstance(given, Keys):
        move = gather.take_keys(talk, given, gather.visible(talk, step))
    else:
        move = gather.take_words(talk, given)
    return move if move is not None else gather.no_answer(talk, "no_match")


def _key_said(given: Words) -> str:
    return {"option:+choose": CHOOSE, "option:+next": NEXT, "option:+previous": PREVIOUS}.get(given.choice or "", "")


def _take(talk: Talk, step: Pick, item: Any, index: int) -> Move:
    name = step.save_as or talk.frame["step"]
    talk.said[name] = {"value": item}
    talk.emit("collected", {"name": name, "as": "pick", "position": index + 1}, {"value": item})
    gather.answered(talk)
    return Out("done")
