"""How Twilio's REST API goes wrong, in one line that says what to do, and whether what was asked may have happened."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ivr.errors import IvrError
from ivr.phone import mask_within

LONGEST = 200
"""Characters that are kept of what Twilio says."""


class RestFault(IvrError):
    """Twilio did not do what it was asked. The message holds no whole number and no secret.

    `sure`: it did not happen, because Twilio refused or was never reached; otherwise the answer was lost and nobody knows.
    `status` and `code`: HTTP's and Twilio's own, where it answered.
    """

    def __init__(self, message: str, *, sure: bool, status: int | None = None, code: int | None = None) -> None:
        super().__init__(message)
        self.sure, self.status, self.code = sure, status, code


@contextmanager
def asked_to(what: str) -> Iterator[None]:
    """Around one request: whatever the library raises becomes a RestFault. `what` completes "Twilio refused to …"."""
    # Imported here, as everything that only the REST side needs: webhooks are answered without it.
    from requests.exceptions import RequestException
    from twilio.base.exceptions import TwilioException, TwilioRestException, TwilioServiceException

    try:
        yield
    except TwilioRestException as error:
        raise refused(what, error.status, error.code, error.msg) from None
    except TwilioServiceException as error:
        raise refused(what, error.status, error.code, f"{error.title} {error.detail or ''}") from None
    except TwilioException as error:
        # A list's: "Unable to fetch page" and the answer.
        status = getattr(error.args[-1] if error.args else None, "status_code", 500)
        raise refused(what, status, None, "the list cannot be had") from None
    except RequestException as error:
        raise _lost(what, error) from None
    except (ValueError, TypeError, AttributeError, KeyError):
        message = f"what answered when asked to {what} is not Twilio; is there a proxy in between?"
        raise RestFault(message, sure=False) from None


def refused(what: str, status: int, code: int | None, said: str) -> RestFault:
    """The fault that an HTTP status other than success is."""
    if status < 400 or status >= 500:
        message = f"Twilio failed to {what} (status {status}); nobody knows whether it happened"
        return RestFault(message, sure=False, status=status, code=code)
    if status == 401:
        message = f"Twilio refused to {what}: check TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN"
    elif status == 429:
        message = f"Twilio was asked too often to {what}; wait a little and try again"
    else:
        # "Unable to create record: …" is the library's own opening.
        words = " ".join(said.rsplit(" record: ", 1)[-1].split())
        more = f"; see https://www.twilio.com/docs/api/errors/{code}" if code and code != status else ""
        message = f"Twilio refused to {what} ({status}): {mask_within(words)[:LONGEST]}{more}"
    return RestFault(message, sure=True, status=status, code=code)


def _lost(what: str, error: Any) -> RestFault:
    from requests import exceptions as http

    if isinstance(error, (http.InvalidURL, http.MissingSchema, http.InvalidSchema)):
        return RestFault(f"Twilio was not asked to {what}: TWILIO_API_URL is not a URL", sure=True)
    if isinstance(error, http.ConnectTimeout) or _never_connected(error):
        return RestFault(f"Twilio cannot be reached to {what}; check the network and try again", sure=True)
    return RestFault(f"Twilio was asked to {what} and did not answer; nobody knows whether it happened", sure=False)


def _never_connected(error: Any) -> bool:
    """Whether no connection came about: then nothing was sent."""
    from urllib3.exceptions import NewConnectionError

    return any(isinstance(getattr(cause, "reason", None), NewConnectionError) for cause in error.args)
