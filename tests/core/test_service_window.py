"""The hours of service: days, nights, time zones, and the days on which clocks are changed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from custom_labels.core.service_window import parse_service_window

OFFICE = "mon-fri 08:00-18:00 Europe/Berlin"


@pytest.mark.parametrize(
    ("text", "moment", "is_open"),
    [
        # 20 November 2026 is a Friday; Berlin is an hour ahead of UTC in winter, two in summer.
        (OFFICE, "2026-11-20T06:59:59", False),
        (OFFICE, "2026-11-20T07:00", True),
        (OFFICE, "2026-11-20T16:59:59", True),
        (OFFICE, "2026-11-20T17:00", False),
        (OFFICE, "2026-11-21T12:00", False),
        (OFFICE, "2026-07-17T06:00", True),
        (OFFICE, "2026-07-17T16:00", False),
        ("08:00-18:00", "2026-11-22T17:59", True),
        ("sat-mon 00:00-24:00", "2026-11-23T23:59:59", True),
        ("sat-mon 00:00-24:00", "2026-11-24T00:00", False),
        ("mon,wed 8:00-9:00", "2026-11-25T08:30", True),
        ("MON,WED 08:00-09:00", "2026-11-24T08:30", False),
        ("fri 22:00-06:00", "2026-11-20T22:00", True),
        ("fri 22:00-06:00", "2026-11-21T05:59", True),
        ("fri 22:00-06:00", "2026-11-20T05:59", False),
        ("fri 22:00-06:00", "2026-11-21T06:00", False),
        (f"sat 10:00-12:00; {OFFICE}", "2026-11-21T09:30", True),
        (f"sat 10:00-12:00; {OFFICE}", "2026-11-21T11:00", False),
        ("mon-fri 09:00-17:00 America/New_York", "2026-11-20T21:59", True),
        ("fri 22:00-24:00 Asia/Kolkata", "2026-11-20T17:00", True),
    ],
)
def test_a_window_is_open_when(text: str, moment: str, is_open: bool) -> None:
    assert parse_service_window(text).is_open(datetime.fromisoformat(moment).replace(tzinfo=UTC)) is is_open


@pytest.mark.parametrize(
    ("text", "day", "hours"),
    [
        ("sun 08:00-18:00 Europe/Berlin", "2026-03-29", 10),
        ("sat 22:00-06:00 Europe/Berlin", "2026-03-28", 7),
        ("sat 22:00-06:00 Europe/Berlin", "2026-10-24", 9),
        ("sun 01:00-02:30 Europe/Berlin", "2026-10-25", 1.5),
        ("sun 02:30-04:00 Europe/Berlin", "2026-10-25", 2.5),
        ("sun 01:00-02:30 Europe/Berlin", "2026-03-29", 1.5),
        ("sun 00:00-24:00 Europe/Berlin", "2026-10-25", 25),
        ("sun 00:00-24:00 Europe/Berlin", "2026-03-29", 23),
    ],
    ids=[
        "day of a change",
        "short night",
        "long night",
        "ends in the repeated hour",
        "begins in the repeated hour",
        "ends in the skipped hour",
        "long day",
        "short day",
    ],
)
def test_a_window_opens_once_where_clocks_are_changed(text: str, day: str, hours: float) -> None:
    window = parse_service_window(text)
    begin = datetime.fromisoformat(day).replace(tzinfo=UTC) - timedelta(hours=6)
    states = [window.is_open(begin + timedelta(minutes=minute)) for minute in range(45 * 60)]

    assert states[states.index(True) :].index(False) / 60 == hours
    assert sum(states) / 60 == hours


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("", "expected days and hours such as"),
        ("always", "'always' is no window"),
        ("mon-fri", "'mon-fri' is no window"),
        ("mon-foo 08:00-18:00", "'mon-foo' in"),
        ("mon-tue-wed 08:00-18:00", "'mon-tue-wed' in"),
        ("mon,, 08:00-18:00", "is no day of the week"),
        ("08:00-25:00", "'25:00' in '08:00-25:00' is no time of day"),
        ("08:61-09:00", "'08:61' in"),
        ("08:00-08:00", "a whole day is 00:00-24:00"),
        ("24:00-06:00", "ends where it begins"),
        ("08:00-18:00 Europe/Bonn", "'Europe/Bonn' is no time zone"),
        ("08:00-18:00 ../etc/passwd", "is no time zone"),
        ("08:00-18:00 Europe", "'Europe' is no time zone"),
        ("08:00-12:00 UTC; 13:00-18:00 Europe/Berlin", "Europe/Berlin and UTC are two time zones"),
    ],
)
def test_what_cannot_be_read_is_named_with_what_is_allowed(text: str, wrong: str) -> None:
    with pytest.raises(ValueError, match="expected days and hours such as 'mon-fri 08:00-18:00 Europe/Berlin'") as told:
        parse_service_window(text)

    assert wrong in str(told.value)
