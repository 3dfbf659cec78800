"""A real Label Studio for tests, the projects that ask there, and the people who answer."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from custom_labels.core.project_task import ProjectTask
from custom_labels.core.settings import Project
from custom_labels.review.harvest import HarvestRules
from custom_labels.review.harvest_inspection_records import HarvestInspection, read_batch, write_batches
from custom_labels.review.harvest_work import Watermark
from custom_labels.review.harvest_writer import Harvester
from custom_labels.review.review import Answered, ReviewRequest
from custom_labels.s3.line_files import list_keys
from custom_labels.s3.store import S3Store
from tests.kit.support import BUCKET, client, picture, s3

if TYPE_CHECKING:
    from custom_labels.review.backends.label_studio.backend import LabelStudioBackend
    from custom_labels.review.backends.label_studio.client import LabelStudioClient
    from include.label_studio.server import LabelStudio
    from include.local_aws.process import LocalAws

CONN_ID, STORAGE_CONN_ID = "label_studio_default", "label_studio_storage"
QUEUE = "custom-labels-digits-reviews"


def connections(server: LabelStudio, url: str = "") -> dict[str, str]:
    """Give the connections to Label Studio, and to S3 for it, as environment variables of Airflow.

    :param url: of a proxy before it.
    """
    host, _, port = (url or server.url).removeprefix("http://").partition(":")
    studio = {"conn_type": "http", "host": host, "port": int(port), "password": server.account.token}
    storage = {"conn_type": "aws", "login": "test", "password": "test"}
    return {
        f"AIRFLOW_CONN_{CONN_ID.upper()}": json.dumps(studio),
        f"AIRFLOW_CONN_{STORAGE_CONN_ID.upper()}": json.dumps(storage),
    }


def make_project(
    aws: LocalAws, prefix: str, task: ProjectTask = ProjectTask.IMAGE_CLASSIFICATION, **part: Any
) -> Project:
    """Make a project that asks at Label Studio; another prefix is another project there."""
    named = {"storage_conn_id": STORAGE_CONN_ID, "s3_endpoint": aws.endpoint_url, **part}
    review = {
        "backend": "label_studio",
        "title": "What is <this>?",
        "instructions": "Look & choose.\n\nTake your time.",
        "label_studio": named,
    }
    return Project.model_validate(
        {
            "name": "digits",
            "bucket": BUCKET,
            "prefix": prefix,
            "task": task,
            "region_name": "us-east-1",
            "review": review,
            "queues": {"reviews": f"https://sqs.us-east-1.amazonaws.com/123456789012/{QUEUE}"},
        }
    )


@dataclass(frozen=True)
class Asked:
    """A project that is set up at Label Studio, and those who answer there."""

    aws: LocalAws
    project: Project
    store: S3Store
    backend: LabelStudioBackend

    @property
    def client(self) -> LabelStudioClient:
        """The client of the project."""
        return self.backend.client

    def task(self, name: str) -> dict[str, Any]:
        """Give the task of a review."""
        (found,) = self.backend._find([name])
        return found

    def annotate(self, name: str, result: list[dict[str, Any]], by: int | None = None, **more: Any) -> int:
        """Answer a review over the REST API; give the annotation's number."""
        body = {"result": result, **more, **({"completed_by": by} if by else {})}
        made = self.client.post(f"/api/tasks/{self.task(name)['id']}/annotations/", body)
        return int(made["id"])

    def answered(self, name: str) -> Answered:
        """Read the answers to a review."""
        state = self.backend.status(name)
        assert state
        found = self.backend.answers(state)
        assert found
        return found


def set_up_asking(
    aws: LocalAws, project: Project, *reviewers: int, labels: tuple[str, ...] = ("a", "b"), with_storages: bool = True
) -> Asked:
    """Make the bucket, and the projects at Label Studio with their storages, or to be quicker without these."""
    from custom_labels.review.backends.label_studio.backend import LabelStudioBackend
    from custom_labels.review.backends.label_studio.setup import set_up

    s3(aws).create_bucket(Bucket=BUCKET)
    cors = {"CORSRules": [{"AllowedMethods": ["GET"], "AllowedOrigins": ["*"]}]}
    s3(aws).put_bucket_cors(Bucket=BUCKET, CORSConfiguration=cors)  # type: ignore[arg-type]
    store = S3Store(project.bucket, project.prefix, project.aws_conn_id, project.region_name)
    backend = LabelStudioBackend(project, store)
    for count in reviewers or (1,):
        if with_storages:
            set_up(backend, count, labels)
        else:
            for each in {1, count}:
                backend.projects.ensure(each, labels, None)
    return Asked(aws, project, store, backend)


def put_image(asked: Asked, key: str, label: str = "rows", body: bytes | None = None) -> str:
    """Put an image into the project's bucket; give its ETag."""
    content = picture(label, len(key)) if body is None else body
    put = s3(asked.aws).put_object(Bucket=BUCKET, Key=asked.store.key(key), Body=content, ContentType="image/png")
    return put["ETag"].strip('"')


def announce_answers(asked: Asked) -> None:
    """Let the bucket announce what Label Studio writes to the queue of the reviews."""
    client(asked.aws, "sqs").create_queue(QueueName=QUEUE)
    rule = {"Name": "prefix", "Value": asked.store.key("reviews/label_studio/")}
    notification = {
        "QueueArn": f"arn:aws:sqs:us-east-1:123456789012:{QUEUE}",
        "Events": ["s3:ObjectCreated:*"],
        "Filter": {"Key": {"FilterRules": [rule]}},
    }
    s3(asked.aws).put_bucket_notification_configuration(
        Bucket=BUCKET,
        NotificationConfiguration={"QueueConfigurations": [notification]},  # type: ignore[list-item]
    )


def announced(asked: Asked) -> list[dict[str, Any]]:
    """Receive the messages about answers."""
    sqs = client(asked.aws, "sqs")
    url = sqs.get_queue_url(QueueName=QUEUE)["QueueUrl"]
    found = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
    return [json.loads(each["Body"]) for each in found]


def account(client: LabelStudioClient, name: str) -> int:
    """Give the number of a person's account at Label Studio, made where there is none."""
    email = f"{name}@localhost.local"
    present = {each["email"]: each["id"] for each in client.get("/api/users/")}
    if email in present:
        return int(present[email])
    made = client.post("/api/users/", {"email": email, "username": email, "password": "secret-enough-1"})
    return int(made["id"])


def choice(*labels: str) -> list[dict[str, Any]]:
    """Give the result of somebody who chose labels."""
    return [{"from_name": "shown", "to_name": "image", "type": "choices", "value": {"choices": list(labels)}}]


def rectangle(label: str, x: float, y: float, width: float, height: float, **more: Any) -> dict[str, Any]:
    """Give one of the results of somebody who drew boxes, in percent of a picture of 96 x 96 pixels."""
    value = {"x": x, "y": y, "width": width, "height": height, "rotation": 0, "rectanglelabels": [label]}
    base: Mapping[str, Any] = {"original_width": 96, "original_height": 96, "image_rotation": 0}
    return {"from_name": "shown", "to_name": "image", "type": "rectanglelabels", "value": value, **base, **more}


def names(requests: list[ReviewRequest]) -> frozenset[str]:
    """Give the requests' names."""
    return frozenset(request.name for request in requests)


def harvest(asked: Asked) -> set[str]:
    """Harvest the answers as the DAG's tasks do it; give what is labelled in the bucket then, without the prefix."""
    store, now = asked.store, datetime.now(UTC)
    rules = HarvestRules("digits", asked.project.prefix, quorum=1, maximum_rounds=1)
    harvester = Harvester(store, asked.backend, rules, lambda _: None)
    found = HarvestInspection(store, asked.backend, Watermark()).run(None, now, by_queue_only=False)
    for batch in write_batches(store, f"{now:%Y-%m-%d}-000001", found, now, 60):
        harvester.harvest(batch, read_batch(store, batch), is_repeated=False)
    folders = ("images_labeled_by_folder/", "annotations/reviewed/")
    return {key for folder in folders for page in list_keys(store, folder) for key in page}
