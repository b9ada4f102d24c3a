"""A source that keeps failing is left in peace, and tried again."""

from __future__ import annotations

import threading

from ivr.lookups.breaker import Breaker


class Now:
    """A clock that a test moves."""

    def __init__(self, at: float = 1000.0) -> None:
        self.at = at

    def __call__(self) -> float:
        return self.at


def failing(now: Now, times: int = 5) -> Breaker:
    breaker = Breaker(now)
    for _ in range(times):
        assert breaker.allows()
        breaker.failed()
    return breaker


def test_four_failures_are_bad_luck_and_five_open_the_circuit():
    assert failing(Now(), 4).allows()
    assert not failing(Now(), 5).allows()


def test_one_success_between_failures_starts_the_count_again():
    breaker = failing(Now(), 4)
    breaker.succeeded()
    for _ in range(4):
        breaker.failed()
    assert breaker.allows()


def test_after_ten_seconds_one_is_let_through_and_only_one():
    now = Now()
    breaker = failing(now)
    now.at += 9.9
    assert not breaker.allows()
    now.at += 0.1
    assert breaker.allows()
    assert not breaker.allows()


def test_a_good_trial_closes_the_circuit():
    now = Now()
    breaker = failing(now)
    now.at += 10
    assert breaker.allows()
    breaker.succeeded()
    assert breaker.allows() and breaker.allows()


def test_a_bad_trial_opens_it_for_another_ten_seconds():
    now = Now()
    breaker = failing(now)
    now.at += 10
    assert breaker.allows()
    now.at += 3
    breaker.failed()
    now.at += 9.9
    assert not breaker.allows()
    now.at += 0.1
    assert breaker.allows()


def test_a_trial_that_never_reports_back_blocks_nothing_for_longer_than_a_rest():
    now = Now()
    breaker = failing(now)
    now.at += 10
    assert breaker.allows()
    now.at += 10
    assert breaker.allows()


def test_of_many_threads_one_gets_the_trial():
    now = Now()
    breaker = failing(now)
    now.at += 10
    allowed: list[bool] = []
    gate = threading.Barrier(8)

    def ask() -> None:
        gate.wait()
        allowed.append(breaker.allows())

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(allowed) == [False] * 7 + [True]
