"""Where A2I wrote the answers of many loops, found by one listing instead of a description for each."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from custom_labels.review.setup import ReviewFlow
from custom_labels.s3.pages import pages
from custom_labels.s3.store import S3Store

SLACK = timedelta(seconds=5)
"""By how much the time in a key may differ from the loop's CreationTime, which is what it should be."""
MANY = 10_000
"""Outputs kept for loops that were not asked for yet; beyond it, those of older loops are dropped."""
_STAMP = "%Y/%m/%d/%H/%M/%S"


class OutputListing:
    """The outputs of one flow, in the order of their loops' creation, read as far as they are asked for.

    Keys are ``<output>/<flow>/YYYY/MM/DD/hh/mm/ss/<loop>/output.json`` with the loop's creation in UTC (SageMaker
    guide, A2I output data), so that they sort by creation. What is not found here may still be elsewhere: a loop may
    have ended after its part of the list was read.

    :param since: from when loops are asked for; they are to be asked for oldest first.
    """

    def __init__(self, store: S3Store, flow: ReviewFlow, since: datetime) -> None:
        self._store = store
        self._folder = f"{flow.output}/{flow.name}/".removeprefix(store.uri())
        self._is_here = flow.output.startswith(store.uri())
        self._entries = self._list(since)
        self._next: tuple[str, str, str] | None = None
        self._found: dict[str, tuple[str, str | None]] = {}

    def find(self, loop: str, created: datetime) -> str | None:
        """Give the URI of a loop's output, ``None`` if it is not in the list."""
        if not self._is_here:
            return None
        self._read_to(_stamp(created + SLACK))
        if len(self._found) > MANY:
            oldest = _stamp(created - SLACK)
            self._found = {name: entry for name, entry in self._found.items() if entry[0] >= oldest}
        return self._found.pop(loop, ("", None))[1]

    def _read_to(self, stamp: str) -> None:
        entry = self._next or next(self._entries, None)
        while entry is not None and entry[0] <= stamp:
            self._found[entry[1]] = (entry[0], entry[2])
            entry = next(self._entries, None)
        self._next = entry

    def _list(self, since: datetime) -> Iterator[tuple[str, str, str]]:
        """List (time of creation, loop, URI)."""
        for page in pages(self._store, self._folder, start_after=self._folder + _stamp(since - SLACK)):
            for key in map(bytes.decode, page.keys):
                stamp, _, rest = key.removeprefix(self._folder).rpartition("/output.json")[0].rpartition("/")
                if rest:
                    yield stamp, rest, self._store.uri(key)


def _stamp(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime(_STAMP)
