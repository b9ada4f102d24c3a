"""When people may be called back: while the target is open, and at a decent time where the called person is.

Moments are UTC seconds; hours and spans are read by each place's own clock, so days on which clocks change come out right.
"""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from ivr.config import CallbackOffer, Hours
from ivr.flow.hours import is_open, opens_at

LOOK_AHEAD = 21 * 86400.0
"""Seconds. Who cannot be called within them is looked at again at their end."""


def due(now: float, hours: Hours | None, between: str, zone: str | None) -> float:
    """The earliest moment from `now` on at which the target is open (`hours`; None: always) and the called person's clock is
    within `between` (`08:00-21:00`).

    `zone` is the called person's IANA zone; None, or one that does not exist: the target's. Where the two never meet within
    three weeks, the end of these. Raises HoursError for a `between` that is no span of time.
    """
    own = hours.timezone if hours else "UTC"
    decent = Hours(timezone=zone if zone is not None and _exists(zone) else own, open={"mon-sun": between})
    moment = now
    while moment < now + LOOK_AHEAD:
        at = datetime.fromtimestamp(moment, UTC)
        shut = next((each for each in (hours, decent) if not is_open(each, at)), None)
        if shut is None:
            return moment
        opens = opens_at(shut, at)
        if opens is None:
            break
        moment = opens.timestamp()
    return now + LOOK_AHEAD


def again(now: float, attempts: int, offer: CallbackOffer, hours: Hours | None, zone: str | None) -> float | None:
    """When to try next after `attempts` tries that reached nobody; None when the tries are used up."""
    if attempts >= offer.tries:
        return None
    return due(now + offer.again_after, hours, offer.between, zone)


def _exists(zone: str) -> bool:
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True
