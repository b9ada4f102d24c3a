"""Nobody hears a fact that they may not hear. Not read, but walked: every flow, to its bounds, by whoever may be calling.

Every fact of every persona is a canary: a value that stands nowhere else. No canary above the caller's level is in any
answer to Twilio, and a call sounds the same without the fact, but for wordings that are marked `neutral`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from html import unescape
from pathlib import Path
from typing import Any

import pytest

from ivr.config import Config
from ivr.engine.events import Event
from ivr.engine.run import start
from ivr.engine.session import Session, from_json
from ivr.flow import spoken
from ivr.flow.bundle import Bundle
from ivr.kinds import LEVELS
from ivr.personal import known
from ivr.personal.choose import Decision
from ivr.personal.snapshot import Person, Snapshot, personal_facts
from ivr.project import read_project
from ivr.simulate.line import Moment
from ivr.simulate.memory import GivenSources, MemoryStore
from ivr.simulate.people import Persona, read_personas
from ivr.telephony.twiml import Twiml
from ivr.turn import CallRequest, Parts, answer
from ivr.web import create_app
from tests.privacy.walk import Turn, Walk, first_difference

PROJECT = Path(__file__).parents[2]
OPEN, CLOSED = 1772460900.0, 1772427600.0  # Monday 2 March 2026 in Detroit, 09:15 and 00:00
SID = "CA" + "1" * 32
TEXTS = (
    "quixwell plumquatch zorblatt frobnast vexmoor wibbleton cazbrind dorquane mivvlet snargle tropwick yaxley".split()
)
ALLOWED = {
    "outages": {"known": True, "until": "18:30"},
    "service_points": {"shops": [{"name": "Desk", "street": "Main"}] * 2},
}


@dataclass(frozen=True)
class Canary:
    """One fact of one persona, with a value that stands nowhere else."""

    who: str
    root: str
    name: str
    value: Any
    level: int

    def forms(self) -> set[str]:
        """The ways in which it could be spoken, in part or as it stands."""
        values = [self.value] if isinstance(self.value, str) else [self.value, round(self.value / 3, 2)]
        forms = {str(value) for value in values}
        for value in values:
            for language in ("en", "es"):
                forms |= {spoken.plain(spoken.speak(value, how, language, "USD")) for how in (None, *spoken.FILTERS)}
        if isinstance(self.value, str) and self.value.count("-") == 2:
            year, month, day = self.value.split("-")
            forms |= {month + day + year, year}
        return {form.lower() for form in forms}


@cache
def shipped() -> tuple[Config, Bundle, Mapping[str, Persona]]:
    project = read_project(PROJECT, {"IVR_PUBLIC_URL": "https://line.example"})
    assert project.config is not None and project.bundle is not None, project.problems
    return project.config, project.bundle, read_personas(PROJECT, project.config.file)


def unique(kind: str, number: int) -> Any:
    """A value of a kind that stands nowhere else. Flags have none: they are for the comparison."""
    word = TEXTS[number % len(TEXTS)] + "abcdefghijklmnop"[number // len(TEXTS)] * 2
    return {
        "text": word,
        "number": 613007 + 37 * number,
        "money": 7013.29 + 111.37 * number,
        "date": f"{2031 + number}-{1 + number % 12:02}-{13 + number % 15:02}",
        "time": f"{number % 24:02}:{13 + number % 40:02}",
    }.get(kind)


@dataclass(frozen=True)
class Somebody:
    """A persona whose every value is a canary, and what the sources say of them."""

    person: Person
    answers: Mapping[str, Mapping[str, Any]]
    canaries: tuple[Canary, ...]


def somebody(name: str, number: int) -> Somebody:
    config, bundle, personas = shipped()
    person = personas[name].person(OPEN)
    assert person is not None
    canaries: list[Canary] = []

    def canary(root: str, field: str, value: Any) -> Any:
        declared = bundle.field_at((root, *field.split(".")))
        assert declared is not None, (root, field)
        made = unique(declared.kind, number + len(canaries))
        if made is None or field.startswith("prefers."):
            return value
        level = min(LEVELS[declared.speak], LEVELS["verified"])
        canaries.append(Canary(name, root, field, made, level))
        return made

    facts = {
        field: canary("caller", field, value)
        for field, value in {**dict.fromkeys(caller_facts(config), ""), **person.facts}.items()
    }
    cases = [
        {
            "id": "1",
            **{
                field: canary("cases", f"current.{field}", "")
                for field in ("summary", "opened", "promise", "promise_by")
            },
            "about": "bill",
        }
    ]
    answers = {
        source: {field: canary(source, field, value) for field, value in said.items()}
        for source, said in {
            "account": {"number": "", "overdue": 1, "last_reading": 1, "outage": False},
            "billing": {"open": 1, "due": "", "late_fee": 1, "first_fee_this_year": True},
        }.items()
    }
    made = replace(person, facts=facts, cases=cases if name == "alicia" else [])
    if name != "alicia":
        canaries[:] = [each for each in canaries if each.root != "cases"]
    return Somebody(made, answers, tuple(canaries))


def caller_facts(config: Config) -> Iterator[str]:
    """Facts that have words."""
    return (name for name, fact in config.file.facts.items() if fact.kind != "flag")


PEOPLE = ("jerome", "margo", "alicia", "rosa")


@cache
def everybody() -> Mapping[str, Somebody]:
    return {name: somebody(name, 17 * place) for place, name in enumerate(PEOPLE)}


def begun(
    people: Sequence[Person],
    answers: Mapping[str, Any],
    at: float = OPEN,
    number: str | None = "+15550100001",
    **extra: Any,
) -> tuple[Session, list[Event]]:
    """A call as it begins: whoever calls, from a number that belongs to these people."""
    config, bundle, _ = shipped()
    store = MemoryStore(bundle, {"+15550100001": list(people)})
    parts = Parts(store, GivenSources(answers), Twiml(config), Moment(at), control_key="outside")
    answer(parts, CallRequest(SID, None, number or "anonymous", "+15550001111", number, **extra))
    session = from_json(store.calls[SID].session or "")
    return session, store.events[SID]


def walk(answers: Mapping[str, Any], *, short: bool = False, bundle: Bundle | None = None) -> Walk:
    config, published, _ = shipped()
    return Walk(bundle or published, Twiml(config), {**ALLOWED, **answers}, short)


def leaks(turns: Sequence[Turn], canaries: Sequence[Canary], level: int) -> list[tuple[tuple[str, ...], Canary, str]]:
    """Every canary above `level` that is heard, with the acts that led to it."""
    forms = [(canary, form) for canary in canaries if canary.level > level for form in canary.forms() if len(form) > 3]
    found, clean = [], set()
    for turn in turns:
        if turn.twiml in clean:
            continue
        heard = unescape(turn.twiml).lower()
        hits = [(turn.acts, canary, form) for canary, form in forms if form in heard]
        found += hits
        if not hits:
            clean.add(turn.twiml)
    return found


ALL = tuple(canary for name in PEOPLE for canary in everybody()[name].canaries)


@cache
def every_flow(level: str, name: str) -> Walk:
    """From the start of every flow, walked once."""
    return from_every_flow(level, everybody()[name], short=level == "anyone")


def from_every_flow(level: str, one: Somebody, bundle: Bundle | None = None, *, short: bool = True) -> Walk:
    """From the start of every flow, with all that is known of them in the call, at this level."""
    _, published, _ = shipped()
    bundle = bundle or published
    facts = {**personal_facts(bundle, one.person, OPEN), **one.answers}
    snapshot = Snapshot(level, one.person.id, (one.person.id,), "en", facts)  # type: ignore[arg-type]
    call = {
        "sid": SID, "from": "+15550100001", "to": "+15550001111", "number": "+15550100001", "line": "northlight",
        "withheld": False, "forwarded": False, "direction": "inbound", "notice": None,
    }  # fmt: skip
    walked = walk(one.answers, bundle=bundle, short=short)
    for flow in bundle.flows:
        first = start(bundle, Decision("chosen", flow, 0), snapshot, call, OPEN)
        walked.on(first.session, first.events, OPEN)
    return walked


def reached(walked: Walk) -> set[str]:
    return {event.step for turn in walked.turns for event in turn.events if event.step}


# — no canary is heard —


def test_canaries_stand_nowhere_else():
    _, bundle, _ = shipped()
    texts = " ".join(bundle.files.values()).lower()
    forms = [(canary, form) for canary in ALL for form in canary.forms() if len(form) > 3]
    assert not [each for each in forms if each[1] in texts]
    assert len({canary.value for canary in ALL}) == len(ALL) > 40


@pytest.mark.parametrize("name", PEOPLE)
@pytest.mark.parametrize("at", [OPEN, CLOSED], ids=["open", "closed"])
def test_whoever_calls_from_somebodys_number_hears_nothing_that_needs_verify(name, at):
    one = everybody()[name]
    session, events = begun([one.person], one.answers, at)
    assert session.level == "recognised"
    walked = walk(one.answers, short=name != "jerome").on(session, events, at)
    assert leaks(walked.turns, ALL, LEVELS["recognised"]) == []
    others = [canary for canary in ALL if canary.who != name]
    assert leaks(walked.turns, others, -1) == []
    assert not any(event.type == "verified" for turn in walked.turns for event in turn.events)


NOBODYS: Mapping[str, Mapping[str, Any]] = {
    "withheld": {"number": None},
    "shared": {},
    "forwarded": {"forwarded": True},
    "failed attestation": {"attestation": "TN-Validation-Failed-A"},
    "a stranger's": {"number": "+15550100009"},
}


@pytest.mark.parametrize("how", NOBODYS)
def test_from_a_number_that_is_nobodys_no_fact_is_heard_at_all(how):
    one, other = everybody()["alicia"], everybody()["jerome"]
    people = [one.person, other.person] if how == "shared" else [one.person]
    session, events = begun(people, one.answers, **NOBODYS[how])
    assert session.level == "anyone"
    walked = walk(one.answers, short=True).on(session, events, OPEN)
    assert leaks(walked.turns, ALL, LEVELS["anyone"]) == []
    assert len(walked.turns) > 500


def test_every_flow_keeps_quiet_to_a_caller_who_is_only_recognised():
    walked = every_flow("recognised", "alicia")
    assert leaks(walked.turns, ALL, LEVELS["recognised"]) == []


def test_every_flow_keeps_quiet_to_anybody_even_where_the_call_carries_the_facts():
    """The level check alone: everything that is known lies in the call, and the caller is nobody."""
    walked = every_flow("anyone", "alicia")
    assert leaks(walked.turns, ALL, LEVELS["anyone"]) == []


def test_the_walk_comes_to_every_step_that_needs_no_verify():
    _, bundle, _ = shipped()
    steps = {f"{flow.flow}.{step}" for flow in bundle.flows.values() for step in flow.steps}
    left = steps - reached(every_flow("recognised", "alicia"))
    first = ("who", "start", "hello", "what", "person")
    needs_verify = {step for step in left if step.split(".")[0] in ("bill", "moving", "payment_plan", "case_update")}
    assert not {step for step in needs_verify if step.split(".")[1] in first}
    # An outage at home, and a number that is hidden, are other callers' calls.
    assert left - needs_verify == {"outage.known_at_home", "meter_reading.account_number"}


def test_the_walk_finds_what_is_given_away_when_the_level_check_is_taken_out(monkeypatch):
    one = everybody()["alicia"]
    _, published, _ = shipped()
    real = known.access

    def everything(bundle: Bundle, path: tuple[str, ...]) -> known.Access:
        return real(bundle, path)._replace(level=0, inner=0)

    monkeypatch.setattr(known, "access", everything)
    bundle = replace(published, memo={})
    found = {(canary.root, canary.name) for _, canary, _ in leaks(from_every_flow("anyone", one, bundle).turns, ALL, 0)}
    assert ("caller", "first_name") in found
    assert ("account", "last_reading") in found
    recognised = {canary.name for _, canary, _ in leaks(from_every_flow("recognised", one, bundle).turns, ALL, 1)}
    assert "last_reading" in recognised


# — a call sounds the same without the fact —


def deleted(one: Somebody, root: str, name: str) -> Somebody:
    """Somebody of whom one thing less is known."""
    if root == "caller":
        facts = {field: value for field, value in one.person.facts.items() if field != name}
        return replace(one, person=replace(one.person, facts=facts))
    if root == "cases":
        short = name.removeprefix("current.")
        cases = [{field: value for field, value in case.items() if field != short} for case in one.person.cases]
        return replace(one, person=replace(one.person, cases=cases))
    answers = {**one.answers, root: {field: value for field, value in one.answers[root].items() if field != name}}
    return replace(one, answers=answers)


def heard_by(one: Somebody, people: Sequence[Person] = (), **how: Any) -> tuple[Walk, Session]:
    session, events = begun([one.person, *people], one.answers, **how)
    return walk(one.answers, short=True).on(session, events, OPEN), session


def secrets(name: str, level: int) -> list[tuple[str, str]]:
    """Everything known of somebody above a level, flags too."""
    _, bundle, _ = shipped()
    one = everybody()[name]
    names = [("caller", field) for field in one.person.facts if not field.startswith("prefers.")]
    names += [
        ("cases", f"current.{field}") for case in one.person.cases for field in case if field not in ("id", "about")
    ]
    names += [("account", field) for field in one.answers["account"]]
    fields = {each: bundle.field_at((each[0], *each[1].split("."))) for each in names}
    return [each for each, field in fields.items() if field is not None and LEVELS[field.speak] > level]


@pytest.mark.parametrize("name", ["jerome", "alicia"])
def test_a_call_sounds_the_same_without_a_fact_but_for_neutral_wordings(name):
    one = everybody()[name]
    full, session = heard_by(one)
    facts = secrets(name, LEVELS["recognised"])
    assert len(facts) > 5
    differing = set()
    for root, field in facts:
        less, other = heard_by(deleted(one, root, field))
        if first_difference(full, less) is None:
            continue
        differing.add(f"{root}.{field}")
        assert session.because != other.because, first_difference(full, less)
        spoke = [event for turn in full.turns for event in turn.events if event.type == "spoke"]
        assert {event.data["prompt"] for event in spoke if not event.data.get("neutral")} == set()
    assert differing == ({"caller.tags.bereavement"} if name == "jerome" else set())


@pytest.mark.parametrize("how", ["shared", "forwarded", "failed attestation"])
def test_from_a_number_that_is_nobodys_a_call_sounds_the_same_whatever_is_known(how):
    one, other = everybody()["jerome"], everybody()["margo"]
    people = [other.person] if how == "shared" else []
    full, _ = heard_by(one, people, **NOBODYS[how])
    facts = secrets("jerome", LEVELS["anyone"])
    nothing = one
    for root, field in facts:
        nothing = deleted(nothing, root, field)
    nothing = replace(nothing, person=replace(nothing.person, history=None))
    assert first_difference(full, heard_by(nothing, people, **NOBODYS[how])[0]) is None
    less, _ = heard_by(deleted(one, "caller", "tags.bereavement"), people, **NOBODYS[how])
    assert first_difference(full, less) is None


# — logs —


def test_no_fact_and_no_answer_is_in_any_log(capsys):
    config, bundle, _ = shipped()
    one = everybody()["alicia"]
    secrets_said = {"first": "03171951", "second": "60607"}
    store = MemoryStore(bundle, {"+15550100001": [one.person]})
    sources = GivenSources({**ALLOWED, **one.answers})
    app = create_app(config, insecure=True, now=Moment(OPEN), store=store, sources=sources, packet=lambda *_: "")
    client, turns = app.test_client(), 0
    calls = (["2", *secrets_said.values()], ["4", "60607"], ["1", "60607", "1"], ["5", "*", "0"], ["9", "2", "", ""])
    for number, keys in enumerate(calls):
        form = {
            "CallSid": "CA" + str(number) * 32,
            "From": "+15550100001",
            "To": "+15550001111",
            "CallStatus": "in-progress",
        }
        client.post("/voice/incoming", data=form)
        for turn, digits in enumerate(keys, 1):
            words = (
                {"SpeechResult": "my name is quixwell", "Confidence": "0.9"} if digits == "*" else {"Digits": digits}
            )
            assert client.post(f"/voice/turn?turn={turn}", data={**form, **words}).status_code == 200
            turns += 1
        client.post("/voice/status", data={**form, "CallStatus": "completed"})
    logged = capsys.readouterr().err.lower()
    assert logged.count('"event":"turn"') == turns and '"level":"error"' not in logged
    forms = (
        {form for canary in ALL for form in canary.forms() if len(form) > 3} | set(secrets_said.values()) | {"quixwell"}
    )
    assert not {form for form in forms if form in logged}
    assert "15550100001" not in logged
