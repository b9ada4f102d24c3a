"""The order and race checklist of Twilio's protocol, 1 to 8: what arrives twice, late, at once, or from nobody in particular."""

from __future__ import annotations

import itertools
from functools import partial

import pytest

from ivr.store.people import PersonRow
from tests.actors import ALICIA, EMPTY, JEROME, MARGO, ROSA, STRANGER, House, Phone, at_once, webhook

# 1 and 2: the same webhook twice


@pytest.mark.parametrize("with_token", [True, False], ids=["retried by Twilio", "repeated by a proxy"])
def test_race_1_and_2_the_first_webhook_twice_is_one_call(house: House, with_token: bool) -> None:
    call = house.calls(MARGO).dial()
    before = call.trace
    call.resend(with_token=with_token)
    assert call.twiml[0] == call.twiml[1]
    assert call.trace == before
    assert len(house.rows("calls")) == 1


@pytest.mark.parametrize("with_token", [True, False], ids=["retried by Twilio", "repeated by a proxy"])
def test_race_1_and_2_a_turn_twice_is_one_turn(house: House, with_token: bool) -> None:
    call = house.calls(MARGO).dial().press("2")
    before = call.trace
    call.resend(with_token=with_token)
    assert call.twiml[-1] == call.twiml[-2]
    assert call.trace == before


def test_race_1_the_turn_that_ends_the_call_twice_is_one_end(house: House) -> None:
    call = house.calls(MARGO).dial().press("2").proves().say("no thank you")
    assert call.ended
    before = call.trace
    call.late(-2)  # the last request of all is the status callback
    assert call.twiml[-1] == call.twiml[-2] and "<Hangup/>" in call.answer
    assert call.trace == before
    assert house.rows("history", caller="margo")[0]["record"].count(call.sid) == 1


def test_race_2_what_a_turn_asks_of_the_world_is_asked_once(house: House) -> None:
    call = house.calls(STRANGER).dial().press("1").press("1").press("48104").hears("reporting an outage")
    assert len(house.rows("outbox")) == 1
    before = call.trace
    call.resend().resend(with_token=False)
    assert call.trace == before


@pytest.mark.parametrize("copies", [2, 5])
def test_race_2_the_first_webhook_several_times_at_once_is_one_call(house: House, copies: int) -> None:
    call = house.calls(MARGO)
    path, form = webhook(call, "/voice/incoming")
    answers = at_once(*[lambda: house.post(path, form)] * copies)
    assert {answer.status for answer in answers} == {200}
    assert len({answer.body for answer in answers}) == 1 and b"Margo" in answers[0].body
    assert call.types.count("started") == 1
    assert call.row["turn"] == 1 and call.row["seq"] == len(call.events)


@pytest.mark.parametrize("copies", [2, 5])
def test_race_2_a_turn_several_times_at_once_has_one_winner(house: House, copies: int) -> None:
    call = house.calls(MARGO).dial()
    path, form = webhook(call, "/voice/turn?turn=1", Digits="2")
    answers = at_once(*[lambda: house.post(path, form)] * copies)
    assert len({answer.body for answer in answers}) == 1 and b"date of birth" in answers[0].body
    assert call.types.count("heard") == 1
    assert call.row["turn"] == 2 and call.row["seq"] == len(call.events)


def test_race_2_two_workers_with_the_same_turn_have_one_winner(house: House) -> None:
    other = house.another_worker()
    call = house.calls(MARGO).dial()
    path, form = webhook(call, "/voice/turn?turn=1", Digits="2")
    answers = at_once(lambda: house.post(path, form), lambda: other.post(path, form))
    assert answers[0].body == answers[1].body
    assert call.types.count("heard") == 1 and call.row["turn"] == 2


def test_race_2_two_different_answers_to_one_question_at_once_have_one_winner(house: House) -> None:
    call = house.calls(MARGO).dial()
    bill, person = webhook(call, "/voice/turn?turn=1", Digits="2"), webhook(call, "/voice/turn?turn=1", Digits="0")
    answers = at_once(lambda: house.post(*bill), lambda: house.post(*person))
    assert answers[0].body == answers[1].body
    assert call.types.count("chose") + call.types.count("handed_off") >= 1
    assert call.types.count("heard") == 1


def test_race_2_the_turn_that_ends_several_times_at_once_folds_the_history_once(house: House) -> None:
    call = house.calls(MARGO).dial().press("2").proves()
    calls_before = len(house.rows("calls"))
    path, form = webhook(call, f"/voice/turn?turn={call.row['turn']}", SpeechResult="no thank you", Confidence="0.9")
    answers = at_once(*[lambda: house.post(path, form)] * 4)
    assert len({answer.body for answer in answers}) == 1
    assert call.types.count("ended") == 1 and call.row["outcome"] == "resolved"
    assert house.rows("history", caller="margo")[0]["record"].count(call.sid) == 1
    assert len(house.rows("calls")) == calls_before


# 3: an older turn


def test_race_3_an_older_turn_gets_the_present_question_and_never_goes_back(house: House) -> None:
    call = house.calls(MARGO).dial().press("2").press("04121988")
    present, before = call.answer, call.trace
    for late in (0, 1):
        call.late(late)
        assert call.answer == present
    assert call.trace == before
    call.press("48104").hears("$82.40")


def test_race_3_an_older_turn_with_another_key_is_no_answer_to_the_present_question(house: House) -> None:
    call = house.calls(MARGO).dial().press("3").press("04121988")
    present, before = call.answer, call.trace
    reply = house.post(*webhook(call, "/voice/turn?turn=1", Digits="0"))
    assert reply.body.decode() == present
    assert call.trace == before


@pytest.mark.parametrize("turn", ["99", "-1", "", "x", "%C2%B2", "1e9", "00000000000000000001", "2"])
def test_race_3_a_turn_that_nobody_awaits_changes_nothing(line: House, turn: str) -> None:
    call = line.calls(MARGO).dial()
    before = call.trace
    reply = line.post(*webhook(call, f"/voice/turn?turn={turn}", Digits="2"))
    assert (reply.status, reply.body.decode()) == (200, call.answer)
    assert call.trace == before


# 4: `completed` overtakes


def test_race_4_a_call_that_is_completed_before_its_last_action_closes_once_and_the_action_is_empty(
    house: House,
) -> None:
    call = house.calls(MARGO).dial().press("2")
    call.status(CallStatus="completed", CallDuration="12")
    assert call.row["state"] == "closed" and call.row["outcome"] == "caller_left"
    before = call.trace
    reply = house.post(*webhook(call, f"/voice/turn?turn={call.row['turn']}", Digits="04121988"))
    assert reply.body.decode().endswith(EMPTY)
    assert call.trace == before
    call.status(CallStatus="completed", CallDuration="12")
    assert call.trace == before


def test_race_4_a_turn_and_completed_at_once_leave_one_closed_call(house: House) -> None:
    for _ in range(6):
        call = house.calls(MARGO).dial()
        turn, over = (
            webhook(call, "/voice/turn?turn=1", Digits="2"),
            webhook(call, "/voice/status", CallStatus="completed"),
        )
        answers = at_once(partial(house.post, *turn), partial(house.post, *over))
        assert call.row["state"] == "closed" and call.types.count("ended") == 1
        assert call.row["seq"] == len(call.events)
        if "keys" not in [
            event.data["kind"] for event in call.happened("heard")
        ]:  # the end came first: nobody is there to hear the question again
            assert answers[0].body.decode().endswith(EMPTY)


class Overtaken:
    """A clock that lets `completed` in between the reading of a turn and its writing."""

    def __init__(self, house: House, call: Phone) -> None:
        self.house, self.call, self.armed = house, call, True

    def __call__(self, *given: object) -> str:
        if self.armed:
            self.armed = False
            self.house.post(*webhook(self.call, "/voice/status", CallStatus="completed"))
        return str(self.house.app.extensions["ivr"].twiml(*given))


def test_race_4_completed_in_the_middle_of_a_turn_wins_and_the_turn_answers_nothing(house: House) -> None:
    call = house.calls(MARGO).dial()
    slow = house.another_worker(render=Overtaken(house, call))
    reply = slow.post(*webhook(call, "/voice/turn?turn=1", Digits="2"))
    assert reply.body.decode().endswith(EMPTY)
    assert call.types.count("ended") == 1 and "chose" not in call.types


def test_race_4_a_message_that_is_overtaken_by_completed_is_kept(dial_house: House) -> None:
    call = dial_house.calls(MARGO).dial().press("0").dial_result("no-answer")
    slow = dial_house.another_worker(render=Overtaken(dial_house, call))
    message = {"RecordingSid": "RE1", "RecordingUrl": "https://x/RE1", "RecordingDuration": "9", "Digits": "hangup"}
    slow.post(*webhook(call, f"/voice/turn?turn={call.row['turn']}", **message))
    assert [row["sid"] for row in dial_house.rows("recordings")] == ["RE1"]
    assert call.row["outcome"] == "voicemail"


# 5: status events in any order

PROGRESS = ["initiated", "ringing", "in-progress", "completed"]


@pytest.mark.parametrize("order", list(itertools.permutations(range(4)))[::3], ids=str)
def test_race_5_status_events_in_any_order_end_in_one_closed_call(line: House, order: tuple[int, ...]) -> None:
    call = line.calls(MARGO).dial().press("2")
    for number in order:
        call.status(CallStatus=PROGRESS[number], SequenceNumber=str(number), CallbackSource="call-progress-events")
    assert (call.row["state"], call.row["outcome"]) == ("closed", "caller_left")
    assert call.types.count("ended") == 1


@pytest.mark.parametrize("status", ["completed", "busy", "failed", "no-answer", "canceled"])
def test_race_5_every_final_status_closes_the_call(line: House, status: str) -> None:
    call = line.calls(MARGO).dial()
    call.status(CallStatus=status)
    assert call.row["state"] == "closed" and call.happened("ended")[0].data["status"] == status


def test_race_5_a_status_before_the_first_webhook_does_no_harm(house: House) -> None:
    call = house.calls(MARGO)
    for status in PROGRESS:
        house.post(*webhook(call, "/voice/status", CallStatus=status))
    assert house.rows("calls") == []
    call.dial().hears("Margo")


# 6: hanging up inside things


def test_race_6_hanging_up_at_a_question_leaves_the_call_unfinished(house: House) -> None:
    call = house.calls(MARGO).dial().press("2").hang_up()
    assert (call.row["outcome"], call.row["unfinished"]) == ("caller_left", 1)


def test_race_6_hanging_up_to_end_a_message_keeps_the_message(dial_house: House) -> None:
    call = dial_house.calls(MARGO).dial().press("0").dial_result("no-answer").hears("after the tone")
    call.record(9, hang_up=True)
    assert call.row["outcome"] == "voicemail"
    assert [row["seconds"] for row in dial_house.rows("recordings", call=call.sid)] == [9]


def test_race_6_a_click_is_no_message(dial_house: House) -> None:
    call = dial_house.calls(MARGO).dial().press("0").dial_result("no-answer").record(0, hang_up=True)
    assert call.row["outcome"] == "caller_left" and dial_house.rows("recordings") == []


@pytest.mark.parametrize("status", ["canceled", "no-answer", "completed"])
def test_race_6_hanging_up_while_people_are_rung_is_the_caller_leaving(house: House, status: str) -> None:
    call = house.calls(MARGO).dial().press("0").hang_up(dial_status=status)
    assert (call.row["state"], call.row["outcome"], call.row["unfinished"]) == ("closed", "caller_left", 0)


def test_race_6_hanging_up_after_a_talk_is_a_call_that_was_handed_over(dial_house: House) -> None:
    call = dial_house.calls(MARGO).dial().press("0")
    call.agent_accepts()
    assert call.bridged
    call.hang_up(dial_status="completed")
    assert call.row["outcome"] == "handed_over"


# 7: strange callers

STRANGE = [
    "anonymous",
    "Anonymous",
    "unknown",
    "client:margo",
    "sip:margo@example.com",
    "",
    "5550100002",
    "+266696687",
    "Margo",
]


@pytest.mark.parametrize("from_", STRANGE, ids=lambda text: text or "empty")
def test_race_7_a_caller_without_a_number_has_a_good_call_and_no_profile(line: House, from_: str) -> None:
    people = len(line.rows("callers"))
    call = line.calls(from_).dial().press("1").hears("Hello, this is Northlight").does_not_hear("Margo")
    call.press("6").press("48104").hears("Main").press("1").say("no thank you")
    assert call.row["outcome"] == "resolved" and call.row["caller"] is None and call.row["number"] is None
    assert len(line.rows("callers")) == people


def test_race_7_two_callers_who_withhold_their_number_share_nothing(house: House) -> None:
    histories = house.rows("history")
    first = house.calls("anonymous").dial().press("2").press("6").hang_up()
    assert first.row["unfinished"] == 1
    second = house.calls("anonymous").dial().hears("For English")
    assert second.flow == "main" and second.session.facts["history"] == {}
    assert house.rows("history") == histories


def test_race_7_who_verifies_nothing_because_nobody_is_known_reaches_a_person(line: House) -> None:
    line.calls("client:margo").dial().press("1").press("2").does_not_hear("date of birth").hears("connecting you")


# 8: numbers and people


def test_race_8_two_live_calls_from_one_number_keep_apart(house: House) -> None:
    first, second = house.calls(MARGO).dial(), house.calls(MARGO).dial()
    first.press("2").hears("date of birth")
    second.press("3").press("04121988").press("48104").hears("last day")
    first.press("04121988").press("48104").hears("$82.40")
    assert first.session.level == second.session.level == "verified"
    second.hang_up()
    first.say("no thank you")
    assert (first.row["outcome"], second.row["outcome"]) == ("resolved", "caller_left")
    record = house.rows("history", caller="margo")[0]["record"]
    assert record.count(first.sid) == record.count(second.sid) == 1


def test_race_8_two_calls_of_one_person_that_close_at_once_are_both_in_the_history(house: House) -> None:
    calls = [house.calls(MARGO).dial() for _ in range(4)]
    hang_ups = [webhook(call, "/voice/status", CallStatus="completed") for call in calls]
    at_once(*[lambda over=over: house.post(*over) for over in hang_ups])
    record = house.rows("history", caller="margo")[0]["record"]
    assert [record.count(call.sid) for call in calls] == [1] * 4


def test_race_8_the_first_calls_of_a_new_number_that_close_at_once_make_one_person(house: House) -> None:
    for number in range(4):
        calls = [house.calls(f"+1555010050{number}").dial() for _ in range(5)]
        hang_ups = [webhook(call, "/voice/status", CallStatus="completed") for call in calls]
        at_once(*[lambda over=over: house.post(*over) for over in hang_ups])
        people = {row["caller"] for row in house.rows("numbers", number=f"+1555010050{number}")}
        assert len(people) == 1
        record = house.rows("history", caller=people.pop())[0]["record"]
        assert [record.count(call.sid) for call in calls] == [1] * 5


def test_race_8_one_person_with_two_numbers_is_the_same_person_at_both(house: House) -> None:
    house.store.put_person(PersonRow(("+15550100077",), "margo", {}), "sample", house.moment())
    house.calls("+15550100077").dial().hears("Hi Margo").hang_up()
    call = house.calls(MARGO).dial().hears("Hi Margo")
    assert call.session.person == "margo"
    assert len(house.rows("history", caller="margo")) == 1


def shared_by_margo_and_rosa(house: House) -> None:
    house.store.put_person(PersonRow((MARGO,), "rosa", {}), "sample", house.moment())


def test_race_8_a_number_of_two_people_is_anybodys_until_one_of_them_proves_it(house: House) -> None:
    shared_by_margo_and_rosa(house)
    call = house.calls(MARGO).dial()
    call.press("1").does_not_hear("Margo").does_not_hear("Rosa")
    assert call.session.level == "anyone" and call.session.person is None
    call.press("5").hears("date of birth").proves(birth="02171990", postcode="48226")
    assert (call.session.level, call.session.person) == ("verified", "rosa")
    call.hang_up()
    assert call.row["caller"] == "rosa"
    assert call.sid in house.rows("history", caller="rosa")[0]["record"]
    assert call.sid not in house.rows("history", caller="margo")[0]["record"]


def test_race_8_half_of_each_of_two_people_is_neither(house: House) -> None:
    shared_by_margo_and_rosa(house)
    call = house.calls(MARGO).dial().press("1").press("5").press("02171990").press("48104")
    assert call.session.level == "anyone"
    call.press("48104").hears("connecting you")
    assert call.session.person is None and call.row["caller"] is None


def test_race_8_a_shared_number_that_proves_nothing_teaches_us_nothing(house: House) -> None:
    shared_by_margo_and_rosa(house)
    before = house.rows("history"), house.rows("facts")
    house.calls(MARGO).dial().press("2").press("6").hang_up()
    assert (house.rows("history"), house.rows("facts")) == before


def test_race_8_a_call_that_ends_without_a_callback_is_the_last_call_to_who_rings_back(house: House) -> None:
    first = house.calls(ROSA).dial().press("2").press("4")
    house.moment.pass_by(90)
    again = house.calls(ROSA).dial()
    assert again.flow == "pick_up_again" and again.session.last["question"] == "meter_reading.reading"
    assert first.row["state"] == "open"
    again.press("1").hears("lectura")


def test_race_8_a_forwarded_call_is_not_the_person_whose_number_it_shows(line: House) -> None:
    call = line.calls(JEROME, ForwardedFrom="+15550100055").dial().hears("For English")
    assert call.session.level == "anyone" and call.flow == "main"


def test_race_8_a_number_that_failed_its_attestation_is_not_believed(line: House) -> None:
    call = line.calls(ALICIA, StirVerstat="TN-Validation-Failed-A").dial().hears("For English")
    assert call.session.level == "anyone" and call.flow == "main"
