"""What an agent may grant, how like cases were treated, and why something cannot be granted."""

from __future__ import annotations

import pytest

from ivr.config import Concession
from ivr.handoff.offers import granted_in_words, offers, refusal

WAIVE = Concession(
    title="Waive a late fee", do="waive_fee", limit=20, amount="fee",
    give={"account": "account.number", "fee": "found.bill.late_fee"}, reasons=("bill",),
)  # fmt: skip
CREDIT = Concession(title="A credit", do="credit", limit=1500.5, amount="amount")
BOTH = {"waive": WAIVE, "credit": CREDIT}
FACTS = {"account": {"number": "4423"}, "found": {"bill": {"late_fee": 15}}}


def test_an_offer_has_its_limit_its_amount_and_how_like_cases_were_treated():
    assert offers(BOTH, FACTS, "bill", {"waive": (7, 9)}) == [
        {"name": "waive", "title": "Waive a late fee", "limit": 20, "amount": 15, "like": "granted in 7 of 9 like it"},
        {"name": "credit", "title": "A credit", "limit": 1500.5, "like": "no case like it yet"},
    ]


def test_only_what_fits_the_reason_is_offered():
    assert [offer["name"] for offer in offers(BOTH, FACTS, "moving", {})] == ["credit"]
    assert [offer["name"] for offer in offers(BOTH, FACTS, None, {})] == ["credit"]


def test_what_is_needed_and_not_known_is_named():
    (offer, _) = offers(BOTH, {}, "bill", {})
    assert offer["missing"] == ["account"] and "amount" not in offer


@pytest.mark.parametrize("fee", [0, -5, float("nan"), float("inf"), True, "15", None])
def test_an_amount_that_is_none_is_left_to_the_agent(fee):
    (offer, _) = offers(BOTH, {"found": {"bill": {"late_fee": fee}}}, "bill", {})
    assert "amount" not in offer


@pytest.mark.parametrize(
    ("amount", "why", "words"),
    [
        (20, "paid in time", None),
        (20.01, "paid in time", "20.01 is over your limit of 20. Grant 20 or less, or ask your lead."),
        (0, "paid in time", "An amount is a number above zero. Enter one up to 20."),
        (-3, "paid in time", "An amount is a number above zero. Enter one up to 20."),
        (float("nan"), "paid in time", "An amount is a number above zero. Enter one up to 20."),
        (float("inf"), "paid in time", "An amount is a number above zero. Enter one up to 20."),
        (5, " \n", "Say in a few words why, so that the next colleague understands."),
    ],
)
def test_a_refusal_says_what_to_do(amount, why, words):
    assert refusal(WAIVE, amount, why) == words


def test_large_limits_are_written_as_people_write_them():
    assert (
        refusal(CREDIT, 2000, "x") == "2,000 is over your limit of 1,500.50. Grant 1,500.50 or less, or ask your lead."
    )


def test_how_often_in_words():
    assert granted_in_words(7, 9) == "granted in 7 of 9 like it"
    assert granted_in_words(0, 0) == "no case like it yet"
