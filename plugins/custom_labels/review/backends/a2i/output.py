"""What A2I writes for a human loop that has ended: its input and everybody's answers, and where it writes that."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from pydantic import ValidationError

from custom_labels.core.codec import from_json
from custom_labels.review.backends.a2i.setup import FIELD, ReviewFlow
from custom_labels.review.backends.worker_answers import read_worker_answers
from custom_labels.review.review import (
    Answered,
    ReviewRequest,
    ReviewState,
)
from custom_labels.s3.line_files import list_keys
from custom_labels.s3.store import S3Store

log = logging.getLogger(__name__)
SLACK = timedelta(seconds=5)
"""By how much the time in a key may differ from the loop's CreationTime, which is what it should be."""


def read_output(body: bytes, state: ReviewState) -> Answered | None:
    """Read an ``output.json``: the question from ``inputContent``, an answer from each of ``humanAnswers``.

    :return: ``None`` for what this package did not ask.
    """
    try:
        output = json.loads(body)
        request = from_json(ReviewRequest, output["inputContent"])
    except (ValueError, KeyError, TypeError, ValidationError) as error:
        log.warning("%s does not hold an answer to a request of ours: %s", state.answers_uri, error)
        return None
    if request.name != state.name:
        log.warning("%s answers '%s' instead of '%s' and is left alone.", state.answers_uri, request.name, state.name)
        return None
    entries = output.get("humanAnswers") or []
    return read_worker_answers(entries if isinstance(entries, list) else [], FIELD, request, state.created_at)


class OutputListing:
    """The outputs of one flow, in the order of their loops' creation, listed as far as they are asked for.

    Keys are ``<output>/<flow>/YYYY/MM/DD/hh/mm/ss/<loop>/output.json`` with the loop's creation in UTC (SageMaker
    guide, A2I output data), so that they sort by creation. What is not found here may still be elsewhere: a loop may
    have ended after its part of the list was read.

    :param since: from when loops are asked for; they are to be asked for oldest first.
    """

    def __init__(self, store: S3Store, flow: ReviewFlow, since: datetime) -> None:
        self._store = store
        self._folder = f"{flow.output}/{flow.name}/".removeprefix(store.uri())
        self._keys = self._list(since)
        self._last = ""
        self._found: dict[str, str] = {}

    def find(self, loop: str, created: datetime) -> str | None:
        """Give the URI of a loop's output, ``None`` if it is not in the list."""
        end = self._key(created + SLACK) + "~"  # behind all keys of that second
        while self._last <= end and (key := next(self._keys, None)):
            self._last = key
            self._found[key.split("/")[-2]] = key
        key = self._found.pop(loop, None)
        return self._store.uri(key) if key else None

    def _list(self, since: datetime) -> Iterator[str]:
        for keys in list_keys(self._store, self._folder, start_after=self._key(since - SLACK)):
            yield from (key for key in keys if key.endswith("/output.json"))

    def _key(self, moment: datetime) -> str:
        return f"{self._folder}{moment.astimezone(UTC):%Y/%m/%d/%H/%M/%S}"
