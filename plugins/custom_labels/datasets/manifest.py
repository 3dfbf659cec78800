"""The lines of a Custom Labels manifest, and the limits of one."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from custom_labels.errors import NotTrainable

ATTRIBUTE = "label"
"""Name of the label attribute, the same in every manifest; the label itself is the metadata's class-name."""

# Developer guide, "Guidelines and quotas" and "Validation rules for manifest files".
MAXIMUM_LINE = 100_000
MAXIMUM_MANIFEST_BYTES = 1024**3

# What json.dumps with ensure_ascii leaves as it is.
_PLAIN = re.compile(r"[ !#-\[\]-~]*")


@dataclass(frozen=True)
class ManifestFile:
    """One manifest in the bucket, with the number of its lines a label."""

    uri: str
    key: str
    images: Mapping[str, int]


@dataclass(frozen=True)
class ManifestPair:
    """The two manifests of a snapshot."""

    train: ManifestFile
    test: ManifestFile


def manifest_lines(uri_prefix: str, label: str, creation_date: str, keys: Sequence[str]) -> str:
    """Write the manifest lines of some images of one label; all but the key is made once.

    The format is that of the developer guide's "Importing image-level labels in manifest files".

    :param uri_prefix: ``s3://bucket/prefix/``, to which a key is appended.
    :param creation_date: UTC, as ``2026-01-31T12:00:00``.
    :raises NotTrainable: a line is longer than Custom Labels takes.
    """
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
    head, tail = f"{json.dumps(line, separators=(',', ':'))}\n".split(json.dumps(place)[1:-1], 1)
    if not _PLAIN.fullmatch("".join(keys)):
        keys = [json.dumps(key)[1:-1] for key in keys]
    longest = max(keys, key=len, default="")
    if len(head) + len(longest) + len(tail) > MAXIMUM_LINE:
        raise NotTrainable(
            f"The manifest line of '{longest}' is longer than {MAXIMUM_LINE:,} characters, which Custom "
            f"Labels does not take. Shorten the key, or the name of its label '{label[:80]}'."
        )
    return head + (tail + head).join(keys) + tail if keys else ""


def annotated_line(source_ref: str, body: str) -> str:
    """Write a manifest line of a body, which is a line without its beginning."""
    return f'{{"source-ref":{json.dumps(source_ref)},{body}'


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
