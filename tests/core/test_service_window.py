"""The hours of service: days, nights, time zones, and the days on which clocks are changed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from custom_labels.core.codec import from_json, to_json
from custom_labels.core.service_window import ServiceWindow


def window(opens: str | list[str], closes: str | list[str], time_zone: str = "UTC") -> ServiceWindow:
    return from_json(ServiceWindow, {"opens": opens, "closes": closes, "time_zone": time_zone})


OFFICE = window("0 8 * * mon-fri", "0 18 * * mon-fri", "Europe/Berlin")
DAILY = window("0 8 * * *", "0 18 * * *")
NIGHT = window("0 22 * * fri", "0 6 * * sat")
SPLIT = window(["0 8,13 * * mon-fri", "0 10 * * sat"], ["0 12 * * mon-sat", "0 18 * * mon-fri"])
ALWAYS = window("0 0 * * *", "0 0 * * *")


@pytest.mark.parametrize(
    ("hours", "moment", "is_open"),
    [
        # 20 November 2026 is a Friday; Berlin is an hour ahead of UTC in winter, two in summer.
        (OFFICE, "2026-11-20T06:59:59", False),
        (OFFICE, "2026-11-20T07:00", True),
        (OFFICE, "2026-11-20T16:59:59", True),
        (OFFICE, "2026-11-20T17:00", False),
        (OFFICE, "2026-11-21T12:00", False),
        (OFFICE, "2026-07-17T06:00", True),
        (OFFICE, "2026-07-17T16:00", False),
        (DAILY, "2026-11-22T17:59", True),
        (NIGHT, "2026-11-20T22:00", True),
        (NIGHT, "2026-11-21T05:59:59.999999", True),
        (NIGHT, "2026-11-20T05:59", False),
        (NIGHT, "2026-11-21T06:00", False),
        (SPLIT, "2026-11-20T11:59", True),
        (SPLIT, "2026-11-20T12:00", False),
        (SPLIT, "2026-11-20T13:00", True),
        (SPLIT, "2026-11-21T09:59", False),
        (SPLIT, "2026-11-21T10:00", True),
        (SPLIT, "2026-11-21T13:00", False),
        (ALWAYS, "2026-11-21T00:00", True),
        (window("0 9 * * MON-FRI", "0 17 * * MON-FRI", "America/New_York"), "2026-11-20T21:59", True),
        (window("0 22 * * 5", "0 0 * * 6", "Asia/Kolkata"), "2026-11-20T17:00", True),
    ],
)
def test_a_window_is_open_when(hours: ServiceWindow, moment: str, is_open: bool) -> None:
    assert hours.is_open(datetime.fromisoformat(moment).replace(tzinfo=UTC)) is is_open


@pytest.mark.parametrize(
    ("opens", "closes", "day", "hours"),
    [
        ("0 8 * * sun", "0 18 * * sun", "2026-03-29", 10),
        ("0 22 * * sat", "0 6 * * sun", "2026-03-28", 7),
        ("0 22 * * sat", "0 6 * * sun", "2026-10-24", 9),
        ("0 1 * * sun", "30 2 * * sun", "2026-10-25", 1.5),
        ("30 2 * * sun", "0 4 * * sun", "2026-10-25", 2.5),
        ("0 1 * * sun", "30 2 * * sun", "2026-03-29", 1.5),
        ("0 0 * * sun", "0 0 * * mon", "2026-10-25", 25),
        ("0 0 * * sun", "0 0 * * mon", "2026-03-29", 23),
    ],
    ids=[
        "day of a change",
        "short night",
        "long night",
        "closes in the repeated hour",
        "opens in the repeated hour",
        "closes in the skipped hour",
        "long day",
        "short day",
    ],
)
def test_a_window_opens_once_where_clocks_are_changed(opens: str, closes: str, day: str, hours: float) -> None:
    berlin = window(opens, closes, "Europe/Berlin")
    begin = datetime.fromisoformat(day).replace(tzinfo=UTC) - timedelta(hours=6)
    states = [berlin.is_open(begin + timedelta(minutes=minute)) for minute in range(0, 45 * 60, 5)]

    assert states[states.index(True) :].index(False) / 12 == hours
    assert sum(states) / 12 == hours


@pytest.mark.parametrize(
    ("changed", "wrong"),
    [
        ({"opens": "always"}, "'always' is no cron expression (Exactly 5, 6 or 7 columns has"),
        ({"closes": "0 25 * * *"}, "'0 25 * * *' is no cron expression"),
        ({"closes": ["0 18 * * *", "0 8 * * mon-foo"]}, "closes.1\n  Value error, '0 8 * * mon-foo' is no cron"),
        ({"closes": "0 8 30 2 *"}, "'0 8 30 2 *' is no cron expression"),
        ({"closes": []}, "closes\n  Tuple should have at least 1 item"),
        ({"time_zone": "Europe/Bonn"}, "'Europe/Bonn' is no time zone that this machine knows"),
        ({"time_zone": "../etc/passwd"}, "is no time zone"),
        ({"time_zone": "Europe"}, "'Europe' is no time zone"),
        ({"zone": "Europe/Berlin"}, "zone\n  Unexpected keyword argument"),
    ],
)
def test_what_cannot_be_read_is_named_with_what_is_allowed(changed: dict[str, Any], wrong: str) -> None:
    with pytest.raises(ValidationError) as raised:
        from_json(ServiceWindow, {**to_json(DAILY), **changed})

    assert wrong in str(raised.value)
