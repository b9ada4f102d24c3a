"""What happened, in the past tense: the one truth about a call.

TwiML is a fold over events, so are the trace, the transcript and every report. `data` holds what may always be kept;
`private` what is about a person, which can be erased without breaking the event.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

SCHEMA = 1


class Event(NamedTuple):
    """`type` is one of TYPES; `step` is `flow.step` or empty; `at` is UTC seconds. Order within a call is their order."""

    type: str
    at: float
    step: str = ""
    data: Mapping[str, Any] = MappingProxyType({})
    private: Mapping[str, Any] = MappingProxyType({})

    def as_data(self) -> dict[str, Any]:
        """JSON-native."""
        return {
            "type": self.type,
            "at": self.at,
            "step": self.step,
            "data": dict(self.data),
            "private": dict(self.private),
        }


TYPES: Mapping[str, str] = {
    "started": "a call began; private: who calls and the snapshot of what is known",
    "decided": "a flow was chosen: because, facts used, rules passed over; private: the facts' values",
    "entered": "a flow was entered: how (choice, next, enter, option, command, subject, otherwise, last call, too_deep)",
    "spoke": "a prompt was spoken: its wording, language and estimated seconds; private: the words",
    "silent": "a prompt could not be spoken: something in it is not known and it has no `without:`",
    "asked": "the call waits: for keys and words, a secret, a lookup, a recording, a person, or a moment",
    "heard": "an input arrived: its kind; private: the input itself (never the answer to a secret question)",
    "unexpected": "an input arrived that the present wait does not accept; the question was asked again",
    "no_input": "nothing was pressed or said, for the n-th time at this question",
    "no_match": "what was pressed or said fits nothing here, for the n-th time at this question",
    "not_available": "a hidden option's key was pressed",
    "chose": "an option was chosen: its name, reason, and how (key, words, guess)",
    "collected": "an answer was taken; private: its value",
    "refused": "an answer was understood and refused: by which rule",
    "confirmed": "the caller confirmed (or not) what was read back",
    "commanded": "a command was used: repeat, back, a language, or one that goes somewhere",
    "subject_changed": "the caller named a reason of another menu",
    "routed": "a route decided: which rule, and what was not known",
    "looked_up": "a source answered: its age (the values are in what was heard)",
    "lookup_failed": "a source did not answer: failed or late, and why",
    "requested": "something that changes the world was asked for: the action; private: what it was given",
    "remembered": "facts about the caller were kept: their names; private: the values",
    "checked": "an answer to verify was compared: matched or not",
    "verified": "the caller is who they say",
    "not_verified": "the caller could not be verified: why",
    "returned": "a flow returned a name to where it was entered",
    "answered": "the caller has their answer: to what",
    "handed_off": "the call was sent to people: the target; private: about",
    "dialled": "how that went: status, bridged, seconds, and who was rung, for which task and why; private: about",
    "queued": "the call joined a queue: the target, its task, how far ahead and why; private: about",
    "waited": "how the wait in a queue ended: result, seconds, the estimate given, whether the packet was opened",
    "callback_booked": "people will call back: the target; private: the number, about",
    "case_changed": "a case was opened, joined, updated or closed: about what; private: its summary",
    "notified": "the caller was written to: which prompt, by sms or email; private: the words, and where they go",
    "surveyed": "the survey after a talk with people: its answers that are figures",
    "recorded": "a message was kept: seconds, for which target; private: where it lies",
    "failed": "an outcome nobody named went to `otherwise`: which outcome, whose otherwise",
    "bound": "a bound was reached: which",
    "fault": "something that should not happen did: code and what was done about it",
    "ended": "the call ended: its outcome, by whom, and whether it is unfinished",
}
