"""What has become of each review of a labeling job: read from the job's status and from what it has written."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any

from custom_labels.review.backends.ground_truth.job import ATTRIBUTE
from custom_labels.review.backends.ground_truth.job_files import JobFiles
from custom_labels.review.review import ReviewState, ReviewStatus

# LabelingJobStatus of the SageMaker API reference.
OPEN_STATUSES = frozenset({"Initializing", "InProgress", "Stopping"})
ENDED_STATUSES = frozenset({"Completed", "Failed", "Stopped"})


@dataclass(frozen=True)
class LabelingJob:
    """A labeling job as AWS describes it.

    :param reason: AWS's words about a failure.
    :param lifetime: how long people had for each image; ``None`` where that is not said.
    """

    name: str
    status: str
    created: datetime
    modified: datetime
    reason: str = ""
    lifetime: timedelta | None = None

    @classmethod
    def read(cls, described: Mapping[str, Any]) -> LabelingJob:
        """Read an answer of DescribeLabelingJob, or an entry of ListLabelingJobs, which has no lifetime."""
        seconds = described.get("HumanTaskConfig", {}).get("TaskAvailabilityLifetimeInSeconds")
        return cls(
            described["LabelingJobName"],
            described["LabelingJobStatus"],
            described["CreationTime"],
            described["LastModifiedTime"],
            described.get("FailureReason") or "",
            timedelta(seconds=seconds) if seconds else None,
        )

    @property
    def created_at(self) -> str:
        """When it was created, in UTC."""
        return self.created.astimezone(UTC).isoformat(timespec="microseconds")

    @property
    def is_open(self) -> bool:
        """Whether people may still answer."""
        return self.status in OPEN_STATUSES


class JobStates:
    """The states of one job's reviews.

    An image that all people were asked about has ended, though others of its job have not; whatever they said together,
    the consensus of this package is of what each of them said.

    :param lifetime: how long people have for an image.
    """

    def __init__(self, files: JobFiles, job: LabelingJob, lifetime: timedelta) -> None:
        self.files = files
        self.job = job
        self.lifetime = job.lifetime or lifetime

    @cached_property
    def _responses(self) -> Mapping[int, str]:
        return self.files.responses(self.job.name)

    @cached_property
    def _lines(self) -> tuple[Mapping[str, Any], ...]:
        return () if self.job.is_open else self.files.output_lines(self.job.name)

    @cached_property
    def _cancelled(self) -> frozenset[str]:
        return self.files.cancelled(self.job.name)

    def all(self, is_known: Callable[[str], bool] = lambda _: False) -> list[ReviewState]:
        """Give the state of each review of the job.

        :param is_known: whether the answers of a review of this name need not be searched for.
        """
        requests = self.files.requests(self.job.name)
        return [
            self.one(index, request.name, is_known=is_known(request.name)) for index, request in enumerate(requests)
        ]

    def one(self, index: int, name: str, *, is_known: bool = False) -> ReviewState:
        """Give the state of one review.

        :param index: its place in the job's manifest.
        """
        job = self.job
        if job.status not in OPEN_STATUSES | ENDED_STATUSES:
            reason = f"Ground Truth says '{job.status}', which is not known here"
            return ReviewState(name, ReviewStatus.UNKNOWN, job.created_at, None, reason)
        key = self._responses.get(index)
        if key and (is_known or self._has_all_answers(index, key)):
            return ReviewState(name, ReviewStatus.COMPLETED, job.created_at, self.files.store.uri(key))
        status, reason = self._without_all_answers(index, name)
        if status is ReviewStatus.COMPLETED and not key:
            key = self.files.output_key(job.name)
        uri = self.files.store.uri(key) if key and status.is_final else None
        return ReviewState(name, status, job.created_at, uri, reason)

    def _has_all_answers(self, index: int, key: str) -> bool:
        wanted = self.files.requests(self.job.name)[index].reviewers
        return wanted == 1 or len(self.files.read_answers(key)) >= wanted

    def _without_all_answers(self, index: int, name: str) -> tuple[ReviewStatus, str]:
        """Judge a review by its line of the output manifest, and by how its job ended."""
        if self.job.is_open:
            is_cancelled = self.job.status != "Stopping" and name in self._cancelled
            return (ReviewStatus.STOPPED if is_cancelled else ReviewStatus.OPEN), ""
        line = self._lines[index] if index < len(self._lines) else {}
        metadata = line.get(f"{ATTRIBUTE}-metadata")
        failure = str(metadata.get("failure-reason") or "") if isinstance(metadata, dict) else ""
        if ATTRIBUTE in line and not failure:
            return ReviewStatus.COMPLETED, ""
        if failure:
            is_late = self.job.modified - self.job.created >= self.lifetime
            return (ReviewStatus.EXPIRED if is_late else ReviewStatus.FAILED), failure
        if self.job.status == "Stopped" or name in self._cancelled:
            return ReviewStatus.STOPPED, ""
        return ReviewStatus.FAILED, self.job.reason or "the job ended without a label for the image and gave no reason"
