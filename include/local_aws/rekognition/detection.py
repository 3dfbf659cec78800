"""DetectCustomLabels."""

from __future__ import annotations

import time

from include.local_aws.objects import ObjectDenied, ObjectMissing
from include.local_aws.pictures import open_picture
from include.local_aws.rekognition.images import SMALLEST_SIDE, ImageProblem, find_problem
from include.local_aws.rekognition.state import Region, Version
from include.local_aws.training.results import Detection, TrainedModel
from include.local_aws.wire.errors import AwsError
from include.local_aws.wire.parse import Params

LARGEST_INLINE_BYTES = 4 * 1024 * 1024
"""The guide allows 4 MB of image bytes in a request, though the service model says 5 MB."""
_S3_HINT = "Check object key, region and/or access permissions."


def detect_custom_labels(region: Region, params: Params) -> Params:
    """Find labels in an image with a running version; runs without the lock while it computes."""
    with region.lock:
        version, model = _running(region, params["ProjectVersionArn"])
        _count(region, version)
    content = _content(region, params["Image"])
    _check(content)
    found = _confident(model, model.detect(content), params.get("MinConfidence"))
    if "MaxResults" in params:
        found = found[: params["MaxResults"]]
    return {"CustomLabels": [_custom_label(item) for item in found]}


def _custom_label(found: Detection) -> Params:
    label: Params = {"Name": found.name, "Confidence": found.confidence * 100}
    if found.box is not None:
        left, top, width, height = found.box
        label["Geometry"] = {"BoundingBox": {"Width": width, "Height": height, "Left": left, "Top": top}}
    return label


def _running(region: Region, arn: str) -> tuple[Version, TrainedModel]:
    version = region.version(arn)
    if version.status != "RUNNING" or version.model is None:
        raise AwsError(
            "ResourceNotReadyException", f"The model version {arn} is in status {version.status}, not RUNNING."
        )
    return version, version.model


def _count(region: Region, version: Version) -> None:
    """Refuse a call beyond the throughput of the version's inference units, if that quota is on."""
    per_unit = region.settings.quota("detect_tps_per_unit")
    if not per_unit:
        return
    now = time.monotonic()
    version.detections = [moment for moment in version.detections if moment > now - 1]
    if len(version.detections) >= per_unit * version.details["MinInferenceUnits"]:
        raise AwsError(
            "ProvisionedThroughputExceededException",
            f"Provisioned throughput of the model version {version.arn} exceeded: start it with more inference units.",
        )
    version.detections.append(now)


def _content(region: Region, image: Params) -> bytes:
    if ("Bytes" in image) == ("S3Object" in image):
        raise AwsError("InvalidParameterException", "Image needs either Bytes or S3Object, one of them.")
    if "Bytes" in image:
        content: bytes = image["Bytes"]
        if len(content) > LARGEST_INLINE_BYTES:
            raise AwsError("ImageTooLargeException", f"The image has {len(content)} bytes; 4 MB are allowed.")
        return content
    place = image["S3Object"]
    try:
        return region.objects.read(place.get("Bucket", ""), place.get("Name", ""), place.get("Version"))
    except (ObjectMissing, ObjectDenied) as error:
        raise AwsError(
            "InvalidS3ObjectException", f"Unable to get object metadata from S3: {error}. {_S3_HINT}"
        ) from None


def _check(content: bytes) -> None:
    problem = find_problem(content, decode=True)
    if problem is ImageProblem.FORMAT:
        raise AwsError("InvalidImageFormatException", "Request has invalid image format: PNG and JPEG are allowed.")
    if problem is ImageProblem.TOO_LARGE:
        raise AwsError("ImageTooLargeException", f"The image has {len(content)} bytes; 15 MB are allowed.")
    if problem is ImageProblem.DIMENSION:
        with open_picture(content) as image:
            width, height = image.size
        too_small = min(width, height) < SMALLEST_SIDE
        code = "InvalidParameterException" if too_small else "ImageTooLargeException"
        raise AwsError(code, f"The image is {width} x {height} pixels: 64 to 4096 a side are allowed, at most 20 to 1.")


def _confident(model: TrainedModel, found: list[Detection], min_confidence: float | None) -> list[Detection]:
    """Keep what reaches MinConfidence (0 to 100), or each label's assumed threshold if none is given."""
    if min_confidence is not None:
        return [item for item in found if item.confidence * 100 >= min_confidence]
    return [item for item in found if item.confidence >= model.thresholds[item.name]]
