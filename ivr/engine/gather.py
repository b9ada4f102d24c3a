"""Questions: putting one, silence and wrong answers, commands, and changing the subject."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ivr.engine.inputs import Keys, Words
from ivr.engine.moves import AGAIN, Back, Go, Into, Move, Out, Over
from ivr.engine.options import command_for, elsewhere, leads_to_person, options_at, shown
from ivr.engine.session import Wait
from ivr.engine.talk import Talk
from ivr.flow.model import Menu, Option, Step


def wait(talk: Talk, kind: str, **spec: Any) -> Wait:
    """Waits for an answer at the present step."""
    timeout = getattr(talk.bundle.step(talk.place), "timeout", None) if talk.stack else None
    return Wait(kind, {"timeout": timeout or talk.line.timeout, **spec})


def no_answer(talk: Talk, which: str) -> Move:
    """Silence or a wrong answer, counted apart: a re-prompt in the line's or the step's words, then the outcome."""
    step = talk.bundle.step(talk.place)
    count = talk.tries[which] = talk.tries.get(which, 0) + 1
    talk.emit(which, {"times": count})
    allowed = getattr(step, which, None)
    if allowed is None:
        allowed = getattr(talk.line, which)
    prompts = allowed if isinstance(allowed, tuple) else tuple(f"line.{which}_{n + 1}" for n in range(allowed))
    if count > len(prompts):
        return Out(which, True)
    name = prompts[count - 1]
    if talk.bundle.prompt(talk.language, name) is None:
        name = f"line.{which}_1"
    talk.say(name)
    return AGAIN


def answered(talk: Talk) -> None:
    """The caller answered the present question: their tries begin anew, and `back` may return to it."""
    talk.tries = {}
    talk.rescued = False
    trail: list[str] = [step for step in talk.frame["trail"] if step != talk.frame["step"]]
    talk.stack[-1] = {**talk.frame, "trail": [*trail, talk.frame["step"]][-10:]}


def choose(talk: Talk, name: str, option: Option, how: str, words: str | None, save_as: str | None) -> Move:
    """Takes an option."""
    reason = option.reason or name
    person = leads_to_person(talk.bundle, talk.frame["flow"], talk.line, option)
    if save_as is not None:
        keep_reason(talk, save_as, reason, option, words, person)
    talk.emit("chose", {"option": name, "reason": reason, "how": how, "person": person})
    answered(talk)
    if option.enter is not None:
        lookup = talk.lookup()
        return Into(option.enter, "option", {key: value.evaluate(lookup) for key, value in option.give.items()})
    if option.next is not None:
        return Go(option.next)
    return leave(option)


def leave(option: Option) -> Move:
    """An option that returns or ends."""
    return Back(option.returns) if option.returns is not None else Over(option.end or "resolved")


def keep_reason(talk: Talk, save_as: str, reason: str, option: Option, words: str | None, person: bool) -> None:
    """`said.<save_as>`; the reason of a menu of reasons is also why they call, and re-opens a call that had its answer."""
    if person:
        talk.counts["person"] = talk.counts.get("person", 0) + 1
        if save_as in talk.said:
            return
    prompt = talk.bundle.prompt(talk.language, option.label) if option.label else None
    label = (
        prompt.wordings["text"].render(talk.lookup(), talk.language, talk.bundle.part.money)
        if prompt and "text" in prompt.wordings
        else None
    )
    talk.said[save_as] = {"value": reason, "label": label, "spoken": words}
    if save_as == "reason" and not person:
        if reason not in talk.reasons:
            talk.reasons = (*talk.reasons, reason)
        talk.answered = None


def take_keys(
    talk: Talk, given: Keys, visible: list[str], *, lone_only: bool = False, menu: Menu | None = None
) -> Move | None:
    """Takes an option or command for the first of the keys; the rest is kept for the next menus. None where nothing fits.

    `lone_only`: inside an answer of digits only a single key can be a command or an option. `menu`: its own options are
    kept as its answer, those of the flow are not.
    """
    digits = given.digits
    if lone_only and len(digits) != 1:
        return None
    open_ = options_at(talk.bundle, talk.place)
    for length in range(min(open_.longest, len(digits)), 0, -1):
        name = open_.keys.get(digits[:length])
        if name is None:
            continue
        if name not in visible:
            talk.emit("not_available", {"option": name})
            talk.say("line.not_available")
            return AGAIN
        talk.pending = digits[length:]
        save_as = menu.save_as if menu is not None and name in menu.options else None
        return choose(talk, name, open_.options[name], "keys", None, save_as)
    found = command_for(talk.line, digits[0]) if digits else None
    if found is not None:
        talk.pending = digits[1:]
        return command(talk, found[0])
    return None


def command(talk: Talk, name: str) -> Move:
    """A command of the line: `repeat`, `back`, a language, or one that goes somewhere."""
    made = talk.line.commands[name]
    talk.emit("commanded", {"command": name})
    if name == "repeat":
        return repeat(talk)
    if name == "back":
        return back(talk)
    if made.language is not None:
        talk.language = made.language
        talk.said["language"] = {"value": made.language}
        return AGAIN
    if name == "agent":
        talk.counts["person"] = talk.counts.get("person", 0) + 1
    if made.enter is not None:
        return Into(made.enter, "command")
    return Go(made.next or talk.line.otherwise)


def repeat(talk: Talk) -> Move:
    """All that was said since the caller last did something, and the same question stays open.

    Typed ahead, it is for a question that has not been heard yet: then that is put.
    """
    if talk.stack and talk.before.stack and talk.at != "{flow}.{step}".format(**talk.before.stack[-1]):
        return AGAIN
    for name, here in talk.before.heard:
        talk.say(name, here, again=True)
    talk.heard = list(talk.before.heard)
    return talk.before.wait


def back(talk: Talk) -> Move:
    """To the last question answered in this flow, never past something done."""
    trail = [step for step in talk.frame["trail"] if step != talk.frame["step"]]
    if not trail:
        return AGAIN
    talk.stack[-1] = {**talk.frame, "trail": trail[:-1]}
    return Go(trail[-1])


def take_words(talk: Talk, given: Words) -> Move | None:
    """Words understood as a command, or as a reason of another menu; None where they are for the question itself."""
    kind, _, name = (given.choice or "").partition(":")
    if kind == "command" and name in talk.line.commands:
        return command(talk, name)
    if kind == "elsewhere":
        return change_subject(talk, name, given)
    return None


def change_subject(talk: Talk, name: str, given: Words) -> Move | None:
    """A reason of another menu, said in the middle, is entered; when it returns, this question is asked again."""
    found: Mapping[str, tuple[str, Option]] = elsewhere(talk.bundle, talk.line)
    if name not in found:
        return None
    flow, option = found[name]
    destination = option.enter or option.next or ""
    place = talk.bundle.resolve(flow, destination)
    if place is None:
        return None
    talk.emit("subject_changed", {"to": name})
    keep_reason(
        talk,
        "reason",
        option.reason or name.rsplit(".", 1)[1],
        option,
        given.text,
        leads_to_person(talk.bundle, flow, talk.line, option),
    )
    talk.tries = {}
    return Into(".".join(place), "subject")


def count_answer(talk: Talk, given: Keys | Words) -> None:
    """Habits: how often this caller answers, in words or keys, and before the prompt can have ended (an estimate)."""
    talk.counts["answers"] = talk.counts.get("answers", 0) + 1
    if given.kind == "words":
        talk.counts["words"] = talk.counts.get("words", 0) + 1
    if talk.now - talk.before.asked_at < talk.before.speech - 1.0:
        talk.counts["interrupts"] = talk.counts.get("interrupts", 0) + 1


def visible(talk: Talk, step: Step) -> list[str]:
    """Names of the options that are not hidden now: the step's and its flow's."""
    return shown(talk, options_at(talk.bundle, talk.place).options)
