"""Conditions: three-valued, bounded, and blind to everything that is Python."""

from __future__ import annotations

import time
from contextlib import suppress
from itertools import product

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ivr.flow.expressions import MAX_LENGTH, Expression, ExpressionError, compile_expression, condition_filters

VALUES = (True, False, None)


def value(text: str, **names):
    return compile_expression(text).holds(lambda path: names.get(".".join(path)))


@pytest.mark.parametrize(("a", "b"), list(product(VALUES, VALUES)))
def test_and_or_and_not_follow_kleene(a, b):
    both = False if False in (a, b) else None if None in (a, b) else True
    either = True if True in (a, b) else None if None in (a, b) else False
    assert value("a and b", a=a, b=b) is both
    assert value("a or b", a=a, b=b) is either
    assert value("not a", a=a) is (None if a is None else not a)


@pytest.mark.parametrize(("a", "b"), list(product(VALUES, VALUES)))
def test_de_morgan_holds_also_for_what_is_not_known(a, b):
    assert value("not (a and b)", a=a, b=b) is value("not a or not b", a=a, b=b)
    assert value("not (a or b)", a=a, b=b) is value("not a and not b", a=a, b=b)


logic = st.recursive(
    st.sampled_from(["a", "b", "c"]),
    lambda inner: st.one_of(
        inner.map(lambda x: f"not ({x})"), st.tuples(inner, inner).map(lambda p: f"({p[0]}) and ({p[1]})"),
        st.tuples(inner, inner).map(lambda p: f"({p[0]}) or ({p[1]})"),
    ),
    max_leaves=8,
)  # fmt: skip


@given(logic, st.tuples(*[st.sampled_from(VALUES)] * 3))
def test_learning_more_never_turns_an_answer_round(text, known):
    """Kleene's logic is monotone: what holds without knowing something holds whatever that is."""
    names = dict(zip("abc", known, strict=True))
    before = value(text, **names)
    if before is not None:
        for filled in product(*[(each,) if each is not None else (True, False) for each in known]):
            assert value(text, **dict(zip("abc", filled, strict=True))) is before


@pytest.mark.parametrize("operator", ["==", "!=", "<", "<=", ">", ">=", "in", "not in"])
def test_a_comparison_with_something_not_known_and_its_not_are_not_known(operator):
    assert value(f"a {operator} 1") is None
    assert value(f"1 {operator} a") is None
    assert value(f"not (a {operator} 1)") is None


def test_is_known_and_default_are_the_ways_out():
    assert value("a is known") is False
    assert value("a is not known") is True
    assert value("a is known", a=0) is True
    assert value("a | default(3) == 3") is True
    assert value("a | default(3) == 3", a=4) is False
    assert value("(a | default(false)) or b", b=True) is True


def test_kinds_that_do_not_compare_are_not_known_and_never_an_error():
    assert value("a < b", a=1, b="x") is None
    assert value("a in b", a=1, b=2) is None
    assert value("a + b > 0", a="x", b=1) is None
    assert value("a / b > 0", a=1, b=0) is None


def test_text_that_is_typed_is_found_in_text():
    assert value('"a" in b', b="cat") is True
    assert value('a in ["x", "y"]', a="y") is True
    assert value('a not in ["x", "y"]', a="y") is False


def test_dates_and_times_compare_as_they_stand():
    assert value("a < b", a="2026-03-09", b="2026-03-10") is True
    assert value("a | month == 3 and a | year == 2026", a="2026-03-09") is True


class Trap:
    """A value that notices when anything reads an attribute of it."""

    def __getattribute__(self, name):
        if name in ("__class__", "__bool__", "__len__"):
            return object.__getattribute__(self, name)
        raise AssertionError(f"{name} was read")


@pytest.mark.parametrize(
    "name",
    ["__class__", "__init__", "__globals__", "format", "mro", "__subclasses__", "items", "keys", "_private", "upper"],
)
def test_a_dot_looks_up_data_and_never_an_attribute(name):
    asked = []
    expression = compile_expression(f"caller.{name} is known or caller.{name}.{name} == 1")
    assert expression.holds(lambda path: asked.append(path)) is None
    assert set(asked) == {("caller", name), ("caller", name, name)}
    assert compile_expression(f"caller.{name} is known").holds(lambda path: Trap()) is True


@pytest.mark.parametrize(
    "text",
    [
        "f(x)", "x.upper()", "''.__class__", "[].append", "x ** 9", "x[0]", "x[1:2]", "x if y else z", "x ~ y", "{'a': 1}", "x | map('upper')",
        "x | attr('y')", "x is defined", "x is callable", "1 < x < 3", "{{ x }}", "x }}{{ y", "{% if x %}", "", "  ", "x y", "lambda: 1", "x; y",
        "x | round('a')", "x | round(99)", "x | int(3)", "x | default", "x // 2", "x % 2", "x is known(1)", "'a' * 3 | frobnicate",
    ],
)  # fmt: skip
def test_what_is_not_in_the_language_is_refused_in_words(text):
    with pytest.raises(ExpressionError) as refused:
        compile_expression(text)
    assert str(refused.value)


@pytest.mark.parametrize(
    "text",
    [
        "x" * (MAX_LENGTH + 1), "(" * 490 + "x" + ")" * 490, "not " * 240 + "x", "-" * 990 + "1", "x" + ".a" * 490, "x" + "|abs" * 240,
        " and ".join(["x"] * 120), "[" * 400 + "]" * 400, "9" * 990, "1e999 * 1e999", "x" + "['a']" * 190,
    ],
)  # fmt: skip
def test_what_is_huge_is_refused_or_quickly_done(text):
    began = time.process_time()
    with suppress(ExpressionError):
        compile_expression(text).evaluate(lambda path: None)
    assert time.process_time() - began < 1.0


pieces = st.sampled_from(
    ["x", "a.b", "1", "2.5", "'t'", "not", "and", "or", "(", ")", "[", "]", "==", "<", "in", "|", "int", "abs", "first", "round", "default(1)",
     "is", "known", "+", "-", "*", "/", ",", ".", "lower", "month", "length", "1e400", "true", "none", "{", "~"]
)  # fmt: skip
anything = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=10),
    st.lists(st.integers(), max_size=3),
    st.just("2026-03-10"),
)


@given(st.lists(pieces, max_size=12).map(" ".join) | st.text(max_size=60), anything, anything)
@example("x | round", float("inf"), None)
@example("x | round", float("nan"), None)
@example("x / a.b", 10**400, 3)
@example("-x | int", float("inf"), None)
def test_whatever_is_written_is_refused_or_evaluates(text, x, b):
    try:
        expression = compile_expression(text)
    except ExpressionError:
        return
    assert isinstance(expression, Expression)
    expression.holds(lambda path: x if path == ("x",) else b)


@given(anything)
@pytest.mark.parametrize("name", [name for name in condition_filters() if name != "default"])
def test_every_filter_takes_every_value(name, given_):
    compile_expression(f"x | {name}").evaluate(lambda path: given_)


def test_an_expression_names_everything_it_looks_up():
    names = compile_expression("a.b > 1 and (c | default(d.e)) in [f, 2] or not g is known").names
    assert set(names) == {("a", "b"), ("c",), ("d", "e"), ("f",), ("g",)}
