"""Which flow a caller gets and why, and what the call carries of them: everything before `start`. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ivr.engine.options import elsewhere, leads_to_person
from ivr.flow.bundle import Bundle
from ivr.flow.expressions import Lookup
from ivr.flow.model import Line
from ivr.kinds import LEVELS
from ivr.personal import history as past
from ivr.personal.choose import Decision, choose
from ivr.personal.identity import in_control_group
from ivr.personal.known import line_values, now_values, reader
from ivr.personal.likely import Popularity, rank
from ivr.personal.snapshot import Person, Snapshot, personal_facts

RANKED = 20
"""How many likeliest reasons a call carries."""


LABELLED = (
    ("history", "last_call.reason", "last_call.reason_label"),
    ("cases", "current.about", "current.label"),
)
"""Reasons of earlier calls that may be spoken: where they lie, and the name of their label."""


def decide(
    bundle: Bundle,
    line: Line,
    call: Mapping[str, Any],
    person: Person | None,
    people: Sequence[str],
    popularity: Popularity,
    looked_up: Mapping[str, Mapping[str, Any]],
    last: Mapping[str, Any] | None,
    now: float,
    control_key: str,
) -> tuple[Decision, Snapshot]:
    """Which flow this caller gets and why, and what the call carries of them. Pure."""
    reasons = menu_reasons(bundle, line)
    contacts = past.contacts(person.history) if person else []
    ranking = rank(contacts, popularity, reasons, now)[:RANKED]
    facts: dict[str, Mapping[str, Any]] = (
        dict(personal_facts(bundle, person, now, ranking)) if person else {"caller": {}, "history": {}, "cases": {}}
    )
    for root, reason, name in LABELLED:
        label = _reason_label(bundle, line, facts, facts[root].get(reason))
        if label is not None:
            facts[root] = {**facts[root], name: label}
    facts |= {source: looked_up.get(source, {}) for source in line.needs}
    level = "recognised" if person else "anyone"

    def lookup(at: int) -> Lookup:
        return reader(bundle, at, facts, lambda root: _moving(bundle, root, line, call, level, now), {}, {}, {}, {})

    group = line.control_group
    control = bool(person and group and in_control_group(control_key, person.id, line.line, group.share))
    decision = choose(bundle, line, lookup(LEVELS["verified"]), lookup(LEVELS[level]), control)
    snapshot = Snapshot(
        level="recognised" if person else "anyone",
        person=person.id if person else None,
        people=tuple(people),
        language=facts["caller"].get("prefers.language"),
        facts=facts,
        ranking=ranking,
        last=last,
    )
    return decision, snapshot


def _moving(
    bundle: Bundle, root: str, line: Line, call: Mapping[str, Any], level: str, now: float
) -> Mapping[str, Any]:
    if root == "line":
        return line_values(bundle, line, now, call.get("notice"), bool(call.get("closed")))
    if root == "now":
        return now_values(line, now)
    if root == "call":
        return {"known": level, "withheld": call["withheld"], "id": call["sid"], "from": call["number"], "minutes": 0}
    return {}


def menu_reasons(bundle: Bundle, line: Line) -> tuple[str, ...]:
    """Every reason that a menu of the line offers, people excepted."""

    def make() -> tuple[str, ...]:
        found = {
            option.reason or name.rsplit(".", 1)[1]: None
            for name, (flow, option) in elsewhere(bundle, line).items()
            if not leads_to_person(bundle, flow, line, option)
        }
        return tuple(found)

    return bundle.once(("reasons", line.line), make)


def _reason_label(bundle: Bundle, line: Line, facts: Mapping[str, Mapping[str, Any]], reason: str | None) -> str | None:
    """A reason as it is named to callers, in the language they like."""
    if reason is None:
        return None
    language = facts["caller"].get("prefers.language") or line.languages[0]
    for name, (_, option) in elsewhere(bundle, line).items():
        if (option.reason or name.rsplit(".", 1)[1]) == reason and option.label:
            prompt = bundle.prompt(language, option.label)
            text = prompt.wordings.get("text") if prompt else None
            return text.text if text and not text.pieces() else None
    return None
