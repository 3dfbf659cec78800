"""Which old versions go, and which manifests with them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from custom_labels.core.codec import from_json
from custom_labels.operations.versions import (
    FoundVersion,
    RecordedVersion,
    gone_versions,
    manifests_to_delete,
    versions_to_delete,
)

NOW = datetime(2026, 11, 21, tzinfo=UTC)


def version(
    number: int, status: str = "STOPPED", kept_hours: float | None = None, *, is_known: bool = True
) -> FoundVersion:
    until = None if kept_hours is None else NOW + timedelta(hours=kept_hours)
    record = RecordedVersion(kept_until=until) if is_known else None
    return FoundVersion(f"v{number}", "arn", status, created=NOW + timedelta(days=number), record=record)


FIVE = [version(number) for number in (3, 1, 5, 2, 4)]
CASES: dict[str, tuple[list[FoundVersion], int | None, set[str | None], list[str]]] = {
    "off": (FIVE, None, set(), []),
    "the oldest go first": (FIVE, 2, set(), ["v1", "v2", "v3"]),
    "fewer than are kept": (FIVE, 9, set(), []),
    "protected": (FIVE, 2, {"v1", "v3", None}, ["v2"]),
    "running": ([version(1, "RUNNING"), version(2), version(3)], 2, set(), []),
    "starting and stopping": ([version(1, "STARTING"), version(2, "STOPPING"), *FIVE[2:]], 2, {"v2"}, []),
    "never started": ([version(1, "TRAINING_COMPLETED"), *FIVE[2:3], version(6)], 2, set(), ["v1"]),
    "failed to start": ([version(1, "FAILED"), version(2), version(3)], 2, set(), ["v1"]),
    "copied counts among the newest": ([version(1), version(2), version(3, "COPYING_COMPLETED")], 2, set(), ["v1"]),
    "copied, not beyond the newest": ([version(1, "COPYING_COMPLETED"), version(2), version(3)], 3, set(), []),
    "copied and protected": ([version(1, "COPYING_COMPLETED"), version(2), version(3)], 2, {"v1"}, []),
    "being copied": ([version(1, "COPYING_IN_PROGRESS"), version(2), version(3)], 2, set(), []),
    "training": ([version(1), version(2), version(3, "TRAINING_IN_PROGRESS")], 2, set(), []),
    "training failed": ([version(1, "TRAINING_FAILED"), version(2), version(3)], 2, set(), []),
    "being deleted": ([version(1, "DELETING"), version(2), version(3)], 2, set(), []),
    "kept": ([version(1, kept_hours=1), version(2), version(3)], 2, set(), []),
    "kept long enough": ([version(1, kept_hours=0), version(2), version(3)], 2, set(), ["v1"]),
    "unknown to the registry": ([version(1, is_known=False), *FIVE[2:3], version(6)], 2, set(), []),
    "status of tomorrow": ([version(1, "HIBERNATING"), version(2), version(3)], 2, set(), []),
}


@pytest.mark.parametrize(("versions", "keep", "protected", "expected"), CASES.values(), ids=CASES)
def test_old_versions_are_deleted(
    versions: list[FoundVersion], keep: int | None, protected: set[str | None], expected: list[str]
) -> None:
    old = versions_to_delete(versions, keep, protected=protected, now=NOW)

    assert [each.name for each in old] == expected


def record(digest: str, **facts: Any) -> dict[str, Any]:
    return {"digest": digest, "version_arn": "arn", **facts}


def versions_of(records: dict[str, dict[str, Any]], listed: frozenset[str] = frozenset()) -> list[FoundVersion]:
    return [
        FoundVersion(name, status="STOPPED" if name in listed else "", record=from_json(RecordedVersion, each))
        for name, each in records.items()
    ]


def test_a_version_is_gone_when_it_was_there_and_is_listed_no_more() -> None:
    records = {
        "v1": record("a"),
        "v2": record("b"),
        "v3": record("c", deleted_at="2026-11-01"),
        "v4": {"digest": "d"},  # claimed, and perhaps about to be created
    }

    assert gone_versions(versions_of(records, frozenset({"v2"}))) == ["v1"]


GONE = {"deleted_at": "2026-11-01"}


@pytest.mark.parametrize(
    ("records", "open_digests", "expected"),
    [
        ({"v1": record("a", **GONE), "v2": record("b")}, set(), {"v1": "a"}),
        ({"v1": record("a", **GONE), "v2": record("a")}, set(), {}),
        ({"v1": record("a", **GONE), "v2": {"digest": "a"}}, set(), {}),
        ({"v1": record("a", **GONE), "v2": record("a", **GONE)}, set(), {"v1": "a", "v2": "a"}),
        ({"v1": record("a", **GONE)}, {"a"}, {}),
        ({"v1": record("a", **GONE, manifests_deleted_at="2026-11-02")}, set(), {}),
        ({"v1": {"deleted_at": "2026-11-01"}}, set(), {}),
    ],
    ids=["unused", "shared", "shared with one that was begun", "both gone", "open attempt", "done", "no digest"],
)
def test_manifests_go_with_the_last_version_that_was_trained_on_them(
    records: dict[str, dict[str, Any]], open_digests: set[str], expected: dict[str, str]
) -> None:
    assert manifests_to_delete(versions_of(records), (), open_digests) == expected
