"""What the function is told by its environment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from .errors import SettingError

INBOX_CHOICES = ("none", "doubtful", "all")
TASKS = ("IMAGE_CLASSIFICATION", "MULTI_LABEL_CLASSIFICATION", "OBJECT_DETECTION")


@dataclass(frozen=True)
class ApiSettings:
    """What the function is told.

    :param bucket: of the project; ``prefix`` is empty or ends in a slash.
    :param task: what the project learns, as the project's file says in lower case.
    :param pointer_seconds: how long it may go on with what ``registry/live.json`` said.
    :param images_below: what keys of images in S3 begin with, relative to the prefix; empty to refuse all.
    :param inbox: which images are put into the inbox for people: ``none``, ``doubtful`` or ``all``.
    :param doubt_below: confidence in percent that a label must reach; below it an image is doubtful.
    :param noise: confidence in percent below which a box, or one of several labels, raises no doubt.
    """

    bucket: str
    prefix: str = ""
    task: str = "IMAGE_CLASSIFICATION"
    pointer_seconds: float = 5.0
    images_below: str = ""
    inbox: str = "none"
    doubt_below: float = 70.0
    noise: float = 30.0

    @classmethod
    def of(cls, environment: Mapping[str, str]) -> ApiSettings:
        """Read them.

        :raises SettingError: one is missing, or is not what it may be.
        """
        given = {name.removeprefix("PREDICT_"): value for name, value in environment.items() if value}
        bucket = given.get("BUCKET", "")
        if not bucket:
            raise SettingError("PREDICT_BUCKET is empty: expected the project's bucket. Set it.")
        prefix = given.get("PREFIX", "").strip("/")
        return cls(
            bucket=bucket,
            prefix=f"{prefix}/" if prefix else "",
            task=_choice("PREDICT_TASK", given.get("TASK", cls.task).upper(), TASKS),
            pointer_seconds=_number("PREDICT_POINTER_SECONDS", given.get("POINTER_SECONDS"), cls.pointer_seconds, 3600),
            images_below=given.get("IMAGES_BELOW", ""),
            inbox=_choice("PREDICT_INBOX", given.get("INBOX", cls.inbox), INBOX_CHOICES),
            doubt_below=_number("PREDICT_DOUBT_BELOW", given.get("DOUBT_BELOW"), cls.doubt_below, 100),
            noise=_number("PREDICT_NOISE", given.get("NOISE"), cls.noise, 100),
        )


def _choice(name: str, value: str, allowed: tuple[str, ...]) -> str:
    if value not in allowed:
        raise SettingError(f"{name} is {value!r}: expected one of {', '.join(allowed)}. Set one of these.")
    return value


def number_within(text: str, most: float) -> float | None:
    """Read a number from 0 on; ``None`` for what is none, or above the most that is allowed."""
    try:
        value = float(text)
    except ValueError:
        return None
    return value if 0 <= value <= most else None


def _number(name: str, text: str | None, default: float, most: float) -> float:
    if text is None:
        return default
    value = number_within(text, most)
    if value is None:
        raise SettingError(f"{name} is {text!r}: expected a number from 0 to {most:g}. Set one.")
    return value
