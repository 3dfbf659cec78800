"""Which old versions are deleted, and which manifests with them: pure rules, so that nothing in use ever is."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from custom_labels.aws.statuses import STARTABLE


@dataclass(frozen=True)
class TrainedVersion:
    """A version that the registry knows, as AWS lists it.

    :param created: AWS's CreationTimestamp.
    :param kept_until: until when it is kept running though another replaced it.
    """

    name: str
    status: str
    created: datetime
    kept_until: datetime | None = None


def versions_to_delete(
    versions: Iterable[TrainedVersion], keep: int | None, *, protected: Collection[str | None], now: datetime
) -> list[str]:
    """Name the trained versions beyond the newest ones, the oldest first.

    Only one that is trained and does not run is deleted; all trained ones count among the newest.

    :param versions: those that the registry knows; no others.
    :param keep: how many are kept, ``None`` for all.
    :param protected: names that are kept however old: the live version, its predecessor, that of an open attempt.
    """
    if keep is None:
        return []
    trained = [version for version in versions if version.status in {*STARTABLE, "STARTING", "RUNNING", "STOPPING"}]
    newest_first = sorted(trained, key=lambda version: (version.created, version.name), reverse=True)
    return [
        version.name
        for version in reversed(newest_first[keep:])
        if version.status in STARTABLE
        and version.name not in protected
        and (version.kept_until is None or version.kept_until <= now)
    ]


def gone_versions(records: Mapping[str, Mapping[str, Any]], listed: Collection[str]) -> list[str]:
    """Name the versions that were at AWS and are no longer, without their records saying so.

    A killed run may have deleted them; a record without an ARN is of a version that may not have been created yet.

    :param records: the registry's, by version.
    :param listed: the names that AWS lists.
    """
    return sorted(
        name
        for name, record in records.items()
        if record.get("version_arn") and not record.get("deleted_at") and name not in listed
    )


def manifests_to_delete(records: Mapping[str, Mapping[str, Any]], open_digests: Collection[str]) -> dict[str, str]:
    """Give the snapshots whose manifests no remaining version was trained on, with the versions that were.

    :param records: the registry's, by version.
    :param open_digests: snapshots that a training was begun on.
    :return: by version that was deleted, the digest.
    """
    deleted = {name: str(record["digest"]) for name, record in records.items() if _has_manifests_left(record)}
    in_use = {record.get("digest") for record in records.values() if not record.get("deleted_at")} | {*open_digests}
    return {name: digest for name, digest in deleted.items() if digest not in in_use}


def _has_manifests_left(record: Mapping[str, Any]) -> bool:
    return bool(record.get("deleted_at") and record.get("digest") and not record.get("manifests_deleted_at"))
