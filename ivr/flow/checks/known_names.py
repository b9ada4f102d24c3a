"""Names in conditions and wordings that are in no table: facts, fields, and values that nobody sets."""

from __future__ import annotations

from collections.abc import Mapping

from ivr.flow.checks.project import Project, Report
from ivr.flow.checks.uses import Use, uses
from ivr.flow.names import Field, in_prompts
from ivr.problems import did_you_mean

VALUES = ("said", "found", "given")


def check(project: Project, report: Report) -> None:
    """Every name in every expression."""
    for use in uses(project):
        _in_expression(project, report, use)


def _in_expression(project: Project, report: Report, use: Use) -> None:
    for name in use.expression.names:
        found = _unknown(project, use, name)
        if found is not None:
            code, message, hint = found
            report.add(use.source, use.path, code, message, hint)


def _unknown(project: Project, use: Use, name: tuple[str, ...]) -> tuple[str, str, str] | None:
    root, text = name[0], ".".join(name)
    if use.where == "prompt" and (root in in_prompts() or root in ("item", "about")):
        return None
    if use.where in ("choose", "manner") and root in VALUES:
        message = f"'{text}' cannot be known here: the caller has not said anything yet"
        return "too-early", message, "use caller, history, cases, call, line, now or a source in 'needs:'"
    if root == "given":
        return _given(project, use, name)
    if root in project.part.sources and root not in _needed(project, use):
        hint = f"add '{root}' to the line's 'needs:', or look it up in the flow and use found."
        return "unknown-name", f"'{text}' is never looked up before the call begins", hint
    if project.field(name) is not None:
        return None
    return _not_in_table(project, use, name)


def _not_in_table(project: Project, use: Use, name: tuple[str, ...]) -> tuple[str, str, str]:
    root, text = name[0], ".".join(name)
    if use.path[-1] == "by" and text in ("sms", "email"):
        return "unknown-name", f"'{text}' is not a name", f"quote the word itself: by: \"'{text}'\""
    if root not in project.names:
        made = [f"{kind}.{name[0]}" for kind in ("said", "found") if name[0] in project.names[kind].fields]
        if made or root in project.part.facts:
            return "unknown-name", f"'{text}' is not a name", f"did you mean '{(made or [f'caller.{root}'])[0]}'?"
        roots = [
            word
            for word in (*project.names, "given")
            if word not in project.part.sources or word in _needed(project, use)
        ]
        return "unknown-name", f"'{text}' is not a name", did_you_mean(root, roots)
    fields: Mapping[str, Field] = project.names
    good: list[str] = []
    for part in name:
        if part not in fields:
            break
        fields = fields[part].fields
        good.append(part)
    bad = name[len(good)] if len(good) < len(name) else name[-1]
    outer = ".".join(good)
    hint = did_you_mean(f"{outer}.{bad}", [f"{outer}.{field}" for field in fields])
    code = "unknown-fact" if root == "caller" else "unknown-name"
    what = {
        "caller": "a declared fact about the caller",
        "said": "anything the caller is asked",
        "found": "anything that is looked up",
    }
    return code, f"'{text}' is not {what.get(root, f'part of {root}')}", hint


def _given(project: Project, use: Use, name: tuple[str, ...]) -> tuple[str, str, str] | None:
    field = name[1] if len(name) > 1 else ""
    if use.place is not None:
        takes = set(project.flows[use.place[0]][1].takes)
    else:
        takes = {taken for _, flow in project.flows.values() for taken in flow.takes}
    if field in takes or project.unread and use.place is None:
        return None
    hint = (
        did_you_mean(f"given.{field}", [f"given.{taken}" for taken in takes])
        if takes
        else f"add 'takes: {{{field}: text}}' to the flow"
    )
    return "unknown-name", f"'{'.'.join(name)}' is not handed to this flow", hint


def _needed(project: Project, use: Use) -> set[str]:
    """Sources that are looked up before the choice: of the line where the use is in one, else of any."""
    if project.unread and not project.lines:
        return set(project.part.sources)
    lines = [project.lines[use.line][1]] if use.line is not None else [line for _, line in project.lines.values()]
    return {name for line in lines for name in line.needs}
