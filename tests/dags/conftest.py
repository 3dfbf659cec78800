"""Fixtures of the DAG tests: a project in the embedded AWS, and a way to run its train DAG for real."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from tests.dags.running import Variables

if TYPE_CHECKING:
    from include.local_aws.process import LocalAws


@pytest.fixture
def variables(monkeypatch: pytest.MonkeyPatch) -> Variables:
    """Airflow Variables for one test; training is polled often and few images are enough."""
    return Variables(monkeypatch, status_poll_seconds=1, minimum_untrained_images=10, minimum_f1_score=0.5)


@pytest.fixture
def digits(aws: LocalAws, variables: Variables, airflow_db: None) -> Iterator[LocalAws]:
    """The embedded AWS, with what the project's DAG expects around it: the SNS topic."""
    import boto3

    boto3.client(
        "sns",
        endpoint_url=aws.endpoint_url,
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
    ).create_topic(Name="custom-labels-digits")
    yield aws
