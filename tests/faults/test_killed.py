"""A worker killed with SIGKILL in the middle of a run: the next run, in another Airflow, brings it to its end."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.dags.running import Variables, record, statuses, train
from tests.faults.bucket import images
from tests.faults.killed import Airflow
from tests.support import effects, put_images

if TYPE_CHECKING:
    from include.local_aws.process import LocalAws

pytestmark = pytest.mark.slow

Happened = Callable[[], bool]


def created(aws: LocalAws) -> Happened:
    """A training was begun and is paid for."""
    before = effects(aws, "CreateProjectVersion")
    return lambda: effects(aws, "CreateProjectVersion") > before


def created_and_looked_at(aws: LocalAws) -> Happened:
    """A training was begun, and the run has looked at its status several times since."""
    is_created = created(aws)
    calls: list[int] = []

    def happened() -> bool:
        calls.extend([described(aws)] if is_created() else [])
        return bool(calls) and calls[-1] >= calls[0] + 3

    return happened


def described(aws: LocalAws) -> int:
    return int(aws.control.calls()["rekognition.DescribeProjectVersions"]["calls"])


def starting(aws: LocalAws) -> Happened:
    """A version was told to start."""
    before = effects(aws, "StartProjectVersion")
    return lambda: effects(aws, "StartProjectVersion") > before


def swapped(aws: LocalAws) -> Happened:
    """The pointer names the new version, and the old one has not been stopped yet."""
    before = record(aws, "live")
    return lambda: bool(record(aws, "live") != before)


@pytest.fixture
def mortal(digits: LocalAws, variables: Variables, impatient: None) -> LocalAws:
    """The project with a lock that passes on soon after its holder died."""
    variables.set(lock_lease_minutes=0.1, lock_grace_minutes=0.03)
    return digits


def kill_when(aws: LocalAws, home: Path, happened: Happened) -> None:
    with Airflow(home, aws.endpoint_url) as airflow:
        airflow.kill_when(happened)


@pytest.mark.parametrize(
    ("moment", "faults"),
    [
        (created, []),
        (created, [{"operation": "rekognition.CreateProjectVersion", "kind": "lost_response", "times": 1}]),
        (created_and_looked_at, []),
    ],
    ids=["right after the training was begun", "its response lost besides", "while the version trains"],
)
def test_a_training_is_paid_once_when_its_worker_is_killed(
    mortal: LocalAws, tmp_path: Path, moment: Callable[[LocalAws], Happened], faults: list[dict[str, object]]
) -> None:
    put_images(mortal, 10)
    before = images(mortal)
    mortal.control.durations(training=5)
    mortal.control.faults(*faults)
    kill_when(mortal, tmp_path, moment(mortal))
    put_images(mortal, 5, start=10)

    run = train()

    assert (run.state, run.ends) == ("success", {"deployed"})
    assert effects(mortal, "CreateProjectVersion") == 1
    live = record(mortal, "live")["version_name"]
    assert statuses(mortal) == {live: "RUNNING"}
    assert before.items() <= images(mortal).items()


@pytest.mark.parametrize(
    ("moment", "durations"),
    [(starting, {"version_start": 2}), (swapped, {})],
    ids=["while the new version starts", "between the swap and the stop of the old one"],
)
def test_a_model_serves_and_only_one_runs_when_a_worker_is_killed(
    mortal: LocalAws, tmp_path: Path, moment: Callable[[LocalAws], Happened], durations: dict[str, float]
) -> None:
    put_images(mortal, 10)
    train()
    champion = record(mortal, "live")["version_name"]
    put_images(mortal, 10, start=10)
    before = images(mortal)
    mortal.control.durations(**durations)
    kill_when(mortal, tmp_path, moment(mortal))
    left = statuses(mortal)
    assert left[record(mortal, "live")["version_name"]] == "RUNNING"
    assert left[champion] == "RUNNING"

    run = train()

    assert (run.state, run.ends) == ("success", {"deployed"})
    assert effects(mortal, "CreateProjectVersion") == 2
    live = record(mortal, "live")["version_name"]
    assert live != champion
    assert statuses(mortal) == {live: "RUNNING", champion: "STOPPED"}
    assert effects(mortal, "StartProjectVersion") == 2
    assert images(mortal) == before
