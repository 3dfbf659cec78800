"""Checking the images of a listing: what the ledger knows is taken from it, the rest is read, many at once."""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import IO, TYPE_CHECKING, cast

from custom_labels.datasets.image_records import Checked, check_image
from custom_labels.datasets.images import Duplicate, LeftOut, Tally
from custom_labels.datasets.label_listing import Listed, in_threads
from custom_labels.datasets.ledger_records import (
    Verdicts,
    ledger_key,
    ledger_line,
    ledger_lines,
    read_verdicts,
    write_verdicts,
)
from custom_labels.datasets.tsv import columns, copy_to_gzip, file_sha256, join_known, read_blocks
from custom_labels.s3.errors import StorageError

if TYPE_CHECKING:
    from custom_labels.s3.store import S3Store

log = logging.getLogger(__name__)

READERS = 32
"""Images read at once."""
_WINDOW = 8 * READERS
GOOD = b"\t\n"
"""How the line of an image without a fault ends: its last column, the reason, is empty."""
NAMED = 3
"""Refused images of a label that the log names with S3's own words."""
PROBES = 5
"""Images known to be good that are read again, where all others were refused, to tell whose fault it is."""
_BEGINNING = slice(-34, -28)
"""Where the first six of the 32 hexadecimal digits of a content id are in the line of a good image."""


@dataclass
class CheckedLabel:
    """One label after its images were checked.

    :param listing: local file of rows: key, ETag; in S3's order.
    :param path: local file of ledger rows: key, ETag, size, content id, reason; likewise.
    :param images: candidates looked at, of which ``read`` were not known from earlier and ``usable`` are good.
    :param bad: by key, the ETag and the reason of those that Custom Labels would refuse.
    :param duplicates: those that share their content with another, in this label or elsewhere.
    :param folders: whose images they are.
    :param refused: of the read ones, those that S3 did not give; ``refusal`` is what it said of the first.
    """

    label: str
    listing: Path
    path: Path
    images: int
    read: int = 0
    refused: int = 0
    refusal: str = ""
    folders: tuple[str, ...] = ()
    usable: int = 0
    tally: Tally = field(default_factory=Tally)
    bad: dict[str, tuple[str, LeftOut]] = field(default_factory=dict)
    duplicates: set[Duplicate] = field(default_factory=set)


def check_labels(store: S3Store, listed: list[Listed], streams: int, readers: int) -> list[CheckedLabel]:
    """Check all images, each once in its life unless it is replaced.

    :param streams: labels gone through at once; ``readers`` is the number of images read at once by all of them.
    :raises StorageError: S3 gave none of the images that were asked for.
    """
    labels = [
        CheckedLabel(
            found.label,
            found.path,
            found.path.with_suffix(".checked"),
            found.images + found.passed_over,
            folders=found.folders,
        )
        for found in listed
    ]
    stop = threading.Event()
    with ThreadPoolExecutor(max_workers=readers) as pool:
        in_threads(lambda label: _LabelCheck(store, label, pool, stop).run(), labels, streams)
    _require_access(store, labels)
    _find_duplicates(labels)
    return labels


def _require_access(store: S3Store, labels: list[CheckedLabel]) -> None:
    """Stop where S3 refuses all images: then it is not the images' fault, and without them nothing can be trained."""
    read, refused = (sum(getattr(label, name) for label in labels) for name in ("read", "refused"))
    if not refused or refused < read:
        return
    known = (line for label in labels for block in read_blocks(label.path) for line in block if line.endswith(GOOD))
    for line in islice(known, PROBES):
        key, etag, *_ = columns(line)
        reason = check_image(store, key.decode(), etag.decode()).reason
        if reason is None or not reason.is_refused:
            return
    refusal = next(label.refusal for label in labels if label.refusal)
    raise StorageError(f"None of the {refused} images that were to be checked could be read. {refusal}")


class _LabelCheck:
    """Goes through one label in order, with a window of images that are being read ahead."""

    def __init__(self, store: S3Store, label: CheckedLabel, pool: ThreadPoolExecutor, stop: threading.Event) -> None:
        self.store = store
        self.label = label
        self.pool = pool
        self.stop = stop

    def run(self) -> None:
        """Write the label's checked rows."""
        ledger = self.label.listing.with_suffix(".ledger.gz")
        self.store.download(ledger_key(self.label.label), ledger)
        try:
            with self.label.path.open("wb") as file:
                self._go_through(file, ledger_lines(ledger))
        except BaseException:
            self.stop.set()
            raise

    def _go_through(self, file: IO[bytes], ledger: Iterator[bytes]) -> None:
        window: deque[tuple[bytes, Future[Checked] | None]] = deque()
        for lines, known in join_known(read_blocks(self.label.listing), ledger):
            if not window and None not in known:
                self._keep(file, cast("Sequence[bytes]", known))
                continue
            for line, before in zip(lines, known, strict=True):
                if self.stop.is_set():
                    return
                window.append((before, None) if before else (line, self.pool.submit(self._read, line)))
                while window and (len(window) > _WINDOW or window[0][1] is None):
                    self._settle(file, *window.popleft())
        while window:
            self._settle(file, *window.popleft())

    def _read(self, line: bytes) -> Checked:
        if self.stop.is_set():  # the whole check has failed: what was asked for already is not read any more
            return Checked(0, "", LeftOut.VANISHED)
        key, etag = columns(line)
        return check_image(self.store, key.decode(), etag.decode())

    def _settle(self, file: IO[bytes], line: bytes, reading: Future[Checked] | None) -> None:
        """Write the line at the head of the window, once its image has been read."""
        if reading is not None:
            self.label.read += 1
            key, etag = columns(line)
            checked = reading.result()
            if checked.reason and not checked.reason.is_permanent:
                self.label.tally.add(checked.reason, key.decode())
                if checked.reason.is_refused:
                    self._note_refusal(checked.detail)
                return
            line = ledger_line(key, etag, checked)
        self._keep(file, [line])

    def _note_refusal(self, detail: str) -> None:
        self.label.refused += 1
        self.label.refusal = self.label.refusal or detail
        if self.label.refused <= NAMED:
            log.warning("An image is left out. %s", detail)

    def _keep(self, file: IO[bytes], lines: Sequence[bytes]) -> None:
        """Write some lines and count them."""
        file.write(b"".join(lines))
        faulty = [line for line in lines if not line.endswith(GOOD)]
        self.label.usable += len(lines) - len(faulty)
        for line in faulty:
            key, etag, _, _, reason = columns(line)
            self.label.bad[key.decode()] = (etag.decode(), LeftOut[reason.decode()])
            self.label.tally.add(LeftOut[reason.decode()], key.decode())


def _shared_beginnings(labels: list[CheckedLabel]) -> set[bytes]:
    """Find the beginnings of content ids that several images may share, in fixed memory.

    A byte stands for each of four million slots. By chance some thousand of 250,000 different contents meet in a slot;
    they are told apart afterwards, by their full ids.
    """
    seen = bytearray(16**6 >> 2)
    shared = set()
    for label in labels:
        for block in read_blocks(label.path):
            for beginning in [line[_BEGINNING] for line in block if line.endswith(GOOD)]:
                slot = int(beginning, 16) >> 2
                if seen[slot]:
                    shared.add(beginning)
                seen[slot] = 1
    return shared


def _find_duplicates(labels: list[CheckedLabel]) -> None:
    """Find the images that share their content, in two passes over the local files."""
    shared = _shared_beginnings(labels)
    groups: dict[bytes, list[tuple[CheckedLabel, Duplicate]]] = {}
    for label in labels if shared else []:
        for block in read_blocks(label.path):
            for line in [line for line in block if line[_BEGINNING] in shared and line.endswith(GOOD)]:
                key, etag, _, content_id, _ = columns(line)
                duplicate = Duplicate(label.label, key.decode(), etag.decode(), content_id.decode())
                groups.setdefault(content_id, []).append((label, duplicate))
    for group in groups.values():
        for label, duplicate in group if len(group) > 1 else []:
            label.duplicates.add(duplicate)


def remember(store: S3Store, labels: list[CheckedLabel], as_of: datetime, streams: int) -> None:
    """Write what was found for later runs; a run about the past leaves alone what a later one wrote.

    The caller holds the project's lock.
    """
    before = read_verdicts(store).as_of
    if before and datetime.fromisoformat(before) > as_of:
        return
    in_threads(lambda label: _remember_label(store, label), [label for label in labels if label.read], streams)
    bad = {label.label: label.bad for label in labels if label.bad}
    duplicates = frozenset(duplicate for label in labels for duplicate in label.duplicates)
    write_verdicts(store, Verdicts(as_of.isoformat(), bad, duplicates))


def _remember_label(store: S3Store, label: CheckedLabel) -> None:
    compressed = label.path.with_suffix(".gz")
    copy_to_gzip(label.path, compressed)
    store.upload(compressed, ledger_key(label.label), file_sha256(compressed))
