"""What a project has at Label Studio: a project there for each number of people that a review may ask.

They are found by a mark in their descriptions, which names the bucket's folder, the number of people, and the labelling
interface as this package wrote it: so none is made twice, and one that somebody changed is noticed.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from custom_labels.core.project_task import ProjectTask
from custom_labels.core.records import Record
from custom_labels.core.settings import Project
from custom_labels.review.backends.base import ReviewBackendNotReady
from custom_labels.review.backends.label_studio import labeling
from custom_labels.review.backends.label_studio.client import LabelStudioClient
from custom_labels.review.backends.registry import review_of
from custom_labels.s3.store import S3Store

log = logging.getLogger(__name__)

PREDICTIONS = "custom-labels"
"""Name of all predictions: Label Studio fills in those of one name only, and reviews of several versions are open."""
_KEPT_INTERFACES = 20
_ANY_MARK = "[custom-labels s3://"
_TITLE_CHARACTERS = 50
"""Project.title of Label Studio."""


@dataclass(frozen=True)
class WrittenInterfaces:
    """The labelling interfaces that this package wrote last, by which it says what somebody changed."""

    by_digest: Mapping[str, str] = field(default_factory=dict)

    def having(self, xml: str) -> WrittenInterfaces:
        """Add one; the oldest of many are dropped, which no project has any more."""
        name = labeling.digest(xml)
        others = [(digest, text) for digest, text in self.by_digest.items() if digest != name]
        return WrittenInterfaces(dict([*others[1 - _KEPT_INTERFACES :], (name, xml)]))


INTERFACES = Record("registry/label_studio.json", WrittenInterfaces)


@dataclass(frozen=True)
class AskingProject:
    """A project at Label Studio.

    :param id: Label Studio's number of it.
    :param reviewers: people that each of its tasks asks.
    :param xml: its labelling interface; ``written`` is the digest of what this package wrote last.
    :param settings: those that this package sets, as they are.
    """

    id: int
    reviewers: int
    xml: str
    written: str
    settings: Mapping[str, Any]

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels that it offers."""
        return labeling.labels_of(self.xml)


class AskingProjects:
    """Finds, makes and changes a project's projects at Label Studio.

    :param project: the project, with a ``review`` part.
    """

    def __init__(self, project: Project, store: S3Store, client: LabelStudioClient) -> None:
        self.project = project
        self.review = review_of(project)
        self.client = client
        self.store = store
        self.root = store.uri()
        self._mark = re.compile(rf"\[custom-labels {re.escape(self.root)} x(\d+) ([0-9a-f]{{16}})\]")

    def find(self) -> dict[int, AskingProject]:
        """Find them by the number of people that they ask.

        :raises ReviewBackendNotReady: somebody took the mark from one of them.
        """
        found: dict[int, AskingProject] = {}
        # All else that Label Studio tells of a project costs it several counts in its database.
        wanted = ("id", "title", "description", "label_config", *self._settings(1))
        for page in self.client.pages("/api/projects/", {"include": ",".join(wanted)}):
            for entry in page:
                mark = self._mark.search(entry.get("description") or "")
                if mark is None:
                    self._check_title(entry)
                elif int(mark[1]) not in found or entry["id"] < found[int(mark[1])].id:
                    found[int(mark[1])] = self._read(entry, int(mark[1]), mark[2])
        return found

    def _read(self, entry: Mapping[str, Any], reviewers: int, written: str) -> AskingProject:
        settings = {name: entry.get(name) for name in self._settings(reviewers)}
        return AskingProject(entry["id"], reviewers, entry["label_config"], written, settings)

    def _check_title(self, entry: Mapping[str, Any]) -> None:
        title = entry.get("title") or ""
        if _ANY_MARK in (entry.get("description") or ""):
            return  # of the same name, and in another bucket
        if title.startswith(f"{self._title_start}, ") and title.endswith(f"({self._title_end})"):
            raise ReviewBackendNotReady(
                f"Project {entry['id']} of Label Studio, '{title}', has our title, but its description is "
                f"{entry.get('description')!r} without the mark of this package. Give it back the mark, give the "
                "project another title, or delete it; then trigger the bootstrap DAG."
            )

    def ensure(self, reviewers: int, labels: Iterable[str], present: AskingProject | None) -> AskingProject:
        """Make a project, or bring the one that is there up to date: its texts, and labels that are new.

        :param labels: what may be chosen; those that are offered already stay.
        :param present: as it was found.
        :raises ReviewBackendNotReady: somebody changed it.
        """
        if present is None:
            return self._create(reviewers, tuple(sorted(labels)))
        self.check(present)
        offered = labeling.with_labels(present.labels, labels)
        added = offered[len(present.labels) :]
        if added:
            log.info("Project %s of Label Studio offers more labels: %s.", present.id, ", ".join(map(repr, added)))
        body = self._body(reviewers, offered)
        entry = self.client.patch(f"/api/projects/{present.id}/", body)
        return self._read(entry, reviewers, labeling.digest(body["label_config"]))

    def check(self, found: AskingProject) -> None:
        """See whether a project is as this package made it.

        :raises ReviewBackendNotReady: with all that differs.
        """
        wrong = [
            f"{name} is {found.settings[name]!r} instead of {value!r}"
            for name, value in self._settings(found.reviewers).items()
            if found.settings[name] != value
        ]
        wrong += self._changed_interface(found)
        if wrong:
            raise ReviewBackendNotReady(
                f"Project {found.id} of Label Studio, which asks {_people(found.reviewers)} about images of "
                f"'{self.project.name}', was changed by hand: {'; '.join(wrong)}. Set it back under its Settings (the "
                f"interface under Labeling Interface, Code, which has to be: {self._expected(found)}), or delete that "
                "project with its answers; then trigger the bootstrap DAG."
            )

    def _changed_interface(self, found: AskingProject) -> list[str]:
        try:
            if labeling.digest(found.xml) == found.written:
                return []
        except labeling.InterfaceUnreadable as error:
            return [str(error)]
        return labeling.differences(found.xml, self._expected(found))

    def _expected(self, found: AskingProject) -> str:
        """Give the interface that this package wrote last, as the registry has it."""
        record = INTERFACES.read(self.store) or WrittenInterfaces()
        return record.by_digest.get(found.written, f"the one whose digest is {found.written}")

    def _create(self, reviewers: int, labels: tuple[str, ...]) -> AskingProject:
        """Make a project; where another set-up made one at the same moment, the older one is taken."""
        body = self._body(reviewers, labels)
        made = self.client.post("/api/projects/", {**body, "model_version": PREDICTIONS})
        oldest = self.find()[reviewers]
        if oldest.id != made["id"]:
            self.client.delete(f"/api/projects/{made['id']}/")
        return oldest

    def _body(self, reviewers: int, labels: tuple[str, ...]) -> dict[str, Any]:
        xml = labeling.interface(self.project.task, self.review.title, labels)
        # Before Label Studio has it: so whatever it has of ours is on record.
        INTERFACES.change(self.store, lambda present: (present or WrittenInterfaces()).having(xml))
        people = _people(reviewers)
        return {
            "title": f"{self._title_start}, {people} ({self._title_end})",
            "description": (
                f"Reviews of the project {self.project.name}, each of which asks {people}. Please leave the mark: "
                f"[custom-labels {self.root} x{reviewers} {labeling.digest(xml)}]"
            ),
            "label_config": xml,
            "expert_instruction": labeling.instructions(self.review.title, self.review.instructions),
            "show_instruction": bool(self.review.instructions),
            "skip_queue": "REQUEUE_FOR_OTHERS",
            **self._settings(reviewers),
        }

    @property
    def _title_start(self) -> str:
        return self.project.name[: _TITLE_CHARACTERS - 23]

    @property
    def _title_end(self) -> str:
        return "reviews"

    def _settings(self, reviewers: int) -> dict[str, Any]:
        """Give the settings on which answers depend."""
        return {
            "maximum_annotations": reviewers,
            "show_collab_predictions": True,
            # An image on which nothing is to be boxed is an answer, too.
            "enable_empty_annotation": self.project.task is ProjectTask.OBJECT_DETECTION,
        }


def _people(number: int) -> str:
    return "1 person" if number == 1 else f"{number} people"
