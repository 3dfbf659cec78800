"""The rules of a teardown: what a version costs a day, what the table shows, and what may not be deleted."""

from __future__ import annotations

import pytest

from custom_labels.deployment.deployment import Units
from custom_labels.operations.teardown import (
    Inventory,
    Row,
    Stored,
    TearingDown,
    in_units,
    table,
    version_row,
    why_foreign,
    why_not_confirmed,
    why_not_torn_down,
)
from custom_labels.operations.versions import FoundVersion, RecordedVersion
from custom_labels.training.trainings import Teardown

KNOWN = RecordedVersion()


@pytest.mark.parametrize(
    ("version", "state", "usd", "fate"),
    [
        (
            FoundVersion("v1", status="RUNNING", units=Units(2), record=KNOWN),
            "RUNNING with 2 inference units, serves",
            192.0,
            "stopped and deleted",
        ),
        (
            FoundVersion("v2", status="STARTING", units=Units(1), record=KNOWN),
            "STARTING with 1 inference unit, does not serve",
            96.0,
            "stopped and deleted",
        ),
        (FoundVersion("v2", status="STOPPED", record=KNOWN), "STOPPED, does not serve", 0, "deleted"),
        (FoundVersion("v2", status="TRAINING_FAILED"), "TRAINING_FAILED, was not made by these DAGs", 0, "deleted"),
        (
            FoundVersion("v2", status="TRAINING_IN_PROGRESS", record=KNOWN),
            "TRAINING_IN_PROGRESS, does not serve",
            24.0,
            "waited for, since AWS cannot stop it, then deleted",
        ),
    ],
    ids=lambda each: each.status if isinstance(each, FoundVersion) else "",
)
def test_a_version_is_described_with_its_price(version: FoundVersion, state: str, usd: float, fate: str) -> None:
    row = version_row(version, "v1", unit_hour_usd=4, training_hour_usd=1)

    assert row == Row(f"version {version.name}", state, usd, fate)


def test_a_long_table_is_cut_and_says_so() -> None:
    rows = tuple(Row(f"version v{number}", "STOPPED", 1.5, "deleted") for number in range(5))
    inventory = Inventory(TearingDown.LISTED, "", rows, Stored(1200, 3_400_000))

    lines = table(inventory, "s3://b/", deletes=False, rows=2).splitlines()

    assert lines[2:] == [
        "| version v0 | STOPPED | 1.50 | deleted |",
        "| version v1 | STOPPED | 1.50 | deleted |",
        "| 3 more | in the log | | |",
        "| images and records in s3://b/ | 1,200 objects (3.4 MB) | S3's price | stays |",
    ]
    assert table(inventory, "s3://b/", deletes=True).endswith("| deleted |")
    assert inventory.usd_a_day == 7.5


@pytest.mark.parametrize(
    ("size", "words"),
    [(0, "0 bytes"), (999, "999 bytes"), (1000, "1.0 kB"), (2_500_000_000, "2.5 GB"), (7 * 10**15, "7000.0 TB")],
)
def test_bytes_are_given_as_people_read_them(size: int, words: str) -> None:
    assert in_units(size) == words


@pytest.mark.parametrize("typed", ["", " digits", "DIGITS", "digits;cats"])
def test_only_the_very_name_confirms(typed: str) -> None:
    assert f"'confirm_project_name' is {typed!r}" in str(why_not_confirmed("digits", typed))
    assert why_not_confirmed("digits", "digits") is None


@pytest.mark.parametrize(
    ("tags", "is_foreign"), [({}, False), ({"t": "digits"}, False), ({"u": "cats"}, False), ({"t": "cats"}, True)]
)
def test_a_project_with_anothers_tag_is_foreign(tags: dict[str, str], *, is_foreign: bool) -> None:
    assert (why_foreign("digits", "arn", "t", tags) is not None) == is_foreign


@pytest.mark.parametrize(
    ("torn_down", "words"),
    [
        (None, "no teardown is under way"),
        (Teardown("another run", "2026-11-29"), "another run takes the project away"),
        (Teardown("this run", "2026-11-29"), None),
        (Teardown("this run", "2026-11-29", "2026-11-29"), None),
    ],
)
def test_only_the_run_that_takes_the_project_away_deletes(torn_down: Teardown | None, words: str | None) -> None:
    reason = why_not_torn_down("this run", torn_down)

    assert reason is None if words is None else words in str(reason)
