"""The labelling interface of a project at Label Studio, as XML in which every label is data."""

from __future__ import annotations

import hashlib
import html
import re
from collections.abc import Iterable, Sequence
from xml.etree import ElementTree

from custom_labels.core.project_task import ProjectTask
from custom_labels.datasets.label_names import NONE_OF_THE_ABOVE
from custom_labels.errors import CustomLabelsError

FIELD, IMAGE = "shown", "image"
"""Names of the control that is answered with, and of the image, in the interface and in every annotation."""
_NUMBER_KEYS = "1234567890"
"""The last of them is that of "None of the above"; Label Studio gives keys of its own to what gets none of these."""
_DOLLAR, _SHOWN_DOLLAR = "$", "\N{FULLWIDTH DOLLAR SIGN}"
_MOST_CHARACTERS = 1_000_000


class InterfaceUnreadable(CustomLabelsError):
    """A labelling interface that is no XML."""


def interface(task: ProjectTask, title: str, labels: Sequence[str]) -> str:
    """Write the labelling interface.

    :param title: headline.
    :param labels: in the order in which they are shown, so that keys stay where they are when one is added at the end.
    """
    view = ElementTree.Element("View")
    ElementTree.SubElement(view, "Header", value=shown(title))
    common = {"name": FIELD, "toName": IMAGE}
    if task is ProjectTask.OBJECT_DETECTION:
        control = ElementTree.SubElement(view, "RectangleLabels", common, canRotate="false")
        _add(control, "Label", labels)
        return _with_image(view)
    choice = "single" if task is ProjectTask.IMAGE_CLASSIFICATION else "multiple"
    control = ElementTree.SubElement(view, "Choices", common, choice=choice, required="true", showInline="true")
    _add(control, "Choice", labels)
    none_key = {} if _NUMBER_KEYS[-1] in labels else {"hotkey": _NUMBER_KEYS[-1]}
    ElementTree.SubElement(control, "Choice", {"value": NONE_OF_THE_ABOVE, **none_key})
    return _with_image(view)


def _with_image(view: ElementTree.Element) -> str:
    """Write a view with the image below its controls: a large one would move them out of sight."""
    ElementTree.SubElement(view, "Image", name=IMAGE, value=f"${IMAGE}", zoom="true")
    return ElementTree.tostring(view, encoding="unicode")


def _add(control: ElementTree.Element, tag: str, labels: Sequence[str]) -> None:
    # A label that is a digit has itself as its key.
    free = [key for key in _NUMBER_KEYS[:-1] if key not in labels]
    for label in labels:
        own = label if label in set(_NUMBER_KEYS) else free.pop(0) if free else ""
        key = {"hotkey": own} if own else {}
        ElementTree.SubElement(control, tag, {"value": shown(label), **key})


def shown(text: str) -> str:
    """Give a text as people see it: Label Studio puts a field of the task where it finds a dollar sign and a name."""
    return text.replace(_DOLLAR, _SHOWN_DOLLAR)


def labels_of(xml: str) -> tuple[str, ...]:
    """Give the labels that an interface offers, in its order, without "None of the above".

    :raises InterfaceUnreadable: it is no XML.
    """
    offered = (each.get("value", "") for each in _parse(xml).iter() if each.tag in {"Choice", "Label"})
    return tuple(label.replace(_SHOWN_DOLLAR, _DOLLAR) for label in offered if label != NONE_OF_THE_ABOVE)


def digest(xml: str) -> str:
    """Name an interface by its content: the same where only its spaces and line ends differ.

    :raises InterfaceUnreadable: it is no XML.
    """
    _parse(xml)
    return hashlib.sha256(ElementTree.canonicalize(xml, strip_text=True).encode()).hexdigest()[:16]


def differences(found: str, expected: str) -> list[str]:
    """Say what somebody changed of an interface."""
    try:
        have, want = (_lines(_parse(each)) for each in (found, expected))
    except InterfaceUnreadable as error:
        return [str(error)]
    more, less = [each for each in have if each not in want], [each for each in want if each not in have]
    words = [f"it has {each}, which is not ours" for each in more] + [f"it lacks {each}" for each in less]
    return words or ["its parts have another order"]


def with_labels(present: Sequence[str], labels: Iterable[str]) -> tuple[str, ...]:
    """Add labels that are not present, at the end and sorted; none is ever taken away, since answers may name it."""
    offered = set(map(shown, present))
    return (*present, *sorted(label for label in set(labels) if shown(label) not in offered))


def instructions(title: str, text: str) -> str:
    """Write instructions as HTML, in which nothing of the text is markup; blank lines make paragraphs."""
    paragraphs = [each.strip() for each in re.split(r"\n\s*\n", text) if each.strip()]
    return "".join([f"<h3>{html.escape(title)}</h3>", *(f"<p>{html.escape(each)}</p>" for each in paragraphs)])


def _lines(element: ElementTree.Element) -> list[str]:
    return [
        f"<{each.tag} {' '.join(f'{name}={value!r}' for name, value in sorted(each.attrib.items()))}>"
        for each in element.iter()
    ]


def _parse(xml: str) -> ElementTree.Element:
    # Expat of today expands no entity without bounds, and an interface of ours declares none.
    if len(xml) > _MOST_CHARACTERS or "<!" in xml:
        raise InterfaceUnreadable("its labelling interface is no XML as this package writes it")
    try:
        return ElementTree.fromstring(xml)  # noqa: S314 - bounded, and without declarations
    except ElementTree.ParseError as error:
        raise InterfaceUnreadable(f"its labelling interface is no XML: {error}") from error
