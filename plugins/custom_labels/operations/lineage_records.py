"""The lineage of a version as it is looked up in S3. Nothing is written, and Custom Labels is not asked.

What is read, and what that costs, is in ``docs/lineage.md``. An object that is gone or damaged is named among the
troubles, and everything else is given.
"""

from __future__ import annotations

import sqlite3
import tempfile
from collections.abc import Container, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import ValidationError

from custom_labels.core.registry import VERSIONS, Registry
from custom_labels.core.settings import Project
from custom_labels.datasets.snapshot_records import fetch_snapshot
from custom_labels.evaluation.answers import Answer
from custom_labels.evaluation.evaluation_records import answers_at
from custom_labels.operations.lineage import LineageError, VersionLineage, summarize
from custom_labels.operations.lineage_table import VersionTable
from custom_labels.operations.versions import RecordedVersion
from custom_labels.s3.errors import StorageError
from custom_labels.s3.output_files import NoAnswers
from custom_labels.s3.store import S3Store
from custom_labels.training.training_records import read_trainings

UNREADABLE = (StorageError, ValidationError, sqlite3.DatabaseError)
"""What reading a stored object ends in that is missing, or that is not as this package writes it."""
_EXAMPLES = 3


@dataclass
class Troubles:
    """What could not be read, in words, each once."""

    found: list[str] = field(default_factory=list)

    def add(self, what: str) -> None:
        """Note something."""
        if what not in self.found:
            self.found.append(what)


@dataclass
class _Damaged:
    """Lines that cannot be read; memory does not grow with them."""

    count: int = 0
    examples: list[str] = field(default_factory=list)

    def add(self, error: NoAnswers) -> None:
        self.count += 1
        if len(self.examples) < _EXAMPLES:
            self.examples.append(str(error))


def read_answers(
    store: S3Store,
    project: Project,
    name: str,
    record: RecordedVersion,
    troubles: Troubles,
    images: Container[str] | None = None,
) -> Iterator[Answer]:
    """Give a version's answers to its own test images, one at a time; a line that cannot be read is passed over.

    :param images: ``s3://`` URIs of those that are wanted, ``None`` for all.
    :param troubles: takes what cannot be read.
    """
    if record.evaluation is None:  # its training did not come so far
        return
    damaged = _Damaged()
    try:
        with answers_at(store, project.task, record.answers) as answers:
            yield from answers.of(images, damaged.add)
    except NoAnswers as error:
        troubles.add(f"What version {name} said of its test images is not known: {error}.")
    if damaged.count:
        more = f"; and {damaged.count - _EXAMPLES} more lines" if damaged.count > _EXAMPLES else ""
        troubles.add(f"Of what version {name} said of its test images, {'; '.join(damaged.examples)}{more}.")


@contextmanager
def version_lineage(
    store: S3Store, project: Project, name: str
) -> Iterator[tuple[VersionLineage, VersionTable | None]]:
    """Look up a version: in short, and its images in a local table.

    It takes four or five reads, whatever the number of images.

    :return: the version, and its images, ``None`` where its snapshot cannot be read.
    :raises LineageError: there is no such version on record.
    :raises StorageError: S3 refused, or the version's record is damaged.
    """
    record = Registry(store).version(name, RecordedVersion)
    if record is None:
        raise LineageError(
            f"There is no version '{name}' of project '{project.name}': {store.uri(f'{VERSIONS}{name}.json')} is not "
            "there. Name a version that is on record."
        )
    summary, troubles = summarize(name, record, read_trainings(store).every), Troubles()
    with tempfile.TemporaryDirectory(prefix="custom-labels-") as folder:
        table = _version_table(store, record, Path(folder), troubles)
        if table is None:
            yield VersionLineage(project.name, summary, {}, tuple(troubles.found)), None
            return
        with table:
            table.add_answers(read_answers(store, project, name, record, troubles))
            yield VersionLineage(project.name, summary, table.count_shown(), tuple(troubles.found)), table


def _version_table(store: S3Store, record: RecordedVersion, folder: Path, troubles: Troubles) -> VersionTable | None:
    if record.digest is None:
        troubles.add("The version's record names no snapshot, so that its images are not known.")
        return None
    try:
        snapshot = fetch_snapshot(store, record.digest, folder)
        return VersionTable(snapshot.path, snapshot.header, store.uri())
    except UNREADABLE as error:
        troubles.add(unreadable_snapshot(store, record.digest, error))
        return None


def unreadable_snapshot(store: S3Store, digest: str, error: Exception) -> str:
    """Say that a snapshot cannot be read."""
    if isinstance(error, StorageError):
        return str(error)
    place = store.uri(f"snapshots/{digest}/")
    return f"The snapshot below {place} is damaged: {error}. Restore an earlier version of its objects."
