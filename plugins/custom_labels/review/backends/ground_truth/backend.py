"""Reviews at SageMaker Ground Truth: one labeling job for all that a run opens and that can be asked alike."""

from __future__ import annotations

import hashlib
import json
import logging
import threading
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeVar

from botocore.exceptions import BotoCoreError, ClientError

from custom_labels.aws.hooks.labeling import LabelingHook, lambda_arn
from custom_labels.core.names import PROJECT_TAG
from custom_labels.core.settings import Project
from custom_labels.review.backends.base import (
    OpenedTogether,
    ReviewBackendError,
    ReviewBackendFull,
    ReviewBackendNotReady,
    Trouble,
)
from custom_labels.review.backends.ground_truth.answers import read_output_line, read_responses
from custom_labels.review.backends.ground_truth.events import created_key
from custom_labels.review.backends.ground_truth.job import ATTRIBUTE, FIELDS, Batch, batches, job_prefix
from custom_labels.review.backends.ground_truth.job_files import JobFiles, job_of_output, response_place
from custom_labels.review.backends.ground_truth.job_states import JobStates, LabelingJob
from custom_labels.review.backends.ground_truth.project_file import GroundTruthPart
from custom_labels.review.backends.registry import review_of
from custom_labels.review.backends.worker_page import read_template
from custom_labels.review.review import Answered, ReviewRequest, ReviewState, ReviewStatus
from custom_labels.s3.errors import error_code, is_passing
from custom_labels.s3.store import S3Store

if TYPE_CHECKING:
    from mypy_boto3_sagemaker.type_defs import CreateLabelingJobRequestTypeDef

log = logging.getLogger(__name__)
Result = TypeVar("Result")
SHORTEST_LIFE_SECONDS = 60
"""TaskAvailabilityLifetimeInSeconds at least (SageMaker API reference)."""
LONGEST_LIFE = timedelta(days=31)
"""A labeling job expires after 30 days."""
_REFUSED = frozenset({"ResourceLimitExceeded", "ValidationException"})
"""Answers to CreateLabelingJob that stay the same however often a task is retried."""


class GroundTruthReviewBackend:
    """Creates, lists and reads labeling jobs. It may be used by several threads at once.

    Before a job is created each review of it is claimed for it by an object in the bucket, which names the job. A job
    that was claimed for and not created, because its run was killed, is replaced by that of the next run.

    :param project: the project, with a ``review`` part.
    :param store: the project's bucket and prefix.
    """

    def __init__(self, project: Project, store: S3Store) -> None:
        self.project = project
        self.store = store
        self.files = JobFiles(store)
        self._lock = threading.Lock()
        self._hook: LabelingHook | None = None
        self._created: dict[str, LabelingJob | None] = {}

    @property
    def hook(self) -> LabelingHook:
        """The hook of the project's connection and region, with its client made."""
        with self._lock:
            if self._hook is None:
                self._hook = LabelingHook(self.project.aws_conn_id, region_name=self.project.region_name)
                _ = self._hook.client
            return self._hook

    @property
    def part(self) -> GroundTruthPart:
        """The backend's part of the project file."""
        return review_of(self.project).part_of(GroundTruthPart)

    @property
    def lifetime(self) -> timedelta:
        """How long people have for an image."""
        return timedelta(seconds=max(SHORTEST_LIFE_SECONDS, round(review_of(self.project).lifetime_hours * 3600)))

    def template(self) -> str:
        """Give the worker page, with the project's title and instructions.

        :raises SettingError: the template is missing, too long, or lacks the field that answers are read by.
        """
        part, task = self.part, self.project.task
        path = part.template_path(task)
        where = f"'review.ground_truth.template' of project '{self.project.name}' is '{part.template or path}'"
        return read_template(path, where, review_of(self.project), task, FIELDS[task])

    def setup_name(self) -> str:
        """Name what jobs are created with: the page, the people, their role and their time."""
        shown = json.dumps([self.template(), self.part.model_dump(), self.lifetime.total_seconds()], sort_keys=True)
        return hashlib.sha256(shown.encode()).hexdigest()[:16]

    def open(self, requests: Sequence[ReviewRequest]) -> OpenedTogether:
        """Create a job for all requests that can be asked alike; those that a job has already are left to it.

        A request that waits twice, since a killed run had added it, is asked once.
        """
        new: set[str] = set()
        unsure: set[str] = set()
        troubles: list[Trouble] = []
        wanted = {request.name: request for request in requests}
        try:
            known = self._find_known(set(wanted))
        except ReviewBackendError as error:
            return OpenedTogether(troubles=(error,))
        for batch in batches(request for name, request in wanted.items() if name not in known):
            try:
                self._create(batch)
            except (ReviewBackendFull, ReviewBackendNotReady) as error:
                troubles.append(error)
                break
            except ReviewBackendError as error:
                log.warning("%d reviews are not opened: %s", len(batch.requests), error)
                troubles.append(error)
                if error.is_passing:
                    unsure |= batch.names
                    break
            else:
                new |= batch.names
        return OpenedTogether(frozenset(new), known, frozenset(unsure), tuple(troubles))

    def _find_known(self, names: set[str]) -> frozenset[str]:
        """Name the reviews that a job asks which was created."""
        claims = self.files.claims(names)
        created = {job for job in {*claims.values()} if self._find(job) is not None}
        return frozenset(name for name, job in claims.items() if job in created)

    def _create(self, batch: Batch) -> None:
        """Create a job; one of that name is of the same reviews and is adopted."""
        name = batch.job_name(self.project.name)
        self.files.write(name, batch, self.template())
        self.files.claim(batch.names, name)
        request = self._request(name, batch)
        try:
            is_new = self._ask("CreateLabelingJob", name, lambda: self.hook.create_job(request), _REFUSED)
        except ClientError as error:
            if error_code(error) == "ResourceLimitExceeded":
                raise ReviewBackendFull(
                    f"Ground Truth takes no more labeling jobs for now: {error}. The rest waits until jobs have ended; "
                    "Service Quotas may raise the limit."
                ) from error
            raise ReviewBackendNotReady(
                f"AWS refused what 'review' in {self.project.name}.yaml asks for: {error}. Correct it there, and "
                f"trigger {self.project.name}_bootstrap, which checks it. An account that has not used Ground "
                "Truth before is refused whatever it asks for: choose another 'backend'."
            ) from error
        log.info("Labeling job %s %s %d reviews.", name, "asks" if is_new else "was there and asks", len(batch.names))

    def _request(self, name: str, batch: Batch) -> CreateLabelingJobRequestTypeDef:
        review, part, kind = review_of(self.project), self.part, batch.kind
        region = self.hook.region
        before, after = lambda_arn(f"PRE-{kind}", region), lambda_arn(f"ACS-{kind}", region)
        if before is None or after is None:
            raise ReviewBackendNotReady(
                f"Ground Truth has no functions for labeling jobs in {region}, the region of project "
                f"'{self.project.name}'. Set 'region_name' in {self.project.name}.yaml to one that has them, or choose "
                "another 'backend' of 'review'."
            )
        return {
            "LabelingJobName": name,
            "LabelAttributeName": ATTRIBUTE,
            "InputConfig": {"DataSource": {"S3DataSource": {"ManifestS3Uri": self.files.uri(name, "input.manifest")}}},
            "OutputConfig": {"S3OutputPath": self.files.output},
            "RoleArn": part.role_arn,
            "LabelCategoryConfigS3Uri": self.files.uri(name, "categories.json"),
            "HumanTaskConfig": {
                "WorkteamArn": part.workteam_arn,
                "UiConfig": {"UiTemplateS3Uri": self.files.uri(name, "page.liquid.html")},
                "PreHumanTaskLambdaArn": before,
                "TaskTitle": review.title,
                "TaskDescription": f"Say what images of the project {self.project.name} show."[:255],
                "NumberOfHumanWorkersPerDataObject": batch.reviewers,
                "TaskTimeLimitInSeconds": part.task_seconds,
                "TaskAvailabilityLifetimeInSeconds": round(self.lifetime.total_seconds()),
                "AnnotationConsolidationConfig": {"AnnotationConsolidationLambdaArn": after},
            },
            "Tags": [{"Key": PROJECT_TAG, "Value": self.project.name}],
        }

    def status(self, name: str) -> ReviewState | None:
        """Describe a review by the job that it is claimed for."""
        job_name = self.files.claims({name}).get(name)
        job = self._find(job_name) if job_name else None
        index = self._index(job.name, name) if job else None
        return self._states(job).one(index, name) if job and index is not None else None

    def states(self, since: datetime, is_known: Callable[[str], bool] = lambda _: False) -> Iterator[list[ReviewState]]:
        """List the reviews of all jobs of the project, the oldest job first.

        A page of 100 jobs costs one ListLabelingJobs; of a job its manifests and the list of its answers are read, and
        where several people are asked each file of answers that may not be complete.
        """
        for page in self._pages(since):
            for job in page:
                if states := self._states(job).all(is_known):
                    yield states

    def _pages(self, since: datetime) -> Iterator[list[LabelingJob]]:
        """List the project's jobs; another project's may be named alike, and read their manifests elsewhere."""
        prefix = job_prefix(self.project.name)
        pages = self.hook.jobs(prefix, since)
        while (page := self._ask("ListLabelingJobs", prefix, lambda: next(pages, None))) is not None:
            yield [
                LabelingJob.read(job)
                for job in page
                if job.get("InputConfig", {}).get("DataSource", {}).get("S3DataSource", {}).get("ManifestS3Uri")
                == self.files.uri(job["LabelingJobName"], "input.manifest")
            ]

    def open_jobs(self) -> Iterator[str]:
        """Name the jobs that have not ended; none can be older than a job may live."""
        for page in self._pages(datetime.now(UTC) - LONGEST_LIFE):
            yield from (job.name for job in page if job.is_open)

    def state_from_event(self, body: Mapping[str, Any]) -> ReviewState | None:
        """Read S3's message about a file with the answers to one review.

        Other files of a job are of no use; for them the state of a review is given that has not ended.
        """
        key = created_key(body, self.store.bucket, self.store.prefix)
        job_name = job_of_output(key) if key else None
        if key is None or job_name is None or not job_name.startswith(job_prefix(self.project.name)):
            return None
        requests, place = self.files.requests(job_name), response_place(key)
        job = self._remembered(job_name) if requests else None
        if job is None:
            return None
        if place is None or place.index >= len(requests):
            return ReviewState(job_name, ReviewStatus.OPEN, job.created_at)
        request = requests[place.index]
        is_whole = request.reviewers == 1 or len(self.files.read_answers(key)) >= request.reviewers
        status = ReviewStatus.COMPLETED if is_whole else ReviewStatus.OPEN
        return ReviewState(request.name, status, job.created_at, self.store.uri(key) if is_whole else None)

    def answers(self, state: ReviewState) -> Answered | None:
        """Read what each person said, or what they said together where only that is there."""
        uri, root = state.answers_uri or "", self.store.uri()
        key = uri.removeprefix(root)
        job = job_of_output(key) if uri.startswith(root) else None
        index = self._index(job, state.name) if job else None
        if job is None or index is None:
            return None
        request = self.files.requests(job)[index]
        if key == self.files.output_key(job):
            return read_output_line(self.files.output_lines(job)[index], request, state.created_at)
        return read_responses(self.files.read_answers(key), request, state.created_at)

    def cancel(self, names: Collection[str]) -> None:
        """Stop each job that asks no other reviews; else the reviews are recorded as cancelled.

        An image of a job cannot be taken back: people may still see it, and what they say of it is of no use any more.
        """
        by_job: dict[str, set[str]] = defaultdict(set)
        for name, job_name in self.files.claims({*names}).items():
            by_job[job_name].add(name)
        for job_name, cancelled in by_job.items():
            job = self._find(job_name)
            if job is None or not job.is_open:
                continue
            if any(not state.status.is_final for state in self._states(job).all() if state.name not in cancelled):
                self.files.cancel(job_name, cancelled)
            else:
                self.stop(job_name)

    def stop(self, job: str) -> None:
        """Stop a job."""
        self._ask("StopLabelingJob", job, lambda: self.hook.stop_job(job))

    def _states(self, job: LabelingJob) -> JobStates:
        return JobStates(self.files, job, self.lifetime)

    def _index(self, job: str, name: str) -> int | None:
        """Give a review's place in a job's manifest."""
        names = [request.name for request in self.files.requests(job)]
        return names.index(name) if name in names else None

    def _remembered(self, name: str) -> LabelingJob | None:
        """Describe a job once, for what never changes about it."""
        if name not in self._created:
            self._created[name] = self._find(name)
        return self._created[name]

    def _find(self, name: str) -> LabelingJob | None:
        found = self._ask("DescribeLabelingJob", name, lambda: self.hook.describe_job(name))
        return LabelingJob.read(found.raw) if found.status is not None else None

    def _ask(
        self, operation: str, subject: str, call: Callable[[], Result], expect: frozenset[str] = frozenset()
    ) -> Result:
        try:
            return call()
        except (ClientError, BotoCoreError) as error:
            if isinstance(error, ClientError) and error_code(error) in expect:
                raise
            raise ReviewBackendError(
                f"Ground Truth refused {operation} of {subject}, or could not be asked: {error}. The Airflow "
                f"connection is '{self.project.aws_conn_id}'; allow it sagemaker:{operation} if that is what is "
                "missing, else run the task again.",
                is_passing=is_passing(error),
            ) from error
