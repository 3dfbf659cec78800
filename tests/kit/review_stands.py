"""A review backend with its people, as the contract test of all backends takes it: one class for each of them."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol
from uuid import uuid4

import pytest

from custom_labels.core.settings import Project, load_project
from custom_labels.datasets.label_names import NONE_OF_THE_ABOVE
from custom_labels.review.backends.airflow_page.page_review import given_answer
from custom_labels.review.backends.base import ReviewBackend
from custom_labels.review.backends.label_studio.client import LabelStudioClient
from custom_labels.review.backends.label_studio.labeling import shown
from custom_labels.s3 import store as store_module
from custom_labels.s3.store import S3Store
from tests.kit.airflow_page import set_up_page
from tests.kit.faulty_proxy import Fault, FaultyProxy
from tests.kit.harvests import answer
from tests.kit.label_studio import account, choice, make_project, set_up_asking
from tests.kit.labeling import answer_image, set_up_labeling
from tests.kit.review_project import set_up_review, wait_until_ended
from tests.kit.support import wait_until

if TYPE_CHECKING:
    from include.local_aws.process import LocalAws


class Stand(Protocol):
    """A project of one label an image that is set up at a backend.

    :param most_reviewers: people that a review of it may ask, of those that the test has.
    """

    most_reviewers: int

    @property
    def project(self) -> Project:
        """The project."""
        ...

    @property
    def store(self) -> S3Store:
        """Its bucket and prefix."""
        ...

    @property
    def backend(self) -> ReviewBackend:
        """What opens and reads its reviews."""
        ...

    def answer(self, name: str, label: str | None, person: str) -> None:
        """Let a person answer a review as people do there; ``None`` is none of the above."""
        ...

    def wait_until_ended(self, *names: str) -> None:
        """Wait until these reviews have ended."""
        ...

    @contextmanager
    def failing(self, share: float) -> Iterator[None]:
        """Let so many of the backend's calls fail in a way that passes; 1 is a backend that is down."""
        ...


class A2IStand:
    """Amazon A2I in the embedded AWS."""

    most_reviewers = 3

    def __init__(self, aws: LocalAws) -> None:
        made = self._made = set_up_review(aws)
        self.aws = aws
        self.project, self.store, self.backend = made.project, made.store, made.backend
        self.backend.patience_seconds = 1

    def answer(self, name: str, label: str | None, person: str) -> None:
        answer(self.aws, name, label, person)

    def wait_until_ended(self, *names: str) -> None:
        wait_until_ended(self._made, *names)

    @contextmanager
    def failing(self, share: float) -> Iterator[None]:
        self.aws.control.faults({"operation": "sagemaker-a2i-runtime.*", "kind": "throttle", "share": share})
        yield
        self.aws.control.faults()


class LabelStudioStand:
    """A real Label Studio, with the embedded AWS's S3; each stand has projects of its own there."""

    most_reviewers = 3

    def __init__(self, aws: LocalAws) -> None:
        project = make_project(aws, f"stand/{uuid4().hex}")
        self._made = set_up_asking(aws, project, 3, labels=("columns", "rows"), with_storages=False)
        self.project, self.store, self.backend = self._made.project, self._made.store, self._made.backend

    def answer(self, name: str, label: str | None, person: str) -> None:
        chosen = choice(shown(label or NONE_OF_THE_ABOVE))
        self._made.annotate(name, chosen, by=account(self._made.client, person))

    def wait_until_ended(self, *names: str) -> None:
        for name in names:
            state = self.backend.status(name)
            assert state
            assert state.status.is_final

    @contextmanager
    def failing(self, share: float) -> Iterator[None]:
        chance, client = random.Random(7), self.backend.client
        faults: tuple[Fault, ...] = ((503, {}), (429, {}), (500, {}), "lost")

        def fault(_method: str, _path: str) -> Fault | None:
            return chance.choice(faults) if chance.random() < share else None

        with FaultyProxy(client.connection.url, fault) as proxy:
            connection = replace(client.connection, url=proxy.url)
            self.backend._client = LabelStudioClient(connection, patience_seconds=0.2)
            yield
        self.backend._client = client


class AirflowStand:
    """Airflow's own page; what Airflow hands on of an answer is what its operator does."""

    most_reviewers = 1

    def __init__(self, aws: LocalAws) -> None:
        shipped = load_project("digits")
        self.aws = aws
        self.project = Project.model_validate({**shipped.model_dump(), "review": {"backend": "airflow"}})
        self.backend = set_up_page(aws, self.project)
        self.backend.patience_seconds = 1
        self.store = self.backend.records.store

    def answer(self, name: str, label: str | None, person: str) -> None:
        event = {"chosen_options": [label or NONE_OF_THE_ABOVE], "responded_by_user": {"id": person, "name": person}}
        given = given_answer(event, self.project.name)
        assert given is not None
        self.backend.records.answer(name, given)

    def wait_until_ended(self, *names: str) -> None:
        for name in names:
            state = self.backend.status(name)
            assert state is not None
            assert state.status.is_final

    @contextmanager
    def failing(self, share: float) -> Iterator[None]:
        fault = {"operation": "s3.*", "kind": "throttle", "share": share, "subject": "*airflow_page*"}
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(store_module, "PATIENCE_SECONDS", 0.5)
            patch.setattr(store_module, "LONGEST_PAUSE", 0.05)
            self.aws.control.faults(fault)
            yield
            self.aws.control.faults()


class GroundTruthStand:
    """Ground Truth in the embedded AWS."""

    most_reviewers = 3

    def __init__(self, aws: LocalAws) -> None:
        self.aws = aws
        self.project, self.store, self.backend = set_up_labeling(aws)

    def answer(self, name: str, label: str | None, person: str) -> None:
        answer_image(self.aws, self.backend, name, label, person)

    def wait_until_ended(self, *names: str) -> None:
        def ended() -> bool:
            states = [self.backend.status(name) for name in names]
            return all(state is not None and state.status.is_final for state in states)

        wait_until(ended)

    @contextmanager
    def failing(self, share: float) -> Iterator[None]:
        self.aws.control.faults({"operation": "sagemaker.*LabelingJob*", "kind": "throttle", "share": share})
        yield
        self.aws.control.faults()


STANDS: Mapping[str, Callable[[LocalAws], Stand]] = {
    "a2i": A2IStand,
    "airflow": AirflowStand,
    "ground_truth": GroundTruthStand,
    "label_studio": LabelStudioStand,
}
"""The stand of each backend that :data:`custom_labels.core.review_setup.BACKENDS` has."""
SERVERS = {"label_studio": "label_studio"}
"""Fixtures of servers that stands need beside the embedded AWS."""
