"""A project's versions as the cost guard sees them: what AWS lists, joined with what the registry has on record.

And which of them are deleted, so that nothing in use ever is.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from custom_labels.aws.statuses import STARTABLE
from custom_labels.deployment.deployment import Units
from custom_labels.deployment.served_record import ServedRecord
from custom_labels.operations.audit import Accuracy
from custom_labels.operations.costs import DatedCost

_LONG_AGO = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, kw_only=True)
class RecordedVersion(ServedRecord):
    """A version with what it cost, and what the cost guard and the audit put on record.

    :param trained_at: when its training ended.
    :param tagged: whether it is known to carry the project's tag.
    """

    trained_at: datetime | None = None
    cost: DatedCost | None = None
    tagged: bool = False
    deleted_at: datetime | None = None
    manifests_deleted_at: datetime | None = None
    live_accuracy: Accuracy | None = None


@dataclass(frozen=True)
class FoundVersion:
    """A version as it was found.

    :param status: AWS's status; empty where AWS does not list it any more.
    :param arn: of the version at AWS; likewise ``project_arn``, ``created`` and ``units``.
    :param trained_at: when AWS says that its training ended; likewise ``training_seconds``, which are billed.
    :param record: what the registry has of it; ``None`` for a version that it does not know.
    """

    name: str
    project_arn: str = ""
    status: str = ""
    arn: str = ""
    created: datetime | None = None
    units: Units = field(default_factory=lambda: Units(1))
    trained_at: datetime | None = None
    training_seconds: float | None = None
    record: RecordedVersion | None = None

    @property
    def kept_until(self) -> datetime | None:
        """Until when it is kept running though another replaced it."""
        return self.record.kept_until if self.record else None

    @property
    def stopped_for(self) -> str | None:
        """What a deployment stopped it for that was to start it again."""
        return self.record.stopped_for if self.record else None

    def units_or(self, wanted: Units) -> Units:
        """Give the inference units that it had when it ran; those that are wanted where that is not known."""
        return self.record.units_or(wanted) if self.record else wanted


@dataclass(frozen=True)
class RunningVersion:
    """A version that is billed by the minute.

    :param role: what it runs for, in words.
    :param quiet_since: of the live version, since when nothing was asked of it.
    """

    name: str
    role: str
    units: Units
    quiet_since: datetime | None = None


# -- which old versions are deleted, and which manifests with them ---------------------------------------


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


def manifests_to_delete(
    versions: Iterable[FoundVersion], gone: Collection[str], open_digests: Collection[str]
) -> dict[str, str]:
    """Give the snapshots whose manifests no remaining version was trained on, with the versions that were.

    :param gone: names of versions that are deleted though their records do not say so yet.
    :param open_digests: snapshots that a training was begun on.
    :return: by version that was deleted, the digest.
    """
    records = {version.name: version.record for version in versions if version.record is not None}
    deleted = {name: record for name, record in records.items() if record.deleted_at or name in gone}
    in_use = {record.digest for name, record in records.items() if name not in deleted} | {*open_digests}
    return {
        name: record.digest
        for name, record in deleted.items()
        if record.digest and not record.manifests_deleted_at and record.digest not in in_use
    }
