"""What earlier checks found, so that no image is read twice. Losing it costs only reading again.

``snapshots/checks/<hash of the label>.tsv.gz`` has one row an image: key, ETag, size, content id, reason. It is
read where a snapshot is frozen. ``snapshots/checks/verdicts.json.gz`` has only what the cheap poll must know: the bad
images, and those that share their content with another. Both are rewritten by a run that holds the project's lock.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import astuple, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from custom_labels.domain.images import LeftOut, Twin
from custom_labels.domain.keys import CHECKS
from custom_labels.storage.checks import Checked
from custom_labels.storage.faults import MISSING
from custom_labels.storage.rows import read_gzip

if TYPE_CHECKING:
    from custom_labels.storage.store import S3Store

VERDICTS = f"{CHECKS}verdicts.json.gz"


@dataclass(frozen=True)
class Verdicts:
    """What is known of the images that are not simply good. Memory grows with their number only.

    :param as_of: the moment of the run that found this, ISO 8601 in UTC; empty if none did.
    :param bad: by label and key, the ETag and the reason of images that Custom Labels would refuse.
    :param twins: images that share their content with another.
    """

    as_of: str = ""
    bad: Mapping[str, Mapping[str, tuple[str, LeftOut]]] = field(default_factory=dict)
    twins: frozenset[Twin] = frozenset()

    def to_bytes(self) -> bytes:
        """Write it; equal verdicts give equal bytes."""
        value = {
            "as_of": self.as_of,
            "bad": {label: {key: list(row) for key, row in rows.items()} for label, rows in self.bad.items() if rows},
            "twins": [list(astuple(twin)) for twin in sorted(self.twins)],
        }
        return gzip.compress(json.dumps(value, sort_keys=True, ensure_ascii=False).encode(), mtime=0)

    @classmethod
    def from_bytes(cls, data: bytes) -> Verdicts:
        """Read back what :meth:`to_bytes` gave."""
        value = json.loads(gzip.decompress(data))
        return cls(
            value["as_of"],
            {
                label: {key: (etag, LeftOut(reason)) for key, (etag, reason) in rows.items()}
                for label, rows in value["bad"].items()
            },
            frozenset(Twin(*row) for row in value["twins"]),
        )


def read_verdicts(store: S3Store) -> Verdicts:
    """Read what the poll must know; nothing is known if the file is missing or of another form."""
    from botocore.exceptions import ClientError

    try:
        return Verdicts.from_bytes(store.read_bytes(VERDICTS, expect=MISSING)[0])
    except ClientError:
        return Verdicts()
    except (OSError, EOFError, zlib.error, ValueError, KeyError, TypeError):
        return Verdicts()  # cut off, or written by another release: all is read again and written anew


def write_verdicts(store: S3Store, verdicts: Verdicts) -> None:
    """Write what the poll must know."""
    store.call("put_object", VERDICTS, Body=verdicts.to_bytes())


def ledger_key(label: str) -> str:
    """Give the place of a label's ledger."""
    return f"{CHECKS}{hashlib.sha256(label.encode()).hexdigest()[:32]}.tsv.gz"


def ledger_row(key: bytes, etag: bytes, checked: Checked) -> list[bytes]:
    """Give one row of a ledger, as its columns."""
    reason = checked.reason.name.encode() if checked.reason else b""
    return [key, etag, b"%d" % checked.size, checked.content_id.encode(), reason]


def known(rows: Iterable[list[bytes]], ledger: Path) -> Iterator[tuple[list[bytes], list[bytes] | None]]:
    """Join a label's listing with its ledger, both sorted by key.

    :param rows: key and ETag.
    :return: each row with the ledger's row of the same key and ETag, if there is one.
    """
    others = _well_formed(ledger)
    other = next(others, None)
    for row in rows:
        while other is not None and other[0] < row[0]:
            other = next(others, None)
        same = other is not None and other[0] == row[0] and other[1] == row[1]
        yield row, other if same else None


def _well_formed(ledger: Path) -> Iterator[list[bytes]]:
    """Read a ledger up to its end, or to where it is damaged: the rest is read again from the images."""
    try:
        for row in read_gzip(ledger):
            if len(row) != 5 or (row[4] and row[4].decode() not in LeftOut.__members__):
                return
            yield row
    except (OSError, EOFError, zlib.error):
        return
