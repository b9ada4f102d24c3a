"""A few daemon threads with a short queue. Unlike concurrent.futures, it lets the process end while a source hangs."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable

Work = Callable[[], None]


class Crew:
    """At most `size` threads, made as they are needed. Make it after a fork: threads do not survive one."""

    def __init__(self, name: str, size: int, queue: int = 64) -> None:
        self._name, self._size, self._most = name, size, queue
        self._there_is_work = threading.Condition()
        self._queue: deque[Work] = deque()
        self._threads = self._idle = 0
        self._closed = False

    def submit(self, work: Work) -> bool:
        """Has `work` done soon. False where the queue is full: then it never will be. `work` must not raise."""
        with self._there_is_work:
            if self._closed or len(self._queue) >= self._most + self._idle:
                return False
            if self._idle <= len(self._queue) and self._threads < self._size and not self._hire() and not self._threads:
                return False
            self._queue.append(work)
            self._there_is_work.notify()
        return True

    def close(self) -> None:
        """What is queued is dropped; idle threads end now, busy ones after what they are at."""
        with self._there_is_work:
            self._closed = True
            self._queue.clear()
            self._there_is_work.notify_all()

    def _hire(self) -> bool:
        try:
            threading.Thread(target=self._serve, name=f"{self._name}-{self._threads}", daemon=True).start()
        except RuntimeError:  # the system has no more threads to give
            return False
        self._threads += 1
        return True

    def _serve(self) -> None:
        while True:
            with self._there_is_work:
                self._idle += 1
                self._there_is_work.wait_for(lambda: self._queue or self._closed)
                self._idle -= 1
                if self._closed:
                    return
                work = self._queue.popleft()
            work()
