"""What the checks look at: the parsed files, and whatever can be saved of files that could not be read whole.

One faulty step must not hide the mistakes in its neighbours, nor make every mention of it a second mistake. So a flow or line
with faults in its shape is read again without them; what was left out is *opaque*: known by name, and nothing more is said.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from pydantic import ValidationError

from ivr.config import DesignersPart
from ivr.flow.bundle import Parsed, Place, all_names, field_at
from ivr.flow.model import Flow, Line, Lookup, Step
from ivr.flow.names import Field
from ivr.flow.prompts import Prompt
from ivr.problems import Problem
from ivr.source import Path, Source, load

OPAQUE = "?"
"""Stands where a name could not be read."""

RESUME = "last_call.question"
"""The destination that goes to the open question of the caller's last call."""

ANY = Field("any")

T = TypeVar("T")


@dataclass(slots=True)
class Project:
    """Lines, flows and prompts by name, each with its source, and what is known of the parts that could not be read."""

    lines: dict[str, tuple[Source, Line]]
    flows: dict[str, tuple[Source, Flow]]
    prompts: dict[str, dict[str, tuple[Source, Prompt]]]
    part: DesignersPart
    files: Mapping[str, str | bytes]
    config: Source | None = None
    opaque_flows: set[str] = field(default_factory=set)
    opaque_steps: dict[str, dict[str, Any]] = field(default_factory=dict)
    opaque_prompts: set[str] = field(default_factory=set)
    unread: bool = False
    names: dict[str, Field] = field(default_factory=dict)
    memo: dict[Any, Any] = field(default_factory=dict)

    def once(self, key: Any, make: Callable[[], T]) -> T:
        """`make()`, worked out the first time only."""
        if key not in self.memo:
            self.memo[key] = make()
        found: T = self.memo[key]
        return found

    def resolve(self, flow: str | None, name: str) -> Place | None:
        """A destination as the engine reads it; a place in an opaque part has no step."""
        if name == OPAQUE:
            return OPAQUE, OPAQUE
        if flow is not None and self._has(flow, name):
            return flow, name
        if name in self.flows:
            return name, self.flows[name][1].start
        if name in self.opaque_flows:
            return name, OPAQUE
        other, _, step = name.partition(".")
        if step and (other in self.opaque_flows or self._has(other, step)):
            return other, step
        return None

    def meant(self, flow: str | None, name: str) -> Place | None:
        """`resolve`, else what was most likely meant: one slip of the pen must not make everything behind it unreachable."""
        found = self.resolve(flow, name)
        return found if found is not None else self.once(("meant", flow, name), lambda: self._meant(flow, name))

    def _meant(self, flow: str | None, name: str) -> Place | None:
        own = self.flows[flow][1].steps if flow in self.flows else ()
        inside = (
            [f"{name}.{step}" for name, (_, made) in self.flows.items() for step in made.steps] if "." in name else []
        )
        near = difflib.get_close_matches(name, [*own, *self.flows, *inside], n=1, cutoff=0.6)
        return self.resolve(flow, near[0]) if near else None

    def _has(self, flow: str, step: str) -> bool:
        return flow in self.flows and (step in self.flows[flow][1].steps or step in self.opaque_steps.get(flow, ()))

    def step(self, place: Place) -> Step | None:
        """The step at `place`; None in an opaque part."""
        entry = self.flows.get(place[0])
        return entry[1].steps.get(place[1]) if entry else None

    def is_opaque(self, place: Place) -> bool:
        """Whether nothing is known of what stands at `place`."""
        return self.step(place) is None

    def places(self) -> Iterator[tuple[Place, Source, Step]]:
        """Every step that could be read."""
        for name, (source, flow) in self.flows.items():
            for step_name, step in flow.steps.items():
                yield (name, step_name), source, step

    def field(self, path: tuple[str, ...]) -> Field | None:
        """What is declared at a dotted name. Inside what has no declared fields anything may stand."""
        found = field_at(self.names, path)
        for length in range(len(path) - 1, 0, -1):
            if found is not None:
                break
            outer = field_at(self.names, path[:length])
            found = ANY if outer is not None and outer.kind == "any" else None
        return found

    def prompt_names(self) -> set[str]:
        """Every prompt in any language, those that could not be read too."""
        return self.once(
            "prompt names", lambda: {name for known in self.prompts.values() for name in known} | self.opaque_prompts
        )

    def languages(self) -> list[str]:
        """The languages of all lines, in order."""
        return list(dict.fromkeys(language for _, line in self.lines.values() for language in line.languages))

    def spoken_in(self, name: str) -> Iterator[tuple[Source, Prompt]]:
        """The prompt `name` in every language that has it and that a line speaks."""
        for language in self.languages() or list(self.prompts):
            found = self.prompts.get(language, {}).get(name)
            if found is not None:
                yield found


def gather(parsed: Parsed, config: Source | None, part: DesignersPart, files: Mapping[str, str | bytes]) -> Project:
    """`parsed`, and what can be saved of the files that have problems."""
    prompts = {language: dict(known) for language, known in parsed.prompts.items()}
    project = Project(dict(parsed.lines), dict(parsed.flows), prompts, part, files, config)
    for file in sorted({problem.where.file for problem in parsed.problems}):
        if file in files:
            _save(project, file, files[file])
    project.names = all_names(part, {name: flow for name, (_, flow) in project.flows.items()})
    _opaque_values(project)
    return project


def _save(project: Project, file: str, text: str | bytes) -> None:
    words = file.startswith(("prompts/", "builtin/"))
    sources, _ = load(file, text, words=words)
    if words:
        for source in sources:
            project.opaque_prompts |= {str(name) for name in source.data} if isinstance(source.data, dict) else set()
    if not sources:
        _names_only(project, text if isinstance(text, str) else text.decode("utf-8", "replace"), words)
        return
    for source in sources:
        if words or not isinstance(source.data, dict):
            continue
        if "line" in source.data:
            _save_line(project, source)
        elif "flow" in source.data:
            _save_flow(project, source)


def _names_only(project: Project, text: str, words: bool) -> None:
    """A file that is no YAML at all still names what is in it."""
    if words:
        project.opaque_prompts |= set(re.findall(r"^([A-Za-z][\w.]*):", text, re.MULTILINE))
        return
    project.unread = True
    project.opaque_flows |= set(re.findall(r"^flow:\s*['\"]?(\w+)", text, re.MULTILINE))


def _save_flow(project: Project, source: Source) -> None:
    name = source.data.get("flow")
    if not isinstance(name, str) or name in project.flows:
        return
    data = dict(source.data)
    steps = data.get("steps")
    data["steps"] = dict(steps) if isinstance(steps, dict) else {}
    left_out: dict[str, Any] = {}

    def repair(loc: tuple[Any, ...]) -> None:
        if loc[0] == "steps" and len(loc) > 1:
            left_out[str(loc[1])] = data["steps"].pop(loc[1], None)
        elif loc[0] == "start":
            data["start"] = next(iter(data["steps"]), OPAQUE)
        else:
            _drop(data, loc)

    flow = _until_it_fits(Flow, data, repair)
    if flow is None:
        project.opaque_flows.add(name)
        return
    if not isinstance(steps, dict):
        left_out[flow.start] = steps
    project.flows[name] = (source, flow)
    project.opaque_steps[name] = left_out


def _save_line(project: Project, source: Source) -> None:
    name = source.data.get("line")
    if not isinstance(name, str) or name in project.lines:
        return
    data = dict(source.data)
    rules = data.get("choose")
    data["choose"] = list(rules) if isinstance(rules, list) and rules else [{"because": OPAQUE, "flow": OPAQUE}]
    instead = {"numbers": [], "languages": sorted(project.prompts) or ["en"], "otherwise": OPAQUE}

    def repair(loc: tuple[Any, ...]) -> None:
        if loc[0] == "choose" and len(loc) > 1:
            rule = data["choose"][int(loc[1])]
            always = isinstance(rule, dict) and "when" not in rule
            # An index in the list is also a place in the file, so a faulty rule is replaced, not taken out.
            data["choose"][int(loc[1])] = {"because": OPAQUE, "flow": OPAQUE} | (
                {} if always else {"when": "line.open"}
            )
        elif loc[0] in instead:
            data[loc[0]] = instead[loc[0]]
        elif loc[0] == "manner":
            data.pop("manner", None)
        else:
            _drop(data, loc)

    line = _until_it_fits(Line, data, repair)
    if line is None:
        project.unread = True
        return
    project.lines[name] = (source, line)


def _drop(data: dict[str, Any], loc: tuple[Any, ...]) -> None:
    """Leaves out one entry of a group where the fault is in one, else the whole word."""
    inner = data.get(loc[0])
    if isinstance(inner, dict) and len(loc) > 1 and loc[1] in inner:
        data[loc[0]] = {key: value for key, value in inner.items() if key != loc[1]}
    else:
        data.pop(loc[0], None)


def _until_it_fits(model: type[T], data: dict[str, Any], repair: Callable[[tuple[Any, ...]], None]) -> T | None:
    for _ in range(20):
        try:
            fitting: T = model.model_validate(data)  # type: ignore[attr-defined]  # Flow or Line
            return fitting
        except ValidationError as error:
            for loc in dict.fromkeys(fault["loc"][:2] for fault in error.errors(include_url=False)):
                if loc:
                    repair(loc)
    return None


def _opaque_values(project: Project) -> None:
    """Values that a step would make if it could be read."""
    said, found = dict(project.names["said"].fields), dict(project.names["found"].fields)
    for steps in project.opaque_steps.values():
        for name, data in steps.items():
            kept = data.get("save_as", name) if isinstance(data, dict) else name
            said.setdefault(str(kept), ANY)
            found.setdefault(str(kept), ANY)
    for (_, name), _, step in project.places():
        if isinstance(step, Lookup) and step.lookup not in project.part.sources:
            found.setdefault(step.save_as or name, ANY)
    project.names["said"] = Field("record", fields=said)
    project.names["found"] = Field("record", fields=found)


def mentioned(project: Project, place: Place) -> set[Place]:
    """Where a step that could not be read may lead: every name in it that is a destination."""
    data = project.opaque_steps.get(place[0], {}).get(place[1])
    found = (project.resolve(place[0], word) for word in _texts(data))
    return {target for target in found if target is not None}


def _texts(data: Any) -> Iterator[str]:
    if isinstance(data, str):
        yield data
    for inner in data.values() if isinstance(data, dict) else data if isinstance(data, list) else ():
        yield from _texts(inner)


class Report:
    """Collects problems; a code's level is the catalogue's."""

    def __init__(self, level_of: Callable[[str], Any]) -> None:
        self.problems: list[Problem] = []
        self._level_of = level_of

    def add(
        self, source: Source | None, path: Path, code: str, message: str, hint: str = "", *, key: bool = False
    ) -> None:
        """A problem at `path` of `source`."""
        where = source or Source("config.yaml", {})
        self.problems.append(where.problem(path, code, message, hint, key=key, level=self._level_of(code)))
