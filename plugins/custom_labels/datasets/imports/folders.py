"""Folders of images whose names are the labels."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from custom_labels.core.keys import has_control_character, may_be_image
from custom_labels.core.project_task import ProjectTask
from custom_labels.datasets.annotations.annotation import Annotation, Code, ImageLabel, Provenance, shown
from custom_labels.datasets.images import MAXIMUM_LABEL_NAME
from custom_labels.datasets.imports.source import (
    UNDATED,
    Found,
    ImportCode,
    SourceFiles,
    SourceItem,
    Unusable,
)
from custom_labels.datasets.label_names import readable_name

BY_PEOPLE = Provenance(UNDATED.isoformat(), "yes")
"""Where labels come from that a source has without a word about who gave them, and when."""


def read(files: SourceFiles, task: ProjectTask) -> Iterator[SourceItem]:  # noqa: ARG001 - as all readers
    """Read every image, at any depth: the folder directly below the source names its label."""
    for name in files.names():
        label = _label(name)
        image = label if isinstance(label, Unusable) else files.find_image(name)
        if isinstance(label, str) and isinstance(image, str):
            yield Found(name, Annotation(image, BY_PEOPLE, UNDATED, image_labels=(ImageLabel(label),)))
        elif isinstance(image, Unusable):
            yield replace(image, where=image.where or name)


def _label(name: str) -> str | Unusable:
    """Give the label of an image by its name."""
    folder, slash, _ = name.partition("/")
    if has_control_character(name):
        detail = f"there is a control character in {shown(name)}"
        return Unusable(ascii(name), Code.INVALID_SOURCE_REF_FORMAT, detail)
    if not may_be_image(name):
        return Unusable(name, ImportCode.OTHER_FILE, "it is no image by its name")
    label = readable_name(folder)
    if not slash or not folder:
        return Unusable(name, ImportCode.NOT_ANNOTATED, "it lies in no folder, whose name would be its label")
    if len(label) > MAXIMUM_LABEL_NAME:
        detail = f"the folder {shown(folder)} has {len(label)} characters: expected 1 to {MAXIMUM_LABEL_NAME}"
        return Unusable(name, Code.INVALID_LABEL_NAME_LENGTH, detail)
    return label
