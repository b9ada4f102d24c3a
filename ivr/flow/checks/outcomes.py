"""Whether a step says where it goes: every outcome that can happen has somewhere to go, and every one that is named can happen."""

from __future__ import annotations

from collections.abc import Mapping

from ivr.flow.bundle import Place
from ivr.flow.checks.frames import frames
from ivr.flow.checks.project import OPAQUE, Project, Report
from ivr.flow.checks.ways import options, successes
from ivr.flow.model import OUTCOMES, Case, Enter, Handoff, Menu, Notify, Pick, Route, Step
from ivr.problems import did_you_mean
from ivr.source import Path, Source


def check(project: Project, report: Report) -> None:
    """Outcomes of every step."""
    for place, source, step in project.places():
        path: Path = ("steps", place[1])
        _one_way(report, source, path, step)
        _ends(report, source, path, step)
        _fails(project, report, source, path, step)
        works = _works(project, place, step)
        if works is not None:
            _named(project, report, source, path, step, works)
            _missing(project, report, source, path, step, works)
    for source, flow in project.flows.values():
        for name, option in flow.options.items():
            _outcome(report, source, ("options", name, "end"), option.end)


def _one_way(report: Report, source: Source, path: Path, step: Step) -> None:
    said = [
        word for word, value in (("next", step.next), ("return", step.returns), ("end", step.end)) if value is not None
    ]
    if len(said) > 1 and not (said[0] == "next" and isinstance(step.next, Mapping) and len(said) == 2):
        both = " and ".join(f"'{word}:'" for word in said)
        message = f"this step says {both}; the call can go only one way"
        report.add(source, (*path, said[1]), "two-ways-on", message, "keep one of them", key=True)


def _ends(report: Report, source: Source, path: Path, step: Step) -> None:
    _outcome(report, source, (*path, "end"), step.end)
    for name, option in getattr(step, "options", {}).items():
        _outcome(report, source, (*path, "options", name, "end"), option.end)


def _fails(project: Project, report: Report, source: Source, path: Path, step: Step) -> None:
    """A note that cannot be kept or sent is no reason to leave what the caller is in the middle of."""
    flow = project.flows[str(source.data["flow"])][1]
    named = isinstance(step.next, Mapping) and "failed" in step.next
    if isinstance(step, (Case, Notify)) and not named and step.otherwise is None and flow.otherwise is None:
        message = (
            f"'{path[1]}' may fail, as for a caller with a hidden number, and nothing says where the call goes then"
        )
        hint = "add 'otherwise: step', or 'failed: step' to 'next:'"
        report.add(source, path, "missing-outcome", message, hint, key=True)


def _outcome(report: Report, source: Source, path: Path, name: str | None) -> None:
    if name is not None and name not in OUTCOMES:
        report.add(source, path, "unknown-outcome", f"a call cannot end as '{name}'", did_you_mean(name, OUTCOMES))


def _works(project: Project, place: Place, step: Step) -> tuple[str, ...] | None:
    """Outcomes of success, with the names that come back from what is entered; None where some of that cannot be read."""
    names = list(successes(project, place, step))
    entered = [(step.enter,)] if isinstance(step, Enter) else []
    entered += [(option.enter,) for _, option, _ in options(project, place) if option.enter is not None]
    made = frames(project)
    for (name,) in entered:
        to = project.resolve(place[0], name)
        if to is None or project.is_opaque(to):
            return None
        made.ask(to)
        if any(project.is_opaque(inner) for inner in made.reach[to]):
            return None
        names += made.names(to)
    return tuple(dict.fromkeys(names))


def _named(project: Project, report: Report, source: Source, path: Path, step: Step, works: tuple[str, ...]) -> None:
    if not isinstance(step.next, Mapping):
        return
    skipped = ("skipped",) if step.when is not None else ()
    known = (*works, *step.failures, *step.outcomes, *skipped, "too_often")
    impossible = _impossible(project, step) if isinstance(step, Handoff) else {}
    for name in step.next:
        at = (*path, "next", name)
        if isinstance(step, Menu) and name in step.options:
            hint = f"put 'next: {step.next[name]}' in the option '{name}' instead"
            report.add(source, at, "unknown-outcome", f"the option '{name}' itself says where it leads", hint, key=True)
        elif name in impossible:
            message, hint = impossible[name]
            report.add(source, at, "unknown-outcome", message, hint, key=True)
        elif name not in known:
            report.add(
                source,
                at,
                "unknown-outcome",
                f"'{name}' is not an outcome of this step",
                did_you_mean(name, known),
                key=True,
            )


def _impossible(project: Project, step: Handoff) -> dict[str, tuple[str, str]]:
    """Outcomes of a handoff that cannot happen with this target: why, and what to do."""
    target = project.part.targets.get(step.handoff)
    if target is None or target.waiting is not None and target.waiting.callback is not None:
        return {}
    if target.waiting is not None:
        offer = f"leave it out, or add 'callback: {{}}' to its '{target.way}:' in config.yaml"
        return {"callback_booked": (f"nobody who waits for '{step.handoff}' is offered a call back", offer)}
    why = f"'{step.handoff}' is dialled, so nobody waits in line for it"
    return {
        "callback_booked": (why, "leave it out; a 'callback:' step books a call back without waiting"),
        "waited_too_long": (why, "leave it out; 'unanswered' is the outcome when nobody picks up"),
    }


def _missing(project: Project, report: Report, source: Source, path: Path, step: Step, works: tuple[str, ...]) -> None:
    if isinstance(step, Route):
        if step.when is not None and not _plain(step):
            _add_skipped(report, source, path)
        return
    if isinstance(step.next, Mapping):
        _unnamed(report, source, path, step, works)
        return
    if _plain(step):
        return
    entering = [
        path
        for _, option, path in options(project, (str(source.data["flow"]), str(path[1])))
        if option.enter is not None
    ]
    if isinstance(step, Menu):
        if entering:
            message = "an option here enters a flow, and nothing says where the call goes when that flow returns"
            report.add(source, entering[0], "enter-without-next", message, "give the menu a 'next:'", key=True)
        return
    if isinstance(step, Pick) and step.otherwise is not None and step.next is None:
        return
    hint = "add 'next:', 'return:' or 'end:'"
    report.add(source, path, "no-way-on", f"nothing says where the call goes after '{path[1]}'", hint, key=True)


def _unnamed(report: Report, source: Source, path: Path, step: Step, works: tuple[str, ...]) -> None:
    assert isinstance(step.next, Mapping)
    if step.when is not None and "skipped" not in step.next and not _plain(step):
        _add_skipped(report, source, path)
    if step.returns is not None or step.end is not None:
        return
    for name in works:
        if name not in step.next and name != OPAQUE:
            message = f"'{name}' can happen here, and 'next:' does not say where it leads"
            report.add(source, (*path, "next"), "missing-outcome", message, f"add '{name}: step' to 'next:'", key=True)


def _add_skipped(report: Report, source: Source, path: Path) -> None:
    message = "where 'when:' does not hold this step is skipped, and nothing says where the call goes then"
    report.add(
        source,
        (*path, "when"),
        "missing-outcome",
        message,
        "add 'skipped: step' to 'next:', or give it a plain 'next:'",
        key=True,
    )


def _plain(step: Step) -> bool:
    return isinstance(step.next, str) or step.returns is not None or step.end is not None
