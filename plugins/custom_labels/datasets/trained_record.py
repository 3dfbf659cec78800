"""What a version was trained on, as the registry keeps it."""

from __future__ import annotations

from dataclasses import dataclass

from custom_labels.core.version_record import VersionRecord
from custom_labels.datasets.refusals import RefusedImages
from custom_labels.datasets.snapshot import LabelCount


@dataclass(frozen=True, kw_only=True)
class TrainedRecord(VersionRecord):
    """A version with its images.

    :param labels: the images of each label in its snapshot.
    :param refused_images: those of them that Custom Labels did not use.
    """

    labels: tuple[LabelCount, ...] = ()
    refused_images: RefusedImages | None = None
