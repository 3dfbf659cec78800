"""The port of the review backends: what the loop needs of one, and nothing else.

A backend is a folder beside this module, with its part of the project file, its set-up and checks, and how it opens
reviews and reads answers. What is the same for all is outside: names, budget, consensus, rounds, expiry, provenance.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol

from custom_labels.core.checks import Check
from custom_labels.core.project_task import ProjectTask
from custom_labels.core.review_setup import BackendPart
from custom_labels.core.settings import Project
from custom_labels.errors import CustomLabelsError
from custom_labels.review.review import Answered, ReviewRequest, ReviewState
from custom_labels.s3.store import S3Store

if TYPE_CHECKING:
    from custom_labels.core.context import ProjectContext


class ReviewBackendNotReady(CustomLabelsError):
    """The backend was not set up for this project, or what was set up is gone."""


class ReviewBackendFull(CustomLabelsError):
    """The backend takes no more reviews for now; those that were opened stay."""


class ReviewBackendError(CustomLabelsError):
    """The backend refused a call, or could not be asked. The message keeps the backend's words.

    :param is_passing: whether the same call may work a moment later.
    """

    def __init__(self, message: str, *, is_passing: bool = False) -> None:
        super().__init__(message)
        self.is_passing = is_passing


Trouble = ReviewBackendNotReady | ReviewBackendFull | ReviewBackendError


@dataclass(frozen=True)
class OpenedTogether:
    """What became of requests that were to be opened together; those that are not named were not opened.

    :param new: names of those that are open now and were not before; ``known`` of those that had been opened.
    :param unsure: names of those that were asked for, while no answer came.
    :param troubles: why some were not opened.
    """

    new: frozenset[str] = frozenset()
    known: frozenset[str] = frozenset()
    unsure: frozenset[str] = frozenset()
    troubles: tuple[Trouble, ...] = ()

    @property
    def is_over(self) -> bool:
        """Whether others would not be opened, either: the backend is full, not set up or overloaded."""
        return bool(self.unsure) or any(not isinstance(each, ReviewBackendError) for each in self.troubles)


class ReviewBackend(Protocol):
    """Where reviews are opened, described and answered. All calls may be repeated, and come from several threads.

    Every call may raise :class:`ReviewBackendError`.
    """

    def open(self, requests: Sequence[ReviewRequest]) -> OpenedTogether:
        """Open reviews, or find that they were opened before under the same names.

        :param requests: as many, at most, as ``together`` of the backend's :class:`Abilities`.
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

    def cancel(self, names: Collection[str]) -> None:
        """Let nobody answer these reviews any more; answers that were given stay. Unknown and ended ones are left."""
        ...


@dataclass(frozen=True)
class Abilities:
    """What a backend can ask.

    :param tasks: kinds of project whose questions it can ask.
    :param most_reviewers: people that one review may ask.
    :param together: requests that it opens in one call.
    """

    tasks: frozenset[ProjectTask]
    most_reviewers: int
    together: int

    def why_not(self, task: ProjectTask, reviewers: int = 1) -> str | None:
        """Say why it cannot ask so many people what a project of this task needs to know; ``None`` where it can."""
        if task in self.tasks:
            if reviewers <= self.most_reviewers:
                return None
            return (
                f"that backend asks at most {self.most_reviewers} about an image; ask fewer, or choose another backend"
            )
        able = ", ".join(sorted(each.value for each in self.tasks))
        return f"that backend asks nothing for 'task: {task.value}', only for {able}; choose another backend"


@dataclass(frozen=True)
class Announcements:
    """What is to reach the queue ``queues.reviews``, so that answers are harvested as they come.

    :param what: the messages in words.
    :param events: EventBridge events, each of which a rule has to send to the queue.
    :param folder: objects below it are to be announced by the bucket, where the backend writes answers to S3.
    """

    what: str
    events: tuple[Mapping[str, Any], ...] = ()
    folder: str = ""


class BackendDefinition(Protocol):
    """A review backend as the project file names it: ``BACKEND`` of its module. It is imported with every DAG file."""

    @property
    def name(self) -> str:
        """Its name, by which its part of the project file is found."""
        ...

    @property
    def part(self) -> type[BackendPart]:
        """Its part of the project file."""
        ...

    @property
    def abilities(self) -> Abilities:
        """What it can ask."""
        ...

    def why_not(self, task: ProjectTask, reviewers: int = 1) -> str | None:
        """Say why it cannot ask so many people what a project of this task needs to know; ``None`` where it can."""
        ...

    def make(self, project: Project, store: S3Store) -> ReviewBackend:
        """Make what opens and reads reviews; nothing is called yet.

        :param project: one whose ``review.backend`` this is.
        """
        ...

    def setup_tasks(self, project: Project, reviewers: Any, arguments: Mapping[str, Any]) -> Sequence[Any]:
        """Add the bootstrap DAG's operators that make what reviews are opened with; there may be none.

        :param reviewers: people who are asked about an image at first, from an earlier task.
        :param arguments: of every operator that calls AWS.
        """
        ...

    def checks(self, ctx: ProjectContext) -> Iterable[Check]:
        """Give the bootstrap DAG's checks of what was set up; no call is made before one is run."""
        ...

    def announcements(self, queue: str, project: Project) -> Announcements:
        """Describe what has to reach the queue ``queues.reviews``.

        :param queue: its ARN.
        """
        ...

    def tear_down(self, project: Project, store: S3Store, *, dry_run: bool) -> Iterator[str]:
        """Take away what the set-up made, never an answer; may be repeated.

        :param dry_run: take nothing away.
        :return: a sentence for each thing that is, or would be, taken away.
        """
        ...

    def where(self, project: Project) -> str:
        """Give the address at which people answer, or say in words how they find it; no call is made."""
        ...
