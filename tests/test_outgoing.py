"""What leaves the house: messages to callers, and what Twilio is asked to tidy or to route."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivr.config import Config, Mail, read_config
from ivr.outgoing import MayHaveGone, SendFault, letter, send
from ivr.store.jobs import Job
from ivr.telephony.faults import RestFault
from ivr.telephony.rest import Rest
from tests.fake_smtp import FakeSmtp
from tests.fake_twilio import WORKFLOW, WORKSPACE, FakeTwilio

CALLER, LINE = "+15550100002", "+15550001111"
QUEUE, RECORDING = "QU" + "1" * 32, "RE" + "2" * 32
NOON = 1772452800.0
"""2 March 2026, 12:00 UTC."""

EMAIL = {
    "to": "margo@example.org",
    "subject": "We are sorry",
    "words": "Dear Margo,\nit was our fault.\n",
    "language": "en",
}


@pytest.fixture(scope="module")
def plain() -> Config:
    """The shipped configuration, with nothing that could send."""
    read, _ = read_config(Path(__file__).parents[1], {})
    assert read is not None
    return replace(read, file=read.file.model_copy(update={"mail": None, "sms_from": None}))


@pytest.fixture
def config(plain: Config, fake_twilio: FakeTwilio) -> Config:
    return replace(plain, **fake_twilio.account)


def job(kind: str, name: str, payload: Mapping[str, Any], attempts: int = 1) -> Job:
    return Job(1, "CA1-g1", kind, name, payload, "CA1", attempts)


def by_mail(config: Config, port: int, password: str | None = None, **more: Any) -> Config:
    mail = Mail.model_validate(
        {"host": "127.0.0.1", "port": port, "from": "Northlight <hello@northlight.example>", **more}
    )
    environment = {"SMTP_PASSWORD": password} if password else {}
    return replace(config, file=config.file.model_copy(update={"mail": mail}), environment=environment)


def do(config: Config, each: Job) -> str | None:
    return send(each, config, Rest(config), NOON)


# SMS


def test_an_sms_goes_out_from_the_configured_number_else_from_the_lines(
    config: Config, fake_twilio: FakeTwilio
) -> None:
    sms = job("message", "sms", {"to": CALLER, "words": "Sorry!", "from": LINE})
    sid = do(config, sms)
    other = replace(config, file=config.file.model_copy(update={"sms_from": "+15550009999"}))
    do(other, sms)
    assert [sent["From"] for sent in fake_twilio.messages.values()] == [LINE, "+15550009999"]
    assert sid is not None and fake_twilio.messages[sid]["Body"] == "Sorry!"


def test_without_a_number_an_sms_says_what_to_add(config: Config) -> None:
    with pytest.raises(SendFault, match='add sms_from: "\\+1…" to config.yaml'):
        do(config, job("message", "sms", {"to": CALLER, "words": "Sorry!"}))


def test_a_refused_sms_may_be_tried_again_and_a_lost_one_must_not(config: Config, fake_twilio: FakeTwilio) -> None:
    sms = job("message", "sms", {"to": CALLER, "words": "Sorry!", "from": LINE})
    fake_twilio.refuses(429)
    with pytest.raises(RestFault):
        do(config, sms)
    fake_twilio.loses()
    with pytest.raises(MayHaveGone, match="nobody knows"):
        do(config, sms)
    assert len(fake_twilio.messages) == 1


# E-mail


def test_an_email_arrives_as_plain_text(config: Config, fake_smtp: FakeSmtp) -> None:
    do(by_mail(config, fake_smtp.port), job("message", "email", {**EMAIL, "subject": "Lo sentimos, señora 🙂"}))
    ((sender, to, content),) = fake_smtp.letters
    assert (sender, to) == ("hello@northlight.example", ["margo@example.org"])
    assert content["From"] == "Northlight <hello@northlight.example>"
    assert content["Subject"] == "Lo sentimos, señora 🙂"
    assert content["Date"] == "Mon, 02 Mar 2026 12:00:00 -0000"
    assert content["Content-Language"] == "en"
    assert content.get_content_type() == "text/plain"
    assert content.get_content().splitlines() == ["Dear Margo,", "it was our fault."]


def test_the_server_is_told_who_we_are(config: Config, fake_smtp: FakeSmtp) -> None:
    do(by_mail(config, fake_smtp.port, "secret", user="ivr"), job("message", "email", EMAIL))
    assert fake_smtp.logins == [("ivr", "secret")]
    assert len(fake_smtp.letters) == 1


def test_every_attempt_at_one_email_has_the_same_message_id(config: Config) -> None:
    mail = by_mail(config, 25).file.mail
    assert mail is not None
    first, again = (letter(job("message", "email", EMAIL, attempt), mail, NOON) for attempt in (1, 2))
    other = letter(job("message", "email", EMAIL)._replace(key="CA1-g2"), mail, NOON)
    assert first["Message-ID"] == again["Message-ID"] != other["Message-ID"]
    assert first["Message-ID"].endswith("@northlight.example>")


@given(
    subject=st.text(max_size=80),
    words=st.text(st.characters(exclude_categories=["Cs"]), max_size=200),
    more=st.text(max_size=30),
)
def test_no_text_becomes_a_header_or_another_recipient(plain: Config, subject: str, words: str, more: str) -> None:
    mail = by_mail(plain, 25).file.mail
    assert mail is not None
    give = {
        "to": "margo@example.org",
        "subject": f"{subject}\r\nBcc: {more}",
        "words": f"{words}\r\nBcc: x@example.org",
        "language": more,
    }
    made = letter(job("message", "email", give), mail, NOON)
    assert {name.lower() for name in made} <= {
        "from", "to", "subject", "date", "message-id", "content-language", "content-type", "mime-version", "content-transfer-encoding",
    }  # fmt: skip
    assert [address.addr_spec for address in made["To"].addresses] == ["margo@example.org"]


@pytest.mark.parametrize(
    "to",
    ["", "margo", "a@example.org, b@example.org", "a@example.org\r\nBcc: b@example.org", "Eve <e@example.org>", "a@b@example.org", "@example.org"],
)  # fmt: skip
def test_only_one_plain_address_is_written_to(config: Config, fake_smtp: FakeSmtp, to: str) -> None:
    with pytest.raises(SendFault) as caught:
        do(by_mail(config, fake_smtp.port), job("message", "email", {**EMAIL, "to": to}))
    assert "example.org" not in str(caught.value)
    assert fake_smtp.letters == []


@pytest.mark.parametrize(
    ("verb", "reply", "said"),
    [
        ("MAIL", "451 later", r"refused the e-mail \(451\)"),
        ("RCPT", "550 no such user: margo@example.org", r"refused the e-mail \(550\)"),
        ("DATA", "554 spam", r"refused the e-mail \(554\)"),
        ("AUTH", "535 who are you", r"refused the user: of mail: or SMTP_PASSWORD \(535\)"),
    ],
)
def test_a_refused_email_may_be_tried_again(
    config: Config, fake_smtp: FakeSmtp, verb: str, reply: str, said: str
) -> None:
    fake_smtp.replies[verb] = reply
    with pytest.raises(SendFault, match=said) as caught:
        do(by_mail(config, fake_smtp.port, "secret", user="ivr"), job("message", "email", EMAIL))
    assert "margo" not in str(caught.value) and "secret" not in str(caught.value)
    assert fake_smtp.letters == []


def test_an_email_that_was_handed_in_without_an_answer_must_not_go_again(config: Config, fake_smtp: FakeSmtp) -> None:
    fake_smtp.loses = True
    with pytest.raises(MayHaveGone):
        do(by_mail(config, fake_smtp.port), job("message", "email", EMAIL))


def test_a_failed_goodbye_does_not_unsend_an_email(config: Config, fake_smtp: FakeSmtp) -> None:
    fake_smtp.replies["QUIT"] = "421 no goodbyes"
    do(by_mail(config, fake_smtp.port), job("message", "email", EMAIL))
    assert len(fake_smtp.letters) == 1


def test_without_a_mail_server_it_says_what_to_add(config: Config) -> None:
    with pytest.raises(SendFault, match=r"add mail: \{host: …, from: …\} to config.yaml"):
        do(config, job("message", "email", EMAIL))
    with pytest.raises(SendFault, match="SMTP_PASSWORD is not set"):
        do(by_mail(config, 25, user="ivr"), job("message", "email", EMAIL))
    with pytest.raises(SendFault, match="check host: and port: of mail:"):
        do(by_mail(config, 9), job("message", "email", EMAIL))
    with pytest.raises(SendFault, match="from: that is not an address"):
        do(by_mail(config, 25, **{"from": "Northlight"}), job("message", "email", EMAIL))


# Twilio


def test_what_is_over_is_tidied(config: Config, fake_twilio: FakeTwilio) -> None:
    fake_twilio.queues[QUEUE], fake_twilio.recordings[RECORDING] = 0, b"ID3"
    call = Rest(config).ring(CALLER, LINE, "https://pbx.example/a", "https://pbx.example/s", 20)
    for name, give in (
        ("delete_queue", {"queue": QUEUE}),
        ("delete_recording", {"recording": RECORDING}),
        ("hang_up", {"call": call}),
    ):
        for _ in range(2):  # the outbox may ask again
            assert do(config, job("twilio", name, give)) is None
    assert (fake_twilio.queues, fake_twilio.recordings) == ({}, {})
    assert fake_twilio.calls[call]["status"] == "completed"


def test_a_callback_task_is_made_once_even_where_the_first_answer_was_lost(
    config: Config, fake_twilio: FakeTwilio
) -> None:
    give = {
        "workspace": WORKSPACE,
        "workflow": WORKFLOW,
        "attributes": {"call_sid": "CA1"},
        "entered": NOON - 60,
        "priority": 2,
    }
    fake_twilio.loses()
    with pytest.raises(RestFault) as caught:
        do(config, job("twilio", "callback_task", give))
    assert not caught.value.sure
    sid = do(config, job("twilio", "callback_task", give, attempts=2))
    (made,) = fake_twilio.tasks
    assert sid == made
    assert json.loads(fake_twilio.tasks[made]["Attributes"])["call_sid"] == "CA1"
    assert fake_twilio.tasks[made]["VirtualStartTime"] == "2026-03-02T11:59:00Z"


def test_a_job_of_a_newer_version_is_left_for_a_newer_worker(config: Config) -> None:
    with pytest.raises(SendFault, match="is this worker of an older version"):
        do(config, job("twilio", "sing", {}))
