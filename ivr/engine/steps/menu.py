"""`menu`: options by key and word, likeliest first, with a guess where the ranking is sure enough."""

from __future__ import annotations

from ivr.engine import gather
from ivr.engine.inputs import Keys, Silence, Words
from ivr.engine.moves import Move
from ivr.engine.options import MORE, more_key, options_at, spoken_order
from ivr.engine.session import Wait
from ivr.engine.talk import Talk, is_fixed
from ivr.flow.model import Menu
from ivr.flow.prompts import render
from ivr.flow.spoken import plain


def visit(talk: Talk, step: Menu) -> Move:
    """Puts the menu, or its guess; keys that came early answer it unheard."""
    if talk.pending:
        digits, talk.pending = talk.pending, ""
        move = _keys(talk, step, Keys(digits), early=True)
        if move is not None:
            return move
    guess = _guess(talk, step)
    if guess is None:
        return put(talk, step)
    talk.guessed = True
    option = step.options[guess]
    talk.say(
        "menu.guess", {"label": _label(talk, option.label, ()), "key": option.all_keys[0] if option.all_keys else "1"}
    )
    return _wait(talk, step, "guess", guess=guess, order=[guess])


def put(talk: Talk, step: Menu, *, rest: bool = False) -> Wait:
    """Speaks the question and its options, or (`rest`) those that were kept for "more"."""
    now, later = spoken_order(talk, step)
    if rest and later:
        names, later = later, []
    else:
        talk.say(step.menu)
        names = now
    for name in names:
        option = step.options[name]
        if option.all_keys:
            talk.say("menu.option", {"label": _label(talk, option.label), "key": option.all_keys[0]})
        elif option.label:
            talk.say(option.label)
    if later:
        talk.say("menu.more", {"key": more_key(step, talk.line)})
    return _wait(talk, step, "menu", order=names, more=more_key(step, talk.line) if later else None)


def _wait(talk: Talk, step: Menu, phase: str, **spec: object) -> Wait:
    longest = options_at(talk.bundle, talk.place).longest
    return gather.wait(talk, "gather", phase=phase, digits=longest, finish="" if longest == 1 else "#", **spec)


def _label(talk: Talk, name: str | None, manner: tuple[str, ...] | None = None) -> str | None:
    """How an option is named, in the caller's manner (or `manner`: a whole sentence needs the plain name)."""
    if name is None:
        return None
    key = ("label", talk.language, name, talk.manner if manner is None else manner)
    kept: str | None = talk.bundle.memo.get(key)
    if kept is not None:
        return kept
    prompt = talk.bundle.prompt(talk.language, name)
    rendered = render(prompt, talk.lookup(), key[3], talk.bundle.part.money) if prompt else None
    if prompt is None or rendered is None:
        return None
    label = plain(rendered.ssml)
    if is_fixed(prompt):
        talk.bundle.memo[key] = label
    return label


def _guess(talk: Talk, step: Menu) -> str | None:
    """The option to open with: once per call, where the ranking is as sure as the menu demands."""
    if step.guess_first is None or talk.guessed or talk.before.control or not talk.before.ranking:
        return None
    reason, sure = talk.before.ranking[0]
    if sure < step.guess_first:
        return None
    here = gather.visible(talk, step)
    return next(
        (
            name
            for name, option in step.options.items()
            if (option.reason or name) == reason and option.label and name in here
        ),
        None,
    )


def answer(talk: Talk, step: Menu, given: Keys | Words | Silence, wait: Wait) -> Move:
    """Takes what was pressed or said."""
    guess = wait.spec.get("guess")
    if isinstance(given, Silence):
        return put(talk, step) if guess else gather.no_answer(talk, "no_input")
    move = _keys(talk, step, given) if isinstance(given, Keys) else _words(talk, step, given, guess)
    if move is not None:
        return move
    return gather.no_answer(talk, "no_match")


def _keys(talk: Talk, step: Menu, given: Keys, *, early: bool = False) -> Move | None:
    more = (talk.before.wait.spec.get("more") if not early else None) or ""
    if more and given.digits[:1] == more and more not in options_at(talk.bundle, talk.place).keys:
        return put(talk, step, rest=True)
    return gather.take_keys(talk, given, gather.visible(talk, step), menu=step)


def _words(talk: Talk, step: Menu, given: Words, guess: str | None) -> Move | None:
    kind, _, name = (given.choice or "").partition(":")
    if guess and (kind, name) == ("option", "yes"):
        return gather.choose(talk, guess, step.options[guess], "guess", given.text, step.save_as)
    if guess and (kind, name) == ("option", "no"):
        return put(talk, step)
    if (kind, name) == ("option", MORE):
        return put(talk, step, rest=True)
    options = options_at(talk.bundle, talk.place).options
    if kind == "option" and name in options:
        return gather.choose(talk, name, options[name], "words", given.text, _save_as(step, name))
    return gather.take_words(talk, given)


def _save_as(step: Menu, name: str) -> str | None:
    return step.save_as if name in step.options else None
