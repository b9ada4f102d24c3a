"""config.yaml and the environment as one frozen Config.

The file holds what may be read by anybody; secrets come from the environment only, which also wins over the file.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from ivr.kinds import Kind, Speak
from ivr.problems import Problem, Where, did_you_mean
from ivr.shape import Shape, validate
from ivr.source import Path as Path_
from ivr.source import Source, load

_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|m|h|d|seconds?|minutes?|hours?|days?|months?|years?)$")
_SECONDS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400, "month": 30 * 86400, "year": 365 * 86400}
_SECONDS |= {"second": 1, "minute": 60, "hour": 3600, "day": 86400}


def seconds(text: Any) -> float:
    """`1500ms`, `5m`, `12 months` → seconds. Raises ValueError."""
    if isinstance(text, (int, float)):
        return float(text)
    found = _DURATION.match(str(text).strip())
    if not found:
        raise ValueError(f"'{text}' is not a length of time; write 1500ms, 6s, 5m, 2h, 7d or 12 months")
    unit = found[2] if found[2] in _SECONDS else found[2].rstrip("s")
    return float(found[1]) * _SECONDS[unit]


def share(text: Any) -> float:
    """`10%` → 0.1. Raises ValueError."""
    if isinstance(text, (int, float)):
        return float(text)
    found = re.match(r"(\d+(?:\.\d+)?)\s*%$", str(text).strip())
    if not found or float(found[1]) > 100:
        raise ValueError(f"'{text}' is not a share; write it as 10%")
    return float(found[1]) / 100


def one_or_more(value: Any) -> Any:
    """A single name is a list of one."""
    return [value] if isinstance(value, str) else value


def _keep(text: Any) -> float | None:
    return None if str(text) == "while customer" else seconds(text)


Seconds = Annotated[float, BeforeValidator(seconds)]
Share = Annotated[float, BeforeValidator(share)]
Currency = Annotated[str, Field(pattern="^[A-Z]{3}$")]
Keep = Annotated[float | None, BeforeValidator(_keep)]
Names = Annotated[tuple[str, ...], BeforeValidator(one_or_more)]


class Fact(Shape):
    """What may be known about a person: its kind, who may hear it, what for, how long it is kept (None: while customer)."""

    kind: Kind = "text"
    speak: Speak | None = None
    purpose: str
    keep: Keep = None
    sensitive: bool = False

    @property
    def level(self) -> Speak:
        """How far the caller must be known; unless declared, `verified`, and `never` for what is sensitive."""
        return self.speak or ("never" if self.sensitive else "verified")


class SourceField(Shape):
    """One value that a source gives; `from` is its path in the answer (default: its own name); `each`: a list's fields."""

    kind: Kind = "text"
    speak: Speak = "verified"
    sensitive: bool = False
    path: str | None = Field(None, alias="from")
    each: dict[str, SourceField] | None = None


class Auth(Shape):
    """Names of environment variables that hold the secret: a bearer token, `user:password`, or a header's value."""

    bearer: str | None = None
    basic: str | None = None
    header: dict[str, str] | None = None


class _Remote(Shape):
    url: str | None = None
    auth: Auth | None = None
    takes: dict[str, Kind] = {}


class SourceSpec(_Remote):
    """Where facts are looked up: JSON over HTTP, or `sample:` answers from a file, for the demo and for tests."""

    sample: str | None = None
    method: Annotated[str, Field(pattern="^(GET|POST)$")] = "GET"
    budget: Seconds = 1.5
    cache: Seconds = 0.0
    keep_last_good: Seconds = 86400.0
    gives: dict[str, SourceField]


class ActionSpec(_Remote):
    """Something that changes the world: a POST of what it takes, done once, through the outbox. Without `url`: recorded only."""


class Question(Shape):
    """One question of a verify entry: the prompt that asks it, what is answered, and the fact it must equal."""

    ask: str
    kind: Annotated[str, Field(pattern="^(digits|date)$")] = Field("digits", alias="as")
    equals: str | None = None
    length: int | None = None


class VerifySpec(Shape):
    """How a caller proves who they are: `need` of the questions right, `tries` a question; or a source that checks."""

    tries: Annotated[int, Field(ge=1, le=5)] = 2
    need: Annotated[int, Field(ge=1)] = 1
    questions: tuple[Question, ...]
    check: str | None = None

    @model_validator(mode="after")
    def _enough(self) -> VerifySpec:
        if self.need > len(self.questions):
            raise ValueError(f"{self.need} right answers are needed and only {len(self.questions)} questions asked")
        if self.check is None and any(question.equals is None for question in self.questions):
            raise ValueError("each question says what it 'equals:', or the entry names a source in 'check:'")
        return self


class Hours(Shape):
    """Opening hours: `open: {mon-fri: "08:00-20:00"}`, a country's or state's holidays, single dates by name."""

    timezone: str = "UTC"
    open: dict[str, str]
    holidays: str | None = None
    exceptions: dict[str, str] = {}


class Priority(Shape):
    """Who waits less: callers for whom `when` holds are served as if they had come `ahead` earlier."""

    because: str
    when: str
    ahead: Seconds
    purpose: Literal["care"] | None = None


class CallbackOffer(Shape):
    """A callback that keeps the caller's place: its key inside the wait, hours by the caller's own clock, and retries."""

    key: Annotated[str, Field(pattern=r"^[0-9]$")] = "1"
    between: Annotated[str, Field(pattern=r"^\d\d:\d\d-\d\d:\d\d$")] = "08:00-21:00"
    tries: Annotated[int, Field(ge=1, le=10)] = 3
    again_after: Seconds = 900.0


class Waiting(Shape):
    """How waiting works in one queue.

    `at_most`: then the outcome is waited_too_long; `full_at`: with that many waiting, one more hears at once that the queue
    is full (`busy`); `every`: seconds between spoken lines; `say`: prompts that take turns; `last_agent`: how long a caller is
    kept for the agent who knows them; `usual`: seconds one caller takes, until the queue's own figures are known.
    """

    at_most: Seconds = 600.0
    full_at: Annotated[int, Field(ge=1, le=1000)] = 50
    every: Annotated[float, BeforeValidator(seconds), Field(ge=5, le=120)] = 30.0
    say: Names = ("wait.thanks", "wait.still_here")
    music: str | None = None
    usual: Seconds = 240.0
    last_agent: Seconds = 30.0
    priority: tuple[Priority, ...] = ()
    callback: CallbackOffer | None = None


class TaskRouter(Waiting):
    """A TaskRouter workflow: Twilio's engine routes, ours tells it who is calling.

    In Twilio's console the workflow's assignment callback is `/voice/assignment`, and its reservations last longer than
    `ring` and a whisper together. A callback also needs `workspace`.
    """

    workflow: str = ""
    workspace: str | None = None
    instruction: Literal["dequeue", "conference"] = "dequeue"
    after: str | None = None
    """the worker's activity once the call is over (a WA… SID)"""


class Target(Shape):
    """People who can be reached, in one of three ways, all with the same packet.

    `dial`: numbers, `sip:` addresses or `client:` names, tried in turn (or at once). `queue`: a Twilio queue that is worked
    from the desk. `taskrouter`: a TaskRouter workflow. Whoever takes the call hears `whisper` and presses `accept_key`.
    `sees`: purposes of sensitive facts that these people may see.
    """

    title: str | None = None
    dial: Names = ()
    queue: Waiting | None = None
    taskrouter: TaskRouter | None = None
    at_once: bool = False
    whisper: str | None = None
    accept_key: Annotated[str, Field(pattern=r"^[0-9]$")] = "1"
    ring: Seconds = 20.0
    hours: Hours | None = None
    sees: Names = ()

    @property
    def way(self) -> Literal["dial", "queue", "taskrouter"]:
        """How people are reached here."""
        return "queue" if self.queue else "taskrouter" if self.taskrouter else "dial"

    @property
    def waiting(self) -> Waiting | None:
        """How waiting works here; None where people are dialled."""
        return self.queue or self.taskrouter


class Gesture(Shape):
    """Something kind that an agent may send after a call; `text` is a prompt, `by` the ways it may go."""

    title: str
    text: str
    by: tuple[Literal["sms", "email", "card"], ...]


class Concession(Shape):
    """Something an agent may grant within a limit: the action that does it, which of its fields is the amount, and where the
    others come from (`account.number`). `reasons`: for which reasons it is offered (none: for all)."""

    title: str
    do: str
    limit: Annotated[float, Field(gt=0)]
    amount: str
    give: dict[str, str] = {}
    reasons: Names = ()


class Mail(Shape):
    """Where e-mail is handed in. The password is in the environment (SMTP_PASSWORD)."""

    host: str
    port: Annotated[int, Field(ge=1, le=65535)] = 587
    sender: str = Field(alias="from")
    user: str | None = None
    to: str = "email"
    """the fact that holds a caller's address"""


class Desk(Shape):
    """How agents work: how long their phone rings, how long a packet's link lives, when a case is joined again."""

    ring: Seconds = 25.0
    link: Seconds = 1800.0
    join: Seconds = 7 * 86400.0
    like: Seconds = 90 * 86400.0


class Emergency(Shape):
    """Where a call goes when nothing else works."""

    dial: str


class Limits(Shape):
    """Bounds of every call, and how long a caller should be made to listen."""

    visits_per_step: Annotated[int, Field(ge=1, le=1000)] = 10
    steps_per_turn: Annotated[int, Field(ge=10, le=1000)] = 100
    minutes: Annotated[float, Field(gt=0)] = 15
    spoken_options: int = 5
    menu_depth: int = 3
    seconds_to_first_choice: float = 8
    person_by_menu: int = 3


class Server(Shape):
    """How `ivr serve` listens."""

    host: str = "0.0.0.0"  # noqa: S104  # a server in a container must be reachable
    port: Annotated[int, Field(ge=1, le=65535)] = 8080
    workers: Annotated[int, Field(ge=1, le=64)] = 2
    threads: Annotated[int, Field(ge=1, le=256)] = 8


class ConfigFile(Shape):
    """What config.yaml may hold."""

    public_url: str | None = None
    database: str = "sqlite:///var/ivr.db"
    server: Server = Server()
    region: str | None = None
    facts: dict[str, Fact] = {}
    sources: dict[str, SourceSpec] = {}
    actions: dict[str, ActionSpec] = {}
    verify: dict[str, VerifySpec] = {}
    targets: dict[str, Target] = {}
    gestures: dict[str, Gesture] = {}
    concessions: dict[str, Concession] = {}
    desk: Desk = Desk()
    mail: Mail | None = None
    sms_from: str | None = None
    emergency: Emergency
    money: Currency = "USD"
    limits: Limits = Limits()
    history_keep: Seconds = Field(365 * 86400.0, alias="keep_history")
    calls_keep: Seconds = Field(90 * 86400.0, alias="keep_calls")
    recordings_keep: Seconds = Field(90 * 86400.0, alias="keep_recordings")
    durability: Annotated[str, Field(pattern="^(NORMAL|FULL)$")] = "NORMAL"


class DesignersPart(Shape):
    """What of config.yaml belongs to a bundle: no URLs, no secrets, nowhere to dial."""

    facts: dict[str, Fact] = {}
    sources: dict[str, SourceSpec] = {}
    actions: dict[str, ActionSpec] = {}
    verify: dict[str, VerifySpec] = {}
    targets: dict[str, Target] = {}
    gestures: dict[str, Gesture] = {}
    mail_to: str | None = None
    money: Currency = "USD"
    limits: Limits = Limits()


def _without_places(target: Target) -> Target:
    """A target's rules, without whom it dials or whose workflow it is."""
    nowhere: dict[str, Any] = {"dial": ()}
    if target.taskrouter:
        nowhere["taskrouter"] = target.taskrouter.model_copy(update={"workflow": "", "workspace": None, "after": None})
    return target.model_copy(update=nowhere)


@dataclass(frozen=True, slots=True)
class Config:
    """Everything an operator decides. `file` is config.yaml as it was read; the rest may come from the environment."""

    project: Path
    file: ConfigFile
    database: str
    public_url: str | None
    tokens: tuple[str, ...]
    secret_key: str
    account_sid: str | None
    environment: Mapping[str, str]

    def designers_part(self) -> DesignersPart:
        """The part that is pinned with the flows."""
        file, nowhere = self.file, {"url": None, "auth": None, "sample": None}
        return DesignersPart(
            facts=file.facts,
            sources={name: spec.model_copy(update=nowhere) for name, spec in file.sources.items()},
            actions={name: ActionSpec(takes=spec.takes) for name, spec in file.actions.items()},
            verify=file.verify,
            targets={name: _without_places(target) for name, target in file.targets.items()},
            gestures=file.gestures,
            mail_to=file.mail.to if file.mail else None,
            money=file.money,
            limits=file.limits,
        )


def read_config(project: Path, environment: Mapping[str, str]) -> tuple[Config | None, list[Problem]]:
    """config.yaml in `project` with the environment over it, and all that is wrong with it."""
    path = project / "config.yaml"
    try:
        text = path.read_bytes()
    except OSError:
        where = Where("config.yaml", 1, 1)
        hint = "run this in a project's folder, name it with --project, or start one with 'ivr new DIR'"
        return None, [
            Problem(where, "no-config", "error", f"there is no config.yaml in {project.name or project}", hint)
        ]
    sources, problems = load("config.yaml", text)
    if problems or not sources:
        return None, problems or [Problem(Where("config.yaml", 1, 1), "no-config", "error", "this file is empty")]
    file, problems = validate(sources[0], (), sources[0].data, ConfigFile)
    if file is None:
        return None, problems
    problems = list(_complete(sources[0], file))
    return assemble(project, file, environment), problems


def _complete(source: Source, file: ConfigFile) -> Iterator[Problem]:
    for name, spec in file.sources.items():
        if (spec.url is None) == (spec.sample is None):
            message = f"the source '{name}' needs either a 'url:' or a 'sample:' file"
            yield source.problem(("sources", name), "source-origin", message, "give it one of them", key=True)
    for name, target in file.targets.items():
        ways = sum((bool(target.dial), target.queue is not None, target.taskrouter is not None))
        if ways != 1:
            message = f"the target '{name}' has {'no way' if not ways else 'more than one way'} to reach somebody"
            hint = 'give it one of dial: ["+15550002222"], queue: {} and taskrouter: {workflow: WW…}'
            yield source.problem(("targets", name), "target-nowhere", message, hint, key=True)
        if target.taskrouter and not target.taskrouter.workflow:
            message = f"the target '{name}' names no TaskRouter workflow"
            yield source.problem(
                ("targets", name, "taskrouter"), "target-nowhere", message, "add workflow: WW…", key=True
            )
        if target.taskrouter and target.taskrouter.callback and not target.taskrouter.workspace:
            message = f"the target '{name}' offers a call back and names no TaskRouter workspace to route it in"
            at_router: Path_ = ("targets", name, "taskrouter")
            yield source.problem(at_router, "target-nowhere", message, "add workspace: WS…", key=True)
    for name, concession in file.concessions.items():
        action = file.actions.get(concession.do)
        if action is None:
            at: Path_ = ("concessions", name, "do")
            hint = did_you_mean(concession.do, file.actions)
            yield source.problem(at, "unknown-action", f"'{concession.do}' is not an action", hint)
        elif concession.amount not in action.takes:
            at = ("concessions", name, "amount")
            message = f"the action '{concession.do}' takes no '{concession.amount}'"
            yield source.problem(at, "unknown-name", message, did_you_mean(concession.amount, action.takes))
    for name, entry in file.verify.items():
        for index, question in enumerate(entry.questions):
            fact = (question.equals or "").removeprefix("caller.")
            if question.equals and fact not in file.facts:
                place: Path_ = ("verify", name, "questions", index, "equals")
                yield source.problem(
                    place, "unknown-name", f"'{question.equals}' is not a declared fact", did_you_mean(fact, file.facts)
                )
        if entry.check and entry.check not in file.sources:
            place = ("verify", name, "check")
            yield source.problem(
                place, "unknown-source", f"'{entry.check}' is not a source", did_you_mean(entry.check, file.sources)
            )


def assemble(project: Path, file: ConfigFile, environment: Mapping[str, str]) -> Config:
    """A Config from its parts."""
    database = environment.get("DATABASE_URL") or file.database
    for scheme in ("postgres://", "postgresql://"):
        if database.startswith(scheme):
            database = "postgresql+psycopg://" + database.removeprefix(scheme)
    if database.startswith("sqlite:///") and not database.startswith("sqlite:////"):
        database = f"sqlite:///{(project / database.removeprefix('sqlite:///')).resolve()}"
    public_url = environment.get("IVR_PUBLIC_URL") or file.public_url
    tokens = tuple(token.strip() for token in environment.get("TWILIO_AUTH_TOKEN", "").split(",") if token.strip())
    return Config(
        project=project,
        file=file,
        database=database,
        public_url=public_url.rstrip("/") if public_url else None,
        tokens=tokens,
        secret_key=environment.get("IVR_SECRET_KEY", ""),
        account_sid=environment.get("TWILIO_ACCOUNT_SID"),
        environment=environment,
    )
