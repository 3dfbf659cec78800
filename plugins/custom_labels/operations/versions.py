"""A project's versions as the cost guard sees them: what AWS lists, joined with what the registry has on record."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from custom_labels.deployment.deployment import Units
from custom_labels.operations.costs import DatedCost


@dataclass(frozen=True)
class RecordedVersion:
    """What the cost guard needs of a version's record in ``registry/versions/``.

    :param version_arn: of a version that was created at AWS; ``None`` for one that may not have been yet.
    :param kept_until: until when it is kept running though another replaced it.
    :param stopped_for: what a deployment stopped it for that was to start it again; ``None`` for no such thing.
    :param minimum_inference_units: units that it ran with the last time; likewise ``maximum_inference_units``.
    :param trained_at: when its training ended.
    :param tagged: whether it is known to carry the project's tag.
    """

    version_arn: str | None = None
    digest: str | None = None
    kept_until: datetime | None = None
    stopped_for: str | None = None
    minimum_inference_units: int | None = None
    maximum_inference_units: int | None = None
    trained_at: datetime | None = None
    billable_training_seconds: float | None = None
    cost: DatedCost | None = None
    tagged: bool = False
    deleted_at: datetime | None = None
    manifests_deleted_at: datetime | None = None


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
        if self.record is None or not self.record.minimum_inference_units:
            return wanted
        return Units(self.record.minimum_inference_units, self.record.maximum_inference_units)
