"""The pages of training data in Airflow's API server: who may see them, and that keys and labels are text on them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from custom_labels.core.codec import to_json
from custom_labels.core.keys import snapshot_inspection
from custom_labels.datasets.annotations.annotation import Box
from custom_labels.datasets.inspection.inspection import (
    InspectedLabel,
    Inspection,
    NearDuplicates,
    Problem,
    SizeCount,
    Suspect,
)
from custom_labels.s3.store import S3Store
from custom_labels.training.retraining import TrainingAttempt
from custom_labels.training.training_records import change_trainings
from tests.kit.refused_access import refuse_access
from tests.kit.support import BUCKET, picture, s3
from tests.web.test_pages import server, token

if TYPE_CHECKING:
    from include.local_aws.process import LocalAws

__all__ = ["server"]

# One process starts the server, not each.
pytestmark = pytest.mark.xdist_group("ui")

PAGES = "/custom-labels/digits/data"
DIGEST, OLDER, UNSEEN = "1" * 64, "2" * 64, "3" * 64
SCRIPT = "<script>alert(1)</script>"
ESCAPED = "&lt;script&gt;alert(1)&lt;/script&gt;"
THERE = "images_labeled_by_folder/rows/0001.png"


def inspection(digest: str = DIGEST) -> Inspection:
    return Inspection(
        *(digest, 7, 1),
        labels=(
            InspectedLabel(SCRIPT, 4, 3, 1, 2, 1, 0.75, examples=(THERE, SCRIPT)),
            InspectedLabel("few", 3, 2, 1, why_not="fewer than 10"),
        ),
        sizes=(SizeCount(128, 6), SizeCount(4096, 1)),
        groups=(NearDuplicates((THERE, SCRIPT), 2, (SCRIPT,), is_test=True),),
        group_count=1,
        grouped_images=2,
        kept_together=1,
        suspects=(
            Suspect(THERE, "e", SCRIPT, "few", 0.01, 0.92, box=Box(SCRIPT, 1.5, 2, 30, 40)),
            Suspect(SCRIPT, "e", "few", None, 0.1, 0.9, Problem.MISSING),
        ),
        suspect_count=9,
    )


@pytest.fixture
def found(aws: LocalAws) -> Inspection:
    """What was found in the snapshot of the newest training, and in an older one; one image of it is there."""
    s3(aws).create_bucket(Bucket=BUCKET)
    s3(aws).put_object(Bucket=BUCKET, Key=THERE, Body=picture("rows", 1))
    store = S3Store(BUCKET, region_name="us-east-1")
    for digest in (OLDER, DIGEST):
        store.write_json(snapshot_inspection(digest), to_json(inspection(digest)))
    for number, digest in enumerate((OLDER, DIGEST, UNSEEN)):
        attempt = TrainingAttempt(digest, "arn", f"v{number}", "a run")
        change_trainings(store, lambda trainings, attempt=attempt: trainings.claim(attempt))  # type: ignore[misc]
    return inspection()


@pytest.mark.parametrize(
    ("role", "status"), [(None, 401), ("VIEWER", 200), ("ADMIN", 200)], ids=["nobody", "viewer", "admin"]
)
@pytest.mark.parametrize("path", [PAGES, f"{PAGES}/{DIGEST}"], ids=["newest", "one"])
def test_whoever_may_read_the_train_dag_may_read_its_data(
    server: Any, found: Inspection, path: str, role: str | None, status: int
) -> None:
    assert server.get(path, headers=token(role)).status_code == status


def test_access_is_asked_for_the_projects_train_dag(
    server: Any, found: Inspection, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = refuse_access(monkeypatch)
    answers = [server.get(path, headers=token("ADMIN")).status_code for path in (PAGES, f"{PAGES}/{DIGEST}")]

    assert (answers, asked) == ([403] * 2, [("GET", "digits_train")] * 2)


def test_keys_and_labels_are_text_and_images_are_shown(server: Any, found: Inspection) -> None:
    newest, older = (server.get(path, headers=token("VIEWER")).text for path in (PAGES, f"{PAGES}/{OLDER}"))

    assert DIGEST[:12] in newest
    assert OLDER[:12] in older
    assert "<script" not in newest
    assert newest.count(ESCAPED) >= 6
    assert newest.count('src="data:image/jpeg;base64,') == 3
    assert f'href="/custom-labels/digits/lineage?image={THERE}"' in newest
    assert "And 7 more" in newest
    assert "2 images, to judge by" in newest
    assert "not looked at: fewer than 10" in newest
    assert "more than 128 pixels" in newest


@pytest.mark.parametrize(
    ("path", "status", "words"),
    [
        (f"/digits/data/{UNSEEN}", 404, "Nobody has looked into a snapshot"),
        ("/digits/data/123", 422, "should match pattern"),
        ("/birds/data", 404, "There is no project 'birds'"),
    ],
)
def test_what_there_is_not_is_refused(server: Any, found: Inspection, path: str, status: int, words: str) -> None:
    answer = server.get(f"/custom-labels{path}", headers=token("ADMIN"))

    assert answer.status_code == status
    assert words in answer.text


def test_before_the_first_inspection_there_is_no_page(server: Any, aws: LocalAws) -> None:
    s3(aws).create_bucket(Bucket=BUCKET)

    answer = server.get(PAGES, headers=token("ADMIN"))

    assert (answer.status_code, "has looked into its images yet" in answer.text) == (404, True)
