"""The batches of a detection run: a few images go along with the batch, of more there is a file.

``detection_work/<run>/<number>.jsonl`` lists a batch's images. The files are deleted at the run's end; those of a run
that failed stay, so that its tasks may be cleared and go on.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from itertools import islice

from custom_labels.core.codec import from_json, to_json
from custom_labels.core.live_version import LiveVersion
from custom_labels.detection.inbox_records import Inbox
from custom_labels.detection.work import DetectionBatch, WorkItem, count_batches, share_out
from custom_labels.s3.line_files import list_keys, read_lines, to_lines, write_lines
from custom_labels.s3.store import S3Store

WORK = "detection_work/"
ALONG_BYTES = 8_192
"""A single batch of fewer bytes goes along with the task, in Airflow's database: to write, read and delete a file would
take three of the dozen calls that an image takes."""


def work_folder(owner: str) -> str:
    """Give the folder of a run's batches, relative to the project's prefix.

    :param owner: names the run apart from all others, see ``ProjectContext.owner``; a run that is cleared is another.
    """
    return f"{WORK}{hashlib.sha256(owner.encode()).hexdigest()[:20]}/"


def write_batches(
    store: S3Store, folder: str, inbox: Inbox, version: LiveVersion, units: int, *, most: int, workers: int
) -> tuple[DetectionBatch, ...]:
    """Share the images out into batches of the same size.

    :param version: the version that serves, ``units`` the inference units that it runs with.
    :param most: images in a batch at most.
    :param workers: batches that are done at the same time.
    """
    count = count_batches(len(inbox), most, workers)
    items = iter(inbox)
    batches = []
    for number, size in enumerate(share_out(len(inbox), count)):
        batch = tuple(islice(items, size))
        lines = [to_json(item) for item in batch]
        goes_along = count == 1 and len(to_lines(lines)) <= ALONG_BYTES
        key = f"{folder}{number:04}.jsonl"
        if not goes_along:
            write_lines(store, key, lines)
        images = sum(len(item.images) for item in batch)
        kept = batch if goes_along else None
        batches.append(DetectionBatch(number, images, min(workers, count), version, units, kept, key))
    return tuple(batches)


def read_batch(store: S3Store, batch: DetectionBatch) -> Iterator[WorkItem]:
    """Read a batch; nothing if its run has ended."""
    if batch.items is not None:
        return iter(batch.items)
    file = read_lines(store, batch.key)
    return (from_json(WorkItem, each) for each in (file.records if file else ()))


def delete_batches(store: S3Store, folder: str) -> None:
    """Delete the files of a run's batches."""
    for keys in list_keys(store, folder):
        for key in keys:
            store.call("delete_object", key)
