"""What belongs to a line: its numbers, languages, hours, the rules that choose, and its commands."""

from __future__ import annotations

import re
from collections.abc import Mapping

from ivr.config import Hours
from ivr.flow import hours
from ivr.flow.checks.project import Project, Report
from ivr.flow.checks.uses import manner_value
from ivr.flow.expressions import ExpressionError, compile_expression
from ivr.flow.model import Line
from ivr.source import Path, Source

_E164 = re.compile(r"\+[1-9]\d{6,14}$")


def check(project: Project, report: Report) -> None:
    """Every line, and the opening hours of every target."""
    listed: dict[str, tuple[str, Source, Path]] = {}
    for name, (source, line) in project.lines.items():
        _numbers(report, source, name, line, listed)
        _languages(project, report, source, line)
        _hours(report, source, ("hours",), line.hours)
        _choose(report, source, line)
        _manner(report, source, line)
        _commands(project, report, source, line)
    for name, target in project.part.targets.items():
        _hours(report, project.config, ("targets", name, "hours"), target.hours)


def _numbers(
    report: Report, source: Source, name: str, line: Line, listed: dict[str, tuple[str, Source, Path]]
) -> None:
    for index, number in enumerate(line.numbers):
        path: Path = ("numbers", index) if ("numbers", index) in source.marks else ("numbers",)
        if not _E164.match(number):
            hint = "write it with + and the country code, as in +15550001111"
            report.add(source, path, "number-format", f"'{number}' is not a phone number that can be called", hint)
        elif number in listed:
            other, file, at = listed[number]
            where = file.where(at)
            message = f"{number} already belongs to the line '{other}' ({where.file}, line {where.line})"
            report.add(source, path, "number-twice", message, "a number belongs to one line, and stands there once")
        listed.setdefault(number, (name, source, path))


def _languages(project: Project, report: Report, source: Source, line: Line) -> None:
    for index, language in enumerate(line.languages):
        known = project.prompts.get(language, {})
        own = any(not prompt.builtin for _, prompt in known.values())
        if not own and not any(path.startswith(f"prompts/{language}/") for path in project.files):
            path: Path = ("languages", index) if ("languages", index) in source.marks else ("languages",)
            message = f"the language '{language}' has no prompts"
            report.add(
                source,
                path,
                "language-without-prompts",
                message,
                f"write them in prompts/{language}/, or take it out of the list",
            )


def _hours(report: Report, source: Source | None, path: Path, plan: Hours | None) -> None:
    if plan is None:
        return
    try:
        hours.check(plan)
    except hours.HoursError as error:
        report.add(source, path, "hours", str(error), 'as in open: {mon-fri: "08:00-20:00"}')


def _choose(report: Report, source: Source, line: Line) -> None:
    always = next((index for index, rule in enumerate(line.choose) if rule.when is None), None)
    if always is None:
        message = "a caller for whom none of these rules holds gets no flow"
        hint = "end with a rule without 'when:', as in {because: nothing special, flow: main}"
        report.add(source, ("choose",), "no-rule-for-everybody", message, hint, key=True)
        return
    for index in range(always + 1, len(line.choose)):
        message = (
            f"this rule is never reached: '{line.choose[always].because}' above it has no 'when:' and always holds"
        )
        report.add(
            source, ("choose", index), "rule-never-reached", message, "move it up, or give the rule above a 'when:'"
        )


def _manner(report: Report, source: Source, line: Line) -> None:
    for index, rule in enumerate(line.manner):
        use, path = rule.use, ("manner", index, "use")
        if isinstance(use, str) and "." in use and manner_value(use) is None:
            try:
                compile_expression(use)
            except ExpressionError as error:
                report.add(source, path, "condition", str(error), "as in: caller.prefers.manner")
        elif isinstance(use, Mapping):
            report.add(
                source,
                path,
                "wrong-value",
                "this must be names of wordings, or a value that holds one",
                "as in [brisk]",
            )


def _commands(project: Project, report: Report, source: Source, line: Line) -> None:
    for name, command in line.commands.items():
        path: Path = ("commands", name)
        leads = command.next is not None or command.enter is not None or command.language is not None
        if not leads and name not in ("repeat", "back"):
            message = f"the command '{name}' leads nowhere"
            report.add(source, path, "command-nowhere", message, "give it 'next:', 'enter:' or 'language:'", key=True)
        for key in command.key:
            if len(key) > 1:
                message = f"the key '{key}' never works: a command has a key of one digit, * or #"
                report.add(source, (*path, "key"), "command-key-length", message, "choose a single key")
        if f"command.{name}" not in project.prompt_names() and (not command.key or command.language is None):
            hint = f"add 'command.{name}: {{text: …, phrases: […]}}' to the prompts"
            report.add(
                source, path, "command-without-words", f"no words belong to the command '{name}'", hint, key=True
            )
