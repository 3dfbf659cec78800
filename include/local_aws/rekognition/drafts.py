"""A manifest line while it is read: its labels so far, and errors noted where Custom Labels notes them."""

from __future__ import annotations

import json
from typing import Any

from include.local_aws.boxes import Box
from include.local_aws.rekognition.findings import line_finding

_LONGEST_LABEL = 256


def is_label_name(text: str) -> bool:
    """Say whether a label may have this name, of either kind of label."""
    return 1 <= len(text) <= _LONGEST_LABEL


class Draft:
    """Collects labels, boxes, errors and warnings of one line; earlier findings in the document are dropped.

    `frame` is the image's true width and height, None before the image was looked at.
    """

    def __init__(self, document: dict[str, Any], frame: tuple[int, int] | None = None) -> None:
        self.document = document
        self.frame = frame
        self.image_labels: list[str] = []
        self.boxes: list[Box] = []
        self.image_size = (0, 0)
        self.failed = False
        self.flawed = False
        self._changed = _drop_findings(document)

    def line_error(self, code: str, *values: object) -> None:
        """Note an error of the whole line: it will not be trained on."""
        self._note(self.document, "errors", code, *values)
        self.failed = self.flawed = True

    def attribute_error(self, code: str, *values: object) -> None:
        """Note an error of an attribute whose value cannot hold an `errors` array, beside the attribute."""
        self._note(self.document, "errors", code, *values)
        self.flawed = True

    def nested_error(self, holder: dict[str, Any], code: str, *values: object) -> None:
        """Note an error inside the attribute, annotation or metadata that it is about."""
        self._note(holder, "errors", code, *values)
        self.flawed = True

    def line_warning(self, code: str) -> None:
        """Note a warning of the whole line."""
        self._note(self.document, "warnings", code)

    def nested_warning(self, holder: dict[str, Any], code: str) -> None:
        """Note a warning inside the attribute that it is about."""
        self._note(holder, "warnings", code)

    def text(self, original: str) -> str:
        """Return the line with what was noted; the original text if nothing was."""
        return json.dumps(self.document) if self._changed else original

    def _note(self, holder: dict[str, Any], array: str, code: str, *values: object) -> None:
        holder.setdefault(array, []).append(line_finding(code, *values).to_json())
        self._changed = True


def _drop_findings(value: object) -> bool:
    """Remove `errors` and `warnings` arrays, which a line copied from a listing still carries."""
    dropped = False
    if isinstance(value, dict):
        for array in ("errors", "warnings"):
            dropped |= value.pop(array, None) is not None
        for item in value.values():
            dropped |= _drop_findings(item)
    elif isinstance(value, list):
        for item in value:
            dropped |= _drop_findings(item)
    return dropped
