"""Contact lines of a few lines of YAML, and somebody to call them.

    call = Call(line("flow: main ..."), people=[person("jerome", first_name="Jerome")])
    call.dial().hears("hello").press("1").hears("goodbye")

Every prompt that is used and not written says its own name. Every answer is held against Twilio's rules, and the session
goes to text and back between all turns.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ivr.config import Config, ConfigFile, assemble
from ivr.engine.events import Event
from ivr.engine.session import Session, from_json
from ivr.flow.bundle import Bundle, Parsed, builtin_files, make, parse
from ivr.flow.model import Ask, Menu, Pick, Voicemail
from ivr.flow.spoken import plain
from ivr.personal.history import Summary, fold
from ivr.personal.snapshot import Person
from ivr.shape import validate
from ivr.simulate.line import Caller, EngineLine, Moment
from ivr.simulate.memory import GivenSources, MemoryStore
from ivr.source import load
from ivr.telephony.twiml import Twiml
from ivr.turn import Parts
from tests.twiml_rules import problems

NOW = 1772460900.0  # Monday 2 March 2026, 09:15 in Detroit, 14:15 UTC
NUMBER, LINE = "+15550100001", "+15550001111"

CONFIG = """
facts:
  first_name: {kind: text, speak: recognised, purpose: greeting}
  last_name: {kind: text, purpose: identity}
  born: {kind: date, speak: never, purpose: identity}
  code: {kind: text, speak: never, purpose: identity}
  favourite: {kind: text, speak: recognised, purpose: service}
  tags.grief: {kind: flag, sensitive: true, purpose: care}
sources:
  account: {sample: a.yaml, takes: {number: phone}, gives: {owed: {kind: money}, area: {speak: anyone}}}
  things:
    sample: b.yaml
    gives: {list: {kind: list, speak: anyone, each: {name: {speak: anyone}, secret: {speak: verified}}}}
  echo: {sample: c.yaml, takes: {word: text}, gives: {word: {speak: anyone}}}
actions: {send: {takes: {what: text}}}
verify:
  identity:
    need: 2
    questions: [{ask: your_birthday, as: date, equals: caller.born}, {ask: your_code, length: 4, equals: caller.code}]
targets: {team: {dial: ["+15550002222"], whisper: whisper}, others: {dial: ["+15550002233"]}}
emergency: {dial: "+15550003333"}
"""

COMMON = """
line: test
numbers: ["+15550001111"]
languages: [en]
choose: [{because: nothing special, flow: main}]
otherwise: agent
---
flow: agent
start: agent
steps:
  agent: {handoff: team, say: connecting, next: {ended: bye, unanswered: bye, busy: bye, closed: bye}}
  bye: {say: goodbye, end: resolved}
"""


@dataclass(frozen=True)
class Made:
    """A bundle and the config it came with."""

    config: Config
    bundle: Bundle
    parsed: Parsed


def line(
    flows: str, words: str = "", spanish: str = "", config: str = "", replace: Mapping[str, str] | None = None
) -> Made:
    """A line of these flows. `replace`: word of the line → its new value, as YAML."""
    head, _, rest = COMMON.partition("---\n")
    for word, value in (replace or {}).items():
        kept = [each for each in head.splitlines() if not each.startswith(f"{word}:")]
        head = "\n".join([*kept, f"{word}: {value}", ""])
    own = "agent" if "flow: agent\n" not in flows else ""
    files: dict[str, str | bytes] = {**builtin_files(), "flows/line.yaml": head, "flows/flows.yaml": flows}
    if own:
        files["flows/agent.yaml"] = rest
    files["prompts/en/words.yaml"] = words or "nothing: nothing"
    if spanish:
        files["prompts/es/palabras.yaml"] = spanish
    used = sorted(names_of_prompts(parse(files)) - parse(files).prompts["en"].keys())
    files["prompts/en/rest.yaml"] = "\n".join(f'{name}: "{name.replace("_", " ")}"' for name in used) or "none: none"
    parsed = parse(files)
    assert not parsed.problems, "\n".join(map(str, parsed.problems))
    (source,), _ = load("config.yaml", _merged(config))
    file, wrong = validate(source, (), source.data, ConfigFile)
    assert file is not None, "\n".join(map(str, wrong))
    made = assemble(Path("."), file, {})
    texts = {name: str(text) for name, text in files.items()}
    return Made(made, make(texts, made.designers_part(), parsed), parsed)


def _merged(config: str) -> str:
    words = {each.split(":")[0] for each in config.splitlines() if each and not each.startswith(" ")}
    kept, keep = [], True
    for each in CONFIG.splitlines():
        if each and not each.startswith(" "):
            keep = each.split(":")[0] not in words
        if keep:
            kept.append(each)
    return "\n".join([*kept, config])


def names_of_prompts(parsed: Parsed) -> set[str]:
    """Every prompt that lines and flows name, and those of CONFIG."""
    names = {"your_birthday", "your_code", "whisper"}
    for _, made in parsed.lines.values():
        names |= {made.ask_language} if made.ask_language else set()
        for words in (made.no_input, made.no_match):
            names |= set(words) if isinstance(words, tuple) else set()
    for _, flow in parsed.flows.values():
        names |= {option.label for option in flow.options.values() if option.label}
        for step in flow.steps.values():
            names |= set(step.say_also)
            names |= {option.label for option in getattr(step, "options", {}).values() if option.label}
            for words in (getattr(step, "no_input", None), getattr(step, "no_match", None)):
                names |= set(words) if isinstance(words, tuple) else set()
            match step:
                case Menu():
                    names.add(step.menu)
                case Ask():
                    names |= {step.ask, *(refusal.say for refusal in step.refuse)}
                    names |= {step.confirm} if step.confirm else set()
                case Pick():
                    names.add(step.each)
                case Voicemail():
                    pass
    return names


def person(name: str, history: Sequence[Summary] = (), cases: Sequence[Mapping[str, Any]] = (), **facts: Any) -> Person:
    """Somebody known."""
    record: Mapping[str, Any] | None = None
    for call in history:
        record = fold(record, call)
    given = {"born": "1980-03-02", "code": "4711"} | {key.replace("__", "."): value for key, value in facts.items()}
    return Person(name, given, {}, record, cases)


def past(reason: str | None, days: float = 1.0, **more: Any) -> Summary:
    """A call of so many days ago."""
    given = {"seconds": 60.0, "outcome": "resolved", "unfinished": False, "answers": 3} | more
    return Summary(sid=f"CA{reason}{days}", at=NOW - days * 86400, reasons=(reason,) if reason else (), **given)


class Call:
    """A caller. Each act returns the call, so that a test reads as a conversation."""

    def __init__(
        self,
        made: Made,
        people: Iterable[Person] = (),
        lookups: Mapping[str, Any] | None = None,
        number: str | None = NUMBER,
        at: float = NOW,
        key: str = "outside",
        sid: str = "CA" + "7" * 32,
        store: MemoryStore | None = None,
        **extra: Any,
    ) -> None:
        self.made = made
        self.store = store or MemoryStore(made.bundle, {NUMBER: list(people)})
        self.moment = Moment(at)
        self.sources = GivenSources(lookups or {})
        render = Twiml(made.config)
        parts = Parts(self.store, self.sources, render, self.moment, control_key=key)
        self.line = EngineLine(parts, self.store, sid, number or "anonymous", LINE, number, extra)
        self.caller = Caller(self.line, self.moment, reacts=2.0)
        self.sid = sid

    def dial(self) -> Call:
        self.caller.dial()
        return self._kept()

    def press(self, digits: str) -> Call:
        self.caller.press(digits)
        return self._kept()

    def says(self, words: str) -> Call:
        self.caller.say(words)
        return self._kept()

    def silence(self) -> Call:
        self.caller.silence()
        return self._kept()

    def agent(self, how: str, seconds: float = 60.0) -> Call:
        if how == "accepts":
            self.moment.pass_by(seconds)
            self.caller._act(lambda: self.line.agent("completed", True, seconds))
        else:
            self.caller.agent(how)
        return self._kept()

    def record(self, seconds: float, hang_up: bool = False) -> Call:
        self.caller.record(seconds, hang_up=hang_up)
        return self._kept()

    def hang_up(self) -> Call:
        self.caller.hang_up()
        return self._kept()

    def waits(self, seconds: float) -> Call:
        """Lets time go by before the next act."""
        self.moment.pass_by(seconds)
        return self

    def _kept(self) -> Call:
        session = self.session
        assert from_json(session.to_json()) == session
        assert problems(self.twiml) == []
        return self

    # — what came of it —

    @property
    def session(self) -> Session:
        session = self.line.session()
        assert session is not None
        return session

    @property
    def twiml(self) -> str:
        return self.store.calls[self.sid].twiml

    @property
    def place(self) -> str:
        frame = self.session.stack[-1]
        return f"{frame['flow']}.{frame['step']}"

    @property
    def since(self) -> list[Event]:
        """What happened since the caller last did something."""
        return self.caller.since

    @property
    def heard(self) -> list[str]:
        """Prompts spoken since."""
        return [event.data["prompt"] for event in self.since if event.type == "spoke"]

    @property
    def words(self) -> str:
        """The same, as it sounds."""
        return " ".join(plain(event.private["ssml"]) for event in self.since if event.type == "spoke")

    @property
    def options(self) -> list[str]:
        """Options in the order in which they are spoken."""
        return list(self.asked["order"])

    @property
    def asked(self) -> Mapping[str, Any]:
        return [event for event in self.line.events() if event.type == "asked"][-1].data

    @property
    def outcome(self) -> str | None:
        return self.session.outcome

    def happened(self, type_: str) -> list[Event]:
        """Events of a type since the caller last did something."""
        return [event for event in self.since if event.type == type_]

    def ever(self, type_: str) -> list[Event]:
        """Events of a type in the whole call."""
        return [event for event in self.line.events() if event.type == type_]

    def hears(self, *prompts: str) -> Call:
        """These were spoken, in this order."""
        heard = iter(self.heard)
        assert all(prompt in heard for prompt in prompts), f"heard {self.heard}, not {prompts}"
        return self

    def hears_only(self, *prompts: str) -> Call:
        """These were spoken and nothing else."""
        assert self.heard == list(prompts)
        return self

    def never_hears(self, *prompts: str) -> Call:
        assert not set(prompts) & set(self.heard)
        return self

    def stands_at(self, place: str) -> Call:
        assert self.place == place
        return self

    def ends(self, outcome: str) -> Call:
        assert self.outcome == outcome
        return self
