"""Reviews at Amazon A2I: one human loop for each."""

from __future__ import annotations

import heapq
import json
import logging
import threading
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any, TypeVar

from botocore.exceptions import BotoCoreError, ClientError

from custom_labels.aws.hooks.a2i import PAGE, A2IHook
from custom_labels.aws.hooks.base import NOT_FOUND
from custom_labels.aws.hooks.sagemaker import ReviewSetupHook
from custom_labels.core.codec import to_json
from custom_labels.core.keys import A2I_OUTPUT
from custom_labels.core.project_task import ProjectTask
from custom_labels.core.settings import Project
from custom_labels.review.backends.a2i.events import EVENT
from custom_labels.review.backends.a2i.output import OutputListing, read_output
from custom_labels.review.backends.a2i.setup import ReviewFlow, ReviewRecord, read_review_record
from custom_labels.review.backends.base import (
    OpenedTogether,
    ReviewBackendError,
    ReviewBackendFull,
    ReviewBackendNotReady,
)
from custom_labels.review.backends.one_by_one import PATIENCE_SECONDS, OneByOne
from custom_labels.review.review import Answered, Purpose, ReviewRequest, ReviewState, ReviewStatus
from custom_labels.s3.errors import MISSING, error_code, is_passing
from custom_labels.s3.store import S3Store

log = logging.getLogger(__name__)
Result = TypeVar("Result")

# HumanLoopStatus of the A2I runtime API; the guide also names Deleting and Deleted, which the API does not.
_STATUSES = {
    "InProgress": ReviewStatus.OPEN,
    "Stopping": ReviewStatus.OPEN,
    "Completed": ReviewStatus.COMPLETED,
    "Failed": ReviewStatus.FAILED,
    "Stopped": ReviewStatus.STOPPED,
}
_ENDED = frozenset({"ValidationException", "ConflictException"})
"""StopHumanLoop of a loop that has ended."""
LONGEST_LIFE = timedelta(days=31)
"""TaskAvailabilityLifetimeInSeconds is 30 days at most."""
_MAY_BE_THERE = frozenset({"ConflictException", "ValidationException", "ServiceQuotaExceededException"}) | NOT_FOUND


class A2IReviewBackend:
    """Opens, lists and reads human loops. It may be used by several threads at once.

    :param project: the project, with a ``review`` part.
    :param store: the project's bucket and prefix.
    :param patience_seconds: how long starts are repeated while not one of them works.
    """

    def __init__(self, project: Project, store: S3Store, *, patience_seconds: float = PATIENCE_SECONDS) -> None:
        self.project = project
        self.patience_seconds = patience_seconds
        self.store = store
        self._lock = threading.Lock()
        self._hook: A2IHook | None = None
        self._record: ReviewRecord | None = None

    @property
    def hook(self) -> A2IHook:
        """The hook of the project's connection and region, with its client made."""
        with self._lock:
            if self._hook is None:
                self._hook = A2IHook(self.project.aws_conn_id, region_name=self.project.region_name)
                _ = self._hook.client
            return self._hook

    @property
    def record(self) -> ReviewRecord:
        """The project's flows, read once."""
        with self._lock:
            if self._record is None:
                self._record = read_review_record(self.store)
            return self._record

    def setup_name(self) -> str:
        """Name the flows that reviews are opened with; a flow's name is made of its page, its people and its role."""
        return " ".join(sorted(self.record.current.values()))

    def open(self, requests: Sequence[ReviewRequest]) -> OpenedTogether:
        """Start a human loop for each request."""
        return OneByOne(self._open, patience_seconds=self.patience_seconds).open(requests)

    def cancel(self, names: Collection[str]) -> None:
        """Stop loops that have not ended, a call for each."""
        for name in names:
            try:
                self._ask(
                    "StopHumanLoop",
                    name,
                    lambda name=name: self.hook.client.stop_human_loop(HumanLoopName=name),  # type: ignore[misc]
                    NOT_FOUND | _ENDED,
                )
            except ClientError as error:
                log.info("Review %s has ended or is gone: %s", name, error)

    def _open(self, request: ReviewRequest) -> bool:
        """Start a human loop, which costs one call; a loop of that name with other input or another flow is adopted.

        A2I answers a repeated start with the same input as it answers the first one, so that a repeat counts as new.
        """
        flow = self.record.flow_for(request.reviewers)
        if flow is None:
            raise self._not_ready(f"no flow that asks {request.reviewers} people is recorded in registry/review.json")
        try:
            self._ask(
                "StartHumanLoop",
                request.name,
                lambda: self.hook.client.start_human_loop(
                    HumanLoopName=request.name,
                    FlowDefinitionArn=flow.arn,
                    HumanLoopInput={"InputContent": loop_input(request)},
                ),
                expect=_MAY_BE_THERE,
            )
        except ClientError as error:
            return self._refused(request, flow, error)
        return True

    def _refused(self, request: ReviewRequest, flow: ReviewFlow, error: ClientError) -> bool:
        """Raise why a loop was not started; ``False`` if there is one of that name."""
        code = error_code(error)
        if code == "ServiceQuotaExceededException":
            raise ReviewBackendFull(
                f"A2I takes no more reviews for now: {error}. Flow {flow.name} has as many open ones as its quota "
                "allows (5,000 for a private team); the rest waits until people have answered some."
            ) from error
        if code == "ConflictException" or self._find(request.name) is not None:
            log.info("The review %s was opened before: %s", request.name, error)
            return False
        setup = ReviewSetupHook(self.project.aws_conn_id, region_name=self.project.region_name)
        found = self._ask("DescribeFlowDefinition", flow.name, lambda: setup.describe_flow(flow.name))
        if found.status != "Active":
            raise self._not_ready(f"flow {flow.name} is {found.status or 'gone'} instead of Active") from error
        raise self._error("StartHumanLoop", request.name, error) from error

    def _not_ready(self, why: str) -> ReviewBackendNotReady:
        return ReviewBackendNotReady(
            f"Reviews of project '{self.project.name}' cannot be opened: {why}. Trigger {self.project.name}_bootstrap, "
            "which makes flows for one person and for 'reviewers_per_image' people."
        )

    def status(self, name: str) -> ReviewState | None:
        """Describe a human loop."""
        loop = self._find(name)
        return self._state(loop) if loop else None

    def states(self, since: datetime, is_known: Callable[[str], bool] = lambda _: False) -> Iterator[list[ReviewState]]:
        """List the loops of all flows that the project ever had, oldest first.

        A page of 100 costs one ListHumanLoops; where answers are is found by listing the output folder, 1,000 objects
        a call. Only a loop that failed, or whose output is not listed, is described by itself.
        """
        outputs = {flow.arn: OutputListing(self.store, flow, since) for flow in self.record.flows}

        def listed(loop: Mapping[str, Any]) -> ReviewState:
            # A list has neither the failure's code nor where the answers are.
            name, status = loop["HumanLoopName"], _STATUSES.get(loop["HumanLoopStatus"])
            if status in {ReviewStatus.OPEN, None} or is_known(name):
                return self._state(loop)
            if status is not ReviewStatus.FAILED:
                uri = outputs[loop["FlowDefinitionArn"]].find(name, loop["CreationTime"])
                if uri is not None:
                    return self._state({**loop, "HumanLoopOutput": {"OutputS3Uri": uri}})
            return self._state(self._find(name) or loop)

        merged = heapq.merge(
            *(self._loops(flow, since) for flow in self.record.flows), key=lambda loop: loop["CreationTime"]
        )
        while page := list(islice(merged, PAGE)):
            yield [listed(loop) for loop in page]

    def open_loops(self, flow: ReviewFlow) -> Iterator[str]:
        """Give the names of a flow's loops that have not ended; none can be older than a loop may live."""
        for loop in self._loops(flow, datetime.now(UTC) - LONGEST_LIFE):
            if _STATUSES.get(loop["HumanLoopStatus"]) is ReviewStatus.OPEN:
                yield loop["HumanLoopName"]

    def _loops(self, flow: ReviewFlow, since: datetime) -> Iterator[dict[str, Any]]:
        """List a flow's loops; a flow that was deleted has none."""
        pages = self.hook.loops(flow.arn, since)
        try:
            while (page := self._ask("ListHumanLoops", flow.name, lambda: next(pages, None), NOT_FOUND)) is not None:
                yield from ({**loop, "FlowDefinitionArn": flow.arn} for loop in page)
        except ClientError as error:
            log.warning("Flow %s cannot be listed, so its reviews are not seen: %s", flow.name, error)

    def state_from_event(self, body: Mapping[str, Any]) -> ReviewState | None:
        """Read EventBridge's message about a loop of one of the project's flows."""
        detail = body.get("detail")
        if body.get("source") != "aws.sagemaker" or body.get("detail-type") != EVENT or not isinstance(detail, dict):
            return None
        if detail.get("flowDefinitionArn") not in [flow.arn for flow in self.record.flows]:
            return None
        try:
            uri = (detail.get("humanLoopOutput") or {}).get("outputS3Uri")
            loop = {
                "HumanLoopName": str(detail["humanLoopName"]),
                "HumanLoopStatus": str(detail["humanLoopStatus"]),
                "CreationTime": datetime.fromisoformat(detail["creationTime"]),
                "FailureCode": detail.get("failureCode"),
                "FailureReason": detail.get("failureReason"),
                "HumanLoopOutput": {"OutputS3Uri": uri and str(uri)},
            }
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            log.warning("An event about a human loop cannot be read and is left out: %r in %s", error, body)
            return None
        return None if uri is not None and self._relative(str(uri)) is None else self._state(loop)

    def _state(self, loop: Mapping[str, Any]) -> ReviewState:
        """Read a loop as DescribeHumanLoop and ListHumanLoops give it."""
        status, reason = _STATUSES.get(loop["HumanLoopStatus"]), str(loop.get("FailureReason") or "")
        if status is None:
            status, reason = ReviewStatus.UNKNOWN, f"A2I says '{loop['HumanLoopStatus']}', which is not known here"
        elif status is ReviewStatus.FAILED and loop.get("FailureCode") == "Expired":
            status = ReviewStatus.EXPIRED
        uri = (loop.get("HumanLoopOutput") or {}).get("OutputS3Uri")
        ours = uri if status.is_final and uri and self._relative(uri) else None
        created_at = loop["CreationTime"].astimezone(UTC).isoformat(timespec="microseconds")
        return ReviewState(loop["HumanLoopName"], status, created_at, ours, reason)

    def answers(self, state: ReviewState) -> Answered | None:
        """Read a loop's output, which costs one call.

        Answers that cannot be counted are named with the reason: another template's, a label that was not offered,
        boxes on another picture.
        """
        relative = self._relative(state.answers_uri) if state.answers_uri else None
        if relative is None:
            return None
        try:
            body, _ = self.store.read_bytes(relative, expect=MISSING)
        except ClientError:
            log.warning("There is nothing at %s, where the answers of %s should be.", state.answers_uri, state.name)
            return None
        return read_output(body, state)

    def _relative(self, uri: str) -> str | None:
        """Give the key of a loop's output in the project's bucket; ``None`` for one elsewhere, which is not read."""
        root = self.store.uri()
        relative = uri.removeprefix(root)
        if uri.startswith(root) and relative.startswith(A2I_OUTPUT) and relative.endswith("/output.json"):
            return relative
        log.warning("The answers at %s are not below %s and are left alone.", uri, self.store.uri(A2I_OUTPUT))
        return None

    def _find(self, name: str) -> dict[str, Any] | None:
        return self._ask("DescribeHumanLoop", name, lambda: self.hook.find_loop(name))

    def _ask(
        self, operation: str, subject: str, call: Callable[[], Result], expect: frozenset[str] = frozenset()
    ) -> Result:
        try:
            return call()
        except (ClientError, BotoCoreError) as error:
            if isinstance(error, ClientError) and error_code(error) in expect:
                raise
            raise self._error(operation, subject, error) from error

    def _error(self, operation: str, subject: str, error: Exception) -> ReviewBackendError:
        return ReviewBackendError(
            f"A2I refused {operation} of {subject}, or could not be asked: {error}. The Airflow connection is "
            f"'{self.project.aws_conn_id}'; allow it sagemaker:{operation} if that is what is missing (the policy in "
            "include/infra has it), else run the task again.",
            is_passing=is_passing(error),
        )


def loop_input(request: ReviewRequest) -> str:
    """Write a loop's InputContent, byte for byte the same whenever the request is the same.

    It is the request, with the image under the name that the template reads. Where an image may have several labels or
    boxes, ``initialValue`` is what the model found, which people correct; an audit has none. Of at most 250 labels and
    50 boxes, it is far below the 3 MB that A2I takes.
    """
    content = {**to_json(request), "taskObject": request.image}
    if request.purpose is not Purpose.AUDIT:
        if request.task is ProjectTask.OBJECT_DETECTION:
            content["initialValue"] = [
                {"label": box.label, "left": box.left, "top": box.top, "width": box.width, "height": box.height}
                for box in request.boxes
            ]
        elif request.task is ProjectTask.MULTI_LABEL_CLASSIFICATION:
            content["initialValue"] = list(request.guesses)
    return json.dumps(content, sort_keys=True, ensure_ascii=False)
