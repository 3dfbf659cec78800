"""The interface of a review backend: what the loop needs of it, and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any, Protocol

from custom_labels.errors import CustomLabelsError
from custom_labels.review.review import Answered, ReviewRequest, ReviewState


class ReviewBackendNotReady(CustomLabelsError):
    """The backend was not set up for this project, or what was set up is gone."""


class ReviewBackendFull(CustomLabelsError):
    """The backend takes no more reviews for now; those that were opened stay."""


class ReviewBackendError(CustomLabelsError):
    """The backend refused a call, or could not be asked; a retry may help. The message keeps the backend's words."""


class ReviewBackend(Protocol):
    """Where reviews are opened, described and answered. All calls may be repeated, and come from several threads.

    Every call may raise :class:`ReviewBackendError`.
    """

    def open(self, request: ReviewRequest) -> bool:
        """Open a review, or find that it was opened before under the same name.

        :return: whether it is new.
        :raises ReviewBackendNotReady: the backend was not set up.
        :raises ReviewBackendFull: it takes no more for now.
        """
        ...

    def setup_name(self) -> str:
        """Name what reviews are opened with: another name after every change of the set-up."""
        ...

    def status(self, name: str) -> ReviewState | None:
        """Describe one review by its name; ``None`` if the backend does not know it."""
        ...

    def states(self, since: datetime, is_known: Callable[[str], bool] = lambda _: False) -> Iterator[list[ReviewState]]:
        """List the project's reviews that were created at or after a moment, oldest first, a page at a time.

        :param is_known: whether the answers of a review of this name need not be searched for.
        """
        ...

    def state_from_event(self, body: Mapping[str, Any]) -> ReviewState | None:
        """Read a message that announces a change of a review; ``None`` if it is about something else."""
        ...

    def answers(self, state: ReviewState) -> Answered | None:
        """Read the question and the answers of a review that has ended; ``None`` if nothing was written for it."""
        ...
