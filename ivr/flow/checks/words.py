"""The words themselves: translations, plurals, recordings, labels, and wordings that nobody ever hears."""

from __future__ import annotations

import difflib
from collections.abc import Iterator

from ivr.flow import spoken
from ivr.flow.checks.heard import labels
from ivr.flow.checks.project import Project, Report
from ivr.flow.prompts import MANNERS, PLURALS, WORDS, Prompt
from ivr.problems import did_you_mean
from ivr.source import Path, Source


def check(project: Project, report: Report) -> None:
    """Every prompt in every language."""
    named = {name for name, _ in labels(project)}
    used = set(wordings_in_use(project))
    for language, known in project.prompts.items():
        for name, (source, prompt) in known.items():
            if prompt.builtin:
                continue
            _plurals(report, source, prompt)
            _audio(project, report, source, prompt)
            _empty(report, source, prompt)
            _wordings(report, source, prompt, used)
            if name in named:
                _label(report, source, prompt)
            _translations(project, report, source, prompt, language)
    _builtin(project, report)
    _manners(project, report)


def at(source: Source, name: str, word: str) -> Path:
    """Where a word of a prompt stands; a prompt may be just its text."""
    return (name, word) if (name, word) in source.marks else (name,)


def _plurals(report: Report, source: Source, prompt: Prompt) -> None:
    if prompt.plurals is None:
        return
    missing = [word for word in (*spoken.plural_categories(prompt.language), "other") if word not in prompt.plurals]
    if missing:
        message = f"'{prompt.name}' has no plural form '{missing[0]}', which '{prompt.language}' needs"
        report.add(source, (prompt.name,), "missing-plural", message, f"add '{missing[0]}: …'", key=True)


def _audio(project: Project, report: Report, source: Source, prompt: Prompt) -> None:
    if prompt.audio is None:
        return
    path = at(source, prompt.name, "audio")
    text = prompt.wordings.get("text")
    if text is None or text.pieces():
        message = f"'{prompt.name}' holds values, which a recording cannot speak"
        report.add(source, path, "audio-with-values", message, "record only words that never change")
    file = f"prompts/{prompt.language}/{prompt.audio}"
    if file not in project.files:
        known = [
            name.removeprefix(f"prompts/{prompt.language}/")
            for name in project.files
            if name.startswith(f"prompts/{prompt.language}/")
        ]
        hint = did_you_mean(prompt.audio, [name for name in known if not name.endswith((".yaml", ".yml"))])
        report.add(source, path, "audio-missing", f"there is no recording {file}", hint)


def _empty(report: Report, source: Source, prompt: Prompt) -> None:
    for word, wording in prompt.every_wording().items():
        if not wording.text.strip():
            message = f"the wording '{word}' of '{prompt.name}' says nothing"
            report.add(
                source, at(source, prompt.name, word), "empty-text", message, "write the words to speak, or delete it"
            )


def _label(report: Report, source: Source, prompt: Prompt) -> None:
    text = prompt.wordings.get("text")
    if text is None:
        return
    words = "".join(part for part in text.parts if isinstance(part, str))
    digit = next((character for character in words if character.isdigit()), None)
    if digit is not None:
        message = f"'{prompt.name}' names an option and holds the digit {digit}, which sounds like a key to press"
        report.add(
            source,
            at(source, prompt.name, "text"),
            "digit-in-label",
            message,
            "write the number as a word, or leave it out",
        )


def _translations(project: Project, report: Report, source: Source, prompt: Prompt, language: str) -> None:
    spoken_here = project.languages()
    if language not in spoken_here:
        return
    for other in spoken_here:
        if other == language or _earlier(project, prompt.name, language) or not _has_own(project, other):
            continue
        if prompt.name not in project.prompts.get(other, {}) and prompt.name not in project.opaque_prompts:
            message = f"'{prompt.name}' is not in '{other}'; callers there hear it in '{language}'"
            spare = [name for name in project.prompts[other] if name not in project.prompts[language]]
            near = difflib.get_close_matches(prompt.name, spare, n=1, cutoff=0.8)
            hint = f"there it is called '{near[0]}'" if near else f"write it in prompts/{other}/"
            report.add(source, (prompt.name,), "missing-translation", message, hint, key=True)


def _earlier(project: Project, name: str, language: str) -> bool:
    """Whether a language before this one has the prompt too, and so reports what is missing."""
    for other in project.languages():
        if other == language:
            return False
        found = project.prompts.get(other, {}).get(name)
        if found is not None and not found[1].builtin:
            return True
    return False


def _has_own(project: Project, language: str) -> bool:
    return any(not prompt.builtin for _, prompt in project.prompts.get(language, {}).values())


def _builtin(project: Project, report: Report) -> None:
    """Words the engine needs, in a language it does not ship with."""
    needed = {name for known in project.prompts.values() for name, (_, prompt) in known.items() if prompt.builtin}
    for source, line in project.lines.values():
        for index, language in enumerate(line.languages):
            missing = sorted(needed - project.prompts.get(language, {}).keys() - project.opaque_prompts)
            if missing and _has_own(project, language):
                path: Path = ("languages", index) if ("languages", index) in source.marks else ("languages",)
                shown = ", ".join(missing[:6]) + (" …" if len(missing) > 6 else "")
                message = f"the engine's own words are not in '{language}': {shown}"
                report.add(source, path, "missing-translation", message, f"write them in prompts/{language}/")


def wordings_in_use(project: Project) -> Iterator[str]:
    """Names of wordings that some caller may hear."""
    yield from MANNERS
    for _, line in project.lines.values():
        for rule in line.choose:
            yield from rule.manner
        for manner in line.manner:
            if isinstance(manner.use, str):
                yield from () if "." in manner.use else (manner.use,)
            elif isinstance(manner.use, (list, tuple)):
                yield from (str(name) for name in manner.use)


def _wordings(report: Report, source: Source, prompt: Prompt, used: set[str]) -> None:
    for word in prompt.wordings:
        if word != "text" and word not in used:
            message = f"nobody hears the wording '{word}' of '{prompt.name}': no rule of a line names it"
            known = {*used, *(word for word in WORDS if word not in PLURALS or prompt.plurals)}
            report.add(source, (prompt.name, word), "unknown-wording", message, did_you_mean(word, known), key=True)


def _manners(project: Project, report: Report) -> None:
    """Wordings that a rule names and no prompt has."""
    if project.opaque_prompts:
        return
    known = {
        word
        for prompts in project.prompts.values()
        for _, prompt in prompts.values()
        for word in prompt.wordings
        if word != "text"
    }
    for source, line in project.lines.values():
        named: list[tuple[Path, str]] = []
        for index, rule in enumerate(line.choose):
            named += [(("choose", index, "manner"), name) for name in rule.manner]
        for index, manner in enumerate(line.manner):
            if isinstance(manner.use, (list, tuple)) or isinstance(manner.use, str) and "." not in manner.use:
                names = [manner.use] if isinstance(manner.use, str) else manner.use
                named += [(("manner", index, "use"), str(name)) for name in names]
        for path, name in named:
            if name not in known and name not in MANNERS:
                report.add(
                    source,
                    path,
                    "unknown-wording",
                    f"no prompt has a wording '{name}'",
                    did_you_mean(name, known | set(MANNERS)),
                )
