"""Images whose label is known, to put to a version before it serves."""

from __future__ import annotations

import json
from urllib.parse import urlsplit

from custom_labels.domain.keys import manifest_key
from custom_labels.domain.split import Side
from custom_labels.storage.store import S3Store


def known_images(store: S3Store, digest: str, count: int) -> list[tuple[str, str]]:
    """Pick images of a snapshot, spread over its labels, always the same ones.

    Test images first; where there are fewer than wanted, train images too: this is to find out whether an endpoint is
    the trained model, not how good that is. Streams the manifests and keeps the first images of each label.

    :param digest: the snapshot's digest.
    :param count: number of images wanted; fewer where the snapshot has fewer.
    :return: pairs of ``s3://`` URI and label.
    """
    found: list[tuple[str, str]] = []
    for side in (Side.TEST, Side.TRAIN):
        if len(found) < count:
            found += _spread(store, manifest_key(digest, side.value), count - len(found))
    return found


def _spread(store: S3Store, manifest: str, count: int) -> list[tuple[str, str]]:
    by_label: dict[str, list[str]] = {}
    for line in store.call("get_object", manifest)["Body"].iter_lines():
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
