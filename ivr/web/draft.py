"""A gesture as an agent has chosen and written it, before it goes: its words, its ways, and why it cannot be sent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

from ivr.handoff.gestures import OWN, ways, with_own, words
from ivr.handoff.task import Task
from ivr.phone import masked
from ivr.web.served import Past

if TYPE_CHECKING:
    from ivr.web.app import Wiring

WAYS = {"sms": "SMS", "email": "E-mail", "card": "Printed card"}


class Draft(NamedTuple):
    """A gesture before it goes: `words` are None where they cannot be said; `to` is the whole address, `shown` some of it."""

    name: str
    title: str
    by: str
    ways: Mapping[str, str | None]
    own: str
    words: str | None
    to: str | None
    shown: str


def draft_of(wiring: Wiring, task: Task, call: Past, form: Mapping[str, str]) -> Draft | None:
    """What the form says, or the first gesture and way where it says nothing yet."""
    approved = wiring.config.file.gestures
    name = form.get("gesture") or next(iter(approved), "")
    if name not in approved:
        return None
    spec, person = approved[name], wiring.store.person(call.session.person) if call.session.person else None
    facts = person.facts if person else {}
    mail = wiring.config.file.mail
    number, address = call.session.call.get("number") or task.number, str(facts.get(mail.to) or "") if mail else ""
    possible = ways(spec, number, address, mail is not None)
    by = form.get("by") if form.get("by") in possible else next((by for by in possible if not possible[by]), "")
    published = wiring.store.published()
    bundle = published if call.session.line in published.lines else call.bundle
    own, said = form.get("own", "").strip(), words(bundle, call.session, facts, spec.text, wiring.clock())
    to = {"sms": number, "email": address}.get(by or "")
    told = with_own(said, own, by or "") if said else None
    return Draft(name, spec.title, by or "", possible, own, told, to, _some_of(to) if to else "")


def _some_of(address: str) -> str:
    """An address as it may be shown."""
    name, at, domain = address.partition("@")
    return f"{name[:1]}•••@{domain}" if at else masked(address)


def not_sendable(draft: Draft | None) -> str:
    """Why a draft cannot go, and what to do."""
    if draft is None:
        return "Choose one of the gestures."
    if len(draft.own) > OWN:
        return f"Your own sentence has {len(draft.own)} characters. Shorten it to {OWN} and send again."
    if draft.words is None:
        return "These words need something that is not known about this caller. Choose another gesture."
    if not draft.by:
        return (
            f"This cannot reach them: {'; '.join(why for why in draft.ways.values() if why)}. Choose another gesture."
        )
    if draft.ways[draft.by]:
        return f"{WAYS[draft.by]} cannot reach them: {draft.ways[draft.by]}. Choose another way."
    return ""
