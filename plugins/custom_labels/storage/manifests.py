"""The two manifests of a frozen snapshot, streamed to S3."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, TYPE_CHECKING

from custom_labels.domain.keys import manifest_key
from custom_labels.domain.manifest import ManifestFile, ManifestPair, line_writer, require_size
from custom_labels.domain.snapshot import ImageSnapshot, SnapshotHeader
from custom_labels.domain.split import Side
from custom_labels.storage.frozen import fetch_rows, read_header
from custom_labels.storage.rows import read_gzip

if TYPE_CHECKING:
    from custom_labels.storage.store import S3Store


class ManifestWriter:
    """Writes one manifest to a local file, hashing and counting as it goes."""

    def __init__(self, side: Side, path: Path, file: IO[bytes]) -> None:
        self.side = side
        self.path = path
        self.file = file
        self.sha256 = hashlib.sha256()
        self.bytes = 0
        self.images: dict[str, int] = {}

    def write(self, label: str, lines: list[bytes]) -> None:
        """Write some lines of one label."""
        block = b"".join(lines)
        self.file.write(block)
        self.sha256.update(block)
        self.bytes += len(block)
        self.images[label] = self.images.get(label, 0) + len(lines)


_BLOCK = 2000
"""Lines gathered before they are written."""


def build_manifests(store: S3Store, snapshot: ImageSnapshot) -> ManifestPair:
    """Write the manifests of a frozen snapshot; the same bytes at every try, and no upload if they are there.

    :raises NotTrainable: a line or a file is larger than Custom Labels takes.
    :raises StorageError: S3 refused, or the snapshot is not there.
    """
    header = read_header(store, snapshot.digest)
    # Of the stored header, not of now: the manifest of a digest must not depend on who builds it, or when.
    created = datetime.fromisoformat(header.snapshot.as_of).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S")
    with tempfile.TemporaryDirectory(prefix="custom-labels-") as name, ExitStack() as files:
        writers = {}
        for side in Side:
            path = Path(name) / side.value
            writers[side] = ManifestWriter(side, path, files.enter_context(path.open("wb")))
        for count in header.snapshot.labels:
            rows = Path(name) / "rows.tsv.gz"
            fetch_rows(store, header, count.label, rows)
            _write_label(count.label, rows, line_writer(store.uri(), count.label, created), writers)
        files.close()
        return ManifestPair(
            digest=header.snapshot.digest,
            train=_upload(store, header, writers[Side.TRAIN]),
            test=_upload(store, header, writers[Side.TEST]),
        )


def _write_label(label: str, rows: Path, line: Callable[[bytes], bytes], writers: dict[Side, ManifestWriter]) -> None:
    blocks: dict[bytes, list[bytes]] = {side.value.encode(): [] for side in Side}
    for key, _, _, _, side in read_gzip(rows):
        block = blocks[side]
        block.append(line(key))
        if len(block) == _BLOCK:
            writers[Side(side.decode())].write(label, block)
            block.clear()
    for side, block in blocks.items():
        writers[Side(side.decode())].write(label, block)


def _upload(store: S3Store, header: SnapshotHeader, writer: ManifestWriter) -> ManifestFile:
    require_size(writer.side.value, writer.bytes)
    place = manifest_key(header.snapshot.digest, writer.side.value)
    etag = store.upload(writer.path, place, writer.sha256.hexdigest())
    return ManifestFile(store.uri(place), store.key(place), etag, writer.bytes, writer.images)
