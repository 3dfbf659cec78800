"""The numbers that runs send are those that they record, and what cannot be sent fails no run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.kit.dag_runs import Variables, record, train
from tests.kit.detect_runs import make_queues, put
from tests.kit.statsd import Statsd, send_nothing, send_to
from tests.kit.step_runs import detect_by_steps, guard_by_steps
from tests.kit.support import picture, put_images

if TYPE_CHECKING:
    from include.local_aws.process import LocalAws

pytestmark = pytest.mark.slow

OURS = "custom_labels.digits."


def numbers(statsd: Statsd) -> dict[str, float]:
    """Give what came since the last time, by the ends of the names."""
    return {name.removeprefix(OURS): value for name, value in statsd.numbers().items() if name.startswith(OURS)}


def test_a_version_is_trained_serves_and_is_asked(digits: LocalAws, variables: Variables, statsd: Statsd) -> None:
    variables.set(monthly_budget_usd=500, enable_a2i_workflow="false", detections_per_unit_second=1000)
    put_images(digits, 10)
    put_images(digits, 2, labels=("rows",), start=10)

    assert train().ends == {"deployed"}

    live = record(digits, "live")
    version = record(digits, f"versions/{live['version_name']}")
    assert numbers(statsd) == {
        "images.labeled": 22,
        "images.untrained": 22,
        "images.needed": 10,
        "images.labels": 2,
        "images.rarest_label": 10,
        "trained.f1": version["evaluation"]["f1"],
        "trained.precision": version["evaluation"]["precision"],
        "trained.recall": version["evaluation"]["recall"],
        "trained.seconds": version["billable_training_seconds"],
        "live.f1": live["f1"],
        "live.inference_units": 1,
        "runs.train.deployed": 1,
    }

    make_queues(digits)
    for number in range(3):
        put(digits, f"{number}.png", picture("rows", number))
    assert detect_by_steps().outcome == "detected"

    sent = numbers(statsd)
    decisions = {name: value for name, value in sent.items() if name.startswith("detection.images.")}
    assert decisions.keys() <= {"detection.images.accepted", "detection.images.not_reviewed"}
    assert sum(decisions.values()) == 3
    assert sent.pop("detection.calls_per_second") > 0
    assert sent == {
        **decisions,
        "live.f1": live["f1"],
        "live.inference_units": 1,
        "detection.waiting": 3,
        "reviews.waiting": 0,
        "runs.detect.detected": 1,
    }

    assert guard_by_steps().outcome == "nothing_to_guard"

    sent = numbers(statsd)
    assert sent.pop("live.idle_seconds") >= 0
    assert sent.pop("spent.month_usd") > 0
    assert sent == {
        "running.versions": 1,
        "running.inference_units": 1,
        "spent.budget_usd": 500,
        "runs.cost_guard.nothing_to_guard": 1,
    }


def test_a_task_that_fails_is_counted(digits: LocalAws, variables: Variables, statsd: Statsd) -> None:
    variables.set(minimum_f1_score="high")
    put_images(digits, 10)

    assert train().failed == {"load_settings"}

    assert numbers(statsd) == {"runs.train.failed": 1}


@pytest.mark.parametrize("host", ["no-such-host.invalid", "127.0.0.1"], ids=["not-found", "nobody-listens"])
def test_metrics_that_nobody_takes_fail_no_run(digits: LocalAws, host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW__METRICS__STATSD_ON", "True")
    put_images(digits, 4)
    server = Statsd()
    server.socket.close()
    send_to(host, 9)
    try:
        run = train()
    finally:
        send_nothing()

    assert (run.state, run.ends) == ("success", {"nothing_to_do"})
