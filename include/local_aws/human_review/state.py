"""What one region knows of human review: task UIs, workteams, flow definitions, loops, and answers of workers."""

from __future__ import annotations

import itertools
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from include.local_aws.human_review.renderer import Renderer
from include.local_aws.human_review.templates import PageOrder, TemplateError
from include.local_aws.objects import ACCOUNT, Objects
from include.local_aws.settings import Settings
from include.local_aws.transitions import Transitions
from include.local_aws.wire.errors import AwsError
from include.local_aws.wire.parse import Params

if TYPE_CHECKING:
    from include.local_aws.human_review.labeling.state import LabelingJob, LabelingObject

_DEFAULT_LIMIT_SECONDS = 3600


@dataclass
class Resource:
    """What every named resource has; `serial` grows with each, `created` is in seconds since the epoch."""

    name: str
    arn: str
    serial: int
    created: float


@dataclass
class TaskUi(Resource):
    """A worker task template (HumanTaskUi): its Liquid source."""

    template: str


@dataclass
class Workteam(Resource):
    """A private workteam; `details` is what the request said of it."""

    details: Params
    workforce_arn: str


@dataclass
class Flow(Resource):
    """A flow definition; `details` is what the request said of it, `active` counts its loops in flight."""

    details: Params
    status: str = "Initializing"
    failure_reason: str | None = None
    active: int = 0

    @property
    def config(self) -> Params:
        """The HumanLoopConfig."""
        return dict(self.details["HumanLoopConfig"])


@dataclass(frozen=True)
class Answer:
    """What one worker said, and when: `accepted` and `submitted` are seconds since the epoch."""

    worker: str
    content: dict[str, Any]
    accepted: float
    submitted: float


@dataclass(kw_only=True, eq=False)
class Work(Resource, ABC):
    """What workers see and answer at the portal: a human loop, or an object of a labeling job.

    `is_open` once its page was rendered: from then on workers see it. `on_answer` is called after each answer.
    """

    is_open: bool = False
    answers: dict[str, Answer] = field(default_factory=dict)
    accepted: dict[str, float] = field(default_factory=dict)
    on_answer: Callable[[], None] = lambda: None

    @property
    @abstractmethod
    def config(self) -> Params:
        """What the request said of its tasks: TaskTitle, TaskTimeLimitInSeconds."""

    @property
    @abstractmethod
    def source(self) -> str:
        """The name of the flow definition or the job that it belongs to."""

    @property
    @abstractmethod
    def task_count(self) -> int:
        """How many workers have to answer."""

    @property
    @abstractmethod
    def is_offered(self) -> bool:
        """Whether workers who have not seen it may take it."""

    @property
    def limit_seconds(self) -> int:
        """How long a worker may take."""
        return int(self.config.get("TaskTimeLimitInSeconds", _DEFAULT_LIMIT_SECONDS))

    @abstractmethod
    def page(self, region: Region) -> str:
        """Return the page that workers see; raises TemplateError."""

    def keep(self, answer: Answer) -> None:
        """Keep a worker's answer; the last one that is asked for completes the work."""
        self.answers[answer.worker] = answer
        self.on_answer()


@dataclass(kw_only=True, eq=False)
class Loop(Work):
    """A human loop."""

    flow: Flow
    input_text: str
    input_content: dict[str, Any]
    status: str = "InProgress"
    failure_code: str | None = None
    failure_reason: str | None = None
    output_uri: str | None = None

    @property
    def is_active(self) -> bool:
        """Whether the loop has not ended yet."""
        return self.status in ("InProgress", "Stopping")

    @property
    def is_offered(self) -> bool:
        """Whether workers may take it: not while it is Stopping."""
        return self.is_open and self.status == "InProgress"

    @property
    def config(self) -> Params:
        """The HumanLoopConfig of its flow."""
        return self.flow.config

    @property
    def source(self) -> str:
        """The name of its flow."""
        return self.flow.name

    @property
    def task_count(self) -> int:
        """How many workers have to answer."""
        return int(self.flow.config["TaskCount"])

    def page(self, region: Region) -> str:
        """Return the page that workers see; raises TemplateError."""
        arn = self.flow.config["HumanTaskUiArn"]
        task_ui = region.task_ui(arn)
        if task_ui is None:
            raise TemplateError(f"{arn} does not exist")
        return region.render(task_ui.template, self.input_content)


class Region:
    """The state of one region, and what its operations need: settings, S3, the endpoint's URL, pages and the lock."""

    def __init__(
        self,
        name: str,
        settings: Settings,
        objects: Objects,
        endpoint: Callable[[], str],
        renderer: Renderer,
        lock: threading.RLock,
    ) -> None:
        self.name = name
        self.settings = settings
        self.objects = objects
        self.lock = lock
        self.transitions = Transitions()
        self.task_uis: dict[str, TaskUi] = {}
        self.workteams: dict[str, Workteam] = {}
        self.workforces: dict[str, Params] = {}
        self.flows: dict[str, Flow] = {}
        self.loops: dict[str, Loop] = {}
        self.jobs: dict[str, LabelingJob] = {}
        self.objects_of_jobs: dict[str, LabelingObject] = {}
        self.active_work: dict[str, Work] = {}
        self._endpoint = endpoint
        self._renderer = renderer
        self._serials = itertools.count(1)

    @property
    def endpoint_url(self) -> str:
        """Where S3 is served, for links that workers follow."""
        return self._endpoint()

    def render(self, template: str, task_input: object) -> str:
        """Return the page that a template makes of a task's input; raises TemplateError."""
        return self._renderer.render(PageOrder(template, task_input, self.endpoint_url, self.name))

    def identity(self, kind: str, name: str) -> dict[str, Any]:
        """Return the fields of a new Resource of this kind, such as 'flow-definition'."""
        return {"name": name, "arn": self.arn(kind, name), "serial": next(self._serials), "created": time.time()}

    def arn(self, kind: str, name: str) -> str:
        """Return the ARN of a resource; unlike Rekognition's these can be told from the name."""
        return f"arn:aws:sagemaker:{self.name}:{ACCOUNT}:{kind}/{name}"

    def after(self, duration: str, apply: Callable[[], None]) -> None:
        """Have `apply` happen when the transition named `duration` is over."""
        self.transitions.schedule(duration, self.settings.duration(duration), apply)

    def work(self, name: str) -> Work | None:
        """Return the loop or the object of a job with this name, None if there is none."""
        return self.loops.get(name) or self.objects_of_jobs.get(name)

    def task_ui(self, arn: str) -> TaskUi | None:
        """Return the task UI with this ARN, None if there is none."""
        found = self.task_uis.get(arn.rpartition("/")[2])
        return found if found is not None and found.arn == arn else None

    def workteam(self, arn: str) -> Workteam | None:
        """Return the workteam with this ARN, None if there is none."""
        found = self.workteams.get(arn.rpartition("/")[2])
        return found if found is not None and found.arn == arn else None

    def flow(self, arn: str) -> Flow | None:
        """Return the flow definition with this ARN, None if there is none."""
        found = self.flows.get(arn.rpartition("/")[2])
        return found if found is not None and found.arn == arn else None

    def check_quota(self, quota: str, used: int, what: str) -> None:
        """Raise ResourceLimitExceeded if `used` resources fill the quota of that name."""
        limit = self.settings.quota(quota)
        if used >= limit:
            message = (
                f"The account-level service limit 'Number of {what}' is {limit}, with current utilization of {used}."
            )
            raise AwsError("ResourceLimitExceeded", message)
