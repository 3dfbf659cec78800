"""What one region knows of Custom Labels, and how resources are found by ARN."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from include.local_aws.objects import ACCOUNT, Objects
from include.local_aws.rekognition.manifest_lines import ManifestLine
from include.local_aws.settings import Settings
from include.local_aws.training.pool import TrainerPool
from include.local_aws.training.results import TrainedModel
from include.local_aws.transitions import Transitions
from include.local_aws.wire.errors import AwsError
from include.local_aws.wire.parse import Params

FINISHED_DATASET = ("CREATE_COMPLETE", "UPDATE_COMPLETE")
FAILED_FOR_GOOD = ("CREATE_FAILED", "TRAINING_FAILED", "COPYING_FAILED")


@dataclass
class Dataset:
    """A training or test dataset; entries are keyed by source-ref, in the order of arrival."""

    arn: str
    kind: str
    project_arn: str
    created: float
    updated: float
    status: str = "CREATE_IN_PROGRESS"
    message: str = "The dataset is being created."
    message_code: str = "SUCCESS"
    entries: dict[str, ManifestLine] = field(default_factory=dict)
    lines: list[ManifestLine] = field(default_factory=list)
    statistics: Params = field(default_factory=lambda: _statistics([]))

    def replace_entries(self, entries: dict[str, ManifestLine]) -> None:
        """Hold other entries; lists and statistics are made once, since they are asked for often."""
        self.entries = entries
        self.lines = list(entries.values())
        self.statistics = _statistics(self.lines)

    @property
    def is_finished(self) -> bool:
        """Whether the dataset can be listed, updated and trained on."""
        return self.status in FINISHED_DATASET

    def fail(self, status: str, message: str, moment: float) -> None:
        """End, at `moment` (seconds since the epoch), in a failure that the caller caused."""
        self.status, self.message, self.message_code = status, message, "CLIENT_ERROR"
        self.updated = moment

    def complete(self, status: str, message: str, moment: float) -> None:
        """End well at `moment` (seconds since the epoch)."""
        self.status, self.message, self.message_code = status, message, "SUCCESS"
        self.updated = moment


@dataclass
class Version:
    """A model version; `details` holds what DescribeProjectVersions shows beside the fields here."""

    arn: str
    name: str
    project_arn: str
    serial: int
    created: float
    status: str
    message: str
    details: Params = field(default_factory=dict)
    model: TrainedModel | None = None
    detections: list[float] = field(default_factory=list)

    def set_status(self, status: str, message: str) -> None:
        """Change the status and its message together."""
        self.status, self.message = status, message


@dataclass
class Policy:
    """A project policy."""

    name: str
    document: str
    revision: str
    serial: int
    created: float
    updated: float


@dataclass
class Project:
    """A project with its datasets (by kind), versions (by name) and policies (by name)."""

    arn: str
    name: str
    serial: int
    created: float
    feature: str
    auto_update: str | None = None
    status: str = "CREATING"
    datasets: dict[str, Dataset] = field(default_factory=dict)
    versions: dict[str, Version] = field(default_factory=dict)
    policies: dict[str, Policy] = field(default_factory=dict)


class Region:
    """The state of one region, and what its operations need: settings, S3, trainers and the lock."""

    def __init__(
        self, name: str, settings: Settings, objects: Objects, trainers: TrainerPool, lock: threading.RLock
    ) -> None:
        self.name = name
        self.settings = settings
        self.objects = objects.in_region(name)
        self.trainers = trainers
        self.lock = lock
        self.transitions = Transitions()
        self.projects: dict[str, Project] = {}
        self.tags: dict[str, dict[str, str]] = {}
        self._serials = itertools.count(1)
        self._last_stamp = 0

    def contents(self) -> dict[str, Any]:
        """Return all that is not a part of the server, for :meth:`put_back`."""
        return {
            "projects": self.projects,
            "tags": self.tags,
            "next_serial": self.next_serial() + 1,
            "last_stamp": self._last_stamp,
        }

    def put_back(self, contents: dict[str, Any]) -> None:
        """Hold what :meth:`contents` returned."""
        self.projects = contents["projects"]
        self.tags = contents["tags"]
        self._serials = itertools.count(contents["next_serial"])
        self._last_stamp = contents["last_stamp"]

    def next_serial(self) -> int:
        """Return a number that grows with each resource; lists are ordered by it."""
        return next(self._serials)

    def arn(self, resource: str) -> str:
        """Make an ARN, which ends in a time stamp in milliseconds that no two resources share."""
        self._last_stamp = max(self._last_stamp + 1, int(time.time() * 1000))
        return f"arn:aws:rekognition:{self.name}:{ACCOUNT}:{resource}/{self._last_stamp}"

    def after(self, duration: str, apply: Callable[[], None]) -> None:
        """Have `apply` happen when the transition named `duration` is over."""
        self.transitions.schedule(duration, self.settings.duration(duration), apply)

    def project(self, arn: str) -> Project:
        """Return the project with this ARN; raises ResourceNotFoundException."""
        found = self.projects.get(arn)
        if found is None:
            raise not_found("project", arn)
        return found

    def dataset(self, arn: str) -> Dataset:
        """Return the dataset with this ARN; raises ResourceNotFoundException."""
        for project in self.projects.values():
            for dataset in project.datasets.values():
                if dataset.arn == arn:
                    return dataset
        raise not_found("dataset", arn)

    def version(self, arn: str) -> Version:
        """Return the model version with this ARN; raises ResourceNotFoundException."""
        for project in self.projects.values():
            for version in project.versions.values():
                if version.arn == arn:
                    return version
        raise not_found("model version", arn)

    def versions_in(self, *statuses: str) -> list[Version]:
        """Return the region's versions in any of these statuses."""
        return [
            version
            for project in self.projects.values()
            for version in project.versions.values()
            if version.status in statuses
        ]


def _statistics(lines: list[ManifestLine]) -> Params:
    return {
        "LabeledEntries": sum(bool(line.labels) for line in lines),
        "TotalEntries": len(lines),
        "TotalLabels": len({label for line in lines for label in line.labels}),
        "ErrorEntries": sum(line.flawed for line in lines),
    }


def not_found(what: str, arn: str) -> AwsError:
    """Return the error for an ARN that names nothing."""
    return AwsError("ResourceNotFoundException", f"The {what} {arn} could not be found.")


def in_use(what: str, arn: str, status: str, wanted: str) -> AwsError:
    """Return the error for a resource whose status forbids the call.

    What failed for good is a wrong parameter: it is not being used, and does not become ready by waiting.
    """
    code = "InvalidParameterException" if status in FAILED_FOR_GOOD else "ResourceInUseException"
    return AwsError(code, f"The {what} {arn} is in status {status}: {wanted}.")
