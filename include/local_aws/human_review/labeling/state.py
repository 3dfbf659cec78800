"""A labeling job and its objects, the images of its manifest."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from include.local_aws.human_review.labeling.managed import TaskKind
from include.local_aws.human_review.state import Region, Resource, Work
from include.local_aws.wire.parse import Params

ENDED = ("Completed", "Failed", "Stopped")


@dataclass(kw_only=True, eq=False)
class LabelingJob(Resource):
    """A labeling job; `details` is what the request said of it, `modified` is in seconds since the epoch.

    Parameters: `template` and `labels` are read from S3 when the job begins, `objects` from the manifest; `opened`
    counts the objects that were shown to workers or failed before.
    """

    details: Params
    kind: TaskKind
    modified: float
    status: str = "Initializing"
    failure_reason: str | None = None
    template: str = ""
    labels: tuple[str, ...] = ()
    objects: list[LabelingObject] = field(default_factory=list)
    opened: int = 0
    output_uri: str | None = None

    @property
    def config(self) -> Params:
        """The HumanTaskConfig."""
        return dict(self.details["HumanTaskConfig"])

    @property
    def attribute(self) -> str:
        """The name that labels are written under."""
        return str(self.details["LabelAttributeName"])

    @property
    def folder(self) -> str:
        """The s3:// URI that everything is written below."""
        return f"{str(self.details['OutputConfig']['S3OutputPath']).rstrip('/')}/{self.name}"

    @property
    def labeled(self) -> int:
        """How many objects have labels."""
        return sum(each.label is not None for each in self.objects)

    @property
    def failed(self) -> int:
        """How many objects nobody will label."""
        return sum(each.failure is not None for each in self.objects)

    @property
    def counters(self) -> Params:
        """The LabelCounters."""
        labeled, failed = self.labeled, self.failed
        return {
            "TotalLabeled": labeled,
            "HumanLabeled": labeled,
            "MachineLabeled": 0,
            "FailedNonRetryableError": failed,
            "Unlabeled": len(self.objects) - labeled - failed,
        }


@dataclass(kw_only=True, eq=False)
class LabelingObject(Work):
    """An image of a job's manifest.

    Parameters: `line` is its line; `label` and `metadata` are what its workers say, once they have; `failure` is why
    they never will.
    """

    job: LabelingJob
    index: int
    line: dict[str, Any]
    label: Any = None
    metadata: dict[str, Any] = field(default_factory=dict)
    failure: str | None = None

    @property
    def config(self) -> Params:
        """The HumanTaskConfig of its job."""
        return self.job.config

    @property
    def source(self) -> str:
        """The name of its job."""
        return self.job.name

    @property
    def task_count(self) -> int:
        """How many workers have to answer."""
        return int(self.job.config["NumberOfHumanWorkersPerDataObject"])

    @property
    def is_offered(self) -> bool:
        """Whether workers may take it: not while its job is Stopping."""
        return self.is_open and self.job.status == "InProgress"

    @property
    def is_done(self) -> bool:
        """Whether no worker can change anything about it any more."""
        return self.label is not None or self.failure is not None

    def page(self, region: Region) -> str:
        """Return the page that workers see; raises TemplateError."""
        task_input = {
            "taskObject": self.line["source-ref"],
            "labels": list(self.job.labels),
            "manifestLine": self.line,
        }
        return region.render(self.job.template, task_input)
