"""What the tests of the harvest share: people who answer as told, and what came of it in the bucket."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode
from urllib.request import Request, urlopen

from custom_labels.core.queues import project_queue
from custom_labels.datasets.label_names import NONE_OF_THE_ABOVE
from custom_labels.review.harvest import HarvestRules
from custom_labels.review.harvest_inspection_records import HarvestInspection, read_batch, write_batches
from custom_labels.review.harvest_records import move_watermark, read_watermark
from custom_labels.review.harvest_work import HarvestResult
from custom_labels.review.harvest_writer import Harvester
from custom_labels.review.opening_records import ReviewOpener
from custom_labels.review.review import ReviewRequest
from custom_labels.review.settings import HarvestSettings
from custom_labels.review.waiting_records import WaitingReviews
from tests.kit.dag_runs import Run, run_dag
from tests.kit.review_project import ReviewProject, stop, wait_until_ended, with_review
from tests.kit.support import BUCKET, client, s3, wait_until
from tests.kit.task_contexts import default_settings

if TYPE_CHECKING:
    from include.local_aws.process import LocalAws

LABELLED = "images_labeled_by_folder/"
NONE_FITS = "reviews/none_of_the_above/"

harvest = partial(run_dag, "harvest_reviews")

RULES = HarvestRules("digits", "", quorum=1, maximum_rounds=3)


def answer(aws: LocalAws, loop: str, label: str | None, worker: str = "anna") -> None:
    """Answer a review as a person does at the worker portal; ``None`` is none of the above."""
    submit(aws, loop, {"label": NONE_OF_THE_ABOVE if label is None else label}, worker)


def submit(aws: LocalAws, loop: str, answer: Any, worker: str = "anna", field: str = "shown") -> None:
    """Let the page of a review send an answer, whatever it is, by the element named ``field``."""
    portal = f"{aws.endpoint_url}/_local_aws/work/task"
    with urlopen(f"{portal}?{urlencode({'worker': worker, 'region': 'us-east-1', 'loop': loop})}") as page:
        found = re.search(r'id="local-aws-task">(.*?)</script>', page.read().decode())
    assert found, "the task is not open to this worker"
    content = json.dumps({field: answer})
    form = urlencode({**json.loads(found[1]), "answer": content}).encode()
    with urlopen(Request(portal, form)) as kept:
        assert kept.status == 200


def ask(review_project: ReviewProject, *requests: ReviewRequest) -> None:
    """Open reviews as the DAGs do, so that they are on record."""
    WaitingReviews(review_project.store).add("asked-by-a-test", requests)
    opening = ReviewOpener(review_project.store, review_project.backend, budget=10_000).run()
    assert opening.opened == len(requests), opening


def ask_and_answer(
    aws: LocalAws, review_project: ReviewProject, request: ReviewRequest, votes: Iterable[str | None]
) -> None:
    """Open a review and let one person after the other answer it."""
    ask(review_project, request)
    answer_all(aws, review_project, request.name, votes)


def answer_all(
    aws: LocalAws, review_project: ReviewProject, loop: str, votes: Iterable[str | None], first: int = 0
) -> None:
    """Let people answer a review, each once, until it has ended."""
    for number, label in enumerate(votes, start=first):
        answer(aws, loop, label, f"worker-{number}")
    wait_until(lambda: (state := review_project.backend.status(loop)) is not None and state.status.is_final)


def keys(aws: LocalAws, prefix: str) -> list[str]:
    """List the keys below a prefix."""
    pages = s3(aws).get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix=prefix)
    return [entry["Key"] for page in pages for entry in page.get("Contents", [])]


def copies(aws: LocalAws) -> list[str]:
    """Give the labels that harvested images were copied to, one entry a copy."""
    return [key.split("/")[1] for key in keys(aws, LABELLED)]


def ledger(aws: LocalAws) -> list[dict[str, Any]]:
    """Read all lines of the ledger."""
    return lines(aws, "reviews/harvested/")


def waiting(aws: LocalAws) -> list[dict[str, Any]]:
    """Read all requests that wait."""
    return [line["request"] for line in lines(aws, "reviews/waiting/")]


def lines(aws: LocalAws, prefix: str) -> list[dict[str, Any]]:
    """Read all files of JSON Lines below a prefix."""
    bodies = [s3(aws).get_object(Bucket=BUCKET, Key=key)["Body"].read() for key in keys(aws, prefix)]
    return [json.loads(line) for body in bodies for line in body.splitlines()]


def fates(aws: LocalAws) -> list[str]:
    """Give what became of each review, in the order of the ledger."""
    return [line["review_outcome"] for line in ledger(aws)]


def messages(aws: LocalAws, review_project: ReviewProject) -> int:
    """Count the messages about reviews that are in the queue, those that are being worked on included."""
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    found = client(aws, "sqs").get_queue_attributes(QueueUrl=review_project.queues["reviews"], AttributeNames=names)
    return sum(int(found["Attributes"][name]) for name in names)


def end_of(run: Run) -> tuple[str, str]:
    """Give a run's state and the outcome that it recorded."""
    return run.state, "+".join(run.ends)


class Harvest:
    """Harvests that follow each other, as the DAG's tasks do it, without an Airflow around them.

    :param rules: members of ``HarvestRules`` beside the defaults.
    """

    def __init__(self, review_project: ReviewProject, **rules: Any) -> None:
        self.review_project = review_project
        self.rules = replace(RULES, **rules)
        self.runs = 0

    def run(self, *, by_queue_only: bool = False, is_repeated: bool = False) -> Counter[str]:
        """Look, harvest, move the watermark, open further rounds."""
        store, backend, now = self.review_project.store, self.review_project.backend, datetime.now(UTC)
        queue = project_queue(self.review_project.project, "reviews")
        assert queue is not None
        self.runs += 1
        harvester = Harvester(store, backend, self.rules, queue.delete)
        inspection = HarvestInspection(store, backend, read_watermark(store))
        found = inspection.run(queue, now, by_queue_only=by_queue_only)
        batches = write_batches(store, f"{now:%Y-%m-%d}-{self.runs:06d}", found, now, 60)
        work = inspection.work(default_settings(HarvestSettings), batches, len(batches))
        results = [
            harvester.harvest(batch, read_batch(store, batch), is_repeated=is_repeated) for batch in work.batches
        ]
        if work.dealt_with:
            move_watermark(store, work.watermark, work.dealt_with)
        ReviewOpener(store, backend, budget=1000).run()
        return Counter(HarvestResult.total(results).counts)


def end(aws: LocalAws, review_project: ReviewProject, request: ReviewRequest, how: str) -> None:
    """Let a review end without anybody's answer."""
    if how == "stopped":
        ask(review_project, request)
        stop(review_project, request.name)
    elif how == "failed":
        ask(review_project, request)
    else:
        short_lived(review_project)
        ask(review_project, request)
    wait_until_ended(review_project, request.name)


def short_lived(review_project: ReviewProject) -> None:
    """Let reviews that are opened from now on expire within a second."""
    from custom_labels.aws.hooks.sagemaker import ReviewSetupHook
    from custom_labels.review.backends.a2i.backend import A2IReviewBackend
    from custom_labels.review.backends.a2i.setup import A2ISetup, plan_review

    project = with_review(review_project.project, lifetime_hours=1 / 3600)
    hook = ReviewSetupHook(region_name="us-east-1")
    setup = A2ISetup(project, review_project.store, hook, plan_review(project, review_project.store, (1, 3)))
    setup.create()
    wait_until(lambda: {each.status for each in setup.describe().values()} == {"Active"})
    setup.record(setup.describe())
    object.__setattr__(review_project, "backend", A2IReviewBackend(project, review_project.store))
