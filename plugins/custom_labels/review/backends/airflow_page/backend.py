"""Reviews on Airflow's page: opening records what is to be asked, and the DAG ``<project>_ask_people`` asks it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from custom_labels.core.settings import Project
from custom_labels.review.backends.airflow_page.page_records import PageRecords
from custom_labels.review.backends.airflow_page.project_file import AirflowPart
from custom_labels.review.backends.base import OpenedTogether, ReviewBackendError, ReviewBackendFull
from custom_labels.review.backends.one_by_one import PATIENCE_SECONDS, OneByOne
from custom_labels.review.backends.registry import review_of
from custom_labels.review.review import Answered, ReviewRequest, ReviewState, ReviewStatus
from custom_labels.s3.errors import StorageError, is_passing
from custom_labels.s3.store import S3Store

PAGE = 100


class AirflowReviewBackend:
    """Opens, lists and reads the reviews that Airflow asks. It may be used by several threads at once.

    A request that names several reviewers is opened as well, left from before another backend was chosen: one person is
    asked, and where that decides nothing the harvest asks one more.

    :param project: the project, with a ``review`` part.
    :param store: the project's bucket and prefix.
    :param patience_seconds: how long openings are repeated while not one of them works.
    """

    def __init__(self, project: Project, store: S3Store, *, patience_seconds: float = PATIENCE_SECONDS) -> None:
        self.project = project
        self.patience_seconds = patience_seconds
        self.records = PageRecords(store)
        self.setup = review_of(project)
        self.part = self.setup.part_of(AirflowPart)
        self._lock = threading.Lock()
        self._room: int | None = None

    def setup_name(self) -> str:
        """Name the page, which is the same whatever is changed in the project file."""
        return "airflow"

    def open(self, requests: Sequence[ReviewRequest]) -> OpenedTogether:
        """Record reviews as open, as many as there is room for."""
        self._room = None
        return OneByOne(self._open, patience_seconds=self.patience_seconds).open(requests)

    def _open(self, request: ReviewRequest) -> bool:
        try:
            if self.records.read(request.name) is not None:
                return False
            self._take_room()
            return self.records.open(request, timedelta(hours=self.setup.lifetime_hours))
        except StorageError as error:
            raise ReviewBackendError(str(error), is_passing=is_passing(error.__cause__)) from error

    def _take_room(self) -> None:
        with self._lock:
            if self._room is None:
                self._room = self.part.most_open - len(self.records.open_names())
            if self._room <= 0:
                raise ReviewBackendFull(
                    f"{self.part.most_open} reviews of project '{self.project.name}' are open on Airflow's page, as "
                    f"many as 'review.airflow.most_open' in {self.project.name}.yaml allows. The rest waits until "
                    "people have answered some; to ask more at once raise it, or choose another backend."
                )
            self._room -= 1

    def status(self, name: str) -> ReviewState | None:
        """Describe a review."""
        review = self.records.read(name)
        return self.records.state(review) if review else None

    def states(self, since: datetime, is_known: Callable[[str], bool] = lambda _: False) -> Iterator[list[ReviewState]]:  # noqa: ARG002
        """List the reviews, oldest first: a call for a thousand, and one for each that is new, two if it is open."""
        found = [self.records.state(each) for each in self.records.since(since)]
        yield from (found[start : start + PAGE] for start in range(0, len(found), PAGE))

    def state_from_event(self, body: Mapping[str, Any]) -> ReviewState | None:  # noqa: ARG002
        """Give nothing: no message announces these reviews, the DAG that asks triggers the harvest itself."""
        return None

    def answers(self, state: ReviewState) -> Answered | None:
        """Read a review's question and its answer; one that cannot be counted is named with the reason."""
        review = self.records.read_ended(state.name) if state.status.is_final else self.records.read(state.name)
        return review.read_answers() if review else None

    def cancel(self, names: Collection[str]) -> None:
        """End reviews that are open; a question that is on Airflow's page stays there, and no answer to it counts."""
        for name in names:
            review = self.records.read(name)
            if review is not None and review.status is ReviewStatus.OPEN:
                self.records.end(review, ReviewStatus.STOPPED)
