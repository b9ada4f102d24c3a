"""What can go wrong outside a call.

    IvrError
    ├── UsageError       an operator's mistake: one line that says what to do
    ├── ProblemsFound    a designer's mistakes, all of them, each with its place
    ├── StoreGone        the database cannot be reached or is locked: the caller hears an apology and gets a person
    ├── LookupFault      (lookups) a source or an action did not answer as declared
    ├── RenderFault      (telephony) a response that Twilio would not take
    ├── RestFault        (telephony) Twilio did not do what it was asked, or nobody knows whether it did
    ├── SendFault        (outgoing) a message was not sent
    ├── MayHaveGone      (outgoing) nobody knows whether a message went
    └── TwimlError       (simulate) TwiML that cannot be played

What goes wrong during a call is an event, never an exception that reaches the caller.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ivr.problems import Problem


class IvrError(Exception):
    """Root of all errors this package raises on purpose."""


class UsageError(IvrError):
    """An operator can mend this; the message is one line and says how."""


class ProblemsFound(IvrError):
    """The project's files hold errors. `problems` has every one of them."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__(f"{len(problems)} problem(s) found")
        self.problems = problems


class StoreGone(IvrError):
    """The database did not answer in time."""
