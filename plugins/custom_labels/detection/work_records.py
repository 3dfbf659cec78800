"""The batches of a detection run: a few images go along with the batch, of more there is a file.

``detection_work/<run>/<number>.jsonl`` lists a batch's images. The files are deleted at the run's end; those of a run
that failed stay, so that its tasks may be cleared and go on.
"""

from __future__ import annotations

import hashlib
from itertools import islice

from custom_labels.core.batch_files import hand_on
from custom_labels.core.live_version import LiveVersion
from custom_labels.detection.inbox_records import Inbox
from custom_labels.detection.work import DetectionBatch, count_batches, share_out
from custom_labels.s3.line_files import list_keys
from custom_labels.s3.store import S3Store

WORK = "detection_work/"


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
        batch, key = tuple(islice(items, size)), f"{folder}{number:04}.jsonl"
        along = hand_on(store, key, batch, is_only=count == 1)
        images = sum(len(item.images) for item in batch)
        batches.append(DetectionBatch(number, images, min(workers, count), version, units, along, key))
    return tuple(batches)


def delete_batches(store: S3Store, folder: str) -> None:
    """Delete the files of a run's batches."""
    for keys in list_keys(store, folder):
        for key in keys:
            store.call("delete_object", key)
