"""Who may hear what: no fact is spoken to a caller who is not known well enough, and sensitive ones serve care alone."""

from __future__ import annotations

from collections.abc import Iterator

from ivr.flow.bundle import Place
from ivr.flow.checks.graph import named
from ivr.flow.checks.heard import Spoken, spoken_at
from ivr.flow.checks.logic import NOTHING, Name, known_if_holds, needed
from ivr.flow.checks.project import Project, Report
from ivr.flow.checks.states import VALUES, State, level_of, reached, refine
from ivr.flow.checks.uses import uses
from ivr.flow.checks.words import at as word_at
from ivr.flow.model import Pick
from ivr.flow.prompts import Prompt
from ivr.kinds import LEVELS
from ivr.source import Source

HOW_FAR = {0: "by anyone", 1: "by a recognised caller", 2: "by a verified caller"}


def check(project: Project, report: Report) -> None:
    """Levels, and facts that are sensitive or never spoken."""
    _never_and_sensitive(project, report)
    seen: set[tuple[str, str, str]] = set()
    for _, place, state in sorted(reached(project), key=lambda each: each[2].level):
        for spoken in spoken_at(project, place):
            _spoken(project, report, place, state, spoken, seen)


# — a fact above the caller's level —


def _spoken(
    project: Project, report: Report, place: Place, state: State, spoken: Spoken, seen: set[tuple[str, str, str]]
) -> None:
    for source, prompt in project.spoken_in(spoken.name):
        at_hand = moment(project, state, spoken, prompt)
        step = project.step(place)
        if isinstance(step, Pick) and spoken.name == step.each:
            _items(project, report, source, prompt, step, at_hand, seen)
        for word, name in unfit(project, prompt, at_hand, above=True):
            if (source.file, f"{prompt.name}.{word}", ".".join(name)) in seen:
                continue
            seen.add((source.file, f"{prompt.name}.{word}", ".".join(name)))
            what = ".".join(name)
            field = project.field(name)
            speak = field.speak if field else "verified"
            message = (
                f"'{what}' is for {speak} callers, and at '{named(place)}' this may be heard {HOW_FAR[at_hand.level]}"
            )
            hint = (
                "'without:' must do without it too"
                if word == "without"
                else "add 'without:' with words for everybody, or 'verify' first"
            )
            report.add(source, word_at(source, prompt.name, word), "above-level", message, hint)


def _items(
    project: Project,
    report: Report,
    source: Source,
    prompt: Prompt,
    step: Pick,
    state: State,
    seen: set[tuple[str, str, str]],
) -> None:
    """What stands in a list is spoken as the list is: its fields are not held back one by one."""
    for word, wording in prompt.every_wording().items():
        for name in (name for piece in wording.pieces() for name in piece.expression.names if name[0] == "item"):
            outer = next(iter(step.pick.names), ())
            field = project.field((*outer, *name[1:]))
            key = (source.file, f"{prompt.name}.{word}", ".".join(name))
            if field is None and len(name) > 1 and (known := project.field(outer)) is not None and known.fields:
                if key not in seen:
                    seen.add(key)
                    message = f"the items of '{'.'.join(outer)}' have no '{'.'.join(name[1:])}'"
                    hint = f"known: {', '.join(sorted(known.fields))}"
                    report.add(source, word_at(source, prompt.name, word), "unknown-name", message, hint)
            elif field is not None and LEVELS[field.speak] > state.level and key not in seen:
                seen.add(key)
                message = f"'{'.'.join(name)}' is for {field.speak} callers, and a list is read out to whoever hears it"
                report.add(source, word_at(source, prompt.name, word), "above-level", message, "'verify' first")


def moment(project: Project, state: State, spoken: Spoken, prompt: Prompt) -> State:
    """The state when a prompt is really spoken: its own `when:` and that of its step hold."""
    known = spoken.known | (known_if_holds(prompt.when.tree) if prompt.when else NOTHING)
    refined = refine(project, state, known)
    return State(refined.level, refined.known | spoken.sets)


def unfit(project: Project, prompt: Prompt, state: State, *, above: bool) -> Iterator[tuple[str, Name]]:
    """Wordings that hold a fact above the caller's level (or, not `above`, a value that may not be set) and cannot give way.

    A wording gives way to `without:`; so only `without:` itself is at fault where there is one.
    """
    wordings = {"without": prompt.without} if prompt.without is not None else prompt.every_wording()
    for word, wording in wordings.items():
        names = {name for piece in wording.pieces() for name in needed(piece.expression.tree)}
        if word not in ("text", "without") and prompt.count is not None:
            names |= needed(prompt.count.tree)
        for name in sorted(names):
            if (
                above
                and level_of(project, name) > state.level
                or not above
                and name[0] in VALUES
                and name[:2] not in state.known
            ):
                yield word, name


# — facts that are never spoken, and sensitive ones —


def _never_and_sensitive(project: Project, report: Report) -> None:
    for use in uses(project):
        for name in use.expression.names:
            field = project.field(name)
            if field is None:
                continue
            what = ".".join(name)
            if field.sensitive and not (use.care and use.what == "condition"):
                hint = "use it only in a condition that says 'purpose: care': of 'choose', 'route', 'survey' or a queue's 'priority'"
                report.add(
                    use.source, use.path, "sensitive-use", f"'{what}' is sensitive and may not be used here", hint
                )
            elif field.speak == "never" and use.what in ("spoken", "about"):
                to = "to a colleague" if use.what == "about" else "to a caller"
                message = f"'{what}' is never spoken, not even {to}"
                report.add(
                    use.source, use.path, "never-spoken", message, "leave it out, or change its 'speak:' in config.yaml"
                )
