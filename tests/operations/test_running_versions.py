"""What the cost guard always says: what runs, what it costs a day, since when nobody asked it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from custom_labels.core.codec import from_json, to_json
from custom_labels.deployment.deployment import Units
from custom_labels.operations.guard_report import idle_level, what_runs
from custom_labels.operations.versions import RunningVersion

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
LIVE = RunningVersion("v1", "serves", Units(1), quiet_since=NOON - timedelta(days=3))
SCALING = RunningVersion("v2", "serves", Units(2, 4), quiet_since=NOON - timedelta(hours=5))
LIVE_WORDS = "v1 serves, not asked since 2026-11-17 12:00 UTC (3 days): $96.00 a day"
UNKNOWN = RunningVersion("v3", "runs, unknown to the registry", Units(1))


@pytest.mark.parametrize(
    ("running", "words"),
    [
        ([], "no version runs"),
        ([LIVE], f"version {LIVE_WORDS}"),
        ([SCALING], "version v2 serves, not asked since 2026-11-20 07:00 UTC (5 h): at least $192.00 a day"),
        (
            [LIVE, UNKNOWN],
            f"2 versions run for $192.00 a day: {LIVE_WORDS}; v3 runs, unknown to the registry: $96.00 a day",
        ),
    ],
    ids=["nothing", "one", "one that scales", "two"],
)
def test_what_runs_is_said_with_its_cost(running: list[RunningVersion], words: str) -> None:
    assert what_runs(running, 4.0, NOON) == words


@pytest.mark.parametrize(
    ("quiet", "hours", "level"),
    [(23.9, 24, 0), (24, 24, 1), (47.9, 24, 1), (48, 24, 2), (96, 24, 3), (2000, 0, 0), (0, 1, 0), (0.5, 0.5, 1)],
)
def test_alerts_grow_rarer(quiet: float, hours: float, level: int) -> None:
    assert idle_level(timedelta(hours=quiet), hours) == level


@pytest.mark.parametrize("version", [LIVE, SCALING, UNKNOWN], ids=lambda version: version.name)
def test_it_is_read_back_by_a_later_task(version: RunningVersion) -> None:
    assert from_json(RunningVersion, to_json(version)) == version
