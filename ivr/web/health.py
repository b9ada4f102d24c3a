"""/healthz: the process answers. /readyz: it can take calls. /metrics: for Prometheus."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from flask import Flask, Response
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

from ivr.errors import IvrError

if TYPE_CHECKING:
    from ivr.web.app import Wiring


def register(app: Flask, wiring: Wiring) -> None:
    """The three routes."""

    @app.get("/healthz")
    def healthz() -> Response:
        return Response("ok\n", mimetype="text/plain")

    @app.get("/readyz")
    def readyz() -> Response:
        try:
            wiring.store.alive()
            wiring.parts.store.published()
        except IvrError as error:
            return Response(f"not ready: {error}\n", status=503, mimetype="text/plain")
        return Response("ready\n", mimetype="text/plain")

    @app.get("/metrics")
    def metrics() -> Response:
        registry = wiring.metrics.registry
        if os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
            registry = CollectorRegistry()
            MultiProcessCollector(registry)  # type: ignore[no-untyped-call]  # the library has no annotations
        return Response(generate_latest(registry), mimetype=CONTENT_TYPE_LATEST)
