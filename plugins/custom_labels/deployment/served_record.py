"""What became of a version in service, as the registry keeps it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from custom_labels.deployment.deployment import SmokeTest, Units
from custom_labels.evaluation.judged_record import JudgedRecord


@dataclass(frozen=True)
class RolledBack:
    """How a version was taken out of service by a person.

    :param to: the version that was put back; ``by`` is who ordered it and ``at`` when, ISO 8601 in UTC.
    """

    to: str
    by: str
    reason: str
    at: str
    run: str


@dataclass(frozen=True, kw_only=True)
class ServedRecord(JudgedRecord):
    """A version with what its starts, stops and swaps left on record.

    :param started_at: when it was found running the last time after it was not, ISO 8601 in UTC.
    :param minimum_inference_units: units that it ran with the last time; likewise ``maximum_inference_units``.
    :param kept_until: until when it is kept running though another replaced it.
    :param stopped_for: what a deployment stopped it for that was to start it again; ``None`` for no such thing.
    :param stopped_from: since when it has not served for that.
    """

    started_at: str | None = None
    minimum_inference_units: int | None = None
    maximum_inference_units: int | None = None
    kept_until: datetime | None = None
    replaced_by: str | None = None
    stopped_for: str | None = None
    stopped_from: datetime | None = None
    smoke_test: SmokeTest | None = None
    rolled_back: RolledBack | None = None

    def units_or(self, wanted: Units) -> Units:
        """Give the inference units that it had when it ran; those that are wanted where that is not known."""
        if not self.minimum_inference_units:
            return wanted
        return Units.wanted(self.minimum_inference_units, self.maximum_inference_units)
