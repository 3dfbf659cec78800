"""When the live version is meant to run: days and hours in one time zone, ``mon-fri 08:00-18:00 Europe/Berlin``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
ALLOWED = (
    "expected days and hours such as 'mon-fri 08:00-18:00 Europe/Berlin', or several with ';' between them: days are "
    f"{', '.join(DAYS)}, as a range or a list with commas; hours are from 00:00 to 24:00, past midnight too, such as "
    "22:00-06:00; the time zone is the same for all, and UTC if there is none"
)

_WINDOW = re.compile(
    r"(?:(?P<days>[a-z,-]+)\s+)?(?P<begin>\d\d?:\d\d)\s*-\s*(?P<end>\d\d?:\d\d)(?:\s+(?P<zone>\S+))?", re.IGNORECASE
)
_MIDNIGHT = 24 * 60


@dataclass(frozen=True)
class Hours:
    """The same hours on some days of the week.

    :param days: days on which they begin, 0 for Monday.
    :param begin: in minutes after midnight; likewise ``end``, above 1440 where it lies on the next day.
    """

    days: frozenset[int]
    begin: int
    end: int


@dataclass(frozen=True)
class ServiceWindow:
    """All hours of service.

    :param hours: each of them; they may overlap.
    :param zone: the time zone in which they are meant.
    :param text: as it was written, for messages.
    """

    hours: tuple[Hours, ...]
    zone: tzinfo
    text: str

    def is_open(self, moment: datetime) -> bool:
        """Say whether a moment, with a time zone, is within the hours; the end is not.

        A window is the time between two moments, so that an hour that the clock repeats opens it once only, and one
        that the clock skips moves its begin or end behind the gap.
        """
        today = moment.astimezone(self.zone).date()
        # Hours that began yesterday may last until this morning.
        return any(
            self._at(day, hours.begin) <= moment < self._at(day, hours.end)
            for day in (today, today - timedelta(days=1))
            for hours in self.hours
            if day.weekday() in hours.days
        )

    def _at(self, day: date, minutes: int) -> datetime:
        later, minute = divmod(minutes, _MIDNIGHT)
        wall = datetime.combine(day + timedelta(days=later), time(minute // 60, minute % 60), self.zone)
        return wall.astimezone(UTC)


def parse_service_window(text: str) -> ServiceWindow:
    """Read a service window.

    :raises ValueError: it cannot be read; the message says what is wrong with which part, and what is allowed.
    """
    parts = [part.strip() for part in text.split(";") if part.strip()]
    matches = [(_WINDOW.fullmatch(part), part) for part in parts]
    if not matches:
        raise ValueError(ALLOWED)
    hours = tuple(_hours(match, part) for match, part in matches)
    zones = {match["zone"] for match, _ in matches if match and match["zone"]}
    if len(zones) > 1:
        raise ValueError(f"{' and '.join(sorted(zones))} are two time zones; {ALLOWED}")
    return ServiceWindow(hours, _zone(zones.pop()) if zones else UTC, text)


def _hours(match: re.Match[str] | None, part: str) -> Hours:
    if match is None:
        raise ValueError(f"'{part}' is no window; {ALLOWED}")
    begin, end = (_minutes(match[name], part) for name in ("begin", "end"))
    if begin in {end, _MIDNIGHT}:
        raise ValueError(f"'{part}' ends where it begins; a whole day is 00:00-24:00; {ALLOWED}")
    days = _days(match["days"].lower(), part) if match["days"] else frozenset(range(7))
    return Hours(days, begin, end if end > begin else end + _MIDNIGHT)


def _minutes(text: str, part: str) -> int:
    hour, minute = map(int, text.split(":"))
    if minute > 59 or hour * 60 + minute > _MIDNIGHT:
        raise ValueError(f"'{text}' in '{part}' is no time of day; {ALLOWED}")
    return hour * 60 + minute


def _days(text: str, part: str) -> frozenset[int]:
    found: set[int] = set()
    for piece in text.split(","):
        ends = piece.split("-")
        if len(ends) > 2 or not set(ends) <= set(DAYS):
            raise ValueError(f"'{piece}' in '{part}' is no day of the week; {ALLOWED}")
        first, last = DAYS.index(ends[0]), DAYS.index(ends[-1])
        # 'sat-mon' goes over the end of the week.
        found.update(day % 7 for day in range(first, last + 1 if last >= first else last + 8))
    return frozenset(found)


def _zone(name: str) -> tzinfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError(f"'{name}' is no time zone that this machine knows; {ALLOWED}") from error


def window_of(settings: Mapping[str, Any]) -> ServiceWindow | None:
    """Take the service window out of the settings; ``None`` where the live version is always to run."""
    return parse_service_window(settings["service_window"]) if settings["service_window"] else None
