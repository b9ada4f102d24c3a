"""Every condition and value that a designer wrote, with its place and what it is for."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import Any, NamedTuple

from ivr.config import Priority
from ivr.flow.bundle import Place
from ivr.flow.checks.project import Project
from ivr.flow.expressions import Expression, ExpressionError, compile_expression
from ivr.flow.model import Ask, Callback, Flow, Handoff, Line, Option, Pick, Remember, Route
from ivr.flow.prompts import Prompt
from ivr.source import Path, Source


class Use(NamedTuple):
    """One expression. `what`: condition, value, spoken or list; `where`: choose, manner, survey, priority, flow or prompt.

    `care`: a rule whose purpose is care. `how`: the filter that speaks it.
    """

    source: Source
    path: Path
    expression: Expression
    what: str
    where: str
    place: Place | None = None
    care: bool = False
    how: str | None = None
    line: str | None = None
    prompt: Prompt | None = None
    wording: str | None = None


def uses(project: Project) -> tuple[Use, ...]:
    """All of them."""
    return project.once(
        "uses", lambda: (*_in_lines(project), *_in_targets(project), *_in_flows(project), *_in_prompts(project))
    )


def _in_lines(project: Project) -> Iterator[Use]:
    for name, (source, line) in project.lines.items():
        for index, rule in enumerate(line.choose):
            if rule.when is not None:
                care = rule.purpose == "care"
                yield Use(source, ("choose", index, "when"), rule.when, "condition", "choose", care=care, line=name)
        for index, manner in enumerate(line.manner):
            if manner.when is not None:
                yield Use(source, ("manner", index, "when"), manner.when, "condition", "manner", line=name)
            value = manner_value(manner.use)
            if value is not None:
                yield Use(source, ("manner", index, "use"), value, "value", "manner", line=name)
        yield from _in_survey(name, source, line)


def _in_survey(name: str, source: Source, line: Line) -> Iterator[Use]:
    if line.survey and line.survey.unless is not None:
        care = line.survey.purpose == "care"
        yield Use(source, ("survey", "unless"), line.survey.unless, "condition", "survey", care=care, line=name)


def priorities(project: Project) -> Iterator[tuple[Path, Priority]]:
    """Every rule of a queue's order, and where it stands in config.yaml."""
    for name, target in project.part.targets.items():
        for index, rule in enumerate(target.waiting.priority if target.waiting else ()):
            yield ("targets", name, target.way, "priority", index), rule


def _in_targets(project: Project) -> Iterator[Use]:
    source = project.config or Source("config.yaml", {})
    for path, rule in priorities(project):
        with suppress(ExpressionError):  # which the check of targets reports
            when = compile_expression(rule.when)
            yield Use(source, (*path, "when"), when, "condition", "priority", care=rule.purpose == "care")


def manner_value(use: Any) -> Expression | None:
    """The value that a manner rule takes its wording from, where it does."""
    if not isinstance(use, str) or "." not in use:
        return None
    try:
        return compile_expression(use)
    except ExpressionError:
        return None


def _in_flows(project: Project) -> Iterator[Use]:
    for name, (source, flow) in project.flows.items():
        for option_name, option in flow.options.items():
            yield from _in_option(source, ("options", option_name), option, (name, ""))
        for step_name in flow.steps:
            yield from _in_step(source, flow, step_name)


def _in_option(source: Source, path: Path, option: Option, place: Place) -> Iterator[Use]:
    if option.when is not None:
        yield Use(source, (*path, "when"), option.when, "condition", "flow", place)
    for key, value in option.give.items():
        yield Use(source, (*path, "give", key), value, "value", "flow", place)


def _in_step(source: Source, flow: Flow, name: str) -> Iterator[Use]:
    step, place, path = flow.steps[name], (flow.flow, name), ("steps", name)
    if step.when is not None:
        yield Use(source, (*path, "when"), step.when, "condition", "flow", place)
    for option_name, option in getattr(step, "options", {}).items():
        yield from _in_option(source, (*path, "options", option_name), option, place)
    if isinstance(step, Route):
        for index, rule in enumerate(step.route):
            if rule.when is not None:
                care = rule.purpose == "care"
                yield Use(source, (*path, "route", index, "when"), rule.when, "condition", "flow", place, care=care)
    if isinstance(step, Ask):
        for index, refusal in enumerate(step.refuse):
            yield Use(source, (*path, "refuse", index, "when"), refusal.when, "condition", "flow", place)
    if isinstance(step, Pick):
        yield Use(source, (*path, "pick"), step.pick, "list", "flow", place)
    if isinstance(step, (Handoff, Callback)) and step.about is not None:
        yield Use(source, (*path, "about"), step.about, "about", "flow", place)
    for word in ("number", "by"):
        value = getattr(step, word, None)
        if isinstance(value, Expression):
            yield Use(source, (*path, word), value, "value", "flow", place)
    word = "remember" if isinstance(step, Remember) else "give"
    for key, value in getattr(step, word, {}).items():
        yield Use(source, (*path, word, key), value, "value", "flow", place)


def _in_prompts(project: Project) -> Iterator[Use]:
    for known in project.prompts.values():
        for name, (source, prompt) in known.items():
            if prompt.builtin:
                continue
            for word, condition in (("when", prompt.when), ("count", prompt.count)):
                if condition is not None:
                    what = "condition" if word == "when" else "count"
                    yield Use(source, (name, word), condition, what, "prompt", prompt=prompt)
            for wording, text in prompt.every_wording().items():
                path: Path = (name, wording) if (name, wording) in source.marks else (name,)
                for piece in text.pieces():
                    yield Use(
                        source,
                        path,
                        piece.expression,
                        "spoken",
                        "prompt",
                        how=piece.how,
                        prompt=prompt,
                        wording=wording,
                    )
