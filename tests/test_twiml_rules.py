"""The rules for TwiML let good documents pass, and each rule has a document that breaks it."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest

from tests.twiml_rules import RULES, TAGS, problems

SID = "0123456789abcdef" * 2

GOOD = {
    "nothing": "",
    "a menu": """
        <Gather action="/voice/turn?n=2#ct=2000&amp;rc=1" method="POST" input="dtmf speech" numDigits="1" timeout="5"
            speechTimeout="auto" finishOnKey="" actionOnEmptyResult="true" language="en-US" hints="my bill, a refund"
            profanityFilter="false" bargeIn="true">
          <Say voice="Polly.Joanna-Neural" language="en-US">Hello, Margo &amp; family.</Say>
          <Pause length="1"/>
          <Play>https://line.example.com/prompts/menu.wav</Play>
        </Gather>
        <Redirect method="POST">/voice/turn?n=3</Redirect>""",
    "a menu with a speech model": """
        <Gather action="turn" input="speech" speechModel="phone_call" enhanced="true" speechTimeout="3"
            partialResultCallback="/voice/partial" partialResultCallbackMethod="POST"><Say>Yes?</Say></Gather>""",
    "speech marks": """
        <Say voice="Google.en-US-Chirp3-HD-Aoede" loop="2"><p><s>One <break strength="weak" time="300ms"/> two.</s></p>
          <emphasis level="strong">Now</emphasis>
          <lang xml:lang="fr-FR">bonjour</lang>
          <phoneme alphabet="ipa" ph="pɪˈkɑːn">pecan</phoneme>
          <prosody pitch="+10%" rate="90%" volume="-6dB">quietly</prosody>
          <say-as interpret-as="date" format="mdy">12/31/2026</say-as>
          <sub alias="mister">Mr</sub>
          <w role="amazon:VB">read</w>
        </Say>""",
    "keys played": '<Play digits="ww12#" loop="1"/>',
    "a message": """
        <Record action="/voice/turn?n=4" method="POST" maxLength="120" timeout="5" finishOnKey="#" playBeep="true"
            trim="trim-silence" transcribe="true" transcribeCallback="/voice/words" recordingConfigurationId="x"
            recordingStatusCallback="/voice/recording" recordingStatusCallbackMethod="POST"
            recordingStatusCallbackEvent="completed absent"/>
        <Redirect>/voice/turn?n=4</Redirect>""",
    "people rung": """
        <Dial action="/voice/turn?n=5" method="POST" timeout="20" timeLimit="3600" callerId="+18005550199"
            answerOnBridge="true" hangupOnStar="true" record="record-from-answer-dual" recordingTrack="both"
            ringTone="us" sequential="false" trim="do-not-trim">
          <Number url="/voice/whisper?turn=5" method="POST" statusCallback="/voice/agent" statusCallbackMethod="POST"
              statusCallbackEvent="initiated ringing answered completed" sendDigits="wwww12" byoc="BY1"
              machineDetection="Enable" machineDetectionTimeout="30" machineDetectionSpeechThreshold="2400"
              machineDetectionSpeechEndThreshold="1200" machineDetectionSilenceTimeout="5000"
              amdStatusCallback="/voice/machine" amdStatusCallbackMethod="POST">+12175550177</Number>
          <Sip username="a" password="b" url="/voice/whisper">sip:agent@example.com</Sip>
          <Client url="/voice/whisper"><Identity>alice</Identity><Parameter name="case" value="17"/></Client>
        </Dial>""",
    "a bare number dialled": "<Dial>+12175550177</Dial><Say>Goodbye.</Say>",
    "a queue entered": """
        <Enqueue action="/voice/turn?n=6" method="POST" waitUrl="/voice/wait?turn=6&amp;beat=1" waitUrlMethod="POST"
            maxQueueSize="50">sales</Enqueue>""",
    "a queue entered in silence": '<Enqueue waitUrl="">sales</Enqueue>',
    "a task": f"""
        <Enqueue workflowSid="WW{SID}">
          <Task priority="5" timeout="600">{{"ivr": {{"reason": "bill"}}}}</Task>
        </Enqueue>""",
    "a queue answered": '<Dial><Queue url="/voice/notice" method="POST">sales</Queue></Dial>',
    "a reservation answered": '<Dial><Queue reservationSid="WR1" postWorkActivitySid="WA1"/></Dial>',
    "a conference": f"""
        <Dial><Conference beep="onEnter" startConferenceOnEnter="true" endConferenceOnExit="false" maxParticipants="3"
            muted="false" participantLabel="agent" coach="CA{SID}" record="record-from-start" waitUrl=""
            waitMethod="POST" statusCallback="/voice/room" statusCallbackMethod="POST"
            statusCallbackEvent="start end join">room-17</Conference></Dial>""",
    "a queue left": "<Say>We call you back.</Say><Leave/>",
    "a goodbye": "<Say>Goodbye.</Say><Hangup/>",
    "a refusal": '<Reject reason="busy"/>',
}

BAD = [
    # shape
    ("an unknown verb", "<Sing>la</Sing>", "Sing[1]: is not allowed within Response"),
    ("a verb in small letters", "<say>Hello</say>", "say[1]: is not allowed within Response"),
    ("a noun for a verb", "<Number>+12175550177</Number>", "Number[1]: is not allowed within Response"),
    ("a verb in a Gather", '<Gather action="t"><Dial>1</Dial></Gather>', "Gather[1]/Dial[1]: is not allowed"),
    ("a block in a sentence", "<Say><s>a <p>b</p></s></Say>", "s[1]/p[1]: is not allowed within s"),
    ("an unknown attribute", '<Say accent="posh">Hello</Say>', "Say[1]: has no attribute accent"),
    ("stray text", "Hello", "Response: has text: 'Hello'"),
    ("stray text after a verb", "<Hangup/>Hello", "Response: has text: 'Hello'"),
    ("text in a Gather", '<Gather action="t">Press 1</Gather>', "Gather[1]: has text"),
    # values
    ("a word for a number", '<Pause length="long"/>', "is not a whole number above 0"),
    ("a negative number", '<Gather action="t" timeout="-1"/>', "is not a whole number"),
    ("no digits at all", '<Gather action="t" numDigits="0"/>', "above 0"),
    ("a capital truth", '<Gather action="t" bargeIn="True"/>', "is not one of true, false"),
    ("another method", '<Redirect method="PUT">/x</Redirect>', "is not one of GET, POST"),
    ("another input", '<Gather action="t" input="dtmf,speech"/>', "is not a selection of dtmf, speech"),
    ("no input", '<Gather action="t" input=""/>', "is not a selection"),
    ("a letter to finish on", '<Gather action="t" finishOnKey="A"/>', "is not keys"),
    ("a half-said language", '<Say language="en">Hello</Say>', "is not one of"),
    ("a language nobody hears", '<Gather action="t" language="cy-GB"/>', "is not one of"),
    ("an unknown voice", '<Say voice="Polly Joanna">Hello</Say>', "is not a voice"),
    ("a pause of no time", '<Say>a<break time="long"/></Say>', "is not a duration"),
    ("an unknown emphasis", '<Say><emphasis level="huge">a</emphasis></Say>', "is not one of"),
    ("an unknown event", '<Dial><Number statusCallbackEvent="gone">1</Number></Dial>', "is not a selection"),
    ("an unknown reason", '<Reject reason="rude"/>', "is not one of rejected, busy"),
    ("a workflow's name", '<Enqueue workflowSid="sales"/>', "is not a workflow's SID"),
    # URLs
    ("a Gather without action", "<Gather><Say>Press 1.</Say></Gather>", "Gather[1]: needs action"),
    ("a Gather with an empty action", '<Gather action=""/>', "is not a URL"),
    ("a Record without action", "<Record/>", "Record[1]: needs action"),
    ("a URL with a space", '<Gather action="/voice/my turn"/>', "is not a URL"),
    ("a URL of another kind", '<Gather action="ftp://example.com/x"/>', "that Twilio can request"),
    ("a host with an underscore", '<Gather action="https://my_line.example.com/x"/>', "underscore"),
    ("an underscore in a redirect", "<Redirect>https://my_line.example.com/</Redirect>", "underscore"),
    ("an empty redirect", "<Redirect/>", "Redirect[1]: is empty"),
    ("an empty Play", "<Play/>", "plays nothing"),
    ("a Play of words", "<Play>the menu</Play>", "is not a URL"),
    # hints
    ("too many hints", f'<Gather action="t" hints="{",".join(["a"] * 501)}"/>', "501 entries"),
    ("a long hint", f'<Gather action="t" hints="bill,{"a" * 101}"/>', "over 100 characters"),
    ("somebody's number as a hint", '<Gather action="t" hints="bill,+12175550142"/>', "telephone number"),
    ("somebody's spelt number as a hint", '<Gather action="t" hints="(217) 555-0142"/>', "telephone number"),
    ("an empty hint", '<Gather action="t" hints="bill,,refund"/>', "empty entry"),
    # words
    ("an empty Say", "<Say/>", "Say[1]: is empty"),
    ("a Say of spaces", "<Say>  </Say>", "Say[1]: is empty"),
    ("a Say of a pause only", '<Say><break time="1s"/></Say>', "Say[1]: is empty"),
    ("a Say within a Gather that is empty", '<Gather action="t"><Say/></Gather>', "Gather[1]/Say[1]: is empty"),
    ("a speech", f"<Say>{'word ' * 601}</Say>", "over 3000"),
    ("a say-as without its kind", "<Say><say-as>12</say-as></Say>", "needs interpret-as"),
    ("a substitute for nothing", '<Say>a<sub alias="b"/></Say>', "sub[1]: is empty"),
    # what can never run
    ("a verb after Hangup", "<Hangup/><Say>Hello?</Say>", "<Say> is never reached after <Hangup>"),
    ("a verb after Reject", "<Reject/><Hangup/>", "<Hangup> is never reached after <Reject>"),
    ("a verb after Redirect", "<Redirect>/x</Redirect><Hangup/>", "<Hangup> is never reached after <Redirect>"),
    ("a verb after Leave", "<Leave/><Hangup/>", "<Hangup> is never reached after <Leave>"),
    # several attributes together
    (
        "an automatic end with a speech model",
        '<Gather action="t" input="speech" speechTimeout="auto" speechModel="phone_call"/>',
        "does not go with a speechModel",
    ),
    ("a Dial to nobody", '<Dial action="/x"/>', "dials nobody"),
    ("a Dial to a crowd", f"<Dial>{'<Number>+12175550177</Number>' * 11}</Dial>", "more than 10"),
    ("an empty Number", "<Dial><Number/></Dial>", "Number[1]: is empty"),
    ("a queue without a name", "<Enqueue/>", "needs the name of a queue"),
    ("a queue with two names", f'<Enqueue workflowSid="WW{SID}">sales</Enqueue>', "or else a workflowSid"),
    ("a long queue name", f"<Enqueue>{'q' * 65}</Enqueue>", "over 64"),
    ("a task in a plain queue", "<Enqueue>sales<Task>{}</Task></Enqueue>", "no workflowSid"),
    ("a task that is a list", f'<Enqueue workflowSid="WW{SID}"><Task>[]</Task></Enqueue>', "is not a JSON object"),
    ("a task that is not JSON", f'<Enqueue workflowSid="WW{SID}"><Task>bill</Task></Enqueue>', "is not a JSON object"),
]


def response(verbs: str) -> str:
    return f'<?xml version="1.0" encoding="UTF-8"?><Response>{verbs}</Response>'


@pytest.mark.parametrize("name", GOOD)
def test_a_good_document_has_no_problems(name: str) -> None:
    assert problems(response(GOOD[name])) == []


@pytest.mark.parametrize(("verbs", "complaint"), [bad[1:] for bad in BAD], ids=[bad[0] for bad in BAD])
def test_a_document_that_breaks_a_rule_is_told_which(verbs: str, complaint: str) -> None:
    found = problems(response(verbs))

    assert len(found) == 1
    assert complaint in found[0]


def test_every_problem_of_a_document_is_told() -> None:
    assert problems(response('<Say loop="x"/><Hangup/><Sing/>')) == [
        "Response: <Sing> is never reached after <Hangup>",
        'Response/Say[1]: loop="x" is not a whole number',
        "Response/Say[1]: is empty",
        "Response/Sing[3]: is not allowed within Response",
    ]


def test_what_is_not_xml_is_told_so() -> None:
    assert "not XML" in problems("<Response><Say>Fish & chips</Say></Response>")[0]
    assert "not XML" in problems(b"")[0]
    assert "not XML" in problems("Internal Server Error")[0]


def test_the_root_is_response_in_just_these_letters() -> None:
    assert problems("<response/>") == ["the root is <response>, not <Response>"]
    assert problems("<Response version='1'/>") == ["Response: has no attribute version"]


def test_size_counts_in_bytes_not_in_letters() -> None:
    says = "<Say>" + "é" * 2990 + "</Say>"

    assert problems(response(says * 10)) == []
    assert problems(response(says * 11)) == [f"Response: {len(response(says * 11).encode())} bytes, over 65536"]


def test_a_say_may_be_as_long_as_its_limit_and_its_tags_are_free() -> None:
    assert problems(response("<Say>" + "<s>Word.</s>" * 600 + "</Say>")) == []


def test_hints_may_be_as_many_and_as_long_as_their_limits() -> None:
    assert problems(response(f'<Gather action="t" hints="{",".join(["a" * 100] * 500)}"/>')) == []


def test_every_tag_and_attribute_of_the_table_occurs_in_a_good_document() -> None:
    """So that nothing comes into the table without an example of its use."""
    elements = [element for verbs in GOOD.values() for element in ElementTree.fromstring(response(verbs)).iter()]
    xml = "{http://www.w3.org/XML/1998/namespace}"
    shown = {element.tag: set[str]() for element in elements}
    for element in elements:
        shown[element.tag] |= {name.replace(xml, "xml:") for name in element.attrib}
    shared = {"Sip", "Client", "Dial", "Conference"}  # their callbacks are shown with Number and with Record

    assert shown.keys() == TAGS.keys()
    assert {tag: shown[tag] for tag in TAGS.keys() - shared} == {
        tag: set(TAGS[tag].attributes) for tag in TAGS.keys() - shared
    }
    assert RULES.keys() <= TAGS.keys()
