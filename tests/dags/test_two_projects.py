"""Two project files that name the same place in S3: the one that has it goes on, the other one is refused."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from custom_labels.core.registry import Registry
from custom_labels.core.settings import check_project_files
from tests.kit.dag_runs import record, run_dag
from tests.kit.guard_runs import store
from tests.kit.review_project import set_up_surroundings
from tests.kit.support import BUCKET, s3

if TYPE_CHECKING:
    from include.local_aws.process import LocalAws

pytestmark = pytest.mark.slow

SHIPPED = (Path(__file__).resolve().parents[2] / "include" / "projects" / "digits.yaml").read_text()
ALONE = SHIPPED.replace("queues:", "queues: {}\nx-queues:").partition("x-queues:")[0]
OTHERS = {"the same place": ALONE, "a place within it": f"{ALONE}prefix: cats\n"}


@pytest.fixture
def folder(aws: LocalAws, airflow_db: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The shipped project in a folder of its own, with all that it needs at AWS."""
    set_up_surroundings(aws)
    (tmp_path / "digits.yaml").write_text(SHIPPED)
    monkeypatch.setenv("CUSTOM_LABELS_PROJECTS_DIR", str(tmp_path))
    return tmp_path


def contents(aws: LocalAws) -> dict[str, str]:
    found = s3(aws).list_objects_v2(Bucket=BUCKET).get("Contents", [])
    return {each["Key"]: each["ETag"] for each in found}


@pytest.mark.parametrize("kind", ["cost_guard", "bootstrap"])
def test_a_place_of_another_project_is_left_alone(aws: LocalAws, folder: Path, kind: str) -> None:
    Registry(store()).claim("digits")
    (folder / "digits.yaml").unlink()
    (folder / "cats.yaml").write_text(SHIPPED)
    before = contents(aws)
    check_project_files()

    run = run_dag(kind, project="cats")

    assert run.state == "failed"
    assert "load_settings" in run.failed
    assert f"which belongs to project 'digits' (s3://{BUCKET}/registry/project.json)" in str(run.note)
    assert contents(aws) == before


@pytest.mark.parametrize("other", OTHERS.values(), ids=OTHERS)
def test_the_owner_goes_on_and_the_other_project_is_refused_when_both_files_are_there(
    aws: LocalAws, folder: Path, other: str
) -> None:
    Registry(store()).claim("digits")
    (folder / "cats.yaml").write_text(other)

    assert run_dag("rollback", project="cats").state == "failed"
    assert run_dag("rollback").state == "success"
    assert record(aws, "project") == {"project": "digits"}


def test_a_place_of_nobody_that_two_files_name_is_given_to_none(aws: LocalAws, folder: Path) -> None:
    (folder / "cats.yaml").write_text(ALONE)

    runs = [run_dag("bootstrap", project=project) for project in ("digits", "cats")]

    assert [run.state for run in runs] == ["failed", "failed"]
    assert "which is also s3://custom-labels-digits/ of cats.yaml" in str(runs[0].note)
    assert record(aws, "project") is None


def test_a_queue_of_another_project_is_not_ready(aws: LocalAws, folder: Path) -> None:
    (folder / "cats.yaml").write_text(SHIPPED.replace("bucket: custom-labels-digits", "bucket: custom-labels-cats"))

    run = run_dag("bootstrap")

    assert run.failed == {"check_everything"}
    assert "and so is 'queues.reviews' of cats.yaml" in record(aws, "last_run/digits_bootstrap")["detail"]


def test_a_dry_run_claims_nothing(aws: LocalAws, folder: Path) -> None:
    run_dag("train", {"dry_run": True})

    assert contents(aws) == {}
