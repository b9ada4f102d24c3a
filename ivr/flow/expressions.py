"""Conditions: Jinja's syntax, our own small three-valued evaluator.

    account.overdue > 0 and caller.prefers.language is known

Jinja's parser gives the tree; only what is listed here may stand in it. A name looks up data, never a Python attribute.
Evaluation knows three values: true, false and None, *not known*. A comparison with something not known, and its `not`,
is not known; `or` is true if either side is true; `and` is false if either side is false (Kleene's strong logic).
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from itertools import islice
from typing import Any

from jinja2 import Environment, TemplateSyntaxError, nodes

Lookup = Callable[[tuple[str, ...]], Any]
"""Gives the value of a dotted name, or None where it is not known (or may not be used at this caller's level)."""

MAX_LENGTH = 1000
MAX_NODES = 100

_environment = Environment(autoescape=False)  # noqa: S701  # nothing is rendered by it, it only parses


class ExpressionError(ValueError):
    """This condition cannot be used; the message is for the designer."""


Evaluate = Callable[[Lookup], Any]


@dataclass(frozen=True, slots=True, eq=False)
class Expression:
    """A compiled condition or spoken value: its `text`, every name in it, its tree (for the checks), and its value."""

    text: str
    names: tuple[tuple[str, ...], ...]
    tree: nodes.Node
    evaluate: Evaluate

    def holds(self, lookup: Lookup) -> bool | None:
        """True, False, or None where something that decides it is not known."""
        value = self.evaluate(lookup)
        return None if value is None else bool(value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Expression) and other.text == self.text

    def __hash__(self) -> int:
        return hash(self.text)


def compile_expression(text: str) -> Expression:
    """`text` as an Expression; raises ExpressionError with what is wrong."""
    if len(text) > MAX_LENGTH:
        raise ExpressionError(f"this is longer than {MAX_LENGTH} characters")
    if "{{" in text or "{%" in text:
        raise ExpressionError("braces stand only inside spoken words; write the condition without them")
    try:
        template = _environment.parse("{{ (" + text + ") }}")
    except TemplateSyntaxError as error:
        raise ExpressionError(f"this cannot be read: {error.message}") from None
    except RecursionError:
        raise ExpressionError("this is nested too deep") from None
    output = template.body[0] if len(template.body) == 1 else None
    if not text.strip() or not isinstance(output, nodes.Output) or len(output.nodes) != 1:
        raise ExpressionError("this is not one condition")
    return from_tree(text, output.nodes[0])


def _within(tree: nodes.Node) -> Iterator[nodes.Node]:
    """Every node below `tree`, without recursion: a wording may be nested deeper than the interpreter allows."""
    left = [tree]
    while left:
        for child in left.pop().iter_child_nodes():
            yield child
            left.append(child)


def from_tree(text: str, tree: nodes.Node) -> Expression:
    """An Expression from a tree that Jinja parsed (a spoken wording holds several)."""
    if sum(1 for _ in islice(_within(tree), MAX_NODES + 1)) > MAX_NODES:
        raise ExpressionError("this condition is too long; split it over several rules")
    names: list[tuple[str, ...]] = []
    evaluate = _compile(tree, names)
    return Expression(text, tuple(dict.fromkeys(names)), tree, evaluate)


def name_path(node: nodes.Node) -> tuple[str, ...] | None:
    """`caller.tags.bereavement` as a tuple, or None where `node` is no dotted name."""
    parts: list[str] = []
    while isinstance(node, nodes.Getattr):
        parts.append(node.attr)
        node = node.node
    if isinstance(node, nodes.Getitem) and isinstance(node.arg, nodes.Const) and isinstance(node.arg.value, str):
        inner = name_path(node.node)
        return None if inner is None else (*inner, node.arg.value, *reversed(parts))
    if not isinstance(node, nodes.Name):
        return None
    return (node.name, *reversed(parts))


def tests_known(node: nodes.Node) -> bool:
    """Whether `node` is `x is known`, in which a name may be unset without harm."""
    return isinstance(node, nodes.Test) and node.name == "known"


def _compile(node: nodes.Node, names: list[tuple[str, ...]]) -> Evaluate:
    path = name_path(node)
    if path is not None:
        names.append(path)
        return lambda lookup: lookup(path)
    match node:
        case nodes.Const() | nodes.TemplateData():
            constant = node.value if isinstance(node, nodes.Const) else node.data
            return lambda lookup: constant
        case nodes.And() | nodes.Or():
            return _logic(node, names)
        case nodes.Not():
            inner = _compile(node.node, names)
            return lambda lookup: None if (value := inner(lookup)) is None else not value
        case nodes.Compare():
            return _comparison(node, names)
        case nodes.Test():
            return _test(node, names)
        case nodes.Filter():
            return _filter(node, names)
        case nodes.Add() | nodes.Sub() | nodes.Mul() | nodes.Div():
            return _arithmetic(node, names)
        case nodes.Neg():
            inner = _compile(node.node, names)
            return lambda lookup: -value if isinstance(value := inner(lookup), (int, float)) else None
        case nodes.List() | nodes.Tuple():
            items = [_compile(item, names) for item in node.items]
            return lambda lookup: [item(lookup) for item in items]
    raise ExpressionError(_refusal(node))


def _refusal(node: nodes.Node) -> str:
    if isinstance(node, nodes.Call):
        return "calls such as f(x) are not allowed; use a filter: x | f"
    if isinstance(node, nodes.Pow):
        return "powers (**) are not allowed"
    return f"{type(node).__name__.lower()} is not allowed in a condition"


def _logic(node: nodes.And | nodes.Or, names: list[tuple[str, ...]]) -> Evaluate:
    left, right = _compile(node.left, names), _compile(node.right, names)
    decisive = isinstance(node, nodes.Or)

    def evaluate(lookup: Lookup) -> bool | None:
        first = left(lookup)
        if first is not None and bool(first) is decisive:
            return decisive
        second = right(lookup)
        if second is not None and bool(second) is decisive:
            return decisive
        return None if first is None or second is None else not decisive

    return evaluate


def _in(left: Any, right: Any) -> bool:
    if isinstance(right, str):
        return isinstance(left, str) and left in right
    return left in right


_OPERATORS: Mapping[str, Callable[[Any, Any], bool]] = {
    "eq": operator.eq,
    "ne": operator.ne,
    "lt": operator.lt,
    "lteq": operator.le,
    "gt": operator.gt,
    "gteq": operator.ge,
    "in": _in,
    "notin": lambda left, right: not _in(left, right),
}


def _comparison(node: nodes.Compare, names: list[tuple[str, ...]]) -> Evaluate:
    if len(node.ops) != 1:
        raise ExpressionError("compare two things at a time, joined by 'and'")
    left, right = _compile(node.expr, names), _compile(node.ops[0].expr, names)
    compare = _OPERATORS[node.ops[0].op]

    def evaluate(lookup: Lookup) -> bool | None:
        first, second = left(lookup), right(lookup)
        if first is None or second is None:
            return None
        try:
            return compare(first, second)
        except TypeError:
            return None

    return evaluate


def _test(node: nodes.Test, names: list[tuple[str, ...]]) -> Evaluate:
    if node.name != "known" or node.args or node.kwargs:
        raise ExpressionError(f"'is {node.name}' is not a test here; there is only 'is known' and 'is not known'")
    inner = _compile(node.node, names)
    return lambda lookup: inner(lookup) is not None


def _arithmetic(node: nodes.BinExpr, names: list[tuple[str, ...]]) -> Evaluate:
    left, right = _compile(node.left, names), _compile(node.right, names)
    operate = {"+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv}[node.operator]

    def evaluate(lookup: Lookup) -> float | int | None:
        first, second = left(lookup), right(lookup)
        if not isinstance(first, (int, float)) or not isinstance(second, (int, float)):
            return None
        try:
            value: float | int = round(operate(first, second), 6)
        except (ZeroDivisionError, OverflowError):
            return None
        return value

    return evaluate


def _whole(value: Any) -> int | None:
    try:
        return int(float(value)) if len(str(value)) < 20 else None
    except (TypeError, ValueError, OverflowError):
        return None


def _end(value: Any, index: int) -> Any:
    return value[index] if isinstance(value, (list, str)) and value else None


def _date_of(value: Any) -> date | None:
    try:
        return date.fromisoformat(str(value)[:10])
    except ValueError:
        return None


# Name → (kind it takes, kind it gives, function). "same" gives what it took.
FILTERS: Mapping[str, tuple[str, str, Callable[[Any], Any]]] = {
    "int": ("any", "number", _whole),
    "length": ("any", "number", lambda value: len(value) if isinstance(value, (str, list)) else None),
    "lower": ("text", "text", lambda value: str(value).lower()),
    "upper": ("text", "text", lambda value: str(value).upper()),
    "abs": ("number", "same", lambda value: abs(value) if isinstance(value, (int, float)) else None),
    "first": ("any", "any", lambda value: _end(value, 0)),
    "last": ("any", "any", lambda value: _end(value, -1)),
    "month": ("date", "number", lambda value: found.month if (found := _date_of(value)) else None),
    "year": ("date", "number", lambda value: found.year if (found := _date_of(value)) else None),
}


def _filter(node: nodes.Filter, names: list[tuple[str, ...]]) -> Evaluate:
    if node.node is None:
        raise ExpressionError("a filter needs something before the |")
    inner = _compile(node.node, names)
    if node.name == "default":
        if len(node.args) != 1:
            raise ExpressionError("default takes one value: x | default(0)")
        other = _compile(node.args[0], names)
        return lambda lookup: other(lookup) if (value := inner(lookup)) is None else value
    if node.name == "round":
        digits = node.args[0].value if node.args and isinstance(node.args[0], nodes.Const) else 0
        if not isinstance(digits, int) or not 0 <= digits <= 6 or len(node.args) > 1 or node.kwargs:
            raise ExpressionError("round takes a number of decimals, 0 to 6: x | round(2)")
        return lambda lookup: round(value, digits) if isinstance(value := inner(lookup), (int, float)) else None
    if node.name not in FILTERS:
        raise ExpressionError(f"unknown filter '{node.name}'")
    if node.args or node.kwargs:
        raise ExpressionError(f"the filter '{node.name}' takes nothing in brackets")
    apply = FILTERS[node.name][2]
    return lambda lookup: None if (value := inner(lookup)) is None else apply(value)


def condition_filters() -> Iterable[str]:
    """Every filter a condition may use."""
    return sorted((*FILTERS, "default", "round"))
