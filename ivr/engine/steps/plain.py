"""Steps that do not wait: `say`, `route`, `do`, `remember`, `enter`, `return`, `end`; and `lookup`, which the shell answers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ivr.engine.inputs import Answer, NoAnswer, StillWaiting
from ivr.engine.moves import Go, Into, Move, Out, go_on
from ivr.engine.session import Wait
from ivr.engine.talk import Talk
from ivr.flow.model import Condition, Do, Enter, Lookup, Remember, Route, Step
from ivr.personal.choose import not_known


def visit_onward(talk: Talk, step: Step) -> Move:
    """`say`, `return` and `end` have spoken already; they only go on."""
    return go_on(step) or Out("done")


def visit_route(talk: Talk, step: Route) -> Move:
    """The first rule that holds. Care rules see every fact; the others what this caller may hear."""
    unknown: list[str] = []
    for index, rule in enumerate(step.route):
        if rule.when is None:
            holds: bool | None = True
        else:
            lookup = talk.lookup(level="verified") if rule.purpose == "care" else talk.lookup()
            holds = rule.when.holds(lookup)
            unknown += not_known(rule.when, lookup) if holds is None else []
        if holds:
            talk.emit("routed", {"rule": index, "not_known": unknown})
            return Go(rule.next)
    talk.emit("routed", {"rule": None, "not_known": unknown})
    return Out("no_rule", True)


def given_values(talk: Talk, give: Mapping[str, Condition]) -> dict[str, Any]:
    """The values of a `give:`."""
    lookup = talk.lookup()
    return {name: expression.evaluate(lookup) for name, expression in give.items()}


def visit_lookup(talk: Talk, step: Lookup) -> Move:
    """Waits for a source; a value to give that is not known makes it fail unasked."""
    values = given_values(talk, step.give)
    missing = sorted(name for name, value in values.items() if value is None)
    if missing:
        talk.emit("lookup_failed", {"source": step.lookup, "why": "not known", "missing": missing})
        return Out("failed", True)
    save_as = step.save_as or talk.frame["step"]
    return Wait("lookup", {"source": step.lookup, "give": values, "save_as": save_as, "times": 0})


def answer_lookup(talk: Talk, step: Lookup, given: Answer | NoAnswer | StillWaiting, wait: Wait) -> Move:
    """Takes the source's answer, or its failure; while it is late, a filler keeps the caller company."""
    source = wait.spec["source"]
    if isinstance(given, StillWaiting):
        talk.say("line.one_moment" if given.times == 1 else "line.still_looking")
        return Wait("lookup", {**wait.spec, "times": given.times})
    if isinstance(given, NoAnswer):
        talk.emit("lookup_failed", {"source": source, "why": given.why, "detail": given.detail})
        return Out(given.why, True)
    talk.found[wait.spec["save_as"]] = dict(given.values)
    talk.emit("looked_up", {"source": source, "age": given.age, "as": wait.spec["save_as"]})
    return Out("done")


def visit_do(talk: Talk, step: Do) -> Move:
    """Asks for something that changes the world; `back` does not go past it."""
    values = given_values(talk, step.give)
    missing = sorted(name for name, value in values.items() if value is None)
    if missing:
        talk.emit("failed", {"outcome": "failed", "missing": missing})
        return Out("failed", True)
    talk.emit("requested", {"action": step.do}, {"give": values})
    talk.stack = [{**frame, "trail": []} for frame in talk.stack]
    return Out("done")


def visit_remember(talk: Talk, step: Remember) -> Move:
    """Keeps facts about the caller, if we know whose they are."""
    lookup = talk.lookup()
    values = {name.removeprefix("caller."): expression.evaluate(lookup) for name, expression in step.remember.items()}
    values = {name: value for name, value in values.items() if value is not None}
    if values:
        remember(talk, values)
    return Out("done")


def remember(talk: Talk, values: Mapping[str, Any]) -> None:
    """Into the snapshot and, by the event, into the store. A number that several people share teaches us nothing."""
    if not talk.is_somebody:
        return
    talk.facts = {**talk.facts, "caller": {**talk.facts.get("caller", {}), **values}}
    talk.emit("remembered", {"names": sorted(values)}, {"values": dict(values)})


def visit_enter(talk: Talk, step: Enter) -> Move:
    """Into another flow."""
    return Into(step.enter, "enter", given_values(talk, step.give))
