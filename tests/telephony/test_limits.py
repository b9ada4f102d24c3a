"""The order and race checklist, 10: what is too long for Twilio is cut, divided or refused before it is sent."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from bench.shipped import FOLDER, environment
from ivr.project import read_project
from ivr.simulate.line import Moment
from ivr.telephony.twiml import _hints, pieces
from tests.actors import EMERGENCY, MARGO, House
from tests.twiml_rules import problems

SENTENCE = "Every word of this should be heard, & <nothing> is lost. "


@pytest.fixture
def says(tmp_path: Path, sqlite_url: str, moment: Moment) -> Any:
    """A server whose welcome is another text, and whose agent command has other phrases."""
    made: list[House] = []

    def build(welcome: str, phrases: list[str] | None = None) -> House:
        folder = tmp_path / "project"
        for name in ("flows", "prompts", "samples"):
            shutil.copytree(FOLDER / name, folder / name)
        shutil.copyfile(FOLDER / "config.yaml", folder / "config.yaml")
        prompts = folder / "prompts" / "en" / "main.yaml"
        text = prompts.read_text().replace(
            "brisk: Hi {{ caller.first_name }}. Northlight Energy.", f"brisk: {welcome!r}"
        )
        if phrases is not None:
            text = re.sub(
                r"(?<=bill_question:\n)((?:  .*\n)*?)  phrases: .*", rf"\g<1>  phrases: {phrases!r}", text, count=1
            )
        prompts.write_text(text)
        project = read_project(folder, environment("sqlite:///unused.db"))
        assert project.bundle is not None, [str(problem) for problem in project.problems]
        return House(project, sqlite_url, moment, made)

    yield build
    for house in made:
        house.shut()


def test_race_10_a_prompt_over_the_voices_limit_is_several_says_and_loses_no_word(says: Callable[..., House]) -> None:
    words = (SENTENCE.replace("&", "and").replace("<nothing>", "nothing") * 150).strip()
    call = says(words).calls(MARGO).dial()
    assert words in call.words
    assert call.answer.count("<Say") >= 3
    assert problems(call.answer) == []


def test_race_10_a_document_over_64_kb_is_never_sent_and_the_caller_has_a_person(says: Callable[..., House]) -> None:
    call = says(SENTENCE.replace("&", "and").replace("<nothing>", "nothing") * 1300).calls(MARGO).dial()
    call.hears("something went wrong")
    assert EMERGENCY in call.answer and len(call.answer) < 1000
    # Rendering comes before storing: there is no half of a turn.
    assert call.house.rows("calls") == [] and call.house.rows("events") == []


def test_race_10_hints_stay_within_twilios_limits(says: Callable[..., House]) -> None:
    phrases = [f"phrase number {number} of very many" for number in range(700)] + [
        "one, with commas, in it",
        "long " * 40,
    ]
    call = says("Hi.", phrases).calls(MARGO).dial()
    gather = ElementTree.fromstring(call.answer).find("Gather")
    assert gather is not None
    hints = gather.attrib["hints"].split(",")
    assert len(hints) == 500 and all(0 < len(hint) <= 100 for hint in hints)


@pytest.mark.parametrize(
    "text",
    ["word " * 3000, "x" * 10_000, SENTENCE * 200, "no space" + "ñ" * 9000, "a. " * 5000, "é & " * 3000],
    ids=["words", "one word", "sentences", "accents", "short sentences", "entities"],
)
def test_race_10_pieces_are_short_enough_and_together_the_whole(text: str) -> None:
    escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    parts = list(pieces(escaped))
    said = [ElementTree.fromstring(f"<Say>{part}</Say>").text or "" for part in parts]
    assert all(0 < len(part) <= 3000 for part in said)
    assert "".join("".join(said).split()) == "".join(text.split())


def test_race_10_a_tag_is_never_cut_in_two() -> None:
    text = ("word <break time='1s'/> " + "<emphasis level='strong'>so</emphasis> ") * 300
    said = [ElementTree.fromstring(f"<Say>{part}</Say>").text or "" for part in pieces(text)]
    assert " ".join(" ".join(said).split()) == " ".join(["word so"] * 300)


def test_race_10_a_hint_has_no_commas_is_not_over_100_characters_and_comes_once() -> None:
    hints = _hints(
        {
            "option:a": ("yes, please", "yes,please", "x" * 300, "", " , "),
            "command:b": ("yes please", 'say "hi" & <go>'),
        }
    )
    assert hints == "yes please," + "x" * 100 + ",say &quot;hi&quot; &amp; &lt;go&gt;"


def test_race_10_at_most_500_hints_and_options_come_before_commands() -> None:
    open_ = {
        "command:c": tuple(f"command {n}" for n in range(400)),
        "option:o": tuple(f"option {n}" for n in range(400)),
    }
    hints = _hints(open_).split(",")
    assert len(hints) == 500 and hints[0] == "option 0" and hints[400] == "command 0"
