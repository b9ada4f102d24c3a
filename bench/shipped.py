"""The shipped line on a database of its own, at a time when it is open: what the benches call."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from flask import Flask

from ivr.personal.snapshot import Person
from ivr.project import read_project
from ivr.simulate.people import read_personas, to_store
from ivr.simulate.wire import form_fields, sign
from ivr.store.migrate import upgrade
from ivr.store.store import DatabaseStore

FOLDER = Path(__file__).resolve().parent.parent
TOKEN = "bench-token"
BASE = "http://localhost"
LINE = "+15550001111"
MARGO = "+15550100002"
OPEN = datetime(2026, 3, 2, 9, 15, tzinfo=ZoneInfo("America/Detroit")).timestamp()


def environment(database: str) -> dict[str, str]:
    """What the server's environment holds."""
    return {"DATABASE_URL": database, "TWILIO_AUTH_TOKEN": TOKEN, "IVR_SECRET_KEY": "bench-key", "IVR_PUBLIC_URL": BASE}


def application(
    database: str, now: Callable[[], float] = lambda: OPEN, folder: Path = FOLDER, **replaced: Any
) -> tuple[Flask, DatabaseStore]:
    """The server's application on `database`, migrated, published and with the sample callers. `replaced`: parts, by name."""
    from ivr.web import create_app

    project = read_project(folder, environment(database))
    if project.config is None or project.bundle is None:
        raise SystemExit("\n".join(map(str, project.problems)))
    app = create_app(project.config, now=now, **replaced)
    store: DatabaseStore = app.extensions["ivr"].store
    upgrade(store.database)
    store.bundles.publish(project.bundle, now())
    load_personas(store, now())
    return app, store


def migrated(database: str, folder: Path = FOLDER) -> DatabaseStore:
    """`database` with its tables, and nothing in them."""
    config = read_project(folder, environment(database)).config
    if config is None:
        raise SystemExit("config.yaml cannot be read; 'ivr check' says why")
    store = DatabaseStore(config, lambda: OPEN)
    upgrade(store.database)
    return store


def margo(store: DatabaseStore, at: float = OPEN) -> Person:
    """What is known of Margo."""
    person = read_personas(FOLDER, store.callers.config.file)["margo"].person(at)
    if person is None:
        raise SystemExit("flows/personas/margo.yaml says nothing about her")
    return person


def load_personas(store: DatabaseStore, at: float) -> None:
    """The personas as callers."""
    for person in to_store(read_personas(FOLDER, store.callers.config.file), at):
        store.put_person(person, "sample", at)


def environ(path: str, form: Mapping[str, str]) -> dict[str, Any]:
    """A signed POST of `form` as a WSGI environment."""
    from werkzeug.datastructures import Headers
    from werkzeug.test import EnvironBuilder

    headers = Headers({"X-Twilio-Signature": sign(TOKEN, BASE + path, form)})
    return EnvironBuilder(path, method="POST", data=dict(form), headers=headers, base_url=BASE).get_environ()


def fields(sid: str, from_: str = MARGO, **extra: str) -> dict[str, str]:
    """A webhook's 23 fields, counting those in `extra`."""
    form = {**form_fields(sid, from_, LINE), **extra}
    for spare in ("CalledZip", "ToZip", "CallerZip", "FromZip", "ToCity", "CalledCity"):
        if len(form) > 23:
            form.pop(spare, None)
    return form


def presses(document: str, errands: list[str]) -> str:
    """What Margo presses at this TwiML: her birth date, her postcode, then one errand after the other (taken off)."""
    digits = re.search(r'numDigits="(\d+)"', document)
    length = digits[1] if digits else "1"
    if length != "1":
        return {"8": "04121988", "5": "48104"}.get(length, "1" * int(length))
    if "nything else?" in document:
        return "1" if errands else "2"
    return errands.pop(0) if errands else "2"


def help_of(doc: str | None) -> str:
    """A module's docstring as its --help: paragraphs with columns or commands keep their lines."""
    paragraphs = (doc or "").split("\n\n")
    return "\n\n".join(f"\b\n{each}" if "  " in each else each for each in paragraphs)
