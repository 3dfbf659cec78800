"""Which old versions are deleted, and which manifests with them: pure rules, so that nothing in use ever is."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import UTC, datetime

from custom_labels.aws.statuses import STARTABLE
from custom_labels.operations.versions import FoundVersion

_LONG_AGO = datetime.min.replace(tzinfo=UTC)


def versions_to_delete(
    versions: Iterable[FoundVersion], keep: int | None, *, protected: Collection[str | None], now: datetime
) -> list[FoundVersion]:
    """Give the trained versions beyond the newest ones, the oldest first.

    Only one that the registry knows, that is trained and does not run is deleted; all trained ones that it knows count
    among the newest.

    :param keep: how many are kept, ``None`` for all.
    :param protected: names that are kept however old: the live version, its predecessor, that of an open attempt.
    """
    if keep is None:
        return []
    statuses = {*STARTABLE, "STARTING", "RUNNING", "STOPPING"}
    trained = [version for version in versions if version.record is not None and version.status in statuses]
    newest_first = sorted(trained, key=lambda version: (version.created or _LONG_AGO, version.name), reverse=True)
    return [
        version
        for version in reversed(newest_first[keep:])
        if version.status in STARTABLE
        and version.name not in protected
        and (version.kept_until is None or version.kept_until <= now)
    ]


def gone_versions(versions: Iterable[FoundVersion]) -> list[str]:
    """Name the versions that were at AWS and are no longer, without their records saying so.

    A killed run may have deleted them; a record without an ARN is of a version that may not have been created yet.
    """
    return sorted(
        version.name
        for version in versions
        if version.record and version.record.version_arn and not version.record.deleted_at and not version.status
    )


def manifests_to_delete(versions: Iterable[FoundVersion], open_digests: Collection[str]) -> dict[str, str]:
    """Give the snapshots whose manifests no remaining version was trained on, with the versions that were.

    :param open_digests: snapshots that a training was begun on.
    :return: by version that was deleted, the digest.
    """
    records = {version.name: version.record for version in versions if version.record is not None}
    in_use = {record.digest for record in records.values() if not record.deleted_at} | {*open_digests}
    return {
        name: record.digest
        for name, record in records.items()
        if record.deleted_at and record.digest and not record.manifests_deleted_at and record.digest not in in_use
    }
