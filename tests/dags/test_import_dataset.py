"""The import DAG by Airflow: what it takes triggers a training, and what it was told to fail for fails it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.kit.asset_events import events_of
from tests.kit.dag_runs import Run, Variables, record, run_dag
from tests.kit.pictures import png
from tests.kit.support import BUCKET, s3

if TYPE_CHECKING:
    from include.local_aws.process import LocalAws

pytestmark = pytest.mark.slow

OTHER = "somebody-elses-images"
SOURCE = f"s3://{OTHER}/old/"


@pytest.fixture
def images(digits: LocalAws, variables: Variables) -> LocalAws:
    variables.set(minimum_untrained_images=4)
    for name in (BUCKET, OTHER):
        s3(digits).create_bucket(Bucket=name)
    for number, key in enumerate(("cat/1.png", "cat/2.png", "dog/1.png", "dog/2.png")):
        s3(digits).put_object(Bucket=OTHER, Key=f"old/{key}", Body=png(number, (96, 96)))
    return digits


def imported(**conf: object) -> Run:
    return run_dag("import_dataset", {"source": SOURCE, **conf})


def test_what_is_taken_triggers_a_training(images: LocalAws) -> None:
    run = imported()

    assert (run.state, run.ends) == ("success", {"imported"}), run
    assert run.note == f"Images imported: 4 images taken of {SOURCE}."
    assert run.tasks["trigger_training"] == "success"
    assert events_of("digits_import_dataset") == {
        "digits_labeled_images": {"images": 4, "untrained": 4},
        f"s3://{BUCKET}/images_labeled_by_folder": {"images": 4},
    }
    assert record(images, "last_run/digits_import_dataset")["outcome"] == "imported"
    again = imported()
    assert again.ends == {"nothing_to_import"}
    assert {again.tasks[name] for name in ("take_batch", "trigger_training")} == {"skipped"}


def test_a_dry_run_takes_nothing(images: LocalAws) -> None:
    run = imported(dry_run=True)

    assert run.ends == {"imported"}
    assert "4 images would be taken" in str(run.note)
    assert run.tasks["take_batch"] == "skipped"
    assert "Contents" not in s3(images).list_objects_v2(Bucket=BUCKET, Prefix="images_labeled_by_folder/cat/")


def test_a_conflict_fails_the_run_that_asks_for_it(images: LocalAws) -> None:
    s3(images).put_object(Bucket=BUCKET, Key="images_labeled_by_folder/bird/1.png", Body=png(0, (96, 96)))

    run = imported(on_conflict="fail")

    assert (run.state, run.failed) == ("failed", {"decide_import"})
    assert "Contents" not in s3(images).list_objects_v2(Bucket=BUCKET, Prefix="images_labeled_by_folder/cat/")
