"""Race 13 and what goes wrong around a queue: whoever is late or silent, the caller is never lost and never answered twice."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from ivr.handoff.task import Task
from ivr.store.users import User
from ivr.web.app import Wiring
from ivr.web.taking import Taken, take
from tests.actors import ALICIA, MARGO, STRANGER, House, Phone, at_once
from tests.conftest import MakeHouse
from tests.fake_twilio import FakeTwilio
from tests.web.browser import user
from tests.web.legs import Leg


@pytest.fixture
def desk(make_house: MakeHouse, database_url: str, fake_twilio: FakeTwilio) -> House:
    """A server whose agents' phones Twilio rings, on each kind of database."""
    return make_house(database_url, config=with_twilio(fake_twilio))


@pytest.fixture
def small_desk(make_house: MakeHouse, sqlite_url: str, fake_twilio: FakeTwilio) -> House:
    """The same on SQLite only."""
    return make_house(sqlite_url, config=with_twilio(fake_twilio))


def with_twilio(twilio: FakeTwilio) -> dict[str, object]:
    return {**twilio.account, "public_url": "https://line.example"}


def waits(house: House, number: str = STRANGER) -> Phone:
    """Somebody who asked for a person and waits."""
    call = house.calls(number).dial()
    if "English" in call.words:
        call.press("1")
    call.press("0")
    assert call.waiting == "Enqueue"
    return call


def task_of(call: Phone) -> Task:
    """What people have to do for this call."""
    (task,) = call.house.store.tasks.of_call(call.sid)
    return task


def agent(house: House, login: str = "ana") -> User:
    """An agent with a phone, ready."""
    made = user(house, login, phone="+15550002222")
    house.store.users.set_presence(made.id, "available", house.moment())
    return made


def takes(house: House, who: User, call: Phone) -> Taken:
    """They press the button."""
    wiring: Wiring = house.app.extensions["ivr"]
    return take(wiring, who, task_of(call))


def presence(house: House, who: User) -> str:
    found = house.store.users.get(who.id)
    assert found is not None
    return found.presence


def test_a_caller_waits_in_a_queue_of_their_own_and_hears_where_they_stand(desk: House) -> None:
    first, second = waits(desk), waits(desk, MARGO)
    first.hears("next in line")
    second.hears("number 2 in line")
    assert f">{task_of(first).id}</Enqueue>" in first.twiml[-2]
    assert task_of(first).state == "waiting" and task_of(second).reason is None


def test_an_agent_takes_a_caller_talks_and_writes_up(desk: House, fake_twilio: FakeTwilio) -> None:
    call, ana = waits(desk), agent(desk)
    assert takes(desk, ana, call).well and task_of(call).state == "ringing"
    leg = Leg(desk, fake_twilio).picks_up().hears("Press 1").presses("1")
    leg.hears(f"<Queue>{task_of(call).id}</Queue>")
    assert task_of(call).state == "talking" and presence(desk, ana) == "busy"
    leg.hangs_up()
    assert task_of(call).state == "wrap_up" and presence(desk, ana) == "wrap_up"
    call.queue_result("bridged").hears("solved now").press("1").press("5").hears("goodbye")
    assert call.row["outcome"] == "handed_over" and call.happened("surveyed")[0].data["answers"]["survey_rating"] == 5
    assert desk.store.tasks.finish(task_of(call).id, desk.moment(), "answered", "solved", "Gave her the date.")
    assert presence(desk, ana) == "available" and desk.store.tasks.open_tasks() == []


@pytest.mark.parametrize("status", ["busy", "no-answer", "failed", "canceled"])
def test_an_agent_who_does_not_answer_is_away_and_the_caller_keeps_their_place(
    small_desk: House, fake_twilio: FakeTwilio, status: str
) -> None:
    call, ana = waits(small_desk), agent(small_desk)
    entered = task_of(call).entered
    takes(small_desk, ana, call)
    Leg(small_desk, fake_twilio).ends(status)
    task = task_of(call)
    assert (task.state, task.agent, task.entered) == ("waiting", None, entered)
    assert presence(small_desk, ana) == "away"
    call.keep_waiting().hears("in line")


def test_an_agent_who_declines_or_whose_mailbox_answers_never_has_the_call(
    small_desk: House, fake_twilio: FakeTwilio
) -> None:
    call, ana = waits(small_desk), agent(small_desk)
    takes(small_desk, ana, call)
    leg = Leg(small_desk, fake_twilio).picks_up().presses("2").hears("<Hangup/>")
    leg.ends("completed")
    assert task_of(call).state == "waiting" and presence(small_desk, ana) == "away"


def test_a_caller_who_leaves_while_the_phone_rings_is_told_to_the_agent(desk: House, fake_twilio: FakeTwilio) -> None:
    call, ana = waits(desk), agent(desk)
    takes(desk, ana, call)
    leg = Leg(desk, fake_twilio)
    call.hang_up()
    assert (task_of(call).state, task_of(call).result) == ("done", "abandoned")
    leg.picks_up().hears("has hung up")
    assert presence(desk, ana) == "available" and call.row["outcome"] == "caller_left"


def test_a_caller_who_hangs_up_after_the_talk_was_handed_over_also_if_completed_overtakes(
    desk: House, fake_twilio: FakeTwilio
) -> None:
    call, ana = waits(desk), agent(desk)
    takes(desk, ana, call)
    leg = Leg(desk, fake_twilio).picks_up().presses("1")
    call.status(CallStatus="completed", CallDuration="60", SequenceNumber="0")
    assert call.row["outcome"] == "handed_over"
    assert task_of(call).state == "wrap_up"
    leg.hangs_up()
    assert task_of(call).state == "wrap_up" and task_of(call).result is None


def test_two_agents_take_one_caller_and_one_of_them_is_told_who_was_first(desk: House, fake_twilio: FakeTwilio) -> None:
    call, ana, ben = waits(desk), agent(desk), agent(desk, "ben")
    went = at_once(lambda: takes(desk, ana, call), lambda: takes(desk, ben, call))
    assert sorted(each.well for each in went) == [False, True]
    assert len(fake_twilio.calls) == 1
    (late,) = (each.words for each in went if not each.well)
    assert "has just taken this call" in late


def test_a_callback_keeps_the_callers_place_and_is_made_by_an_agent(desk: House, fake_twilio: FakeTwilio) -> None:
    call, after = waits(desk, MARGO), waits(desk)
    entered = task_of(call).entered
    call.press("1").hears("call you at").press("1")
    assert call.ended and call.row["outcome"] == "callback"
    task = task_of(call)
    assert (task.kind, task.state, task.entered, task.number) == ("callback", "waiting", entered, MARGO)
    after.keep_waiting().does_not_hear("next in line")
    ana = agent(desk)
    desk.moment.pass_by(60)
    assert takes(desk, ana, call).well
    leg = Leg(desk, fake_twilio).picks_up().presses("1").hears(f"<Number>{MARGO}</Number>")
    leg.hangs_up()
    assert task_of(call).state == "wrap_up"


def test_another_number_can_be_keyed_in_and_one_abroad_cannot(small_desk: House) -> None:
    call = waits(small_desk, "anonymous")
    call.press("1").hears("key in the number").press("00442071838750#").hears("not a number we can call")
    call.press("3135550123#").hears("call you at").press("1")
    assert task_of(call).number == "+13135550123" and task_of(call).kind == "callback"


def test_a_callback_asked_for_while_an_agent_takes_the_call_is_not_booked(desk: House, fake_twilio: FakeTwilio) -> None:
    call, ana = waits(desk, MARGO), agent(desk)
    call.press("1").hears("call you at")
    takes(desk, ana, call)
    call.press("1").hears("just coming to the phone")
    assert call.waiting == "Enqueue" and task_of(call).kind == "call"
    Leg(desk, fake_twilio).picks_up().presses("1").hears("<Queue>")


def test_an_agent_who_takes_a_callback_that_was_booked_a_moment_ago_calls_back(
    desk: House, fake_twilio: FakeTwilio
) -> None:
    call, ana = waits(desk, MARGO), agent(desk)
    seen = task_of(call)
    call.press("1").press("1")
    early = take(desk.app.extensions["ivr"], ana, seen)
    assert not early.well and "too early" in early.words
    desk.moment.pass_by(60)
    assert take(desk.app.extensions["ivr"], ana, seen).well
    Leg(desk, fake_twilio).picks_up().presses("1").hears("<Number>").hears(MARGO)


def test_the_same_caller_who_asks_twice_is_called_back_once(desk: House) -> None:
    waits(desk, MARGO).press("1").press("1")
    waits(desk, MARGO).press("1").press("1")
    assert [task.kind for task in desk.store.tasks.open_tasks()] == ["callback"]


def test_at_night_a_callback_is_promised_for_the_morning(small_desk: House) -> None:
    small_desk.moment.at = datetime(2026, 3, 2, 19, 50, tzinfo=ZoneInfo("America/Detroit")).timestamp()
    call = waits(small_desk, "+13135550100")
    small_desk.moment.at += 5400
    call.press("1").press("1").hears("March 3, from 8:00 AM")
    there = datetime.fromtimestamp(task_of(call).due, ZoneInfo("America/Detroit"))
    assert (there.day, there.hour) == (3, 8)


def test_a_wait_that_is_too_long_ends_with_a_message_and_the_task_is_over(desk: House) -> None:
    call = waits(desk)
    desk.moment.pass_by(700)
    call.keep_waiting().hears("longer than it should").hears("leave your name").record(8)
    assert call.row["outcome"] == "voicemail"
    kinds = {task.kind: task for task in desk.store.tasks.of_call(call.sid)}
    assert kinds["call"].result == "waited_too_long" and kinds["voicemail"].state == "waiting"


def test_a_wait_does_not_end_while_an_agents_phone_is_ringing(small_desk: House, fake_twilio: FakeTwilio) -> None:
    call, ana = waits(small_desk), agent(small_desk)
    takes(small_desk, ana, call)
    small_desk.moment.pass_by(700)
    call.keep_waiting().hears("just coming to the phone")
    assert call.waiting == "Enqueue"


def test_a_full_queue_says_so_at_once(make_house: MakeHouse, sqlite_url: str, shipped: object) -> None:
    house = make_house(sqlite_url)
    for _ in range(40):
        waits(house)
    last = house.calls(STRANGER).dial().press("0")
    last.hears("all places in line are taken").hears("leave your name")
    assert house.store.tasks.size("care_team") == 40


def test_a_message_that_arrives_after_the_caller_hung_up_is_there_for_the_agents(desk: House) -> None:
    call = waits(desk)
    desk.moment.pass_by(700)
    call.keep_waiting().record(9, hang_up=True)
    assert [task.kind for task in desk.store.tasks.open_tasks()] == ["voicemail"]


def test_a_waiting_caller_survives_a_restart(desk: House, fake_twilio: FakeTwilio) -> None:
    call = waits(desk)
    restarted = desk.another_worker(rest=desk.app.extensions["ivr"].rest)
    ana = agent(restarted)
    beat = call.requests[-1]
    again = restarted.post(beat.url.removeprefix(desk.base), dict(beat.form))
    assert again.status == 200 and b"<Redirect" in again.body
    wiring = restarted.app.extensions["ivr"]
    assert take(wiring, ana, task_of(call)).well
    Leg(restarted, fake_twilio).picks_up().presses("1").hears("<Queue>")


def test_twilio_refusing_to_ring_leaves_the_caller_in_line(small_desk: House, fake_twilio: FakeTwilio) -> None:
    call, ana = waits(small_desk), agent(small_desk)
    fake_twilio.refuses(400, 21211, "The 'To' number is not valid")
    went = takes(small_desk, ana, call)
    assert not went.well and "still in line" in went.words
    assert task_of(call).state == "waiting" and presence(small_desk, ana) == "available"


def test_twilio_not_answering_gives_the_caller_back_after_a_while(small_desk: House, fake_twilio: FakeTwilio) -> None:
    call, ana = waits(small_desk), agent(small_desk)
    fake_twilio.drops()
    went = takes(small_desk, ana, call)
    assert "did not answer in time" in went.words and task_of(call).state == "ringing"
    small_desk.moment.pass_by(120)
    assert small_desk.store.tasks.release_stale(small_desk.moment(), 55.0) == 1
    assert task_of(call).state == "waiting"


def test_without_the_database_a_waiting_caller_hears_quiet_and_goes_on_waiting(small_desk: House) -> None:
    call = waits(small_desk)
    small_desk.run("ALTER TABLE tasks RENAME TO gone")
    call.keep_waiting()
    assert "<Pause" in call.answer and call.waiting == "Enqueue"
    small_desk.run("ALTER TABLE gone RENAME TO tasks")
    call.keep_waiting().hears("line")


def test_the_same_line_is_never_heard_twice_in_a_row(small_desk: House) -> None:
    call = waits(small_desk)
    heard = [call.words]
    for _ in range(12):
        small_desk.moment.pass_by(30)
        heard.append(call.keep_waiting().words)
    spoken = [words.split(". If you would rather")[0] for words in heard]
    assert all(one != two for one, two in zip(spoken, spoken[1:], strict=False))


def test_callers_who_were_cut_off_are_served_before_those_who_came_a_little_earlier(desk: House) -> None:
    """Alicia's last call ended unfinished, so she is served as if she had come five minutes earlier."""
    stranger, alicia = waits(desk), waits(desk, ALICIA)
    assert task_of(alicia).because == "was cut off" and task_of(alicia).ahead == 300
    alicia.hears("next in line")
    stranger.keep_waiting().hears("number 2")


def test_a_second_person_question_is_not_asked_in_the_next_call(desk: House) -> None:
    """Margo's call ended at an open question: a case opens by itself, and her next call begins there."""
    desk.calls(MARGO).dial().press("2").hang_up()
    (case,) = (each for each in desk.rows("cases") if each["caller"] == "margo")
    assert (case["about"], case["origin"], case["closed"]) == ("bill", "call", None)
    desk.moment.pass_by(7200)
    again = desk.calls(MARGO).dial().hears("Is it solved").press("2").hears("date of birth")
    again.hang_up()
    desk.moment.pass_by(7200)
    desk.calls(MARGO).dial().press("1").hears("Closed")
    (case,) = (each for each in desk.rows("cases") if each["caller"] == "margo")
    assert case["closed"] is not None
