"""The learning curve in the registry: written anew, from all records, by every run that evaluated a version."""

from __future__ import annotations

from typing import TYPE_CHECKING

from custom_labels.core.codec import to_json
from custom_labels.core.gate import Metric
from custom_labels.evaluation.judged_record import JudgedRecord
from custom_labels.evaluation.learning_curve import LearningCurve, learning_curve, to_svg
from custom_labels.s3.errors import MISSING

if TYPE_CHECKING:
    from custom_labels.core.registry import Registry
    from custom_labels.s3.store import S3Store

CURVE = "registry/learning_curve.json"
PICTURE = "registry/learning_curve.svg"


def read_learning_curve(store: S3Store) -> bytes | None:
    """Give the picture of the curve as the last run drew it; ``None`` while no version was evaluated."""
    from botocore.exceptions import ClientError

    try:
        picture, _ = store.read_bytes(PICTURE, expect=MISSING)
    except ClientError:
        return None
    return picture


def write_learning_curve(registry: Registry, project: str, metric: Metric) -> LearningCurve:
    """Draw the curve of all versions of the registry.

    Nothing is compared or kept: whoever writes last has read all records that were there, and a version that is
    missing in between is in the next one.
    """
    curve = learning_curve(project, metric, registry.versions(JudgedRecord))
    registry.store.write_json(CURVE, to_json(curve))
    registry.store.call("put_object", PICTURE, Body=to_svg(curve).encode(), ContentType="image/svg+xml")
    return curve
