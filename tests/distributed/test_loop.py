"""The loop on Celery, Postgres and Redis is closed although workers, a scheduler and the triggerer are killed."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.distributed.members import SCHEDULERS, TRIGGERER, WORKERS
from tests.distributed.play import Played, effects

pytestmark = [pytest.mark.celery, pytest.mark.slow, pytest.mark.timeout(2400), pytest.mark.xdist_group("celery")]


def test_every_claim_of_the_story_holds_when_parts_of_airflow_are_killed(played: Played) -> None:
    assert set(played.victims[:2]) <= set(WORKERS)
    assert played.victims[2:] == [SCHEDULERS[0], TRIGGERER]
    assert played.broken == []


def test_a_training_is_paid_once_when_its_worker_is_killed(played: Played) -> None:
    digests = [
        attempt["digest"] for each in played.cloud.read_all(["registry/trainings.json"]) for attempt in each["attempts"]
    ]
    assert len(set(digests)) == len(digests) == 2
    assert effects(played.control, "CreateProjectVersion") == 2


def test_another_worker_takes_over_when_one_is_killed(played: Played) -> None:
    assert (played.killed_training.state, played.killed_training.tries) == ("success", 2)
    assert {played.killed_training.member} == set(WORKERS) - {played.victims[0]}


def test_both_workers_work_until_one_is_killed(played: Played) -> None:
    assert {task.member for task in played.tasks if task.member} == set(WORKERS)


def test_only_the_version_that_serves_runs_at_the_end(played: Played) -> None:
    running = [name for name, version in played.cloud.versions().items() if version.status == "RUNNING"]
    assert running == [played.cloud.live()["version_name"]]
    assert effects(played.control, "StartProjectVersion") == 2
    assert effects(played.control, "StopProjectVersion") == 1


def test_images_wake_the_detect_dag_when_the_triggerer_was_replaced(played: Played) -> None:
    assert Counter(result.name for result in played.late.results) == Counter(played.late.truth.keys())
    assert {result.version_name for result in played.late.results} == {played.cloud.live()["version_name"]}


def test_nothing_is_left_at_work_at_the_end(played: Played) -> None:
    assert set(played.runs.values()) == {"success"}
    assert {task.state for task in played.tasks} <= {"success", "skipped"}
