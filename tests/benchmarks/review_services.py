"""Where reviews are asked, as the benchmark of the backends takes it: people who answer, and a plain loop beside ours.

A plain loop is what somebody writes first with the service's own API: one image after the other, the first answer,
straight to its label; no budget, no consensus, no ledger, and nothing of it can be repeated after a kill.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Protocol

from custom_labels.core.settings import Project, load_project
from custom_labels.s3.store import S3Store
from tests.kit.support import BUCKET, LABELS, client, s3, wait_until

if TYPE_CHECKING:
    from custom_labels.review.backends.a2i.backend import A2IReviewBackend
    from custom_labels.review.review import ReviewRequest
    from include.local_aws.process import LocalAws

PEOPLE = 4
"""Who answer at the same time."""
ANSWERED_WITHIN_SECONDS = 900


class Service(Protocol):
    """A project of one label an image that is set up at a backend."""

    project: Project
    store: S3Store

    def answer(self, opened: int) -> None:
        """Let people answer all that is open.

        :param opened: reviews that were opened since the beginning.
        """
        ...

    def open_plainly(self, requests: Sequence[ReviewRequest]) -> int:
        """Ask about images, or about as many as the service takes at a time; give how many."""
        ...

    def harvest_plainly(self) -> None:
        """Copy each image to the folder of what was answered."""
        ...


class A2IService:
    """Amazon A2I: a human loop an image, which is described and whose output is read by itself."""

    def __init__(self, aws: LocalAws) -> None:
        from tests.kit.review_project import set_up_review

        made = set_up_review(aws, reviewers=(1,), announced=False)
        aws.control.quotas(loops_per_flow=1_000_000)
        self.aws, self.project, self.store = aws, made.project, made.store
        self.backend: A2IReviewBackend = made.backend
        self.flow = self.backend.record.flows[0].arn

    def answer(self, opened: int) -> None:
        employ(self.aws, opened)

    def open_plainly(self, requests: Sequence[ReviewRequest]) -> int:
        from custom_labels.review.backends.a2i.backend import loop_input

        for request in requests:
            self.backend.hook.client.start_human_loop(
                HumanLoopName=request.name,
                FlowDefinitionArn=self.flow,
                HumanLoopInput={"InputContent": loop_input(request)},
            )
        return len(requests)

    def harvest_plainly(self) -> None:
        runtime, storage = self.backend.hook.client, self.store.client
        for page in runtime.get_paginator("list_human_loops").paginate(FlowDefinitionArn=self.flow):
            for loop in page["HumanLoopSummaries"]:
                described = runtime.describe_human_loop(HumanLoopName=loop["HumanLoopName"])
                bucket, _, key = described["HumanLoopOutput"]["OutputS3Uri"].removeprefix("s3://").partition("/")
                output = json.loads(storage.get_object(Bucket=bucket, Key=key)["Body"].read())
                label = output["humanAnswers"][0]["answerContent"]["shown"]["label"]
                copy(self.store, output["inputContent"]["key"], label)


class GroundTruthService:
    """SageMaker Ground Truth: one labeling job of all images, whose output manifest has the labels."""

    JOB = "plain-job"

    def __init__(self, aws: LocalAws) -> None:
        from tests.kit.labeling import set_up_labeling

        self.aws = aws
        self.project, self.store, self.backend = set_up_labeling(aws)
        unannounce(aws)

    def answer(self, opened: int) -> None:
        employ(self.aws, opened)
        sagemaker = self.backend.hook.client
        # A job ends a moment after its last answer.
        wait_until(lambda: {each["LabelingJobStatus"] for each in jobs(sagemaker)} == {"Completed"})

    def open_plainly(self, requests: Sequence[ReviewRequest]) -> int:
        from custom_labels.review.backends.ground_truth.job import Batch

        batch = Batch(tuple(requests))
        self.backend.files.write(self.JOB, batch, self.backend.template())
        self.backend.hook.client.create_labeling_job(**self.backend._request(self.JOB, batch))
        return len(requests)

    def harvest_plainly(self) -> None:
        from custom_labels.review.backends.ground_truth.job import ATTRIBUTE

        described = self.backend.hook.client.describe_labeling_job(LabelingJobName=self.JOB)
        bucket, _, key = described["LabelingJobOutput"]["OutputDatasetS3Uri"].removeprefix("s3://").partition("/")
        for text in self.store.client.get_object(Bucket=bucket, Key=key)["Body"].iter_lines():
            line = json.loads(text)
            copy(self.store, line["review"]["key"], line[f"{ATTRIBUTE}-metadata"]["class-name"])


class AirflowService:
    """Airflow's own page; who would do without the package records each image, and reads each record."""

    PLAIN = "plain/"

    def __init__(self, aws: LocalAws) -> None:
        from tests.kit.airflow_page import set_up_page

        review = {"backend": "airflow", "airflow": {"most_open": 500}}
        self.aws = aws
        self.project = Project.model_validate({**load_project("digits").model_dump(), "review": review})
        self.backend = set_up_page(aws, self.project)
        self.store = self.backend.records.store
        unannounce(aws)

    def answer(self, opened: int) -> None:
        """Answer what is open, as the operator that asks records an answer; and the records of the plain loop."""
        from custom_labels.review.backends.airflow_page.page_review import given_answer

        def answer(name: str) -> bool:
            found = self.backend.records.read(name)
            assert found is not None
            event = {"chosen_options": [label_of(found.request.key)], "responded_by_user": {"id": "1", "name": "anna"}}
            given = given_answer(event, self.project.name)
            assert given is not None
            return self.backend.records.answer(name, given) is not None

        def answer_plainly(key: str) -> bool:
            record = self._read(key)
            self._write(record["key"], {**record, "label": label_of(record["key"])})
            return True

        with ThreadPoolExecutor(PEOPLE) as pool:
            answered = [*pool.map(answer, self.backend.records.open_names()), *pool.map(answer_plainly, self._plain())]
        assert all(answered)

    def open_plainly(self, requests: Sequence[ReviewRequest]) -> int:
        for request in requests:
            self._write(request.key, {"key": request.key, "labels": request.labels})
        return len(requests)

    def harvest_plainly(self) -> None:
        for record in self._plain():
            found = self._read(record)
            copy(self.store, found["key"], found["label"])

    def _plain(self) -> Iterator[str]:
        for page in self.store.client.get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix=self.PLAIN):
            yield from (entry["Key"] for entry in page.get("Contents", []))

    def _read(self, key: str) -> dict[str, Any]:
        return dict(json.loads(self.store.client.get_object(Bucket=BUCKET, Key=key)["Body"].read()))

    def _write(self, key: str, record: Mapping[str, Any]) -> None:
        place = f"{self.PLAIN}{key.replace('/', '-')}.json"
        self.store.client.put_object(Bucket=BUCKET, Key=place, Body=json.dumps(record).encode())


class LabelStudioService:
    """A real Label Studio: a task an image, added and read by itself."""

    def __init__(self, aws: LocalAws) -> None:
        from uuid import uuid4

        from tests.kit.label_studio import QUEUE, make_project, set_up_asking

        project = make_project(aws, f"benchmark/{uuid4().hex}/")
        made = set_up_asking(aws, project, 1, labels=LABELS, with_storages=False)
        client(aws, "sqs").create_queue(QueueName=QUEUE)
        self.aws, self.project, self.store, self.client = aws, project, made.store, made.client
        self.asking = made.backend.asking[1].id
        self.tasks: list[int] = []

    def answer(self, opened: int) -> None:
        from custom_labels.review.backends.label_studio.task_content import is_open
        from tests.kit.label_studio import choice

        def answer(task: Mapping[str, Any]) -> None:
            label = label_of(task["data"]["image"])
            self.client.post(f"/api/tasks/{task['id']}/annotations/", {"result": choice(label)})

        query = {"project": self.asking, "fields": "all", "resolve_uri": "false", "page_size": 500}
        numbers = range(1, -(-opened // 500) + 1)
        tasks = [
            each for number in numbers for each in self.client.get("/api/tasks/", {**query, "page": number})["tasks"]
        ]
        assert len(tasks) == opened
        with ThreadPoolExecutor(PEOPLE) as pool:
            list(pool.map(answer, filter(is_open, tasks)))

    def open_plainly(self, requests: Sequence[ReviewRequest]) -> int:
        from custom_labels.review.backends.label_studio.task_content import task_of

        for request in requests:
            task = task_of(request)
            made = self.client.post("/api/tasks/", {"project": self.asking, "data": task["data"], "meta": task["meta"]})
            self.tasks.append(made["id"])
        return len(requests)

    def harvest_plainly(self) -> None:
        for number in self.tasks:
            task = self.client.get(f"/api/tasks/{number}/")
            (chosen,) = task["annotations"][0]["result"][0]["value"]["choices"]
            copy(self.store, task["meta"]["request"]["key"], chosen)


SERVICES: Mapping[str, Callable[[LocalAws], Service]] = {
    "a2i": A2IService,
    "ground_truth": GroundTruthService,
    "label_studio": LabelStudioService,
    "airflow": AirflowService,
}


def copy(store: S3Store, key: str, label: str) -> None:
    """Copy an image to its label's folder.

    :param key: relative to the project's prefix.
    """
    target = store.key(f"images_labeled_by_folder/{label}/{key.rpartition('/')[2]}")
    source = {"Bucket": store.bucket, "Key": store.key(key)}
    store.client.copy_object(Bucket=store.bucket, Key=target, CopySource=source)  # type: ignore[arg-type]


def label_of(key: str) -> str:
    """Give what an image shows: the folder that it is in."""
    return key.rsplit("/", 2)[1]


def employ(aws: LocalAws, opened: int) -> None:
    """Let the simulated workforce answer until all that was opened is answered."""
    if not aws.control.workforce_state()["employed"]:
        aws.control.workforce(seconds=0)
    wait_until(lambda: aws.control.workforce_state()["answered"] == opened, ANSWERED_WITHIN_SECONDS)


def unannounce(aws: LocalAws) -> None:
    """Take S3's messages from the queues: the embedded SQS gets slower with each that waits."""
    s3(aws).put_bucket_notification_configuration(Bucket=BUCKET, NotificationConfiguration={})
    client(aws, "events").remove_targets(Rule=BUCKET, Ids=["queue"])


def jobs(sagemaker: Any) -> list[dict[str, Any]]:
    """List the labeling jobs."""
    pages = sagemaker.get_paginator("list_labeling_jobs").paginate()
    return [job for page in pages for job in page["LabelingJobSummaryList"]]
