"""The options open at a step: whose keys, whose words, in which order they are spoken."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from ivr.engine.talk import Talk
from ivr.flow.bundle import Bundle, Place
from ivr.flow.model import Command, Flow, Handoff, Line, Menu, Option, Step
from ivr.flow.prompts import Prompt
from ivr.speech.words import normalise

MORE = "+more"
YES_NO = {"option:yes": "words.yes", "option:no": "words.no"}


class Open(NamedTuple):
    """Options of one step and those of its flow, by name, and their keys."""

    options: Mapping[str, Option]
    keys: Mapping[str, str]
    longest: int


def options_at(bundle: Bundle, place: Place) -> Open:
    """What may be chosen at `place`, hidden options included: a step's options come before its flow's."""
    return bundle.once(("options", place), lambda: _options_at(bundle, place))


def _options_at(bundle: Bundle, place: Place) -> Open:
    flow: Flow = bundle.flows[place[0]]
    step: Step = flow.steps[place[1]]
    options = {**flow.options, **getattr(step, "options", {})}
    keys: dict[str, str] = {}
    for name in (*getattr(step, "options", {}), *flow.options):
        for key in options[name].all_keys:
            keys.setdefault(key, name)
    return Open(options, keys, max(map(len, keys), default=1))


def shown(talk: Talk, options: Mapping[str, Option]) -> list[str]:
    """Options whose `when:` holds, as written."""
    lookup = talk.lookup()
    return [name for name, option in options.items() if option.when is None or option.when.holds(lookup)]


def command_for(line: Line, key: str) -> tuple[str, Command] | None:
    """The line's command that has this key."""
    return next(((name, command) for name, command in line.commands.items() if key in command.key), None)


def leads_to_person(bundle: Bundle, flow: str, line: Line, option: Option) -> bool:
    """Whether an option leads straight to people: such an option is always spoken, and is no reason of its own."""
    return bundle.once(("person", line.line, flow, id(option)), lambda: _leads_to_person(bundle, flow, line, option))


def _leads_to_person(bundle: Bundle, flow: str, line: Line, option: Option) -> bool:
    destination = option.next or option.enter
    place = bundle.resolve(flow, destination) if destination else None
    if place is None:
        return False
    agent = line.commands.get("agent")
    if agent and agent.next and place == bundle.resolve(flow, agent.next):
        return True
    return isinstance(bundle.step(place), Handoff)


def spoken_order(talk: Talk, menu: Menu) -> tuple[list[str], list[str]]:
    """Names to speak now, and those kept for "more": likeliest first where the menu says so, people last."""
    names = [name for name in shown(talk, menu.options) if menu.options[name].label]
    people = [name for name in names if leads_to_person(talk.bundle, talk.frame["flow"], talk.line, menu.options[name])]
    rest = [name for name in names if name not in people]
    if menu.order == "likeliest first" and talk.before.ranking and not talk.before.control:
        place = {reason: index for index, (reason, _) in enumerate(talk.before.ranking)}
        rest.sort(key=lambda name: place.get(menu.options[name].reason or name, len(place)))
    if menu.speak_at_most is None or len(names) <= menu.speak_at_most:
        return rest + people, []
    now = max(1, menu.speak_at_most - len(people))
    return rest[:now] + people, rest[now:]


def more_key(menu: Menu, line: Line) -> str:
    """A free key for "more choices", the same every time."""
    taken = {key for option in menu.options.values() for key in option.all_keys}
    taken |= {key for command in line.commands.values() for key in command.key}
    return next((key for key in "9876543210#*" if key not in taken), "#")


def phrases_of(bundle: Bundle, language: str, name: str | None) -> tuple[str, ...]:
    """The words for a prompt used as a label: its phrases and its own text where that has no values."""
    if name is None:
        return ()
    return bundle.once(("phrases", language, name), lambda: tuple(_phrases(bundle.prompt(language, name))))


def _phrases(prompt: Prompt | None) -> Iterator[str]:
    if prompt is None:
        return
    seen: set[str] = set()
    text = prompt.wordings.get("text")
    said = [text.text] if text and not text.pieces() else []
    for phrase in (*prompt.phrases, *said):
        words = normalise(phrase)
        if words and words not in seen:
            seen.add(words)
            yield words


def elsewhere(bundle: Bundle, line: Line) -> Mapping[str, tuple[str, Option]]:
    """Reasons of every menu of the line, but the control group's: `flow.step.option` → its flow and option."""
    return bundle.once(("elsewhere", line.line), lambda: _elsewhere(bundle, line))


def _elsewhere(bundle: Bundle, line: Line) -> dict[str, tuple[str, Option]]:
    control = line.control_group.flow if line.control_group else None
    found: dict[str, tuple[str, Option]] = {}
    for flow in bundle.flows.values():
        for name, step in flow.steps.items():
            if flow.flow == control or not isinstance(step, Menu) or step.save_as != "reason":
                continue
            for key, option in step.options.items():
                if option.label and (option.next or option.enter) and option.when is None:
                    found.setdefault(f"{flow.flow}.{name}.{key}", (flow.flow, option))
    return found


def choices(
    bundle: Bundle, line: Line, language: str, place: Place | None, phase: str, names: Sequence[str]
) -> dict[str, tuple[str, ...]]:
    """Everything that words may mean while a question is open: choice → normalised phrases, nearest first.

    `names` are the options that are not hidden.
    """
    out: dict[str, tuple[str, ...]] = {}
    if place is not None:
        open_ = options_at(bundle, place)
        for name in names:
            if name in open_.options:
                out[f"option:{name}"] = phrases_of(bundle, language, open_.options[name].label)
    if phase in ("yes_no", "confirm", "guess"):
        out |= {choice: phrases_of(bundle, language, prompt) for choice, prompt in YES_NO.items()}
    if phase in ("menu", "guess"):
        out[f"option:{MORE}"] = phrases_of(bundle, language, "words.more")
    if phase == "pick":
        for word in ("choose", "next", "previous"):
            out[f"option:+{word}"] = phrases_of(bundle, language, f"words.{word}")
    for name in line.commands:
        out[f"command:{name}"] = phrases_of(bundle, language, f"command.{name}")
    if phase in ("menu", "guess", "yes_no", "pick", "value"):
        here = {(place[0], id(option)) for option in options_at(bundle, place).options.values()} if place else set()
        for name, (flow, option) in elsewhere(bundle, line).items():
            if (flow, id(option)) not in here:
                out[f"elsewhere:{name}"] = phrases_of(bundle, language, option.label)
    return {name: phrases for name, phrases in out.items() if phrases}
