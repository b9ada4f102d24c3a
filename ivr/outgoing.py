"""What leaves the house from the outbox beside actions: messages to callers, and what Twilio is asked to tidy or to route.

message  sms            {to, words, from?}
         email          {to, words, subject, language?}
twilio   delete_queue   {queue}
         delete_recording  {recording}
         hang_up        {call}
         callback_task  {workspace, workflow, attributes, entered, priority?}
         accept_reservation  {target, task, reservation}
         end_task       {target, task}
"""

from __future__ import annotations

import hashlib
import re
import smtplib
import ssl
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import formatdate

from ivr.config import Config, Mail
from ivr.errors import IvrError
from ivr.store.jobs import Job
from ivr.telephony.faults import RestFault
from ivr.telephony.rest import Rest

SMTP_SECONDS = 10.0
SMTP_TLS, SUBMISSION = 465, 587
"""Ports on which the connection is encrypted from the beginning, or before anything is said."""

_ADDRESS = re.compile(r"([^\s@,;:<>()\[\]\\\"]{1,64})@([^\s@,;:<>()\[\]\\\"]{1,190})")
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")


class SendFault(IvrError):
    """It was not sent, and for certain: it may be tried again. The message holds neither the address nor the words."""


class MayHaveGone(IvrError):
    """Nobody knows whether a message went. It must not be sent again."""


def send(job: Job, config: Config, rest: Rest, now: float) -> str | None:
    """Does a `message` or `twilio` job once; returns the SID of what came of it, if it has one.

    Raises MayHaveGone where a message must not be sent again, and another IvrError where the job may be tried later.
    """
    give = job.payload
    match job.kind, job.name:
        case "message", "sms":
            return _sms(job, config, rest)
        case "message", "email":
            _email(job, config, now)
        case "twilio", "delete_queue":
            rest.delete_queue(give["queue"])
        case "twilio", "delete_recording":
            rest.delete_recording(give["recording"])
        case "twilio", "hang_up":
            rest.hang_up(give["call"])
        case "twilio", "callback_task":
            return _callback_task(job, rest)
        case "twilio", "accept_reservation":
            rest.accept_reservation(_workspace(config, give["target"]), give["task"], give["reservation"])
        case "twilio", "end_task":
            rest.end_task(_workspace(config, give["target"]), give["task"])
        case _:
            raise SendFault(
                f"nothing does a job '{job.name}' of kind '{job.kind}'; is this worker of an older version?"
            )
    return None


def _sms(job: Job, config: Config, rest: Rest) -> str:
    from_ = config.file.sms_from or job.payload.get("from")
    if not from_:
        raise SendFault('no number sends SMS; add sms_from: "+1…" to config.yaml')
    try:
        return rest.send_sms(job.payload["to"], from_, job.payload["words"])
    except RestFault as fault:
        if fault.sure:
            raise
        raise MayHaveGone(str(fault)) from None


def _workspace(config: Config, name: str) -> str:
    target = config.file.targets.get(name)
    return (target.taskrouter.workspace if target and target.taskrouter else None) or ""


def _callback_task(job: Job, rest: Rest) -> str:
    """Twilio knows no keys: at a second try, a task that the first one made is looked for by ours."""
    give = job.payload
    made = rest.find_task(give["workspace"], job.key, "idempotency_key") if job.attempts > 1 else None
    attributes = {**give["attributes"], "idempotency_key": job.key}
    return made or rest.callback_task(
        give["workspace"], give["workflow"], attributes, give["entered"], give.get("priority", 0)
    )


def _email(job: Job, config: Config, now: float) -> None:
    mail = config.file.mail
    if mail is None:
        raise SendFault("no server sends e-mail; add mail: {host: …, from: …} to config.yaml")
    message = letter(job, mail, now)
    with _connected(mail, config.environment.get("SMTP_PASSWORD")) as server:
        try:
            server.send_message(message)
        except (smtplib.SMTPException, OSError) as error:
            # Its answers to a refusal quote addresses: the code must do.
            if isinstance(error, smtplib.SMTPException) and not isinstance(error, smtplib.SMTPServerDisconnected):
                raise SendFault(f"the mail server refused the e-mail{_code(error)}") from None
            raise MayHaveGone("the mail server did not answer; nobody knows whether the e-mail went") from None


def letter(job: Job, mail: Mail, now: float) -> EmailMessage:
    """The e-mail of a job: plain text, to one person. Nothing in it can become a header. Raises SendFault."""
    to = _ADDRESS.fullmatch(job.payload["to"])
    if not to:
        raise SendFault("the caller's e-mail address is not one; correct it where it is kept")
    message = EmailMessage()
    message.set_content(job.payload["words"])
    message["From"] = mail.sender
    senders = message["From"].addresses
    if not senders or not senders[0].domain:
        raise SendFault("mail: has a from: that is not an address; write from: hello@example.com")
    message["To"] = Address(username=to[1], domain=to[2])
    message["Subject"] = _CONTROLS.sub(" ", job.payload.get("subject") or "").strip()
    message["Date"] = formatdate(now)
    # The same at every attempt, so that one that comes twice is seen to be one.
    digest = hashlib.sha256(job.key.encode()).hexdigest()[:32]
    message["Message-ID"] = f"<{digest}@{senders[0].domain}>"
    if re.fullmatch(r"[A-Za-z-]{2,20}", job.payload.get("language") or ""):
        message["Content-Language"] = job.payload["language"]
    return message


@contextmanager
def _connected(mail: Mail, password: str | None) -> Iterator[smtplib.SMTP]:
    """The mail server, ready to take a message. Raises SendFault: nothing was sent yet."""
    if mail.user and not password:
        raise SendFault("mail: has a user: but SMTP_PASSWORD is not set; add it to the environment")
    secure = ssl.create_default_context()
    with ExitStack() as opened:
        try:
            if mail.port == SMTP_TLS:
                server: smtplib.SMTP = smtplib.SMTP_SSL(mail.host, mail.port, timeout=SMTP_SECONDS, context=secure)
            else:
                server = smtplib.SMTP(mail.host, mail.port, timeout=SMTP_SECONDS)
            opened.callback(_part_from, server)
            if mail.port == SUBMISSION:
                server.starttls(context=secure)
            if mail.user and password:
                server.login(mail.user, password)
        except smtplib.SMTPAuthenticationError as error:
            raise SendFault(
                f"the mail server refused the user: of mail: or SMTP_PASSWORD{_code(error)}; check both"
            ) from None
        except (smtplib.SMTPException, OSError) as error:
            raise SendFault(f"the mail server cannot be used{_code(error)}; check host: and port: of mail:") from None
        yield server


def _part_from(server: smtplib.SMTP) -> None:
    with suppress(smtplib.SMTPException, OSError):
        server.quit()
    server.close()


def _code(error: Exception) -> str:
    code = getattr(error, "smtp_code", None)
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        code = next((answer[0] for answer in error.recipients.values()), None)
    return f" ({code})" if code else ""
