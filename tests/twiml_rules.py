"""What a response must be for Twilio to play it as we mean it: `problems(body)` lists everything that is wrong.

`TAGS` covers the verbs that this project sends or may send soon, and is stricter than Twilio where that saves a call:
a Say must say something, a Gather must name its action, no verb may stand where it can never run.
Widen it only after reading Twilio's page about the verb.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from urllib.parse import urlsplit
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

MOST_BYTES = 64 * 1024  # Twilio's error 11750
MOST_SAID = 3000  # characters of a Polly voice; tags are free
MOST_HINTS, LONGEST_HINT = 500, 100
MOST_NUMBERS_AT_ONCE = 10
LONGEST_QUEUE_NAME = 64
LEADS_AWAY = ("Hangup", "Reject", "Redirect", "Leave")

Check = Callable[[str], str | None]


# Values: each check returns what is wrong with one, or None


def like(pattern: str, what: str) -> Check:
    """The whole value matches `pattern`, which people call `what`."""
    compiled = re.compile(pattern)
    return lambda value: None if compiled.fullmatch(value) else f"is not {what}"


def one_of(words: str) -> Check:
    """The value is one of `words`."""
    known = words.split()
    return lambda value: None if value in known else f"is not one of {', '.join(known)}"


def some_of(words: str) -> Check:
    """The value is one or more of `words`, separated by spaces."""
    known = words.split()

    def check(value: str) -> str | None:
        given = value.split()
        return None if given and set(given) <= set(known) else f"is not a selection of {', '.join(known)}"

    return check


def url(value: str) -> str | None:
    """A web address, relative or complete. Twilio refuses host names with an underscore."""
    if not value or re.search(r"\s", value):
        return "is not a URL"
    parts = urlsplit(value)
    if parts.scheme and (parts.scheme not in ("http", "https") or not parts.hostname):
        return "is not a URL that Twilio can request"
    return "has an underscore in its host name" if "_" in (parts.hostname or "") else None


def hints(value: str) -> str | None:
    """Words to expect, separated by commas. They leave the house, so nobody's number may be among them."""
    entries = value.split(",")
    if len(entries) > MOST_HINTS:
        return f"has {len(entries)} entries, over {MOST_HINTS}"
    if any(len(entry.strip()) > LONGEST_HINT for entry in entries):
        return f"has an entry over {LONGEST_HINT} characters"
    if any(re.search(r"\d(?:[\s().-]*\d){6}", entry) for entry in entries):
        return "has a telephone number in it"
    return None if all(entry.strip() for entry in entries) else "has an empty entry"


anything = like(r"(?s).+", "filled in")
whole = like(r"\d+", "a whole number")
positive = like(r"0*[1-9]\d*", "a whole number above 0")
keys = like(r"[0-9*#]*", "keys of a telephone")
truth = one_of("true false")
method = one_of("GET POST")
trim = one_of("trim-silence do-not-trim")
progress = some_of("initiated ringing answered completed")
recorded = some_of("in-progress completed absent")
voice = like(
    r"man|woman|alice|Polly\.\w+(-Neural|-Generative)?"
    r"|Google\.[a-z]{2,3}-[A-Za-z]{2}-(Standard|Wavenet|Neural2|Chirp3-HD)-\w+",
    "a voice",
)

SPOKEN_AND_HEARD = """
    af-ZA am-ET ar-AE bg-BG bn-IN ca-ES cs-CZ da-DK de-DE el-GR en-AU en-CA en-GB en-IE en-IN en-NZ en-US en-ZA es-ES
    es-MX es-US fi-FI fil-PH fr-CA fr-FR gu-IN he-IL hi-IN hu-HU id-ID is-IS it-IT ja-JP kn-IN ko-KR lv-LV ml-IN mr-IN
    ms-MY nb-NO nl-BE nl-NL pl-PL pt-BR pt-PT ro-RO ru-RU sk-SK sr-RS sv-SE ta-IN te-IN th-TH tr-TR uk-UA vi-VN zh-TW
"""
SPOKEN_ONLY = "ar-XA arb cmn-CN cmn-TW cy-GB de-AT en-GB-WLS fr-BE pa-IN yue-HK zh-CN zh-HK"
HEARD_ONLY = """
    ar-EG ar-IL ar-SA cmn-Hans-CN cmn-Hant-TW en-GH en-KE en-NG en-PH en-SG en-TZ es-AR es-CL es-CO es-PE es-PR es-VE
    et-EE hr-HR lt-LT pa-guru-IN sl-SI ur-IN ur-PK yue-Hant-HK zu-ZA
"""
WITHIN_SAY = """
    arb ar-AE ca-ES cmn-CN cy-GB da-DK de-AT de-DE en-AU en-GB en-GB-WLS en-IN en-NZ en-US en-ZA es-ES es-MX es-US fi-FI
    fr-CA fr-FR he-IL hi-IN is-IS it-IT ja-JP ko-KR nb-NO nl-NL pl-PL pt-BR pt-PT ro-RO ru-RU sv-SE tr-TR yue-CN
"""


# Tags


@dataclass(frozen=True)
class Tag:
    """What an element may carry: attributes with their checks, children, text ("no", "may" or "must")."""

    attributes: dict[str, Check] = field(default_factory=dict)
    children: str = ""
    text: str = "no"
    needs: str = ""


def callback(name: str, events: Check | None = None) -> dict[str, Check]:
    """A callback URL with its method and, where Twilio offers a choice, its events."""
    return {name: url, f"{name}Method": method, **({f"{name}Event": events} if events else {})}


ACTION: dict[str, Check] = {"action": url, "method": method}
RECORDING = {"recordingConfigurationId": anything, "trim": trim, **callback("recordingStatusCallback", recorded)}
WHISPER: dict[str, Check] = {"url": url, "method": method, **callback("statusCallback", progress)}
MACHINE: dict[str, Check] = {
    "machineDetection": one_of("Enable DetectMessageEnd"),
    "machineDetectionTimeout": positive,
    "machineDetectionSpeechThreshold": positive,
    "machineDetectionSpeechEndThreshold": positive,
    "machineDetectionSilenceTimeout": positive,
    **callback("amdStatusCallback"),
}
INLINE = "break emphasis lang phoneme prosody say-as sub w"

TAGS: dict[str, Tag] = {
    "Response": Tag(children="Say Play Pause Gather Record Dial Enqueue Redirect Hangup Reject Leave"),
    "Say": Tag(
        {"voice": voice, "language": one_of(SPOKEN_AND_HEARD + SPOKEN_ONLY), "loop": whole}, f"{INLINE} p s", "must"
    ),
    "Play": Tag({"loop": whole, "digits": like(r"[0-9*#wW]+", "keys and pauses")}, text="may"),
    "Pause": Tag({"length": positive}),
    "Gather": Tag(
        {
            **ACTION,
            "actionOnEmptyResult": truth,
            "bargeIn": truth,
            "enhanced": truth,
            "finishOnKey": keys,
            "hints": hints,
            "input": some_of("dtmf speech"),
            "language": one_of(SPOKEN_AND_HEARD + HEARD_ONLY),
            "numDigits": positive,
            "profanityFilter": truth,
            "speechModel": like(r"[a-z][a-z0-9_-]*", "a speech model"),
            "speechTimeout": like(r"auto|0*[1-9]\d*", "a number of seconds or auto"),
            "timeout": whole,
            **callback("partialResultCallback"),
        },
        "Say Play Pause",
        needs="action",
    ),
    "Record": Tag(
        {
            **ACTION,
            **RECORDING,
            "finishOnKey": keys,
            "maxLength": positive,
            "playBeep": truth,
            "timeout": whole,
            "transcribe": truth,
            "transcribeCallback": url,
        },
        needs="action",
    ),
    "Dial": Tag(
        {
            **ACTION,
            **RECORDING,
            "answerOnBridge": truth,
            "callerId": anything,
            "hangupOnStar": truth,
            "record": one_of(
                "true false do-not-record record-from-answer record-from-ringing record-from-answer-dual "
                "record-from-ringing-dual"
            ),
            "recordingTrack": one_of("both inbound outbound"),
            "ringTone": like(r"[a-z]{2}(-old)?", "a country's ring tone"),
            "sequential": truth,
            "timeLimit": positive,
            "timeout": positive,
        },
        "Number Sip Client Queue Conference",
        "may",
    ),
    "Number": Tag({**WHISPER, **MACHINE, "byoc": anything, "sendDigits": like(r"[0-9*#wW]+", "keys")}, text="must"),
    "Sip": Tag({**WHISPER, **MACHINE, "username": anything, "password": anything}, text="must"),
    "Client": Tag(WHISPER, "Identity Parameter", "may"),
    "Identity": Tag(text="must"),
    "Parameter": Tag({"name": anything, "value": anything}, needs="name value"),
    "Queue": Tag(
        {"url": url, "method": method, "postWorkActivitySid": anything, "reservationSid": anything}, text="may"
    ),
    "Conference": Tag(
        {
            **RECORDING,
            **callback("statusCallback", some_of("start end join leave mute hold modify speaker announcement")),
            "beep": one_of("true false onEnter onExit"),
            "coach": like(r"CA[0-9a-f]{32}", "a CallSid"),
            "endConferenceOnExit": truth,
            "maxParticipants": positive,
            "muted": truth,
            "participantLabel": like(r".{1,128}", "1 to 128 characters"),
            "record": one_of("true false do-not-record record-from-start"),
            "startConferenceOnEnter": truth,
            "waitUrl": lambda value: url(value) if value else None,
            "waitMethod": method,
        },
        text="must",
    ),
    "Enqueue": Tag(
        {
            **ACTION,
            "maxQueueSize": positive,
            "waitUrl": lambda value: url(value) if value else None,  # an empty one means silence
            "waitUrlMethod": method,
            "workflowSid": like(r"WW[0-9a-f]{32}", "a workflow's SID"),
        },
        "Task",
        "may",
    ),
    "Task": Tag({"priority": whole, "timeout": positive}, text="must"),
    "Redirect": Tag({"method": method}, text="must"),
    "Hangup": Tag(),
    "Reject": Tag({"reason": one_of("rejected busy")}),
    "Leave": Tag(),
    # SSML, within Say
    "break": Tag(
        {"strength": one_of("none x-weak weak medium strong x-strong"), "time": like(r"\d+(\.\d+)?m?s", "a duration")}
    ),
    "emphasis": Tag({"level": one_of("strong moderate reduced")}, INLINE, "may"),
    "lang": Tag({"xml:lang": one_of(WITHIN_SAY)}, f"{INLINE} p s", "may", "xml:lang"),
    "p": Tag(children=f"{INLINE} s", text="may"),
    "s": Tag(children=INLINE, text="may"),
    "phoneme": Tag(
        {
            "alphabet": one_of("ipa x-sampa x-amazon-jyutping x-amazon-pinyin x-amazon-pron-kana x-amazon-yomigana"),
            "ph": anything,
        },
        text="must",
        needs="ph",
    ),
    "prosody": Tag(
        {
            "pitch": like(r"default|medium|x-low|low|high|x-high|[+-]\d+(\.\d+)?%", "a pitch"),
            "rate": like(r"default|medium|x-slow|slow|fast|x-fast|\d+%", "a rate"),
            "volume": like(r"default|silent|x-soft|soft|medium|loud|x-loud|[+-]\d+(\.\d+)?dB", "a volume"),
        },
        f"{INLINE} p s",
        "may",
    ),
    "say-as": Tag(
        {
            "interpret-as": one_of(
                "characters spell-out cardinal number ordinal digits fraction unit "
                "date time address expletive telephone"
            ),
            "format": one_of("mdy dmy ymd md dm ym my d m y yyyymmdd"),
        },
        text="must",
        needs="interpret-as",
    ),
    "sub": Tag({"alias": anything}, text="must", needs="alias"),
    "w": Tag({"role": anything}, "break emphasis phoneme prosody say-as sub", "may", "role"),
}


# Documents


def problems(body: bytes | str) -> list[str]:
    """Everything that is wrong with a TwiML document, each with its place; an empty list for a good one."""
    encoded = body.encode() if isinstance(body, str) else body
    found = [] if len(encoded) <= MOST_BYTES else [f"Response: {len(encoded)} bytes, over {MOST_BYTES}"]
    try:
        root = ElementTree.fromstring(encoded)
    except ElementTree.ParseError as error:
        return [*found, f"not XML: {error}"]
    if root.tag != "Response":
        return [*found, f"the root is <{root.tag}>, not <Response>"]
    return found + [f"{place}: {what}" for place, what in _element(root, "Response")]


def _element(element: Element, place: str) -> Iterator[tuple[str, str]]:
    """The problems of an element and of all within it, in the order of the document."""
    tag = TAGS[element.tag]
    attributes = {_plain(name): value for name, value in element.attrib.items()}
    for name, value in attributes.items():
        if name not in tag.attributes:
            yield place, f"has no attribute {name}"
        elif wrong := tag.attributes[name](value):
            yield place, f'{name}="{value[:60]}" {wrong}'
    for name in tag.needs.split():
        if name not in attributes:
            yield place, f"needs {name}"
    own_text = "".join([element.text or "", *(child.tail or "" for child in element)]).strip()
    if tag.text == "no" and own_text:
        yield place, f"has text: {own_text[:40]!r}"
    if tag.text == "must" and not "".join(element.itertext()).strip():
        yield place, "is empty"
    for what in RULES.get(element.tag, lambda _: [])(element):
        yield place, what
    for number, child in enumerate(element, 1):
        inner = f"{place}/{_plain(child.tag)}[{number}]"
        if child.tag in tag.children.split():
            yield from _element(child, inner)
        else:
            yield inner, f"is not allowed within {element.tag}"


def _plain(name: str) -> str:
    return name.replace("{http://www.w3.org/XML/1998/namespace}", "xml:")


# Rules that no single attribute can break


def _response(response: Element) -> Iterator[str]:
    for verb, following in zip(response, response[1:], strict=False):
        if verb.tag in LEADS_AWAY:
            yield f"<{following.tag}> is never reached after <{verb.tag}>"


def _say(say: Element) -> Iterator[str]:
    length = len("".join(say.itertext()))
    if length > MOST_SAID:
        yield f"says {length} characters, over {MOST_SAID}"


def _play(play: Element) -> Iterator[str]:
    address = (play.text or "").strip()
    if not address and "digits" not in play.attrib:
        yield "plays nothing"
    elif address and (wrong := url(address)):
        yield f"{address!r} {wrong}"


def _gather(gather: Element) -> Iterator[str]:
    # Twilio's error 13327
    if gather.get("speechTimeout") == "auto" and "speechModel" in gather.attrib:
        yield "speechTimeout=auto does not go with a speechModel"


def _dial(dial: Element) -> Iterator[str]:
    if not (dial.text or "").strip() and not len(dial):
        yield "dials nobody"
    if len(dial.findall("Number")) > MOST_NUMBERS_AT_ONCE:
        yield f"rings more than {MOST_NUMBERS_AT_ONCE} numbers at once"


def _enqueue(enqueue: Element) -> Iterator[str]:
    name = (enqueue.text or "").strip()
    if bool(name) == ("workflowSid" in enqueue.attrib):
        yield "needs the name of a queue, or else a workflowSid"
    if len(name) > LONGEST_QUEUE_NAME:
        yield f"has a name of {len(name)} characters, over {LONGEST_QUEUE_NAME}"
    if len(enqueue) and "workflowSid" not in enqueue.attrib:
        yield "has a task but no workflowSid"


def _task(task: Element) -> Iterator[str]:
    try:
        attributes = json.loads(task.text or "")
    except ValueError:
        attributes = None
    if not isinstance(attributes, dict):
        yield "is not a JSON object"


def _redirect(redirect: Element) -> Iterator[str]:
    address = (redirect.text or "").strip()
    if address and (wrong := url(address)):
        yield f"{address!r} {wrong}"


RULES: dict[str, Callable[[Element], Iterator[str]]] = {
    "Response": _response,
    "Say": _say,
    "Play": _play,
    "Gather": _gather,
    "Dial": _dial,
    "Enqueue": _enqueue,
    "Task": _task,
    "Redirect": _redirect,
}
