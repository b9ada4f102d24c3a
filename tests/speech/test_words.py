"""What was said, as one of the choices that are open."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivr.engine.options import choices, options_at
from ivr.flow.bundle import Bundle
from ivr.flow.model import Ask, Menu
from ivr.project import read_project
from ivr.speech.words import SURE, normalise, understand

PROJECT = Path(__file__).parents[2]
NONSENSE = {
    "en": [
        "purple monkeys dance",
        "the weather is lovely",
        "how old is your grandmother",
        "seventeen bananas",
        "hmm",
        "la la la la",
    ],
    "es": ["los monos bailan", "qué bonito día hace", "diecisiete plátanos", "mi abuela canta", "la la la la"],
}
AROUND = {
    "en": ["hello {}", "um {} please", "well uh {}", "hi, {}", "{}, please"],
    "es": ["hola {}", "pues {} por favor", "eh {}", "buenas, {}"],
}


@cache
def bundle() -> Bundle:
    made = read_project(PROJECT, {}).bundle
    assert made is not None
    return made


def places() -> Iterator[tuple[str, str, str]]:
    """Every menu and question of the shipped line, in every language."""
    for flow in bundle().flows.values():
        for name, step in flow.steps.items():
            if isinstance(step, (Menu, Ask)):
                for language in bundle().lines["northlight"].languages:
                    yield flow.flow, name, language


def open_at(flow: str, step: str, language: str) -> dict[str, tuple[str, ...]]:
    made = bundle()
    place = (flow, step)
    found = made.step(place)
    phase = "menu" if isinstance(found, Menu) else getattr(found, "kind", "")
    phase = phase if phase in ("menu", "yes_no") else "words" if phase == "words" else "value"
    return choices(made, made.lines["northlight"], language, place, phase, list(options_at(made, place).options))


@pytest.mark.parametrize(("flow", "step", "language"), list(places()))
def test_every_phrase_of_an_option_is_understood_as_itself_where_it_is_open(flow, step, language):
    open_ = open_at(flow, step, language)
    wrong = []
    for name, phrases in open_.items():
        if name.startswith("elsewhere:"):
            continue
        for phrase in phrases:
            for said in (phrase, *(around.format(phrase) for around in AROUND[language])):
                read = understand(said, open_)
                # A phrase of two tiers means the nearer one.
                nearer = [other for other in open_ if phrase in open_[other]]
                if read.choice not in nearer[:1] and read.choice != name:
                    wrong.append((said, name, read))
    assert wrong == []


@pytest.mark.parametrize(("flow", "step", "language"), list(places()))
def test_nonsense_is_not_understood(flow, step, language):
    open_ = open_at(flow, step, language)
    assert [(said, read) for said in NONSENSE[language] if (read := understand(said, open_)).choice] == []


@given(
    st.text(),
    st.dictionaries(
        st.text(max_size=8), st.lists(st.text(max_size=20).map(normalise), max_size=4).map(tuple), max_size=5
    ),
)
def test_nothing_that_is_said_breaks_anything_and_what_is_understood_was_open(said, open_):
    read = understand(said, open_)
    assert read.choice is None or (read.choice in open_ and read.score >= SURE)
    assert 0.0 <= read.score <= 1.0


@given(st.text(max_size=200))
def test_normalising_twice_is_normalising_once(text):
    assert normalise(normalise(text)) == normalise(text)


def test_case_accents_punctuation_and_apostrophes_do_not_matter():
    open_ = {"option:bill": ("cuanto debo", "im moving")}
    for said in ("¿Cuánto debo?", "CUANTO DEBO", "I'm moving!", "I’m moving"):
        assert understand(said, open_).choice == "option:bill", said


def test_two_options_that_fit_alike_are_not_understood():
    assert understand("service", {"option:a": ("service",), "option:b": ("service",)}).choice is None


def test_what_is_open_here_comes_before_a_command_and_a_command_before_another_subject():
    same = ("my bill",)
    assert understand("my bill", {"elsewhere:x": same, "command:y": same, "option:z": same}).choice == "option:z"
    assert understand("my bill", {"elsewhere:x": same, "command:y": same}).choice == "command:y"


def test_a_slip_of_the_recogniser_is_forgiven():
    assert understand("meter readings", {"option:a": ("meter reading",), "option:b": ("my bill",)}).choice == "option:a"


def test_silence_and_fillers_are_nothing():
    assert understand("", {"option:a": ("a",)}).choice is None
    assert understand("uh um", {"option:a": ("my bill",)}).choice is None
