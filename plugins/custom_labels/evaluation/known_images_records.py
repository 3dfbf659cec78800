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


@dataclass(frozen=True)
class KnownAnswers:
    """Images, and what a version is expected to say of them.

    :param images: pairs of ``s3://`` URI and label.
    :param own: whether the labels are what the version itself predicted when it was evaluated; otherwise they are what
        people say, and even a good version may err.
    """

    images: tuple[tuple[str, str], ...]
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


def _own_answers(store: S3Store, task: ProjectTask, described: Mapping[str, Any], count: int) -> list[tuple[str, str]]:
    """Take the images of which the version predicted one label, once or more; of the others no single one is known."""
    try:
        with evaluation_answers(store, task, described) as answers:
            predicted = ((one.image, sorted(set(one.predicted_labels))) for one in answers)
            return _spread(((image, labels[0]) for image, labels in predicted if len(labels) == 1), count)
    except NoAnswers as error:
        log.info("People's labels are taken for known answers: %s.", error)
        return []


def _labelled(store: S3Store, digest: str, count: int) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for side in (Subset.TEST, Subset.TRAIN):
        if len(found) < count:
            lines = store.call("get_object", manifest_key(digest, side.value))["Body"].iter_lines()
            found += _spread(_labels(lines), count - len(found))
    return found


def _labels(lines: Iterable[bytes]) -> Iterator[tuple[str, str]]:
    for line in lines:
        entry = json.loads(line)
        yield entry["source-ref"], next(_label(value) for name, value in entry.items() if name.endswith("-metadata"))


def _label(metadata: Mapping[str, Any]) -> str:
    """Give the label of an attribute of our own manifests, of boxes the first of their labels."""
    return str(metadata["class-name"] if "class-name" in metadata else min(metadata["class-map"].values()))


def _spread(images: Iterable[tuple[str, str]], count: int) -> list[tuple[str, str]]:
    """Take the first images of each label, in turn; no more of them are held than are wanted."""
    by_label: dict[str, list[str]] = {}
    for uri, label in images:
        of_label = by_label.setdefault(label, [])
        if len(of_label) < count:
            of_label.append(uri)
    columns = ([(uri, label) for uri in uris] for label, uris in sorted(by_label.items()))
    return [each for row in zip_longest(*columns) for each in row if each][:count]


def bucket_and_key(uri: str) -> tuple[str, str]:
    """Split an ``s3://`` URI; the key is taken as it is, question marks and hashes included."""
    parts = urlsplit(uri, allow_fragments=False)
    return parts.netloc, uri.split("/", 3)[3]
