"""Whether the tasks of the pools that a project file names got a slot."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from custom_labels.operations import bootstrap_checks
from custom_labels.operations.bootstrap_checks import tasks_without_slot


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
