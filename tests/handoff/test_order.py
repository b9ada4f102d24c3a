"""Who is served next: in the order of the line, and for a moment kept for the agent who knows them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ivr.handoff.order import Waiting, key, next_for, position, ready

NOW, KEPT = 10_000.0, 30.0
AGENTS = ("ada", "ben", "cleo")

tasks_ = st.lists(
    st.builds(
        Waiting,
        id=st.text("abcdef", min_size=1, max_size=4),
        entered=st.floats(NOW - 900, NOW),
        ahead=st.sampled_from([0.0, 60.0, 300.0]),
        kind=st.sampled_from(["call", "call", "callback", "voicemail"]),
        due=st.floats(NOW - 900, NOW + 900),
        last_agent=st.sampled_from([None, *AGENTS]),
    ),
    max_size=12,
    unique_by=lambda task: task.id,
)
free_ = st.sets(st.sampled_from(AGENTS))


def call(id_, ago=100.0, *, ahead=0.0, last=None):
    return Waiting(id_, NOW - ago, ahead, "call", NOW - ago, last)


def callback(id_, ago=100.0, *, due):
    return Waiting(id_, NOW - ago, 0.0, "callback", NOW + due)


def test_who_came_first_is_first_and_priority_counts_as_having_come_earlier():
    line = [call("late", 10), call("early", 100), call("urgent", 20, ahead=300)]
    assert [position(id_, line, NOW) for id_ in ("urgent", "early", "late")] == [1, 2, 3]
    assert next_for("ada", line, AGENTS, NOW, KEPT) == "urgent"


def test_a_callback_keeps_its_place_once_it_is_due_and_holds_up_nobody_before():
    line = [callback("back", 500, due=60), call("here", 100)]
    assert position("here", line, NOW) == 1 and next_for("ada", line, (), NOW, KEPT) == "here"
    assert position("here", line, NOW + 60) == 2 and next_for("ada", line, (), NOW + 60, KEPT) == "back"
    assert position("back", line, NOW) == 1


def test_a_message_waits_for_nobody_and_nobody_for_it():
    message = Waiting("v-1", NOW - 9000, 0.0, "voicemail", NOW - 9000)
    assert position("here", [message, call("here")], NOW) == 1
    assert next_for("ada", [message], (), NOW, KEPT) is None


def test_who_is_not_in_line_has_no_place():
    assert position("gone", [call("here")], NOW) is None


def test_a_caller_is_left_to_the_free_agent_who_knows_them_for_a_moment():
    line = [call("known", 10, last="ben"), call("other", 5)]
    assert next_for("ada", line, {"ada", "ben"}, NOW, KEPT) == "other"
    assert next_for("ben", line, {"ada", "ben"}, NOW, KEPT) == "known"
    assert next_for("ada", line, {"ada"}, NOW, KEPT) == "known"  # ben is busy
    assert next_for("ada", line, {"ada", "ben"}, NOW + 21, KEPT) == "known"  # long enough


def test_the_agent_who_knows_a_caller_takes_them_a_moment_before_their_turn_and_no_more():
    line = [call("before", 35), call("mine", 10, last="ada")]
    assert next_for("ada", line, AGENTS, NOW, KEPT) == "mine"
    assert next_for("ada", [call("long", 600), *line], AGENTS, NOW, KEPT) == "long"
    assert next_for("ada", line, AGENTS, NOW + 20, KEPT) == "before"


@given(tasks_)
def test_the_order_is_total(tasks):
    keys = [key(task) for task in tasks]
    assert len(set(keys)) == len(keys)
    waiting = [task for task in tasks if ready(task, NOW)]
    assert sorted(position(task.id, tasks, NOW) for task in waiting) == list(range(1, len(waiting) + 1))


@given(tasks_, free_)
def test_everybody_is_served_in_the_end(tasks, free):
    left, moment, served = list(tasks), NOW, []
    while any(ready(task, moment + 1000) for task in left):
        taken = [id_ for agent in AGENTS if (id_ := next_for(agent, left, free, moment, KEPT))]
        if taken:
            served.append(taken[0])
            left = [task for task in left if task.id != taken[0]]
        moment += 10
    assert {task.id for task in tasks if task.kind != "voicemail"} == set(served)


@given(tasks_, free_, st.sampled_from(AGENTS))
def test_nobody_is_overtaken_by_more_than_priority_and_a_moment(tasks, free, agent):
    taken = next_for(agent, tasks, free, NOW, KEPT)
    chosen = next((task for task in tasks if task.id == taken), None)
    for task in tasks:
        if ready(task, NOW) and NOW - task.entered >= KEPT and chosen is not None:
            assert key(chosen)[0] <= key(task)[0] + KEPT


@given(tasks_, free_, st.sampled_from(AGENTS))
def test_a_free_agent_is_idle_only_while_every_caller_is_kept_for_somebody_free(tasks, free, agent):
    if next_for(agent, tasks, free, NOW, KEPT) is None:
        assert all(task.last_agent in free for task in tasks if ready(task, NOW))


@given(tasks_, st.floats(0, 600))
def test_a_later_caller_never_pushes_anybody_back(tasks, since):
    later = call("zzzzz", 0)._replace(entered=NOW + since)
    for task in tasks:
        assert position(task.id, tasks, NOW) == position(task.id, [*tasks, later], NOW)
