"""The worker: each kind of job, retried or not as it must be, whoever is killed; and what it deletes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import insert

from bench.shipped import FOLDER
from ivr.clock import now
from ivr.handoff.task import Task
from ivr.lookups.fault import LookupFault
from ivr.store import tables as t
from ivr.store.erase import erase_personal
from ivr.store.jobs import ATTEMPTS, LEASE_SECONDS, LOST, enqueue
from ivr.worker import GONE, RING_SPARE, SWEEP_SECONDS, Worker
from tests.actors import MARGO, STRANGER, House, Phone
from tests.fake_twilio import ACCOUNT, TOKEN, FakeTwilio

DAY = 86400.0
QUEUE = "QU" + "1" * 32
SMS = {"to": STRANGER, "words": "We are sorry.", "from": "+15550001111"}


class Log:
    """What was logged: (level, event, details)."""

    def __init__(self) -> None:
        self.lines: list[tuple[str, str, dict[str, Any]]] = []

    def __getattr__(self, level: str) -> Any:
        return lambda event, **details: self.lines.append((level, event, details))

    def of(self, event: str) -> list[tuple[str, dict[str, Any]]]:
        return [(level, details) for level, name, details in self.lines if name == event]


@pytest.fixture
def log() -> Log:
    return Log()


@pytest.fixture
def worker(house: House, fake_twilio: FakeTwilio, log: Log) -> Worker:
    return Worker(replace(house.config, **fake_twilio.account), house.store, house.moment, log)


def ask(house: House, key: str, kind: str, name: str, payload: Mapping[str, Any]) -> None:
    with house.store.database.write() as connection:
        enqueue(connection, key, kind, name, payload, "CA1", house.moment())


def jobs(house: House) -> dict[str, dict[str, Any]]:
    return {row["key"]: row for row in house.rows("outbox")}


def agent(now: float) -> dict[str, Any]:
    """A row of `users`."""
    user = {"id": "u1", "login": "ann", "name": "Ann", "password": "x", "role": "agent", "targets": "[]"}
    return {**user, "presence": "available", "presence_at": now, "at": now}


# The outbox


def test_what_is_asked_for_twice_under_one_key_is_one_job(
    house: House, worker: Worker, fake_twilio: FakeTwilio
) -> None:
    for words in ("We are sorry.", "We are very sorry."):
        ask(house, "g1", "message", "sms", {**SMS, "words": words})
    assert worker.outbox() == 1
    assert [sent["Body"] for sent in fake_twilio.messages.values()] == ["We are sorry."]
    ask(house, "g1", "message", "sms", SMS)
    assert worker.outbox() == 0


def test_a_job_exists_only_if_what_asked_for_it_does(house: House) -> None:
    with pytest.raises(LookupFault), house.store.database.write() as connection:
        enqueue(connection, "g1", "message", "sms", SMS, "CA1", house.moment())
        raise LookupFault("the rest went wrong")
    assert jobs(house) == {}


def test_each_kind_of_job_is_done(house: House, worker: Worker, fake_twilio: FakeTwilio, log: Log) -> None:
    fake_twilio.queues[QUEUE] = 0
    ask(house, "a", "action", next(iter(house.config.file.actions)), {})
    ask(house, "m", "message", "sms", SMS)
    ask(house, "t", "twilio", "delete_queue", {"queue": QUEUE})
    assert worker.outbox() == 3
    assert all(row["done"] and not row["failed"] for row in jobs(house).values())
    assert (len(fake_twilio.messages), fake_twilio.queues) == (1, {})
    assert [details["kind"] for _, details in log.of("job_done")] == ["action", "message", "twilio"]


def test_a_queue_that_is_not_empty_yet_is_deleted_later(house: House, worker: Worker, fake_twilio: FakeTwilio) -> None:
    fake_twilio.queues[QUEUE] = 1
    ask(house, "t", "twilio", "delete_queue", {"queue": QUEUE})
    worker.outbox()
    fake_twilio.queues[QUEUE] = 0
    house.moment.pass_by(60)
    worker.outbox()
    assert fake_twilio.queues == {}


def test_one_job_with_nonsense_does_not_stop_the_others(
    house: House, worker: Worker, fake_twilio: FakeTwilio, log: Log
) -> None:
    ask(house, "x", "twilio", "delete_queue", {"who": STRANGER})
    ask(house, "y", "message", "sms", {"who": STRANGER, "from": STRANGER})
    ask(house, "z", "message", "sms", SMS)
    worker.outbox()
    rows = jobs(house)
    assert rows["z"]["done"] and len(fake_twilio.messages) == 1
    assert (rows["x"]["error"], rows["x"]["failed"]) == ("a fault of ours: KeyError", None)
    assert rows["y"]["failed"]
    assert STRANGER not in str(log.lines)


# Messages are sent once


def test_a_message_that_was_refused_is_sent_later(
    house: House, worker: Worker, fake_twilio: FakeTwilio, log: Log
) -> None:
    fake_twilio.refuses(429)
    ask(house, "m", "message", "sms", SMS)
    worker.outbox()
    assert fake_twilio.messages == {}
    house.moment.pass_by(60)
    worker.outbox()
    assert len(fake_twilio.messages) == 1 and jobs(house)["m"]["done"]
    assert log.of("job_failed")[0][0] == "warning"


def test_a_message_that_is_always_refused_is_given_up_and_told(
    house: House, worker: Worker, fake_twilio: FakeTwilio, log: Log
) -> None:
    fake_twilio.refuses(400, 21610, f"{STRANGER} has unsubscribed", times=100)
    ask(house, "m", "message", "sms", SMS)
    for _ in range(ATTEMPTS + 3):
        worker.outbox()
        house.moment.pass_by(DAY)
    assert len(fake_twilio.asked) == ATTEMPTS
    level, last = log.of("job_failed")[-1]
    assert (level, last["final"]) == ("error", True) and "21610" in last["error"]
    assert STRANGER not in str(log.lines) and STRANGER not in jobs(house)["m"]["error"]


@pytest.mark.parametrize("wrong", ["loses", "drops"])
def test_a_message_whose_answer_was_lost_is_never_sent_again(
    house: House, worker: Worker, fake_twilio: FakeTwilio, log: Log, wrong: str
) -> None:
    getattr(fake_twilio, wrong)()
    ask(house, "m", "message", "sms", SMS)
    for _ in range(3):
        worker.outbox()
        worker.sweep()
        house.moment.pass_by(DAY)
    assert len(fake_twilio.asked) == 1
    assert jobs(house)["m"]["failed"] and "nobody knows" in jobs(house)["m"]["error"]
    ((level, told),) = log.of("job_failed")
    assert (level, told["final"]) == ("error", True)


def test_a_message_whose_worker_was_killed_is_never_sent_again(
    house: House, worker: Worker, fake_twilio: FakeTwilio, log: Log
) -> None:
    ask(house, "m", "message", "sms", SMS)
    house.store.jobs.lease(house.moment())  # by a worker that never comes back
    worker.outbox()
    worker.sweep()
    assert jobs(house)["m"]["failed"] is None  # it may still be at it
    house.moment.pass_by(LEASE_SECONDS + SWEEP_SECONDS)
    assert worker.outbox() == 0
    worker.sweep()
    worker.sweep()
    assert jobs(house)["m"]["error"] == LOST and jobs(house)["m"]["failed"]
    assert [details["error"] for _, details in log.of("job_failed")] == [LOST]
    assert fake_twilio.asked == []


def test_a_worker_killed_while_twilio_answers_sends_nothing_twice(
    line: House, fake_twilio: FakeTwilio, log: Log
) -> None:
    ask(line, "m", "message", "sms", SMS)
    settings = {"DATABASE_URL": line.url, "TWILIO_ACCOUNT_SID": ACCOUNT, "TWILIO_AUTH_TOKEN": TOKEN}
    command = [sys.executable, "-c", "from ivr.cli import main; main()", "--project", str(FOLDER), "worker", "--once"]
    process = subprocess.Popen(command, env={**os.environ, **settings, "TWILIO_API_URL": fake_twilio.url})
    fake_twilio.before(process.kill)
    assert process.wait(60) == -signal.SIGKILL
    config = replace(line.config, **fake_twilio.account)
    another = Worker(config, line.store, lambda: now() + LEASE_SECONDS + 1, log)
    another.turn()
    assert len(fake_twilio.messages) == len(fake_twilio.asked) == 1
    assert jobs(line)["m"]["error"] == LOST


def test_messages_that_wait_behind_one_whose_worker_was_killed_are_sent(
    house: House, worker: Worker, fake_twilio: FakeTwilio
) -> None:
    for key in ("m1", "m2", "m3"):
        ask(house, key, "message", "sms", SMS)
    house.store.jobs.lease(house.moment())
    house.moment.pass_by(LEASE_SECONDS + SWEEP_SECONDS)
    worker.turn()
    assert len(fake_twilio.messages) == 2
    assert [row["done"] is None for row in jobs(house).values()] == [True, False, False]


def test_a_slow_worker_that_did_send_is_believed(house: House, worker: Worker) -> None:
    ask(house, "m", "message", "sms", SMS)
    (job,) = house.store.jobs.lease(house.moment())
    house.moment.pass_by(LEASE_SECONDS + SWEEP_SECONDS)
    worker.sweep()
    house.store.jobs.done(job, house.moment())
    row = jobs(house)["m"]
    assert row["done"] and row["failed"] is None and row["error"] is None


def test_a_killed_workers_other_jobs_are_done_again(house: House, worker: Worker, fake_twilio: FakeTwilio) -> None:
    fake_twilio.queues[QUEUE] = 0
    ask(house, "t", "twilio", "delete_queue", {"queue": QUEUE})
    house.store.jobs.lease(house.moment())
    house.moment.pass_by(LEASE_SECONDS + 1)
    assert worker.outbox() == 1
    assert fake_twilio.queues == {}


# The sweeper


def test_a_task_that_rang_at_an_agent_and_was_never_heard_of_waits_again(house: House, worker: Worker) -> None:
    began, ring = house.moment(), house.config.file.desk.ring
    waiting = Task(
        "CA1-1", "call", "queue", "care", "northlight", "CA1", None, STRANGER, "en", None, None, None, 0.0, began, began
    )
    with house.store.database.write() as connection:
        connection.execute(insert(t.users).values(agent(began)))
        house.store.tasks.add(connection, waiting, began)
    assert house.store.tasks.take("CA1-1", "u1", began)
    house.moment.pass_by(ring + RING_SPARE - 1)
    assert worker.sweep() == 0
    house.moment.pass_by(2)
    assert worker.sweep() == 1
    (task,) = house.rows("tasks")
    assert (task["state"], task["agent"], task["entered"]) == ("waiting", None, began)


def waits(house: House, number: str = STRANGER) -> Phone:
    """Somebody in line for the care team, whose queue lets nobody wait longer than ten minutes."""
    call = house.calls(number).dial()
    for key in ("0",) if number == MARGO else ("1", "0"):
        call.press(key)
    return call


def test_a_caller_who_is_gone_without_a_word_leaves_the_line_once_nobody_would_still_wait(
    house: House, worker: Worker
) -> None:
    call = waits(house)
    house.moment.pass_by(600 + GONE)
    assert worker.sweep() == 0
    house.moment.pass_by(1)
    assert worker.sweep() == 1 and worker.sweep() == 0
    (task,) = house.rows("tasks")
    assert (task["state"], task["result"]) == ("done", "abandoned")
    assert (call.row["state"], call.row["outcome"]) == ("closed", "caller_left")
    assert house.store.tasks.size("care_team") == 0


def test_who_waits_or_talks_or_is_called_back_is_left_alone(house: House, worker: Worker) -> None:
    with house.store.database.write() as connection:
        connection.execute(insert(t.users).values(agent(house.moment())))
    talks, booked = waits(house), waits(house, MARGO)
    first, second = (house.store.tasks.of_call(call.sid)[0].id for call in (talks, booked))
    assert house.store.tasks.take(first, "u1", house.moment())
    assert house.store.tasks.accept(first, "CA9", house.moment())
    assert house.store.tasks.book(second, MARGO, house.moment(), house.moment())
    house.moment.pass_by(3000)
    waits(house, "+15550100008")
    assert worker.sweep() == 0
    assert [task["state"] for task in house.rows("tasks")] == ["talking", "waiting", "waiting"]


def test_a_caller_whose_agent_did_not_answer_is_told_first(house: House, worker: Worker) -> None:
    call = waits(house)
    with house.store.database.write() as connection:
        connection.execute(insert(t.users).values(agent(house.moment())))
    (task,) = house.store.tasks.of_call(call.sid)
    house.moment.pass_by(590)
    assert house.store.tasks.take(task.id, "u1", house.moment())
    house.moment.pass_by(300)
    assert worker.sweep() == 1  # the phone has stopped ringing
    call.keep_waiting().hears("longer than it should")


def test_a_call_that_was_erased_keeps_no_place_in_line(house: House, worker: Worker) -> None:
    call = waits(house)
    with house.store.database.write() as connection:
        erase_personal(connection, [call.sid])
    house.moment.pass_by(601 + GONE)
    assert worker.sweep() == 1 and worker.sweep() == 0
    assert [task["result"] for task in house.rows("tasks")] == ["abandoned"]


def test_after_the_database_was_gone_callers_are_told_before_anybody_is_thought_gone(line: House, log: Log) -> None:
    call, worker = waits(line), Worker(line.config, line.store, line.moment, log)
    line.run("ALTER TABLE outbox RENAME TO gone")
    line.moment.pass_by(601 + GONE)
    assert worker.turn() == 0 and log.of("database")
    line.run("ALTER TABLE gone RENAME TO outbox")
    line.moment.pass_by(SWEEP_SECONDS + 1)
    worker.turn()
    call.keep_waiting().hears("longer than it should")


# Upkeep


def test_upkeep_deletes_what_the_console_left_behind(house: House, worker: Worker) -> None:
    today, keep = house.moment(), house.config.file.calls_keep
    session = {"user": "u1", "at": today, "seen": today, "browser": "x"}
    with house.store.database.write() as connection:
        connection.execute(insert(t.users).values(agent(today)))
        for name, until in (("over", today - 1), ("open", today + 1)):
            connection.execute(insert(t.web_sessions).values(id=name, until=until, **session))
        for name, at in (("old", today - keep - 1), ("new", today - keep + 1)):
            connection.execute(insert(t.audit).values(at=at, action="login", about=name, detail=""))
        for name, at in (("old", today - DAY - 1), ("new", today - DAY + 1)):
            connection.execute(insert(t.login_attempts).values(login=name, address="::1", at=at))
    worker.upkeep()
    assert [row["id"] for row in house.rows("web_sessions")] == ["open"]
    assert [row["about"] for row in house.rows("audit")] == ["new"]
    assert [row["login"] for row in house.rows("login_attempts")] == ["new"]
