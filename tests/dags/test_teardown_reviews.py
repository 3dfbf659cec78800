"""The teardown of projects that ask people elsewhere than at Amazon A2I: what each backend takes away, and keeps."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest
import yaml

from custom_labels.core.project_task import ProjectTask
from custom_labels.core.settings import PROJECTS_DIR_VARIABLE, load_project
from tests.conftest import ROOT
from tests.kit.airflow_page import on_airflow_page, set_up_page
from tests.kit.dag_runs import record, run_dag
from tests.kit.label_studio import STORAGE_CONN_ID
from tests.kit.labeling import set_up_labeling
from tests.kit.review_project import make_request, make_store, open_one, set_up_surroundings
from tests.kit.scenes import digits_of
from tests.kit.support import BUCKET
from tests.kit.teardown_runs import objects, review_set_up, tear_down

if TYPE_CHECKING:
    from include.label_studio.server import LabelStudio
    from include.local_aws.process import LocalAws

pytestmark = pytest.mark.slow


def taken_away(aws: LocalAws) -> str:
    return str(record(aws, "last_run/digits_teardown")["facts"]["Taken away"])


def test_labeling_jobs_are_stopped(digits: LocalAws, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    digits_of(ProjectTask.IMAGE_CLASSIFICATION, tmp_path, monkeypatch, "ground_truth")
    _, _, backend = set_up_labeling(digits)
    assert open_one(backend, make_request(digits))
    digits.control.durations(job_stop=2)
    planned = run_dag("teardown")
    assert len(review_set_up(digits)) == 1

    run = tear_down()

    assert "| reviews | labeling job digits-reviews-" in str(planned.note)
    assert run.ends == {"torn_down"}, run
    assert review_set_up(digits) == []
    assert taken_away(digits).startswith("labeling job digits-reviews-")


def test_questions_on_airflows_page_end(digits: LocalAws, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    backend = set_up_page(digits, on_airflow_page(tmp_path, monkeypatch))
    assert open_one(backend, make_request(digits))
    images = objects(digits, BUCKET, "images_for_detection/")

    run = tear_down()

    assert run.ends == {"torn_down"}, run
    assert backend.records.open_names() == []
    assert taken_away(digits) == "1 open reviews on Airflow's page are ended"
    assert objects(digits, BUCKET, "images_for_detection/") == images


def test_a_project_without_reviews_is_taken_away(
    digits: LocalAws, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content: dict[str, Any] = yaml.safe_load((ROOT / "include" / "projects" / "digits.yaml").read_text())
    del content["review"]
    (tmp_path / "digits.yaml").write_text(yaml.safe_dump(content))
    monkeypatch.setenv(PROJECTS_DIR_VARIABLE, str(tmp_path))
    set_up_surroundings(digits)
    assert run_dag("bootstrap").ends == {"ready"}

    assert tear_down().ends == {"torn_down"}
    assert taken_away(digits) == "project digits at Custom Labels"


@pytest.mark.xdist_group("label_studio")
def test_label_studio_loses_its_access_to_the_bucket(
    aws: LocalAws, label_studio: LabelStudio, airflow_db: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from custom_labels.review.backends.label_studio.backend import LabelStudioBackend
    from custom_labels.review.backends.label_studio.storages import Storages
    from tests.dags.test_bootstrap_label_studio import announce

    content: dict[str, Any] = yaml.safe_load((ROOT / "include" / "projects" / "digits.yaml").read_text())
    content["prefix"] = f"teardown/{uuid4().hex}"
    content["review"]["backend"] = "label_studio"
    content["review"]["label_studio"] = {"storage_conn_id": STORAGE_CONN_ID, "s3_endpoint": aws.endpoint_url}
    (tmp_path / "leaving.yaml").write_text(yaml.safe_dump(content))
    set_up_surroundings(aws)
    monkeypatch.setenv(PROJECTS_DIR_VARIABLE, str(tmp_path))
    project = load_project("leaving")
    announce(aws, "reviews/label_studio/", project.prefix)
    assert run_dag("bootstrap", project="leaving").ends == {"ready"}
    backend = LabelStudioBackend(project, make_store(project))
    storages, asking = Storages(project, backend.store, backend.client), backend.asking[1].id
    assert storages.has_any(asking)

    run = run_dag("teardown", {"dry_run": False}, project="leaving")

    assert run.ends == {"torn_down"}, run
    assert not storages.has_any(asking)
