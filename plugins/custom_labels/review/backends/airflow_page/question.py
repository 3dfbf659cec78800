"""The words of a question in Airflow's form: all that came from outside is shown as it is, and never as Markdown."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

from custom_labels.core.project_task import ProjectTask
from custom_labels.core.review_setup import ReviewSetup
from custom_labels.datasets.label_names import NONE_OF_THE_ABOVE
from custom_labels.evaluation.approval import markdown
from custom_labels.review.backends.airflow_page.page_review import PageReview
from custom_labels.review.review import Purpose, ReviewRequest


@dataclass(frozen=True)
class Question:
    """What Airflow's human-in-the-loop operator takes.

    :param subject: plain text; ``body`` is Markdown.
    :param options: what may be chosen, ``multiple`` of them or one.
    :param defaults: what is preselected, ``None`` for nothing.
    """

    subject: str
    body: str
    options: tuple[str, ...]
    multiple: bool
    defaults: tuple[str, ...] | None


def word(review: PageReview, setup: ReviewSetup, project: str, image: str) -> Question:
    """Word the question of a review that is being asked.

    An audit does not show the model's guess, which would lead the eye, nor preselects it.

    :param image: URL of the image, or path on Airflow's own host.
    """
    request = review.request
    multiple = request.task is ProjectTask.MULTI_LABEL_CLASSIFICATION
    options = tuple(dict.fromkeys((*request.labels, NONE_OF_THE_ABOVE)))
    guesses = () if request.purpose is Purpose.AUDIT else _guesses(request)
    name = one_line(request.key).rpartition("/")[2]
    paragraphs = [
        f"![The image]({image})",
        *(markdown(each) for each in re.split(r"\n\s*\n", setup.instructions) if each.strip()),
        _guess(request) if request.purpose is not Purpose.AUDIT else "",
        f"Choose every label that fits, or '{NONE_OF_THE_ABOVE}' alone." if multiple else "",
        f"The image is {code(request.key)}.",
        f"Without an answer this ends at {minute(review.asked_until)}{_again(review)}.",
    ]
    return Question(
        f"{setup.title} ({project}: {name})",
        "\n\n".join(filter(None, paragraphs)),
        options,
        multiple,
        tuple(each for each in options if each in guesses) or None,
    )


def _guesses(request: ReviewRequest) -> tuple[str, ...]:
    """Give the labels that the model named, of an image that may have one label that one."""
    if request.task is ProjectTask.MULTI_LABEL_CLASSIFICATION:
        return request.guesses
    return (request.label,) if request.label is not None else ()


def _guess(request: ReviewRequest) -> str:
    guesses = _guesses(request)
    if not guesses:
        return "The model found no label."
    sure = "" if request.confidence is None else f", {request.confidence:.0f} % sure"
    return f"The model says {', '.join(map(code, guesses))}{sure}."


def _again(review: PageReview) -> str:
    is_last = review.asked_until >= review.expires_at
    return "" if is_last else f", and is asked again until {minute(review.expires_at)}"


def minute(moment: str) -> str:
    """Write a moment for people."""
    return f"{datetime.fromisoformat(moment):%Y-%m-%d %H:%M} UTC"


def one_line(text: str) -> str:
    """Give a text on one line, with a question mark for each character that cannot be seen."""
    return "".join(c if c.isprintable() else "?" for c in " ".join(text.split()))


def code(text: str) -> str:
    """Write a text as a code span of Markdown, in which nothing is markup, not even an address."""
    shown = one_line(text)
    fence = "`" * (1 + max(map(len, re.findall("`+", shown)), default=0))
    return f"{fence} {shown} {fence}"
