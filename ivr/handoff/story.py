"""A call's events as short lines for an agent: why they call in their own words, and what they heard, entered and said.

Names of flows, steps and targets are not in them: they may say why a flow was chosen.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import Any

from ivr.engine.events import Event
from ivr.engine.options import elsewhere, options_at
from ivr.flow.bundle import Bundle
from ivr.flow.model import Line, Option, Verify
from ivr.flow.spoken import plain
from ivr.handoff.seen import View, in_words, named, text

ENGINES_OWN = ("menu.", "pick.", "ask.", "line.", "language.", "verify.", "wait.")
"""Prompts that say how to answer: what an agent need not read."""

ASIDES = ("option:yes", "option:no", "option:+")
COMMANDS = {"repeat": "asked to hear it again", "back": "went back", "agent": "asked for a person"}


def relevant(line: Line, events: Iterable[Event]) -> list[Event]:
    """Events without those of the survey: what a caller says about agents is not for the agent."""
    survey = f"{line.survey.flow}." if line.survey else None
    return [event for event in events if survey is None or not event.step.startswith(survey)]


def own_words(events: Iterable[Event]) -> Iterator[tuple[Event, str]]:
    """What the caller said in words, with its event. An answer to a secret question is never among it."""
    waits = ""
    for event in events:
        if event.type == "asked":
            waits = event.data["kind"]
        given = event.private.get("input", {}) if event.type == "heard" else {}
        if given.get("kind") == "words" and given["text"].strip() and waits != "secret":
            yield event, text(given["text"])


BARE = 2
"""Words with which somebody only asks for a person ("agent", "a person"); more than these say something of why they call."""


def reason_words(events: Iterable[Event]) -> list[str]:
    """The caller's own words for why they call: all they said but yes, no, and commands other than for a person."""
    found = []
    for event, words in own_words(events):
        choice = str(event.private["input"].get("choice") or "")
        command = choice.startswith("command:") and (choice != "command:agent" or len(words.split()) <= BARE)
        if not command and not choice.startswith(ASIDES):
            found.append(words)
    return list(dict.fromkeys(found))


def reason_label(bundle: Bundle, line: Line, reason: str) -> str | None:
    """A reason as the line names it, in the line's first language."""
    for name, (_, option) in elsewhere(bundle, line).items():
        if (option.reason or name.rsplit(".", 1)[1]) == reason:
            return _label(bundle, line, option)
    return None


def _label(bundle: Bundle, line: Line, option: Option) -> str | None:
    prompt = bundle.prompt(line.languages[0], option.label) if option.label else None
    wording = prompt.wordings.get("text") if prompt else None
    return plain(wording.text) if wording and not wording.pieces() else None


def done(view: View, events: Sequence[Event]) -> list[str]:
    """What they heard, entered and said, oldest first: `0:07 chose: ask about your bill`."""
    said = {id(event): f"said: “{words}”" for event, words in own_words(events)}
    lines = [(event, said.get(id(event)) or _did(view, event)) for event in events]
    told = [(event.at, event.type == "spoke", words) for event, words in lines if words]
    out = []
    for (at, heard), group in groupby(told, key=lambda each: each[:2]):
        parts = [words for _, _, words in group]
        out += [_timed(view, at, words) for words in ([f"heard: {' '.join(parts)}"] if heard else parts)]
    return out


def _timed(view: View, at: float, words: str) -> str:
    minutes, seconds = divmod(int(max(0.0, at - view.started)), 60)
    return f"{minutes}:{seconds:02d} {words}"


def _did(view: View, event: Event) -> str | None:
    data, private = event.data, event.private
    match event.type:
        case "spoke":
            own = str(data["prompt"]).startswith(ENGINES_OWN)
            return None if own or "ssml" not in private else text(plain(private["ssml"]))
        case "chose":
            return f"chose: {_chosen(view, event)}"
        case "collected":
            return _collected(view, event)
        case "commanded":
            language = data.get("language")
            return f"chose the language {language}" if language else _command(view, data["command"])
        case "subject_changed":
            option = elsewhere(view.bundle, view.line).get(data["to"])
            label = _label(view.bundle, view.line, option[1]) if option else None
            return f"changed the subject to: {label or named(data['to'].rsplit('.', 1)[-1])}"
        case "verified":
            return f"verified: {named(_proof(view.bundle, event))}"
        case "answered":
            return f"had the answer: {named(data['to'])}"
        case "queued":
            return "joined the line of those who wait for a colleague"
        case "dialled" if data["bridged"]:
            return f"spoke with a colleague for {data['seconds']:.0f} s"
        case "waited" if data["result"] == "bridged":
            return "spoke with a colleague"
        case "callback_booked":
            return "asked to be called back"
        case "recorded":
            return f"left a message of {data['seconds']:.0f} s"
        case "notified":
            return f"was sent a message ({data['by']})"
    return None


def _command(view: View, name: str) -> str:
    made = view.line.commands.get(name)
    if made is not None and made.language is not None:
        return f"chose the language {made.language}"
    return COMMANDS.get(name, f"asked for: {named(name)}")


def _chosen(view: View, event: Event) -> str:
    flow, _, step = event.step.partition(".")
    name = event.data["option"]
    option = options_at(view.bundle, (flow, step)).options.get(name) if view.bundle.step((flow, step)) else None
    label = _label(view.bundle, view.line, option) if option else None
    return label or named(name)


def _collected(view: View, event: Event) -> str | None:
    if event.data["as"] in ("words", "recording"):
        return None
    value = shown(view, event.data["name"], event.private.get("value"))
    return f"answered {named(event.data['name'])}: {value}" if value else None


def shown(view: View, name: str, value: Any) -> str:
    """A caller's answer as it may be shown: of what they picked from a list, the fields that may be."""
    if not isinstance(value, dict):
        return "" if value is None else in_words(value)
    seen = [in_words(each) for key, each in value.items() if each is not None and view.may_see("said", name, key)]
    return ", ".join(part for part in seen if part)


def _proof(bundle: Bundle, event: Event) -> str:
    """What was proved: the verify entry's name."""
    flow, _, step = event.step.partition(".")
    found = bundle.step((flow, step))
    return found.verify if isinstance(found, Verify) else "who they are"


def proofs(bundle: Bundle, events: Iterable[Event]) -> list[str]:
    """Every verify entry that the caller passed."""
    return list(dict.fromkeys(named(_proof(bundle, event)) for event in events if event.type == "verified"))
