"""Checking the images of a listing: what the ledger knows is taken from it, the rest is read, many at once."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import IO, TYPE_CHECKING

from custom_labels.domain.images import LeftOut, Tally, Twin
from custom_labels.storage.checks import Checked, check_image
from custom_labels.storage.gathering import Listed, in_threads
from custom_labels.storage.ledger import Verdicts, known, ledger_key, ledger_row, read_verdicts, write_verdicts
from custom_labels.storage.rows import copy_to_gzip, file_sha256, read_rows

if TYPE_CHECKING:
    from custom_labels.storage.store import S3Store

READERS = 32
"""Images read at once."""
_WINDOW = 8 * READERS
_SLOT_BITS = 22


@dataclass
class CheckedLabel:
    """One label after its images were checked.

    :param path: local file of ledger rows: key, ETag, size, content id, reason; in S3's order.
    :param images: candidates looked at, of which ``read`` were not known from earlier and ``usable`` are good.
    :param bad: by key, the ETag and the reason of those that Custom Labels would refuse.
    :param twins: those that share their content with another, in this label or elsewhere.
    """

    label: str
    path: Path
    images: int
    read: int = 0
    usable: int = 0
    tally: Tally = field(default_factory=Tally)
    bad: dict[str, tuple[str, LeftOut]] = field(default_factory=dict)
    twins: set[Twin] = field(default_factory=set)


def check_labels(store: S3Store, listed: list[Listed], streams: int, readers: int) -> list[CheckedLabel]:
    """Check all images, each once in its life unless it is replaced.

    :param streams: labels gone through at once; ``readers`` is the number of images read at once by all of them.
    """
    labels = [CheckedLabel(found.label, found.path.with_suffix(".checked"), found.images) for found in listed]
    stop = threading.Event()
    with ThreadPoolExecutor(max_workers=readers) as pool:
        in_threads(
            lambda pair: _LabelCheck(store, pair[1], pool, stop).run(pair[0].path),
            list(zip(listed, labels, strict=True)),
            streams,
        )
    _find_twins(labels)
    return labels


class _LabelCheck:
    """Goes through one label in order, with a window of images that are being read ahead."""

    def __init__(self, store: S3Store, label: CheckedLabel, pool: ThreadPoolExecutor, stop: threading.Event) -> None:
        self.store = store
        self.label = label
        self.pool = pool
        self.stop = stop

    def run(self, listing: Path) -> None:
        """Write the label's checked rows."""
        ledger = listing.with_suffix(".ledger")
        self.store.download(ledger_key(self.label.label), ledger)
        window: deque[tuple[list[bytes], Future[Checked] | None]] = deque()
        try:
            with self.label.path.open("wb") as file:
                for row, before in known(read_rows(listing), ledger):
                    if self.stop.is_set():
                        return
                    if before is None:
                        window.append((row, self.pool.submit(self._read, row)))
                    else:
                        window.append((before, None))
                    if len(window) > _WINDOW or window[0][1] is None:
                        self._write(file, *window.popleft())
                while window:
                    self._write(file, *window.popleft())
        except BaseException:
            self.stop.set()
            raise

    def _read(self, row: list[bytes]) -> Checked:
        if self.stop.is_set():  # the whole check has failed: what was asked for already is not read any more
            return Checked(0, "", LeftOut.VANISHED)
        return check_image(self.store, row[0].decode(), row[1].decode())

    def _write(self, file: IO[bytes], row: list[bytes], reading: Future[Checked] | None) -> None:
        if reading is not None:
            self.label.read += 1
            checked = reading.result()
            if checked.reason and not checked.reason.is_permanent:
                self.label.tally.add(checked.reason, row[0].decode())
                return
            row = ledger_row(row[0], row[1], checked)
        file.write(b"\t".join(row) + b"\n")
        if row[4]:
            reason = LeftOut[row[4].decode()]
            self.label.bad[row[0].decode()] = (row[1].decode(), reason)
            self.label.tally.add(reason, row[0].decode())
        else:
            self.label.usable += 1


class ContentSlots:
    """Finds contents that may occur twice, in fixed memory: one bit for each of four million slots.

    Contents that share a slot by chance (some thousand of 250,000) are told apart later, by their full ids.
    """

    def __init__(self) -> None:
        self._seen = bytearray(1 << (_SLOT_BITS - 3))
        self.suspicious: set[int] = set()

    @staticmethod
    def slot(content_id: bytes) -> int:
        """Give the slot of a content id, which is hexadecimal."""
        return int(content_id[:8], 16) >> (32 - _SLOT_BITS)

    def add(self, content_id: bytes) -> None:
        """Note a content."""
        slot = self.slot(content_id)
        byte, bit = slot >> 3, 1 << (slot & 7)
        if self._seen[byte] & bit:
            self.suspicious.add(slot)
        self._seen[byte] |= bit


def _find_twins(labels: list[CheckedLabel]) -> None:
    """Find the images that share their content, in two passes over the local files."""
    slots = ContentSlots()
    for _, row in _good_rows(labels):
        slots.add(row[3])
    if not slots.suspicious:
        return
    groups: dict[bytes, list[tuple[CheckedLabel, list[bytes]]]] = {}
    for label, row in _good_rows(labels):
        if slots.slot(row[3]) in slots.suspicious:
            groups.setdefault(row[3], []).append((label, row))
    for group in groups.values():
        if len(group) > 1:
            for label, (key, etag, _, content_id, _) in group:
                label.twins.add(Twin(label.label, key.decode(), etag.decode(), content_id.decode()))


def _good_rows(labels: list[CheckedLabel]) -> Iterator[tuple[CheckedLabel, list[bytes]]]:
    for label in labels:
        for row in read_rows(label.path):
            if not row[4]:
                yield label, row


def remember(store: S3Store, labels: list[CheckedLabel], as_of: datetime, streams: int) -> None:
    """Write what was found for later runs; a run about the past leaves alone what a later one wrote.

    The caller holds the project's lock.
    """
    before = read_verdicts(store)
    moment = as_of.isoformat()
    if before.as_of and datetime.fromisoformat(before.as_of) > as_of:
        return
    in_threads(lambda label: _remember_label(store, label), [label for label in labels if label.read], streams)
    bad = {label.label: label.bad for label in labels if label.bad}
    twins = frozenset(twin for label in labels for twin in label.twins)
    if before.bad != bad or before.twins != twins or not before.as_of:
        write_verdicts(store, Verdicts(moment, bad, twins))


def _remember_label(store: S3Store, label: CheckedLabel) -> None:
    compressed = label.path.with_suffix(".gz")
    copy_to_gzip(label.path, compressed)
    store.upload(compressed, ledger_key(label.label), file_sha256(compressed))
