"""How a simulated workforce behaves: what it knows, how often it errs, how long it takes."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from include.local_aws.settings import SettingError, json_object


@dataclass(frozen=True)
class Question:
    """What a worker sees on the page: the field to answer, the image's s3:// URI and the choices."""

    field: str
    image: str
    categories: tuple[str, ...]


@dataclass(frozen=True)
class Workforce:
    """How simulated workers behave.

    Parameters: `truth` is 'folder' (the name of the folder that the image is in) or a label for each image's
    s3:// URI; `error_rate` is the share of answers that are wrong; `seconds` is how long a worker takes for a
    task; `never_share` is the share of loops that nobody ever answers; `workers` do one task at a time each;
    `none_label` is the choice for what is none of the categories. The same `seed` errs on the same loops.
    """

    truth: str | dict[str, str] = "folder"
    error_rate: float = 0.0
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

    def label_of(self, uri: str) -> str | None:
        """Return what the image at an s3:// URI shows, None if nobody said."""
        if isinstance(self.truth, dict):
            return self.truth.get(uri)
        folders = uri.split("/")[3:-1]
        return folders[-1] if folders else None

    def choose(self, question: Question, name: str, worker: str) -> tuple[str, bool] | None:
        """Return a worker's choice and whether it is right, None if the worker cannot tell.

        Parameters: `name` is the loop's name.
        """
        truth = self.label_of(question.image)
        right = truth if truth in question.categories else self.none_label
        others = [category for category in question.categories if category not in (right, self.none_label)]
        dice = random.Random(f"{self.seed} {name} {worker}")  # noqa: S311 - repeatable, not secret
        if others and dice.random() < self.error_rate:
            return dice.choice(others), False
        return (right, True) if right in question.categories else None

    def ignores(self, name: str) -> bool:
        """Say whether nobody ever answers the loop of this name."""
        return random.Random(f"{self.seed} {name}").random() < self.never_share  # noqa: S311 - repeatable


def _is_share(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value <= 1


def _is_truth(value: object) -> bool:
    if isinstance(value, dict):
        return all(isinstance(uri, str) and isinstance(label, str) for uri, label in value.items())
    return value == "folder"


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


_CHECKS: dict[str, tuple[Callable[[Any], bool], str]] = {
    "truth": (_is_truth, "'folder', or an object with a label for each s3:// URI"),
    "error_rate": (_is_share, "a number from 0 to 1"),
    "never_share": (_is_share, "a number from 0 to 1"),
    "seconds": (lambda value: type(value) in (int, float) and value >= 0, "seconds, 0 or more"),
    "workers": (lambda value: _is_whole(value) and 1 <= value <= 1000, "a whole number from 1 to 1000"),
    "seed": (_is_whole, "a whole number"),
    "none_label": (lambda value: isinstance(value, str), "a text"),
}
