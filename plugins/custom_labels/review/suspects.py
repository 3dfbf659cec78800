"""Asking people about training images whose label is doubtful: which of them, and what they are shown."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace

from custom_labels.core.names import review_name, review_subject
from custom_labels.core.project_task import ProjectTask
from custom_labels.datasets.annotations.annotation import Annotation
from custom_labels.datasets.inspection.inspection import Suspect
from custom_labels.datasets.label_names import choices, distinct_names
from custom_labels.review.review import Purpose, ReviewRequest


@dataclass(frozen=True)
class Suspected:
    """A training image whose label is doubtful, with what it has now.

    :param suspect: the worst doubt about the image.
    :param labels: all that it has; ``annotation`` is its line, where the project's task has such.
    """

    suspect: Suspect
    labels: tuple[str, ...]
    annotation: Annotation | None = None


def first_suspects(project: str, suspects: Iterable[Suspect], asked: Collection[str], most: int) -> list[Suspect]:
    """Choose the images that people are asked about: the worst first, each once, and none that they were asked about.

    :param suspects: the worst first.
    :param asked: subjects of all reviews that there were.
    """
    chosen: dict[str, Suspect] = {}
    for each in suspects:
        if len(chosen) == most:
            break
        if review_subject(review_name(project, each.key, each.etag, 1)) not in asked:
            chosen.setdefault(each.key, each)
    return list(chosen.values())


def suspect_request(
    project: str, found: Suspected, uri: str, labels: Iterable[str], digest: str, reviewers: int, task: ProjectTask
) -> ReviewRequest:
    """Make the request of the review of a doubtful label.

    People see the label that the model believes in, where an image has one; of several labels, and of boxes, those that
    the image has, to correct them.

    :param uri: of the image.
    :param labels: all of the snapshot, which ``digest`` names.
    """
    suspect, every = found.suspect, tuple(labels)
    offered, none_label = choices(every)
    request = ReviewRequest(
        name=review_name(project, suspect.key, suspect.etag, 1),
        image=uri,
        key=suspect.key,
        etag=suspect.etag,
        label=suspect.believed or suspect.label,
        confidence=round(100 * suspect.believed_probability, 2),
        labels=offered,
        none_label=none_label,
        version_name=f"inspection-{digest[:12]}",
        purpose=Purpose.LABEL,
        round=1,
        reviewers=reviewers,
        task=task,
    )
    if task is ProjectTask.MULTI_LABEL_CLASSIFICATION:
        return replace(request, guesses=tuple(label for label in found.labels if label in offered))
    if task is ProjectTask.OBJECT_DETECTION and found.annotation is not None:
        annotation = found.annotation
        return replace(
            request,
            labels=distinct_names(every),
            none_label=None,
            boxes=annotation.boxes,
            size=annotation.size,
        )
    return request
