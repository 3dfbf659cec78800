"""Reviews at Label Studio: a task for each."""

from __future__ import annotations

import heapq
import json
import logging
import re
import threading
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import islice
from typing import Any

from botocore.exceptions import ClientError

from custom_labels.core.connections import read_http_connection
from custom_labels.core.keys import LABEL_STUDIO_ANSWERS
from custom_labels.core.settings import Project
from custom_labels.review.backends.base import OpenedTogether, ReviewBackendError, ReviewBackendNotReady, Trouble
from custom_labels.review.backends.label_studio import task_content
from custom_labels.review.backends.label_studio.client import PAGE, CallFailed, LabelStudioClient
from custom_labels.review.backends.label_studio.events import announced_keys
from custom_labels.review.backends.label_studio.project_file import LabelStudioPart
from custom_labels.review.backends.label_studio.projects import AskingProject, AskingProjects
from custom_labels.review.backends.registry import review_of
from custom_labels.review.review import Answered, ReviewRequest, ReviewState
from custom_labels.s3.errors import MISSING
from custom_labels.s3.store import S3Store

log = logging.getLogger(__name__)

IMPORTS = 3
"""How often tasks are added whose first import had no answer, once it was seen that they are not there."""
_DATETIME = "%Y-%m-%dT%H:%M:%S.%fZ"
Task = dict[str, Any]


class LabelStudioBackend:
    """Opens, lists and reads tasks. It may be used by several threads at once.

    :param project: the project, with a ``review`` part.
    :param store: the project's bucket and prefix.
    """

    def __init__(self, project: Project, store: S3Store) -> None:
        self.project = project
        self.store = store
        self._lock = threading.RLock()
        self._client: LabelStudioClient | None = None
        self._asking: dict[int, AskingProject] | None = None

    @property
    def client(self) -> LabelStudioClient:
        """The client of the project's connection."""
        with self._lock:
            if self._client is None:
                part = review_of(self.project).part_of(LabelStudioPart)
                self._client = LabelStudioClient(read_http_connection(part.conn_id, "review.label_studio.conn_id"))
            return self._client

    @property
    def projects(self) -> AskingProjects:
        """What finds and changes the projects at Label Studio."""
        return AskingProjects(self.project, self.store, self.client)

    @property
    def asking(self) -> dict[int, AskingProject]:
        """The projects at Label Studio by the number of people that they ask, found once."""
        with self._lock:
            if self._asking is None:
                self._asking = self.projects.find()
            return self._asking

    def setup_name(self) -> str:
        """Name the projects with their labelling interfaces."""
        return " ".join(f"{each.id}:{each.written}" for each in self.asking.values())

    # Opening

    def open(self, requests: Sequence[ReviewRequest]) -> OpenedTogether:
        """Add tasks in one call for each number of people, after a look at those that are there."""
        groups: dict[int, list[ReviewRequest]] = defaultdict(list)
        for request in requests:
            groups[request.reviewers].append(request)
        opened = [self._open_group(reviewers, group) for reviewers, group in groups.items()]
        return OpenedTogether(
            frozenset[str]().union(*(each.new for each in opened)),
            frozenset[str]().union(*(each.known for each in opened)),
            frozenset[str]().union(*(each.unsure for each in opened)),
            tuple(trouble for each in opened for trouble in each.troubles),
        )

    def _open_group(self, reviewers: int, requests: Sequence[ReviewRequest]) -> OpenedTogether:
        troubles: list[Trouble] = []
        wanted: dict[str, Task] = {}
        for request in requests:
            try:
                wanted[request.name] = task_content.task_of(request)
            except ReviewBackendError as error:
                troubles.append(error)
        try:
            asking = self._ready(reviewers, requests)
            known = self._names(asking, wanted)
        except (ReviewBackendNotReady, ReviewBackendError) as error:
            return OpenedTogether(troubles=(*troubles, error))
        missing = {name: task for name, task in wanted.items() if name not in known}
        new, trouble = self._add(asking, missing)
        unsure = frozenset(missing) - new if isinstance(trouble, CallFailed) and trouble.is_passing else frozenset()
        return OpenedTogether(new, known, unsure, (*troubles, *([trouble] if trouble else [])))

    def _ready(self, reviewers: int, requests: Iterable[ReviewRequest]) -> AskingProject:
        """Give the project that asks so many people, with all labels of the requests offered there.

        :raises ReviewBackendNotReady: there is none, or somebody changed it.
        """
        labels = {label for request in requests for label in request.labels}
        with self._lock:
            asking = self.asking.get(reviewers)
            if asking is None:
                raise ReviewBackendNotReady(
                    f"Reviews of project '{self.project.name}' cannot be opened: there is no project at Label Studio "
                    f"({self.client.connection.url}) that asks {reviewers} people. Trigger "
                    f"{self.project.name}_bootstrap, which makes one for 1 and for 'reviewers_per_image' people."
                )
            self.projects.check(asking)
            if labels - set(asking.labels):
                asking = self.projects.ensure(reviewers, labels, asking)
                self.asking[reviewers] = asking
            return asking

    def _add(self, asking: AskingProject, missing: dict[str, Task]) -> tuple[frozenset[str], ReviewBackendError | None]:
        """Add tasks; where no answer comes, look which of them are there before the rest is added again.

        :return: the names of those that are there now, and why others are not.
        """
        new: frozenset[str] = frozenset()
        trouble: ReviewBackendError | None = None
        for _ in range(IMPORTS):
            left = [task for name, task in missing.items() if name not in new]
            if not left:
                return new, None
            try:
                self.client.post(f"/api/projects/{asking.id}/import", left, {"return_task_ids": "true"})
                return frozenset(missing), None
            except ReviewBackendError as error:
                trouble = error
                if not error.is_passing:
                    break
            try:
                new = self._names(asking, missing)
            except ReviewBackendError as error:
                return new, error
        return new, None if len(new) == len(missing) else trouble

    def _names(self, asking: AskingProject, names: Collection[str]) -> frozenset[str]:
        """See which reviews are there; of one that is there twice, the later task is deleted if nobody answered it."""
        found: dict[str, list[Task]] = defaultdict(list)
        for task in self._tasks(asking, names=names):
            found[str(task_content.name_of(task))].append(task)
        for name, tasks in found.items():
            for task in tasks[1:]:
                if not task["total_annotations"] and not task["cancelled_annotations"]:
                    log.info("Review %s was opened twice: task %s is deleted.", name, task["id"])
                    self.client.delete(f"/api/tasks/{task['id']}/")
        return frozenset(found) & frozenset(names)

    # Looking

    def status(self, name: str) -> ReviewState | None:
        """Describe a review; ``None`` also for one whose task somebody deleted: it is given up, or opened anew."""
        tasks = self._find([name])
        return task_content.state_of(tasks, self.client.connection.url) if tasks else None

    def states(self, since: datetime, is_known: Callable[[str], bool] = lambda _: False) -> Iterator[list[ReviewState]]:  # noqa: ARG002
        """List the reviews of all projects, the oldest first, which costs a call for each 100."""
        seen: set[str] = set()
        tasks = _merged([self._tasks(asking, since=since) for asking in self.asking.values()])
        while page := list(islice(tasks, PAGE)):
            states: list[ReviewState | None] = []
            for task in page:
                name = task_content.name_of(task)
                if name is None:
                    log.warning("Task %s of Label Studio is none of ours and is left alone.", task["id"])
                elif name in seen:
                    states.append(self.status(name))
                else:
                    seen.add(name)
                    states.append(task_content.state_of([task], self.client.connection.url))
            yield [state for state in states if state]

    def state_from_event(self, body: Mapping[str, Any]) -> ReviewState | None:
        """Read a message about an answer that Label Studio wrote to S3: it says which review to look at."""
        for key in announced_keys(body, self.store.bucket):
            relative = key.removeprefix(self.store.prefix)
            if self.store.key(relative) == key and relative.startswith(LABEL_STUDIO_ANSWERS):
                name = self._name_in(relative)
                if name is not None:
                    return self.status(name)
        return None

    def _name_in(self, relative: str) -> str | None:
        """Read the name of the review that an object of Label Studio answers."""
        try:
            found, _ = self.store.read_bytes(relative, expect=MISSING)
            task = json.loads(found)
            # An annotation with its task, or a task with its annotations, as Label Studio's settings have it.
            task = task["task"] if isinstance(task.get("task"), dict) else task
            return task_content.name_of(task)
        except (ClientError, ValueError, AttributeError) as error:
            log.warning("%s holds no answer of Label Studio: %s", self.store.uri(relative), error)
            return None

    def answers(self, state: ReviewState) -> Answered | None:
        """Read the annotations of a review, which costs a call for each project at Label Studio."""
        tasks = self._find([state.name])
        if not tasks:
            log.warning("The task of review %s was deleted at Label Studio, with its answers.", state.name)
            return None
        return task_content.answered(tasks, self._offered())

    def _offered(self) -> frozenset[str]:
        """Give the labels that this package offered; what somebody added by hand is not among them."""
        offered: set[str] = set()
        for asking in self.asking.values():
            try:
                self.projects.check(asking)
            except ReviewBackendNotReady as error:
                log.warning("%s", error)
            else:
                offered.update(asking.labels)
        return frozenset(offered)

    def cancel(self, names: Collection[str]) -> None:
        """Take reviews from what people are given, and refuse what they submit from now on."""
        left = sorted(names)
        while left:
            now, left = left[:PAGE], left[PAGE:]
            for task in filter(task_content.is_open, self._find(now)):
                ended = datetime.now(UTC).isoformat(timespec="microseconds")
                body = {"meta": {**task["meta"], task_content.ENDED_AT: ended}, "is_labeled": True}
                self.client.patch(f"/api/tasks/{task['id']}/", body, absent={404})

    def open_reviews(self) -> Iterator[str]:
        """Name the reviews that people may still answer."""
        for asking in self.asking.values():
            yield from (str(task_content.name_of(task)) for task in self._tasks(asking) if task_content.is_open(task))

    def _find(self, names: Collection[str]) -> list[Task]:
        found = [task for asking in self.asking.values() for task in self._tasks(asking, names=names)]
        return [task for task in found if task_content.name_of(task) in names]

    def _tasks(
        self, asking: AskingProject, *, names: Collection[str] | None = None, since: datetime | None = None
    ) -> Iterator[Task]:
        """Read tasks of ours with their annotations, in the order in which they were added.

        Each page begins behind the last task of the one before, so that one that is deleted meanwhile shifts none.
        """
        if names is not None and not names:
            return
        last = 0
        while True:
            items = [_filter("id", "greater", "Number", last)]
            if names is not None:
                items.append(_filter(f"data.{task_content.NAME}", "regex", "String", _one_of(names)))
            if since is not None:
                items.append(_filter("created_at", "greater", "Datetime", since.astimezone(UTC).strftime(_DATETIME)))
            query = {"filters": {"conjunction": "and", "items": items}, "ordering": ["tasks:id"]}
            params = {"project": asking.id, "page_size": PAGE, "fields": "all", "resolve_uri": "false"}
            found = self.client.get("/api/tasks/", {**params, "query": json.dumps(query)})
            tasks = found["tasks"]
            yield from (task for task in tasks if names is None or task_content.name_of(task) is not None)
            if len(tasks) < PAGE:
                return
            last = max(task["id"] for task in tasks)


def _filter(field: str, operator: str, kind: str, value: Any) -> dict[str, Any]:
    return {"filter": f"filter:tasks:{field}", "operator": operator, "type": kind, "value": value}


def _one_of(names: Iterable[str]) -> str:
    return f"^({'|'.join(map(re.escape, sorted(names)))})$"


def _merged(lists: Sequence[Iterator[Task]]) -> Iterator[Task]:
    """Merge lists of tasks by their creation."""
    return heapq.merge(*lists, key=lambda task: (datetime.fromisoformat(task["created_at"]), task["id"]))
