"""Events → TwiML: a fold, no state of its own.

An escaping writer of our own: a tenth of the time of building elements, and what it writes is checked against Twilio's rules
and against the helper library in the tests.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import quote

from ivr.config import Config
from ivr.engine.events import Event
from ivr.engine.run import choices, shown_at
from ivr.engine.session import Session
from ivr.errors import IvrError
from ivr.flow.bundle import Bundle
from ivr.flow.spoken import locale_of, plain

HEAD = '<?xml version="1.0" encoding="UTF-8"?><Response>'
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


class RenderFault(IvrError):
    """A response that Twilio would not take."""


class Twiml:
    """Renders turns. `config` has what bundles do not: where people are dialled, and the public URL."""

    def __init__(self, config: Config) -> None:
        self.base = config.public_url or ""
        self.targets = config.file.targets
        self.emergency = config.file.emergency.dial

    def __call__(self, bundle: Bundle, session: Session, events: Sequence[Event], turn: int) -> str:
        """The response whose answer is turn `turn`."""
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
            self._waiting(bundle, session, asked, "".join(speech), turn)
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

    def _waiting(self, bundle: Bundle, session: Session, asked: Event | None, speech: str, turn: int) -> str:
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
            return speech + self._dial(bundle, session, spec, action, turn)
        raise RenderFault(f"nothing renders a wait of kind {kind}")

    def _gather(self, bundle: Bundle, session: Session, spec: Mapping[str, Any], speech: str, action: str) -> str:
        words = hints(bundle, session)
        listen = f' speechTimeout="auto" hints="{words}"' if words else ' speechTimeout="auto"'
        digits = f' numDigits="{spec["digits"]}"' if spec.get("digits") else ""
        return (
            f'<Gather input="dtmf speech" action="{action}" method="POST" timeout="{int(spec["timeout"])}"{listen}{digits} '
            f'finishOnKey="{spec["finish"]}" language="{locale_of(session.language)}" actionOnEmptyResult="true">{speech}</Gather>'
        )

    def _dial(self, bundle: Bundle, session: Session, spec: Mapping[str, Any], action: str, turn: int) -> str:
        name = spec.get("target")
        target = self.targets.get(name) if name else None
        if target is None:
            return f'<Dial action="{action}" method="POST">{_noun(self.emergency, "")}</Dial>'
        url = f"{self.base}/voice/whisper?call={quote(str(session.call['sid']))}&amp;turn={turn}{RETRY}"
        nouns = "".join(_noun(where, f' url="{url}" method="POST"') for where in target.dial[:10])
        order = ' sequential="true"' if len(target.dial) > 1 and not target.at_once else ""
        return f'<Dial action="{action}" method="POST" timeout="{int(target.ring)}"{order}>{nouns}</Dial>'

    def whisper(self, ssml: str, key: str, action: str, voice: str) -> str:
        """What an agent hears before they are connected: without the key, the leg hangs up and no voicemail takes the call."""
        said = f"{voice}{ssml}</Say>" if ssml else ""
        words = f"{said}{voice}Press {key} to accept.</Say>"
        opening = (
            f'<Gather input="dtmf" numDigits="1" timeout="6" finishOnKey="" action="{self.base}{action}" method="POST">'
        )
        return f"{HEAD}{opening}{words}</Gather><Hangup/></Response>"

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
    return words.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _attribute(text: str) -> str:
    return _text(text).replace('"', "&quot;")


def _noun(where: str, url: str) -> str:
    """A number, `sip:` address or `client:` name as the noun that dials it."""
    if where.startswith("sip:"):
        return f"<Sip{url}>{_text(where)}</Sip>"
    if where.startswith("client:"):
        return f"<Client{url}>{_text(where.removeprefix('client:'))}</Client>"
    return f"<Number{url}>{_text(where)}</Number>"


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
