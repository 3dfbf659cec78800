"""The two manifests of a stored snapshot, streamed to S3."""

from __future__ import annotations

import hashlib
import tempfile
from contextlib import ExitStack
from datetime import UTC, datetime
from heapq import nsmallest
from itertools import compress
from operator import not_
from pathlib import Path
from typing import IO, TYPE_CHECKING

from custom_labels.core.keys import manifest_key
from custom_labels.datasets.manifest import LineWriter, ManifestFile, ManifestPair, require_size
from custom_labels.datasets.snapshot import ImageSnapshot, SnapshotHeader
from custom_labels.datasets.snapshot_reader import fetch_rows, read_header
from custom_labels.datasets.split import Subset, position
from custom_labels.datasets.tsv import columns, read_blocks, read_lines
from custom_labels.s3.errors import MISSING

if TYPE_CHECKING:
    from custom_labels.s3.store import S3Store


class ManifestWriter:
    """Writes one manifest to a local file, hashing and counting as it goes."""

    def __init__(self, side: Subset, path: Path, file: IO[bytes]) -> None:
        self.side = side
        self.path = path
        self.file = file
        self.sha256 = hashlib.sha256()
        self.bytes = 0
        self.images: dict[str, int] = {}

    def write(self, lines: LineWriter, keys: list[bytes]) -> None:
        """Write the lines of some images of one label."""
        block = lines.lines(keys)
        self.file.write(block)
        self.sha256.update(block)
        self.bytes += len(block)
        self.images[lines.label] = self.images.get(lines.label, 0) + len(keys)


def build_manifests(store: S3Store, snapshot: ImageSnapshot) -> ManifestPair:
    """Write the manifests of a stored snapshot; the same bytes at every try, and no upload if they are there.

    :raises NotTrainable: a line or a file is larger than Custom Labels takes.
    :raises StorageError: S3 refused, or the snapshot is not there.
    """
    header = read_header(store, snapshot.digest)
    # Of the stored header, not of now: the manifest of a digest must not depend on who builds it, or when.
    created = datetime.fromisoformat(header.snapshot.as_of).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S")
    with tempfile.TemporaryDirectory(prefix="custom-labels-") as name, ExitStack() as files:
        writers = {}
        for side in Subset:
            path = Path(name) / side.value
            writers[side] = ManifestWriter(side, path, files.enter_context(path.open("wb")))
        for count in header.snapshot.labels:
            rows = Path(name) / "rows.tsv.gz"
            fetch_rows(store, header, count.label, rows)
            last = _last_position(rows, count.test) if count.train + count.test < count.images else None
            _write_label(rows, LineWriter(store.uri(), count.label, created), writers, last)
        files.close()
        return ManifestPair(
            digest=header.snapshot.digest,
            train=_upload(store, header, writers[Subset.TRAIN]),
            test=_upload(store, header, writers[Subset.TEST]),
        )


_TEST = f"\t{Subset.TEST}\n".encode()


def _last_position(rows: Path, most: int) -> str:
    """Find the place in the order of the split behind which a label's test images are too many to be used.

    Those left out stay test images: whatever comes, none of them is ever trained on.
    """
    places = (_position(line) for line in read_lines(rows) if line.endswith(_TEST))
    return nsmallest(most, places)[-1]


def _position(line: bytes) -> str:
    return position(columns(line)[3].decode())


def _write_label(rows: Path, lines: LineWriter, writers: dict[Subset, ManifestWriter], last: str | None) -> None:
    for block in read_blocks(rows):
        keys = [line[: line.index(b"\t")] for line in block]
        is_test = [line.endswith(_TEST) for line in block]
        writers[Subset.TRAIN].write(lines, list(compress(keys, map(not_, is_test))))
        if last is not None:
            is_test = [test and _position(line) <= last for line, test in zip(block, is_test, strict=True)]
        writers[Subset.TEST].write(lines, list(compress(keys, is_test)))


def _upload(store: S3Store, header: SnapshotHeader, writer: ManifestWriter) -> ManifestFile:
    require_size(writer.side.value, writer.bytes)
    place = manifest_key(header.snapshot.digest, writer.side.value)
    etag = store.upload(writer.path, place, writer.sha256.hexdigest())
    return ManifestFile(store.uri(place), store.key(place), etag, writer.bytes, writer.images)


def uploaded_sha256(store: S3Store, place: str) -> str | None:
    """Give the SHA-256 of a manifest as it was uploaded, hex; ``None`` where there is none.

    :param place: relative to the project's prefix.
    """
    from botocore.exceptions import ClientError

    try:
        return str(store.call("head_object", place, expect=MISSING)["Metadata"].get("sha256") or "") or None
    except ClientError:
        return None
