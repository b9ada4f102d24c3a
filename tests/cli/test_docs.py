"""The reference names everything there is: steps, names, filters, events, problems, commands."""

from __future__ import annotations

from pathlib import Path

from ivr.cli import COMMANDS
from ivr.cli.docs import reference
from ivr.engine.events import TYPES
from ivr.flow.checks.catalogue import CATALOGUE
from ivr.flow.expressions import condition_filters
from ivr.flow.model import STEPS
from ivr.flow.names import in_prompts
from ivr.flow.spoken import FILTERS

README = (Path(__file__).resolve().parents[2] / "README.md").read_text()


def test_every_step_name_filter_event_and_problem_is_in_the_reference() -> None:
    whole = reference()
    for verb in STEPS:
        assert f"\n## {verb}\n" in whole
    for name in (*condition_filters(), *FILTERS, *TYPES, *in_prompts()):
        assert f"`{name}`" in whole
    for code in CATALOGUE:
        assert f"### {code}\n" in whole


def test_every_command_is_in_the_readme() -> None:
    missing = [name for name in COMMANDS if f"ivr {name}" not in README and name != "demo"]
    assert not missing
