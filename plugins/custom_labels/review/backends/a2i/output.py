"""What A2I writes for a human loop that has ended: its input and everybody's answers."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from pydantic import TypeAdapter, ValidationError

from custom_labels.datasets.label_names import NONE_OF_THE_ABOVE
from custom_labels.review.review import Answered, ReviewAnswer, ReviewRequest, ReviewState
from custom_labels.review.setup import FIELD

log = logging.getLogger(__name__)
_REQUEST = TypeAdapter(ReviewRequest)


def read_output(body: bytes, state: ReviewState) -> Answered | None:
    """Read an ``output.json``: the question from ``inputContent``, an answer from each of ``humanAnswers``.

    Of a person nothing is kept but the opaque ``workerId``.

    :return: ``None`` for what this package did not ask.
    """
    try:
        output = json.loads(body)
        request = _REQUEST.validate_python(output["inputContent"])
    except (ValueError, KeyError, TypeError, ValidationError) as error:
        log.warning("%s does not hold an answer to a request of ours: %s", state.answers_uri, error)
        return None
    if request.name != state.name:
        log.warning("%s answers '%s' instead of '%s' and is left alone.", state.answers_uri, request.name, state.name)
        return None
    entries = output.get("humanAnswers") or []
    if not isinstance(entries, list):
        entries = []
    answers = (_read_answer(entry, request, state) for entry in entries)
    return Answered(request, tuple(answer for answer in answers if answer is not None))


def _read_answer(entry: Any, request: ReviewRequest, state: ReviewState) -> ReviewAnswer | None:
    """Read one person's answer; ``None``, with a word in the log, for one that cannot be counted."""
    try:
        label, reviewer = entry["answerContent"][FIELD]["label"], entry["workerId"]
    except (KeyError, TypeError) as error:
        log.warning("An answer to %s has no %r and is not counted.", state.name, error)
        return None
    if not isinstance(reviewer, str) or label not in (*request.labels, NONE_OF_THE_ABOVE):
        log.warning("An answer to %s is '%s', which was not offered: it is not counted.", state.name, label)
        return None
    seconds = entry.get("timeSpentInSeconds")
    return ReviewAnswer(
        reviewer=reviewer,
        label=request.none_label if label == NONE_OF_THE_ABOVE else label,
        submitted_at=_moment(entry, state),
        seconds=float(seconds) if isinstance(seconds, int | float) else None,
    )


def _moment(entry: Mapping[str, Any], state: ReviewState) -> str:
    """Give when an answer was sent; without a time that can be read, when the review was opened."""
    try:
        moment = datetime.fromisoformat(entry["submissionTime"])
    except (KeyError, TypeError, ValueError):
        return state.created_at
    return moment.astimezone(UTC).isoformat(timespec="milliseconds")
