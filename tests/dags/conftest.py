"""Fixtures of the DAG tests: a project in the embedded AWS, and a way to run its train DAG for real."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.kit.dag_runs import Variables
from tests.kit.support import client

if TYPE_CHECKING:
    from include.local_aws.process import LocalAws


@pytest.fixture
def variables(monkeypatch: pytest.MonkeyPatch) -> Variables:
    """Airflow Variables for one test; training is polled often and few images are enough."""
    return Variables(
        monkeypatch, status_poll_seconds=1, minimum_untrained_images=10, minimum_f1_score=0.5, drain_seconds=0
    )


@pytest.fixture
def digits(aws: LocalAws, variables: Variables, airflow_db: None) -> LocalAws:
    """The embedded AWS, with what the project's DAG expects around it: the SNS topic."""
    client(aws, "sns").create_topic(Name="custom-labels-digits")
    return aws
