"""The training images whose label is doubtful and that people were not asked about yet, as requests for reviews."""

from __future__ import annotations

import tempfile
from pathlib import Path

from custom_labels.core.names import review_subject
from custom_labels.core.project_task import ProjectTask
from custom_labels.datasets.inspection.inspection import Inspection
from custom_labels.datasets.snapshot_contents import SnapshotContents
from custom_labels.datasets.snapshot_records import fetch_snapshot
from custom_labels.review.harvest_records import read_ledger
from custom_labels.review.review import ReviewRequest
from custom_labels.review.suspects import Suspected, first_suspects, suspect_request
from custom_labels.s3.store import S3Store


def suspects_to_ask(
    store: S3Store, project: str, task: ProjectTask, found: Inspection, most: int, reviewers: int
) -> list[ReviewRequest]:
    """Make the requests of the worst suspects, each image once.

    It reads the whole ledger of reviews, since an image that people were asked about is not shown again.

    :param found: the inspection whose suspects they are.
    :param most: images that people are asked about, at most.
    :param reviewers: people who are asked about an image at first.
    """
    asked = {review_subject(str(line["review"])) for file in read_ledger(store) for line in file.records}
    chosen = first_suspects(project, found.suspects, asked, most)
    if not chosen:
        return []
    with tempfile.TemporaryDirectory(prefix="custom-labels-") as folder:
        frozen = fetch_snapshot(store, found.digest, Path(folder))
        with SnapshotContents(frozen.path, frozen.header, store.uri()) as contents:
            images = {each.key: each for each in contents.holding(each.key for each in chosen)}
    labels = [each.label for each in found.labels]
    return [
        suspect_request(
            project,
            Suspected(each, images[each.key].labels, images[each.key].annotation),
            store.uri(each.key),
            labels,
            found.digest,
            reviewers,
            task,
        )
        for each in chosen
        if each.key in images and images[each.key].etag == each.etag
    ]
