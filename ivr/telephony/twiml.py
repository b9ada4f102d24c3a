"""Events → TwiML: a fold, no state of its own.

An escaping writer of our own: a tenth of the time of building elements, and what it writes is checked against Twilio's rules
and against the helper library in the tests.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple
from urllib.parse import quote

from ivr.config import Config, Waiting
from ivr.engine.events import Event
from ivr.engine.run import choices, shown_at
from ivr.engine.session import Session
from ivr.errors import IvrError
from ivr.flow.bundle import Bundle
from ivr.flow.spoken import locale_of, plain
from ivr.jsontext import decode, encode

HEAD = '<?xml version="1.0" encoding="UTF-8"?><Response>'
LEAVE = f"{HEAD}<Leave/></Response>"
EMPTY = '<?xml version="1.0" encoding="UTF-8"?><Response/>'
HANG_UP = f"{HEAD}<Hangup/></Response>"

RETRY = "#ct=2000&amp;rt=5000&amp;tt=14000&amp;rc=1&amp;rp=ct,rt,5xx"
"""Twilio asks once more after a lost or slow answer: safe, because every turn is answered once. As it stands in XML."""

MAX_BYTES = 64_000
MAX_SAY = 2900
MAX_HINTS = 500
MAX_HINT = 100

VOICES: Mapping[str, str] = {"en": "Polly.Joanna-Neural", "es": "Polly.Lupe-Neural"}
"""Voices where a line names none."""


TASK_SPARE = 600
"""Seconds after the longest wait when TaskRouter forgets a caller of whom nothing more was heard."""


def priority(ahead: float) -> int:
    """Seconds ahead in line as TaskRouter's priority: one for each minute."""
    return int(ahead // 60)


class WaitUrl(NamedTuple):
    """Where a wait goes on: everything the next beat needs to know stands in its URL. `told`: the position said last."""

    turn: int
    beat: int
    phase: str = "hold"
    told: int | None = None
    tries: int = 0

    def text(self, base: str) -> str:
        """As it stands in XML."""
        more = f"&amp;phase={self.phase}" if self.phase != "hold" else ""
        more += f"&amp;told={self.told}" if self.told is not None else ""
        more += f"&amp;tries={self.tries}" if self.tries else ""
        return f"{base}/voice/wait?turn={self.turn}&amp;beat={self.beat}{more}{RETRY}"


class RenderFault(IvrError):
    """A response that Twilio would not take."""


class Twiml:
    """Renders turns. `config` has what bundles do not: where people are dialled, and the public URL."""

    def __init__(self, config: Config) -> None:
        self.base = config.public_url or ""
        self.targets = config.file.targets
        self.emergency = config.file.emergency.dial

    def __call__(self, bundle: Bundle, session: Session, events: Sequence[Event], turn: int, packet: str = "") -> str:
        """The response whose answer is turn `turn`; `packet` goes where a way to people can carry it."""
        voices = bundle.once(("voices", session.line), lambda: _voices(bundle, session.line))
        loose: list[str] = []
        speech: list[str] = []
        asked: Event | None = None
        for event in events:
            if event.type == "spoke":
                speech.append(self._spoken(event, voices))
                if "must_hear" in event.data:
                    loose += speech
                    speech = []
            elif event.type == "asked":
                asked = event
        body = (
            self._waiting(bundle, session, asked, "".join(speech), turn, packet)
            if session.wait.kind != "none"
            else "".join(speech) + "<Hangup/>"
        )
        document = f"{HEAD}{''.join(loose)}{body}</Response>"
        if len(document) > MAX_BYTES // 4 and len(document.encode()) > MAX_BYTES:
            raise RenderFault("the response is over 64 kB")
        return document

    def _spoken(self, event: Event, voices: Mapping[str, str]) -> str:
        data = event.data
        if "audio" in data:
            return f"<Play>{self.base}/voice/audio/{quote(data['audio'])}</Play>"
        ssml = event.private["ssml"]
        opening = voices.get(data["language"]) or voices[""]
        if len(ssml) <= MAX_SAY:
            return f"{opening}{ssml}</Say>"
        return "".join(f"{opening}{part}</Say>" for part in pieces(ssml))

    def _waiting(
        self, bundle: Bundle, session: Session, asked: Event | None, speech: str, turn: int, packet: str
    ) -> str:
        kind = session.wait.kind
        action = f"{self.base}/voice/turn?turn={turn}{RETRY}"
        spec = session.wait.spec
        if kind in ("gather", "secret"):
            return self._gather(bundle, session, spec, speech, action)
        if kind == "lookup":
            return f'{speech}<Pause length="1"/><Redirect method="POST">{action}</Redirect>'
        if kind == "record":
            call = quote(str(session.call["sid"]))
            return (
                f'{speech}<Record action="{action}" method="POST" timeout="5" finishOnKey="#" maxLength="{int(spec.get("at_most", 120))}" '
                f'playBeep="true" recordingStatusCallback="{self.base}/voice/recording?call={call}{RETRY}"/>'
                f'<Redirect method="POST">{action}</Redirect>'
            )
        if kind == "dial":
            return speech + self._dial(session, spec, action, turn, packet)
        if kind == "queue":
            return speech + self._enqueue(session, spec, action, turn, packet)
        raise RenderFault(f"nothing renders a wait of kind {kind}")

    def _gather(self, bundle: Bundle, session: Session, spec: Mapping[str, Any], speech: str, action: str) -> str:
        words = hints(bundle, session)
        listen = f' speechTimeout="auto" hints="{words}"' if words else ' speechTimeout="auto"'
        digits = f' numDigits="{spec["digits"]}"' if spec.get("digits") else ""
        return (
            f'<Gather input="dtmf speech" action="{action}" method="POST" timeout="{int(spec["timeout"])}"{listen}{digits} '
            f'finishOnKey="{spec["finish"]}" language="{locale_of(session.language)}" actionOnEmptyResult="true">{speech}</Gather>'
        )

    def _enqueue(self, session: Session, spec: Mapping[str, Any], action: str, turn: int, packet: str) -> str:
        """Each caller waits in a Twilio queue of their own, named by the task: so an agent gets just this caller.

        TaskRouter instead gets what its assignment is answered by, and beside that the packet under one key.
        """
        wait = WaitUrl(turn, 0).text(self.base)
        target = self.targets.get(spec["target"])
        opening = f'<Enqueue action="{action}" method="POST" waitUrl="{wait}" waitUrlMethod="POST"'
        if target is None or target.taskrouter is None:
            return f"{opening}>{_text(spec['task'])}</Enqueue>"
        rules = target.taskrouter
        about = encode({"target": spec["target"], "task": spec["task"], "line": session.call.get("to")})
        if packet:
            about = f'{about[:-1]},"packet":{packet}}}'
        opening += f' workflowSid="{_attribute(rules.workflow)}"'
        seconds = int(rules.at_most) + TASK_SPARE
        task = f'<Task priority="{priority(spec["ahead"])}" timeout="{seconds}">{_text(about)}</Task>'
        return f"{opening}>{task}</Enqueue>"

    def _dial(self, session: Session, spec: Mapping[str, Any], action: str, turn: int, packet: str) -> str:
        name = spec.get("target")
        target = self.targets.get(name) if name else None
        if target is None:
            return f'<Dial action="{action}" method="POST">{_noun(self.emergency, "")}</Dial>'
        url = f"{self.base}/voice/whisper?call={quote(str(session.call['sid']))}&amp;turn={turn}{RETRY}"
        nouns = "".join(_noun(where, f' url="{url}" method="POST"', packet) for where in target.dial[:10])
        order = ' sequential="true"' if len(target.dial) > 1 and not target.at_once else ""
        return f'<Dial action="{action}" method="POST" timeout="{int(target.ring)}"{order}>{nouns}</Dial>'

    def waiting(
        self, bundle: Bundle, session: Session, events: Sequence[Event], url: WaitUrl, rules: Waiting, *, leave: bool
    ) -> str:
        """One beat of a wait: the words, then music or quiet while keys are listened to, then the next beat."""
        voices = bundle.once(("voices", session.line), lambda: _voices(bundle, session.line))
        words = "".join(self._spoken(event, voices) for event in events if event.type == "spoke")
        if leave:
            return f"{HEAD}{words}<Leave/></Response>"
        onward = url.text(self.base)
        music = f"<Play>{self.base}/voice/audio/{quote(rules.music)}</Play>" if rules.music else ""
        quiet = 1 if music else int(rules.every)
        if rules.callback is None:
            pause = "" if music else f'<Pause length="{quiet}"/>'
            return f'{HEAD}{words}{music}{pause}<Redirect method="POST">{onward}</Redirect></Response>'
        asks = url.phase != "hold"
        finish, digits = ("#", ' numDigits="15"') if url.phase == "number" else ("", ' numDigits="1"')
        timeout = 8 if asks else quiet
        gather = (
            f'<Gather input="dtmf" action="{onward}" method="POST" timeout="{timeout}" finishOnKey="{finish}"{digits}>'
        )
        return f'{HEAD}{gather}{words}{"" if asks else music}</Gather><Redirect method="POST">{onward}</Redirect></Response>'

    def quiet_beat(self, path: str) -> str:
        """A wait whose words cannot be had now: a pause, then the same beat again."""
        again = _text(f"{self.base}{path}")
        return f'{HEAD}<Pause length="10"/><Redirect method="POST">{again}</Redirect></Response>'

    def whisper(self, ssml: str, key: str, action: str, voice: str) -> str:
        """What an agent hears before they are connected: without the key, the leg hangs up and no voicemail takes the call."""
        said = f"{voice}{ssml}</Say>" if ssml else ""
        words = f"{said}{voice}Press {key} to accept.</Say>"
        opening = (
            f'<Gather input="dtmf" numDigits="1" timeout="6" finishOnKey="" action="{self.base}{action}" method="POST">'
        )
        return f"{HEAD}{opening}{words}</Gather><Hangup/></Response>"

    def connect_queue(self, action: str, queue: str) -> str:
        """Connects an agent's leg with the one caller who waits in `queue`."""
        dial = f'<Dial action="{self.base}{action}" method="POST"><Queue>{_text(queue)}</Queue></Dial>'
        return f"{HEAD}{dial}</Response>"

    def connect_number(self, action: str, number: str, caller_id: str | None) -> str:
        """Connects an agent's leg with somebody who is called back."""
        shown = f' callerId="{_attribute(caller_id)}"' if caller_id else ""
        dial = f'<Dial action="{self.base}{action}" method="POST" timeout="30"{shown}>{_noun(number, "")}</Dial>'
        return f"{HEAD}{dial}</Response>"

    def accepted(self, pressed: str, key: str) -> str:
        """The agent's key: an empty document connects the two, any other key hangs the agent's leg up."""
        return EMPTY if pressed == key else HANG_UP

    def apology(self, words: str = "", language: str = "en") -> str:
        """Something went wrong: say so and connect to a person. Needs no database and no bundle."""
        words = words or APOLOGIES.get(language, APOLOGIES["en"])
        voice = _say(language, VOICES.get(language))
        return f"{HEAD}{voice}{_text(words)}</Say><Dial>{_noun(self.emergency, '')}</Dial></Response>"

    def goodbye(self, words: str, language: str = "en") -> str:
        """Says something and hangs up."""
        return f"{HEAD}{_say(language, VOICES.get(language))}{_text(words)}</Say><Hangup/></Response>"


APOLOGIES: Mapping[str, str] = {
    "en": "I'm sorry, something went wrong on our side. I'll connect you with a person.",
    "es": "Lo siento, algo falló de nuestro lado. Le comunico con una persona.",
}


def _text(words: str) -> str:
    # These two no XML may hold, not even escaped: Twilio would refuse the whole document.
    words = words.replace("\ufffe", "").replace("\uffff", "")
    return words.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _attribute(text: str) -> str:
    return _text(text).replace('"', "&quot;")


MAX_HEADER = 900
"""Characters of a SIP address with its headers; Twilio takes 1,024 in all."""


def _noun(where: str, url: str, packet: str = "") -> str:
    """A number, `sip:` address or `client:` name as the noun that dials it, with the packet where it can carry one."""
    if where.startswith("sip:"):
        return f"<Sip{url}>{_text(_with_headers(where, packet))}</Sip>"
    if where.startswith("client:"):
        name = _text(where.removeprefix("client:"))
        if not packet:
            return f"<Client{url}>{name}</Client>"
        parameter = f'<Parameter name="packet" value="{_attribute(packet)}"/>'
        return f"<Client{url}><Identity>{name}</Identity>{parameter}</Client>"
    return f"<Number{url}>{_text(where)}</Number>"


def _with_headers(where: str, packet: str) -> str:
    """A SIP address with what fits into its headers: the link to the packet, the reason, the language."""
    told = decode(packet) if packet else {}
    headers = {
        "X-Ivr-Packet": told.get("link"),
        "X-Ivr-Language": told.get("language"),
        "X-Ivr-Reason": (told.get("reason") or {}).get("understood"),
    }
    for name, value in headers.items():
        if isinstance(value, list):
            value = ", ".join(map(str, value))
        header = f"{'&' if '?' in where else '?'}{name}={quote(str(value), safe='')}" if value else ""
        if len(where) + len(header) <= MAX_HEADER:
            where += header
    return where


def _say(language: str, voice: str | None) -> str:
    named = f' voice="{_attribute(voice)}"' if voice else ""
    return f'<Say{named} language="{_attribute(locale_of(language))}">'


def _voices(bundle: Bundle, line: str) -> dict[str, str]:
    """Language → the opening tag of its Say, on this line."""
    made = bundle.lines[line]
    opening = {
        language: _say(language, made.voices.get(language) or VOICES.get(language)) for language in made.languages
    }
    for language in bundle.prompts:
        opening.setdefault(language, _say(language, VOICES.get(language)))
    return {**opening, "": opening[made.languages[0]]}


def pieces(ssml: str) -> Iterable[str]:
    """Words too long for one Say, cut between sentences or words; long texts lose their tags."""
    rest = plain(ssml)
    while rest:
        part = rest[:MAX_SAY]
        if len(rest) > MAX_SAY:
            cut = max(part.rfind(". "), part.rfind("? "), part.rfind("! "))
            part = part[: cut + 1] if cut > 0 else part[: part.rfind(" ")] if " " in part else part
        yield _text(part.strip())
        rest = rest[len(part) :].strip()


_UNWANTED = re.compile(r"[,\s]+")


def hints(bundle: Bundle, session: Session) -> str:
    """What Twilio's recogniser should expect: the phrases of what may be said here, as an attribute's value."""
    if session.wait.kind == "secret":
        return ""
    key = ("hints", session.line, session.language, session.wait.spec.get("phase"), *shown_at(bundle, session))
    return bundle.once(key, lambda: _hints(choices(bundle, session)))


def _hints(open_: Mapping[str, Sequence[str]]) -> str:
    """Options before commands, each phrase once, within Twilio's limits. Reasons elsewhere would drown what is asked here."""
    seen: dict[str, None] = {}
    for tier in ("option", "command"):
        for name, phrases in open_.items():
            if name.startswith(tier):
                for phrase in phrases:
                    words = _UNWANTED.sub(" ", phrase).strip()[:MAX_HINT]
                    if words:
                        seen.setdefault(words)
    return _attribute(",".join(list(seen)[:MAX_HINTS]))
