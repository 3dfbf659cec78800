"""What runs, what that costs a day, and since when nobody asked it anything: what the cost guard always says."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

HOURS_A_DAY = 24


@dataclass(frozen=True)
class RunningVersion:
    """A version that is billed by the minute.

    :param role: what it runs for, in words.
    :param units: inference units that it was started with, each of which is billed.
    :param scales: whether AWS may let it run on more.
    :param quiet_since: of the live version, its last detection, or its start where that came later.
    """

    name: str
    role: str
    units: int
    scales: bool = False
    quiet_since: datetime | None = None

    def daily_usd(self, unit_hour_usd: float) -> float:
        """Give what a day of it costs; more where it scales."""
        return self.units * HOURS_A_DAY * unit_hour_usd

    def words(self, unit_hour_usd: float, now: datetime) -> str:
        """Give it in words, with its cost."""
        least = "at least " if self.scales else ""
        asked = ""
        if self.quiet_since is not None:
            asked = f", not asked since {self.quiet_since:%Y-%m-%d %H:%M} UTC ({_span(now - self.quiet_since)})"
        return f"{self.name} {self.role}{asked}: {least}${self.daily_usd(unit_hour_usd):.2f} a day"


def what_runs(running: Sequence[RunningVersion], unit_hour_usd: float, now: datetime) -> str:
    """Say all that runs and what it costs a day together, as part of a sentence."""
    if not running:
        return "no version runs"
    every = "; ".join(version.words(unit_hour_usd, now) for version in running)
    if len(running) == 1:
        return f"version {every}"
    total = sum(version.daily_usd(unit_hour_usd) for version in running)
    return f"{len(running)} versions run for ${total:.2f} a day: {every}"


def idle_level(quiet: timedelta, alert_hours: float) -> int:
    """Say how long nobody asked the live version: 0 is not for long, 1 is for ``alert_hours``, and one more each time
    that it is twice as long, so that alerts grow rarer.

    :param alert_hours: 0 for no alert.
    """
    if alert_hours == 0 or quiet < timedelta(hours=alert_hours):
        return 0
    return 1 + math.floor(math.log2(quiet / timedelta(hours=alert_hours)) + 1e-9)


def _span(time: timedelta) -> str:
    hours = time.total_seconds() / 3600
    if hours < 1:
        return f"{time.total_seconds() / 60:.0f} min"
    return f"{hours:.0f} h" if hours < 2 * HOURS_A_DAY else f"{hours / HOURS_A_DAY:.0f} days"
