"""Dialogue tests, written by designers: read, played by a Caller, and compared line by line."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ivr.config import Seconds
from ivr.engine.events import Event
from ivr.engine.session import Session
from ivr.errors import ProblemsFound
from ivr.flow.bundle import Bundle
from ivr.flow.model import Menu
from ivr.phone import e164
from ivr.problems import Problem, Where, did_you_mean
from ivr.shape import Shape, validate
from ivr.simulate.line import Caller
from ivr.simulate.people import Persona
from ivr.simulate.transcript import conversation
from ivr.source import Source, load


class DialogueFile(Shape):
    """A dialogue test as written."""

    test: str
    caller: str | dict[str, Any] | None = None
    at: str | None = None
    call: str
    lookups: dict[str, Any] = {}
    withheld: bool = False
    dialogue: tuple[dict[str, Any], ...]


@dataclass(frozen=True, slots=True)
class Dialogue:
    """A dialogue test and where it stands."""

    source: Source
    file: DialogueFile

    def where(self, index: int) -> Where:
        """The place of one line of the dialogue."""
        return self.source.where(("dialogue", index))


@dataclass(slots=True)
class Result:
    """How a dialogue went: every line that did not hold, with its place, the events, and estimated seconds to the answer."""

    dialogue: Dialogue
    failures: list[Problem] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    seconds: float | None = None

    @property
    def passed(self) -> bool:
        """Whether every line held."""
        return not self.failures


ACTS = ("presses", "says", "silence", "verifies", "agent", "records", "hangs_up")
EXPECTS = ("hears", "hears_first", "not_hears", "ends", "within")
AGENT = ("accepts", "declines", "busy", "no_answer", "calls_back")


def read_dialogues(folder: Path, only: Path | None = None) -> list[Dialogue]:
    """Every dialogue test of a project (or of one file); raises ProblemsFound with all that is wrong."""
    found: list[Dialogue] = []
    problems: list[Problem] = []
    paths = [only] if only else sorted((folder / "flows" / "tests").glob("**/*.yaml"))
    for path in paths:
        name = (
            path.resolve().relative_to(folder.resolve()).as_posix()
            if path.resolve().is_relative_to(folder.resolve())
            else str(path)
        )
        sources, wrong = load(name, path.read_bytes())
        problems += wrong
        for source in sources:
            file, wrong = validate(source, (), source.data, DialogueFile)
            problems += wrong
            if file is not None:
                problems += _lines(source, file)
                found.append(Dialogue(source, file))
    if problems:
        raise ProblemsFound(tuple(problems))
    return found


def _lines(source: Source, file: DialogueFile) -> Iterable[Problem]:
    for index, line in enumerate(file.dialogue):
        place = ("dialogue", index)
        if len(line) != 1 or next(iter(line)) not in (*ACTS, *EXPECTS):
            word = next(iter(line), "")
            hint = did_you_mean(word, (*ACTS, *EXPECTS))
            yield source.problem(place, "dialogue-line", "a line of a dialogue is one act or one expectation", hint)
        elif line.get("agent") not in (None, *AGENT):
            yield source.problem(place, "dialogue-line", f"an agent does one of {', '.join(AGENT)}", "")


def play(dialogue: Dialogue, caller: Caller, bundle: Bundle) -> Result:
    """Plays it, going on after a line that does not hold."""
    result = Result(dialogue)
    heard = caller.dial()
    place = 0
    for index, line in enumerate(dialogue.file.dialogue):
        word, value = next(iter(line.items()))
        if word in ACTS:
            if caller.over and word != "hangs_up":
                _fail(result, index, f"the call is over, nobody hears '{word}: {value}'", caller)
                break
            heard, place = _act(caller, word, value), 0
            continue
        trouble, place = _expect(caller, bundle, word, value, heard, place)
        if trouble:
            _fail(result, index, trouble, caller)
    result.events = list(caller.line.events())
    result.seconds = seconds_to_answer(result.events)
    return result


def _fail(result: Result, index: int, message: str, caller: Caller) -> None:
    lately = [f"{who}: {words}" for who, words in conversation(caller.since)][-4:]
    hint = "heard last: " + " / ".join(lately) if lately else ""
    result.failures.append(Problem(result.dialogue.where(index), "dialogue", "error", message, hint))


def _act(caller: Caller, word: str, value: Any) -> list[Event]:
    acts: Mapping[str, Callable[[], list[Event]]] = {
        "presses": lambda: caller.press(str(value)),
        "says": lambda: caller.say(str(value)),
        "silence": caller.silence,
        "verifies": caller.verify,
        "agent": lambda: caller.agent(str(value)),
        "records": lambda: caller.record(_seconds(value)),
        "hangs_up": caller.hang_up,
    }
    return acts[word]()


class _Length(Shape):
    value: Seconds


def _seconds(value: Any) -> float:
    return _Length.model_validate({"value": value}).value


def _expect(caller: Caller, bundle: Bundle, word: str, value: Any, heard: list[Event], place: int) -> tuple[str, int]:
    prompts = [event.data["prompt"] for event in heard if event.type == "spoke"]
    if word == "hears":
        if value in prompts[place:]:
            return "", place + prompts[place:].index(value) + 1
        late = " (it came earlier than the line before)" if value in prompts else ""
        return f"did not hear '{value}'{late}", place
    if word == "not_hears":
        return (f"heard '{value}'", place) if value in prompts else ("", place)
    if word == "hears_first":
        first = _first_option(bundle, caller.line.session(), heard)
        return (
            ("", place)
            if value in first
            else (f"the first option was {' / '.join(first) or 'none'}, not '{value}'", place)
        )
    if word == "ends":
        ended = next((event for event in reversed(caller.line.events()) if event.type == "ended"), None)
        if ended is None:
            return f"the call has not ended, so not '{value}'", place
        return (
            ("", place) if ended.data["outcome"] == value else (f"it ended {ended.data['outcome']}, not {value}", place)
        )
    taken = seconds_to_answer(caller.line.events())
    if taken is None:
        return "the caller never had an answer", place
    return ("", place) if taken <= _seconds(value) else (f"it took {taken:.0f} s, not within {value}", place)


def _first_option(bundle: Bundle, session: Session | None, heard: list[Event]) -> tuple[str, ...]:
    asked = next((event for event in heard if event.type == "asked" and event.data.get("order")), None)
    if asked is None:
        return ()
    flow, _, step = asked.step.partition(".")
    menu = bundle.step((flow, step))
    name = asked.data["order"][0]
    label = menu.options[name].label if isinstance(menu, Menu) else None
    return (name, label) if label else (name,)


def seconds_to_answer(events: Iterable[Event]) -> float | None:
    """Estimated seconds from the first word to the end of the prompt at the first `answers:`."""
    start: float | None = None
    sprint, spoken = None, 0.0
    for event in events:
        start = event.at if start is None else start
        if event.at != sprint:
            sprint, spoken = event.at, 0.0
        if event.type == "spoke":
            spoken += event.data["seconds"]
        if event.type == "answered":
            return round(event.at - start + spoken, 1)
    return None


def caller_of(dialogue: Dialogue, personas: Mapping[str, Persona]) -> tuple[Persona | None, str, list[Problem]]:
    """Who calls: a persona by name, or one made of facts given in the test; and the number they call from."""
    given = dialogue.file.caller
    if given is None:
        return None, "anonymous" if dialogue.file.withheld else "+15550199999", []
    if isinstance(given, str):
        if given not in personas:
            problem = dialogue.source.problem(
                ("caller",), "unknown-persona", f"'{given}' is not a persona", did_you_mean(given, personas)
            )
            return None, "anonymous", [problem]
        return personas[given], personas[given].number, []
    number = str(given.get("number", "+15550199999"))
    return None, e164(number) or number, []


def reached(results: Iterable[Result]) -> tuple[set[str], set[str]]:
    """Steps that any dialogue reached, and options that any chose, both as `flow.step` and `flow.step.option`."""
    steps: set[str] = set()
    options: set[str] = set()
    for result in results:
        for event in result.events:
            if event.step:
                steps.add(event.step)
            if event.type == "chose":
                options.add(f"{event.step}.{event.data['option']}")
    return steps, options


def unreached(bundle: Bundle, results: Iterable[Result]) -> tuple[list[str], list[str]]:
    """Steps and options that no dialogue reaches."""
    steps, options = reached(results)
    every = [f"{flow.flow}.{name}" for flow in bundle.flows.values() for name in flow.steps]
    exits = [
        f"{flow.flow}.{name}.{option}"
        for flow in bundle.flows.values()
        for name, step in flow.steps.items()
        for option in getattr(step, "options", {})
    ]
    return [step for step in every if step not in steps], [option for option in exits if option not in options]
