"""A centre whose calls are routed by TaskRouter: the task it gets, what a worker shall do, and calls back that keep their place.

Race 13 there: who books a call back while a worker's phone rings is not booked, and who is booked is not rung.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from html import unescape
from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bench.shipped import LINE
from ivr.config import CallbackOffer, Priority, Target, TaskRouter
from ivr.engine.session import Session, Wait
from ivr.handoff.fit import fit
from ivr.handoff.task import Task
from ivr.project import Project
from ivr.simulate.line import Moment
from ivr.store import routed
from ivr.store.people import PersonRow
from ivr.telephony.rest import Rest
from ivr.telephony.twiml import Twiml
from ivr.web.assignment import SAFE
from ivr.web.taking import take
from ivr.worker import FORGOTTEN, Worker
from tests.actors import ALICIA, MARGO, STRANGER, House, Phone, at_once, webhook
from tests.conftest import changed
from tests.fake_twilio import WORKFLOW, WORKSPACE, FakeTwilio
from tests.twiml_rules import problems
from tests.web.browser import user
from tests.web.legs import Leg

WORKER = "+15550004444"
AFTER = "WA" + "0" * 31 + "1"
RESERVATION = "WR" + "0" * 31 + "1"
RULES = TaskRouter(
    workflow=WORKFLOW,
    workspace=WORKSPACE,
    after=AFTER,
    callback=CallbackOffer(tries=2),
    priority=(Priority(because="was cut off", when="history.last_call.unfinished", ahead=300),),
)


def target(**rules: Any) -> Target:
    return Target(taskrouter=RULES.model_copy(update=rules), whisper="agent_whisper", ring=25)


@pytest.fixture(scope="module")
def centre(shipped: Project) -> Project:
    return changed(shipped, {}, care_team=target())


MakeCentre = Callable[..., House]


@pytest.fixture
def make(centre: Project, moment: Moment, fake_twilio: FakeTwilio) -> Iterator[MakeCentre]:
    made: list[House] = []
    account = {**fake_twilio.account, "public_url": "https://line.example"}

    def house(url: str, project: Project = centre) -> House:
        return House(project, url, moment, made, config=account)

    yield house
    for each in made:
        each.shut()


@pytest.fixture
def house(database_url: str, make: MakeCentre) -> House:
    """A server on each kind of database."""
    return make(database_url)


@pytest.fixture
def line(sqlite_url: str, make: MakeCentre) -> House:
    """The same on SQLite only."""
    return make(sqlite_url)


# Who plays


def waits(house: House, twilio: FakeTwilio, number: str = MARGO, status: str = "pending") -> Phone:
    """Somebody who asked for a person and waits; TaskRouter has made its task of what the answer says."""
    call = house.calls(number).dial()
    if "English" in call.words:
        call.press("1")
    call.press("0")
    assert call.waiting == "Enqueue"
    attributes = {**told(call), "call_sid": call.sid, "to": LINE}
    sid = f"WT{len(twilio.tasks) + 100:032x}"
    twilio.tasks[sid] = {"Attributes": json.dumps(attributes), "assignment_status": status, "version": 1}
    return call


def enqueue_of(call: Phone) -> ElementTree.Element:
    document = next(document for document in reversed(call.twiml) if "<Enqueue" in document)
    found = ElementTree.fromstring(document).find("Enqueue")
    assert found is not None
    return found


def told(call: Phone) -> dict[str, Any]:
    """What the Task in the answer says."""
    made: dict[str, Any] = json.loads(enqueue_of(call).findtext("Task") or "")
    return made


def task_of(call: Phone) -> Task:
    tasks = call.house.store.tasks.of_call(call.sid)
    return next(task for task in tasks if task.kind != "voicemail")


def sid_of(twilio: FakeTwilio, call: Phone) -> str:
    """TaskRouter's task of a call that waits."""
    return next(sid for sid, task in twilio.tasks.items() if json.loads(task["Attributes"]).get("call_sid") == call.sid)


def asks(house: House, **fields: str) -> Any:
    """What is answered to an assignment callback."""
    form = {"AccountSid": "AC1", "WorkspaceSid": WORKSPACE, "ReservationSid": RESERVATION, **fields}
    reply = house.post("/voice/assignment", form, token=house.config.tokens[0])
    assert (reply.status, reply.content_type) == (200, "application/json")
    return json.loads(reply.body)


def assigned(house: House, attributes: Mapping[str, Any], task: str = "WT" + "1" * 32) -> Any:
    worker = {"contact_uri": WORKER, "languages": ["en"]}
    return asks(house, TaskSid=task, TaskAttributes=json.dumps(dict(attributes)), WorkerAttributes=json.dumps(worker))


def works(house: House) -> Worker:
    """The outbox's worker."""
    return Worker(house.config, house.store, house.moment, house.app.extensions["ivr"].log)


class WorkerLeg(Leg):
    """A worker whose phone TaskRouter has rung, as the assignment was answered."""

    def __init__(self, house: House, answer: Mapping[str, Any], sid: str = "CA" + "a" * 32) -> None:
        assert answer["instruction"] == "call"
        self.house, self.sid = house, sid
        self.to, self.from_, self.url, self.told = (answer[key] for key in ("to", "from", "url", "status_callback_url"))
        self.twiml = ""

    def nobody_answers(self) -> WorkerLeg:
        """Whom they call back does not pick up."""
        found = ElementTree.fromstring(self.twiml).find("Dial")
        assert found is not None
        self._asks(unescape(found.attrib["action"]), DialCallStatus="no-answer", DialBridged="false")
        return self


def reserved(house: House, twilio: FakeTwilio, sid: str, leg: str = "a") -> WorkerLeg:
    """TaskRouter reserves a worker for a task and does what it is told."""
    twilio.tasks[sid].update(assignment_status="reserved")
    return WorkerLeg(house, assigned(house, json.loads(twilio.tasks[sid]["Attributes"]), sid), "CA" + leg * 32)


def books(call: Phone) -> Phone:
    return call.press("1").hears("call you at").press("1")


def routes(house: House, twilio: FakeTwilio) -> str:
    """The worker asks TaskRouter for the call back that is due now; its SID."""
    house.moment.pass_by(61)
    works(house).outbox()
    return list(twilio.tasks)[-1]


# 1. The task


def test_the_task_says_where_it_belongs_and_holds_the_packet(line: House, fake_twilio: FakeTwilio) -> None:
    call = waits(line, fake_twilio, ALICIA)
    enqueue, task = enqueue_of(call), enqueue_of(call).find("Task")
    assert task is not None and enqueue.text is None and enqueue.attrib["workflowSid"] == WORKFLOW
    # Five minutes ahead, for the call that was cut off; forgotten ten minutes after the longest wait.
    assert task.attrib == {"priority": "5", "timeout": "1200"}
    said = told(call)
    assert {key: said[key] for key in ("target", "task", "line")} == {
        "target": "care_team",
        "task": task_of(call).id,
        "line": LINE,
    }
    assert said["packet"]["who"]["name"] and len((task.text or "").encode()) < 3400


@example(name="\uffff\ufffe]]>&amp;<\u202e\x00", about="")
@settings(max_examples=40)
@given(name=st.text(max_size=2000), about=st.text(max_size=50))
def test_whatever_a_packet_holds_the_task_is_json_within_xml(centre: Project, name: str, about: str) -> None:
    assert centre.config is not None and centre.bundle is not None
    wait = Wait("queue", {"target": "care_team", "task": "CA1-1", "ahead": 59.0})
    session = Session({"to": LINE, "sid": "CA1"}, "northlight", "b1", 0.0, "en", wait=wait)
    packet = fit({"who": {"name": name}, "<&>": about})
    holds = json.loads(packet.replace("\ufffe", "").replace("\uffff", ""))  # no XML may
    document = Twiml(centre.config)(centre.bundle, session, (), 3, packet)
    assert problems(document.encode()) == []
    made = ElementTree.fromstring(document).findtext("Enqueue/Task")
    assert json.loads(made or "")["packet"] == holds


def test_a_hostile_name_is_text_in_the_task_and_in_the_workers_ear(line: House, fake_twilio: FakeTwilio) -> None:
    hostile = '</Task><Hangup/>"&]]>\u202e\uffff🙂 ' + "ש" * 3000
    line.store.put_person(PersonRow((STRANGER,), facts={"first_name": hostile}), "test", line.moment())
    call = waits(line, fake_twilio, STRANGER)
    assert len((enqueue_of(call).findtext("Task") or "").encode()) < 3400
    assert told(call)["packet"] and told(call)["task"] == task_of(call).id
    assert fake_twilio.asked == []  # the turn itself asks nobody


def test_a_call_without_a_packet_still_says_where_it_belongs(line: House, fake_twilio: FakeTwilio) -> None:
    line.run("ALTER TABLE grants RENAME TO gone")
    assert told(waits(line, fake_twilio)).keys() == {"target", "task", "line"}


# 2. The assignment


def test_a_worker_who_is_assigned_a_caller_is_dequeued_to_them(line: House, fake_twilio: FakeTwilio) -> None:
    call = waits(line, fake_twilio)
    assert assigned(line, told(call)) == {
        "instruction": "dequeue",
        "to": WORKER,
        "from": LINE,
        "timeout": 25,
        "post_work_activity_sid": AFTER,
    }


def test_a_workflow_may_meet_callers_in_a_conference(sqlite_url: str, make: MakeCentre, shipped: Project) -> None:
    house = make(sqlite_url, changed(shipped, {}, care_team=target(instruction="conference", after=None)))
    attributes = {"target": "care_team", "line": LINE}
    wanted = {"instruction": "conference", "to": WORKER, "from": LINE, "timeout": 25}
    assert assigned(house, attributes) == wanted
    assert assigned(house, {"target": "care_team"})["instruction"] == "dequeue"


def test_for_a_call_back_the_workers_own_phone_is_rung_first(line: House) -> None:
    attributes = {"target": "care_team", "callback": 'CA1-1"&x=<', "line": LINE}
    answer = assigned(line, attributes)
    assert answer["url"] == (
        f"https://line.example/voice/agent?task=CA1-1%22%26x%3D%3C&external=WT{'1' * 32}&reservation={RESERVATION}"
    )
    assert answer.keys() == {"instruction", "to", "from", "timeout", "url", "status_callback_url"}
    assert (answer["instruction"], answer["to"], answer["from"]) == ("call", WORKER, LINE)


@pytest.mark.parametrize(
    "junk", ["", "{", "[]", "null", "12", '{"target": ["x"]}', '{"target": {}, "line": 7}', "\ufffd\x00"]
)
def test_junk_is_answered_by_what_is_safe(line: House, junk: str) -> None:
    assert asks(line, TaskAttributes=junk, WorkerAttributes=junk) == json.loads(SAFE)


def test_a_workflow_that_is_not_ours_is_dequeued(line: House) -> None:
    assert assigned(line, {"to": LINE, "target": "nobody"}) == {"instruction": "dequeue", "to": WORKER, "from": LINE}


def test_an_assignment_is_answered_without_a_database(line: House, fake_twilio: FakeTwilio) -> None:
    call = waits(line, fake_twilio)
    attributes = told(call)
    for table in ("tasks", "calls", "bundles"):
        line.run(f"ALTER TABLE {table} RENAME TO {table}_gone")
    assert assigned(line, attributes)["instruction"] == "dequeue"
    assert assigned(line, {**attributes, "callback": "CA1-1"})["instruction"] == "call"


def test_a_fault_of_ours_is_still_an_instruction(line: House) -> None:
    big = line.post("/voice/assignment", {"TaskAttributes": "x" * 300_000}, token=line.config.tokens[0])
    assert (big.status, big.content_type, big.body.decode()) == (200, "application/json", SAFE)


def test_an_unsigned_assignment_is_refused(line: House) -> None:
    assert line.post("/voice/assignment", {"TaskAttributes": "{}"}, token="somebody's").status == 403


# 3. The wait


def test_a_caller_hears_the_position_that_twilio_gives(line: House, fake_twilio: FakeTwilio) -> None:
    call = waits(line, fake_twilio)
    call.keep_waiting(position=7).hears("number 7 in line")
    call.keep_waiting(position=7).does_not_hear("number 7")
    call.keep_waiting(position=6).hears("number 6 in line")


def test_a_call_back_keeps_its_place_and_takes_the_caller_from_the_workers(
    house: House, fake_twilio: FakeTwilio
) -> None:
    call = waits(house, fake_twilio, ALICIA)
    live, entered = sid_of(fake_twilio, call), task_of(call).entered
    house.moment.pass_by(90)
    books(call).hears("keep your place")
    assert call.ended and call.row["outcome"] == "callback"
    assert fake_twilio.tasks[live]["assignment_status"] == "canceled"
    task = task_of(call)
    assert (task.kind, task.state, task.entered, task.number) == ("callback", "waiting", entered, ALICIA)
    assert works(house).outbox() == 0, "they are still being said goodbye to"
    made = fake_twilio.tasks[routes(house, fake_twilio)]
    assert json.loads(made["Attributes"]) == {
        "target": "care_team",
        "callback": task.id,
        "line": LINE,
        "idempotency_key": f"callback_task:{task.id}:0",
    }
    assert (made["VirtualStartTime"], made["Priority"]) == ("2026-03-02T14:15:00Z", "5")


def test_a_call_back_is_asked_for_in_the_transaction_that_books_it(house: House, fake_twilio: FakeTwilio) -> None:
    call = waits(house, fake_twilio)
    house.run("ALTER TABLE outbox RENAME TO gone")
    books(call)
    house.run("ALTER TABLE gone RENAME TO outbox")
    assert call.waiting == "Enqueue" and task_of(call).kind == "call"


@pytest.mark.parametrize("status", ["reserved", "assigned", "wrapping", "completed"])
def test_race_13_a_call_back_asked_for_while_a_workers_phone_rings_is_not_booked(
    line: House, fake_twilio: FakeTwilio, status: str
) -> None:
    call = waits(line, fake_twilio, status=status)
    books(call).hears("just coming to the phone")
    assert call.waiting == "Enqueue" and task_of(call).kind == "call"
    assert fake_twilio.tasks[sid_of(fake_twilio, call)]["assignment_status"] == status
    assert line.rows("outbox", name="callback_task") == []
    call.queue_result("bridged").hears("solved now")
    assert task_of(call).result == "answered"


def test_race_13_a_worker_is_reserved_between_our_look_and_our_cancelling(
    house: House, fake_twilio: FakeTwilio
) -> None:
    call = waits(house, fake_twilio)
    live = fake_twilio.tasks[sid_of(fake_twilio, call)]
    # The list, our look, and just before the cancelling is answered:
    fake_twilio.before(
        lambda: fake_twilio.before(
            lambda: fake_twilio.before(lambda: live.update(assignment_status="reserved", version=2))
        )
    )
    books(call).hears("just coming to the phone")
    assert (live["assignment_status"], task_of(call).kind) == ("reserved", "call")


def test_who_was_not_booked_since_a_worker_did_not_answer_after_all_can_book_again(
    house: House, fake_twilio: FakeTwilio
) -> None:
    call = waits(house, fake_twilio, status="reserved")
    books(call)
    fake_twilio.tasks[sid_of(fake_twilio, call)].update(assignment_status="pending")
    books(call)
    assert call.ended and task_of(call).kind == "callback"
    assert len(house.rows("outbox", name="callback_task")) == 1


@pytest.mark.parametrize("goes_wrong", ["refuses", "drops", "loses"])
def test_where_twilio_does_not_say_the_caller_stays_in_line(
    line: House, fake_twilio: FakeTwilio, goes_wrong: str
) -> None:
    call = waits(line, fake_twilio)
    if goes_wrong == "refuses":
        fake_twilio.refuses(429, 20429, "Too many requests")
    else:
        fake_twilio.before(lambda: fake_twilio.before(getattr(fake_twilio, goes_wrong)))
    books(call).hears("still in line")
    assert call.waiting == "Enqueue" and task_of(call).kind == "call"
    books(call)
    assert call.ended and task_of(call).kind == "callback"


def test_a_task_that_cannot_be_found_ends_as_its_caller_leaves(line: House, fake_twilio: FakeTwilio) -> None:
    call = waits(line, fake_twilio)
    fake_twilio.tasks.clear()
    books(call)
    assert call.ended and call.row["outcome"] == "callback"
    assert "<Leave" in next(document for document in reversed(call.twiml) if "keep your place" in document)


def test_a_cancelled_task_that_throws_the_caller_out_at_once_is_a_call_back_all_the_same(
    house: House, fake_twilio: FakeTwilio
) -> None:
    call = waits(house, fake_twilio)
    call.press("1")
    turn = f"/voice/turn?turn={call.row['turn']}"
    fields = {"QueueResult": "redirected", "QueueSid": "QU" + "1" * 32, "QueueTime": "9"}
    path, form = webhook(call, turn, **fields)

    def thrown_out() -> None:
        house.post(path, form, token=house.config.tokens[0])

    # While our cancelling is on its way.
    fake_twilio.before(lambda: fake_twilio.before(lambda: fake_twilio.before(thrown_out)))
    call.press("1")
    assert call.happened("waited")[0].data["result"] == "callback_booked"
    assert task_of(call).kind == "callback" and task_of(call).done is None


def test_who_hangs_up_while_a_booking_is_being_taken_back_is_called_back(house: House, fake_twilio: FakeTwilio) -> None:
    call = waits(house, fake_twilio, status="reserved")
    call.press("1")
    path, form = webhook(call, "/voice/status", CallStatus="completed")

    def hangs_up() -> None:
        house.post(path, form, token=house.config.tokens[0])

    fake_twilio.before(hangs_up)
    call.press("1")
    assert call.row["outcome"] == "callback" and task_of(call).kind == "callback"
    assert json.loads(fake_twilio.tasks[routes(house, fake_twilio)]["Attributes"])["callback"] == task_of(call).id


def test_the_same_caller_who_asks_twice_is_routed_once(house: House, fake_twilio: FakeTwilio) -> None:
    first, second = (books(waits(house, fake_twilio)) for _ in range(2))
    assert [task.id for task in house.store.tasks.open_tasks()] == [task_of(first).id]
    assert task_of(second).result == "merged"
    before = len(fake_twilio.tasks)
    house.moment.pass_by(61)
    works(house).outbox()
    assert len(fake_twilio.tasks) == before + 1


def test_a_workflows_own_queue_is_never_deleted(house: House, fake_twilio: FakeTwilio) -> None:
    waits(house, fake_twilio).queue_result("bridged")
    books(waits(house, fake_twilio, ALICIA))
    waits(house, fake_twilio, STRANGER).hang_up()
    assert house.rows("outbox", name="delete_queue") == []


# 4. A worker calls back


def booked(house: House, twilio: FakeTwilio) -> tuple[Phone, str]:
    """Margo's call, which is a call back now, and TaskRouter's task of it."""
    call = books(waits(house, twilio))
    return call, routes(house, twilio)


def test_a_worker_hears_who_it_is_accepts_and_calls_back(house: House, fake_twilio: FakeTwilio) -> None:
    call, sid = booked(house, fake_twilio)
    leg = reserved(house, fake_twilio, sid).picks_up().hears("Press 1 to accept")
    assert task_of(call).state == "waiting"
    leg.presses("1").hears(f'callerId="{LINE}"').hears(f"<Number>{MARGO}</Number>")
    assert (task_of(call).state, task_of(call).external, task_of(call).agent) == ("talking", sid, None)
    works(house).outbox()
    assert (fake_twilio.tasks[sid]["assignment_status"], fake_twilio.tasks[sid]["reservation"]) == (
        "assigned",
        RESERVATION,
    )
    leg.hangs_up()
    assert (task_of(call).state, task_of(call).result) == ("done", "answered")
    works(house).outbox()
    assert fake_twilio.tasks[sid]["assignment_status"] == "completed"


def test_a_worker_who_does_not_press_the_key_has_nothing(line: House, fake_twilio: FakeTwilio) -> None:
    call, sid = booked(line, fake_twilio)
    reserved(line, fake_twilio, sid).picks_up().presses("2").hears("<Hangup/>").ends("completed")
    reserved(line, fake_twilio, sid).ends("no-answer")
    assert (task_of(call).state, task_of(call).agent_call) == ("waiting", None)
    reserved(line, fake_twilio, sid, "b").picks_up().presses("1").hears("<Number>")


def test_of_two_workers_the_second_hears_that_it_is_taken(house: House, fake_twilio: FakeTwilio) -> None:
    call, sid = booked(house, fake_twilio)
    ann, ben = (reserved(house, fake_twilio, sid, leg).picks_up() for leg in "ab")
    at_once(lambda: ann.presses("1"), lambda: ben.presses("1"))
    first, second = sorted((ann, ben), key=lambda leg: "<Number>" not in leg.twiml)
    first.hears("<Number>")
    second.hears("Somebody else is with this caller already").ends("completed")
    assert (task_of(call).state, task_of(call).agent_call) == ("talking", first.sid)
    second.picks_up().hears("Somebody else")


def test_who_did_not_answer_is_routed_again_and_closed_after_the_last_try(
    house: House, fake_twilio: FakeTwilio
) -> None:
    call, sid = booked(house, fake_twilio)
    leg = reserved(house, fake_twilio, sid).picks_up().presses("1")
    leg.nobody_answers().hears("tried again later").ends("completed")
    task = task_of(call)
    assert (task.state, task.attempts, task.agent_call, task.external) == ("waiting", 1, None, None)
    assert task.due == house.moment() + 900
    works(house).outbox()
    assert fake_twilio.tasks[sid]["assignment_status"] == "completed"
    house.moment.pass_by(900)
    works(house).outbox()
    again = list(fake_twilio.tasks)[-1]
    assert again != sid and fake_twilio.tasks[again]["VirtualStartTime"] == "2026-03-02T14:15:00Z"
    reserved(house, fake_twilio, again, "b").picks_up().presses("1").nobody_answers().hears("last try").ends(
        "completed"
    )
    assert (task_of(call).state, task_of(call).result, task_of(call).attempts) == ("done", "not_reached", 2)
    house.moment.pass_by(86400)
    works(house).outbox()
    assert list(fake_twilio.tasks)[-1] == again


def test_the_end_of_a_workers_leg_may_come_before_how_their_dialling_went(
    house: House, fake_twilio: FakeTwilio
) -> None:
    call, sid = booked(house, fake_twilio)
    leg = reserved(house, fake_twilio, sid).picks_up().presses("1")
    dialling = leg.twiml
    leg.ends("completed")
    assert task_of(call).result == "answered"
    leg.twiml = dialling
    leg.nobody_answers()
    assert (task_of(call).state, task_of(call).result, task_of(call).attempts) == ("waiting", None, 1)


def test_a_task_for_what_is_done_ends_and_rings_nobody_else(house: House, fake_twilio: FakeTwilio) -> None:
    call, sid = booked(house, fake_twilio)
    reserved(house, fake_twilio, sid).picks_up().presses("1").hangs_up()
    twice = Rest(house.config).callback_task(WORKSPACE, WORKFLOW, json.loads(fake_twilio.tasks[sid]["Attributes"]), 0)
    reserved(house, fake_twilio, twice, "b").picks_up().hears("looked after already")
    works(house).outbox()
    assert fake_twilio.tasks[twice]["assignment_status"] == "canceled"


def test_a_reservation_that_twilio_gave_to_somebody_else_meanwhile_does_not_stop_the_talk(
    line: House, fake_twilio: FakeTwilio
) -> None:
    call, sid = booked(line, fake_twilio)
    leg = reserved(line, fake_twilio, sid).picks_up().presses("1")
    fake_twilio.tasks[sid].update(assignment_status="pending")
    works(line).outbox()
    reserved(line, fake_twilio, sid, "b").picks_up().hears("Somebody else is with this caller already")
    leg.hangs_up()
    works(line).outbox()
    assert fake_twilio.tasks[sid]["assignment_status"] == "canceled"
    assert all(row["done"] for row in line.rows("outbox"))


def test_a_caller_who_was_forgotten_before_their_turn_is_not_routed(line: House, fake_twilio: FakeTwilio) -> None:
    books(waits(line, fake_twilio))
    before = len(fake_twilio.tasks)
    line.store.callers.forget("margo")
    line.moment.pass_by(61)
    works(line).outbox()
    assert len(fake_twilio.tasks) == before


def test_where_taskrouter_takes_no_task_the_desk_calls_back(line: House, fake_twilio: FakeTwilio) -> None:
    call = books(waits(line, fake_twilio))
    fake_twilio.refuses(400, 20001, "no such workflow", times=8)
    for _ in range(8):
        line.moment.pass_by(3600)
        works(line).outbox()
    assert (task_of(call).way, task_of(call).state) == ("queue", "waiting")
    ana = user(line, "ana", phone="+15550002222")
    assert take(line.app.extensions["ivr"], ana, task_of(call)).well


def test_what_taskrouter_forgot_is_called_back_by_the_desk(line: House, fake_twilio: FakeTwilio) -> None:
    call, sid = booked(line, fake_twilio)
    line.moment.pass_by(FORGOTTEN - 3600)
    works(line).sweep()
    assert task_of(call).way == "taskrouter"
    line.moment.pass_by(7200)
    works(line).sweep()
    assert task_of(call).way == "queue"
    reserved(line, fake_twilio, sid).picks_up().hears("looked after already")
    works(line).outbox()
    assert fake_twilio.tasks[sid]["assignment_status"] == "canceled"


def test_the_desk_takes_nothing_that_taskrouter_routes(line: House, fake_twilio: FakeTwilio) -> None:
    waiting, (call, _) = waits(line, fake_twilio, ALICIA), booked(line, fake_twilio)
    ana = user(line, "ana", phone="+15550002222")
    for each in (waiting, call):
        went = take(line.app.extensions["ivr"], ana, task_of(each))
        assert not went.well and "TaskRouter finds who takes this one" in went.words
    assert fake_twilio.calls == {}


# 5. The end of the wait


def test_after_a_talk_the_caller_is_asked_how_it_was(house: House, fake_twilio: FakeTwilio) -> None:
    call = waits(house, fake_twilio)
    call.queue_result("bridged").hears("solved now").press("1").press("5").hears("goodbye")
    assert call.row["outcome"] == "handed_over" and len(call.happened("surveyed")) == 1
    assert (task_of(call).state, task_of(call).result) == ("done", "answered")


def test_who_hangs_up_while_waiting_has_left(house: House, fake_twilio: FakeTwilio) -> None:
    call = waits(house, fake_twilio)
    call.hang_up()
    assert (task_of(call).result, call.row["outcome"]) == ("abandoned", "caller_left")


def test_a_talk_whose_end_is_overtaken_by_the_calls_end_is_still_a_talk(house: House, fake_twilio: FakeTwilio) -> None:
    call = waits(house, fake_twilio)
    turn = f"/voice/turn?turn={call.row['turn']}"
    call.status(CallStatus="completed", CallDuration="60", SequenceNumber="0")
    path, form = webhook(call, turn, QueueResult="bridged", QueueSid="QU" + "1" * 32, QueueTime="9")
    house.post(path, form, token=house.config.tokens[0])
    assert (call.row["outcome"], task_of(call).result) == ("handed_over", "answered")


def test_a_wait_that_is_too_long_ends_with_a_message(house: House, fake_twilio: FakeTwilio) -> None:
    call = waits(house, fake_twilio)
    house.moment.pass_by(700)
    call.keep_waiting().hears("longer than it should").hears("leave your name").record(8)
    assert (task_of(call).result, call.row["outcome"]) == ("waited_too_long", "voicemail")


def test_nobody_who_gives_it_back_twice_gives_it_away_twice(line: House, fake_twilio: FakeTwilio) -> None:
    call, _ = booked(line, fake_twilio)
    store = line.store.database
    assert routed.give_to_desk(store, task_of(call).id, line.moment())
    assert not routed.give_to_desk(store, task_of(call).id, line.moment())
    assert routed.accept(store, task_of(call).id, "CAx", line.moment(), None, None) is None
