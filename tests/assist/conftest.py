"""Fixtures of the tests of label assist: a project with a version that serves, and people who answer at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.kit.dag_runs import Variables
from tests.kit.detect_runs import serve
from tests.kit.review_project import ReviewProject, set_up_review

if TYPE_CHECKING:
    from include.local_aws.process import LocalAws


@pytest.fixture
def variables(monkeypatch: pytest.MonkeyPatch) -> Variables:
    """Airflow Variables for one test: whatever trains is good enough, and nothing waits for long."""
    return Variables(
        monkeypatch,
        status_poll_seconds=1,
        minimum_untrained_images=10,
        minimum_f1_score=0.3,
        drain_seconds=0,
        detections_per_unit_second=1000,
        daily_review_budget=1000,
    )


@pytest.fixture
def digits(aws: LocalAws, variables: Variables, airflow_db: None) -> LocalAws:
    """The embedded AWS with a version that serves, and people who answer at once."""
    serve(aws)
    aws.control.workforce(seconds=0)
    return aws


@pytest.fixture
def reviews(digits: LocalAws) -> ReviewProject:
    """The review of the project, set up."""
    return set_up_review(digits)
