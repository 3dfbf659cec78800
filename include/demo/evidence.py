"""What AWS says of a batch of images: their results, the reviews that people answered, and the copies that were filed.

It is read with boto3 from S3 and Amazon A2I, past Airflow, so that what a DAG claims can be held against it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from custom_labels.core.keys import INBOX
from custom_labels.review.backends.a2i.setup import FIELD
from include.demo.digits import Labels
from include.demo.local_cloud import THREADS, LocalCloud
from include.demo.material import Reading, Said

REVIEW = "review"
DOUBT, AUDIT = "doubt", "audit"


@dataclass(frozen=True)
class Result:
    """A result: what a version said of an image.

    :param name: the image's file name in the inbox.
    :param said: what the version says that it shows.
    :param decision: what became of it; "review" for a doubtful one.
    """

    name: str
    version_name: str
    said: Said
    decision: str


@dataclass(frozen=True)
class Review:
    """A human loop.

    :param name: the image's file name in the inbox.
    :param purpose: "doubt" or "audit".
    :param answers: what each person said; empty while it is open.
    """

    name: str
    purpose: str
    status: str
    answers: tuple[Said, ...] = ()


@dataclass(frozen=True)
class Batch:
    """Images that were put into the inbox together, and what AWS has of them.

    :param truth: what each image shows by its name, which only the demo knows; ``etags`` likewise.
    :param copies: what each image was filed as, by its ETag.
    :param reading: how that is read.
    """

    truth: Mapping[str, Said]
    etags: Mapping[str, str] = field(default_factory=dict)
    results: tuple[Result, ...] = ()
    reviews: tuple[Review, ...] = ()
    copies: Mapping[str, tuple[Said, ...]] = field(default_factory=dict)
    reading: Reading = field(default_factory=Labels)

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
        """How many the version was right about."""
        return sum(self.reading.is_right(self.truth[result.name], result.said) for result in self.results)

    @property
    def wrong_answers(self) -> int:
        """How many answers of people are not the truth."""
        return sum(
            not self.reading.is_true(self.truth[each.name], answer) for each in self.reviews for answer in each.answers
        )

    def filed(self) -> Counter[tuple[str, Said]]:
        """Count the copies by image and what it is filed as."""
        return Counter((name, said) for name, etag in self.etags.items() for said in self.copies.get(etag, ()))

    def to_be_filed(self) -> Counter[tuple[str, Said]]:
        """Give the copies that there must be: each doubtful image once, as people said."""
        return Counter(
            (each.name, answer)
            for each in self.reviews
            if each.purpose == DOUBT
            for answer in each.answers[:1]
            if self.reading.is_filed(answer)
        )


def look_at(cloud: LocalCloud, truth: Mapping[str, Said], reading: Reading) -> Batch:
    """Read everything about a batch.

    :param truth: what each of its images shows, by name.
    """
    etags = {name: etag for key, etag in cloud.objects(INBOX).items() if (name := key.removeprefix(INBOX)) in truth}
    results, reviews = _results(cloud, truth, reading), _reviews(cloud, truth, reading)
    return Batch(truth, etags, tuple(results), tuple(reviews), reading.copies(cloud), reading)


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


def _results(cloud: LocalCloud, truth: Mapping[str, Said], reading: Reading) -> list[Result]:
    keys = [key for key in cloud.objects("detections/") if key.split("/")[1] in truth]
    return [
        Result(each["key"].removeprefix(INBOX), each["version_name"], reading.result(each), each["decision"])
        for each in cloud.read_all(keys)
    ]


def _reviews(cloud: LocalCloud, truth: Mapping[str, Said], reading: Reading) -> list[Review]:
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
        Review(
            name,
            each["inputContent"]["purpose"],
            each["status"],
            tuple(reading.answer(answer["answerContent"][FIELD]) for answer in each["humanAnswers"]),
        )
        for each in outputs
        if (name := each["inputContent"]["key"].removeprefix(INBOX)) in truth
    ]
