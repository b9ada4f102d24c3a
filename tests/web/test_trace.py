"""/desk/calls/…: a past call as it went, why it went so, and the YAML that made it."""

from __future__ import annotations

import re

import pytest

from ivr.flow.excerpt import rule_lines, step_lines
from ivr.project import Project
from ivr.simulate.dialogue import DialogueFile, read_dialogues
from ivr.simulate.record import NOBODY
from ivr.store.people import PersonRow
from tests.actors import ALICIA, JEROME, MARGO, STRANGER, House, Phone
from tests.web.browser import Browser, Page, user
from tests.web.panels import TEAM, joins

PAGES = True

HOSTILE = "<script>alert(1)</script>"


@pytest.fixture
def ana(line: House) -> Browser:
    """Ana's browser."""
    return Browser(line, user(line, "ana", targets=[TEAM]))


def shows(browser: Browser, call: Phone, only: str = "") -> Page:
    return browser.get(f"/desk/calls/{call.sid}{f'?only={only}' if only else ''}")


def proved(house: House) -> Phone:
    """Margo asks about her bill, proves who she is, hears it, and wants a person."""
    call = house.calls(MARGO).dial()
    call.press("2").proves().press("0")
    return call


def test_a_call_is_told_with_what_was_heard_and_pressed(line: House, ana: Browser) -> None:
    page = shows(ana, proved(line)).text
    assert "pressed 2" in page and "Understood as: bill, by key" in page
    assert "answered (kept secret)" in page and "Verified: they are who they say" in page
    assert "Looked up billing" in page and "Handed over to care team" in page
    assert '<li class="caller' in page and '<li class="system' in page
    assert "04121988" not in page and "48104" not in page


def test_the_choice_is_told_with_its_reasons_and_what_was_passed_over(line: House, ana: Browser) -> None:
    page = shows(ana, joins(line, ALICIA)).text
    assert "Flow case_update, because: they have one open case" in page
    assert "passed over: a death in the family" in page
    assert "used cases.open_count: 1" in page


def test_only_decisions_can_be_shown(line: House, ana: Browser) -> None:
    call = proved(line)
    everything, decided = shows(ana, call).text, shows(ana, call, "decisions").text
    assert "Understood as: bill" in decided and "Flow main, because: nothing special" in decided
    assert "pressed 2" in everything and "pressed 2" not in decided and "Looked up" not in decided


def test_every_step_shows_its_lines_of_the_bundle_that_ran(line: House, ana: Browser) -> None:
    page = shows(ana, proved(line)).text
    assert 'bill.answer <span class="muted">flows/bill.yaml:' in page
    assert "when: found.bill.open == 0, next: nothing_due" in page
    assert "flows/lines/northlight.yaml:" in page
    held = re.findall(r'<span class="line meant" data-line="\d+">([^<]*)', page)
    assert any("label: bill_question" in text for text in held)


def test_what_rests_on_what_they_may_not_see_is_told_without_its_reasons(line: House) -> None:
    call = line.calls(JEROME).dial().say("I need to close my mother's account")
    call.dial_result("no-answer")
    ops = shows(Browser(line, user(line, "omar", role="ops")), call).text
    trace = ops.split('class="timeline')[1]
    assert "for a reason that you may not see" in trace
    assert "bereavement" not in trace and "a death in the family" not in trace
    assert "I need to close my mother&#39;s account" in trace


def test_who_sees_the_purpose_sees_the_reason(line: House) -> None:
    call = line.calls(JEROME).dial().say("I need to close my mother's account")
    call.dial_result("no-answer").record(8)
    page = shows(Browser(line, user(line, "bo", targets=["bereavement_team"])), call).text
    assert "Flow bereavement, because: a death in the family" in page
    assert "used caller.tags.bereavement: yes" in page


def test_numbers_are_whole_for_ops_only(line: House, ana: Browser) -> None:
    call = joins(line)
    assert MARGO not in shows(ana, call).text and "+1•••0002" in shows(ana, call).text
    assert MARGO in shows(Browser(line, user(line, "omar", role="ops")), call).text
    assert "Number withheld" in shows(ana, joins(line, "anonymous", "1")).text


def test_numbers_that_were_keyed_in_are_masked(line: House, ana: Browser) -> None:
    call = joins(line)
    line.run(
        "UPDATE events SET private = :private WHERE sid = :sid AND type = 'heard'",
        private='{"input": {"kind": "keys", "digits": "5550100777"}}',
        sid=call.sid,
    )
    assert "5550100777" not in shows(ana, call).text
    assert "pressed 5550100777" in shows(Browser(line, user(line, "omar", role="ops")), call).text


def test_agents_see_calls_of_callers_who_are_with_their_team(line: House, ana: Browser) -> None:
    earlier = line.calls(MARGO).dial().press("1")
    earlier.hang_up()
    assert shows(ana, earlier).status == 403
    joins(line)
    assert shows(ana, earlier).status == 200
    other = Browser(line, user(line, "bo", targets=["bereavement_team"]))
    assert shows(other, earlier).status == 403
    assert shows(Browser(line, user(line, "omar", role="ops")), earlier).status == 200


def test_others_do_not_see_calls(line: House, ana: Browser) -> None:
    call = joins(line)
    assert shows(Browser(line, user(line, "dora", role="designer")), call).status == 403
    assert shows(Browser(line), call).status == 303
    assert ana.get("/desk/calls/CA-of-nobody").status == 404


def test_an_erased_call_says_so_and_keeps_its_steps(line: House, ana: Browser) -> None:
    call = proved(line)
    line.store.callers.forget(line.store.people(MARGO)[0].id)
    page = shows(Browser(line, user(line, "omar", role="ops")), call).text
    assert "What was personal in this call has been erased" in page
    assert "[erased]" in page and "Margo" not in page and MARGO not in page
    assert "As a dialogue test" not in page
    assert shows(ana, call).status in (200, 403)


def test_a_call_becomes_a_dialogue_test_without_anybodys_number(line: House, ana: Browser, tmp_path) -> None:
    call = line.calls(MARGO).dial()
    call.press("2").proves().press("0").queue_result("bridged")
    call.hang_up()
    page = shows(ana, call).text
    found = re.search(r'<pre class="copy"[^>]*>(.*?)</pre>', page, re.DOTALL)
    assert found
    test = found[1].replace("&#34;", '"').replace("&#39;", "'")
    path = tmp_path / "test.yaml"
    path.write_text(test, encoding="utf-8")
    (dialogue,) = read_dialogues(tmp_path, path)
    file: DialogueFile = dialogue.file
    assert file.caller == {"number": NOBODY} and file.call == call.to and file.at == "2026-03-02 09:15"
    lines = [dict(each) for each in file.dialogue]
    assert {"presses": "2"} in lines and {"agent": "accepts"} in lines
    assert lines.count({"verifies": "identity"}) == 1
    assert MARGO not in test


def test_hostile_words_are_shown_as_text(line: House, ana: Browser) -> None:
    line.store.put_person(PersonRow((STRANGER,), facts={"first_name": HOSTILE}), "test", line.moment())
    call = line.calls(STRANGER).dial().press("1").say(f"{HOSTILE} \u202e agent")
    call.press("0")
    page = shows(ana, call).text
    assert HOSTILE not in page and "&lt;script&gt;" in page
    assert "\u202e" not in page


# The lines themselves


def test_every_step_and_rule_of_the_shipped_flows_is_found_where_it_stands(shipped: Project) -> None:
    assert shipped.bundle is not None
    for flow in shipped.bundle.flows.values():
        for step in flow.steps:
            found = step_lines(shipped.bundle, f"{flow.flow}.{step}")
            assert found is not None and found.lines[0].strip().startswith((f"{step}:", f'"{step}":'))
            text = shipped.bundle.files[found.file].splitlines()
            assert text[found.first - 1 : found.first - 1 + len(found.lines)] == list(found.lines)
            others = [other for other in flow.steps if other != step]
            assert not [other for other in others if any(re.match(rf"  {other}:", line) for line in found.lines)]
    for name, line in shipped.bundle.lines.items():
        for index, rule in enumerate(line.choose):
            lines = rule_lines(shipped.bundle, name, index)
            assert lines is not None and rule.because in lines.lines[0]
    assert step_lines(shipped.bundle, "bill.nowhere") is None
