"""What a condition tells us about what is known: the part of three-valued logic that the checks reason with."""

from __future__ import annotations

from jinja2 import nodes

from ivr.flow.expressions import Expression, name_path, tests_known

Name = tuple[str, ...]
NOTHING: frozenset[Name] = frozenset()


def needed(node: nodes.Node) -> frozenset[Name]:
    """Names without which the value of `node` is not known."""
    path = name_path(node)
    if path is not None:
        return frozenset({path})
    match node:
        case nodes.Test():
            return NOTHING
        case nodes.Filter() if node.name == "default" and node.args:
            return needed(node.args[0]) & (needed(node.node) if node.node else NOTHING)
        case nodes.And() | nodes.Or():
            return needed(node.left) & needed(node.right)
        case nodes.List() | nodes.Tuple():
            return NOTHING
        case _:
            return frozenset().union(*(needed(child) for child in node.iter_child_nodes()))


def known_if_holds(node: nodes.Node | None) -> frozenset[Name]:
    """Names that are known wherever the condition holds."""
    match node:
        case None:
            return NOTHING
        case nodes.And():
            return known_if_holds(node.left) | known_if_holds(node.right)
        case nodes.Or():
            return known_if_holds(node.left) & known_if_holds(node.right)
        case nodes.Not():
            return known_if_false(node.node)
        case nodes.Test() if tests_known(node):
            return needed(node.node)
        case _:
            return needed(node)


def known_if_false(node: nodes.Node) -> frozenset[Name]:
    """Names that are known wherever the condition is false (not merely not known)."""
    match node:
        case nodes.And():
            return known_if_false(node.left) & known_if_false(node.right)
        case nodes.Or():
            return known_if_false(node.left) | known_if_false(node.right)
        case nodes.Not():
            return known_if_holds(node.node)
        case nodes.Test():
            return NOTHING
        case _:
            return needed(node)


def known_if_passed_over(node: nodes.Node | None) -> frozenset[Name]:
    """Names that are known wherever the condition does not hold, be it false or not known."""
    match node:
        case nodes.Or():
            return known_if_passed_over(node.left) | known_if_passed_over(node.right)
        case nodes.And():
            return known_if_passed_over(node.left) & known_if_passed_over(node.right)
        case nodes.Not() if tests_known(node.node):
            return known_if_holds(node.node)
        case _:
            return NOTHING


def implies(one: nodes.Node, other: nodes.Node) -> bool:
    """Whether `other` surely holds wherever `one` does, as far as can be seen from how the two are written."""
    if one == other:
        return True
    if isinstance(other, nodes.And):
        return implies(one, other.left) and implies(one, other.right)
    if isinstance(one, nodes.Or):
        return implies(one.left, other) and implies(one.right, other)
    return (isinstance(other, nodes.Or) and (implies(one, other.left) or implies(one, other.right))) or (
        isinstance(one, nodes.And) and (implies(one.left, other) or implies(one.right, other))
    )


def level_if_holds(expression: Expression | None) -> str | None:
    """`verified` for a condition that holds only where `call.known == "verified"`, and so on."""
    return None if expression is None else _level(expression.tree)


def _level(node: nodes.Node) -> str | None:
    if isinstance(node, nodes.And):
        return _level(node.left) or _level(node.right)
    if isinstance(node, nodes.Compare) and len(node.ops) == 1 and node.ops[0].op == "eq":
        sides = (node.expr, node.ops[0].expr)
        for one, other in (sides, sides[::-1]):
            if name_path(one) == ("call", "known") and isinstance(other, nodes.Const) and isinstance(other.value, str):
                return other.value
    return None
