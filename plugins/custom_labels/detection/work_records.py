"""The work of a detection run while it lasts: its batches, and how far each of them is.

``detection_work/<run>/<number>.jsonl`` lists a batch's images, ``<number>.json`` its progress. All of it is deleted at
the run's end; that of a run that failed stays, so that its tasks may be cleared and go on.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any

from custom_labels.core.codec import from_json, to_json
from custom_labels.detection.inbox_records import Inbox
from custom_labels.detection.work import WorkItem, count_batches, share_out
from custom_labels.s3.line_files import list_keys, read_lines, write_lines
from custom_labels.s3.store import S3Store

WORK = "detection_work/"
LEFT = "left"
"""Among the counts of a progress: images that a later run finds again."""


@dataclass(frozen=True)
class Progress:
    """How far a batch is, and what became of its images so far.

    :param chunks: chunks whose results are written.
    :param counts: images by what became of them.
    :param examples: what went wrong with single images, in AWS's words; the first few.
    :param calls: calls of DetectCustomLabels, refused ones included, and the ``seconds`` that they took together with
        all else.
    :param waiting_since: seconds since the epoch; since when nothing could be done, ``None`` where all is well.
    """

    chunks: int = 0
    counts: dict[str, int] = field(default_factory=dict)
    examples: tuple[str, ...] = ()
    calls: int = 0
    seconds: float = 0.0
    waiting_since: float | None = None

    def waiting(self, since: float | None) -> Progress:
        """Give it with another moment since when nothing could be done."""
        return replace(self, waiting_since=since)


def work_name(owner: str) -> str:
    """Name a run's work.

    :param owner: names the run apart from all others, see ``ProjectContext.owner``; a run that is cleared is another.
    """
    return hashlib.sha256(owner.encode()).hexdigest()[:20]


class DetectionWork:
    """The work of one run.

    :param run: its name, see :func:`work_name`.
    """

    def __init__(self, store: S3Store, run: str) -> None:
        self.store = store
        self.run = run

    @property
    def folder(self) -> str:
        """Where the run's work lies, relative to the project's prefix."""
        return f"{WORK}{self.run}/"

    def plan(self) -> Any:
        """Read what :meth:`save_plan` wrote; ``None`` before."""
        return self.store.read_json(f"{self.folder}plan.json")[0]

    def save_plan(self, plan: Mapping[str, Any]) -> None:
        """Keep what was planned, once all batches are written: a retry goes on with them instead of looking anew.

        Its messages would be invisible to itself.
        """
        self.store.write_json(f"{self.folder}plan.json", dict(plan))

    def write_batches(self, inbox: Inbox, *, most: int, workers: int) -> list[dict[str, Any]]:
        """Share the images out into batches of the same size.

        :param most: images in a batch at most.
        :param workers: batches that are done at the same time.
        :return: for each batch its ``run`` and ``number``, its ``images``, and the ``workers`` that are really used.
        """
        batches = count_batches(len(inbox), most, workers)
        items = iter(inbox)
        written = []
        for number, size in enumerate(share_out(len(inbox), batches)):
            batch = list(islice(items, size))
            write_lines(self.store, self._batch_key(number), (to_json(item) for item in batch))
            images = sum(len(item.images) for item in batch)
            written.append({"run": self.run, "number": number, "images": images, "workers": min(workers, batches)})
        return written

    def batch(self, number: int) -> Iterator[WorkItem]:
        """Read a batch; nothing if it is done and deleted."""
        file = read_lines(self.store, self._batch_key(number))
        return (from_json(WorkItem, each) for each in (file.records if file else ()))

    def progress(self, number: int) -> Progress:
        """Read how far a batch is."""
        value, _ = self.store.read_json(self._progress_key(number))
        return from_json(Progress, value) if value else Progress()

    def save_progress(self, number: int, progress: Progress) -> None:
        """Write how far a batch is."""
        self.store.write_json(self._progress_key(number), to_json(progress))

    def delete_batch(self, number: int) -> None:
        """Delete a batch that is done; its progress stays, for a task that is asked again."""
        self.store.call("delete_object", self._batch_key(number))

    def delete(self) -> None:
        """Delete all that is left of the run's work."""
        for keys in list_keys(self.store, self.folder):
            for key in keys:
                self.store.call("delete_object", key)

    def _batch_key(self, number: int) -> str:
        return f"{self.folder}{number:04}.jsonl"

    def _progress_key(self, number: int) -> str:
        return f"{self.folder}{number:04}.json"
