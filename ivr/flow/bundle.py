"""One published version of everything designers own: lines, flows, prompts and their part of config.yaml.

Immutable, named by the hash of its text, and rebuilt from that text alone: a call finishes on the bundle it began with,
on any worker, after any restart.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path as FilePath
from typing import Any, TypeVar

from ivr.config import DesignersPart
from ivr.flow.expressions import Expression, ExpressionError, compile_expression
from ivr.flow.model import Ask, Enter, Flow, Line, Lookup, Menu, Pick, Route, Step
from ivr.flow.names import Field, known_names, source_fields
from ivr.flow.prompts import Prompt, read_prompt
from ivr.problems import Problem, Where
from ivr.shape import validate
from ivr.source import Source, load

T = TypeVar("T")

SCHEMA = 1
Place = tuple[str, str]
"""A flow and a step in it."""


@dataclass(slots=True)
class Parsed:
    """The files as read: every document with its place, before anything is checked against anything else."""

    lines: dict[str, tuple[Source, Line]] = field(default_factory=dict)
    flows: dict[str, tuple[Source, Flow]] = field(default_factory=dict)
    prompts: dict[str, dict[str, tuple[Source, Prompt]]] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)


@dataclass(frozen=True, eq=False)
class Bundle:
    """See the module. `memo` keeps what is worked out from it once; it is never part of its identity."""

    id: str
    files: Mapping[str, str]
    part: DesignersPart
    lines: Mapping[str, Line]
    flows: Mapping[str, Flow]
    prompts: Mapping[str, Mapping[str, Prompt]]
    memo: dict[Any, Any] = field(default_factory=dict, repr=False)

    def once(self, key: Any, make: Callable[[], T]) -> T:
        """`make()`, worked out the first time only."""
        try:
            found: T = self.memo[key]
        except KeyError:
            found = self.memo[key] = make()
        return found

    def line_for(self, number: str) -> Line | None:
        """The line that lists `number`; the only line where there is one; else None."""
        for line in self.lines.values():
            if number in line.numbers:
                return line
        return next(iter(self.lines.values())) if len(self.lines) == 1 else None

    def resolve(self, flow: str, name: str) -> Place | None:
        """A destination: a step of `flow`, else a flow, else `flow.step`."""
        here = self.flows.get(flow)
        if here is not None and name in here.steps:
            return flow, name
        if name in self.flows:
            return name, self.flows[name].start
        other, _, step = name.partition(".")
        if other in self.flows and step in self.flows[other].steps:
            return other, step
        return None

    def step(self, place: Place) -> Step | None:
        """The step at `place`, or None where this version has none."""
        flow = self.flows.get(place[0])
        return flow.steps.get(place[1]) if flow else None

    def prompt(self, language: str, name: str) -> Prompt | None:
        """`name` in `language`, else in the first language that has it."""
        found = self.prompts.get(language, {}).get(name)
        if found is not None:
            return found
        return next((prompts[name] for prompts in self.prompts.values() if name in prompts), None)

    @property
    def names(self) -> Mapping[str, Field]:
        """Every name a condition or wording may use, with `found` and `said` as this bundle's steps make them."""
        return self.once("names", lambda: all_names(self.part, self.flows))

    def field_at(self, path: tuple[str, ...]) -> Field | None:
        """What is declared at a dotted name; None where it is not."""
        return field_at(self.names, path)

    def uses(self) -> frozenset[tuple[str, ...]]:
        """Every name used anywhere in it: the snapshot of a call holds just those."""
        return self.once(
            "uses",
            lambda: (
                frozenset(name for expression in expressions(self) for name in expression.names)
                | ({("caller", *self.part.mail_to.split("."))} if self.part.mail_to else set())
            ),
        )

    def condition(self, text: str) -> Expression:
        """A condition of config.yaml, compiled once. One that cannot be read never holds: the checks have said so."""

        def make() -> Expression:
            try:
                return compile_expression(text)
            except ExpressionError:
                return compile_expression("1 == 2")

        return self.once(("condition", text), make)

    def to_json(self) -> str:
        """Its text, from which `from_json` makes the same bundle again."""
        part = self.part.model_dump(mode="json", by_alias=True, exclude_defaults=True)
        return json.dumps({"schema": SCHEMA, "files": dict(self.files), "part": part}, sort_keys=True)


def bundle_id(files: Mapping[str, str], part: DesignersPart) -> str:
    """The content hash that names a bundle."""
    content = [dict(files), part.model_dump(mode="json", by_alias=True, exclude_defaults=True)]
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:20]


def from_json(text: str) -> Bundle:
    """The bundle whose `to_json` this is."""
    data = json.loads(text)
    part = DesignersPart.model_validate(data["part"])
    return make(data["files"], part, parse(data["files"]))


def make(files: Mapping[str, str], part: DesignersPart, parsed: Parsed) -> Bundle:
    """A Bundle of what was parsed; whether it is fit to be published is for the checks to say."""
    return Bundle(
        id=bundle_id(files, part),
        files=dict(files),
        part=part,
        lines={name: line for name, (_, line) in parsed.lines.items()},
        flows={name: flow for name, (_, flow) in parsed.flows.items()},
        prompts={
            language: {name: prompt for name, (_, prompt) in prompts.items()}
            for language, prompts in parsed.prompts.items()
        },
    )


@cache
def builtin_files() -> Mapping[str, str]:
    """The words the engine itself needs, as they ship."""
    folder = FilePath(__file__).parent / "builtin"
    return {f"builtin/{path.name}": path.read_text("utf-8") for path in sorted(folder.glob("*.yaml"))}


def parse(files: Mapping[str, str | bytes]) -> Parsed:
    """Every line, flow and prompt in `files` (path → text), and all that is wrong with their shape."""
    parsed = Parsed()
    languages = {path.split("/")[1] for path in files if path.startswith("prompts/") and path.count("/") >= 2}
    for path in sorted(files):
        if not path.endswith((".yaml", ".yml")):
            continue
        if path.startswith(("prompts/", "builtin/")):
            _prompts(parsed, path, files[path], languages)
        elif path.startswith("flows/"):
            _flows(parsed, path, files[path])
    return parsed


def _prompts(parsed: Parsed, path: str, text: str | bytes, languages: set[str]) -> None:
    language = path.split("/")[1].removesuffix(".yaml")
    if path.startswith("builtin/") and language not in languages | {"en"}:
        return
    sources, problems = load(path, text, words=True)
    parsed.problems += problems
    known = parsed.prompts.setdefault(language, {})
    for source in sources:
        if not isinstance(source.data, dict):
            parsed.problems.append(source.problem((), "wrong-value", "a file of prompts holds 'name: words' lines"))
            continue
        for name, data in source.data.items():
            prompt, found = read_prompt(source, name, language, data)
            parsed.problems += found
            if prompt is None:
                continue
            if name in known and not known[name][1].builtin:
                first = known[name][0].where((name,), key=True)
                message = f"the prompt '{name}' is already in {first.file}, line {first.line}"
                parsed.problems.append(
                    source.problem((name,), "duplicate-name", message, "rename one of them", key=True)
                )
                continue
            known[name] = (source, prompt)


def _flows(parsed: Parsed, path: str, text: str | bytes) -> None:
    sources, problems = load(path, text)
    parsed.problems += problems
    for source in sources:
        if not isinstance(source.data, dict) or not {"line", "flow"} & source.data.keys():
            hint = "a document begins with 'line: name' or 'flow: name'"
            parsed.problems.append(source.problem((), "wrong-value", "this is neither a line nor a flow", hint))
        elif "line" in source.data:
            _keep(parsed, parsed.lines, source, Line, "line")
        else:
            _keep(parsed, parsed.flows, source, Flow, "flow")


def _keep(parsed: Parsed, kept: dict[str, tuple[Source, Any]], source: Source, model: Any, word: str) -> None:
    thing, problems = validate(source, (), source.data, model)
    parsed.problems += problems
    if thing is None:
        return
    name = getattr(thing, word)
    if name in kept:
        first = kept[name][0].where((word,))
        message = f"the {word} '{name}' is already in {first.file}, line {first.line}"
        parsed.problems.append(source.problem((word,), "duplicate-name", message, "rename one of them"))
        return
    kept[name] = (source, thing)


def nothing_at_all(parsed: Parsed) -> list[Problem]:
    """A project without a line or a flow cannot answer a call."""
    hint = "'ivr new DIR' starts a project that works"
    return [
        Problem(Where(f"flows/{folder}", 1, 1), f"no-{word}", "error", f"there is no {word} in this project", hint)
        for word, folder, kept in (("line", "lines", parsed.lines), ("flow", "", parsed.flows))
        if not kept
    ]


def all_names(part: DesignersPart, flows: Mapping[str, Flow]) -> dict[str, Field]:
    """config.yaml's names, and `said` and `found` as the steps of `flows` make them."""
    names = known_names(part.facts, part.sources)
    said: dict[str, Field] = {"reason": _said("text"), "language": _said("text")}
    found: dict[str, Field] = {}
    for flow in flows.values():
        for name, step in flow.steps.items():
            if isinstance(step, Lookup) and step.lookup in part.sources:
                found[step.save_as or name] = Field("record", fields=source_fields(part.sources[step.lookup]))
            elif isinstance(step, Menu):
                said[step.save_as] = _said("text")
            elif isinstance(step, Ask):
                said[step.save_as or name] = _said(KINDS_OF_ASK[step.kind])
    names |= {"said": Field("record", fields=said), "found": Field("record", fields=found)}
    for flow in flows.values():
        for name, step in flow.steps.items():
            if isinstance(step, Pick):
                items = field_at(names, step.pick.names[0]) if step.pick.names else None
                said[step.save_as or name] = _said("record", items.fields if items else {})
    return names


KINDS_OF_ASK: Mapping[str, Any] = {
    "digits": "text",
    "number": "number",
    "money": "money",
    "date": "date",
    "time": "time",
    "phone": "phone",
    "yes_no": "flag",
    "words": "text",
    "recording": "text",
}


def _said(kind: Any, fields: Mapping[str, Field] | None = None) -> Field:
    spoken = {"spoken": Field("text"), "label": Field("text")}
    return Field(kind, "anyone", "told to us", fields={**spoken, **(fields or {})})


def field_at(names: Mapping[str, Field], path: tuple[str, ...]) -> Field | None:
    """What is declared at `path`."""
    fields, found = names, None
    for part in path:
        found = fields.get(part)
        if found is None:
            return None
        fields = found.fields
    return found


def expressions(bundle: Bundle) -> Iterator[Expression]:
    """Every condition and every spoken value in it."""
    for line in bundle.lines.values():
        yield from (rule.when for rule in line.choose if rule.when)
        yield from (rule.when for rule in line.manner if rule.when)
        yield from (rule.use for rule in line.manner if isinstance(rule.use, Expression))
        yield from (line.survey.unless,) if line.survey and line.survey.unless else ()
    for target in bundle.part.targets.values():
        yield from (bundle.condition(rule.when) for rule in (target.waiting.priority if target.waiting else ()))
    for flow in bundle.flows.values():
        yield from (option.when for option in flow.options.values() if option.when)
        yield from (value for option in flow.options.values() for value in option.give.values())
        for step in flow.steps.values():
            yield from step_expressions(step)
    for prompts in bundle.prompts.values():
        for prompt in prompts.values():
            yield from (piece.expression for wording in prompt.every_wording().values() for piece in wording.pieces())
            yield from (expression for expression in (prompt.when, prompt.count) if expression)


def step_expressions(step: Step) -> Iterator[Expression]:
    """Every condition and value in one step."""
    if step.when:
        yield step.when
    yield from (option.when for option in getattr(step, "options", {}).values() if option.when)
    if isinstance(step, Route):
        yield from (rule.when for rule in step.route if rule.when)
    if isinstance(step, Pick):
        yield step.pick
    if isinstance(step, Ask):
        yield from (refusal.when for refusal in step.refuse)
    yield from (
        value for word in ("about", "number", "by") if isinstance(value := getattr(step, word, None), Expression)
    )
    given = getattr(step, "remember", None) or getattr(step, "give", {})
    yield from given.values()
    if isinstance(step, (Menu, Ask, Pick, Enter)):
        for option in getattr(step, "options", {}).values():
            yield from option.give.values()
