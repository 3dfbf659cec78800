"""What one region knows of human review: task UIs, workteams, flow definitions, loops and their answers."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from include.local_aws.human_review.renderer import Renderer
from include.local_aws.human_review.templates import PageOrder
from include.local_aws.objects import ACCOUNT, Objects
from include.local_aws.settings import Settings
from include.local_aws.transitions import Transitions
from include.local_aws.wire.errors import AwsError
from include.local_aws.wire.parse import Params


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


@dataclass
class Loop(Resource):
    """A human loop. `is_open` once its template was rendered: from then on workers see it."""

    flow: Flow
    input_text: str
    input_content: dict[str, Any]
    status: str = "InProgress"
    is_open: bool = False
    failure_code: str | None = None
    failure_reason: str | None = None
    output_uri: str | None = None
    answers: dict[str, Answer] = field(default_factory=dict)
    accepted: dict[str, float] = field(default_factory=dict)

    @property
    def is_active(self) -> bool:
        """Whether the loop has not ended yet."""
        return self.status in ("InProgress", "Stopping")

    @property
    def task_count(self) -> int:
        """How many workers have to answer."""
        return int(self.flow.config["TaskCount"])


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
        self.active_loops: dict[str, Loop] = {}
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
