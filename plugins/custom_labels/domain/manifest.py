"""The lines of a Custom Labels manifest, and the limits of one."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from custom_labels.domain.errors import NotTrainable
from custom_labels.domain.split import Side

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

    def to_json(self) -> dict[str, Any]:
        """Give it as JSON types."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> ManifestPair:
        """Read back what :meth:`to_json` gave."""
        return cls(value["digest"], ManifestFile(**value["train"]), ManifestFile(**value["test"]))

    def side(self, side: Side) -> ManifestFile:
        """Give the manifest of one side."""
        return self.train if side is Side.TRAIN else self.test


def json_text(key: bytes) -> bytes:
    """Write a key as the inside of a JSON string, exactly as ``json.dumps`` does.

    :param key: in UTF-8.
    """
    if _PLAIN.fullmatch(key):
        return key
    return json.dumps(key.decode())[1:-1].encode()


def line_writer(uri_prefix: str, label: str, creation_date: str) -> Callable[[bytes], bytes]:
    """Make the function that gives a label's manifest lines: all but the key is written once.

    The format is that of the developer guide's "Importing image-level labels in manifest files".

    :param uri_prefix: ``s3://bucket/prefix/``, to which a key is appended.
    :param creation_date: UTC, as ``2026-01-31T12:00:00``.
    :return: from a key in UTF-8, relative to ``uri_prefix``, to its line with the line's end.
    :raises NotTrainable: (the function) the line is longer than Custom Labels takes.
    """
    marker = "\x00"
    line = {
        "source-ref": uri_prefix + marker,
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
    head, tail = template.encode().split(json.dumps(marker)[1:-1].encode(), 1)
    longest = MAXIMUM_LINE - len(head) - len(tail)

    def write(key: bytes) -> bytes:
        text = json_text(key)
        if len(text) > longest:
            raise NotTrainable(
                f"The manifest line of '{key.decode()}' is longer than {MAXIMUM_LINE:,} characters, which "
                f"Custom Labels does not take. Shorten the key, or the name of its label '{label[:80]}'."
            )
        return head + text + tail

    return write


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
