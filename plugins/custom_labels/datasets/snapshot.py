"""The images of a project at one moment, as counts and a digest: the value that the train DAG passes on."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from custom_labels.core.keys import ANNOTATIONS, IMAGES
from custom_labels.core.project_task import ProjectTask
from custom_labels.datasets.images import MAXIMUM_IMAGES, MAXIMUM_LABEL_NAME, MAXIMUM_LABELS
from custom_labels.datasets.split import SplitRule
from custom_labels.errors import NotTrainable

MINIMUM_LABELS = 2
"""Labels that a classification dataset needs (developer guide, "Guidelines and quotas")."""
MINIMUM_IMAGES_A_LABEL = 2
"""One to train on and one to judge by."""


SMALL_REGIONS = {"ap-south-1": (28_000, 7_000), "eu-west-2": (28_000, 7_000)}
"""Train and test images that Custom Labels takes where it takes fewer than elsewhere (same page)."""


@dataclass(frozen=True, order=True)
class LabelCount:
    """One label in a snapshot; they sort as S3 sorts their names.

    :param images: usable images; ``untrained`` of them are not in the last trained snapshot.
    :param digest: SHA-256, hex, over the rows ``key TAB etag NEWLINE`` in the order of the keys' UTF-8 bytes;
        keys relative to the project's prefix, ETags without quotes.
    :param train: images to train on; it and ``test`` are known only once the snapshot is frozen, and then all others
        are test images above the number that Custom Labels takes, which are not used.
    """

    label: str
    images: int
    untrained: int
    digest: str
    train: int = 0
    test: int = 0


@dataclass(frozen=True)
class ImageSnapshot:
    """What was found below ``images_labeled_by_folder/``: small enough for XCom.

    :param digest: names the usable images, see :func:`combine`; the same images give the same digest.
    :param as_of: objects last modified up to then were seen, ISO 8601 in UTC.
    :param images: usable images, of which ``untrained`` are not in the snapshot ``trained`` by (key, ETag).
    :param trained: digest of the last trained snapshot, if there is one.
    :param labels: sorted by the UTF-8 bytes of their names.
    :param left_out: pairs of reason and count of what is not in it.
    :param train: images to train on, and ``test`` to judge by, of a stored snapshot in which an image has several
        labels and is counted by each.
    """

    digest: str
    as_of: str
    images: int
    untrained: int
    trained: str | None
    labels: tuple[LabelCount, ...]
    left_out: tuple[tuple[str, int], ...] = ()
    train: int | None = None
    test: int | None = None

    @property
    def train_images(self) -> int:
        """Images to train on, of a stored snapshot."""
        return sum(count.train for count in self.labels) if self.train is None else self.train

    @property
    def test_images(self) -> int:
        """Images to judge by, of a stored snapshot."""
        return sum(count.test for count in self.labels) if self.test is None else self.test


@dataclass(frozen=True)
class SnapshotHeader:
    """A stored snapshot's ``snapshot.json``: what it is, how it was split, and what it is to be learned for."""

    snapshot: ImageSnapshot
    split: SplitRule
    task: ProjectTask = ProjectTask.IMAGE_CLASSIFICATION


def combine(labels: Iterable[LabelCount]) -> str:
    """Give the digest of a snapshot: SHA-256, hex, over ``label TAB digest NEWLINE`` a label, sorted by label."""
    rows = [f"{count.label}\t{count.digest}\n" for count in sorted(labels)]
    return hashlib.sha256("".join(rows).encode()).hexdigest()


def make_snapshot(
    labels: Sequence[LabelCount], as_of: datetime, trained: str | None, left_out: tuple[tuple[str, int], ...]
) -> ImageSnapshot:
    """Put the labels' counts together."""
    return ImageSnapshot(
        digest=combine(labels),
        as_of=as_of.isoformat(),
        images=sum(count.images for count in labels),
        untrained=sum(count.untrained for count in labels),
        trained=trained,
        labels=tuple(sorted(labels)),
        left_out=left_out,
    )


def require_trainable(labels: Mapping[str, int], labels_left_out: Sequence[str] = ()) -> None:
    """Stop what Custom Labels would refuse as a dataset, before anything is paid.

    The limits are those of the developer guide's "Guidelines and quotas".

    :param labels: numbers of usable images of the labels that have enough.
    :param labels_left_out: labels with too few, or with a name that is too long.
    :raises NotTrainable: fewer than two labels, more than 250, or more than 250,000 images.
    """
    images = sum(labels.values())
    if len(labels) < MINIMUM_LABELS:
        names = ", ".join(map(repr, labels)) or "none"
        left_out = ", ".join(f"'{label[:80]}{'...' if len(label) > 80 else ''}'" for label in labels_left_out)
        is_long = any(len(label) > MAXIMUM_LABEL_NAME for label in labels_left_out)
        long = f", or for a name of more than {MAXIMUM_LABEL_NAME} characters" if is_long else ""
        few = f" Left out for too few images{long}: {left_out}." if left_out else ""
        raise NotTrainable(
            f"Too few labels to train: {len(labels)} ({names}) of the folders below '{IMAGES}' have at least "
            f"{MINIMUM_IMAGES_A_LABEL} usable images, and {MINIMUM_LABELS} such labels are needed.{few} "
            "Add images, each below the folder of its label."
        )
    if len(labels) > MAXIMUM_LABELS:
        raise NotTrainable(
            f"Too many labels to train: {len(labels)} folders below '{IMAGES}' have usable images, and Custom "
            f"Labels takes {MAXIMUM_LABELS}. Merge folders, or make a second project."
        )
    if images > MAXIMUM_IMAGES:
        raise NotTrainable(
            f"Too many images to train: {images:,} usable images below '{IMAGES}', and Custom Labels takes "
            f"{MAXIMUM_IMAGES:,} in a dataset. Move some elsewhere, or make a second project."
        )


def require_trainable_annotations(
    task: ProjectTask, labels: Mapping[str, int], images: int, labels_left_out: Sequence[str] = ()
) -> None:
    """Stop what Custom Labels would refuse as a dataset of boxes or of several labels an image.

    :param labels: numbers of usable images of the labels that have enough; ``images`` of all together.
    :param labels_left_out: labels with too few.
    :raises NotTrainable: no label, or one alone without boxes; more than 250 labels, or more than 250,000 images.
    """
    least = 1 if task is ProjectTask.OBJECT_DETECTION else MINIMUM_LABELS
    if len(labels) < least:
        left_out = ", ".join(repr(label[:80]) for label in labels_left_out)
        few = f" Left out for too few images: {left_out}." if left_out else ""
        raise NotTrainable(
            f"Too few labels to train: {len(labels)} ({', '.join(map(repr, labels)) or 'none'}) in the annotations "
            f"below '{ANNOTATIONS}' are on at least {MINIMUM_IMAGES_A_LABEL} usable images, and {least} such labels "
            f"are needed.{few} Add annotated images."
        )
    if len(labels) > MAXIMUM_LABELS or images > MAXIMUM_IMAGES:
        raise NotTrainable(
            f"Too much to train: {len(labels)} labels on {images:,} usable images by the annotations below "
            f"'{ANNOTATIONS}', and Custom Labels takes {MAXIMUM_LABELS} labels and {MAXIMUM_IMAGES:,} images. Take "
            "annotations out, or make a second project."
        )


def require_region(snapshot: ImageSnapshot, region: str) -> None:
    """Stop what Custom Labels would refuse in one of the regions where it takes fewer images than elsewhere.

    :param snapshot: a stored one.
    :raises NotTrainable: it has too many images to train on or to judge by.
    """
    train, test = SMALL_REGIONS.get(region, (MAXIMUM_IMAGES, MAXIMUM_IMAGES))
    if snapshot.train_images > train or snapshot.test_images > test:
        raise NotTrainable(
            f"Too many images to train in {region}: {snapshot.train_images:,} to train on and "
            f"{snapshot.test_images:,} to judge by, and Custom Labels takes {train:,} and {test:,} there, which cannot "
            f"be raised. Move some out of '{IMAGES}', or the project to another region."
        )


@dataclass(frozen=True)
class LabelChange:
    """What became of a label's images since the snapshot trained on last, by key and ETag.

    :param new: keys that it lacks; ``changed`` ones have another content, ``removed`` ones are gone.
    :param to_test: images with the same content that trained then and judge now; ``to_train`` the reverse.
    """

    label: str
    new: int = 0
    changed: int = 0
    removed: int = 0
    to_test: int = 0
    to_train: int = 0

    @property
    def numbers(self) -> tuple[int, ...]:
        """All of them, in order."""
        return (self.new, self.changed, self.removed, self.to_test, self.to_train)


@dataclass(frozen=True)
class SnapshotChanges:
    """What became of the images since the snapshot trained on last.

    :param labels: by label, those of either snapshot.
    :param whole: of all images, each counted once, however many labels it has.
    """

    labels: tuple[LabelChange, ...]
    whole: LabelChange
