"""A project's versions as the cost guard sees them: what AWS lists, joined with what the registry has on record."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from custom_labels.deployment.deployment import Units
from custom_labels.deployment.served_record import ServedRecord
from custom_labels.operations.audit import Accuracy
from custom_labels.operations.costs import DatedCost


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
