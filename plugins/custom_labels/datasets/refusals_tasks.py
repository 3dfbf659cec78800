"""What the train DAG does about images that Custom Labels refused: log, record, and leave them out from now on."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from custom_labels.core.context import ProjectContext
from custom_labels.datasets.refusals import EXAMPLES, RefusedImages, refusals_in_words
from custom_labels.datasets.refusals_records import read_refusals, remember_refusals
from custom_labels.datasets.trained_record import TrainedRecord

log = logging.getLogger(__name__)


def note_refusals(ctx: ProjectContext, digest: str, described: Mapping[str, Any]) -> RefusedImages:
    """Read what Custom Labels' validation of a training names, and leave it out the next time.

    :param digest: of the snapshot that was trained on.
    :param described: the version as DescribeProjectVersions gives it.
    :return: the version's ``refused_images``, for its record.
    """
    found = read_refusals(ctx.store, described)
    record = found.to_record()
    for image, codes in list(found.images.items())[:EXAMPLES]:
        log.warning("Custom Labels did not use %s: %s.", image, ", ".join(codes))
    if record.refused:
        log.warning("Custom Labels did not use %s.", refusals_in_words(record))
    remember_refusals(ctx.store, digest, found.blamed)
    return record


def mention_refusals(
    ctx: ProjectContext, version_name: str, detail: str, facts: dict[str, Any]
) -> tuple[str, dict[str, Any]]:
    """Add to a run's outcome what Custom Labels refused of a version's images; nothing where it took all.

    :param detail: the outcome's sentence; ``facts`` its named values.
    """
    record = ctx.registry.version(version_name, TrainedRecord)
    refused = record.refused_images if record else None
    words = refusals_in_words(refused)
    if refused is None or not words:
        return detail, facts
    clause = f"; Custom Labels did not use {refused.refused} of {refused.lines} images"
    return detail + clause, {**facts, "Not used by Custom Labels": words}
