"""Results of detections: one object for an image, an ETag and a version, written once."""

from __future__ import annotations

from custom_labels.aws.predictions import InferenceImage
from custom_labels.core.codec import from_json
from custom_labels.core.keys import result_key, result_stem
from custom_labels.detection.detection import Detection
from custom_labels.s3.store import ObjectExists, S3Store


def result_folder(image: InferenceImage) -> str:
    """Give the folder of the results that all versions together have for an image; it ends in no slash."""
    return f"{result_stem(image.key)}{image.etag}"


def save_result(store: S3Store, detection: Detection) -> bool:
    """Write a result, unless the same version has one for this very image: that one stays.

    :return: whether ours was written.
    """
    try:
        store.create_json(result_key(detection.key, detection.etag, detection.version_name), detection.to_record())
    except ObjectExists:
        return False
    return True


def has_result(store: S3Store, image: InferenceImage) -> bool:
    """Whether any version has a result for an image; one call."""
    return _find(store, image) is not None


def read_result(store: S3Store, image: InferenceImage) -> Detection | None:
    """Read a result that any version has for an image, ``None`` if there is none; two calls."""
    key = _find(store, image)
    value = store.read_json(key)[0] if key else None
    return from_json(Detection, value) if value else None


def _find(store: S3Store, image: InferenceImage) -> str | None:
    folder = f"{result_folder(image)}/"
    found = store.call("list_objects_v2", folder, Prefix=store.key(folder), MaxKeys=1).get("Contents", [])
    return str(found[0]["Key"]).removeprefix(store.prefix) if found else None
