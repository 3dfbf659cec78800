"""How the answers of a project's versions are read, by its task."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from custom_labels.core.project_task import ProjectTask
from custom_labels.evaluation.answers import Answer
from custom_labels.evaluation.box_answers import read_box_line
from custom_labels.evaluation.label_answers import read_label_line

ReadLine = Callable[[bytes], Answer]
"""Reads a line of the evaluation snapshot; raises ``ValueError`` where it cannot."""

LINE_READERS: Mapping[ProjectTask, ReadLine] = {
    ProjectTask.IMAGE_CLASSIFICATION: read_label_line,
    ProjectTask.MULTI_LABEL_CLASSIFICATION: read_label_line,
    ProjectTask.OBJECT_DETECTION: read_box_line,
}
