"""A source that is slow, failing, lying or dead costs a call its budget and nothing more."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from ivr.config import DesignersPart, SourceSpec
from ivr.engine.inputs import Answer, NoAnswer
from ivr.flow.bundle import Bundle
from ivr.lookups.cache import CacheStore, MemoryCache, lookup_key
from ivr.lookups.pool import Lookups

JEROME = {"number": "+15550100001"}
MARGO = {"number": "+15550100002"}
SOON = 20.0
"""A budget that no test uses up unless it fails."""

GIVES = {
    "overdue": {"kind": "money"},
    "outage": {"kind": "flag"},
    "name": {"kind": "text", "from": "person.name"},
    "bills": {"kind": "list", "each": {"due": {"kind": "date"}}},
}


class Now:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.at = 1_700_000_000.0

    def __call__(self) -> float:
        return self.at


class Watched(MemoryCache):
    """A cache that lets a test wait until something is written: a worker writes after it has answered."""

    def __init__(self) -> None:
        super().__init__()
        self.writes: list[tuple[str, str, dict[str, Any]]] = []
        self._written = threading.Semaphore(0)

    def write(self, source: str, key: str, values: dict[str, Any], at: float) -> None:
        super().write(source, key, values, at)
        self.writes.append((source, key, dict(values)))
        self._written.release()

    def was_written(self, times: int = 1) -> None:
        for _ in range(times):
            assert self._written.acquire(timeout=20)


class Forgetful(MemoryCache):
    """Keeps nothing, so that what is found was in the memory of the process."""

    def write(self, source: str, key: str, values: dict[str, Any], at: float) -> None:
        pass


class Line:
    """One process of a line whose source is the CRM; `ask` is what a call does."""

    def __init__(self, crm: Any, cache: CacheStore, now: Now, more: dict[str, Any], **settings: Any) -> None:
        spec = {"url": crm.url + "/{number}", "takes": {"number": "phone"}, "gives": GIVES, **more}
        self.specs = {"account": SourceSpec.model_validate(spec)}
        self.heard: list[tuple[str, str]] = []
        self.lookups = Lookups(
            self.specs, Path(), {}, cache, now, observe=lambda *seen: self.heard.append(seen[:2]), **settings
        )
        self.bundle = bundle(self.specs)

    def ask(self, give: Mapping[str, Any] = JEROME, budget: float = SOON) -> Answer | NoAnswer | None:
        return self.lookups.ask(self.bundle, "account", give, budget)


def bundle(specs: Mapping[str, SourceSpec]) -> Bundle:
    return Bundle("b", {}, DesignersPart(sources=dict(specs)), {}, {}, {})


Make = Callable[..., Line]


@pytest.fixture
def now() -> Now:
    return Now()


@pytest.fixture
def cache() -> Watched:
    return Watched()


@pytest.fixture
def line(crm: Any, cache: Watched, now: Now) -> Iterator[Make]:
    """Starts a process of the line: `line(cache="5m")`; every one of a test shares the cache and the clock."""
    made: list[Line] = []

    def start(*, settings: dict[str, Any] | None = None, **more: Any) -> Line:
        made.append(Line(crm, cache, now, more, **(settings or {})))
        return made[-1]

    yield start
    for each in made:
        each.lookups.close()


def failed(detail: str) -> NoAnswer:
    return NoAnswer("failed", detail)


# What comes through


def test_an_answer_is_what_is_declared_each_value_in_its_kind(crm, line):
    crm.says(
        {
            "overdue": "1,240.50",
            "outage": "no",
            "person": {"name": " Jerome ", "religion": "x"},
            "bills": [{"due": "2026-03-10", "iban": "x"}],
            "internal_score": 3,
        }
    )
    answer = line().ask()
    assert answer == Answer({"overdue": 1240.5, "outage": False, "name": "Jerome", "bills": [{"due": "2026-03-10"}]})


def test_values_of_a_wrong_kind_are_not_known(crm, line):
    crm.says({"overdue": "a lot", "outage": 17, "person": "Jerome", "bills": "none"})
    assert line().ask() == Answer({})


def test_hostile_text_is_text(crm, line):
    crm.says({"person": {"name": "</Say><Hangup/>{{ caller.pin }}\u0000" + "x" * 5000}})
    name = line().ask().values["name"]
    assert name.startswith("</Say><Hangup/>{{ caller.pin }}xxx") and len(name) <= 2000


def test_only_what_the_source_takes_is_sent(crm, line):
    line(url=crm.url, method="POST").ask({**JEROME, "mood": "sad"})
    assert json.loads(crm.seen[0].body) == JEROME


def test_only_what_is_declared_is_kept_and_its_key_gives_nothing_away(crm, line, cache):
    crm.says({"overdue": 5, "religion": "x"})
    line().ask()
    cache.was_written()
    assert cache.writes == [("account", lookup_key(["number"], JEROME), {"overdue": 5})]
    assert "1555" not in lookup_key(["number"], JEROME)


def test_a_call_on_an_older_version_gets_what_that_version_declares(crm, line):
    crm.says({"overdue": 5, "outage": "yes", "person": {"name": "1"}})
    process = line()
    older = {"overdue": {"kind": "money"}, "outage": {"kind": "text"}}
    process.bundle = bundle({"account": SourceSpec.model_validate({"gives": older})})
    assert process.ask() == Answer({"overdue": 5})


def test_a_source_that_is_gone_from_the_config_fails(line):
    process = line()
    assert process.lookups.ask(process.bundle, "weather", {}, SOON) == failed("no such source")


@pytest.mark.parametrize(
    ("says", "detail"),
    [
        (({}, 404), "not found"),
        (({}, 500), "it answered 500"),
        ((b"<html>",), "what it answered is not JSON"),
        (([1],), "what it answered is not a JSON object"),
        ((b" " * 300_000,), "it answered more than 256 kB"),
    ],
)
def test_a_fault_is_a_failure_with_its_reason(crm, line, says, detail):
    crm.says(*says)
    assert line().ask() == failed(detail)


def test_a_missing_token_fails_every_question_and_says_which(line):
    process = line(auth={"bearer": "CRM_TOKEN"})
    assert [process.ask() for _ in range(7)] == [failed("the environment has no CRM_TOKEN")] * 7


# What is fresh


def test_a_fresh_answer_is_given_again_with_its_age(crm, line, now):
    crm.says({"overdue": 5})
    process = line(cache="5m")
    assert process.ask() == Answer({"overdue": 5}, 0)
    now.at += 300
    assert process.ask() == Answer({"overdue": 5}, 300)
    assert len(crm.seen) == 1


def test_an_answer_that_is_not_fresh_is_asked_for_again(crm, line, now):
    crm.says({"overdue": 5})
    process = line(cache="5m")
    process.ask()
    crm.says({"overdue": 0})
    now.at += 301
    assert process.ask() == Answer({"overdue": 0}, 0)


def test_without_a_cache_every_question_is_asked(crm, line):
    process = line()
    process.ask()
    process.ask()
    assert len(crm.seen) == 2


def test_one_persons_answer_is_never_anothers(crm, line):
    process = line(cache="5m")
    crm.says({"overdue": 5})
    process.ask(JEROME)
    crm.says({"overdue": 7})
    assert process.ask(MARGO) == Answer({"overdue": 7})
    assert process.ask(JEROME).values == {"overdue": 5}


def test_what_one_process_asked_the_other_knows(crm, line, cache, now):
    crm.says({"overdue": 5})
    line(cache="5m").ask()
    cache.was_written()
    now.at += 60
    other = line(cache="5m")
    assert other.ask() == Answer({"overdue": 5}, 60)
    assert len(crm.seen) == 1


def test_a_process_remembers_no_more_than_it_should(crm, now, monkeypatch):
    monkeypatch.setattr("ivr.lookups.pool.KEPT_IN_MEMORY", 1)
    process = Line(crm, Forgetful(), now, {"cache": "5m"})
    for who in (JEROME, JEROME, MARGO, JEROME):
        process.ask(who)
    assert len(crm.seen) == 3
    process.lookups.close()


def test_a_cache_that_is_gone_is_an_empty_one(crm, now):
    class Gone:
        def read(self, source: str, key: str) -> Any:
            raise RuntimeError("the database is locked")

        def write(self, source: str, key: str, values: Any, at: float) -> None:
            raise RuntimeError("the database is locked")

    process = Line(crm, Gone(), now, {"cache": "5m"})
    crm.says({"overdue": 5})
    assert process.ask() == Answer({"overdue": 5})
    crm.says({}, 500)
    assert process.ask(MARGO) == failed("it answered 500")
    process.lookups.close()


# While it is down


def test_while_it_is_down_the_last_good_answer_is_given_with_its_age(crm, line, cache, now):
    crm.says({"overdue": 5})
    process = line()
    process.ask()
    cache.was_written()
    crm.says({}, 500)
    now.at += 3600
    assert process.ask() == Answer({"overdue": 5}, 3600)
    assert line().ask() == Answer({"overdue": 5}, 3600)


def test_a_last_good_answer_is_not_good_for_ever(crm, line, cache, now):
    crm.says({"overdue": 5})
    process = line(keep_last_good="1h")
    process.ask()
    cache.was_written()
    crm.says({}, 500)
    now.at += 3601
    assert process.ask() == failed("it answered 500")


def test_somebody_it_no_longer_knows_has_no_last_good_answer(crm, line, cache, now):
    crm.says({"overdue": 5})
    process = line(cache="5m")
    process.ask()
    cache.was_written()
    now.at += 301
    crm.says({}, 404)
    assert process.ask() == failed("not found")
    cache.was_written()
    crm.says({}, 500)
    assert process.ask() == failed("it answered 500")
    assert line(cache="5m").ask() == failed("it answered 500")


def test_after_five_failures_it_is_left_in_peace_and_then_tried_once(crm, line, now):
    process = line()
    crm.says({}, 500)
    assert [process.ask() for _ in range(5)] == [failed("it answered 500")] * 5
    assert process.ask(MARGO) == failed("circuit open")
    assert len(crm.seen) == 5
    now.at += 10
    assert process.ask() == failed("it answered 500")
    assert process.ask() == failed("circuit open")
    crm.says({"overdue": 5})
    now.at += 10
    assert process.ask() == Answer({"overdue": 5})
    assert process.ask(MARGO) == Answer({"overdue": 5})
    assert len(crm.seen) == 8


def test_with_the_circuit_open_the_last_good_answer_is_given(crm, line, cache, now):
    crm.says({"overdue": 5})
    process = line()
    process.ask()
    cache.was_written()
    crm.says({}, 500)
    for _ in range(5):
        process.ask(MARGO)
    now.at += 5
    assert process.ask() == Answer({"overdue": 5}, 5)
    assert len(crm.seen) == 6


def test_strangers_do_not_open_the_circuit(crm, line):
    process = line()
    crm.says({}, 404)
    assert [process.ask() for _ in range(12)] == [failed("not found")] * 12


def test_an_answer_that_somebody_is_a_stranger_shows_that_it_works(crm, line):
    process = line()
    for status in (500, 500, 500, 500, 404, 500, 500, 500, 500):
        crm.says({}, status)
        process.ask()
    assert process.ask() == failed("it answered 500")
    assert process.ask() == failed("circuit open")


def test_one_source_that_hangs_takes_nothing_from_another(crm, cache, now):
    spec = {"url": crm.url + "/{number}", "takes": {"number": "phone"}, "gives": GIVES}
    other = {**spec, "url": crm.url + "/other/{number}"}
    specs = {"account": SourceSpec.model_validate(spec), "other": SourceSpec.model_validate(other)}
    lookups = Lookups(specs, Path(), {}, cache, now, workers=1)

    def answer(handler: Any) -> None:
        if not handler.path.startswith("/other"):
            crm.over.wait(20)
        handler.wfile.write(b'HTTP/1.1 200 OK\r\nContent-Length: 14\r\n\r\n{"overdue": 5}')

    crm.does(answer)
    assert lookups.ask(bundle(specs), "account", JEROME, 0) is None
    crm.was_asked()
    assert lookups.ask(bundle(specs), "other", JEROME, SOON) == Answer({"overdue": 5})
    lookups.close()


# While it is slow


def test_past_the_budget_it_is_still_running_and_the_same_question_finds_it(crm, line):
    crm.says({"overdue": 5})
    crm.waits()
    process = line()
    assert process.ask(budget=0) is None
    assert process.ask(budget=0) is None
    crm.was_asked()
    crm.goes_on()
    assert process.ask() == Answer({"overdue": 5})
    assert len(crm.seen) == 1


def test_an_answer_that_comes_between_two_turns_is_there_for_the_second(crm, line, cache, now):
    crm.says({"overdue": 5})
    crm.waits()
    process = line()
    assert process.ask(budget=0) is None
    crm.goes_on()
    cache.was_written(2)
    now.at += 3
    assert process.ask(budget=0) == Answer({"overdue": 5}, 3)
    assert len(crm.seen) == 1


def test_a_late_answer_is_there_even_without_a_cache(crm, now):
    crm.says({"overdue": 5})
    crm.waits()
    process = Line(crm, Forgetful(), now, {})
    assert process.ask(budget=0) is None
    crm.goes_on()
    assert process.ask() == Answer({"overdue": 5})
    assert process.ask() == Answer({"overdue": 5})
    assert len(crm.seen) == 1
    process.lookups.close()


def test_a_late_answer_is_there_for_a_turn_on_another_worker(crm, line, cache, now):
    crm.says({"overdue": 5})
    crm.waits()
    assert line().ask(budget=0) is None
    crm.goes_on()
    cache.was_written(2)
    now.at += 3
    assert line().ask(budget=0) == Answer({"overdue": 5}, 3)
    assert len(crm.seen) == 1


def test_a_late_answer_is_not_fresh_for_longer_than_a_minute(crm, line, cache, now):
    crm.says({"overdue": 5})
    crm.waits()
    process = line()
    process.ask(budget=0)
    crm.goes_on()
    cache.was_written(2)
    crm.says({"overdue": 0})
    now.at += 61
    assert process.ask() == Answer({"overdue": 0})
    assert line().ask() == Answer({"overdue": 0})


def test_a_fault_that_comes_late_is_told_to_the_next_turn_once(crm, line):
    crm.says({}, 500)
    crm.waits()
    process = line()
    assert process.ask(budget=0) is None
    crm.was_asked()
    crm.goes_on()
    assert process.ask() == failed("it answered 500")
    crm.says({"overdue": 5})
    assert process.ask() == Answer({"overdue": 5})


def test_while_it_is_slow_a_last_good_answer_is_better_than_waiting(crm, line, cache, now):
    crm.says({"overdue": 5})
    process = line()
    process.ask()
    cache.was_written()
    crm.waits()
    now.at += 60
    assert process.ask(budget=0) == Answer({"overdue": 5}, 60)


def test_it_is_given_up_after_a_while_even_if_it_never_ends(crm, line):
    crm.waits()
    process = line(budget="50ms", settings={"patience": 0.05})
    found = process.ask()
    # On a busy machine it is given up before it was even reached: given up it is.
    assert isinstance(found, NoAnswer) and found.why == "failed"


def test_many_who_ask_the_same_at_once_are_one_request(crm, line):
    crm.says({"overdue": 5})
    crm.waits()
    process = line(cache="5m")
    found: list[Any] = []
    threads = [threading.Thread(target=lambda: found.append(process.ask())) for _ in range(12)]
    for thread in threads:
        thread.start()
    crm.was_asked()
    crm.goes_on()
    for thread in threads:
        thread.join()
    assert found == [Answer({"overdue": 5})] * 12
    assert len(crm.seen) == 1


def test_more_questions_than_it_can_take_fail_at_once(crm, line):
    crm.waits()
    process = line(settings={"workers": 1})
    assert process.ask(JEROME, budget=0) is None
    crm.was_asked()
    found = [process.ask({"number": f"+1555020{index:04}"}, budget=0) for index in range(66)]
    assert found[:64] == [None] * 64
    assert found[64:] == [failed("too many questions at once")] * 2


def test_nobody_waits_for_a_pool_that_is_closed(line):
    process = line()
    process.lookups.close()
    assert process.ask() == failed("too many questions at once")


ENDS = """
import sys
from pathlib import Path
from ivr.clock import now
from ivr.config import DesignersPart, SourceSpec
from ivr.flow.bundle import Bundle
from ivr.lookups.cache import MemoryCache
from ivr.lookups.pool import Lookups

specs = {"a": SourceSpec.model_validate({"url": sys.argv[1], "gives": {}})}
lookups = Lookups(specs, Path(), {}, MemoryCache(), now, patience=1000)
print(lookups.ask(Bundle("b", {}, DesignersPart(sources=specs), {}, {}, {}), "a", {}, 0.01))
"""


def test_a_process_can_end_while_a_source_hangs(crm):
    crm.waits()
    ended = subprocess.run(
        [sys.executable, "-c", ENDS, crm.url], capture_output=True, text=True, timeout=60, check=True
    )
    assert (ended.stdout, ended.stderr) == ("None\n", "")


# Secrets, samples, gauges


def test_a_source_that_checks_secrets_is_never_cached_nor_trusted_while_down(crm, line, cache, now):
    MemoryCache.write(cache, "account", lookup_key(["number"], JEROME), {"outage": False}, now())
    crm.says({"outage": True})
    process = line(cache="5m", settings={"secret": ["account"]})
    assert process.ask() == Answer({"outage": True})
    crm.says({}, 500)
    assert process.ask() == failed("it answered 500")
    process.lookups.close()
    assert cache.writes == []


def test_a_sample_answers_as_a_source_would(tmp_path, cache, now):
    (tmp_path / "a.yaml").write_text('"+15550100001": {overdue: 012.50, outage: no, religion: x}\n')
    spec = SourceSpec.model_validate({"sample": "a.yaml", "takes": {"number": "phone"}, "gives": GIVES})
    lookups = Lookups({"account": spec}, tmp_path, {}, cache, now)
    found = [lookups.ask(bundle({"account": spec}), "account", who, 0) for who in (JEROME, MARGO)]
    assert found == [Answer({"overdue": 12.5, "outage": False}), failed("not found")]
    assert cache.writes == []


def test_every_question_is_seen_by_the_gauges(crm, line, now):
    process = line(cache="5m", keep_last_good="0s")
    process.ask()
    process.ask()
    crm.says({}, 404)
    process.ask(MARGO)
    crm.says({}, 500)
    process.ask(MARGO)
    crm.waits()
    process.ask(MARGO, budget=0)
    assert [outcome for _, outcome in process.heard] == ["answered", "cached", "not_found", "failed", "late"]


def test_a_gauge_that_fails_costs_nobody_their_answer(crm, cache, now):
    process = Line(crm, cache, now, {})

    def broken(source: str, outcome: str, seconds: float) -> None:
        raise RuntimeError

    lookups = Lookups(process.specs, Path(), {}, cache, now, observe=broken)
    assert isinstance(lookups.ask(process.bundle, "account", JEROME, SOON), Answer)
    lookups.close()
    process.lookups.close()


def test_the_same_question_has_the_same_key_in_any_order():
    takes = ["a", "b"]
    assert lookup_key(takes, {"a": 1, "b": "2", "c": 3}) == lookup_key(takes, {"b": "2", "a": 1})
    assert lookup_key(takes, {"a": 1, "b": "2"}) != lookup_key(takes, {"a": "1", "b": "2"})
