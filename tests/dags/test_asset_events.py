"""Events of assets say which version, how good and of which images; those of mere data trigger no DAG."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from custom_labels.core.settings import PROJECTS_DIR_VARIABLE
from tests.conftest import ROOT
from tests.kit.asset_events import events_of, forget_triggers, triggered
from tests.kit.dag_runs import Variables, record, run_dag, train
from tests.kit.detect_runs import make_queues, put
from tests.kit.support import BUCKET, picture, put_images, s3

if TYPE_CHECKING:
    from include.local_aws.process import LocalAws

pytestmark = pytest.mark.slow

DATA = f"s3://{BUCKET}/"


@pytest.fixture
def unpaused(digits: LocalAws) -> None:
    """All DAGs as they are when they are in use, with nothing that waits to be triggered."""
    from airflow.models.dag import DagModel
    from airflow.utils.session import create_session
    from sqlalchemy import update

    run_dag("rollback")  # which makes Airflow know all of them
    with create_session() as session:
        session.execute(update(DagModel).values(is_paused=False))
    forget_triggers()


@pytest.mark.usefixtures("unpaused")
def test_a_version_that_serves_is_told_to_who_waits_for_it(digits: LocalAws, variables: Variables) -> None:
    variables.set(enable_a2i_workflow="false", detections_per_unit_second=1000)
    put_images(digits, 10)
    assert train().ends == {"deployed"}
    first = record(digits, "live")
    put_images(digits, 10, start=10)

    assert train().ends == {"deployed"}

    live = record(digits, "live")
    measured = record(digits, f"versions/{live['version_name']}")["evaluation"]
    snapshot = {"digest": live["digest"], "images": 40, "untrained": 20}
    serves = {
        "version": live["version_name"],
        "f1": live["f1"],
        "digest": live["digest"],
        "replaced": first["version_name"],
        "since": live["since"],
        "is_rollback": False,
    }
    events = events_of("digits_train")
    trained = events.pop("digits_trained_version")
    assert trained == events.pop(f"{DATA}registry/versions")
    assert trained.pop("training_seconds") > 0
    assert trained == {
        "version": live["version_name"],
        "f1": measured["f1"],
        "precision": measured["precision"],
        "recall": measured["recall"],
        "digest": live["digest"],
        "training_images": measured["training_images"],
        "testing_images": measured["testing_images"],
    }
    assert events == {
        "digits_live_version": serves,
        f"{DATA}registry/live.json": serves,
        f"{DATA}snapshots": snapshot,
        f"{DATA}manifests": snapshot,
        f"{DATA}evaluation": {},
        f"{DATA}registry/decisions": {"version": live["version_name"], "digest": live["digest"], "passed": True},
    }
    assert triggered() == {"digits_detect"}


@pytest.mark.usefixtures("unpaused")
def test_images_that_are_left_trigger_another_run_and_results_trigger_none(
    digits: LocalAws, variables: Variables
) -> None:
    variables.set(enable_a2i_workflow="false", detections_per_unit_second=1000)
    put_images(digits, 10)
    assert train().ends == {"deployed"}
    make_queues(digits)
    for number in range(3):
        put(digits, f"{number}.png", picture("rows", number))
    forget_triggers()

    assert run_dag("detect", {"maximum_images": 2}).state == "success"

    name = record(digits, "live")["version_name"]
    of_batch = {"images": 2, "version": name}
    assert events_of("digits_detect") == {
        "digits_new_images": {"detected": 2},
        **{f"{DATA}{folder}": of_batch for folder in ("detections", "detection_log", "reviews")},
    }
    assert triggered() == {"digits_detect"}

    forget_triggers()
    assert run_dag("detect").state == "success"

    assert "digits_new_images" not in events_of("digits_detect")
    assert triggered() == set()


def test_a_project_that_moves_keeps_its_tasks_running(
    digits: LocalAws, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Airflow made an asset inactive whose name another URI had before, and failed whatever task named it."""
    from airflow.dag_processing.bundles.manager import DagBundlesManager
    from airflow.dag_processing.dagbag import DagBag, sync_bag_to_db

    DagBundlesManager().sync_bundles_to_db()
    s3(digits).create_bucket(Bucket=BUCKET)
    monkeypatch.setenv(PROJECTS_DIR_VARIABLE, str(tmp_path))
    monkeypatch.setenv("AIRFLOW__CORE__MIN_SERIALIZED_DAG_UPDATE_INTERVAL", "0")
    for prefix in ("here", "there", "here"):
        (tmp_path / "digits.yaml").write_text(f"bucket: {BUCKET}\nregion_name: us-east-1\nprefix: {prefix}\n")
        sync_bag_to_db(DagBag(dag_folder=str(ROOT / "dags" / "cost_guard.py")), "cost_guard", None)

        assert run_dag("cost_guard").state == "success"

        assert events_of("digits_cost_guard").keys() == {f"{DATA}{prefix}/registry/costs"}
