"""Label mapping: under which name a label of a source is taken, or that it is not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from custom_labels.core.keys import has_control_character
from custom_labels.datasets.annotations.annotation import Annotation, ImageLabel, shown
from custom_labels.datasets.images import MAXIMUM_LABEL_NAME
from custom_labels.datasets.label_names import readable_name
from custom_labels.errors import SettingError


@dataclass(frozen=True)
class LabelMapping:
    """Names of labels as they are taken, by their names in the source; others stay as they are.

    :param names: the name, or ``None`` for a label that is dropped. Labels that get the same name become one.
    """

    names: Mapping[str, str | None] = field(default_factory=dict)

    @classmethod
    def parse(cls, given: Any, setting: str) -> LabelMapping:
        """Read a mapping that a person wrote: JSON or YAML, names by names, ``null`` for a label to drop.

        :param setting: where it is set, for the words of an error.
        :raises SettingError: it is no such mapping.
        """
        if not isinstance(given, Mapping):
            raise SettingError(
                f"{setting} is {shown(given)}: expected labels of the source with the names that they get, such as "
                '{"Amazon logo": "amazon", "blurred": null}, where null drops a label. Correct it.'
            )
        return cls({_name(old, setting): None if new is None else _name(new, setting) for old, new in given.items()})

    def over(self, other: LabelMapping) -> LabelMapping:
        """Give both; where both name a label this one counts."""
        return LabelMapping({**other.names, **self.names})

    def apply(self, annotation: Annotation) -> Annotation:
        """Give an annotation with the mapped labels; labels of the image that become one are there once."""
        if not self.names:
            return annotation
        boxes = tuple(replace(box, label=name) for box in annotation.boxes if (name := self._of(box.label)))
        labels: dict[str, float] = {}
        for each in annotation.image_labels:
            if name := self._of(each.label):
                labels[name] = max(each.confidence, labels.get(name, 0))
        named = tuple(ImageLabel(name, confidence) for name, confidence in labels.items())
        return replace(annotation, boxes=boxes, image_labels=named)

    def _of(self, label: str) -> str | None:
        return self.names.get(label, label)


def _name(name: Any, setting: str) -> str:
    text = readable_name(str(name)) if isinstance(name, str | int) and not isinstance(name, bool) else ""
    if not 1 <= len(text) <= MAXIMUM_LABEL_NAME or has_control_character(text):
        raise SettingError(
            f"{setting} has {shown(name)} as the name of a label: expected a text of 1 to {MAXIMUM_LABEL_NAME} "
            "characters without control characters, or null for a label to drop. Correct it."
        )
    return text
