"""The lines of a Custom Labels manifest, and the limits of one."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from custom_labels.datasets.split import Subset
from custom_labels.errors import NotTrainable

ATTRIBUTE = "label"
"""Name of the label attribute, the same in every manifest; the label itself is the metadata's class-name."""

# Developer guide, "Guidelines and quotas" and "Validation rules for manifest files".
MAXIMUM_LINE = 100_000
MAXIMUM_MANIFEST_BYTES = 1024**3

# What json.dumps with ensure_ascii leaves as it is.
_PLAIN = re.compile(rb"[ !#-\[\]-~]*")


@dataclass(frozen=True)
class ManifestFile:
    """One manifest in the bucket.

    :param etag: without quotes, as S3 gave it.
    :param bytes: size of the file.
    :param images: lines a label.
    """

    uri: str
    key: str
    etag: str
    bytes: int
    images: Mapping[str, int]

    @property
    def lines(self) -> int:
        """All lines."""
        return sum(self.images.values())


@dataclass(frozen=True)
class ManifestPair:
    """The two manifests of a snapshot."""

    digest: str
    train: ManifestFile
    test: ManifestFile

    def side(self, side: Subset) -> ManifestFile:
        """Give the manifest of one side."""
        return self.train if side is Subset.TRAIN else self.test


def json_text(key: bytes) -> bytes:
    """Write a key as the inside of a JSON string, exactly as ``json.dumps`` does.

    :param key: in UTF-8.
    """
    return json.dumps(key.decode())[1:-1].encode()


class LineWriter:
    """Writes the manifest lines of one label: all but the key is made once.

    The format is that of the developer guide's "Importing image-level labels in manifest files".

    :param uri_prefix: ``s3://bucket/prefix/``, to which a key is appended.
    :param creation_date: UTC, as ``2026-01-31T12:00:00``.
    """

    def __init__(self, uri_prefix: str, label: str, creation_date: str) -> None:
        self.label = label
        place = "\x00"  # stands for the key: no prefix and no label holds it
        line = {
            "source-ref": uri_prefix + place,
            ATTRIBUTE: 1,
            f"{ATTRIBUTE}-metadata": {
                "confidence": 1,
                "class-name": label,
                "human-annotated": "yes",
                "creation-date": creation_date,
                "type": "groundtruth/image-classification",
            },
        }
        template = json.dumps(line, separators=(",", ":")) + "\n"
        self._head, self._tail = template.encode().split(json.dumps(place)[1:-1].encode(), 1)

    def lines(self, keys: Sequence[bytes]) -> bytes:
        """Write the lines of some images.

        :param keys: in UTF-8, relative to ``uri_prefix``.
        :raises NotTrainable: a line is longer than Custom Labels takes.
        """
        if not keys:
            return b""
        if not _PLAIN.fullmatch(b"".join(keys)):
            keys = [json_text(key) for key in keys]
        longest = max(keys, key=len)
        if len(self._head) + len(longest) + len(self._tail) > MAXIMUM_LINE:
            raise NotTrainable(
                f"The manifest line of '{longest.decode()}' is longer than {MAXIMUM_LINE:,} characters, which Custom "
                f"Labels does not take. Shorten the key, or the name of its label '{self.label[:80]}'."
            )
        return self._head + (self._tail + self._head).join(keys) + self._tail


def require_size(side: str, size: int) -> None:
    """Stop a manifest that Custom Labels would refuse.

    :param size: in bytes.
    :raises NotTrainable: it is above 1 GB.
    """
    if size > MAXIMUM_MANIFEST_BYTES:
        raise NotTrainable(
            f"The {side} manifest is {size:,} bytes, and Custom Labels takes {MAXIMUM_MANIFEST_BYTES:,}. "
            "Shorten the keys of the images, or make a second project for some of them."
        )
