"""Opening hours: open or not, and when next, by the clock of the line's own zone. DST, holidays and exceptions included."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from ivr.config import Hours

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_SPAN = re.compile(r"(\d\d?):(\d\d)-(\d\d?):(\d\d)$")
_LOOK_AHEAD_DAYS = 21


class HoursError(ValueError):
    """Hours that cannot be read; the message is for the designer."""


def spans(text: str) -> list[tuple[time, time]]:
    """`08:00-12:00, 13:00-20:00` as pairs; `closed` is none; an end before its start is on the next day."""
    if text.strip().lower() in ("closed", "no"):
        return []
    found = []
    for part in text.split(","):
        match = _SPAN.match(part.strip())
        if not match:
            raise HoursError(f"'{part.strip()}' is not a span of time; write 08:00-20:00 or closed")
        start_hour, start_minute, end_hour, end_minute = (int(number) for number in match.groups())
        if end_hour == 24 and end_minute == 0:
            end_hour = 0
        try:
            found.append((time(start_hour, start_minute), time(end_hour, end_minute)))
        except ValueError:
            raise HoursError(f"'{part.strip()}' is not a time of day") from None
    return found


def week(hours: Hours) -> dict[int, list[tuple[time, time]]]:
    """Weekday (0 is Monday) → spans; raises HoursError."""
    plan: dict[int, list[tuple[time, time]]] = {}
    for days, text in hours.open.items():
        for part in days.split(","):
            first, _, last = part.strip().lower().partition("-")
            if first not in DAYS or (last and last not in DAYS):
                raise HoursError(f"'{part.strip()}' is not a day or a span of days; write mon-fri or sat")
            start, end = DAYS.index(first), DAYS.index(last or first)
            for day in range(start, end + 1 if end >= start else end + 8):
                plan[day % 7] = spans(text)
    return plan


def check(hours: Hours) -> None:
    """Raises HoursError where these hours cannot be used."""
    week(hours)
    for day, text in hours.exceptions.items():
        try:
            date.fromisoformat(day)
        except ValueError:
            raise HoursError(f"'{day}' is not a date; write 2026-12-24") from None
        spans(text)
    try:
        ZoneInfo(hours.timezone)
    except Exception:
        raise HoursError(f"'{hours.timezone}' is not a time zone; write one such as America/Detroit") from None
    if hours.holidays:
        _holidays(hours.holidays, 2026)


@lru_cache(maxsize=64)
def _holidays(code: str, year: int) -> frozenset[date]:
    """The public holidays of a country (`US`) or one of its parts (`US-MI`)."""
    try:
        import holidays
    except ImportError:
        raise HoursError("public holidays need the extra 'holidays': pip install 'ivr[holidays]'") from None
    country, _, part = code.partition("-")
    try:
        return frozenset(holidays.country_holidays(country, subdiv=part or None, years=year))
    except (NotImplementedError, KeyError, AttributeError):
        raise HoursError(f"'{code}' is not a country or part of one; write US or US-MI") from None


def spans_on(hours: Hours, day: date) -> list[tuple[datetime, datetime]]:
    """When it is open on `day`, in its own zone. An exception beats a holiday, a holiday beats the weekday."""
    zone = ZoneInfo(hours.timezone)
    if day.isoformat() in hours.exceptions:
        found = spans(hours.exceptions[day.isoformat()])
    elif hours.holidays and day in _holidays(hours.holidays, day.year):
        found = []
    else:
        found = week(hours).get(day.weekday(), [])
    return [
        (datetime.combine(day, start, zone), datetime.combine(day + timedelta(days=end <= start), end, zone))
        for start, end in found
    ]


def _around(hours: Hours, moment: datetime, days: int) -> Iterator[tuple[datetime, datetime]]:
    for offset in range(-1, days):
        yield from sorted(spans_on(hours, moment.date() + timedelta(days=offset)))


def closes_at(hours: Hours | None, moment: datetime) -> datetime | None:
    """When the span that `moment` is in ends; None while closed. `moment` is aware, in any zone."""
    if hours is None:
        return None
    here = moment.astimezone(ZoneInfo(hours.timezone))
    # Aware datetimes of one zone compare by their wall clock; on the day clocks change that is an hour wrong. Epochs are not.
    now = here.timestamp()
    return next((end for start, end in _around(hours, here, 1) if start.timestamp() <= now < end.timestamp()), None)


def is_open(hours: Hours | None, moment: datetime) -> bool:
    """Whether it is open at `moment`; a line without hours always is."""
    return hours is None or closes_at(hours, moment) is not None


def opens_at(hours: Hours | None, moment: datetime) -> datetime | None:
    """When it opens next after `moment`; None if not within three weeks."""
    if hours is None:
        return None
    here = moment.astimezone(ZoneInfo(hours.timezone))
    now = here.timestamp()
    return next((start for start, _ in _around(hours, here, _LOOK_AHEAD_DAYS) if start.timestamp() > now), None)
