"""What Custom Labels measured of a trained version, image by image, and the images as they were then."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from custom_labels.core.project_task import ProjectTask
from custom_labels.datasets.image_table import ImageTable
from custom_labels.datasets.snapshot_records import fetch_images
from custom_labels.evaluation.answer_kinds import LINE_READERS, ReadLine
from custom_labels.evaluation.answers import Answer
from custom_labels.evaluation.evaluation import answers_uri
from custom_labels.evaluation.evaluation_lines import read_entry
from custom_labels.s3.output_files import NoAnswers, copy_file, read_each

if TYPE_CHECKING:
    from custom_labels.s3.store import S3Store


class EvaluationAnswers:
    """A version's answers to its test images, in a local file: as often as wanted, one in memory at a time.

    :param path: the evaluation snapshot, JSON Lines.
    :param uri: where it was, for messages.
    :param read: reads a line of it.
    """

    def __init__(self, path: Path, uri: str, read: ReadLine) -> None:
        self._path = path
        self._uri = uri
        self._read = read

    def __iter__(self) -> Iterator[Answer]:
        return read_each(self._path, self._uri, self._read)

    def of(self, images: Container[str] | None, damaged: Callable[[NoAnswers], None]) -> Iterator[Answer]:
        """Give the answers to some images, passing over what cannot be read.

        :param images: their ``s3://`` URIs, ``None`` for all. The lines of other images are read no further than that.
        :param damaged: takes what is wrong with a line.
        """

        def read(line: bytes) -> Answer | None:
            return self._read(line) if images is None or read_entry(line)[0] in images else None

        yield from filter(None, read_each(self._path, self._uri, read, damaged))


@contextmanager
def evaluation_answers(store: S3Store, task: ProjectTask, described: Mapping[str, Any]) -> Iterator[EvaluationAnswers]:
    """Fetch a version's answers to its own test images, which Custom Labels writes when it evaluates it.

    The file is that of ``TestingDataResult.Output`` (developer guide, "Accessing the evaluation manifest snapshot").

    :param task: the project's, which says what the answers are.
    :param described: the version as DescribeProjectVersions gives it.
    :raises NoAnswers: there is none.
    """
    with answers_at(store, task, answers_uri(described)) as answers:
        yield answers


@contextmanager
def answers_at(store: S3Store, task: ProjectTask, uri: str | None) -> Iterator[EvaluationAnswers]:
    """Fetch a version's answers to its own test images from where they are on record to be.

    :param uri: of the evaluation snapshot, see :func:`answers_uri`; ``None`` where no place is known.
    :raises NoAnswers: there is none.
    """
    if uri is None:
        raise NoAnswers("Custom Labels names no evaluation snapshot of it")
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    with tempfile.TemporaryDirectory(prefix="custom-labels-") as folder:
        path = Path(folder) / "answers.jsonl"
        copy_file(store, {"Bucket": bucket, "Name": key}, path, "evaluation snapshot")
        yield EvaluationAnswers(path, uri, LINE_READERS[task])


def snapshot_etags(store: S3Store, digest: str, keys: Iterable[str]) -> dict[str, str]:
    """Find the ETags that images had when their snapshot was written; of images that it lacks there is none.

    :param digest: the snapshot's.
    :param keys: of the images, relative to the project's prefix.
    """
    with (
        tempfile.TemporaryDirectory(prefix="custom-labels-") as folder,
        ImageTable(fetch_images(store, digest, Path(folder))) as images,
    ):
        return {image.key: image.etag for image in images.find(keys)}
