"""The order and race checklist, 11: whose webhooks are taken, and whose are refused, always with 403 and never with a fault."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from typing import Any

import pytest
from twilio.request_validator import RequestValidator
from werkzeug.datastructures import MultiDict

from bench.shipped import TOKEN
from ivr.simulate.wire import sign
from ivr.telephony.signature import Signatures
from tests.actors import LINE, MARGO, House, webhook
from tests.conftest import MakeHouse

PUBLIC = "https://line.example.com"


@pytest.fixture
def public(sqlite_url: str, make_house: MakeHouse) -> House:
    """A server behind a proxy, known to Twilio under another address."""
    return make_house(sqlite_url, config={"public_url": PUBLIC})


def rings(house: House, path: str = "/voice/incoming", *, signed: str, token: str = TOKEN, **more: Any) -> int:
    """The status of one first webhook, signed for the URL `signed`."""
    fields = more.pop("fields", {})
    _, form = webhook(house.calls(MARGO), path, **fields)
    return house.post(path, form, url=signed, token=token, **more).status


def test_race_11_the_vector_of_twilios_own_page() -> None:
    form = MultiDict(
        {
            "CallSid": "CA1234567890ABCDE",
            "Caller": "+12349013030",
            "Digits": "1234",
            "From": "+12349013030",
            "To": "+18005551212",
        }
    )
    good = "0/KCTR6DLpKmkAf8muzZqo1nDgQ="
    url = "https://mycompany.com/myapp.php?foo=1&bar=2"
    assert Signatures(["12345"]).valid(url, form, b"", good)
    assert not Signatures(["12346"]).valid(url, form, b"", good)
    assert not Signatures(["12345"]).valid(url + "3", form, b"", good)
    assert not Signatures([]).valid(url, form, b"", good)


@pytest.mark.parametrize("path", ["/voice/incoming", "/voice/incoming/", "/voice/turn/?turn=0", "/voice/status/"])
def test_race_11_with_and_without_a_trailing_slash_and_without_a_redirect(public: House, path: str) -> None:
    assert rings(public, path, signed=PUBLIC + path) == 200


def test_race_11_a_turn_with_a_trailing_slash_keeps_its_digits(public: House) -> None:
    call = public.calls(MARGO).dial()
    reply = public.post(*webhook(call, "/voice/turn/?turn=1", Digits="2"))
    assert b"date of birth" in reply.body


def test_race_11_the_slash_is_part_of_what_is_signed(public: House) -> None:
    assert rings(public, "/voice/incoming/", signed=f"{PUBLIC}/voice/incoming") == 403


@pytest.mark.parametrize("host", ["LINE.example.com", "Line.Example.COM"])
def test_race_11_a_host_in_upper_case_is_the_same_host(public: House, host: str) -> None:
    assert rings(public, signed=f"https://{host}/voice/incoming", environ_overrides={"HTTP_HOST": host}) == 200


def test_race_11_another_host_is_another_host(public: House) -> None:
    assert rings(public, signed="https://evil.example.com/voice/incoming", base_url="https://evil.example.com") == 403


@pytest.mark.parametrize("signed", [f"{PUBLIC}/voice/incoming", f"{PUBLIC}:443/voice/incoming"])
def test_race_11_the_standard_port_may_be_named_or_not(public: House, signed: str) -> None:
    assert rings(public, signed=signed) == 200


@pytest.mark.parametrize(
    "signed", ["https://line.example.com:8443/voice/incoming", "https://line.example.com/voice/incoming"]
)
def test_race_11_a_port_of_its_own_may_be_signed_or_not(sqlite_url: str, make_house: MakeHouse, signed: str) -> None:
    house = make_house(sqlite_url, config={"public_url": "https://line.example.com:8443"})
    assert rings(house, signed=signed) == 200


@pytest.mark.parametrize(
    "query",
    ["a=1+2", "a=1%202", "a=%2B1555", "a=b%26c", "a=", "a", "a=%C3%A9", "turn=1&turn=2", "a=%e9", "a=//x", "=1&&"],
)
def test_race_11_what_is_encoded_in_the_address_is_signed_as_it_stands(public: House, query: str) -> None:
    assert rings(public, f"/voice/incoming?{query}", signed=f"{PUBLIC}/voice/incoming?{query}") == 200


def test_race_11_encoded_otherwise_it_is_another_address(public: House) -> None:
    assert rings(public, "/voice/incoming?a=1+2", signed=f"{PUBLIC}/voice/incoming?a=1%202") == 403


def test_race_11_blank_fields_spaces_and_signs_in_fields_are_signed_too(public: House) -> None:
    fields = {"CallerName": "", "Blank": "   ", "Plus": "a+b", "Percent": "100%", "Accent": "Mejía 🙂", "Lines": "a\nb"}
    assert rings(public, signed=f"{PUBLIC}/voice/incoming", fields=fields) == 200
    _, form = webhook(public.calls(MARGO), "", **fields)
    signature = sign(TOKEN, f"{PUBLIC}/voice/incoming", form)
    for name in fields:
        less = {field: value for field, value in form.items() if field != name}
        assert public.send("/voice/incoming", data=less, headers={"X-Twilio-Signature": signature}).status == 403


def test_race_11_a_field_that_is_changed_added_or_moved_is_refused(public: House) -> None:
    _, form = webhook(public.calls(MARGO), "")
    signature = {"X-Twilio-Signature": sign(TOKEN, f"{PUBLIC}/voice/incoming", form)}
    for wrong in ({**form, "From": LINE}, {**form, "New": "1"}, {}):
        assert public.send("/voice/incoming", data=wrong, headers=signature).status == 403
    assert public.send("/voice/status", data=form, headers=signature).status == 403
    assert public.send("/voice/incoming?turn=1", data=form, headers=signature).status == 403


def test_race_11_what_proxies_make_of_the_address_does_not_matter(public: House) -> None:
    headers = {"X-Forwarded-Host": "evil.example.com", "X-Forwarded-Proto": "http", "Forwarded": "host=evil"}
    assert rings(public, signed=f"{PUBLIC}/voice/incoming", base_url="http://10.0.0.7:8080", headers=headers) == 200
    assert rings(public, signed="http://evil.example.com/voice/incoming", headers=headers) == 403


@pytest.mark.parametrize("path", ["/voice/incoming", "/ivr/voice/incoming"], ids=["taken off by the proxy", "left on"])
def test_race_11_a_prefix_in_the_public_address(sqlite_url: str, make_house: MakeHouse, path: str) -> None:
    house = make_house(sqlite_url, config={"public_url": "https://example.com/ivr"})
    _, form = webhook(house.calls(MARGO), "")
    signature = sign(TOKEN, "https://example.com/ivr/voice/incoming", form)
    root = "" if path == "/voice/incoming" else "/ivr"
    reply = house.send(
        "/voice/incoming", data=form, headers={"X-Twilio-Signature": signature}, base_url=f"http://localhost{root}"
    )
    assert reply.status == 200 and b'action="https://example.com/ivr/voice/turn?turn=1#' in reply.body


def test_race_11_several_tokens_while_one_is_being_rotated(sqlite_url: str, make_house: MakeHouse) -> None:
    house = make_house(sqlite_url, config={"tokens": ("old", "new")})
    for token, status in (("old", 200), ("new", 200), ("older", 403), ("", 403)):
        assert rings(house, signed=f"{house.base}/voice/incoming", token=token) == status


def test_race_11_without_any_token_nothing_is_taken(sqlite_url: str, make_house: MakeHouse) -> None:
    house = make_house(sqlite_url, config={"tokens": ()})
    assert rings(house, signed=f"{house.base}/voice/incoming", token="") == 403


def test_race_11_a_json_body_is_known_by_its_hash(public: House) -> None:
    body = json.dumps({"CallSid": "CA1", "Level": "ERROR"})
    digest = hashlib.sha256(body.encode()).hexdigest()
    path = f"/voice/fallback?bodySHA256={digest}"
    good = sign(TOKEN, PUBLIC + path, {})
    json_type = {"content_type": "application/json"}
    assert public.send(path, data=body, headers={"X-Twilio-Signature": good}, **json_type).status == 200
    assert public.send(path, data=body + " ", headers={"X-Twilio-Signature": good}, **json_type).status == 403
    assert public.send(path, data=b"\xff\xfe", headers={"X-Twilio-Signature": good}, **json_type).status == 403
    other = path.replace(digest, "0" * 64)
    signed = {"X-Twilio-Signature": sign(TOKEN, PUBLIC + other, {})}
    assert public.send(other, data=body, headers=signed, **json_type).status == 403


def test_race_11_a_get_is_signed_over_its_address(public: House) -> None:
    path = f"/voice/incoming?CallSid=CA{'1' * 32}&From=%2B15550100002&To=%2B15550001111"
    good = {"X-Twilio-Signature": sign(TOKEN, PUBLIC + path, {})}
    reply = public.send(path, method="GET", headers=good)
    assert reply.status == 200 and b"Margo" in reply.body
    assert public.send(path + "1", method="GET", headers=good).status == 403


def test_race_11_a_field_that_is_sent_twice_is_signed_as_twilios_own_helper_signs_it(public: House) -> None:
    form = MultiDict([*webhook(public.calls(MARGO), "")[1].items(), ("Twice", "b"), ("Twice", "a"), ("Twice", "a")])
    good = RequestValidator(TOKEN).compute_signature(f"{PUBLIC}/voice/incoming", form)
    assert public.send("/voice/incoming", data=form, headers={"X-Twilio-Signature": good}).status == 200


BAD = ["", "x", "é", "=" * 28, "A" * 28, "A" * 100_000, "0/KCTR6DLpKmkAf8muzZqo1nDgQ=", "\x7f", "ÿþ", "null"]


@pytest.mark.parametrize("signature", BAD, ids=lambda text: ascii(text[:12]) or "empty")
@pytest.mark.parametrize(
    "path",
    [
        "/voice/incoming",
        "/voice/turn?turn=1",
        "/voice/status",
        "/voice/fallback",
        "/voice/whisper?call=x",
        "/voice/accept",
        "/voice/recording?call=x",
    ],
)
def test_race_11_a_bad_signature_is_refused_in_plain_text(public: House, path: str, signature: str) -> None:
    _, form = webhook(public.calls(MARGO), "")
    reply = public.send(path, data=form, headers={"X-Twilio-Signature": signature})
    assert reply.status == 403 and public.rows("calls") == []


ODD: list[dict[str, Any]] = [
    {"data": b"\xff\xfe=\xff&CallSid=%ff%fe"},
    {"data": b"CallSid=CA1&a=%"},
    {"data": b"------x\r\nbroken", "content_type": "multipart/form-data; boundary=----x"},
    {"data": b"x", "content_type": "multipart/form-data"},
    {"data": b"[1", "content_type": "application/json"},
    {"data": b"a=1", "content_type": "application/x-www-form-urlencoded; charset=utf-7"},
    {"data": b"a=1", "content_type": "application/x-www-form-urlencoded; charset=nonsense"},
    {"data": b"&".join(b"a%d=1" % number for number in range(3000))},
]


@pytest.mark.parametrize("odd", ODD, ids=lambda odd: ascii(odd["data"][:16]))
@pytest.mark.parametrize("query", ["", "?bodySHA256=00", "?%ff=%fe"])
def test_race_11_bodies_that_cannot_be_read_are_refused_and_no_fault(
    public: House, odd: dict[str, Any], query: str
) -> None:
    more = {"content_type": "application/x-www-form-urlencoded", **odd}
    reply = public.send("/voice/incoming" + query, headers={"X-Twilio-Signature": "A" * 28}, **more)
    assert reply.status == 403


def test_race_11_a_good_signature_over_invalid_utf_8_has_no_fault(public: House) -> None:
    body = b"CallSid=CA1&From=%ff%fe"
    shown = "CallSid" + "CA1" + "From" + "%FF%FE"  # what is no text is signed as it was encoded
    signed = base64.b64encode(
        hmac.new(TOKEN.encode(), f"{PUBLIC}/voice/incoming{shown}".encode(), hashlib.sha1).digest()
    ).decode()
    reply = public.send(
        "/voice/incoming",
        data=body,
        content_type="application/x-www-form-urlencoded",
        headers={"X-Twilio-Signature": signed},
    )
    assert reply.status == 200
