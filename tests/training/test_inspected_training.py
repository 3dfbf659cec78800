"""A training that looks into its images first: what its plan says, and that images in trouble stop nothing."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import pytest
from PIL import Image

from tests.kit.dag_runs import Variables
from tests.kit.harvests import keys
from tests.kit.support import BUCKET, client, effects, picture, put_images, s3
from tests.kit.train_steps import train_by_steps

if TYPE_CHECKING:
    from include.local_aws.process import LocalAws

pytestmark = pytest.mark.slow


@pytest.fixture
def digits(aws: LocalAws, airflow_db: None, monkeypatch: pytest.MonkeyPatch) -> LocalAws:
    """Images of two labels, one of them in the wrong folder, and a copy that was encoded anew."""
    Variables(
        monkeypatch,
        status_poll_seconds=1,
        minimum_untrained_images=10,
        minimum_f1_score=0,
        drain_seconds=0,
        inspect_images=True,
    )
    client(aws, "sns").create_topic(Name="custom-labels-digits")
    put_images(aws, 20)
    s3(aws).put_object(Bucket=BUCKET, Key="images_labeled_by_folder/rows/wrong.png", Body=picture("columns", 500))
    copy = io.BytesIO()
    Image.open(io.BytesIO(picture("rows", 0))).convert("RGB").save(copy, "JPEG", quality=95)
    s3(aws).put_object(Bucket=BUCKET, Key="images_labeled_by_folder/rows/copy.jpg", Body=copy.getvalue())
    return aws


def test_the_plan_says_what_is_in_the_images_before_anything_is_paid(digits: LocalAws) -> None:
    planned = train_by_steps({"dry_run": True})

    plan = planned.xcoms["decide_training"]["plan"]
    assert planned.ends == {"planned"}
    assert "## In the images" in plan
    assert "2 images are near duplicates, in 1 groups, each on one side of the split" in plan
    assert "'images_labeled_by_folder/rows/wrong.png' is 'rows', rather 'columns'" in plan
    assert "all of it, with pictures: /custom-labels/digits/data/" in plan
    assert effects(digits, "CreateProjectVersion") == 0
    assert keys(digits, "snapshots/") == []


def test_what_was_found_is_kept_and_a_second_run_finds_it(digits: LocalAws) -> None:
    first = train_by_steps()

    assert first.ends == {"deployed"}, first
    assert "wrong.png" in first.xcoms["prepare_images"]["plan"]
    kept = keys(digits, "snapshots/")
    assert [key for key in kept if key.endswith("/inspection.json")]
    assert "snapshots/checks/pictures.sqlite" in kept
    read = digits.control.calls()["s3.GetObject"]["calls"]
    assert train_by_steps().ends == {"nothing_to_do"}
    assert train_by_steps({"force": True, "dry_run": True}).ends == {"planned"}
    assert digits.control.calls()["s3.GetObject"]["calls"] - read < 40, "no image is read again"


def test_where_it_is_switched_off_nothing_is_looked_into(digits: LocalAws, monkeypatch: pytest.MonkeyPatch) -> None:
    Variables(monkeypatch, inspect_images=False)

    planned = train_by_steps({"dry_run": True})

    assert "## In the images" not in planned.xcoms["decide_training"]["plan"]
