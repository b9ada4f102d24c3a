"""Whether a webhook is Twilio's: X-Twilio-Signature, by Twilio's own helper, for any of the tokens in use."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from twilio.request_validator import RequestValidator
from twilio.request_validator import compare as validator_compare


class Signatures:
    """Several tokens are accepted while one is being rotated."""

    def __init__(self, tokens: Sequence[str]) -> None:
        self._validators = [RequestValidator(token) for token in tokens]

    def valid(self, url: str, form: Any, body: bytes, signature: str) -> bool:
        """`url` exactly as Twilio called it; `form` the posted fields (a MultiDict), empty for a JSON body."""
        if not signature:
            return False
        return any(self._matches(validator, url, form, body, signature) for validator in self._validators)

    @staticmethod
    def _matches(validator: RequestValidator, url: str, form: Any, body: bytes, signature: str) -> bool:
        try:
            if "bodySHA256=" in url:
                return bool(validator.validate(url, body.decode("utf-8"), signature))
            # As it stands first; the helper's `validate` also tries the URL with and without its port, at twice the time.
            if validator_compare(validator.compute_signature(url, form), signature):
                return True
            return bool(validator.validate(url, form, signature))
        except (TypeError, ValueError, UnicodeError, AttributeError):
            # The helper raises on bodies it does not expect; whoever sent one is not Twilio.
            return False
