"""The one way in which a lookup or an action goes wrong."""

from __future__ import annotations

from ivr.errors import IvrError

_ABOUT_THE_QUESTION = (400, 404, 409, 410, 422)


class LookupFault(IvrError):
    """A source did not give what was asked.

    The message goes into traces and logs, so it never holds a value that was sent or answered.
    `status`: the HTTP status, where there was one. `unwell`: it says something about the source as such, so that the
    circuit breaker counts it; an answer such as *not found* is about this one question.
    """

    def __init__(self, message: str, *, status: int | None = None, unwell: bool = False) -> None:
        super().__init__(message)
        self.status = status
        self.unwell = unwell

    @property
    def not_found(self) -> bool:
        """The source answered that there is no such thing: a value kept from earlier is wrong now."""
        return self.status in (404, 410)


def for_status(status: int) -> LookupFault:
    """The fault that an HTTP status other than 2xx is."""
    if status in (404, 410):
        return LookupFault("not found", status=status)
    if 300 <= status < 400:
        return LookupFault(f"it answered {status}, and redirects are not followed", status=status, unwell=True)
    return LookupFault(f"it answered {status}", status=status, unwell=status not in _ABOUT_THE_QUESTION)
