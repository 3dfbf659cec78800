"""Judging a new version beside the live one, in a real run of the train DAG."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.kit.dag_runs import Variables, record, statuses, train
from tests.kit.detect_runs import serve
from tests.kit.support import BUCKET, picture, s3

if TYPE_CHECKING:
    from include.local_aws.process import LocalAws

pytestmark = pytest.mark.slow

MUCH_BETTER = json.dumps([{"at_least": 0.5, "relative_to_champion": True}])


def put_lies(aws: LocalAws, count: int) -> None:
    """Put images below the other label's folder, so that the next version says other things than the last."""
    for number in range(2000, 2000 + count):
        for label, other in (("rows", "columns"), ("columns", "rows")):
            key = f"images_labeled_by_folder/{label}/{number}.png"
            s3(aws).put_object(Bucket=BUCKET, Key=key, Body=picture(other, number))


def links(task_id: str) -> dict[str, str]:
    """Give the links that a task of the newest run left."""
    from airflow.models.xcom import XComModel
    from airflow.utils.session import create_session
    from sqlalchemy import select

    with create_session() as session:
        rows = session.scalars(
            select(XComModel)
            .where(XComModel.task_id == task_id, XComModel.key.like(r"\_link\_%", escape="\\"))
            .order_by(XComModel.timestamp)
        )
        return {row.key: str(XComModel.deserialize_value(row)) for row in rows}


def test_a_challenger_is_refused_by_what_both_say_of_the_same_images(digits: LocalAws, variables: Variables) -> None:
    serve(digits, "champion")
    put_lies(digits, 6)
    variables.set(gates=MUCH_BETTER, minimum_f1_score=0, headline_metric="recall")

    run = train()

    assert (run.state, run.ends) == ("success", {"gate_failed"})
    assert statuses(digits)["champion"] == "RUNNING"
    challenger = next(name for name in statuses(digits) if name != "champion")
    found = record(digits, f"decisions/{challenger}")
    same = found["same_images"]
    assert found["champion"]["version_name"] == "champion"
    assert (found["passed"], [gate["passed"] for gate in found["gates"]]) == (False, [True, False])
    assert (found["gates"][1]["metric"], found["gates"][1]["basis"]) == (
        "recall",
        "the same test images for both versions",
    )
    assert same["images"] == same["test_images"] == found["own"]["images"]
    assert "regression" in [flip["change"] for flip in same["flips"]]
    assert len(found["test_manifest"]["sha256"]) == 64
    assert record(digits, "last_run/digits_train")["facts"]["Metrics"] == found["headline"]
    assert f"both on the same {same['images']} test images" in found["headline"]
    assert links("judge_version") == {"_link_DecisionLink": f"/custom-labels/digits/decisions/{challenger}"}
