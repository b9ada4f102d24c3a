"""What the desk shows: who waits, as rows, and one task with its packet. Names and numbers only as far as they may be seen."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

from ivr.engine.session import from_json
from ivr.handoff.order import Waiting, key, next_for
from ivr.handoff.packet import NAMES
from ivr.handoff.seen import in_words, may_see, named, text
from ivr.handoff.story import reason_label
from ivr.handoff.task import Task, is_unwritten
from ivr.handoff.text import LANGUAGES, lines
from ivr.phone import masked
from ivr.store.store import DatabaseStore
from ivr.store.users import User
from ivr.web.packets import packet_of_call

if TYPE_CHECKING:
    from ivr.web.app import Wiring

IN_HAND = ("ringing", "talking", "wrap_up")


class Row(NamedTuple):
    """One line of the list. `badges`: (kind, words)."""

    task: Task
    name: str
    about: str
    badges: Sequence[tuple[str, str]]


class Listed(NamedTuple):
    """The left column. `mine`: what this agent has in hand; `unwritten`: talks of those who were dialled, the newest first;
    `next`: the id of what they would be given now."""

    mine: Sequence[Row]
    waiting: Sequence[Row]
    callbacks: Sequence[Row]
    voicemail: Sequence[Row]
    unwritten: Sequence[Row]
    next: str | None


class Earlier(NamedTuple):
    """A call before this one. `at`: UTC seconds."""

    sid: str
    at: float
    words: str


class Packet(NamedTuple):
    """One task as a page. `told`: heading → lines; `done`: (time, what, words) of this call; `earlier`: other calls."""

    name: str
    known: str
    number: str
    language: str
    manner: str
    words: Sequence[str]
    understood: str
    told: Mapping[str, Sequence[str]]
    done: Sequence[tuple[str, str, str]]
    earlier: Sequence[Earlier]


def listed(wiring: Wiring, user: User, now: float) -> Listed:
    """What waits for this agent, each group in the order of service."""
    tasks = wiring.store.tasks.open_tasks(user.targets or None)
    free = {target: wiring.store.tasks.free_agents(target) for target in {task.target for task in tasks}}

    def rows(those: Iterable[Task]) -> list[Row]:
        return [_row(wiring, user, task, free[task.target], now) for task in those]

    def waiting(kind: str) -> list[Row]:
        return rows(task for task in tasks if task.kind == kind and ours(task) and not is_mine(task, user))

    mine = rows(task for task in tasks if is_mine(task, user))
    unwritten = rows(sorted(filter(is_unwritten, tasks), key=lambda task: task.parted or 0.0, reverse=True))
    kinds = waiting("call"), waiting("callback"), waiting("voicemail")
    return Listed(mine, *kinds, unwritten, _next(wiring, user, tasks, free, now))


def ours(task: Task) -> bool:
    """Whether it waits for somebody at this desk. What TaskRouter routes is not for us to take."""
    return task.way != "taskrouter" and (task.state == "waiting" or task.kind == "voicemail")


def is_mine(task: Task, user: User) -> bool:
    """Whether this agent has it in hand."""
    return task.agent == user.id and task.state in IN_HAND


def next_task(wiring: Wiring, user: User, now: float) -> str | None:
    """The id of the task that this agent should take; None where there is none for them."""
    tasks = wiring.store.tasks.open_tasks(user.targets or None)
    free = {target: wiring.store.tasks.free_agents(target) for target in {task.target for task in tasks}}
    return _next(wiring, user, tasks, free, now)


def _next(
    wiring: Wiring, user: User, tasks: Sequence[Task], free: Mapping[str, Sequence[str]], now: float
) -> str | None:
    """Of each target's next one, whoever comes first. How long a caller is kept for who knows them is the target's."""
    waiting: dict[str, list[Waiting]] = {}
    for task in tasks:
        if ours(task) and task.state == "waiting":
            waiting.setdefault(task.target, []).append(_waiting(task))
    firsts = {
        next_for(user.id, of_target, free[target], now, _kept(wiring, target)) for target, of_target in waiting.items()
    }
    mine = [task for of_target in waiting.values() for task in of_target if task.id in firsts]
    return min(mine, key=key).id if mine else None


def _waiting(task: Task) -> Waiting:
    return Waiting(task.id, task.entered, task.ahead, task.kind, task.due, task.last_agent)


def _kept(wiring: Wiring, target: str) -> float:
    spec = wiring.config.file.targets.get(target)
    return spec.waiting.last_agent if spec and spec.waiting else 0.0


def _row(wiring: Wiring, user: User, task: Task, free: Sequence[str], now: float) -> Row:
    about = label(wiring, task) or _labelled(wiring, task, text(task.words or ""))
    return Row(
        task, caller_name(wiring, task) or _number(task, user), about, list(_badges(wiring, user, task, free, now))
    )


def _badges(wiring: Wiring, user: User, task: Task, free: Sequence[str], now: float) -> Sequence[tuple[str, str]]:
    found = []
    if task.because:
        found.append(("care" if _is_care(wiring, task) else "cut_off", task.because))
    kept = task.kind == "call" and task.last_agent in free and now - task.entered < _kept(wiring, task.target)
    if kept and task.state == "waiting":
        found.append(("kept", f"for {'you' if task.last_agent == user.id else colleague(wiring, task.last_agent)}"))
    if task.kind == "callback" and task.attempts:
        found.append(("tried", f"tried {'once' if task.attempts == 1 else f'{task.attempts} times'}"))
    if task.kind == "voicemail" and task.agent:
        found.append(("kept", f"for {'you' if task.agent == user.id else colleague(wiring, task.agent)}"))
    return found


def _is_care(wiring: Wiring, task: Task) -> bool:
    spec = wiring.config.file.targets.get(task.target)
    rules = spec.waiting.priority if spec and spec.waiting else ()
    return any(rule.purpose == "care" for rule in rules if rule.because == task.because)


def colleague(wiring: Wiring, id_: str | None) -> str:
    """How somebody is called, for a sentence about them."""
    found = wiring.store.users.get(id_) if id_ else None
    return found.name if found else "a colleague"


def label(wiring: Wiring, task: Task) -> str:
    """Why they call, as the line names it; empty where nobody knows."""
    return _labelled(wiring, task, task.reason) if task.reason else ""


def _labelled(wiring: Wiring, task: Task, reason: str) -> str:
    bundle = wiring.parts.store.published()
    line = bundle.lines.get(task.line)
    return (reason_label(bundle, line, reason) if line else None) or named(reason)


def caller_name(wiring: Wiring, task: Task) -> str:
    """The caller's name, where these agents may see it."""
    return _name(wiring.store, task.caller, task.call, task.target) if task.caller else ""


@lru_cache(maxsize=1024)
def _name(store: DatabaseStore, caller: str, call: str, target: str) -> str:
    """The list is drawn each time something changes, for everybody; a name does not change while its caller waits."""
    person, found = store.person(caller), store.load(call)
    if person is None or found is None or not found.session:
        return ""
    session, bundle = from_json(found.session), store.bundle(found.bundle) or store.published()
    spec = bundle.part.targets.get(target)
    sees = spec.sees if spec else ()
    names = [person.facts.get(name) for name in NAMES if may_see(bundle, ("caller", name), session.level, sees)]
    return " ".join(text(name) for name in names if name)


def _number(task: Task, user: User) -> str:
    if not task.number:
        return "Number withheld"
    return task.number if user.role == "admin" or is_mine(task, user) else masked(task.number)


def packet_of_task(wiring: Wiring, user: User, task: Task) -> Packet:
    """The packet as this agent may see it. Of a call that was erased, what the task itself still says."""
    call = wiring.store.load(task.call)
    packet: Mapping[str, Any] = {}
    earlier: list[Earlier] = []
    if call is not None and call.session:
        bundle, session = (
            wiring.parts.store.bundle(call.bundle) or wiring.parts.store.published(),
            from_json(call.session),
        )
        packet = packet_of_call(wiring, bundle, session, task.target)
        earlier = _earlier(wiring, session.person, task.call, packet.get("calls", ()))
    who, reason = packet.get("who", {}), packet.get("reason", {})
    own = list(reason.get("words", ()))
    number = _number(task, user)
    language = str(packet.get("language") or task.language)
    labels = [in_words(each.get("label") or each.get("reason", "")) for each in reason.get("understood", ())]
    return Packet(
        name=who.get("name") or number,
        known=who["known"] if who.get("known", "anyone") != "anyone" else in_words(who.get("words", "")),
        number=number if who.get("name") else "",
        language=LANGUAGES.get(language.partition("-")[0], language),
        manner=", ".join(packet.get("manner", ())),
        words=own,
        understood=", then ".join(labels) or label(wiring, task) or _about(wiring, task, reason, own),
        told=dict(lines(packet)),
        done=[_timed(line) for line in packet.get("done", ())],
        earlier=earlier,
    )


def _about(wiring: Wiring, task: Task, reason: Mapping[str, Any], own: Sequence[str]) -> str:
    about = in_words(reason.get("about") or "")
    return "" if not about or about in own else _labelled(wiring, task, about)


def _timed(line: str) -> tuple[str, str, str]:
    """`0:07 chose: moving` in its three parts; what is said in one breath has no middle one."""
    at, _, words = line.partition(" ")
    what, _, more = words.partition(": ")
    return (at, what, more) if more else (at, "", words)


def _earlier(wiring: Wiring, person: str | None, call: str, told: Sequence[str]) -> list[Earlier]:
    """Earlier calls in the packet's words, each with its CallSid, so that its trace can be opened."""
    found = wiring.store.person(person) if person else None
    recent = found.history["recent"] if found and found.history else ()
    calls = [each for each in reversed(recent) if each["sid"] != call]
    # The packet's lines begin with the day, which the page writes in its own way.
    return [
        Earlier(each["sid"], each["at"], words.partition(" ")[2].replace(", ", " · "))
        for each, words in zip(calls, told, strict=False)
    ]
