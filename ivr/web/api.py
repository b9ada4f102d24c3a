"""/api/v1: people and their facts, for those who hold a token."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from flask import Flask, Response, abort, jsonify, request
from werkzeug.exceptions import HTTPException

from ivr.errors import IvrError, StoreGone, UsageError
from ivr.phone import e164
from ivr.store.people import PersonRow, read_person
from ivr.store.tokens import is_token
from ivr.web import console

if TYPE_CHECKING:
    from ivr.web.app import Wiring


def register(app: Flask, wiring: Wiring) -> None:
    """The routes, and errors as JSON that say what to do."""

    @app.put("/api/v1/callers/<number>")
    def put_caller(number: str) -> Response:
        _authorise(wiring)
        person = _person(wiring, {**_body(), "number": number})
        return jsonify(caller=wiring.store.put_person(person, "api", wiring.clock()))

    @app.get("/api/v1/callers/<number>")
    def get_caller(number: str) -> Response:
        _authorise(wiring)
        people = wiring.store.people(_number(wiring, number))
        if not people:
            abort(404, "nobody with this number is known")
        return jsonify(
            callers=[
                {
                    "caller": person.id,
                    "facts": {
                        name: {"value": value, "source": person.origins[name][0], "at": person.origins[name][1]}
                        for name, value in person.facts.items()
                    },
                    "cases": list(person.cases),
                }
                for person in people
            ]
        )

    @app.post("/api/v1/facts")
    def post_facts() -> Response:
        _authorise(wiring)
        person = _person(wiring, _body())
        if not person.facts:
            abort(400, '\'facts\' is missing: {"number": "+15551234567", "facts": {"first_name": "Ada"}}')
        return jsonify(caller=wiring.store.put_person(person, "api", wiring.clock()))

    @app.errorhandler(HTTPException)
    def explain(error: HTTPException) -> Response:
        if request.path.startswith("/api/"):
            response = jsonify(error=error.description)
        elif console.wants_page():
            return console.http_error(error)
        else:
            response = Response(f"{error.description}\n", mimetype="text/plain")
        response.status_code = error.code or 500
        return response

    @app.errorhandler(UsageError)
    @app.errorhandler(StoreGone)
    def tell(error: IvrError) -> Response:
        if isinstance(error, UsageError):
            response = jsonify(error=str(error))
            response.status_code = 400
        else:
            wiring.log.error("api", path=request.path, error=str(error))
            response = jsonify(error="the database does not answer; try again in a moment")
            response.status_code = 503
        return response


def _authorise(wiring: Wiring) -> None:
    given = request.headers.get("Authorization", "").removeprefix("Bearer ").strip()
    digest = hashlib.sha256(given.encode()).digest()
    if not given or not is_token(wiring.store.database, digest):
        abort(401, "send 'Authorization: Bearer TOKEN'; 'ivr tokens add NAME' makes one")


def _body() -> dict[str, Any]:
    try:
        data = request.get_json(silent=True)
    except RecursionError:
        data = None
    if not isinstance(data, dict):
        abort(400, "send a JSON object")
    return data


def _number(wiring: Wiring, text: str) -> str:
    number = e164(text, wiring.config.file.region)
    if number is None:
        abort(400, "the number must be in the form +15551234567")
    return number


def _person(wiring: Wiring, data: Mapping[str, Any]) -> PersonRow:
    person, faults = read_person(data, wiring.config.file)
    if person is None or faults:
        abort(400, "; ".join(faults))
    return person
