"""Which lines the annotations of a project are, by its task."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, BinaryIO

from custom_labels.core.project_task import ProjectTask
from custom_labels.datasets.annotations.annotation import Annotation, Code, Refusal, Refused, shown
from custom_labels.datasets.annotations.boxes import read_boxes, write_boxes
from custom_labels.datasets.annotations.json_lines import write_body
from custom_labels.datasets.annotations.multi_label import read_labels, write_labels
from custom_labels.datasets.manifest import MAXIMUM_LINE

LONGEST_LINE_BYTES = 4 * MAXIMUM_LINE
"""A line with more bytes of UTF-8 has more characters than Custom Labels takes, whichever they are."""


@dataclass(frozen=True)
class AnnotationKind:
    """How the lines of one kind are read and written.

    :param name: of the kind.
    :param read: reads a line; raises :class:`Refused`.
    :param write: gives the attributes of a line.
    """

    name: str
    read: Callable[[str], Annotation]
    write: Callable[[Annotation], dict[str, Any]]

    def parse(self, line: str | bytes) -> Annotation | Refusal:
        """Read a line, or say why it cannot be used.

        :param line: without its end; bytes are UTF-8.
        """
        if len(line) > LONGEST_LINE_BYTES:
            return Refusal(Code.INVALID_JSON_LINE, f"it has more than {MAXIMUM_LINE:,} characters")
        try:
            return self.read(line if isinstance(line, str) else line.decode())
        except UnicodeDecodeError as error:
            return Refusal(Code.INVALID_JSON_LINE, f"it is not UTF-8: {shown(str(error.reason))} at byte {error.start}")
        except Refused as error:
            return error.refusal

    def body(self, annotation: Annotation) -> str:
        """Write a line without its beginning, which names the image."""
        return write_body(self.write(annotation))


KINDS: Mapping[ProjectTask, AnnotationKind] = {
    ProjectTask.MULTI_LABEL_CLASSIFICATION: AnnotationKind("labels", read_labels, write_labels),
    ProjectTask.OBJECT_DETECTION: AnnotationKind("boxes", read_boxes, write_boxes),
}


def lines_of(file: BinaryIO) -> Iterator[bytes]:
    """Give the lines of a file; of one that is too long for any manifest only its beginning, which is too long as well.

    So memory is bounded whatever the file holds.
    """
    while line := file.readline(LONGEST_LINE_BYTES + 1):
        rest = line
        while rest and not rest.endswith(b"\n"):
            rest = file.readline(LONGEST_LINE_BYTES)
        yield line
