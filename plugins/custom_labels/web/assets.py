"""The assets of a project: signals, by which its DAGs trigger each other, and data, which tasks read and write.

No name and no URI of one can ever be half of another's, which Airflow would answer by making one of the two inactive,
and failing the tasks that name it: a signal has nothing but a name, which is the project's; data has nothing but a URI,
which is its place in S3, and so keeps apart what a project had in another bucket, or below another prefix, before.
"""

from __future__ import annotations

from enum import Enum
from urllib.parse import quote

from airflow.sdk import Asset, AssetWatcher

from custom_labels.core import keys
from custom_labels.core.registry import LIVE, VERSIONS
from custom_labels.core.settings import Project
from custom_labels.detection.announcement_trigger import AnnouncementTrigger
from custom_labels.evaluation.decision_records import DECISIONS
from custom_labels.operations.cost_records import COSTS

# -- signals ---------------------------------------------------------------------------------------


def labeled_images(project: Project) -> Asset:
    """Enough labelled images came in for a training."""
    return Asset(f"{project.name}_labeled_images")


def trained_version(project: Project) -> Asset:
    """A version was trained and measured. No DAG of the project is scheduled on it; those of others may be."""
    return Asset(f"{project.name}_trained_version")


def live_version(project: Project) -> Asset:
    """Another version serves."""
    return Asset(f"{project.name}_live_version")


def new_images(project: Project) -> Asset:
    """S3 announced images to be labelled."""
    return _watched(project, "new_images", project.queues.detections, of_images=True)


def finished_reviews(project: Project) -> Asset:
    """The review backend announced reviews that have ended."""
    return _watched(project, "finished_reviews", project.queues.reviews, of_images=False)


def _watched(project: Project, kind: str, queue_url: str | None, *, of_images: bool) -> Asset:
    name = f"{project.name}_{kind}"
    if not queue_url:
        return Asset(name)
    trigger = AnnouncementTrigger(
        queue_url=queue_url,
        bucket=project.bucket,
        prefix=project.prefix,
        of_images=of_images,
        # A consumer waits for the result of an image; SQS asks a dollar a month for polls every second.
        poll_seconds=1 if of_images else 2,
        aws_conn_id=project.aws_conn_id,
        region_name=project.region_name,
    )
    return Asset(name, watchers=[AssetWatcher(name=f"{name}_queue", trigger=trigger)])


# -- data ------------------------------------------------------------------------------------------


class Data(Enum):
    """What tasks read and write, by its folder or key relative to the project's prefix. No DAG is scheduled on any."""

    TRAINING_IMAGES = keys.IMAGES
    INBOX = keys.INBOX
    DETECTIONS = keys.DETECTIONS
    DETECTION_LOG = keys.DETECTION_LOG
    REVIEWS = keys.REVIEWS
    SNAPSHOTS = keys.SNAPSHOTS
    MANIFESTS = keys.MANIFESTS
    EVALUATION = "evaluation/"
    VERSIONS = VERSIONS
    DECISIONS = DECISIONS
    LIVE = LIVE
    AUDIT = "audit/"
    COSTS = COSTS
    UNLABELED = keys.UNLABELED
    LABEL_ASSIST = keys.LABEL_ASSIST


def data(project: Project, which: Data) -> Asset:
    """Give an asset whose URI Airflow's OpenLineage provider makes a dataset of: ``s3://bucket`` and the key.

    The training images of a project whose images have several labels, or boxes, are where its annotations are. What a
    URI cannot hold of the prefix is percent-encoded.
    """
    is_annotated = which is Data.TRAINING_IMAGES and project.task.has_several
    folder = keys.ANNOTATIONS if is_annotated else str(which.value)
    return Asset(uri=f"s3://{project.bucket}/{quote(project.prefix)}{folder.rstrip('/')}")
