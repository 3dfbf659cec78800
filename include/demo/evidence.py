"""What AWS says of a batch of images: their results, the reviews that people answered, and the copies that were filed.

It is read from S3 and from the review backend, past Airflow, so that what a DAG claims can be held against it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from custom_labels.core.keys import INBOX
from include.demo.digits import Labels
from include.demo.local_cloud import LocalCloud
from include.demo.material import Reading, Said
from include.demo.people import People

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
    """A review.

    :param name: the image's file name in the inbox.
    :param purpose: "doubt" or "audit".
    :param answers: what each person said; empty while it is open.
    """

    name: str
    purpose: str
    is_completed: bool
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


def look_at(cloud: LocalCloud, people: People, truth: Mapping[str, Said], reading: Reading) -> Batch:
    """Read everything about a batch.

    :param truth: what each of its images shows, by name.
    """
    etags = {name: etag for key, etag in cloud.objects(INBOX).items() if (name := key.removeprefix(INBOX)) in truth}
    reviews = tuple(
        Review(name, each.purpose, each.is_completed, tuple(map(reading.answer, each.answers)))
        for each in people.reviews()
        if (name := each.key.removeprefix(INBOX)) in truth
    )
    return Batch(truth, etags, tuple(_results(cloud, truth, reading)), reviews, reading.copies(cloud), reading)


def _results(cloud: LocalCloud, truth: Mapping[str, Said], reading: Reading) -> list[Result]:
    keys = [key for key in cloud.objects("detections/") if key.split("/")[1] in truth]
    return [
        Result(each["key"].removeprefix(INBOX), each["version_name"], reading.result(each), each["decision"])
        for each in cloud.read_all(keys)
    ]
