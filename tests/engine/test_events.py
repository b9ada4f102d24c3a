"""Every type of event is declared, said what it is, and emitted somewhere; nothing else is emitted."""

from __future__ import annotations

import ast
from pathlib import Path

import ivr
from ivr.engine.events import TYPES, Event
from ivr.engine.inputs import KINDS, from_data, to_data
from ivr.engine.session import ACCEPTED

PACKAGE = Path(ivr.__file__).parent


def emitted() -> dict[str, set[str]]:
    """Type → modules that emit it: the first argument of `emit(…)` or of `Event(…)`."""
    found: dict[str, set[str]] = {}
    for folder in (PACKAGE / "engine", PACKAGE / "turn.py"):
        for path in sorted(folder.rglob("*.py")) if folder.is_dir() else [folder]:
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                if isinstance(node, ast.Call) and node.args:
                    name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
                    if name in ("emit", "Event"):
                        for constant in ast.walk(node.args[0]):
                            if isinstance(constant, ast.Constant) and isinstance(constant.value, str):
                                found.setdefault(constant.value, set()).add(path.stem)
    return found


def test_every_type_that_is_emitted_is_declared():
    assert set(emitted()) - set(TYPES) == set()


def test_every_declared_type_is_emitted():
    # Silence and wrong answers are emitted by the name of what was counted.
    assert set(TYPES) - set(emitted()) <= {"no_input", "no_match"}
    assert 'talk.emit(which, {"times": count})' in (PACKAGE / "engine" / "gather.py").read_text("utf-8")


def test_every_type_says_what_it_is_in_the_past_tense_of_a_sentence():
    for name, words in TYPES.items():
        assert len(words) > 20 and not words.endswith("."), name


def test_an_event_as_data_is_all_of_it():
    event = Event("spoke", 1.0, "main.hello", {"prompt": "hello"}, {"ssml": "Hello"})
    assert event.as_data() == {
        "type": "spoke", "at": 1.0, "step": "main.hello", "data": {"prompt": "hello"}, "private": {"ssml": "Hello"},
    }  # fmt: skip


def test_every_kind_of_wait_accepts_kinds_of_input_that_there_are():
    kinds = {kind for accepted in ACCEPTED.values() for kind in accepted}
    assert kinds | {"hung_up"} == set(KINDS)


def test_every_input_comes_back_from_its_data():
    from tests.engine.test_purity import EXAMPLES

    assert {type(each) for each in EXAMPLES} == set(KINDS.values())
    for each in EXAMPLES:
        assert from_data(to_data(each)) == each
