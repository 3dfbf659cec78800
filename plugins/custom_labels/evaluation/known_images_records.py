"""Images with known answers, to put to a version before it serves."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any
from urllib.parse import urlsplit

from custom_labels.core.keys import manifest_key
from custom_labels.core.project_task import ProjectTask
from custom_labels.datasets.split import Subset
from custom_labels.evaluation.evaluation_records import evaluation_answers
from custom_labels.s3.output_files import NoAnswers
from custom_labels.s3.store import S3Store

log = logging.getLogger(__name__)

KnownImage = tuple[str, tuple[str, ...]]
"""The ``s3://`` URI of an image, and the labels that are to be seen on it."""


@dataclass(frozen=True)
class KnownAnswers:
    """Images, and what a version is expected to say of them.

    :param own: whether the labels are what the version itself predicted when it was evaluated; otherwise they are what
        people say, and even a good version may err.
    """

    images: tuple[KnownImage, ...]
    own: bool


def known_answers(
    store: S3Store, task: ProjectTask, described: Mapping[str, Any], digest: str, count: int
) -> KnownAnswers:
    """Pick images with known answers, spread over the labels, always the same ones.

    What the version itself predicted of its test images is in the evaluation snapshot that Custom Labels wrote
    (``TestingDataResult.Output`` of DescribeProjectVersions). Where that is gone, or holds no
    answer, the manifests of its snapshot are taken: test images first, then train images.

    :param task: the project's.
    :param described: AWS's description of the version.
    :param digest: the digest of the snapshot that it was trained on.
    :param count: number of images wanted; fewer where there are fewer.
    """
    predicted = _own_answers(store, task, described, count)
    return KnownAnswers(tuple(predicted or _labelled(store, digest, count)), own=bool(predicted))


def _own_answers(store: S3Store, task: ProjectTask, described: Mapping[str, Any], count: int) -> list[KnownImage]:
    """Take images of which the version predicted something."""
    try:
        with evaluation_answers(store, task, described) as answers:
            return _spread(((one.image, _each_once(one.predicted_labels)) for one in answers), count)
    except NoAnswers as error:
        log.info("People's labels are taken for known answers: %s.", error)
        return []


def _labelled(store: S3Store, digest: str, count: int) -> list[KnownImage]:
    found: list[KnownImage] = []
    for side in (Subset.TEST, Subset.TRAIN):
        if len(found) < count:
            lines = store.call("get_object", manifest_key(digest, side.value))["Body"].iter_lines()
            found += _spread(_labels(lines), count - len(found))
    return found


def _labels(lines: Iterable[bytes]) -> Iterator[KnownImage]:
    for line in lines:
        entry = json.loads(line)
        attributes = [value for name, value in entry.items() if name.endswith("-metadata")]
        yield entry["source-ref"], _each_once(label for metadata in attributes for label in _names(metadata))


def _names(metadata: Mapping[str, Any]) -> Iterable[str]:
    """Give the label of an attribute of our own manifests, or those of its boxes."""
    return [metadata["class-name"]] if "class-name" in metadata else metadata["class-map"].values()


def _each_once(labels: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(set(labels)))


def _spread(images: Iterable[KnownImage], count: int) -> list[KnownImage]:
    """Take the first images of each label, in turn; no more of them are held than are wanted.

    An image with several labels counts for the first; one without is of no use.
    """
    by_label: dict[str, list[KnownImage]] = {}
    for uri, labels in images:
        of_label = by_label.setdefault(labels[0], []) if labels else []
        if labels and len(of_label) < count:
            of_label.append((uri, labels))
    columns = (images for _, images in sorted(by_label.items()))
    return [each for row in zip_longest(*columns) for each in row if each][:count]


def bucket_and_key(uri: str) -> tuple[str, str]:
    """Split an ``s3://`` URI; the key is taken as it is, question marks and hashes included."""
    parts = urlsplit(uri, allow_fragments=False)
    return parts.netloc, uri.split("/", 3)[3]
