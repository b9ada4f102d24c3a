"""Wordings: chosen by manner, escaped whatever is in them, spoken as the language speaks."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivr.flow import spoken
from ivr.flow.expressions import ExpressionError
from ivr.flow.prompts import compile_wording, read_prompt, render
from ivr.source import load

anything = st.one_of(
    st.text(),
    st.integers(),
    st.floats(),
    st.booleans(),
    st.lists(st.text(max_size=10), max_size=4),
    st.dictionaries(st.text(), st.text(), max_size=2),
)


def prompt(text: str, language: str = "en"):
    (source,), problems = load("prompts/en/p.yaml", text, words=True)
    ((name, data),) = source.data.items()
    made, wrong = read_prompt(source, name, language, data)
    assert made is not None and not problems, [*problems, *wrong]
    return made


def said(text: str, *manner: str, language: str = "en", **names):
    rendered = render(prompt(text, language), lambda path: names.get(".".join(path)), manner, "USD")
    return rendered and rendered.ssml


@given(
    anything,
    st.sampled_from([None, *spoken.FILTERS]),
    st.sampled_from(["en", "es", "fr", "de", "xx", "zh-Hant-TW", "not a language"]),
)
def test_whatever_comes_from_outside_is_safe_inside_a_say(value, how, language):
    words = spoken.speak(value, how, language, "USD")
    (element,) = ElementTree.fromstring(f"<R><Say>{words}</Say></R>")
    assert not [child for child in element if child.tag != "say-as"]


@given(st.text())
def test_a_wording_is_refused_or_is_safe_inside_a_say(text):
    try:
        wording = compile_wording(text)
    except ExpressionError:
        return
    words = wording.render(lambda path: "<&>\"'", "en", "USD") or ""
    if words.isprintable():
        ElementTree.fromstring(f"<Say>{words}</Say>")


@pytest.mark.parametrize(
    "text",
    [
        "a < b",
        "<Hangup/>",
        "</Say><Hangup/>",
        "<break",
        "<emphasis>a",
        "a</emphasis>",
        "{% if x %}",
        "{# x #}",
        "{{ x",
        "<p>{{ a }}</p",
        "<prosody><s></prosody></s>",
    ],
)
def test_what_would_break_a_say_is_refused(text):
    with pytest.raises(ExpressionError):
        compile_wording(text)


def test_values_that_look_like_tags_are_words():
    assert said("p: Hello {{ a }}.", a="</Say><Hangup/>") == "Hello &lt;/Say&gt;&lt;Hangup/&gt;."


def test_a_value_is_spoken_only_in_part_if_it_is_very_long():
    assert len(said("p: '{{ a }}'", a="x" * 5000)) == spoken.MAX_VALUE


BOTH = "p: {text: Hello, brisk: Hi, gentle: Good day, without: Well}"


def test_the_first_wording_in_the_callers_manner_that_there_is():
    assert said(BOTH) == "Hello"
    assert said(BOTH, "brisk", "gentle") == "Hi"
    assert said(BOTH, "plain", "gentle") == "Good day"
    assert said(BOTH, "plain") == "Hello"


def test_what_is_not_known_gives_way_to_without_or_to_silence():
    assert said("p: {text: 'Hello {{ a }}', without: Hello}") == "Hello"
    assert said("p: {text: 'Hello {{ a }}', without: Hello}", a="you") == "Hello you"
    assert said("p: 'Hello {{ a }}'") is None
    assert said("p: {text: Hello, brisk: 'Hi {{ a }}', without: Well}", "brisk") == "Well"
    assert said("p: {text: '{{ a | default(\"x\") }}'}") == "x"


def test_plurals_follow_the_language():
    cases = "p: {count: n, one: One case, other: '{{ count }} cases'}"
    assert [said(cases, n=n) for n in (0, 1, 2)] == ["0 cases", "One case", "2 cases"]
    polish = "p: {count: n, one: sprawa, few: sprawy, many: spraw, other: sprawy}"
    assert [said(polish, language="pl", n=n) for n in (1, 3, 5, 22)] == ["sprawa", "sprawy", "spraw", "sprawy"]
    assert said("p: {count: n, one: a, other: b, without: c}") == "c"


@pytest.mark.parametrize(
    ("how", "value", "english", "spanish"),
    [
        ("money", 82.4, "$82.40", "$82.40"),
        ("day", "2026-03-10", "March 10", "10 de marzo"),
        ("time", "18:30", "6:30 PM", "6:30 p.m."),
        ("number", 48120, "48,120", "48,120"),
        (
            "digits",
            "48226",
            '<say-as interpret-as="digits">48226</say-as>',
            '<say-as interpret-as="digits">48226</say-as>',
        ),
        ("list", ["a", "b", "c"], "a, b, and c", "a, b y c"),
    ],
)
def test_values_are_spoken_the_way_the_language_speaks_them(how, value, english, spanish):
    assert said(f"p: '{{{{ a | {how} }}}}'", a=value) == english
    assert said(f"p: '{{{{ a | {how} }}}}'", a=value, language="es") == spanish


def test_a_date_without_a_filter_is_a_day_and_a_value_that_does_not_fit_is_spoken_as_it_stands():
    assert said("p: '{{ a }}'", a="2026-03-10") == "March 10"
    assert said("p: '{{ a | money }}'", a="a lot") == "a lot"
    assert said("p: '{{ a | day }}'", a="soon") == "soon"


@given(st.text(max_size=200), st.text(max_size=50))
def test_more_words_never_take_less_time(text, more):
    one, two = spoken.escape(text), spoken.escape(text) + " and " + spoken.escape(more)
    assert 0 <= spoken.seconds(one) <= spoken.seconds(two) + 0.3


def test_a_pause_takes_its_time():
    assert spoken.seconds('a<break time="2s"/>') == pytest.approx(spoken.seconds("a") + 2, abs=0.1)
