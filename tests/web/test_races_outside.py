"""The order and race checklist, 9, 12, 14 and 15: sources, agents, clocks, and flows that change under a call."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from bench.shipped import FOLDER, environment
from ivr.project import Project, read_project
from ivr.simulate.line import Moment
from tests.actors import EMERGENCY, MARGO, STRANGER, Crm, House, Phone, webhook

BILL = {"open": 82.4, "due": "2026-03-10", "late_fee": 0, "first_fee_this_year": True}
ACCOUNT = {"number": "4411", "overdue": 0, "last_reading": 48120, "outage": False}

# 9: sources


def asks_for_her_bill(house: House) -> Phone:
    return house.calls(MARGO).dial().press("2").proves()


def test_race_9_a_slow_source_is_bridged_with_words_and_its_late_answer_still_arrives(house: House) -> None:
    slow = house.another_worker(sources=Crm(account=ACCOUNT, billing=["late", "late", BILL]))
    call = asks_for_her_bill(slow)
    assert "$82.40" in call.words and "moment" in call.words
    asked = [event.data["kind"] for event in call.happened("asked")]
    assert asked.count("moment") == 2
    assert call.happened("looked_up")[0].data["source"] == "billing"


def test_race_9_a_source_that_never_answers_leads_to_a_person_after_three_fillers(house: House) -> None:
    call = asks_for_her_bill(house.another_worker(sources=Crm(account=ACCOUNT, billing="late")))
    call.hears("connecting you")
    assert [event.data["kind"] for event in call.happened("asked")].count("moment") == 3
    assert call.happened("lookup_failed")[0].data["why"] == "late"


def test_race_9_a_fillers_redirect_that_is_repeated_asks_once(house: House) -> None:
    slow = house.another_worker(sources=Crm(account=ACCOUNT, billing="late"))
    call = asks_for_her_bill(slow)
    before = call.trace
    call.resend(with_token=False)
    assert call.trace == before and call.twiml[-1] == call.twiml[-2]


def test_race_9_a_source_that_fails_leads_where_the_flow_says(line: House) -> None:
    broken = line.another_worker(sources=Crm())
    asks_for_her_bill(broken).hears("connecting you")
    # The outage flow has a branch of its own: then the report is taken.
    broken.calls(STRANGER).dial().press("1").press("1").press("48104").hears("reporting an outage")


def test_race_9_a_source_that_fails_before_the_choice_is_simply_not_known(line: House) -> None:
    call = line.another_worker(sources=Crm(account="late")).calls(MARGO).dial().hears("Hi Margo")
    assert call.flow == "main"


def test_race_9_what_asks_sources_may_break_and_the_caller_still_has_a_person(line: House) -> None:
    broken = line.another_worker(sources=Crm(account=ACCOUNT, billing=RuntimeError("a fault of ours")))
    call = asks_for_her_bill(broken)
    call.hears("something went wrong")
    assert EMERGENCY in call.answer


def test_race_9_no_source_is_ever_asked_for_longer_than_a_turn_may_last(line: House) -> None:
    crm = Crm(account=ACCOUNT, billing="late")
    asks_for_her_bill(line.another_worker(sources=crm))
    assert crm.asked and all(0 <= budget <= 4 for _, _, budget in crm.asked)


HOSTILE = [
    "</Say><Hangup/><Dial>+15550009999</Dial>",
    "A & B <C> \"D\" 'E' ]]> <!-- -->",
    "nul \x00 bell \x07 tab \t escape \x1b non-character \ufffe",
    "half of a pair \ud83d",
    "🙂 \u202e reversed",
    "x" * 100_000,
    "&#0; &lt; &amp;amp; %00 {{ caller.date_of_birth }} {% if x %}",
]


@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: ascii(text[:16]))
def test_race_9_hostile_or_huge_text_from_a_source_is_only_text(house: House, text: str) -> None:
    spec = house.config.file.sources["service_points"]
    from ivr.personal.snapshot import declared_values

    shop = {"name": text, "street": text, "opens": "09:00", "closes": "17:00"}
    answer = declared_values(spec.gives, {"shops": [shop] * 50})
    lying = house.another_worker(sources=Crm(account=ACCOUNT, service_points=answer))
    call = lying.calls(STRANGER).dial().press("1").press("6").press("48104").does_not_hear("went wrong")
    assert "+15550009999</Dial>" not in call.answer and "1988" not in call.answer
    call.press("1").does_not_hear("went wrong")
    assert len(call.answer) < 64_000


@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: ascii(text[:16]))
def test_race_9_hostile_or_huge_words_of_a_caller_are_only_text(house: House, text: str) -> None:
    call = house.calls("+15550100001").dial().hears("how")
    call.say(text.replace("\ud83d", "\ufffd")[:50_000], 0.4).does_not_hear("went wrong")
    call.agent_accepts()
    assert call.bridged
    call.dial_result("completed").hears("goodbye")


# 12: the agent's leg (a survey comes with another issue)


def rings_people(house: House) -> Phone:
    return house.calls(MARGO).dial().press("0").hears("connecting you")


@pytest.mark.parametrize("keys", ["", "2", "9", "*"], ids=["silence, a mailbox", "2", "9", "star"])
def test_race_12_an_agent_who_does_not_press_the_key_never_has_the_call(dial_house: House, keys: str) -> None:
    call = rings_people(dial_house)
    call.agent_declines(keys)
    assert not call.bridged
    call.dial_result("completed", seconds=12).hears("after the tone").record(7).hears("goodbye")
    assert call.row["outcome"] == "voicemail"


def test_race_12_an_agent_who_takes_the_call_has_it_and_the_call_says_so(dial_house: House) -> None:
    call = rings_people(dial_house).agent_accepts()
    call.hears("press 1 to accept")
    assert call.bridged
    call.dial_result("completed", seconds=90).hears("goodbye")
    assert call.row["outcome"] == "handed_over"
    rung = {"target": "care_team", "task": f"{call.sid}-1", "reason": None}
    assert call.happened("dialled")[0].data == {"status": "completed", "bridged": True, "seconds": 90, **rung}


def test_race_12_the_whisper_tells_what_the_call_is_about_and_to_the_agent_only(line: House) -> None:
    call = line.calls("+15550100001").dial().say("my mother died")
    call.agent_accepts(noun=1).hears("press 1")
    assert call.bridged and "<Dial" in call.twiml[1] and "whisper" in call.twiml[1]


@pytest.mark.parametrize("status", ["busy", "no-answer", "failed", "canceled", "completed"])
def test_race_12_without_a_bridge_the_caller_can_leave_a_message(dial_house: House, status: str) -> None:
    call = rings_people(dial_house).dial_result(status, bridged=False).hears("after the tone")
    assert call.happened("dialled")[0].data["status"] == status
    call.record(5)
    assert call.row["outcome"] == "voicemail"


def test_race_12_nobody_and_no_message_is_a_caller_who_left(dial_house: House) -> None:
    call = rings_people(dial_house).dial_result("busy").silence()
    assert call.row["outcome"] == "caller_left"


def test_race_12_the_dial_result_twice_is_one_result(dial_house: House) -> None:
    call = rings_people(dial_house).dial_result("no-answer")
    before = call.trace
    call.resend().resend(with_token=False)
    assert call.trace == before


def test_race_12_the_caller_gone_first_and_the_result_late_mends_the_outcome_once(house: House) -> None:
    call = rings_people(house)
    call.status(CallStatus="completed", CallDuration="80")
    assert call.row["outcome"] == "caller_left"
    result = webhook(
        call,
        f"/voice/turn?turn={call.row['turn']}",
        DialCallStatus="completed",
        DialBridged="true",
        DialCallDuration="61",
    )
    assert house.post(*result).body.endswith(b"<Response/>")
    assert call.row["outcome"] == "handed_over"
    assert call.happened("dialled")[-1].data == {"status": "completed", "bridged": True, "seconds": 61, "late": True}
    before = call.trace
    house.post(*result)
    assert call.trace == before


def test_race_12_a_late_result_of_nobody_leaves_the_outcome_as_it_is(house: House) -> None:
    call = rings_people(house)
    call.status(CallStatus="completed")
    house.post(*webhook(call, f"/voice/turn?turn={call.row['turn']}", DialCallStatus="canceled", DialBridged="false"))
    assert call.row["outcome"] == "caller_left" and len(call.happened("dialled")) == 1


def test_race_12_the_whisper_of_a_call_that_is_over_or_unknown_is_harmless(line: House) -> None:
    call = rings_people(line)
    call.hang_up()
    for sid in (call.sid, "CA" + "0" * 32, "", "x" * 500, "'; drop table calls"):
        reply = line.post("/voice/whisper?call=" + sid.replace(" ", "%20"), {"CallSid": "CA" + "9" * 32})
        assert reply.status == 200 and b"<Gather" in reply.body and b"<Dial" not in reply.body


def test_race_12_with_the_database_gone_the_agent_is_still_asked_for_the_key(
    dial_line: House,
) -> None:
    call = rings_people(dial_line)
    dial_line.run("ALTER TABLE calls RENAME TO gone")
    call.agent_accepts()
    assert call.bridged


# 14: hours

DETROIT = ZoneInfo("America/Detroit")


@pytest.mark.parametrize(
    ("at", "is_open"),
    [
        ("2026-03-06 07:59:59", False),
        ("2026-03-06 08:00:00", True),
        ("2026-03-06 19:59:59", True),
        ("2026-03-06 20:00:00", False),
        ("2026-03-07 09:00:00", True),  # Saturday
        ("2026-03-07 13:00:00", False),
        ("2026-03-08 10:00:00", False),  # Sunday; the clocks went forward this night
        ("2026-03-09 07:59:59", False),
        ("2026-03-09 08:00:00", True),
        ("2026-10-30 08:00:00", True),
        ("2026-11-02 07:59:59", False),  # the clocks went back the night before
        ("2026-11-02 08:00:00", True),
        ("2026-11-02 19:59:59", True),
        ("2026-11-26 10:00:00", False),  # Thanksgiving
        ("2026-07-03 10:00:00", False),  # the fourth is a Saturday, so the third is off
        ("2026-07-04 10:00:00", False),
    ],
)
def test_race_14_the_line_opens_and_closes_by_its_own_clock(line: House, at: str, is_open: bool) -> None:
    line.moment.at = datetime.fromisoformat(at).replace(tzinfo=DETROIT).timestamp()
    assert line.calls(MARGO).dial().flow == ("main" if is_open else "after_hours")


def test_race_14_the_same_hour_is_an_hour_earlier_in_utc_once_summer_time_begins(line: House) -> None:
    for day, hour in ((6, 13), (9, 12)):
        line.moment.at = datetime(2026, 3, day, hour, 0, tzinfo=ZoneInfo("UTC")).timestamp()
        assert line.calls(MARGO).dial().flow == "main"
        line.moment.at -= 1
        assert line.calls(MARGO).dial().flow == "after_hours"


def test_race_14_a_call_that_outlasts_the_hours_is_told_the_truth(line: House) -> None:
    line.moment.at = datetime(2026, 3, 6, 19, 59, 30, tzinfo=DETROIT).timestamp()
    call = line.calls(MARGO).dial()
    line.moment.pass_by(60)
    call.press("0").does_not_hear("connecting you").hears("after the tone")


Changes = Mapping[str, Callable[[str], str]]


@pytest.fixture
def changed(tmp_path: Path) -> Callable[[Changes], Project]:
    """The shipped project with some of its files written anew."""

    def change(changes: Changes) -> Project:
        folder = tmp_path / "project"
        if not folder.exists():
            for name in ("flows", "prompts", "samples"):
                shutil.copytree(FOLDER / name, folder / name)
            shutil.copyfile(FOLDER / "config.yaml", folder / "config.yaml")
        for name, rewrite in changes.items():
            path = folder / name
            before = path.read_text()
            path.write_text(rewrite(before))
            assert path.read_text() != before
        return read_project(folder, environment("sqlite:///unused.db"))

    return change


def test_race_14_an_exception_may_cross_midnight(sqlite_url: str, moment: Moment, changed: Any) -> None:
    made = changed(
        {
            "flows/lines/northlight.yaml": lambda text: text.replace(
                "holidays: US-MI", 'exceptions: {2026-03-08: "22:00-02:00"}'
            )
        }
    )
    assert made.bundle is not None, made.problems
    house = House(made, sqlite_url, moment)
    for at, flow in (
        ("08 21:59", "after_hours"),
        ("08 23:30", "main"),
        ("09 01:59", "main"),
        ("09 02:00", "after_hours"),
    ):
        moment.at = datetime.fromisoformat(f"2026-03-{at}").replace(tzinfo=DETROIT).timestamp()
        assert house.calls(MARGO).dial().flow == flow, at
    house.shut()


# 15: flows that change under a call


def test_race_15_a_call_finishes_on_the_version_it_began_with(house: House, changed: Any) -> None:
    old = house.calls(MARGO).dial().press("2").hears("your date of birth")
    made = changed(
        {
            "prompts/en/main.yaml": lambda text: text.replace("brisk: Anything else?", "brisk: Anything more at all?"),
            "flows/bill.yaml": lambda text: text.replace(
                "say: bill_amount, answers", "say: [bill_amount, goodbye], answers"
            ),
        }
    )
    assert made.bundle is not None, made.problems
    house.store.bundles.publish(made.bundle, house.moment())
    house.moment.pass_by(3)
    old.proves().hears("anything else?").does_not_hear("anything more")
    new = house.calls(MARGO).dial().press("2").proves().hears("anything more at all?")
    assert old.row["bundle"] != new.row["bundle"] == made.bundle.id


def test_race_15_also_on_another_worker_that_never_saw_the_old_version(house: House, changed: Any) -> None:
    old = house.calls(MARGO).dial().press("2")
    made = changed(
        {"prompts/en/main.yaml": lambda text: text.replace("brisk: Anything else?", "brisk: Anything more?")}
    )
    other = house.another_worker()
    other.store.bundles.publish(made.bundle, house.moment())
    restarted = house.another_worker()
    old.house = restarted
    old._webhooks._wire.house = restarted
    old.proves().hears("anything else?")
    # The one that published is not asked by the other: it hears of it from the database, within a second or two.
    assert house.calls(MARGO).dial().row["bundle"] == old.row["bundle"]
    house.moment.pass_by(1.5)
    assert house.calls(MARGO).dial().row["bundle"] == made.bundle.id


def test_race_15_a_broken_save_changes_nothing_for_anybody(house: House, changed: Any) -> None:
    old = house.calls(MARGO).dial().press("2")
    broken = changed({"flows/bill.yaml": lambda text: text.replace("next: look}", "next: lok}")})
    assert broken.bundle is None and any("lok" in str(problem) for problem in broken.problems)
    house.moment.pass_by(3)
    old.proves().hears("$82.40")
    assert house.another_worker().calls(MARGO).dial().row["bundle"] == old.row["bundle"]
    mended = changed(
        {
            "flows/bill.yaml": lambda text: text.replace("next: lok}", "next: look}"),
            "prompts/en/main.yaml": lambda text: text.replace("brisk: Anything else?", "brisk: Anything more?"),
        }
    )
    house.store.bundles.publish(mended.bundle, house.moment())
    assert house.calls(MARGO).dial().row["bundle"] == mended.bundle.id
    old.say("no thank you")
    assert old.row["outcome"] == "resolved"


def test_race_15_a_step_that_is_gone_with_its_version_ends_at_a_person_as_an_event(house: House, changed: Any) -> None:
    old = house.calls(MARGO).dial().press("6")
    made = changed(
        {
            "flows/service_points.yaml": lambda text: text.replace("  where:\n", "  whereabouts:\n").replace(
                "start: where", "start: whereabouts"
            )
        }
    )
    assert made.bundle is not None, made.problems
    house.store.bundles.publish(made.bundle, house.moment())
    house.run("DELETE FROM bundles WHERE id = :id", id=old.row["bundle"])
    fresh = house.another_worker()
    old._webhooks._wire.house = fresh
    old.press("48104").hears("connecting you")
    assert [event.data["code"] for event in old.happened("fault")] == ["missing-step"]
