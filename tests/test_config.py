"""config.yaml and the environment as one Config: every fault at its place, and no secret where it does not belong."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ivr.config import Config, read_config, seconds, share
from ivr.flow.bundle import from_json, make, parse
from ivr.project import read_project

PROJECT = Path(__file__).parents[1]
LEAST = 'emergency: {dial: "+15550003333"}\n'
WAIVE = "actions: {waive: {takes: {fee: money}}}\n"


def read(folder: Path, text: str, **environment: str):
    (folder / "config.yaml").write_text(LEAST + text)
    return read_config(folder, environment)


def good(folder: Path, text: str = "", **environment: str) -> Config:
    config, problems = read(folder, text, **environment)
    assert config is not None and not problems, problems
    return config


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1500ms", 1.5),
        ("6s", 6),
        ("5m", 300),
        ("2h", 7200),
        ("7d", 604800),
        ("12 months", 31104000),
        ("1 day", 86400),
        ("2 years", 63072000),
        (3, 3.0),
    ],
)
def test_lengths_of_time_are_written_as_people_write_them(text, expected):
    assert seconds(text) == expected


@pytest.mark.parametrize("text", ["", "5", "five minutes", "-1s", "5 fortnights", "1s2m"])
def test_what_is_no_length_of_time_is_refused(text):
    with pytest.raises(ValueError, match="length of time"):
        seconds(text)


def test_a_share_is_a_percentage():
    assert [share(text) for text in ("0%", "10%", "12.5%", "100%")] == [0, 0.1, 0.125, 1]
    for wrong in ("0.1", "101%", "half", "-5%"):
        with pytest.raises(ValueError, match="share"):
            share(wrong)


def test_the_environment_wins_over_the_file(tmp_path):
    text = "public_url: https://file.example/\ndatabase: sqlite:///file.db\n"
    config = good(tmp_path, text)
    assert (config.public_url, config.database) == (
        "https://file.example",
        f"sqlite:///{(tmp_path / 'file.db').resolve()}",
    )
    other = good(tmp_path, text, IVR_PUBLIC_URL="https://other.example", DATABASE_URL="postgres://u:p@h/d")
    assert (other.public_url, other.database) == ("https://other.example", "postgresql+psycopg://u:p@h/d")


def test_several_tokens_are_taken_while_they_are_rotated(tmp_path):
    assert good(tmp_path, TWILIO_AUTH_TOKEN=" old , new ,").tokens == ("old", "new")
    assert good(tmp_path).tokens == ()


@pytest.mark.parametrize(
    ("text", "code", "line"),
    [
        ("limits: {minuts: 5}\n", "unknown-word", 2),
        ("limits: {minutes: soon}\n", "wrong-value", 2),
        ("facts:\n  a: {kind: colour, purpose: x}\n", "wrong-value", 3),
        ("facts:\n  a: {kind: text}\n", "missing-word", 3),
        ("sources:\n  a: {gives: {x: {kind: text}}}\n", "source-origin", 3),
        ('sources:\n  a: {url: "https://x.example", sample: b.yaml, gives: {x: {}}}\n', "source-origin", 3),
        ("targets: {a: {ring: 5s}}\n", "target-nowhere", 2),
        ("verify: {a: {questions: [{ask: q, equals: caller.unheard_of}]}}\n", "unknown-name", 2),
        ("verify: {a: {check: unheard_of, questions: [{ask: q}]}}\n", "unknown-source", 2),
        ("verify: {a: {need: 2, questions: [{ask: q, equals: caller.x}]}}\n", "wrong-value", 2),
        ('targets: {a: {dial: ["+15550002222"], queue: {}}}\n', "target-nowhere", 2),
        ("targets:\n  a: {taskrouter: {}}\n", "target-nowhere", 3),
        ("targets: {a: {queue: {every: 1s}}}\n", "wrong-value", 2),
        ("targets: {a: {queue: {full_at: 0}}}\n", "wrong-value", 2),
        ("targets: {a: {queue: {callback: {key: 12}}}}\n", "wrong-value", 2),
        ("targets: {a: {queue: {callback: {between: by day}}}}\n", "wrong-value", 2),
        ("targets: {a: {queue: {priority: [{because: x, when: line.open}]}}}\n", "missing-word", 2),
        ("gestures: {a: {title: A, text: b, by: [fax]}}\n", "wrong-value", 2),
        (WAIVE + "concessions:\n  a: {title: A, do: waved, limit: 20, amount: fee}\n", "unknown-action", 4),
        (WAIVE + "concessions:\n  a: {title: A, do: waive, limit: 20, amount: fees}\n", "unknown-name", 4),
        (WAIVE + "concessions:\n  a: {title: A, do: waive, limit: 0, amount: fee}\n", "wrong-value", 4),
        ("mail: {host: smtp.example}\n", "missing-word", 2),
        ("money: dollars\n", "wrong-value", 2),
        ("durability: MAYBE\n", "wrong-value", 2),
    ],
)
def test_every_fault_is_a_problem_at_its_place(tmp_path, text, code, line):
    _, problems = read(tmp_path, text)
    assert (code, line) in [(problem.code, problem.where.line) for problem in problems], problems


def test_all_faults_are_told_at_once(tmp_path):
    _, problems = read(tmp_path, "money: x\nlimits: {minuts: 5}\nfacts: {a: {kind: colour}}\n")
    assert len(problems) >= 4


def test_a_folder_without_a_config_says_what_to_do(tmp_path):
    config, problems = read_config(tmp_path, {})
    assert config is None and problems[0].code == "no-config" and problems[0].hint


def test_what_is_sensitive_is_never_spoken_and_the_rest_needs_verify_unless_it_says_otherwise(tmp_path):
    facts = "facts: {a: {purpose: x}, b: {purpose: x, sensitive: true}, c: {purpose: x, sensitive: true, speak: verified}}\n"
    levels = {name: fact.level for name, fact in good(tmp_path, facts).file.facts.items()}
    assert levels == {"a": "verified", "b": "never", "c": "verified"}


def test_what_is_pinned_with_the_flows_holds_no_address_and_no_secret(tmp_path):
    text = (
        'sources: {a: {url: "https://crm.example/x", auth: {bearer: CRM_TOKEN}, gives: {x: {}}}}\n'
        'actions: {b: {url: "https://crm.example/y", auth: {basic: CRM_PASSWORD}, takes: {z: text}}}\n'
        'targets: {c: {dial: ["+15550002222"]}, d: {taskrouter: {workflow: WW1, workspace: WS1, after: WA1}}}\n'
        "mail: {host: smtp.example, from: care@example.com, user: carer}\n"
    )
    config = good(tmp_path, text, CRM_TOKEN="hush", TWILIO_AUTH_TOKEN="hush", IVR_SECRET_KEY="hush")
    pinned = json.dumps(config.designers_part().model_dump(mode="json", by_alias=True))
    for word in (
        "crm.example",
        "CRM_",
        "hush",
        "+15550002222",
        "+15550003333",
        "WW1",
        "WS1",
        "WA1",
        "smtp.example",
        "care",
    ):
        assert word not in pinned


def test_people_are_reached_in_one_of_three_ways_and_waited_for_in_two(tmp_path):
    text = 'targets: {a: {dial: ["+15550002222"]}, b: {queue: {}}, c: {taskrouter: {workflow: WW1}}}\n'
    targets = good(tmp_path, text).file.targets
    assert [target.way for target in targets.values()] == ["dial", "queue", "taskrouter"]
    assert [target.waiting is not None for target in targets.values()] == [False, True, True]


def test_a_target_is_reached_in_the_same_way_once_its_places_are_left_out(tmp_path):
    text = 'targets: {a: {dial: ["+15550002222"]}, b: {queue: {}}, c: {taskrouter: {workflow: WW1}}}\n'
    config = good(tmp_path, text)
    pinned = config.designers_part().targets
    assert [target.way for target in pinned.values()] == [target.way for target in config.file.targets.values()]


# — a bundle —


def test_a_condition_of_the_config_that_cannot_be_read_never_holds():
    made = read_project(PROJECT, {}).bundle
    assert made is not None
    assert made.condition("line.open >").holds(lambda name: True) is False
    assert made.condition("line.open").holds(lambda name: True) is True


def test_a_bundle_is_made_again_from_its_own_text():
    made = read_project(PROJECT, {}).bundle
    assert made is not None
    again = from_json(made.to_json())
    assert (again.id, again.to_json()) == (made.id, made.to_json())
    assert again.flows == made.flows and again.lines == made.lines and again.part == made.part


def test_a_bundle_is_named_by_what_is_in_it():
    made = read_project(PROJECT, {"IVR_PUBLIC_URL": "https://a.example"}).bundle
    elsewhere = read_project(PROJECT, {"IVR_PUBLIC_URL": "https://b.example", "TWILIO_AUTH_TOKEN": "x"}).bundle
    assert made is not None and elsewhere is not None and made.id == elsewhere.id
    files = {**made.files, "prompts/en/main.yaml": made.files["prompts/en/main.yaml"] + "another: Another.\n"}
    assert make(files, made.part, parse(files)).id != made.id
