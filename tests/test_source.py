"""YAML means what was typed, every fault has its place, and no text whatever breaks the reader."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivr.source import MAX_BYTES, load

pieces = st.sampled_from(
    [
        "a",
        ":",
        " ",
        "\n",
        "  ",
        "- ",
        "[",
        "]",
        "{",
        "}",
        "&x",
        "*x",
        "!t",
        "'",
        '"',
        "#",
        "|",
        ">",
        "---",
        "\t",
        "?",
        "é",
        "\x00",
        "%",
        "@",
        "\u2028",
    ]
)


@given(st.text() | st.lists(pieces, max_size=40).map("".join) | st.binary(), st.booleans())
def test_no_text_whatever_breaks_the_reader(text, words):
    sources, problems = load("f.yaml", text, words=words)
    lines = (text.count("\n") if isinstance(text, str) else text.count(b"\n")) + 3 + (len(text.splitlines()))
    for problem in problems:
        assert problem.message and 1 <= problem.where.line <= lines and problem.where.column >= 1
    for source in sources:
        assert only_text(source.data)


def only_text(data: object) -> bool:
    if isinstance(data, dict):
        return all(isinstance(key, str) and only_text(value) for key, value in data.items())
    return all(map(only_text, data)) if isinstance(data, list) else isinstance(data, str)


@pytest.mark.parametrize(
    "typed",
    [
        "+15550001111",
        "07302",
        "22:30",
        "no",
        "012",
        "1e3",
        "0x1F",
        "2026-03-10",
        "yes",
        "null",
        "~",
        "1_000",
        "08:00-20:00",
        ".5",
    ],
)
def test_every_value_stays_what_was_typed(typed):
    (source,), problems = load("f.yaml", f"key: {typed}\nlist: [{typed}]\n")
    assert (source.data, problems) == ({"key": typed, "list": [typed]}, [])


@given(st.text(st.characters(blacklist_categories=("Cs", "Cc")), max_size=40))
def test_quoted_text_comes_back_as_it_is(text):
    quoted = text.replace("\\", "\\\\").replace('"', '\\"')
    (source,), problems = load("f.yaml", f'key: "{quoted}"', words=True)
    assert (source.data["key"], problems) == (text, []) or "\u2028" in text or "\u2029" in text or "\ufeff" in text


@pytest.mark.parametrize(
    ("text", "code", "line"),
    [
        ("a: 1\nb: 2\na: 3\n", "yaml-duplicate", 3),
        ("a: &x 1\nb: *x\n", "yaml-alias", 2),
        ("a: {b: , c: 1}\n", "yaml-empty", 1),
        ("a: 1\nb:\n", "yaml-empty", 2),
        ("a: !!binary x\n", "yaml-tag", 1),
        ("a: !mine x\n", "yaml-tag", 1),
        ("a: 1\nb: [1\n", "yaml-syntax", 3),
        ("a: 1\n\tb: 2\n", "yaml-syntax", 2),
        ("[a, b]: 1\n", "yaml-key", 1),
        ("a: \x00\n", "yaml-encoding", 1),
        ("a: " + "[" * 60 + "]" * 60, "yaml-too-large", 1),
        ("a: " + "x" * MAX_BYTES, "yaml-too-large", 1),
    ],
)  # fmt: skip
def test_each_trap_is_a_problem_at_its_place(text, code, line):
    _, problems = load("f.yaml", text)
    assert [(problem.code, problem.where.line) for problem in problems][:1] == [(code, line)]
    assert problems[0].hint


def test_bytes_that_are_no_utf_8_are_a_problem_in_their_line():
    _, problems = load("f.yaml", b"a: 1\nb: \xff\xfe\n")
    assert [(problem.code, problem.where.line) for problem in problems] == [("yaml-encoding", 2)]


def test_in_spoken_words_a_comment_that_cuts_a_sentence_is_an_error_and_one_set_apart_is_not():
    assert [problem.code for problem in load("p.yaml", "a: press # to finish\n", words=True)[1]] == ["yaml-comment"]
    assert load("p.yaml", "a: hello   # a note\n", words=True)[1] == []
    assert load("p.yaml", 'a: "press # to finish"\n', words=True)[1] == []
    assert load("f.yaml", "a: hello # a note\n")[1] == []


def test_keys_and_values_know_where_they_stand():
    (source,), _ = load("f.yaml", "a:\n  b: [x, y]\n")
    assert source.where(("a", "b"), key=True)[1:] == (2, 3)
    assert source.where(("a", "b", 1))[1:] == (2, 10)
    assert source.where(("a", "b", 9, "z"))[1:] == (2, 3)  # the nearest thing around it


def test_several_documents_are_several_sources():
    sources, _ = load("f.yaml", "a: 1\n---\nb: 2\n")
    assert [source.data for source in sources] == [{"a": "1"}, {"b": "2"}]
    assert sources[1].where(("b",), key=True).line == 3
