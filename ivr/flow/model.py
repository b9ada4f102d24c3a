"""Lines, flows and steps as the designer wrote them: frozen, typed, with conditions already compiled.

One verb each makes a step what it is. The JSON Schema for editors comes from these classes.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, Discriminator, Field, PlainSerializer, Tag, WithJsonSchema, model_validator

from ivr.config import Hours, Names, Seconds, Share, one_or_more
from ivr.flow.expressions import Expression, ExpressionError, compile_expression
from ivr.shape import NotYet, Shape

KEY = re.compile(r"(?:[0-9]+|[*#])$")
RANGE = re.compile(r"(\d+)\.\.(\d+)$")


class ConditionError(ValueError):
    """A condition that cannot be compiled."""

    code = "condition"
    hint = "as in: account.overdue > 0 and caller.prefers.language is known"


def _condition(value: Any) -> Expression:
    if isinstance(value, Expression):
        return value
    if not isinstance(value, str):
        raise ConditionError("a condition is written as text")
    try:
        return compile_expression(value)
    except ExpressionError as error:
        raise ConditionError(str(error)) from None


Condition = Annotated[
    Expression,
    BeforeValidator(_condition),
    PlainSerializer(lambda expression: expression.text),
    WithJsonSchema({"type": "string"}),
]


def _keys(value: Any) -> tuple[str, ...]:
    """`1`, `[1, 2]` or `1000..1019` as single keys."""
    keys: list[str] = []
    for item in one_or_more(value):
        found = RANGE.match(str(item))
        if found:
            first, last = int(found[1]), int(found[2])
            if last < first or last - first > 999:
                raise ValueError("a range of keys goes up and holds at most 1000 keys")
            keys += [str(number).zfill(len(found[1])) for number in range(first, last + 1)]
        elif KEY.match(str(item)):
            keys.append(str(item))
        else:
            raise ValueError(f"'{item}' is not a key; keys are digits, * and #")
    return tuple(keys)


def _length(value: Any) -> tuple[int, int]:
    if isinstance(value, tuple):
        return value
    found = re.match(r"(\d+)(?:\.\.(\d+))?$", str(value))
    if not found:
        raise ValueError(f"'{value}' is not a length; write 5 or 5..6")
    low, high = int(found[1]), int(found[2] or found[1])
    if not 1 <= low <= high <= 60:
        raise ValueError("a length goes from 1 to at most 60 digits")
    return low, high


def _reprompts(value: Any) -> int | tuple[str, ...]:
    if isinstance(value, (list, tuple)):
        return tuple(str(item) for item in value)
    if not str(value).isdigit() or int(value) > 5:
        raise ValueError("write a number of re-prompts (0 to 5) or a list of prompts")
    return int(value)


Keys = Annotated[tuple[str, ...], BeforeValidator(_keys), WithJsonSchema({"type": ["string", "integer", "array"]})]
Length = Annotated[tuple[int, int], BeforeValidator(_length), WithJsonSchema({"type": ["string", "integer"]})]
Reprompts = Annotated[
    int | tuple[str, ...], BeforeValidator(_reprompts), WithJsonSchema({"type": ["string", "integer", "array"]})
]
Destinations = dict[str, str]


class Option(Shape):
    """One thing a caller may choose: keys that never change their meaning, a label that names it, and where it leads."""

    key: Keys = ()
    keys: Keys = ()
    label: str | None = None
    next: str | None = None
    enter: str | None = None
    returns: str | None = Field(None, alias="return")
    end: str | None = None
    when: Condition | None = None
    reason: str | None = None
    give: dict[str, Condition] = {}

    @model_validator(mode="after")
    def _leads_somewhere(self) -> Option:
        if sum(place is not None for place in (self.next, self.enter, self.returns, self.end)) != 1:
            raise ValueError("an option has exactly one of 'next:', 'enter:', 'return:' and 'end:'")
        return self

    @property
    def all_keys(self) -> tuple[str, ...]:
        """Its keys, the one that is spoken first."""
        return self.key + self.keys


class Step(Shape):
    """What any step may carry beside its verb."""

    verb: ClassVar[str] = ""
    outcomes: ClassVar[tuple[str, ...]] = ()
    failures: ClassVar[tuple[str, ...]] = ()
    listens: ClassVar[bool] = False

    say_also: Names = Field((), alias="say")
    when: Condition | None = None
    note: str | None = None
    answers: str | None = None
    next: str | Destinations | None = None
    otherwise: str | None = None
    returns: str | None = Field(None, alias="return")
    end: str | None = None


class Say(Step):
    """Speaks one prompt or several. `end:` may stand for `next:`."""

    verb = "say"


class End(Step):
    """Ends the call, whatever is open, with a named outcome."""

    verb = "end"


class Return(Step):
    """Goes back to where this flow was entered and hands its name over."""

    verb = "return"


class _Asks(Step):
    listens = True
    failures = ("no_input", "no_match")

    no_input: Reprompts | None = None
    no_match: Reprompts | None = None
    timeout: Seconds | None = None
    options: dict[str, Option] = {}


class Menu(_Asks):
    """Offers options; keys and words work alike. The outcome is the option's name."""

    verb = "menu"
    menu: str
    order: Literal["likeliest first", "as written"] = "as written"
    speak_at_most: Annotated[int, Field(ge=1, le=20)] | None = None
    guess_first: Share | None = None
    save_as: str = "reason"


AskKind = Literal["digits", "number", "money", "date", "time", "phone", "yes_no", "words", "recording"]


class Refusal(Shape):
    """An answer that is understood and cannot be: `when` it holds, `say` is spoken and the question asked again."""

    when: Condition
    say: str


class Ask(_Asks):
    """Asks for one thing and keeps it as `said.<save_as>`."""

    verb = "ask"
    ask: str
    kind: AskKind = Field("yes_no", alias="as")
    length: Length | None = None
    refuse: tuple[Refusal, ...] = ()
    confirm: str | None = None
    save_as: str | None = None


class Pick(_Asks):
    """Lets the caller choose one of a list that was looked up; the chosen item is `said.<save_as>`."""

    verb = "pick"
    outcomes = ("empty",)
    pick: Condition
    each: str
    one_by_one: bool = False
    save_as: str | None = None
    empty: str | None = None


class Rule(Shape):
    """One line of a route: `when` it holds, the call goes on at `next`."""

    when: Condition | None = None
    next: str
    purpose: Literal["care"] | None = None


class Route(Step):
    """Goes where the first rule that holds says; a rule without `when:` always holds."""

    verb = "route"
    failures = ("no_rule",)
    route: tuple[Rule, ...]


class Lookup(Step):
    """Reads from a source of config.yaml within its time budget; the answer is `found.<save_as>`."""

    verb = "lookup"
    failures = ("failed", "late")
    lookup: str
    give: dict[str, Condition] = {}
    save_as: str | None = None


class Do(Step):
    """Asks for something that changes the world: stored with this turn, done once, soon, through the outbox."""

    verb = "do"
    failures = ("failed",)
    do: str
    give: dict[str, Condition] = {}


class Verify(Step):
    """Makes sure who is calling. What is answered stays secret; only whether it matched is kept."""

    verb = "verify"
    listens = True
    outcomes = ("verified",)
    failures = ("not_verified", "no_input", "no_match")
    verify: str
    timeout: Seconds | None = None


class Remember(Step):
    """Keeps facts about the caller for later calls."""

    verb = "remember"
    remember: dict[str, Condition]


class Enter(Step):
    """Runs another flow and comes back with the name it returned."""

    verb = "enter"
    enter: str
    give: dict[str, Condition] = {}


class Voicemail(Step):
    """Records a message for a target."""

    verb = "voicemail"
    listens = True
    failures = ("no_input",)
    voicemail: str
    at_most: Seconds = 120.0


class Handoff(Step):
    """Connects the caller with people. `about:` is what the agent hears as the reason."""

    verb = "handoff"
    outcomes = ("ended", "callback_booked")
    failures = ("unanswered", "busy", "closed", "waited_too_long")
    listens = True
    handoff: str
    about: Condition | None = None


class Callback(Step):
    """Books a call back from a target's people, without waiting; to `number`, or the number the caller calls from."""

    verb = "callback"
    outcomes = ("booked",)
    failures = ("failed",)
    callback: str
    number: Condition | None = None
    about: Condition | None = None


class Case(Step):
    """Opens, joins, updates or closes a case; `cases.current` is that case afterwards."""

    verb = "case"
    failures = ("failed",)
    case: Literal["open", "join", "update", "close"]
    about: str | None = None
    summary: str | None = None

    @model_validator(mode="after")
    def _about_something(self) -> Case:
        if self.case in ("open", "join") and self.about is None:
            raise ValueError(f"'case: {self.case}' says what it is 'about:', a reason such as bill")
        if self.case == "update" and self.summary is None:
            raise ValueError("'case: update' has a 'summary:', the prompt whose words are kept")
        return self


class Notify(Step):
    """Writes to the caller in the words of a prompt, once, through the outbox."""

    verb = "notify"
    failures = ("failed",)
    notify: str
    by: Condition | None = None


STEPS: dict[str, type[Step]] = {
    step.verb: step
    for step in (
        Menu,
        Ask,
        Pick,
        Route,
        Lookup,
        Do,
        Verify,
        Remember,
        Enter,
        Voicemail,
        Callback,
        Handoff,
        Case,
        Notify,
        Say,
        Return,
        End,
    )
}
"""Verb → step, in the order in which a step's verb is recognised: `say`, `return` and `end` may stand beside any other."""

NOT_YET = ("pay", "queue", "calls_out")
"""Verbs that belong to later parts of the product."""

OUTCOMES = ("resolved", "handed_over", "voicemail", "callback", "closed_hours", "caller_left", "fault")
"""How a call may end. *Contained* are resolved and closed_hours."""


class UnknownStep(ValueError):
    """No verb of the language is in this step."""

    code = "unknown-step-kind"


def _verb(data: Any) -> str | None:
    if isinstance(data, Step):
        return data.verb
    if not isinstance(data, dict):
        return None
    return next((verb for verb in STEPS if verb in data), None)


def _one_verb(data: Any) -> Any:
    if not isinstance(data, dict):
        return data
    for word in NOT_YET:
        if word in data:
            raise NotYet(f"'{word}' is a word of this language that is not built yet")
    verbs = [verb for verb in STEPS if verb in data and verb not in ("say", "return", "end")]
    if len(verbs) > 1:
        error = ValueError(f"a step has one verb, this one has {' and '.join(verbs)}")
        raise error
    if not verbs and not any(verb in data for verb in ("say", "return", "end")):
        error = UnknownStep("this step has no verb")
        error.hint = f"one of {', '.join(STEPS)}"  # type: ignore[attr-defined]
        raise error
    return data


AnyStep = Annotated[
    Annotated[Menu, Tag("menu")]
    | Annotated[Ask, Tag("ask")]
    | Annotated[Pick, Tag("pick")]
    | Annotated[Route, Tag("route")]
    | Annotated[Lookup, Tag("lookup")]
    | Annotated[Do, Tag("do")]
    | Annotated[Verify, Tag("verify")]
    | Annotated[Remember, Tag("remember")]
    | Annotated[Enter, Tag("enter")]
    | Annotated[Voicemail, Tag("voicemail")]
    | Annotated[Callback, Tag("callback")]
    | Annotated[Handoff, Tag("handoff")]
    | Annotated[Case, Tag("case")]
    | Annotated[Notify, Tag("notify")]
    | Annotated[Say, Tag("say")]
    | Annotated[Return, Tag("return")]
    | Annotated[End, Tag("end")],
    Discriminator(_verb),
    BeforeValidator(_one_verb),
]


class Flow(Shape):
    """The steps of one topic."""

    flow: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
    title: str | None = None
    note: str | None = None
    start: str
    takes: dict[str, str] = {}
    options: dict[str, Option] = {}
    otherwise: str | None = None
    steps: dict[str, AnyStep]


class ChooseRule(Shape):
    """Who gets which flow, and why."""

    because: str
    when: Condition | None = None
    purpose: Literal["care"] | None = None
    flow: str
    manner: Names = ()
    always: bool = False


def _manner(value: Any) -> Any:
    """`caller.prefers.manner` is a value that names a wording; anything else names wordings itself."""
    if isinstance(value, str):
        return _condition(value) if "." in value else (value,)
    if isinstance(value, (list, tuple)):
        return tuple(str(name) for name in value)
    return value


Manner = Annotated[
    Expression | tuple[str, ...],
    BeforeValidator(_manner),
    WithJsonSchema({"type": ["string", "array"], "items": {"type": "string"}}),
]


class MannerRule(Shape):
    """Wordings a caller likes: names of wordings, or a value that holds one."""

    when: Condition | None = None
    use: Manner


class Command(Shape):
    """A word or key that works at every menu and question."""

    key: Keys = ()
    next: str | None = None
    enter: str | None = None
    language: str | None = None


class ControlGroup(Shape):
    """The share of known callers who hear the same menu as everybody, so that reports can compare."""

    share: Share
    flow: str


class Survey(Shape):
    """A flow of at most two questions, entered once after caller and agent have parted; `unless`: who is not asked."""

    flow: str
    unless: Condition | None = None
    purpose: Literal["care"] | None = None


class Line(Shape):
    """A contact line: its numbers, hours, languages, who gets which flow and why, and the commands that work everywhere."""

    line: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
    numbers: Names
    title: str | None = None
    note: str | None = None
    languages: Names
    voices: dict[str, str] = {}
    ask_language: str | None = None
    hours: Hours | None = None
    needs: Names = ()
    choose: Annotated[tuple[ChooseRule, ...], Field(min_length=1)]
    manner: tuple[MannerRule, ...] = ()
    commands: dict[str, Command] = {}
    after: str | None = None
    otherwise: str
    no_input: Reprompts = 2
    no_match: Reprompts = 2
    timeout: Seconds = 6.0
    control_group: ControlGroup | None = None
    survey: Survey | None = None
