"""Sample files answer as a source would."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ivr.config import SourceSpec
from ivr.lookups.fault import LookupFault
from ivr.lookups.samples import Samples

SPEC = SourceSpec.model_validate({"sample": "bills.yaml", "takes": {"account": "text", "year": "text"}, "gives": {}})


def samples(folder: Path, text: str) -> Samples:
    (folder / "bills.yaml").write_text(text)
    return Samples(folder)


def fault_of(made: Samples, account: str = "1") -> str:
    with pytest.raises(LookupFault) as caught:
        made.answer(SPEC, {"account": account})
    return str(caught.value)


def test_the_first_value_taken_is_the_key_and_values_stay_text(tmp_path):
    made = samples(tmp_path, '"0712": {open: 012, paid: no}\n2026: {open: 5}\n')
    assert made.answer(SPEC, {"year": "2026", "account": "0712"}) == {"open": "012", "paid": "no"}


def test_a_number_finds_its_key(tmp_path):
    assert samples(tmp_path, "4401: {open: 1}").answer(SPEC, {"account": 4401}) == {"open": "1"}


def test_anybody_else_gets_the_default(tmp_path):
    assert samples(tmp_path, '"1": {open: 1}\ndefault: {open: 0}').answer(SPEC, {"account": "9"}) == {"open": "0"}


def test_without_a_default_nobody_else_is_found(tmp_path):
    assert fault_of(samples(tmp_path, '"1": {open: 1}'), "9") == "not found"


def test_a_file_that_changes_is_read_again(tmp_path):
    made = samples(tmp_path, '"1": {open: 1}')
    assert made.answer(SPEC, {"account": "1"}) == {"open": "1"}
    samples(tmp_path, '"1": {open: 2}')
    os.utime(tmp_path / "bills.yaml", (1, 1))
    assert made.answer(SPEC, {"account": "1"}) == {"open": "2"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('"1": {open: 1}\n"1": {open: 2}', "bills.yaml has a mistake in line 2"),
        ("- 1\n- 2", "bills.yaml is not a group of 'value: answer' lines"),
        ('"1": hello', "an entry of bills.yaml is not a group of 'name: value' lines"),
        ("", "not found"),
    ],
)
def test_a_broken_file_is_a_fault_that_says_where(tmp_path, text, message):
    assert fault_of(samples(tmp_path, text)) == message


def test_a_missing_file_is_a_fault(tmp_path):
    assert fault_of(Samples(tmp_path)) == "there is no readable bills.yaml"
