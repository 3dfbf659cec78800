"""Whether the tasks of the pools that a project file names got a slot."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from custom_labels.core.checks import CheckFailed
from custom_labels.operations import bootstrap_checks
from custom_labels.operations.bootstrap_checks import BootstrapChecks, tasks_without_slot
from tests.kit.task_contexts import project_context


@pytest.mark.parametrize(
    ("states", "without"),
    [
        ({"use_pool": ["success"], "use_detection_pool": ["running"]}, set()),
        ({"use_pool": [None, "scheduled", "queued"], "use_detection_pool": ["success"]}, set()),
        ({"use_pool": ["scheduled"], "use_detection_pool": ["failed"]}, {"use_pool"}),
    ],
    ids=["had one", "got one in time", "got none"],
)
def test_a_task_that_never_starts_has_no_slot(
    monkeypatch: pytest.MonkeyPatch, states: dict[str, list[str | None]], without: set[str]
) -> None:
    monkeypatch.setattr(bootstrap_checks, "POLL_SECONDS", 0.01)
    coming: dict[str, Iterator[str | None]] = {name: iter(each) for name, each in states.items()}

    def state_of(task_id: str) -> str | None:
        return next(coming[task_id], states[task_id][-1])

    assert tasks_without_slot(states, state_of, seconds=0.1) == without


@pytest.mark.parametrize(
    ("field", "pool", "command"),
    [
        ("pool", "custom_labels", "airflow pools set custom_labels 2 'Tasks that call Custom Labels;"),
        (
            "detection_pool",
            "custom_labels_detection",
            "airflow pools set custom_labels_detection 2 'Tasks that ask the live version;",
        ),
    ],
    ids=["pool", "detection pool"],
)
def test_a_missing_pool_is_said_with_the_command_that_adds_it(field: str, pool: str, command: str) -> None:
    checks = BootstrapChecks(project_context("digits_bootstrap"))
    checks.tasks_without_slot = {f"use_{field}"}

    with pytest.raises(CheckFailed) as raised:
        checks.pool(field, pool)

    assert command in str(raised.value)
    assert f"or correct '{field}' in digits.yaml" in str(raised.value)
