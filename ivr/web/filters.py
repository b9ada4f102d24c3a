"""How times and numbers are written on pages: in the line's zone, relative within a day, the exact time on hover."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from flask import current_app
from markupsafe import Markup

from ivr import phone
from ivr.clock import iso
from ivr.errors import IvrError

DAY = 86400.0


def masked(number: str | None) -> str:
    """A phone number as it may be shown."""
    return phone.masked(number or "")


def ago(moment: float | None, line: str | None = None) -> Markup | str:
    """`4 min ago`, `in 2 h`, `3 Mar`; the exact time on hover."""
    if moment is None:
        return ""
    now = current_app.extensions["ivr"].clock()
    return _time(moment, relative(moment, now, zone(line)), zone(line))


def clock_time(moment: float | None, line: str | None = None) -> Markup | str:
    """`09:15:02`; date and zone on hover."""
    return "" if moment is None else _time(moment, f"{datetime.fromtimestamp(moment, zone(line)):%H:%M:%S}", zone(line))


def lasting(seconds: float | None) -> str:
    """`0:42`, `12:05`, `1:02:05`."""
    whole = max(int(seconds or 0), 0)
    hours, minutes, rest = whole // 3600, whole // 60 % 60, whole % 60
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def relative(moment: float, now: float, zone: ZoneInfo) -> str:
    """A moment in words, as seen at `now`; further than a day away, its date."""
    away = abs(now - moment)
    if away >= DAY:
        day, today = datetime.fromtimestamp(moment, zone), datetime.fromtimestamp(now, zone)
        return f"{day.day} {day:%b}" + ("" if day.year == today.year else f" {day.year}")
    if away < 45:
        return "just now" if moment <= now else "in a moment"
    words = f"{max(round(away / 60), 1)} min" if away < 3570 else f"{round(away / 3600)} h"
    return f"{words} ago" if moment < now else f"in {words}"


def zone(line: str | None = None) -> ZoneInfo:
    """A line's zone; without a line, that of the first line published; UTC where nothing is."""
    try:
        lines = current_app.extensions["ivr"].parts.store.published().lines
    except IvrError:
        return ZoneInfo("UTC")
    found = lines.get(line) or next(iter(lines.values()), None)
    return ZoneInfo(found.hours.timezone if found and found.hours else "UTC")


def _time(moment: float, words: str, zone: ZoneInfo) -> Markup:
    here = datetime.fromtimestamp(moment, UTC).astimezone(zone)
    exact = f"{here:%a} {here.day} {here:%b} {here.year}, {here:%H:%M:%S %Z}"
    return Markup('<time datetime="{}" title="{}">{}</time>').format(iso(moment), exact, words)
