"""From a declaration and the values to send to an HTTP request, and its reply. Shared by lookups and actions."""

from __future__ import annotations

import base64
import http.client
import json
import re
import ssl
from collections.abc import Mapping
from typing import Any
from urllib.parse import SplitResult, quote, unquote, urlencode, urlsplit

from ivr.clock import stopwatch
from ivr.config import Auth
from ivr.lookups.connections import LIMIT, Connections, Origin, Reply
from ivr.lookups.fault import LookupFault, for_status

_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
_LONGEST_TARGET = 8000
_TEMPLATE_SAFE = "%/:?#[]@!$&'()*+,;=~-._"


def exchange(
    method: str,
    url: str,
    give: Mapping[str, Any],
    headers: Mapping[str, str],
    timeout: float,
    connections: Connections | None,
) -> bytes:
    """Sends `give` and returns the body of a 2xx reply of at most LIMIT bytes. Raises LookupFault for everything else.

    What the address has no `{name}` for goes into the query of a GET and into the JSON body of a POST. Without
    `connections` one is made for this exchange alone.
    """
    origin, target = address(method, url, give)
    body = None
    headers = {**headers, "Host": _host(origin), "Accept": "application/json", "User-Agent": "ivr"}
    if method == "POST":
        body = json.dumps({name: value for name, value in give.items() if f"{{{name}}}" not in url}).encode()
        headers["Content-Type"] = "application/json"
    reply = _reply(method, origin, target, headers, body, timeout, connections)
    if not 200 <= reply.status < 300:
        raise for_status(reply.status)
    if len(reply.body) > LIMIT:
        raise LookupFault(f"it answered more than {LIMIT // 1024} kB", status=reply.status, unwell=True)
    return reply.body


def _reply(
    method: str,
    origin: Origin,
    target: str,
    headers: Mapping[str, str],
    body: bytes | None,
    timeout: float,
    connections: Connections | None,
) -> Reply:
    # Each message says what happened and nothing of the exception: those quote addresses and headers.
    used = connections or Connections()
    try:
        return used.request(method, origin, target, headers, body, stopwatch() + timeout)
    except TimeoutError:
        raise LookupFault("it did not answer in time", unwell=True) from None
    except ssl.SSLError:
        raise LookupFault("there is no secure connection to it", unwell=True) from None
    except OSError:
        raise LookupFault("it cannot be reached", unwell=True) from None
    except (http.client.HTTPException, ValueError):
        raise LookupFault("what it answered is not HTTP", unwell=True) from None
    finally:
        if connections is None:
            used.close()


def address(method: str, url: str, give: Mapping[str, Any]) -> tuple[Origin, str]:
    """Where the request goes. A value fills a place in the path or the query and can never change the place itself."""
    try:
        parts = urlsplit(url)
        origin = Origin(parts.scheme, parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80))
    except ValueError:
        raise LookupFault("its address is not a URL") from None
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username is not None:
        raise LookupFault("its address is not a plain http or https URL")
    if "{" in parts.netloc:
        raise LookupFault("a {name} cannot stand in the host of its address")
    target = _target(method, parts, give)
    if len(target) > _LONGEST_TARGET:
        raise LookupFault("its address becomes too long with what was given")
    return origin, target


def _target(method: str, parts: SplitResult, give: Mapping[str, Any]) -> str:
    path, query = _filled(parts.path, give) or "/", _filled(parts.query, give)
    # `..` given for an account would ask for something else altogether, and servers decode %2e before they look.
    if any(unquote(segment) in (".", "..") for segment in path.split("/")):
        raise LookupFault("a value that was given cannot stand in its address")
    if method == "GET":
        used = {*_PLACEHOLDER.findall(parts.path), *_PLACEHOLDER.findall(parts.query)}
        more = _encoded({name: _text(value) for name, value in give.items() if name not in used})
        query = "&".join(part for part in (query, more) if part)
    return f"{path}?{query}" if query else path


def _filled(template: str, give: Mapping[str, Any]) -> str:
    def fill(place: re.Match[str]) -> str:
        text = _text(give.get(place[1])).strip()
        if not text:
            # An empty place would turn one account's address into the address of all of them.
            raise LookupFault(f"its address needs '{place[1]}', which was not given")
        return _quoted(text)

    # Split, so that what a value holds is never taken for a place of its own.
    texts = _PLACEHOLDER.split(template)
    places = iter(_PLACEHOLDER.finditer(template))
    return "".join(
        fill(next(places)) if index % 2 else quote(text, safe=_TEMPLATE_SAFE) for index, text in enumerate(texts)
    )


def _quoted(text: str) -> str:
    return quote(text, safe="", errors="replace")


def _encoded(values: Mapping[str, str]) -> str:
    return urlencode(values, errors="replace", quote_via=quote)


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else json.dumps(value)


def _host(origin: Origin) -> str:
    host = f"[{origin.host}]" if ":" in origin.host else origin.host
    usual = {"http": 80, "https": 443}[origin.scheme]
    return host if origin.port == usual else f"{host}:{origin.port}"


def auth_headers(auth: Auth | None, environment: Mapping[str, str]) -> dict[str, str]:
    """The headers that prove who we are. Raises LookupFault, naming the variable, where the environment lacks one."""
    if auth is None:
        return {}
    headers: dict[str, str] = {}
    if auth.bearer:
        headers["Authorization"] = f"Bearer {_in_header(auth.bearer, environment)}"
    elif auth.basic:
        pair = base64.b64encode(_secret(auth.basic, environment).encode()).decode()
        headers["Authorization"] = f"Basic {pair}"
    for header, name in (auth.header or {}).items():
        headers[header] = _in_header(name, environment)
    return headers


def _secret(name: str, environment: Mapping[str, str]) -> str:
    # Secrets are often mounted from files that end in a newline.
    value = environment.get(name, "").strip()
    if not value:
        raise LookupFault(f"the environment has no {name}")
    return value


def _in_header(name: str, environment: Mapping[str, str]) -> str:
    value = _secret(name, environment)
    if not value.isascii() or not value.isprintable():
        raise LookupFault(f"{name} in the environment holds characters that a header cannot")
    return value
