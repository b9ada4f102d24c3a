"""An action is posted with a key that makes it happen once."""

from __future__ import annotations

import json

import pytest

from ivr.config import ActionSpec
from ivr.lookups.actions import perform
from ivr.lookups.fault import LookupFault


def action(url: str | None = None, **more: object) -> ActionSpec:
    return ActionSpec.model_validate({"url": url, "takes": {"account": "text", "fee": "money"}, **more})


def test_it_is_a_post_with_its_key_and_only_what_it_takes(crm):
    crm.says(b"done, thank you", 201)
    given = {"account": "4411", "fee": 15, "mood": "angry"}
    perform(action(crm.url + "/waive", auth={"bearer": "T"}), given, "CA1-7", {"T": "t"}, 20)
    (seen,) = crm.seen
    assert (seen.method, seen.path, json.loads(seen.body)) == ("POST", "/waive", {"account": "4411", "fee": 15})
    assert (seen.headers["Idempotency-Key"], seen.headers["Authorization"]) == ("CA1-7", "Bearer t")


def test_a_second_try_has_the_same_key(crm):
    crm.says({}, 503)
    for _ in range(2):
        with pytest.raises(LookupFault, match="^it answered 503$"):
            perform(action(crm.url), {"account": "4411"}, "CA1-7", {}, 20)
    assert [seen.headers["Idempotency-Key"] for seen in crm.seen] == ["CA1-7", "CA1-7"]


def test_an_empty_reply_is_a_success(crm):
    crm.says(b"", 204)
    perform(action(crm.url), {"account": "4411"}, "k", {}, 20)


def test_a_value_may_stand_in_the_address(crm):
    perform(action(crm.url + "/accounts/{account}/waive"), {"account": "44/11", "fee": 15}, "k", {}, 20)
    assert crm.seen[0].path == "/accounts/44%2F11/waive"
    assert json.loads(crm.seen[0].body) == {"fee": 15}


@pytest.mark.parametrize("status", [302, 400, 404, 500])
def test_anything_but_success_is_a_fault_with_its_status(crm, status):
    crm.says({"secret": "4411"}, status)
    with pytest.raises(LookupFault) as caught:
        perform(action(crm.url), {"account": "4411"}, "k", {}, 20)
    assert caught.value.status == status
    assert "4411" not in str(caught.value)


def test_without_an_address_it_is_recorded_only():
    perform(action(), {"account": "4411"}, "k", {}, 20)


def test_a_key_cannot_smuggle_a_header(crm):
    with pytest.raises(LookupFault):
        perform(action(crm.url), {}, "k\r\nX: y", {}, 20)
    assert crm.seen == []
