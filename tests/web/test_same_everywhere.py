"""Every dialogue is the same call without a phone and over the wire, through JSON and back, and when it is played again."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from bench.shipped import FOLDER, load_personas
from ivr.engine.events import Event
from ivr.engine.replay import replay
from ivr.engine.session import Session, from_json
from ivr.jsontext import encode
from ivr.lookups.cache import MemoryCache
from ivr.lookups.pool import Lookups
from ivr.project import Project
from ivr.simulate.dialogue import Dialogue, Result, caller_of, play, read_dialogues
from ivr.simulate.line import Caller, EngineLine, Moment
from ivr.simulate.memory import GivenSources
from ivr.simulate.world import SID, World, engine_caller, group_key, moment_of
from ivr.turn import Commit
from tests.actors import House, Phone, personas
from tests.conftest import MakeHouse

DIALOGUES = read_dialogues(FOLDER)
EVERY = pytest.mark.parametrize("dialogue", DIALOGUES, ids=[dialogue.file.test for dialogue in DIALOGUES])


class OneRecording(Phone):
    """A phone whose recording is named after its call, as the simulator names it."""

    def _sid(self, kind: str, what: object) -> str:
        return "RE" + self.call_sid[2:] if kind == "RE" else super()._sid(kind, what)


class WireLine:
    """The simulator's Line, over Twilio's wire."""

    def __init__(self, call: OneRecording) -> None:
        self.call = call

    def dial(self) -> None:
        """The first ring."""
        self.call.dial()

    def press(self, digits: str) -> None:
        """Keys."""
        self.call.press(digits)

    def say(self, words: str) -> None:
        """Words."""
        self.call.say(words)

    def silence(self) -> None:
        """Nothing, until the wait is over."""
        self.call.silence()

    def agent(self, status: str, bridged: bool, seconds: float) -> None:
        """How the ringing of people went."""
        self.call.dial_result(status, bridged, seconds)  # type: ignore[arg-type]  # the simulator has parts of seconds

    def queue(self, how: str, seconds: int) -> None:
        """How the wait in a queue ended."""
        self.call.keep_waiting(1, seconds)
        if how == "callback":
            self.call.press("1").press("1")
        elif self.call.waiting == "Enqueue":
            self.call.queue_result({"left": "leave", "full": "queue-full"}.get(how, how))

    def record(self, seconds: float, hang_up: bool) -> None:
        """A message, ended by a key or by hanging up."""
        self.call.record(seconds, f"https://api.twilio.com/RE{self.call.sid[2:]}", hang_up=hang_up)

    def hang_up(self) -> None:
        """The caller leaves."""
        self.call.hang_up()

    def events(self) -> list[Event]:
        """What the server stored."""
        return self.call.events if self.call.requests else []

    def session(self) -> Session | None:
        """The state of the call as the server stored it."""
        stored = self.call.house.store.load(self.call.sid)
        return from_json(stored.session) if stored and stored.session else None


def world_of(shipped: Project) -> World:
    assert shipped.config is not None and shipped.bundle is not None
    return World(shipped.config, shipped.bundle, personas(shipped.folder))


def simulated(world: World, dialogue: Dialogue) -> tuple[Result, Caller]:
    """The dialogue as `ivr test` plays it."""
    persona, number, wrong = caller_of(dialogue, world.personas)
    assert not wrong
    at = moment_of(world.bundle, dialogue.file.call, dialogue.file.at, 0.0)
    caller, _ = engine_caller(world, persona, number, dialogue.file.call, at, dialogue.file.lookups)
    return play(dialogue, caller, world.bundle), caller


def over_the_wire(world: World, dialogue: Dialogue, url: str, make_house: MakeHouse, moment: Moment) -> Result:
    """The same against the server, on a database with the personas in it."""
    persona, number, _ = caller_of(dialogue, world.personas)
    moment.at = moment_of(world.bundle, dialogue.file.call, dialogue.file.at, 0.0)
    samples = Lookups(world.config.file.sources, world.config.project, {}, MemoryCache(), moment)
    sources = GivenSources({**(persona.file.lookups if persona else {}), **dialogue.file.lookups}, samples)
    key = group_key(world.bundle, world.personas)
    house: House = make_house(url, sources=sources, config={"secret_key": key})
    load_personas(house.store, moment())
    call = OneRecording(house, number, dialogue.file.call, SID, {})
    caller = Caller(
        WireLine(call),
        moment,
        persona.file.reacts if persona else 2.0,
        persona.facts if persona else {},
        persona.file.answers_wrongly if persona else False,
    )
    caller.longest_wait = lambda target: 600.0
    caller.questions = lambda name: world.bundle.part.verify[name].questions
    return play(dialogue, caller, world.bundle)


def texts(events: list[Event]) -> list[str]:
    """Events byte for byte."""
    return [encode(event.as_data()) for event in events]


def test_there_are_dialogues() -> None:
    assert len(DIALOGUES) >= 15


@EVERY
def test_a_dialogue_over_the_wire_is_the_simulated_call_event_for_event(
    dialogue: Dialogue, shipped: Project, database_url: str, make_house: MakeHouse, moment: Moment
) -> None:
    world = world_of(shipped)
    alone, _ = simulated(world, dialogue)
    wired = over_the_wire(world, dialogue, database_url, make_house, moment)
    assert not alone.failures and not wired.failures
    assert texts(wired.events) == texts(alone.events)
    assert wired.seconds == alone.seconds


class Watched:
    """A Store that looks at every session on its way in."""

    def __init__(self, store: Any) -> None:
        self.store = store
        self.sessions: list[str] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self.store, name)

    def begin(self, begun: Any, commit: Commit) -> Any:
        self.sessions.append(commit.session)
        return self.store.begin(begun, commit)

    def advance(self, call: Any, commit: Commit) -> bool:
        self.sessions.append(commit.session)
        return bool(self.store.advance(call, commit))

    def close(self, call: Any, commit: Commit) -> bool:
        self.sessions.append(commit.session)
        return bool(self.store.close(call, commit))


@EVERY
def test_a_dialogues_sessions_go_to_json_and_back_and_its_events_play_again_byte_for_byte(
    dialogue: Dialogue, shipped: Project
) -> None:
    world = world_of(shipped)
    persona, number, _ = caller_of(dialogue, world.personas)
    at = moment_of(world.bundle, dialogue.file.call, dialogue.file.at, 0.0)
    caller, store = engine_caller(world, persona, number, dialogue.file.call, at, dialogue.file.lookups)
    line = caller.line
    assert isinstance(line, EngineLine)
    watched = Watched(store)
    line.parts = replace(line.parts, store=watched)
    result = play(dialogue, caller, world.bundle)
    assert not result.failures

    sprints = replay(world.bundle, result.events)
    again = [event for sprint in sprints for event in sprint.events]
    # What `start` was handed is written into the first event by the turn, not by the engine.
    again[0] = again[0]._replace(private=result.events[0].private)
    assert texts(again) == texts(result.events)

    for sprint in sprints:
        text = sprint.session.to_json()
        assert from_json(text).to_json() == text
        assert from_json(text) == from_json(from_json(text).to_json())
    played = [sprint.session.to_json() for sprint in sprints]
    assert set(watched.sessions) <= set(played)
    assert watched.sessions[-1] == played[-1]


@EVERY
def test_a_dialogue_plays_again_with_every_session_through_json(dialogue: Dialogue, shipped: Project) -> None:
    """Nothing in a session depends on being the object that the engine made."""
    from ivr.engine.inputs import from_data
    from ivr.engine.run import resume

    world = world_of(shipped)
    result, _ = simulated(world, dialogue)
    sprints = replay(world.bundle, result.events)
    inputs = [event for event in result.events if event.type == "heard"]
    for sprint, given, after in zip(sprints, inputs, sprints[1:], strict=False):
        restored = from_json(sprint.session.to_json())
        made = resume(world.bundle, restored, from_data(given.private["input"]), given.at)
        assert texts(list(made.events)) == texts(list(after.events))
        assert made.session.to_json() == after.session.to_json()
