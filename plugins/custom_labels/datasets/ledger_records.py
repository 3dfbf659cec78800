"""What earlier checks found, so that no image is read twice. Losing it costs only reading again.

``snapshots/checks/<hash of the label>.tsv.gz`` has one row an image: key, ETag, size, content id, reason. It is
read where a snapshot is written. ``snapshots/checks/verdicts.json.gz`` has only what the cheap poll must know: the bad
images, and those that share their content with another. Both are rewritten by a run that holds the project's lock.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import re
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import astuple, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from custom_labels.core.keys import CHECKS
from custom_labels.datasets.image_records import Checked
from custom_labels.datasets.images import Duplicate, LeftOut
from custom_labels.datasets.tsv import read_blocks
from custom_labels.s3.errors import MISSING

if TYPE_CHECKING:
    from custom_labels.s3.store import S3Store

# Key, ETag, size, content id and nothing; or the same with a reason and no content id.
_LINE = rb"[^\t]+\t[^\t]+\t\d+\t(?:[0-9a-f]{32}\t|\t(?:%b))\n" % "|".join(LeftOut.__members__).encode()
_LINES = re.compile(rb"(?:%b)*+" % _LINE)
VERDICTS = f"{CHECKS}verdicts.json.gz"


@dataclass(frozen=True)
class Verdicts:
    """What is known of the images that are not simply good. Memory grows with their number only.

    :param as_of: the moment of the run that found this, ISO 8601 in UTC; empty if none did.
    :param bad: by label and key, the ETag and the reason of images that Custom Labels would refuse.
    :param duplicates: images that share their content with another.
    """

    as_of: str = ""
    bad: Mapping[str, Mapping[str, tuple[str, LeftOut]]] = field(default_factory=dict)
    duplicates: frozenset[Duplicate] = frozenset()

    def to_bytes(self) -> bytes:
        """Write it; equal verdicts give equal bytes."""
        value = {
            "as_of": self.as_of,
            "bad": {label: {key: list(row) for key, row in rows.items()} for label, rows in self.bad.items() if rows},
            "duplicates": [list(astuple(duplicate)) for duplicate in sorted(self.duplicates)],
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
            frozenset(Duplicate(*row) for row in value["duplicates"]),
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


def ledger_line(key: bytes, etag: bytes, checked: Checked) -> bytes:
    """Write one row of a ledger."""
    reason = checked.reason.name.encode() if checked.reason else b""
    return b"%b\t%b\t%d\t%b\t%b\n" % (key, etag, checked.size, checked.content_id.encode(), reason)


def ledger_lines(ledger: Path) -> Iterator[bytes]:
    """Read a ledger up to its end, or to where it is damaged: the rest is read again from the images."""
    try:
        for block in read_blocks(ledger):
            if not _LINES.fullmatch(b"".join(block)):
                return
            yield from block
    except (OSError, EOFError, zlib.error):
        return
