"""What people have to do: taken by one of many agents, called back in its place, and done once, on both databases."""

from __future__ import annotations

from typing import Any

import pytest

from ivr.handoff.estimate import Past
from ivr.handoff.task import Task
from ivr.store.tasks import Tasks, waited
from tests.actors import MARGO, STRANGER, House, at_once

TARGET = "care_team"


class Desk:
    """A house with agents, and tasks put straight into its database."""

    def __init__(self, house: House) -> None:
        self.house, self.tasks = house, house.store.tasks
        self.ada, self.ben = self.agent("ada"), self.agent("ben")

    def others(self) -> list[Tasks]:
        """Two servers more."""
        return [self.house.another_worker().store.tasks for _ in range(2)]

    def agent(self, login: str, *targets: str) -> str:
        """Somebody at their desk."""
        id_ = self.house.store.users.add(login, login.title(), "!", "agent", "+15550007777", targets, self.now).id
        self.house.store.users.set_presence(id_, "available", self.now)
        return id_

    @property
    def now(self) -> float:
        return self.house.moment()

    def later(self, seconds: float) -> float:
        """Time passes."""
        self.house.moment.pass_by(seconds)
        return self.now

    def add(self, id_: str, kind: str = "call", **given: Any) -> Task:
        """Something to do."""
        values: dict[str, Any] = {
            "target": TARGET, "way": "queue", "line": "northlight", "call": id_.rpartition("-")[0], "caller": None, "number": None,
            "language": "en", "reason": None, "words": None, "because": None, "ahead": 0.0, "entered": self.now, "due": self.now,
        }  # fmt: skip
        task = Task(id=id_, kind=kind, **{**values, **given})
        with self.house.store.database.write() as connection:
            assert self.tasks.add(connection, task, self.now)
        return self.get(id_)

    def get(self, id_: str) -> Task:
        """The task as it is now."""
        found = self.tasks.get(id_)
        assert found is not None
        return found

    def presence(self, agent: str) -> str:
        """What this agent can do now."""
        found = self.house.store.users.get(agent)
        assert found is not None
        return found.presence

    def talks(self, id_: str, agent: str) -> None:
        """This agent takes it and talks."""
        assert self.tasks.take(id_, agent, self.now)
        assert self.tasks.set_agent_call(id_, f"CA-{agent}", self.now, agent)
        assert self.tasks.accept(id_, f"CA-{agent}", self.now)

    def does(self, id_: str, agent: str) -> None:
        """This agent takes it, talks and ends it."""
        self.talks(id_, agent)
        assert self.tasks.part(id_, self.now) and self.tasks.finish(id_, self.now, "answered")

    def outbox(self) -> list[tuple[str, str]]:
        """What is to be done at Twilio."""
        return [(row["name"], row["payload"]) for row in self.house.rows("outbox", kind="twilio")]


@pytest.fixture
def desk(house: House) -> Desk:
    """Two agents, on each kind of database."""
    return Desk(house)


@pytest.fixture
def small(line: House) -> Desk:
    """The same on SQLite only: for what does not depend on the database."""
    return Desk(line)


# Made and read


def test_a_task_is_added_once_and_the_agent_who_knows_the_caller_is_remembered(desk: Desk) -> None:
    first = desk.add("CA1-1", caller="margo", words="my bill")
    assert first.last_agent is None
    with desk.house.store.database.write() as connection:
        assert not desk.tasks.add(connection, first._replace(words="something else"), desk.now)
    assert desk.get("CA1-1").words == "my bill"
    desk.does("CA1-1", desk.ben)
    desk.later(60)
    desk.does(desk.add("CA2-1", caller="rosa").id, desk.ada)
    assert desk.add("CA3-1", caller="margo").last_agent == desk.ben


def test_whoever_came_first_is_served_first_but_for_those_who_wait_less(desk: Desk) -> None:
    for number, (ahead, target) in enumerate([(0, TARGET), (0, "other"), (25, TARGET), (0, TARGET)]):
        desk.add(f"CA{number}-1", ahead=float(ahead), target=target, entered=desk.now + 10 * number)
    desk.add("v-RE1", "voicemail")
    order = ["CA2-1", "CA0-1", "v-RE1", "CA3-1"]
    assert [task.id for task in desk.tasks.waiting(TARGET)] == order
    assert [task.id for task in desk.tasks.open_tasks([TARGET])] == order
    assert len(desk.tasks.open_tasks()) == len(desk.tasks.open_tasks([])) == 5
    assert desk.tasks.size(TARGET) == 3 and desk.tasks.size("nobody") == 0
    desk.does("CA2-1", desk.ada)
    assert desk.tasks.take("CA0-1", desk.ada, desk.now)
    assert desk.tasks.size(TARGET) == 2  # one still hears the music while a phone rings for them
    assert [task.id for task in desk.tasks.waiting(TARGET)] == order[2:]


def test_what_a_queue_knows_of_itself(small: Desk) -> None:
    cid, _ = small.agent("cid"), small.agent("dan", "other")
    assert small.tasks.working(TARGET) == 3 and small.tasks.working("other") == 4
    for number, seconds in enumerate((100, 200, 300)):
        task = small.add(f"CA{number}-1")
        small.talks(task.id, small.ada)
        small.later(seconds)
        small.tasks.finish(task.id, small.now, "answered")
    began = small.now
    assert [each.handled for each in small.tasks.past(TARGET, 0.0)] == [300, 200, 100]
    assert [each.handled for each in small.tasks.past(TARGET, 0.0, limit=1)] == [300]
    assert [each.handled for each in small.tasks.past(TARGET, began)] == [300] and small.tasks.past("other", 0.0) == []
    assert small.tasks.take(small.add("CA9-1").id, small.ada, small.now)
    small.house.store.users.set_presence(small.ben, "away", small.now)
    assert small.tasks.working(TARGET) == 2 and small.tasks.free_agents(TARGET) == [cid]
    small.house.store.users.disable(cid, small.now)
    assert small.tasks.working(TARGET) == 1 and small.tasks.free_agents(TARGET) == []


def test_a_queue_knows_how_long_its_callers_waited_and_who_gave_up(desk: Desk) -> None:
    for number in range(3):
        desk.add(f"CA{number}-1", number=MARGO)
    desk.add("v-RE1", "voicemail", recording="RE1")
    desk.tasks.take("CA0-1", desk.ada, desk.later(30))
    desk.tasks.set_agent_call("CA0-1", "CA-ada", desk.now, desk.ada)
    desk.tasks.accept("CA0-1", "CA-ada", desk.later(8))
    desk.tasks.finish("CA0-1", desk.later(60), "answered")
    desk.tasks.take("CA1-1", desk.ada, desk.later(1))
    with desk.house.store.database.write() as connection:
        waited(connection, "CA1-1", "abandoned", desk.later(1))  # while the phone rings
    assert desk.tasks.book("CA2-1", MARGO, desk.now, desk.now)
    desk.later(60)
    desk.talks("CA2-1", desk.ada)
    desk.tasks.finish("CA2-1", desk.later(40), "answered")
    desk.tasks.finish("v-RE1", desk.later(1), "handled")
    called_back, left, served = desk.tasks.past(TARGET, 0.0)
    assert served == Past(30, False, 8, 68)
    assert left == Past(100, True)
    assert (called_back.waited, called_back.left) == (0, False)


def test_every_change_is_seen_in_the_revision(small: Desk) -> None:
    seen = [small.tasks.revision()]
    small.add("CA1-1")
    for act in (
        lambda: small.tasks.tell("CA1-1", 60, 120, small.now),
        lambda: small.tasks.take("CA1-1", small.ada, small.now),
        lambda: small.tasks.open_packet("CA1-1", small.now),
        lambda: small.tasks.release("CA1-1", small.now),
        lambda: small.house.store.users.set_presence(small.ben, "away", small.now),
    ):
        seen.append(small.tasks.revision())
        small.later(1)
        act()
    seen.append(small.tasks.revision())
    assert len(set(seen)) == len(seen) == 7 and seen[-1] == small.tasks.revision()


def test_the_first_estimate_and_the_first_look_are_those_that_count(small: Desk) -> None:
    small.add("CA1-1")
    began = small.now
    for number in (1, 2):
        small.tasks.tell("CA1-1", 60.0 * number, 120.0 * number, small.now)
        small.tasks.open_packet("CA1-1", small.now)
        small.later(30)
    task = small.get("CA1-1")
    assert (task.low, task.high, task.opened) == (60, 120, began)


# Taken by one


def test_two_agents_take_one_task_and_exactly_one_has_it(desk: Desk) -> None:
    desk.add("CA1-1")
    agents = (desk.ada, desk.ben)
    won = at_once(
        *[
            lambda s=store, a=agent: s.take("CA1-1", a, desk.now)
            for store, agent in zip(desk.others(), agents, strict=True)
        ]
    )
    assert sorted(won) == [False, True]
    winner, loser = agents if won[0] else reversed(agents)
    assert desk.get("CA1-1").agent == winner
    assert (desk.presence(winner), desk.presence(loser)) == ("busy", "available")


def test_one_agent_who_clicks_twice_has_one_task_in_hand(desk: Desk) -> None:
    ids = [desk.add(f"CA{number}-1").id for number in range(2)]
    won = at_once(
        *[lambda s=store, i=id_: s.take(i, desk.ada, desk.now) for store, id_ in zip(desk.others(), ids, strict=True)]
    )
    assert sorted(won) == [False, True]
    assert [task.state for task in desk.tasks.open_tasks()].count("ringing") == 1
    mine = ids[won.index(True)]
    other = ids[won.index(False)]
    desk.tasks.accept(mine, "CA-a", desk.now)
    assert not desk.tasks.take(other, desk.ada, desk.now)
    desk.tasks.part(mine, desk.now)
    assert not desk.tasks.take(other, desk.ada, desk.now)
    desk.tasks.finish(mine, desk.now, "answered")
    assert desk.tasks.take(other, desk.ada, desk.now)


def test_nobody_takes_what_is_done_not_there_or_not_due_nor_somebody_who_left_the_house(desk: Desk) -> None:
    desk.does(desk.add("CA1-1").id, desk.ada)
    desk.add("CA2-c1", "callback", number=STRANGER, due=desk.now + 60)
    assert not any(desk.tasks.take(id_, desk.ada, desk.now) for id_ in ("CA1-1", "CA2-c1", "nothing"))
    desk.later(60)
    desk.house.store.users.disable(desk.ben, desk.now)
    assert not desk.tasks.take("CA2-c1", desk.ben, desk.now) and not desk.tasks.take("CA2-c1", "nobody", desk.now)
    assert desk.tasks.take("CA2-c1", desk.ada, desk.now)


def test_who_does_not_pick_up_gives_the_caller_back_to_their_place(desk: Desk) -> None:
    for number in range(2):
        desk.add(f"CA{number}-1", entered=desk.now + number)
    desk.tasks.take("CA0-1", desk.ada, desk.now)
    desk.tasks.set_agent_call("CA0-1", "CA-a", desk.now, desk.ada)
    assert not desk.tasks.release("CA0-1", desk.now, agent=desk.ben)
    assert desk.tasks.release("CA0-1", desk.now, "away", agent=desk.ada)
    task = desk.tasks.waiting(TARGET)[0]
    assert (task.id, task.state, task.agent, task.agent_call, task.taken) == ("CA0-1", "waiting", None, None, None)
    assert desk.presence(desk.ada) == "away"
    assert not desk.tasks.release("CA0-1", desk.now)


def test_a_phone_that_rings_far_too_long_is_forgotten(small: Desk) -> None:
    small.add("CA0-1")
    small.add("CA1-1")
    small.tasks.take("CA0-1", small.ada, small.now)
    small.later(50)
    small.tasks.take("CA1-1", small.ben, small.now)
    assert small.tasks.release_stale(small.later(6), 55) == 1
    assert [task.state for task in small.tasks.open_tasks()] == ["waiting", "ringing"]
    assert (small.presence(small.ada), small.presence(small.ben)) == ("away", "busy")


def test_a_call_to_an_agent_who_lost_the_task_meanwhile_is_hung_up(small: Desk) -> None:
    small.add("CA1-1")
    small.tasks.take("CA1-1", small.ada, small.now)
    small.tasks.release("CA1-1", small.now)
    small.tasks.take("CA1-1", small.ben, small.now)
    assert not small.tasks.set_agent_call("CA1-1", "CA-a", small.now, small.ada)
    assert small.tasks.set_agent_call("CA1-1", "CA-b", small.now, small.ben)
    assert small.tasks.set_agent_call("CA1-1", "CA-b", small.now, small.ben)
    assert small.outbox() == [("hang_up", '{"call": "CA-a"}')]


# Talked and done


def test_a_task_goes_its_way_and_every_repeated_webhook_changes_nothing(desk: Desk) -> None:
    desk.add("CA1-1")
    began = desk.now
    assert desk.tasks.accept("CA1-1", "CA-a", desk.now) is None
    assert desk.tasks.take("CA1-1", desk.ada, desk.now)
    desk.later(5)
    first = desk.tasks.accept("CA1-1", "CA-a", desk.now)
    assert first == desk.get("CA1-1") and first is not None and first.state == "talking"
    desk.later(5)
    assert desk.tasks.accept("CA1-1", "CA-a", desk.now) == first
    assert desk.tasks.accept("CA1-1", "CA-of-somebody-else", desk.now) is None
    assert desk.tasks.part("CA1-1", desk.now) and not desk.tasks.part("CA1-1", desk.later(5))
    assert desk.presence(desk.ada) == "wrap_up"
    assert desk.tasks.write_note("CA1-1", "she will", desk.ada) and not desk.tasks.write_note("CA1-1", "x", desk.ben)
    assert desk.tasks.finish("CA1-1", desk.now, "answered", "solved")
    assert not desk.tasks.finish("CA1-1", desk.later(5), "answered", "not_solved", "no")
    assert desk.presence(desk.ada) == "available"
    task = desk.get("CA1-1")
    assert (task.state, task.result, task.outcome, task.note) == ("done", "answered", "solved", "she will")
    assert (task.taken, task.talked, task.parted, task.done) == (began, began + 5, began + 10, began + 15)
    assert not desk.tasks.release("CA1-1", desk.now)


def test_a_caller_on_the_line_is_not_finished_away(small: Desk) -> None:
    small.add("CA1-1")
    assert not small.tasks.finish("CA1-1", small.now, "handled")
    small.tasks.take("CA1-1", small.ada, small.now)
    assert not small.tasks.finish("CA1-1", small.now, "handled")
    assert small.get("CA1-1").done is None


def test_who_chose_to_be_away_in_wrap_up_stays_away(small: Desk) -> None:
    small.talks(small.add("CA1-1").id, small.ada)
    small.tasks.part("CA1-1", small.now)
    assert small.house.store.users.choose_presence(small.ada, "away", small.now)
    small.tasks.finish("CA1-1", small.now, "answered")
    assert small.presence(small.ada) == "away"


def test_a_message_marked_as_done_can_be_opened_again_for_a_while(small: Desk) -> None:
    small.add("v-RE1", "voicemail", recording="RE1")
    assert small.tasks.finish("v-RE1", small.now, "handled", note="called her")
    small.later(599)
    assert small.tasks.reopen("v-RE1", small.now) and small.get("v-RE1").state == "waiting"
    assert not small.tasks.reopen("v-RE1", small.now)
    small.tasks.finish("v-RE1", small.now, "handled")
    assert not small.tasks.reopen("v-RE1", small.later(601))
    small.does(small.add("CA1-1").id, small.ada)
    assert not small.tasks.reopen("CA1-1", small.now)


# Called back


def test_a_callback_keeps_its_place_and_is_booked_once(desk: Desk) -> None:
    began = desk.add("CA1-1", number=MARGO, ahead=30.0).entered
    desk.tasks.set_number("CA1-1", STRANGER, desk.later(10))
    for _ in range(2):
        assert desk.tasks.book("CA1-1", STRANGER, desk.now, desk.now)
    assert not desk.tasks.book("CA1-1", MARGO, desk.now, desk.now)
    task = desk.get("CA1-1")
    assert (task.kind, task.state, task.number) == ("callback", "waiting", STRANGER)
    assert (task.entered, task.ahead) == (began, 30.0)
    assert not desk.tasks.take("CA1-1", desk.ada, desk.now)  # they are still saying goodbye
    assert desk.tasks.take("CA1-1", desk.ada, desk.later(60))
    desk.tasks.set_number("CA1-1", MARGO, desk.now)
    assert desk.get("CA1-1").number == STRANGER
    assert not desk.tasks.book("nothing", MARGO, desk.now, desk.now)


def test_a_callback_booked_while_an_agent_takes_is_one_or_the_other(desk: Desk) -> None:
    book, take = desk.others()
    for number in range(6):
        id_ = desk.add(f"CA{number}-1", number=MARGO, target=f"t{number}").id
        agent = desk.agent(f"agent{number}")
        booked, taken = at_once(
            lambda i=id_: book.book(i, MARGO, desk.now, desk.now), lambda i=id_, a=agent: take.take(i, a, desk.now)
        )
        assert booked is not taken
        task = desk.get(id_)
        assert (task.kind, task.state) == (("callback", "waiting") if booked else ("call", "ringing"))
        assert (task.agent, desk.presence(agent)) == ((None, "available") if booked else (agent, "busy"))


def test_who_asks_twice_is_called_back_once_at_the_number_given_last(desk: Desk) -> None:
    desk.add("CA1-c1", "callback", caller="margo", number=MARGO)
    desk.add("CA2-c1", "callback", number=MARGO)  # before she was recognised
    desk.add("CA3-c1", "callback", caller="rosa", number=MARGO)  # somebody else in her house
    desk.add("CA4-c1", "callback", caller="margo", number=MARGO, target="other")
    later = desk.later(60)
    desk.add("CA5-1", caller="margo", number=STRANGER)
    assert desk.tasks.book("CA5-1", STRANGER, later + 7200, later)
    open_ = {task.id: task.number for task in desk.tasks.open_tasks()}
    assert open_ == {"CA1-c1": STRANGER, "CA3-c1": MARGO, "CA4-c1": MARGO}
    assert desk.get("CA1-c1").due == later + 7200  # where the new number is, it is too late in the day
    assert {(desk.get(id_).state, desk.get(id_).result) for id_ in ("CA2-c1", "CA5-1")} == {("done", "merged")}
    assert desk.get("CA5-1").kind == "callback" and desk.tasks.book("CA5-1", STRANGER, later, later)


def test_the_better_place_stays_but_what_an_agent_has_in_hand_is_left_to_them(small: Desk) -> None:
    small.add("CA1-c1", "callback", caller="margo", number=MARGO)
    small.later(10)
    small.add("CA2-c1", "callback", caller="margo", number=MARGO, ahead=60.0)
    assert [task.id for task in small.tasks.open_tasks()] == ["CA2-c1"]
    small.tasks.take("CA2-c1", small.ada, small.now)
    small.add("CA3-c1", "callback", caller="margo", number=MARGO, ahead=600.0)
    assert [task.id for task in small.tasks.open_tasks()] == ["CA2-c1"]
    small.tasks.accept("CA2-c1", "CA-a", small.now)
    small.tasks.part("CA2-c1", small.now)
    small.add("CA4-c1", "callback", caller="margo", number=MARGO)  # called once more: that is something new
    assert [task.id for task in small.tasks.waiting(TARGET)] == ["CA4-c1"]


def test_two_bookings_of_one_caller_at_once_leave_one(desk: Desk) -> None:
    for number in range(2):
        desk.add(f"CA{number}-1", caller="margo", number=MARGO)
    acts = [
        lambda s=store, n=number: s.book(f"CA{n}-1", MARGO, desk.now, desk.now)
        for number, store in enumerate(desk.others())
    ]
    assert at_once(*acts) == [True, True]
    assert [task.id for task in desk.tasks.open_tasks()] == ["CA0-1"]


def test_who_was_not_reached_is_tried_again_in_their_place(small: Desk) -> None:
    small.add("CA1-c1", "callback", number=MARGO)
    small.talks("CA1-c1", small.ada)
    small.tasks.part("CA1-c1", small.now)
    assert small.tasks.again("CA1-c1", small.now + 900, small.now)
    assert not small.tasks.again("CA1-c1", small.now + 900, small.now)
    task = small.get("CA1-c1")
    assert (task.state, task.attempts, task.due, task.agent, task.talked) == ("waiting", 1, small.now + 900, None, None)
    assert small.presence(small.ada) == "available"
    small.later(900)
    small.talks("CA1-c1", small.ben)
    assert small.tasks.finish("CA1-c1", small.now, "not_reached")


# With a call's turns


def waits(house: House, from_: str = MARGO, **more: Any) -> tuple[Any, str]:
    """A caller in the queue, and their task."""
    call = house.calls(from_, **more).dial().press("0")
    return call, f"{call.sid}-1"


def test_a_caller_in_a_queue_is_a_task_with_what_an_agent_needs(small: Desk) -> None:
    call, id_ = waits(small.house)
    task = small.get(id_)
    assert (task.kind, task.state, task.target, task.caller, task.number) == ("call", "waiting", TARGET, "margo", MARGO)
    assert task.line == "northlight" and task.call == call.sid
    assert small.house.store.task(id_) == task and small.house.store.queue_size(TARGET) == 1
    call.resend()
    assert small.tasks.of_call(call.sid) == small.tasks.of_caller("margo") == [task]


def test_a_caller_who_leaves_while_a_phone_rings_frees_the_agent_and_stops_the_phone(desk: Desk) -> None:
    call, id_ = waits(desk.house)
    desk.tasks.take(id_, desk.ada, desk.now)
    desk.tasks.set_agent_call(id_, "CA-a", desk.now, desk.ada)
    call.hang_up()
    assert (desk.get(id_).state, desk.get(id_).result) == ("done", "abandoned")
    assert desk.presence(desk.ada) == "available" and ("hang_up", '{"call": "CA-a"}') in desk.outbox()
    assert desk.tasks.accept(id_, "CA-a", desk.now) is None
    assert not desk.tasks.set_agent_call(id_, "CA-late", desk.now, desk.ada)


def test_a_caller_who_hangs_up_while_an_agent_takes_leaves_nobody_busy(desk: Desk) -> None:
    store = desk.others()[0]
    for number in range(4):
        call, id_ = waits(desk.house)
        agent = desk.agent(f"agent{number}")
        at_once(call.hang_up, lambda i=id_, a=agent: store.take(i, a, desk.now))
        assert (desk.get(id_).state, desk.get(id_).result) == ("done", "abandoned")
        assert desk.presence(agent) == "available"


def test_a_talk_ends_in_wrap_up_and_the_queue_is_tidied_away(small: Desk) -> None:
    call, id_ = waits(small.house)
    small.talks(id_, small.ada)
    call.queue_result("bridged")
    assert (small.get(id_).state, small.presence(small.ada)) == ("wrap_up", "wrap_up")
    assert [name for name, _ in small.outbox()] == ["delete_queue"]
    call.resend()
    assert [name for name, _ in small.outbox()] == ["delete_queue"]
    assert call.happened("waited")[0].data["result"] == "bridged"


def test_who_booked_a_callback_and_hangs_up_is_still_called_back(small: Desk) -> None:
    call, id_ = waits(small.house)
    assert small.tasks.book(id_, MARGO, small.now, small.now)
    call.hang_up()
    assert (small.get(id_).kind, small.get(id_).state) == ("callback", "waiting")
    assert call.row["outcome"] == "callback"


def test_what_waited_too_long_is_done_and_the_message_left_instead_is_to_be_heard(small: Desk) -> None:
    call, id_ = waits(small.house)
    call.queue_result("leave")
    assert small.get(id_).result == "waited_too_long"
    call.record(7)
    (task,) = small.tasks.open_tasks()
    assert (task.kind, task.id, task.target) == ("voicemail", f"v-{task.recording}", TARGET)
    (kept,) = small.house.store.calls.recordings_of(call.sid)
    assert kept == small.house.store.calls.recording(str(task.recording)) and kept.heard is None


def test_a_message_that_comes_after_its_caller_hung_up_is_to_be_heard_once(desk: Desk) -> None:
    call, _ = waits(desk.house)
    call.queue_result("leave")
    call.status(CallStatus="completed")
    assert desk.tasks.open_tasks() == []
    call.record(7).resend()
    (task,) = desk.tasks.open_tasks()
    assert task.kind == "voicemail" and task.target == TARGET and call.row["outcome"] == "voicemail"


def test_a_message_is_heard_for_the_first_time_once_and_deleted_everywhere(small: Desk) -> None:
    call, _ = waits(small.house)
    sid = call.queue_result("leave").record(7).happened("recorded")[0].private["sid"]
    calls = small.house.store.calls
    first = small.now
    calls.heard(sid, first)
    calls.heard(sid, small.later(60))
    kept = calls.recording(sid)
    assert kept is not None and kept.heard == first
    assert calls.forget_recording(sid, small.now) and not calls.forget_recording(sid, small.now)
    assert calls.recording(sid) is None and small.get(f"v-{sid}").result == "deleted"
    assert ("delete_recording", f'{{"recording": "{sid}"}}') in small.outbox()


def test_a_talk_that_ended_without_an_agent_of_ours_is_done(small: Desk) -> None:
    call, id_ = waits(small.house)
    call.queue_result("bridged")
    assert (small.get(id_).state, small.get(id_).result) == ("done", "answered")


def test_a_talk_that_is_heard_of_only_after_the_end_was_no_caller_who_gave_up(small: Desk) -> None:
    call, id_ = waits(small.house)
    call.status(CallStatus="completed")
    assert small.get(id_).result == "abandoned"
    call.queue_result("bridged")
    assert small.get(id_).result == "answered" and call.row["outcome"] == "handed_over"


# Erased


def test_who_is_forgotten_leaves_the_figures_of_a_task_and_is_not_called_back(desk: Desk) -> None:
    _, first = waits(desk.house)
    desk.talks(first, desk.ada)
    desk.tasks.part(first, desk.now)
    desk.tasks.finish(first, desk.now, "answered", "solved", "her words to me")
    call, second = waits(desk.house)
    desk.tasks.book(second, MARGO, desk.now, desk.now)
    desk.tasks.take(second, desk.ben, desk.later(60))
    third = waits(desk.house)[1]
    desk.house.store.callers.forget("margo")
    for task in (desk.get(first), desk.get(second), desk.get(third)):
        assert (task.caller, task.number, task.words, task.note) == (None, None, None, None)
    assert (desk.get(first).outcome, desk.get(first).agent) == ("solved", desk.ada)
    assert (desk.get(second).result, desk.presence(desk.ben)) == ("deleted", "available")
    assert desk.get(third).state == "waiting"  # they are on the line: somebody should still answer
    assert call.row["caller"] is None
