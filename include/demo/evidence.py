"""What AWS says of a batch of images: their results, the reviews that people answered, and the copies that were filed.

It is read with boto3 from S3 and Amazon A2I, past Airflow, so that what a DAG claims can be held against it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from custom_labels.core.keys import IMAGES, INBOX
from custom_labels.datasets.label_names import NONE_OF_THE_ABOVE
from custom_labels.review.backends.a2i.setup import FIELD
from include.demo.local_cloud import THREADS, LocalCloud

REVIEW = "review"
DOUBT, AUDIT = "doubt", "audit"


@dataclass(frozen=True)
class Result:
    """A result: what a version said of an image.

    :param name: the image's file name in the inbox.
    :param decision: what became of it; "review" for a doubtful one.
    """

    name: str
    version_name: str
    label: str | None
    confidence: float
    decision: str


@dataclass(frozen=True)
class Review:
    """A human loop.

    :param name: the image's file name in the inbox.
    :param purpose: "doubt" or "audit".
    :param answers: what each person chose; empty while it is open.
    """

    name: str
    purpose: str
    status: str
    answers: tuple[str, ...] = ()


@dataclass(frozen=True)
class Batch:
    """Images that were put into the inbox together, and what AWS has of them.

    :param truth: label of each image by its name, which only the demo knows; ``etags`` likewise.
    :param copies: labels that each image was filed under, by its ETag.
    """

    truth: Mapping[str, str]
    etags: Mapping[str, str] = field(default_factory=dict)
    results: tuple[Result, ...] = ()
    reviews: tuple[Review, ...] = ()
    copies: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def size(self) -> int:
        """The number of images."""
        return len(self.truth)

    @property
    def doubtful(self) -> int:
        """How many results ask for a review."""
        return sum(result.decision == REVIEW for result in self.results)

    @property
    def right(self) -> int:
        """How many the version named right, its surest label counting."""
        return sum(self.truth[result.name] == result.label for result in self.results)

    @property
    def wrong_answers(self) -> int:
        """How many answers of people are not the truth."""
        return sum(answer != self.truth[each.name] for each in self.reviews for answer in each.answers)

    def filed(self) -> Counter[tuple[str, str]]:
        """Count the copies by image and label."""
        return Counter((name, label) for name, etag in self.etags.items() for label in self.copies.get(etag, ()))

    def to_be_filed(self) -> Counter[tuple[str, str]]:
        """Give the copies that there must be: each doubtful image once, below the label that people chose."""
        return Counter(
            (each.name, answer)
            for each in self.reviews
            if each.purpose == DOUBT
            for answer in each.answers[:1]
            if answer != NONE_OF_THE_ABOVE
        )


def look_at(cloud: LocalCloud, truth: Mapping[str, str]) -> Batch:
    """Read everything about a batch.

    :param truth: label of each of its images by name.
    """
    etags = {name: etag for key, etag in cloud.objects(INBOX).items() if (name := key.removeprefix(INBOX)) in truth}
    return Batch(truth, etags, tuple(_results(cloud, truth)), tuple(_reviews(cloud, truth)), _copies(cloud))


def loops(cloud: LocalCloud) -> dict[str, str]:
    """Give the status of every human loop by its name."""
    runtime, found = cloud.client("sagemaker-a2i-runtime"), {}
    for flow in cloud.client("sagemaker").get_paginator("list_flow_definitions").paginate():
        for summary in flow["FlowDefinitionSummaries"]:
            pages = runtime.get_paginator("list_human_loops").paginate(FlowDefinitionArn=summary["FlowDefinitionArn"])
            found.update(
                {loop["HumanLoopName"]: loop["HumanLoopStatus"] for p in pages for loop in p["HumanLoopSummaries"]}
            )
    return found


def _results(cloud: LocalCloud, truth: Mapping[str, str]) -> list[Result]:
    keys = [key for key in cloud.objects("detections/") if key.split("/")[1] in truth]
    return [
        Result(
            each["key"].removeprefix(INBOX),
            each["version_name"],
            each["label"],
            each["confidence"] or 0.0,
            each["decision"],
        )
        for each in cloud.read_all(keys)
    ]


def _reviews(cloud: LocalCloud, truth: Mapping[str, str]) -> list[Review]:
    runtime = cloud.client("sagemaker-a2i-runtime")

    def read(item: tuple[str, str]) -> dict[str, Any] | None:
        output = runtime.describe_human_loop(HumanLoopName=item[0]).get("HumanLoopOutput")
        if not output:
            return None
        place = output["OutputS3Uri"].removeprefix(f"s3://{cloud.project.bucket}/{cloud.project.prefix}")
        return {**cloud.read(place), "status": item[1]}

    with ThreadPoolExecutor(THREADS) as pool:
        outputs = [each for each in pool.map(read, loops(cloud).items()) if each]
    return [
        Review(name, each["inputContent"]["purpose"], each["status"], tuple(map(_choice, each["humanAnswers"])))
        for each in outputs
        if (name := each["inputContent"]["key"].removeprefix(INBOX)) in truth
    ]


def _choice(answer: Mapping[str, Any]) -> str:
    return str(answer["answerContent"][FIELD]["label"])


def _copies(cloud: LocalCloud) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for key, etag in cloud.objects(IMAGES).items():
        found[etag] = (*found.get(etag, ()), key.split("/")[1])
    return found
