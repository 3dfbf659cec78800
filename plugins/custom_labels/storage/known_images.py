"""Test images whose label is known, to put to a version before it serves."""

from __future__ import annotations

import json
from urllib.parse import urlsplit

from custom_labels.storage.store import S3Store


def known_test_images(store: S3Store, digest: str, count: int) -> list[tuple[str, str]]:
    """Pick test images of a snapshot, spread over its labels, always the same ones.

    Streams the test manifest and keeps the first images of each label.

    :param digest: the snapshot's digest.
    :param count: number of images wanted; fewer where the test dataset has fewer.
    :return: pairs of ``s3://`` URI and label.
    """
    by_label: dict[str, list[str]] = {}
    for line in store.call("get_object", f"manifests/{digest}/test.manifest")["Body"].iter_lines():
        entry = json.loads(line)
        label = next(value["class-name"] for name, value in entry.items() if name.endswith("-metadata"))
        images = by_label.setdefault(label, [])
        if len(images) < count:
            images.append(entry["source-ref"])
    rounds = [
        (images[turn], label)
        for turn in range(count)
        for label, images in sorted(by_label.items())
        if turn < len(images)
    ]
    return rounds[:count]


def bucket_and_key(uri: str) -> tuple[str, str]:
    """Split an ``s3://`` URI; the key is taken as it is, question marks and hashes included."""
    parts = urlsplit(uri, allow_fragments=False)
    return parts.netloc, uri.split("/", 3)[3]
