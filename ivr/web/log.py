"""Log events as JSON lines, and metrics. Numbers are masked; words, keys and answers never appear."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import Any

import structlog
from prometheus_client import CollectorRegistry, Counter, Histogram

from ivr import clock
from ivr.jsontext import encode
from ivr.phone import mask_within

Log = Any

_PERSONAL = ("from_", "to", "number", "caller", "error", "detail")


def _stamp(_: Any, __: str, event: Any) -> Any:
    event["at"] = clock.now()
    return event


def _mask(_: Any, __: str, event: Any) -> Any:
    for name in _PERSONAL:
        value = event.get(name)
        if value.__class__ is str:
            event[name] = mask_within(value)
    return event


def _line(_: Any, __: str, event: Any) -> str:
    return encode(event)


def configure(write: Callable[[str], object] | None = None) -> Log:
    """A logger of JSON lines to standard error."""
    factory: Any = structlog.PrintLoggerFactory(sys.stderr) if write is None else (lambda *_: _Writer(write))
    return structlog.wrap_logger(
        factory(),
        processors=[structlog.processors.add_log_level, _mask, _stamp, _line],
        wrapper_class=structlog.make_filtering_bound_logger(os.environ.get("IVR_LOG_LEVEL", "info")),
        cache_logger_on_first_use=True,
    )


class _Writer:
    def __init__(self, write: Callable[[str], object]) -> None:
        self.msg = self.info = self.warning = self.error = self.debug = self.critical = lambda message: write(
            message + "\n"
        )


class Metrics:
    """What operators watch. One registry a process, or the shared folder of PROMETHEUS_MULTIPROC_DIR."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.turns = Counter("ivr_turns_total", "Webhook turns answered", ["kind"], registry=self.registry)
        self.seconds = Histogram(
            "ivr_turn_seconds",
            "Seconds to answer a turn",
            registry=self.registry,
            buckets=(0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 5),
        )
        self.faults = Counter("ivr_faults_total", "Turns that ended in an apology", ["what"], registry=self.registry)
        self.refused = Counter("ivr_refused_total", "Requests refused for their signature", registry=self.registry)
        self.lookups = Histogram(
            "ivr_lookup_seconds", "Seconds a source took", ["source", "outcome"], registry=self.registry
        )
        self.turn = {kind: self.turns.labels(kind) for kind in ("incoming", "turn", "status", "fallback", "other")}

    def looked_up(self, source: str, outcome: str, seconds: float) -> None:
        """A source answered, or did not."""
        self.lookups.labels(source, outcome).observe(seconds)
