"""How a simulated workforce behaves: what it knows, how often it errs, how long it takes."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from include.local_aws.boxes import Box
from include.local_aws.human_review.drawing import Canvas, answer_of, draw, whole_pixels
from include.local_aws.human_review.questions import SIDES, Kind, Question, is_number, read_box
from include.local_aws.settings import SettingError, json_object

Size = tuple[int, int]


@dataclass(frozen=True)
class Reply:
    """What a worker answers to one question, whether it is right, and whether the worker did nothing but submit."""

    content: dict[str, Any]
    is_right: bool
    only_submitted: bool = False


@dataclass(frozen=True)
class Workforce:
    """How simulated workers behave.

    Parameters: `truth` is 'folder' (the name of the folder that the image is in) or what each image shows, by its
    s3:// URI: a label, a list of labels, or a list of boxes with label, left, top, width and height in pixels;
    `error_rate` is the share of answers with a label that is wrong; `sloppy_rate` is the share of boxes whose edges are
    off, that have a wrong label or are forgotten; `submit_share` is the share of workers who only submit the boxes that
    they are shown; `seconds` is how long a worker takes for a task; `never_share` is the share of loops that nobody
    ever answers; `workers` do one task at a time each; `none_label` is the choice for what is none of the categories.
    The same `seed` errs on the same loops.
    """

    truth: str | dict[str, Any] = "folder"
    error_rate: float = 0.0
    sloppy_rate: float = 0.0
    submit_share: float = 0.0
    seconds: float = 1.0
    never_share: float = 0.0
    workers: int = 3
    seed: int = 0
    none_label: str = "None of the above"

    @classmethod
    def from_json(cls, value: object) -> Workforce:
        """Read a workforce, with defaults for what is not given; raises SettingError with what is wrong."""
        given = json_object(value, "workforce", set(cls.__dataclass_fields__))
        wanted = replace(cls(), **given)
        for name, check in _CHECKS.items():
            if not check[0](getattr(wanted, name)):
                raise SettingError(f"'{name}' of the workforce is {getattr(wanted, name)!r}: expected {check[1]}.")
        return wanted

    def labels_of(self, uri: str) -> tuple[str, ...]:
        """Return the labels of what the image at an s3:// URI shows, none if nobody said."""
        if isinstance(self.truth, dict):
            said = self.truth.get(uri, ())
            several = (said,) if isinstance(said, str) else said
            return tuple(each if isinstance(each, str) else str(each["label"]) for each in several)
        return tuple(uri.split("/")[3:-1][-1:])

    def boxes_of(self, uri: str) -> tuple[Box, ...] | None:
        """Return the boxes of what the image at an s3:// URI shows, None if nobody said where it is."""
        said = self.truth.get(uri, ()) if isinstance(self.truth, dict) else None
        if said is None or isinstance(said, str) or any(isinstance(each, str) for each in said):
            return None
        return tuple(read_box(box) for box in said)

    def answer(self, question: Question, name: str, worker: str, size: Size | None) -> Reply | None:
        """Return a worker's answer, None if the worker cannot tell.

        Parameters: `name` is the loop's name; `size` is the image's width and height, None where it cannot be seen or
        does not matter: it does for boxes.
        """
        if question.kind is Kind.BOXES:
            return None if size is None else self.draw(question, name, worker, size)
        if question.kind is Kind.CHOICES:
            several = self.choose_several(question, name, worker)
            return None if several is None else Reply({"labels": list(several[0])}, several[1])
        choice = self.choose(question, name, worker)
        return None if choice is None else Reply({"label": choice[0]}, choice[1])

    def choose(self, question: Question, name: str, worker: str) -> tuple[str, bool] | None:
        """Return a worker's choice of one label and whether it is right, None if the worker cannot tell."""
        right = next((each for each in self.labels_of(question.image) if each in question.categories), self.none_label)
        others = [category for category in question.categories if category not in (right, self.none_label)]
        dice = self._dice(name, worker)
        if others and dice.random() < self.error_rate:
            return dice.choice(others), False
        return (right, True) if right in question.categories else None

    def choose_several(self, question: Question, name: str, worker: str) -> tuple[tuple[str, ...], bool] | None:
        """Return a worker's choice of labels and whether it is right; one who errs has one too many or too few."""
        none = question.exclusion or self.none_label
        categories = [category for category in question.categories if category != none]
        chosen = {*self.labels_of(question.image)} & {*categories}
        dice = self._dice(name, worker)
        errs = bool(categories) and dice.random() < self.error_rate
        if errs:
            chosen ^= {dice.choice(categories)}
        if chosen:
            return tuple(category for category in categories if category in chosen), not errs
        return ((none,), not errs) if none in (question.exclusion, *question.categories) else None

    def draw(self, question: Question, name: str, worker: str, size: Size) -> Reply | None:
        """Return the boxes that a worker leaves on the image; none at all where it shows nothing."""
        truth = self.boxes_of(question.image)
        if truth is None:
            return None
        canvas = Canvas(*size, question.categories)
        dice = self._dice(name, worker)
        if dice.random() < self.submit_share:
            shown = [whole_pixels(box, canvas) for box in question.initial or ()]
            right, _ = draw(truth, canvas, 0, dice)
            return Reply(answer_of(shown, canvas, question.initial), sorted(shown) == sorted(right), True)
        boxes, is_right = draw(truth, canvas, self.sloppy_rate, dice)
        return Reply(answer_of(boxes, canvas, question.initial), is_right)

    def ignores(self, name: str) -> bool:
        """Say whether nobody ever answers the loop of this name."""
        return self._dice(name).random() < self.never_share

    def _dice(self, *whose: str) -> random.Random:
        return random.Random(" ".join((str(self.seed), *whose)))  # noqa: S311 - repeatable, not secret


def _is_share(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value <= 1


def _is_truth(value: object) -> bool:
    if isinstance(value, dict):
        return all(isinstance(uri, str) and _is_shown(shown) for uri, shown in value.items())
    return value == "folder"


def _is_shown(value: object) -> bool:
    if isinstance(value, list):
        return all(isinstance(each, str) for each in value) or all(map(_is_box, value))
    return isinstance(value, str)


def _is_box(value: object) -> bool:
    if not isinstance(value, dict) or not isinstance(value.get("label"), str):
        return False
    return all(is_number(value.get(side)) for side in SIDES) and value["width"] > 0 and value["height"] > 0


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


_CHECKS: dict[str, tuple[Callable[[Any], bool], str]] = {
    "truth": (_is_truth, "'folder', or an object with a label, a list of labels or a list of boxes for each s3:// URI"),
    "error_rate": (_is_share, "a number from 0 to 1"),
    "sloppy_rate": (_is_share, "a number from 0 to 1"),
    "submit_share": (_is_share, "a number from 0 to 1"),
    "never_share": (_is_share, "a number from 0 to 1"),
    "seconds": (lambda value: type(value) in (int, float) and value >= 0, "seconds, 0 or more"),
    "workers": (lambda value: _is_whole(value) and 1 <= value <= 1000, "a whole number from 1 to 1000"),
    "seed": (_is_whole, "a whole number"),
    "none_label": (lambda value: isinstance(value, str), "a text"),
}
