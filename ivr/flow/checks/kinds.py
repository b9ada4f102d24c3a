"""Kinds of values: what is compared, calculated, spoken, handed over and remembered fits its kind."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import get_args

from jinja2 import nodes

from ivr.flow import spoken
from ivr.flow.bundle import KINDS_OF_ASK, Place
from ivr.flow.checks.project import Project, Report
from ivr.flow.checks.uses import Use, uses
from ivr.flow.expressions import FILTERS, name_path
from ivr.flow.model import Ask, Lookup, Menu, Pick, Step
from ivr.flow.names import in_prompts
from ivr.kinds import Kind
from ivr.problems import did_you_mean
from ivr.source import Path

Complain = Callable[[str, str], None]

NUMBERS = ("number", "money")
WORDY = ("text", "phone", "date", "time")
ORDERED = (*NUMBERS, *WORDY)
SAID: Mapping[str, str] = {
    "flag": "yes or no",
    "money": "an amount of money",
    "number": "a number",
    "text": "text",
    "date": "a date",
    "time": "a time",
    "phone": "a phone number",
    "list": "a list",
    "record": "a group of values",
}


def check(project: Project, report: Report) -> None:
    """Every expression, every `give:` and `remember:`, and names that would have two kinds."""
    for use in uses(project):
        _use(project, report, use)
    _two_kinds(project, report)
    for source, flow in project.flows.values():
        for name, kind in flow.takes.items():
            if kind not in get_args(Kind):
                hint = did_you_mean(kind, get_args(Kind))
                report.add(source, ("takes", name), "unknown-kind", f"'{kind}' is not a kind of value", hint)


def kind_of(project: Project, node: nodes.Node, use: Use | None = None) -> str:
    """The kind of an expression's value; `any` where it could be anything."""
    return _Kinds(project, use, lambda code, message: None).of(node)


class _Kinds:
    """Works out kinds and complains on the way."""

    def __init__(self, project: Project, use: Use | None, complain: Complain) -> None:
        self.project, self.use, self.complain = project, use, complain

    def of(self, node: nodes.Node) -> str:
        path = name_path(node)
        if path is not None:
            return self._name(path)
        match node:
            case nodes.Const():
                return _constant(node.value)
            case nodes.Compare():
                self._compare(node)
                return "flag"
            case nodes.And() | nodes.Or():
                self.of(node.left)
                self.of(node.right)
                return "flag"
            case nodes.Not() | nodes.Test():
                self.of(node.node)
                return "flag"
            case nodes.Filter() if node.node is not None:
                return self._filter(node, node.node)
            case nodes.BinExpr():
                return self._arithmetic(node)
            case nodes.Neg():
                self._number(node.node)
                return "number"
            case nodes.List() | nodes.Tuple():
                return "list"
        return "any"

    def _name(self, path: tuple[str, ...]) -> str:
        if path[0] == "given" and len(path) > 1:
            flow = self.project.flows.get(self.use.place[0]) if self.use and self.use.place else None
            return flow[1].takes.get(path[1], "any") if flow else "any"
        if self.use is not None and self.use.where == "prompt" and path[0] in in_prompts():
            return in_prompts()[path[0]].kind
        found = self.project.field(path)
        return found.kind if found is not None else "any"

    def _compare(self, node: nodes.Compare) -> None:
        other = node.ops[0]
        left, right = self.of(node.expr), self.of(other.expr)
        if "any" in (left, right):
            return
        if other.op in ("in", "notin"):
            self._contains(node.expr, left, other.expr, right)
        elif not alike(left, right):
            self.complain("kind-mismatch", f"{_shown(node.expr, left)} is compared with {_shown(other.expr, right)}")
        elif other.op not in ("eq", "ne") and left not in ORDERED:
            self.complain(
                "kind-mismatch",
                f"{_shown(node.expr, left)} has no order; only numbers, money, dates, times and text do",
            )

    def _contains(self, item: nodes.Node, left: str, where: nodes.Node, right: str) -> None:
        if right == "list":
            for each in where.items if isinstance(where, (nodes.List, nodes.Tuple)) else ():
                kind = self.of(each)
                if "any" not in (left, kind) and not alike(left, kind):
                    self.complain(
                        "kind-mismatch", f"{_shown(item, left)} is looked for among values like {_shown(each, kind)}"
                    )
                    return
        elif right not in WORDY or left not in WORDY:
            self.complain("kind-mismatch", f"{_shown(item, left)} cannot be 'in' {_shown(where, right)}")

    def _filter(self, node: nodes.Filter, inner: nodes.Node) -> str:
        kind = self.of(inner)
        if node.name == "default" and node.args:
            other = self.of(node.args[0])
            if "any" not in (kind, other) and not alike(kind, other):
                self.complain(
                    "kind-mismatch", f"{_shown(inner, kind)} has {_shown(node.args[0], other)} as its default"
                )
            return kind if kind != "any" else other
        if node.name == "round":
            self._number(inner)
            return kind
        takes, gives, _ = FILTERS.get(node.name, ("any", "any", None))
        fits = takes == "any" or kind == "any" or alike(kind, takes)
        if not fits:
            self.complain(
                "kind-mismatch",
                f"the filter '{node.name}' is for {SAID.get(takes, takes)}, and {_shown(inner, kind)} is not",
            )
        return kind if gives == "same" else gives

    def _number(self, node: nodes.Node) -> None:
        kind = self.of(node)
        if kind not in (*NUMBERS, "any"):
            self.complain("kind-mismatch", f"{_shown(node, kind)} cannot be calculated with")

    def _arithmetic(self, node: nodes.BinExpr) -> str:
        self._number(node.left)
        self._number(node.right)
        kinds = {self.of(node.left), self.of(node.right)}
        return (
            "money"
            if kinds == {"money"} and isinstance(node, (nodes.Add, nodes.Sub)) or kinds == {"money", "number"}
            else "number"
        )


def _constant(value: object) -> str:
    if isinstance(value, bool):
        return "flag"
    if isinstance(value, (int, float)):
        return "number"
    return "constant" if isinstance(value, str) else "any"


def alike(one: str, other: str) -> bool:
    """Kinds that may be compared. Words in quotes may be text, a date, a time or a phone number."""
    if one == other or "any" in (one, other):
        return True
    kinds = {one, other}
    if "constant" in kinds:
        return kinds - {"constant"} <= set(WORDY)
    return kinds <= set(NUMBERS) or kinds == {"text", "phone"}


def _shown(node: nodes.Node, kind: str) -> str:
    path = name_path(node)
    what = SAID.get(kind, "text" if kind == "constant" else kind)
    if path is not None:
        return f"'{'.'.join(path)}' ({what})"
    if isinstance(node, nodes.Const):
        return f"'{node.value}' ({what})"
    return what


def _use(project: Project, report: Report, use: Use) -> None:
    complaints: dict[tuple[str, str], None] = {}
    kind = _Kinds(project, use, lambda code, message: complaints.setdefault((code, message))).of(use.expression.tree)
    for code, message in complaints:
        report.add(use.source, use.path, code, message, "compare like with like; '| int' makes a number of digits")
    if use.what == "condition" and kind not in ("flag", "any") and not complaints:
        message = f"this is {SAID.get(kind, 'text')}, which neither holds nor fails"
        report.add(use.source, use.path, "not-a-condition", message, "compare it, as in '> 0', or write 'is known'")
    if use.what == "list" and kind not in ("list", "any"):
        report.add(
            use.source,
            use.path,
            "kind-mismatch",
            f"'pick:' needs a list, and this is {SAID.get(kind, kind)}",
            "name a list that was looked up",
        )
    if use.what == "count" and kind not in (*NUMBERS, "any"):
        report.add(
            use.source, use.path, "kind-mismatch", f"'count:' needs a number, and this is {SAID.get(kind, kind)}"
        )
    if use.what == "spoken" and use.how is not None:
        takes = spoken.TAKES[use.how]
        if kind not in (*takes, "any", "constant"):
            fitting = [name for name, kinds in spoken.TAKES.items() if kind in kinds]
            hint = f"use '| {fitting[0]}'" if fitting else "leave the filter out"
            message = f"'| {use.how}' speaks {SAID[takes[0]]}, and {_shown(use.expression.tree, kind)} is not"
            report.add(use.source, use.path, "kind-mismatch", message, hint)
    if use.what == "spoken" and kind == "record":
        message = f"{_shown(use.expression.tree, kind)} cannot be spoken as it is"
        report.add(use.source, use.path, "kind-mismatch", message, "name one of its values")


def _two_kinds(project: Project, report: Report) -> None:
    """One name has one kind in a bundle: a condition elsewhere must know what it is."""
    first: dict[tuple[str, str], tuple[str, Place]] = {}
    for place, source, step in project.places():
        made = _makes(place, step)
        if made is None:
            continue
        root, name, kind = made
        before = first.setdefault((root, name), (kind, place))
        if before[0] != kind:
            message = (
                f"'{root}.{name}' is {_kind_named(kind)} here and {_kind_named(before[0])} at '{'.'.join(before[1])}'"
            )
            path: Path = (
                ("steps", place[1], "save_as")
                if ("steps", place[1], "save_as") in source.marks
                else ("steps", place[1])
            )
            report.add(
                source,
                path,
                "two-kinds",
                message,
                "save one of them under another name with 'save_as:'",
                key=len(path) == 2,
            )


def _kind_named(kind: str) -> str:
    return SAID.get(kind, kind)


def _makes(place: Place, step: Step) -> tuple[str, str, str] | None:
    match step:
        case Menu():
            return "said", step.save_as, "text"
        case Ask():
            return "said", step.save_as or place[1], str(KINDS_OF_ASK[step.kind])
        case Pick():
            return "said", step.save_as or place[1], "one of a list"
        case Lookup():
            return "found", step.save_as or place[1], f"from '{step.lookup}'"
    return None
