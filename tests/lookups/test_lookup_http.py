"""Whatever a source answers, a lookup is an object of harmless values or one plain fault, and soon."""

from __future__ import annotations

import base64
import json
import socket
from typing import Any

import pytest

from ivr.config import SourceSpec
from ivr.lookups.connections import LIMIT, Connections
from ivr.lookups.fault import LookupFault
from ivr.lookups.http import fetch

NUMBER = "+15550100001"
SOON = 20.0
"""Seconds that no test uses up unless it fails."""


def spec(url: str, **more: Any) -> SourceSpec:
    return SourceSpec.model_validate({"url": url, "takes": {"number": "phone"}, "gives": {}, **more})


def asked(url: str, give: dict[str, Any] | None = None, environment: dict[str, str] | None = None, **more: Any) -> Any:
    return fetch(spec(url, **more), {"number": NUMBER} if give is None else give, environment or {}, SOON)


def fault_of(url: str, *args: Any, **more: Any) -> LookupFault:
    with pytest.raises(LookupFault) as caught:
        asked(url, *args, **more)
    assert NUMBER not in str(caught.value) and "%2B1555" not in str(caught.value)
    return caught.value


# What is sent


def test_a_value_fills_its_place_in_the_address_percent_encoded(crm):
    crm.says({"overdue": 12.5})
    assert asked(crm.url + "/accounts/{number}") == {"overdue": 12.5}
    assert crm.seen[0].path == "/accounts/%2B15550100001"
    assert crm.seen[0].method == "GET"


def test_what_has_no_place_in_the_address_becomes_the_query(crm):
    asked(crm.url + "/a/{number}?v=2", {"number": "1", "name": "José & co", "open": True, "sum": 82.4})
    assert crm.seen[0].path == "/a/1?v=2&name=Jos%C3%A9%20%26%20co&open=true&sum=82.4"


def test_a_place_may_stand_in_the_query(crm):
    asked(crm.url + "/search?q={number}&exact=yes")
    assert crm.seen[0].path == "/search?q=%2B15550100001&exact=yes"


def test_a_post_sends_json(crm):
    asked(crm.url + "/search", {"number": NUMBER, "open": True}, method="POST")
    assert crm.seen[0].method == "POST"
    assert crm.seen[0].headers["Content-Type"] == "application/json"
    assert json.loads(crm.seen[0].body) == {"number": NUMBER, "open": True}


HOSTILE = ["a/b?c#d", "../../admin", "x\r\nHost: evil", "{number}", "%2e%2e%2f", "é\u0000", "\ud800"]


@pytest.mark.parametrize("value", HOSTILE)
def test_a_hostile_value_stays_inside_its_place(crm, value):
    asked(crm.url + "/a/{number}/end", {"number": value})
    path = crm.seen[0].path
    assert path.startswith("/a/") and path.endswith("/end") and path.count("/") == 3
    assert "?" not in path and crm.seen[0].headers["Host"] == crm.url.removeprefix("http://")


@pytest.mark.parametrize("value", ["..", ".", " .. "])
def test_a_value_cannot_climb_to_another_address(crm, value):
    fault = fault_of(crm.url + "/a/{number}/end", {"number": value})
    assert str(fault) == "a value that was given cannot stand in its address"
    assert crm.seen == []


@pytest.mark.parametrize("give", [{}, {"number": ""}, {"number": "  "}, {"number": None}])
def test_an_empty_place_would_ask_for_everybody_and_is_not_asked(crm, give):
    assert str(fault_of(crm.url + "/accounts/{number}", give)) == "its address needs 'number', which was not given"
    assert crm.seen == []


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd",
        "ftp://crm.example/{number}",
        "//crm.example",
        "http://",
        "http://x:port/",
        "http://u:p@crm.example/",
    ],
)
def test_only_plain_http_addresses_are_asked(url):
    assert "its address is not a" in str(fault_of(url))


def test_a_value_never_names_the_host():
    assert str(fault_of("http://{number}.example/")) == "a {name} cannot stand in the host of its address"


def test_an_address_that_grows_too_long_is_not_asked(crm):
    assert str(fault_of(crm.url, {"name": "x" * 9000})) == "its address becomes too long with what was given"


# Who we are


def test_a_bearer_token_comes_from_the_environment(crm):
    asked(crm.url, environment={"CRM_TOKEN": "s3cret\n"}, auth={"bearer": "CRM_TOKEN"})
    assert crm.seen[0].headers["Authorization"] == "Bearer s3cret"


def test_a_name_and_password_come_from_the_environment(crm):
    asked(crm.url, environment={"CRM_LOGIN": "ivr:päss"}, auth={"basic": "CRM_LOGIN"})
    assert base64.b64decode(crm.seen[0].headers["Authorization"].removeprefix("Basic ")).decode() == "ivr:päss"


def test_a_header_of_its_own_comes_from_the_environment(crm):
    asked(crm.url, environment={"KEY": "k1"}, auth={"header": {"X-Api-Key": "KEY"}})
    assert crm.seen[0].headers["X-Api-Key"] == "k1"


def test_a_missing_token_is_named_and_nothing_is_sent(crm):
    assert str(fault_of(crm.url, auth={"bearer": "CRM_TOKEN"})) == "the environment has no CRM_TOKEN"
    assert crm.seen == []


def test_a_token_that_no_header_can_hold_is_named_and_not_shown(crm):
    fault = fault_of(crm.url, environment={"CRM_TOKEN": "top\nsecret"}, auth={"bearer": "CRM_TOKEN"})
    assert str(fault) == "CRM_TOKEN in the environment holds characters that a header cannot"
    assert fault.__cause__ is None


# What comes back


@pytest.mark.parametrize(("status", "message"), [(404, "not found"), (410, "not found"), (500, "it answered 500")])
def test_a_status_is_a_fault(crm, status, message):
    crm.says({"error": "no"}, status)
    fault = fault_of(crm.url)
    assert (str(fault), fault.status) == (message, status)
    assert (fault.not_found, fault.unwell) == (status != 500, status == 500)


def test_a_redirect_is_not_followed(crm):
    crm.says({}, 302, Location="file:///etc/passwd")
    assert str(fault_of(crm.url)) == "it answered 302, and redirects are not followed"
    assert len(crm.seen) == 1


@pytest.mark.parametrize("body", [b"<html>", b"", b"\xff\xfe\xfa", b'{"a": 1', b"[" * 200_000, b"1" * 5000])
def test_what_is_not_json_is_a_fault(crm, body):
    crm.says(body)
    assert str(fault_of(crm.url)) == "what it answered is not JSON"


@pytest.mark.parametrize("body", [b"[1, 2]", b'"text"', b"null", b"3"])
def test_json_that_is_no_object_is_a_fault(crm, body):
    crm.says(body)
    assert str(fault_of(crm.url)) == "what it answered is not a JSON object"


def test_an_answer_as_long_as_allowed_is_read(crm):
    crm.says(b'{"a": "' + b"x" * (LIMIT - 9) + b'"}')
    assert asked(crm.url)["a"].startswith("xxx")


def test_a_huge_answer_is_a_fault(crm):
    crm.says(b'{"a": "' + b"x" * LIMIT + b'"}')
    assert str(fault_of(crm.url)) == "it answered more than 256 kB"


def test_an_answer_without_end_is_read_no_further_than_the_limit(crm):
    def pour(handler: Any) -> None:
        handler.send_response(200)
        handler.end_headers()
        while not crm.over.is_set():
            handler.wfile.write(b"x" * 65536)

    crm.does(pour)
    assert str(fault_of(crm.url)) == "it answered more than 256 kB"


OK = b"HTTP/1.1 200 OK\r\n"


@pytest.mark.parametrize("begins", [b"", OK + b"X: ", OK + b"Content-Length: 99999\r\n\r\n"])
def test_bytes_that_drip_do_not_outlast_the_deadline(crm, begins):
    def drip(handler: Any) -> None:
        handler.wfile.write(begins)
        # For ever, a byte at a time, each well within any timeout for one read.
        while not crm.over.wait(0.005):
            handler.wfile.write(b"x")
            handler.wfile.flush()

    crm.does(drip)
    with pytest.raises(LookupFault, match="^it did not answer in time$"):
        fetch(spec(crm.url), {}, {}, 0.3)


def test_silence_does_not_outlast_the_deadline(crm):
    crm.waits()
    with pytest.raises(LookupFault, match="^it did not answer in time$"):
        fetch(spec(crm.url), {}, {}, 0.05)


def test_no_time_left_is_no_question(crm):
    with pytest.raises(LookupFault, match="^it did not answer in time$"):
        fetch(spec(crm.url), {}, {}, 0.0)
    assert crm.seen == []


def test_nobody_there_is_a_fault():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        assert str(fault_of(f"http://127.0.0.1:{taken.getsockname()[1]}/")) == "it cannot be reached"


def test_plain_http_where_tls_is_expected_is_a_fault(crm):
    crm.does(lambda handler: handler.wfile.write(b"what?"))
    assert str(fault_of(crm.url.replace("http:", "https:"))) == "there is no secure connection to it"


@pytest.mark.parametrize("sent", [b"SSH-2.0-OpenSSH_9\r\n", b"HTTP/1.1 abc\r\n\r\n", OK + b"A: b\r\n" * 500 + b"\r\n"])
def test_what_is_not_http_is_a_fault(crm, sent):
    def answer(handler: Any) -> None:
        handler.wfile.write(sent)
        handler.close_connection = True

    crm.does(answer)
    assert str(fault_of(crm.url)) == "what it answered is not HTTP"


def test_an_answer_cut_short_is_a_fault(crm):
    def cut(handler: Any) -> None:
        handler.wfile.write(OK + b"Content-Length: 100\r\n\r\n{}")
        handler.close_connection = True

    crm.does(cut)
    assert str(fault_of(crm.url)) == "what it answered is not HTTP"


def test_hostile_text_stays_text(crm):
    crm.says({"name": "<Say>hi</Say>{{ caller.x }}", "other": "a\u0000b\u0007c\ud800d", "bad\u0000key": 1})
    assert asked(crm.url) == {"name": "<Say>hi</Say>{{ caller.x }}", "other": "abcd", "badkey": 1}


def test_numbers_and_depths_that_nobody_could_store_are_not_known(crm):
    deep = b"[" * 60 + b"]" * 60
    huge = b"1" + b"0" * 400
    crm.says(b'{"a": NaN, "b": 1e999, "c": -Infinity, "d": %b, "e": %b, "f": [1, {"g": [2.5]}]}' % (huge, deep))
    answer = asked(crm.url)
    assert (answer["a"], answer["b"], answer["c"]) == (None, None, None)
    assert answer["d"] == huge.decode()
    assert len(json.dumps(answer["e"])) < 40
    assert answer["f"] == [1, {"g": [2.5]}]


# Connections


def test_a_connection_is_used_again(crm):
    connections = Connections()
    for _ in range(3):
        fetch(spec(crm.url), {}, {}, SOON, connections)
    assert len({seen.connection for seen in crm.seen}) == 1
    connections.close()


def test_a_connection_that_was_closed_meanwhile_is_replaced(crm):
    connections = Connections()

    def answer_and_leave(handler: Any) -> None:
        handler.wfile.write(OK + b"Content-Length: 2\r\n\r\n{}")
        handler.close_connection = True

    crm.does(answer_and_leave)
    for _ in range(3):
        assert fetch(spec(crm.url), {}, {}, SOON, connections) == {}
    assert len({seen.connection for seen in crm.seen}) == 3
    connections.close()


def test_after_a_fault_the_connection_is_not_trusted(crm):
    connections = Connections()
    crm.says(b" " * (LIMIT + 1))
    with pytest.raises(LookupFault):
        fetch(spec(crm.url), {}, {}, SOON, connections)
    crm.says({"a": 1})
    assert fetch(spec(crm.url), {}, {}, SOON, connections) == {"a": 1}
    assert len({seen.connection for seen in crm.seen}) == 2
    connections.close()


def test_an_answer_that_ends_with_the_connection_is_whole(crm):
    def answer(handler: Any) -> None:
        handler.wfile.write(b'HTTP/1.0 200 OK\r\n\r\n{"a": "to the end"}')
        handler.close_connection = True

    crm.does(answer)
    assert asked(crm.url) == {"a": "to the end"}


def test_an_answer_in_chunks_is_whole_and_its_connection_is_kept(crm):
    chunks = b'3\r\n{"a\r\n5\r\n": 1}\r\n0\r\n\r\n'
    crm.does(lambda handler: handler.wfile.write(OK + b"Transfer-Encoding: chunked\r\n\r\n" + chunks))
    connections = Connections()
    for _ in range(2):
        assert fetch(spec(crm.url), {}, {}, SOON, connections) == {"a": 1}
    assert len({seen.connection for seen in crm.seen}) == 1
    connections.close()
