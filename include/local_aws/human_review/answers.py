"""Whether an answer is one that the elements of its page can have given.

AWS's elements see to it in the browser; whether its service looks again is not verified. Answers of the classifier and
of a template's own fields are taken as they come, as they were before. A box may lie outside of the image: who reads
answers has to expect that of AWS too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from include.local_aws.human_review.questions import SIDES, Element, Kind, Question, is_number


class AnswerRefused(ValueError):
    """An answer that no page can have sent; the text says why."""


def check_answer(elements: Iterable[Element], content: dict[str, Any]) -> None:
    """Raise AnswerRefused unless each box and multi-select element of a page has its answer."""
    for element in elements:
        if element.kind not in _CHECKS:
            continue
        try:
            question = element.question()
        except ValueError as error:
            raise AnswerRefused(f"The page has a {element.kind} that cannot be answered: {error}.") from None
        why = _CHECKS[element.kind](question, content.get(question.field))
        if why:
            raise AnswerRefused(f"The answer to the {element.kind} '{question.field}' is refused: {why}.")


def _labels(question: Question, value: Any) -> str:
    labels = value.get("labels") if isinstance(value, dict) else None
    if not isinstance(labels, list) or not labels:
        return f"it needs a list 'labels' with at least one category, and is {value!r}"
    offered = {*question.categories, question.exclusion}
    other = next((label for label in labels if not isinstance(label, str) or label not in offered), None)
    if other is not None or None in labels:
        return f"{other!r} is no category of the page"
    return "it has a category twice" if len(set(labels)) < len(labels) else ""


def _boxes(question: Question, value: Any) -> str:
    if not isinstance(value, dict) or not isinstance(value.get("boundingBoxes"), list):
        return f"it needs a list 'boundingBoxes', which is empty where nothing is there, and is {value!r}"
    size = value.get("inputImageProperties")
    if not isinstance(size, dict) or not all(_is_length(size.get(side)) for side in ("height", "width")):
        return f"'inputImageProperties' needs the height and width of the image in pixels, and is {size!r}"
    if question.initial is not None and not isinstance(value.get("initialValueModified"), bool):
        return "the page has an initial-value, so it needs 'initialValueModified', true or false"
    wrong = next((box for box in value["boundingBoxes"] if not _is_box(question, box)), None)
    return f"{wrong!r} is no box with a label of the page, left, top, width and height" if wrong is not None else ""


def _is_length(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value > 0


def _is_box(question: Question, box: Any) -> bool:
    if not isinstance(box, dict) or box.get("label") not in question.categories:
        return False
    return all(is_number(box.get(side)) for side in SIDES) and box["width"] > 0 and box["height"] > 0


_CHECKS: dict[Kind, Callable[[Question, Any], str]] = {Kind.CHOICES: _labels, Kind.BOXES: _boxes}
