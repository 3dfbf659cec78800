"""Results of detections: one object for an image, an ETag and a version, written once."""

from __future__ import annotations

from custom_labels.aws.predictions import InferenceImage
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
    folder = f"{result_folder(image)}/"
    return bool(store.call("list_objects_v2", folder, Prefix=store.key(folder), MaxKeys=1).get("KeyCount"))
