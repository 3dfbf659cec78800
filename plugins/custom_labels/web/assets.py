"""The assets by which the DAGs of a project trigger each other, and by which events from outside trigger them."""

from __future__ import annotations

from airflow.sdk import Asset, AssetWatcher

from custom_labels.core.settings import Project
from custom_labels.detection.announcement_trigger import AnnouncementTrigger


def labeled_images(project: Project) -> Asset:
    """Enough labelled images came in for a training."""
    return Asset(
        f"{project.name}_labeled_images", uri=f"s3://{project.bucket}/{project.prefix}images_labeled_by_folder/"
    )


def live_version(project: Project) -> Asset:
    """Another version serves."""
    return Asset(f"{project.name}_live_version", uri=f"s3://{project.bucket}/{project.prefix}registry/live.json")


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
