"""A circuit breaker: after some failures in a row a source is left in peace for a while, then tried once.

Pure but for its lock; the clock is handed in.
"""

from __future__ import annotations

import threading

from ivr.clock import Clock


class Breaker:
    """One source's breaker. Closed: everybody may ask. Open: nobody, for `rest` seconds. Then one may try.

    The one trial needs no promise to report back: letting it through starts a new rest, so a trial that gets lost only
    costs that long.
    """

    def __init__(self, clock: Clock, failures: int = 5, rest: float = 10.0) -> None:
        self._clock, self._limit, self._rest = clock, failures, rest
        self._lock = threading.Lock()
        self._failures = 0
        self._shut_until = 0.0

    def allows(self) -> bool:
        """Whether the source may be asked now. After a rest the first who asks is the trial."""
        with self._lock:
            if self._failures < self._limit:
                return True
            now = self._clock()
            if now < self._shut_until:
                return False
            self._shut_until = now + self._rest
            return True

    def succeeded(self) -> None:
        """The source works: the circuit closes."""
        with self._lock:
            self._failures = 0

    def failed(self) -> None:
        """The source failed once more."""
        with self._lock:
            self._failures += 1
            if self._failures >= self._limit:
                self._shut_until = self._clock() + self._rest
