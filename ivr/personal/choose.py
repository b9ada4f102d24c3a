"""Line rules → Decision: which flow this caller gets, why, with what facts, and what was passed over.

Everything that a later reader needs to understand the choice is in the Decision, and it is kept with the call.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ivr.flow.bundle import Bundle
from ivr.flow.expressions import Expression, Lookup
from ivr.flow.model import Line, MannerRule

NOBODY = "no rule holds"


@dataclass(frozen=True, slots=True)
class Decision:
    """`because` and `flow` of the rule that chose; `facts` it used, by name; `passed_over`, each with what was not known.

    In the control group `flow` is the group's, and `would` says which rule would have chosen.
    """

    because: str
    flow: str
    rule: int
    manner: tuple[str, ...] = ()
    always: bool = False
    facts: Mapping[str, Any] = field(default_factory=dict)
    passed_over: Sequence[Mapping[str, Any]] = ()
    control: bool = False
    would: str | None = None

    def public(self) -> dict[str, Any]:
        """The part without personal values."""
        return {
            "because": self.because,
            "flow": self.flow,
            "rule": self.rule,
            "manner": list(self.manner),
            "facts": sorted(self.facts),
            "passed_over": [dict(each) for each in self.passed_over],
            "control": self.control,
            "would": self.would,
        }


def choose(bundle: Bundle, line: Line, everything: Lookup, allowed: Lookup, control: bool) -> Decision:
    """The first rule of `line` that holds.

    `everything` sees all facts, for the rules that choose; `allowed` only what this caller may hear, for the manner.
    `control`: this caller is in the control group (rules marked `always` come before it).
    """
    passed: list[dict[str, Any]] = []
    for index, rule in enumerate(line.choose):
        holds = True if rule.when is None else rule.when.holds(everything)
        if not holds:
            unknown = [] if holds is False or rule.when is None else not_known(rule.when, everything)
            passed.append({"because": rule.because, "not_known": unknown})
            continue
        facts = {".".join(name): everything(name) for name in rule.when.names} if rule.when else {}
        if control and not rule.always and line.control_group:
            flow = line.control_group.flow
            return Decision("control group", flow, index, (), False, facts, passed, True, rule.because)
        manner = _manner(rule.manner, line.manner, allowed)
        return Decision(rule.because, rule.flow, index, manner, rule.always, facts, passed, False, None)
    place = bundle.resolve(next(iter(bundle.flows)), line.otherwise)
    return Decision(NOBODY, place[0] if place else next(iter(bundle.flows)), -1, (), False, {}, passed)


def not_known(expression: Expression, lookup: Lookup) -> list[str]:
    """Names in `expression` whose value is not known."""
    return [".".join(name) for name in expression.names if lookup(name) is None]


def _manner(chosen: Sequence[str], rules: Sequence[MannerRule], lookup: Lookup) -> tuple[str, ...]:
    """The rule's own wordings first, then those of every manner rule that holds, in order, each once."""
    manner = list(chosen)
    for rule in rules:
        if rule.when is not None and not rule.when.holds(lookup):
            continue
        if isinstance(rule.use, Expression):
            value = rule.use.evaluate(lookup)
            manner += [value] if isinstance(value, str) else []
        else:
            manner += rule.use
    return tuple(dict.fromkeys(manner))
