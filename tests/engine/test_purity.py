"""The core is pure: whatever arrives, it goes on, forgets nothing between two turns, and does the same thing twice."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ivr.config import Config
from ivr.engine.inputs import (
    Answer,
    Checked,
    Dialled,
    HungUp,
    Input,
    Keys,
    NoAnswer,
    Queued,
    Recorded,
    Silence,
    StillWaiting,
    Words,
    to_data,
)
from ivr.engine.run import choices, resume, start
from ivr.engine.session import Session, from_json
from ivr.flow.bundle import Bundle
from ivr.flow.model import OUTCOMES
from ivr.personal.choose import Decision
from ivr.personal.snapshot import Snapshot, personal_facts
from ivr.project import read_project
from ivr.simulate.people import read_personas
from ivr.speech.words import understand
from ivr.telephony.twiml import Twiml
from tests.twiml_rules import problems

PROJECT = Path(__file__).parents[2]
NOW = 1772460900.0
EXAMPLES: tuple[Input, ...] = (
    Keys("2"),
    Words("my bill", "option:bill", 0.97, "option:agent", 0.9),
    Silence(),
    Checked(1, True, ("jerome",), "jerome", {"caller": {"first_name": "Jerome"}}),
    Answer({"open": 12.5, "shops": [{"name": "a"}]}, 30.0),
    NoAnswer("late", "after 3 fillers"),
    StillWaiting(2),
    Dialled("completed", True, 12.5),
    Queued("waited_too_long", 600.0, "QU1", None, 120.0, 300.0, True),
    Recorded("RE1", "https://api.example/RE1", 7.0, True),
    HungUp("completed"),
)


@cache
def shipped() -> tuple[Config, Bundle]:
    project = read_project(PROJECT, {"IVR_PUBLIC_URL": "https://line.example"})
    assert project.config is not None and project.bundle is not None
    return project.config, project.bundle


@cache
def snapshots() -> Mapping[str, Snapshot]:
    config, bundle = shipped()
    found = {"nobody": Snapshot(facts={"caller": {}, "history": {}, "cases": {}, "account": {}})}
    for name, persona in read_personas(PROJECT, config.file).items():
        person = persona.person(NOW)
        if person is None:
            continue
        answers = persona.file.lookups.get("account", {})
        facts: dict[str, Any] = {
            **personal_facts(bundle, person, NOW),
            "account": {**answers, "overdue": 12.5, "last_reading": 30215},
        }
        ranking = (("bill", 0.9), ("moving", 0.05), ("outage", 0.05))
        last = {"question": "meter_reading.reading", "said": {"postcode": {"value": "48226"}}, "found": {}}
        found[name] = Snapshot(
            "recognised", person.id, (person.id,), facts["caller"].get("prefers.language"), facts, ranking, last
        )
    return found


digits = st.text("0123456789*#", min_size=1, max_size=12)
said = st.text(max_size=40) | st.sampled_from(
    ["my bill", "yes", "no", "agent", "back", "repeat", "español", "move", "four four one one 3"]
)
other_inputs = st.one_of(
    digits.map(Keys),
    said.map(lambda text: Words(text)),
    st.just(Silence()),
    st.sampled_from(EXAMPLES),
    st.builds(Checked, st.integers(0, 3), st.booleans(), st.sampled_from([(), ("jerome",), ("jerome", "margo")])),
    st.sampled_from(
        [
            Answer({}),
            Answer({"open": 0}),
            Answer({"open": 31.75, "due": "2026-03-20", "late_fee": 5, "first_fee_this_year": True}),
        ]
    ),
    st.sampled_from(
        [
            Answer({"shops": [{"name": "a", "street": "b"}, {"name": "<&>", "street": "\x00"}]}),
            Answer({"known": True, "until": "18:30"}),
        ]
    ),
    st.sampled_from(
        [
            Dialled("busy", False),
            Dialled("no-answer", False),
            Dialled("odd", True, 1e6),
            Recorded("RE", "u", 0.0),
            StillWaiting(1),
        ]
    ),
)


def fitting(session: Session, bundle: Bundle, pick: int) -> Input:
    """Something that the present wait accepts."""
    kind = session.wait.kind
    if kind == "lookup":
        return (
            Answer(
                {
                    "open": 31.75,
                    "due": "2026-03-20",
                    "late_fee": 5.5,
                    "first_fee_this_year": True,
                    "known": pick % 2 == 0,
                }
            ),
            NoAnswer("failed"),
        )[pick % 3 == 0]
    if kind == "secret":
        people = session.people[:1]
        return (Checked(0, True, people, people[0] if people else None), Silence(), Checked(0, False))[pick % 3]
    if kind == "dial":
        return (Dialled("no-answer", False), Dialled("completed", True, 60.0))[pick % 2]
    if kind == "queue":
        ends = ("bridged", "waited_too_long", "callback_booked", "full", "failed")
        return Queued(ends[pick % len(ends)], 30.0, number="+15550100001")
    if kind == "record":
        return (Recorded("RE", "https://api.example/RE", 5.0), Silence())[pick % 2]
    open_ = choices(bundle, session)
    phrases = [phrase for some in open_.values() for phrase in some]
    if pick % 3 == 0 and phrases:
        read = understand(phrases[pick % len(phrases)], open_)
        return Words(phrases[pick % len(phrases)], read.choice, read.score, read.runner_up)
    return Keys("12345678*0#9"[pick % 12]) if pick % 5 else Silence()


acts = st.lists(st.tuples(st.none() | other_inputs, st.integers(0, 10_000), st.floats(0, 200)), max_size=40)
SHIPPED = settings(deadline=timedelta(seconds=5), max_examples=150, suppress_health_check=[HealthCheck.too_slow])


def walked(
    name: str, flow: str, level: str, played: list[tuple[Input | None, int, float]]
) -> list[tuple[str, str, list[Any]]]:
    """Every turn of a call: session, TwiML, events. Checks what must hold at each."""
    config, bundle = shipped()
    known = snapshots()[name]
    snapshot = Snapshot(
        level if known.person else "anyone",
        known.person,
        known.people,
        known.language,
        known.facts,
        known.ranking,
        known.last,
    )  # type: ignore[arg-type]
    call = {
        "sid": "CA" + "1" * 32, "from": "+15550100001", "to": "+15550001111", "number": "+15550100001", "line": "northlight",
        "withheld": False, "forwarded": False, "direction": "inbound", "notice": None,
    }  # fmt: skip
    render, now = Twiml(config), NOW
    sprint = start(bundle, Decision("chosen", flow, 0), snapshot, call, now)
    out = []
    for turn, (given_, pick, pause) in enumerate([*played, (HungUp(), 0, 1.0)]):
        session = from_json(sprint.session.to_json())
        assert session == sprint.session
        twiml = render(bundle, session, sprint.events, turn)
        assert problems(twiml) == [], twiml
        assert session.outcome is None or session.outcome in OUTCOMES
        assert (session.outcome is None) == (session.wait.kind != "none")
        assert session.level == "verified" or not any(event.type == "verified" for event in sprint.events)
        out.append((session.to_json(), twiml, [event.as_data() for event in sprint.events]))
        now += pause
        sprint = resume(bundle, session, given_ or fitting(session, bundle, pick), now)
        heard = next(event for event in sprint.events if event.type == "heard")
        assert heard.private["input"] == to_data(given_) if given_ else True
    assert sprint.session.outcome in OUTCOMES
    assert sum(event.type == "ended" for event in sprint.events) <= 1
    return out


FLOWS = (
    "after_hours", "bereavement", "bill", "case_update", "main", "meter_reading", "moving", "outage", "outage_known",
    "payment_plan", "pick_up_again", "service_points", "static_menu", "still_open",
    "survey",
)  # fmt: skip


@SHIPPED
@given(
    st.sampled_from(("nobody", "jerome", "margo", "alicia", "rosa")),
    st.sampled_from(FLOWS),
    st.sampled_from(("anyone", "recognised", "verified")),
    acts,
)
def test_whatever_arrives_the_call_goes_on_and_does_the_same_thing_twice(name, flow, level, played):
    assert walked(name, flow, level, played) == walked(name, flow, level, played)


def test_the_flows_walked_here_are_those_that_ship():
    assert set(FLOWS) == set(shipped()[1].flows)


@SHIPPED
@given(
    st.sampled_from(("nobody", "margo", "rosa")),
    st.sampled_from(FLOWS),
    st.lists(st.integers(0, 10_000), min_size=1, max_size=5),
    st.floats(0, 60),
)
def test_a_call_that_goes_on_ends_in_a_named_outcome_within_its_bounds(name, flow, picks, pause):
    """Somebody who does the same few things over and over."""
    _, bundle = shipped()
    snapshot = snapshots()[name]
    call = {
        "sid": "CA1",
        "from": "+15550100001",
        "to": "+15550001111",
        "number": "+15550100001",
        "line": "northlight",
        "withheld": False,
    }
    now, sprint, people = NOW, start(bundle, Decision("chosen", flow, 0), snapshot, {**call}, NOW), 0
    for turn in range(3000):
        session = sprint.session
        if session.outcome is not None or session.wait.kind in ("dial", "queue"):
            break
        now += pause + 5.0
        sprint = resume(bundle, session, fitting(session, bundle, picks[turn % len(picks)]), now)
    assert sprint.session.outcome in OUTCOMES or sprint.session.wait.kind in ("dial", "queue"), (
        sprint.session.stack,
        people,
    )
    limits = bundle.part.limits
    assert now - NOW - sprint.session.away <= limits.minutes * 60 * 3 + pause + 5
    assert all(
        visits <= limits.visits_per_step + 1 for step, visits in sprint.session.visits.items() if step != "*minutes"
    )


@pytest.mark.parametrize("given_", EXAMPLES, ids=lambda each: each.kind)
def test_an_input_that_the_wait_does_not_accept_puts_the_same_question_again(given_):
    _, bundle = shipped()
    call = {"sid": "CA1", "from": "+1", "to": "+15550001111", "number": None, "line": "northlight", "withheld": True}
    first = start(
        bundle, Decision("chosen", "main", 0), Snapshot(language="en", facts={"caller": {}}), call, NOW
    ).session
    then = resume(bundle, first, given_, NOW + 5)
    unexpected = [event for event in then.events if event.type == "unexpected"]
    assert bool(unexpected) == (not first.wait.accepts(given_))
    if unexpected:
        assert then.session.wait == first.wait and then.session.stack == first.stack
        spoken = [event.data["prompt"] for event in then.events if event.type == "spoke"]
        assert "how_can_we_help" in spoken


def test_a_session_of_an_older_schema_is_brought_up_to_date():
    _, bundle = shipped()
    call = {"sid": "CA1", "from": "+1", "to": "+15550001111", "number": None, "line": "northlight", "withheld": True}
    made = start(
        bundle, Decision("chosen", "main", 0), Snapshot(language="en", facts={"caller": {}}), call, NOW
    ).session
    first_schema = made.to_json().replace('"schema":2', '"schema":1').replace('"surveyed":false,', "")
    assert "surveyed" not in first_schema
    assert from_json(first_schema) == made
