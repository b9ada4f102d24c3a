"""What a TwiML document makes a phone do: plays verbs in order up to the one that waits. Knows no call and no network.

It is not a validator: a verb that we never send is refused, an attribute that we never send is ignored. `wire.Call`
drives one `Leg` for each party on the line: the caller, the caller's waiting music, an agent who hears a whisper.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal
from urllib.parse import urldefrag, urljoin
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

from ivr.errors import IvrError

MAX_REDIRECTS = 10
NOUNS = ("Number", "Sip", "Client", "Queue")
CALLER_VERBS = frozenset({"Gather", "Record", "Dial", "Enqueue", "Redirect", "Hangup", "Reject"})
WAITING_VERBS = frozenset({"Gather", "Redirect", "Hangup", "Leave"})
WHISPER_VERBS = frozenset({"Gather", "Redirect", "Hangup"})

Verbs = tuple[Element, ...]
Fetch = Callable[[str, Mapping[str, str]], Verbs]


class TwimlError(IvrError):
    """The server sent TwiML that Twilio could not play, or somebody acted when nothing waited for them."""


@dataclass(frozen=True)
class Heard:
    """One thing heard on the line: words, the URL of a recording, or a beep."""

    text: str
    language: str | None = None
    kind: Literal["say", "play", "beep"] = "say"


@dataclass(frozen=True)
class Played:
    """A stretch of a document: what was heard, the verb that stopped it (None: the end), and the verbs after that."""

    heard: tuple[Heard, ...]
    verb: Element | None
    rest: Verbs
    took_time: bool


def read(document: str) -> Verbs:
    """The verbs of a document. Raises `ElementTree.ParseError` for what is not XML."""
    root = ElementTree.fromstring(document.encode())
    if root.tag != "Response":
        raise TwimlError(f"the root is <{root.tag}>, not <Response>")
    return tuple(root)


def play(verbs: Sequence[Element], may: frozenset[str] = CALLER_VERBS) -> Played:
    """Plays `verbs` until one of them needs a person or leads away; `may` names those allowed to."""
    heard: list[Heard] = []
    took_time = False
    for at, verb in enumerate(verbs):
        if verb.tag in ("Say", "Play", "Pause"):
            took_time = True
            heard += _sounds(verb)
        elif verb.tag not in may:
            raise TwimlError(f"<{verb.tag}> cannot be played here (Say, Play, Pause, {', '.join(sorted(may))} can)")
        else:
            heard += _sounds_of_wait(verb)
            return Played(tuple(heard), verb, tuple(verbs[at + 1 :]), took_time)
    return Played(tuple(heard), None, (), took_time)


def _sounds_of_wait(verb: Element) -> list[Heard]:
    """What is heard at a verb that stops the document, which is also where its make-up is checked."""
    if verb.get("method", "POST") != "POST":
        raise TwimlError(f'<{verb.tag} method="{verb.get("method")}">: only POST is played')
    if verb.tag == "Gather":
        unknown = [child.tag for child in verb if child.tag not in ("Say", "Play", "Pause")]
        if unknown:
            raise TwimlError(f"<{unknown[0]}> cannot be played within <Gather>")
        return [sound for child in verb for sound in _sounds(child)]
    if verb.tag == "Record" and verb.get("playBeep", "true") == "true":
        return [Heard("", None, "beep")]
    if verb.tag == "Dial":
        unknown = [child.tag for child in verb if child.tag not in NOUNS]
        if unknown:
            raise TwimlError(f"<{unknown[0]}> cannot be played within <Dial> ({', '.join(NOUNS)} can)")
        if not (verb.text or "").strip() and not len(verb):
            raise TwimlError("<Dial> dials nobody")
    if verb.tag == "Redirect" and not (verb.text or "").strip():
        raise TwimlError("<Redirect> leads nowhere")
    return []


def _sounds(verb: Element) -> list[Heard]:
    """A Say, Play or Pause as heard. An endless loop (0) is heard once: nobody stays for ever."""
    if verb.tag == "Pause" or (verb.tag == "Play" and not (verb.text or "").strip()):
        return []  # a Play without a URL sends its `digits`
    if verb.tag == "Play":
        sound = Heard((verb.text or "").strip(), None, "play")
    else:
        sound = Heard(" ".join(_words(verb).split()), verb.get("language"))
    return [sound] * max(1, int(verb.get("loop", "1")))


def _words(element: Element) -> str:
    """The words of a Say with its SSML taken off; a substitute is what one hears, a break only parts two words."""
    if element.tag == "sub" and element.get("alias"):
        return element.get("alias", "")
    inner = (element.text or "") + "".join(_words(child) + (child.tail or "") for child in element)
    return f" {inner} " if element.tag in ("break", "p", "s") else inner


def takes(gather: Element, way: Literal["dtmf", "speech"]) -> bool:
    """Whether a Gather listens to keys or to speech; left to itself it listens to keys only."""
    return way in gather.get("input", "dtmf").split()


def gathered(gather: Element, keys: str) -> tuple[str, str]:
    """The digits that a Gather passes on, without the finishing key, and the keys pressed after it had finished."""
    finish, most = gather.get("finishOnKey", "#"), int(gather.get("numDigits", "0"))
    for at, key in enumerate(keys):
        if key in finish:
            return keys[:at], keys[at + 1 :]
        if at + 1 == most:
            return keys[: at + 1], keys[at + 1 :]
    return keys, ""


def resolve(document_url: str, url: str) -> str:
    """`url` as Twilio requests it: relative to its document, without the fragment, which only configures retries."""
    return urldefrag(urljoin(document_url, url)).url


class Leg:
    """One party on the line and how far they are in the present document.

    `verb` is what the leg waits in, or None once a document has ended; `heard` grows as documents are played.
    A leg with `beats` is waiting music: a redirect that comes after something to hear stays until `go_on`.
    """

    def __init__(
        self, fetch: Fetch, url: str, may: frozenset[str], heard: list[Heard] | None = None, *, beats: bool = False
    ) -> None:
        self.url = url
        self.verb: Element | None = None
        self.heard: list[Heard] = [] if heard is None else heard
        self._fetch, self._may, self._beats = fetch, may, beats
        self._rest: Verbs = ()

    @property
    def waits_in(self) -> str | None:
        """The name of the verb this leg stopped at."""
        return None if self.verb is None else self.verb.tag

    def standing_at(self, *names: str) -> Element:
        """The verb this leg stopped at, which must be one of `names` if any are given."""
        if self.verb is None or (names and self.verb.tag not in names):
            state = "nothing" if self.verb is None else f"<{self.verb.tag}>"
            wanted = " or ".join(f"<{name}>" for name in names) or "a verb"
            raise TwimlError(f"the line waits in {state}, not in {wanted}")
        return self.verb

    def go(self, url: str, **fields: str) -> None:
        """Requests `url` (relative to the present document) and plays the answer up to where it waits."""
        self._play(self._request(url, fields))

    def next_verb(self) -> None:
        """Goes on in the same document, as after silence or a Dial without action."""
        self._play(self._rest)

    def go_on(self, first_url: str) -> None:
        """Waiting music's next beat: where the last document led, or the first URL again when it simply ran out."""
        if self.waits_in == "Gather":
            self.silence()
        if self.verb is None:
            self.go(first_url)
        elif self.verb.tag == "Redirect":
            self.go((self.verb.text or "").strip())

    def act(self, **fields: str) -> None:
        """Posts the outcome of the present verb to its action: by default the current document, as at Twilio."""
        self.go(self.standing_at().get("action") or "", **fields)

    def press(self, keys: str) -> str:
        """Keys for a Gather; returns those it did not take. A Gather that listens to speech only hears silence."""
        gather = self.standing_at("Gather")
        digits, left = gathered(gather, keys) if takes(gather, "dtmf") else ("", "")
        if digits:
            self.act(Digits=digits)
        else:
            self.silence()
        return left

    def say(self, text: str, confidence: float) -> None:
        """Words for a Gather; one that listens to keys only hears silence."""
        if text and takes(self.standing_at("Gather"), "speech"):
            self.act(SpeechResult=text, Confidence=f"{confidence:g}")
        else:
            self.silence()

    def silence(self) -> None:
        """Nothing is pressed or said until the verb gives up."""
        verb = self.standing_at("Gather", "Record")
        if verb.get("actionOnEmptyResult") == "true":
            self.act()
        else:
            self.next_verb()

    def _request(self, url: str, fields: Mapping[str, str]) -> Verbs:
        self.url = resolve(self.url, url)
        return self._fetch(self.url, fields)

    def _play(self, verbs: Sequence[Element]) -> None:
        redirects = 0
        while True:
            played = play(verbs, self._may)
            self.heard += played.heard
            self.verb, self._rest = played.verb, played.rest
            if self.verb is None or self.verb.tag != "Redirect" or (self._beats and played.took_time):
                return
            redirects += 1
            if redirects > MAX_REDIRECTS:
                raise TwimlError(f"more than {MAX_REDIRECTS} redirects in a row, the last to {self.verb.text}")
            verbs = self._request((self.verb.text or "").strip(), {})
