"""/api/v1: people and facts from outside, with a token, and every refusal as one line of JSON that says what to do."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest

from ivr.errors import UsageError
from ivr.store.tokens import add_token
from tests.actors import MARGO, House, at_once
from tests.conftest import MakeHouse

NEW = "+15550400001"


class Api(NamedTuple):
    """Somebody with a token."""

    house: House
    token: str

    def __call__(self, method: str, path: str, body: Any = None, **more: Any) -> tuple[int, dict[str, Any]]:
        """The status, and what the answer says."""
        sent = {"data": json.dumps(body), "content_type": "application/json"} if body is not None else {}
        headers = {"Authorization": f"Bearer {self.token}"}
        reply = self.house.send(f"/api/v1/{path}", method=method, **{"headers": headers, **sent, **more})
        assert reply.content_type == "application/json", reply
        said = json.loads(reply.body)
        assert isinstance(said, dict)
        if reply.status >= 400:
            assert list(said) == ["error"] and "\n" not in said["error"] and len(said["error"]) < 2000
        return reply.status, said


@pytest.fixture
def api(house: House) -> Api:
    """Somebody with a token, at each kind of database."""
    return Api(house, add_token(house.store.database, "crm", house.moment()))


def test_a_caller_is_put_and_got_and_known_at_the_next_call(api: Api) -> None:
    status, said = api("PUT", f"callers/{NEW}", {"facts": {"first_name": "Ada", "prefers.language": "en"}})
    assert status == 200
    status, got = api("GET", f"callers/{NEW}")
    assert status == 200 and got["callers"][0]["caller"] == said["caller"]
    name = got["callers"][0]["facts"]["first_name"]
    assert name == {"value": "Ada", "source": "api", "at": api.house.moment()}
    api.house.calls(NEW).dial().hears("Hello Ada")


def test_putting_twice_makes_nobody_twice_and_an_empty_value_takes_a_fact_back(api: Api) -> None:
    first = api("PUT", f"callers/{NEW}", {"caller": "ada", "facts": {"first_name": "Ada"}})
    again = api("PUT", f"callers/{NEW}", {"facts": {"first_name": None, "last_name": "L"}})
    assert first == again == (200, {"caller": "ada"})
    facts = api("GET", f"callers/{NEW}")[1]["callers"][0]["facts"]
    assert list(facts) == ["last_name"]


def test_putting_a_new_number_several_times_at_once_makes_one_person(api: Api) -> None:
    put = [lambda: api("PUT", f"callers/{NEW}", {"facts": {"first_name": "Ada"}})] * 4
    assert {status for status, _ in at_once(*put)} == {200}
    assert len(api("GET", f"callers/{NEW}")[1]["callers"]) == 1


def test_a_case_is_heard_by_the_next_call(api: Api) -> None:
    case = {
        "about": "bill",
        "opened": "2026-02-20",
        "summary": "A fee.",
        "promise": "call you",
        "promise_by": "2026-03-09",
    }
    assert api("PUT", f"callers/{NEW}", {"facts": {"prefers.language": "en"}, "cases": [case]})[0] == 200
    assert api.house.calls(NEW).dial().flow == "case_update"
    assert api("GET", f"callers/{NEW}")[1]["callers"][0]["cases"][0]["promise"] == "call you"


def test_facts_are_posted_for_a_number(api: Api) -> None:
    assert api("POST", "facts", {"number": MARGO, "facts": {"first_name": "Maggie"}}) == (200, {"caller": "margo"})
    api.house.calls(MARGO).dial().hears("Maggie")


def test_a_number_may_be_written_as_people_write_it_in_an_address(api: Api) -> None:
    assert api("GET", f"callers/{MARGO.replace('+', '%2B')}")[0] == 200
    assert api("GET", "callers/+1%20555%20010%200002")[0] == 200


BAD: list[tuple[str, str, Any, int, str]] = [
    ("PUT", f"callers/{NEW}", {"facts": {"frist_name": "Ada"}}, 400, "first_name"),
    ("PUT", f"callers/{NEW}", {"facts": {"date_of_birth": "yesterday"}}, 400, "date_of_birth"),
    ("PUT", f"callers/{NEW}", {"fact": {}}, 400, "facts"),
    ("PUT", f"callers/{NEW}", {"facts": []}, 400, "facts"),
    ("PUT", f"callers/{NEW}", {"facts": "x"}, 400, "facts"),
    ("PUT", f"callers/{NEW}", {"facts": {"first_name": {"a": 1}}}, 400, "first_name"),
    ("PUT", f"callers/{NEW}", {"cases": "x"}, 400, "cases"),
    ("PUT", f"callers/{NEW}", {"cases": [{}]}, 400, "about"),
    ("PUT", f"callers/{NEW}", {"cases": [{"about": "bill", "opened": "soon"}]}, 400, "date"),
    ("PUT", f"callers/{NEW}", {"cases": [{"about": "x" * 100, "opened": "2026-01-01"}]}, 400, "about"),
    ("PUT", f"callers/{NEW}", {"cases": [{"about": {"a": 1}, "opened": "2026-01-01"}]}, 400, "about"),
    ("PUT", f"callers/{NEW}", {"cases": [{"id": "x" * 100, "about": "bill", "opened": "2026-01-01"}]}, 400, "id"),
    (
        "PUT",
        f"callers/{NEW}",
        {"cases": [{"about": "bill", "opened": "2026-01-01", "summary": "a\x00b"}]},
        400,
        "summary",
    ),
    ("PUT", f"callers/{NEW}", {"cases": [{"id": "same", "about": "bill", "opened": "2026-01-01"}] * 2}, 400, "same"),
    ("PUT", f"callers/{NEW}", {"caller": "a\x00b"}, 400, "caller"),
    ("PUT", f"callers/{NEW}", {"numbers": ["x"]}, 400, "'x'"),
    ("PUT", f"callers/{NEW}", {"numbers": {"a": 1}}, 400, "phone number"),
    ("PUT", f"callers/{NEW}", [], 400, "JSON object"),
    ("PUT", f"callers/{NEW}", "x", 400, "JSON object"),
    ("PUT", f"callers/{NEW}", None, 400, "JSON object"),
    ("PUT", "callers/nonsense", {"facts": {}}, 400, "+15551234567"),
    ("GET", "callers/nonsense", None, 400, "+15551234567"),
    ("GET", "callers/+15559999999", None, 404, "nobody"),
    ("POST", "facts", {"facts": {"first_name": "Ada"}}, 400, "number"),
    ("POST", "facts", {"number": NEW}, 400, "facts"),
    ("POST", "nowhere", {}, 404, "not found"),
    ("DELETE", f"callers/{NEW}", None, 405, "not allowed"),
]


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "says"), BAD, ids=[f"{bad[0]} {str(bad[2])[:50]}" for bad in BAD]
)
def test_what_is_wrong_is_refused_with_what_to_do_and_nothing_is_stored(
    api: Api, method: str, path: str, body: Any, status: int, says: str
) -> None:
    before = api.house.rows("callers"), api.house.rows("facts"), api.house.rows("cases")
    got, said = api(method, path, body)
    assert got == status and says in said["error"]
    assert (api.house.rows("callers"), api.house.rows("facts"), api.house.rows("cases")) == before


def test_a_case_of_somebody_else_is_not_taken_over(api: Api) -> None:
    case = {"id": "case-9", "about": "bill", "opened": "2026-01-01"}
    assert api("PUT", f"callers/{NEW}", {"caller": "ada", "cases": [case]})[0] == 200
    status, said = api("PUT", f"callers/{MARGO}", {"cases": [case]})
    assert status == 400 and "case-9" in said["error"]
    assert [row["caller"] for row in api.house.rows("cases", id="case-9")] == ["ada"]


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"\xff", b"null", b"[" * 100_000, b'{"facts": 1e999}', b'{"a": "\\ud800"}'],
    ids=lambda body: ascii(body[:12]),
)
def test_a_body_that_is_no_object_is_refused(api: Api, body: bytes) -> None:
    status, _ = api("PUT", f"callers/{NEW}", data=body[:1000], content_type="application/json")
    assert status == 400


def test_half_a_character_in_a_fact_is_no_fault(api: Api) -> None:
    body = b'{"facts": {"first_name": "\\ud800Ada\\u0000", "prefers.language": "en"}}'
    assert api("PUT", f"callers/{NEW}", data=body, content_type="application/json")[0] in (200, 400)
    assert api.house.calls(NEW).dial().answer


def test_a_body_that_is_huge_is_refused(api: Api) -> None:
    assert api("PUT", f"callers/{NEW}", {"facts": {"first_name": "x" * 400_000}})[0] == 413


def test_a_long_text_is_cut_and_not_refused(api: Api) -> None:
    assert api("PUT", f"callers/{NEW}", {"facts": {"first_name": "x" * 5000}})[0] == 200


TOKENS: dict[str, Callable[[str], dict[str, str]]] = {
    "no token": lambda token: {},
    "an empty one": lambda token: {"Authorization": "Bearer "},
    "a wrong one": lambda token: {"Authorization": f"Bearer {token}x"},
    "a part of it": lambda token: {"Authorization": f"Bearer {token[:-1]}"},
    "another scheme": lambda token: {"Authorization": f"Basic {token}"},
    "strange letters": lambda token: {"Authorization": "Bearer é\u00ff"},
    "in another place": lambda token: {"X-Token": token},
}


@pytest.mark.parametrize("headers", TOKENS.values(), ids=TOKENS.keys())
@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("PUT", f"callers/{NEW}", {"facts": {"first_name": "Ada"}}),
        ("GET", f"callers/{MARGO}", None),
        ("POST", "facts", {"number": MARGO, "facts": {"first_name": "X"}}),
    ],
    ids=["PUT", "GET", "POST"],
)
def test_without_a_good_token_nothing_is_told_and_nothing_done(
    line: House, headers: Callable[[str], dict[str, str]], method: str, path: str, body: Any
) -> None:
    token = add_token(line.store.database, "crm", line.moment())
    before = line.rows("facts"), line.rows("callers")
    status, said = Api(line, token)(method, path, body, headers=headers(token))
    assert status == 401 and "ivr tokens add" in said["error"] and "Margo" not in str(said)
    assert (line.rows("facts"), line.rows("callers")) == before


def test_a_token_is_kept_only_as_a_digest_and_its_name_once(api: Api) -> None:
    assert api.token not in api.house.dump()
    with pytest.raises(UsageError, match="choose another name"):
        add_token(api.house.store.database, "crm", 0.0)


def test_with_the_database_gone_the_answer_is_one_line_too(sqlite_url: str, make_house: MakeHouse) -> None:
    house = make_house(sqlite_url)
    api = Api(house, add_token(house.store.database, "crm", house.moment()))
    house.run("ALTER TABLE tokens RENAME TO gone")
    status, said = api("GET", f"callers/{MARGO}")
    assert status == 503 and "database" in said["error"]


def test_the_pages_for_machines(line: House) -> None:
    line.calls(MARGO).dial()
    for path, words in (("/healthz", b"ok"), ("/readyz", b"ready"), ("/metrics", b"ivr_turns_total")):
        reply = line.send(path, method="GET")
        assert reply.status == 200 and words in reply.body
    assert MARGO.encode() not in line.send("/metrics", method="GET").body
