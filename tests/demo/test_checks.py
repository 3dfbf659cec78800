"""What the demo claims: each claim holds for a loop that closed, and fails for what it is there to find."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from include.demo.checks import (
    Check,
    check_costs,
    check_decision,
    check_detection,
    check_improvement,
    check_predict_api,
    check_reviews,
    check_swap,
    check_version,
)
from include.demo.evidence import Batch, Result, Review
from include.demo.local_cloud import ModelVersion
from include.demo.predict_caller import Calls, Posted
from include.demo.runs import Run

RUN = Run("digits_train", "r", "asset_triggered", "success", "New version serves: v2.", 0.0, {}, "http://run", 1.0)
OLD = ModelVersion("v1", "arn:1", "STOPPED", 0.8, {"0": 0.8}, 27, 13, 2)
NEW = ModelVersion("v2", "arn:2", "RUNNING", 0.95, {"0": 0.95}, 109, 37, 4)
BATCH = Batch(
    truth={"a.png": "1", "b.png": "2", "c.png": "3"},
    etags={"a.png": "ea", "b.png": "eb", "c.png": "ec"},
    results=(
        Result("a.png", "v1", "1", "accepted"),
        Result("b.png", "v1", "7", "review"),
        Result("c.png", "v1", "3", "accepted"),
    ),
    reviews=(Review("b.png", "doubt", True, ("2",)), Review("c.png", "audit", True, ("3",))),
    copies={"eb": ("2",), "of a labelled image": ("1",)},
)
EMPTY = {"detections": 0, "reviews": 0}
TWICE = replace(BATCH, results=(*BATCH.results, BATCH.results[0]))
LOST = replace(BATCH, results=BATCH.results[1:])
DOUBT_SAMPLED = replace(BATCH, reviews=(*BATCH.reviews, Review("b.png", "audit", True, ("2",))))
ASKED_TWICE = replace(BATCH, reviews=(*BATCH.reviews, BATCH.reviews[1]))
OPEN = replace(BATCH, reviews=(BATCH.reviews[0], Review("c.png", "audit", False, ())))
FILED_WRONG = replace(BATCH, copies={"eb": ("7",)})
FILED_TWICE = replace(BATCH, copies={"eb": ("2", "2")})
SAMPLE_FILED = replace(BATCH, copies={"eb": ("2",), "ec": ("3",)})
NOT_FILED = replace(BATCH, copies={})
ERRED = replace(BATCH, reviews=(Review("b.png", "doubt", True, ("7",)), BATCH.reviews[1]), copies={"eb": ("7",)})


DECISION = {"same_images": {"images": 8}, "gates": [{"passed": True}]}
LEDGER = {"versions": {"v1": {}, "v2": {}}, "total_usd": 0.5}


def failing(checks: list[Check]) -> list[str]:
    return [check.claim.partition(":")[0] for check in checks if not check.holds]


def test_a_doubtful_image_that_is_sampled_is_asked_about_for_both() -> None:
    assert failing(check_reviews(RUN, DOUBT_SAMPLED, EMPTY, 0, "A2I")) == []


def test_all_claims_hold_when_the_loop_closed() -> None:
    versions = {"v2": NEW, "v1": OLD}
    checks = [
        *check_version(2, RUN, versions, "v2"),
        *check_swap(RUN, versions, replace(OLD, status="RUNNING")),
        *check_detection(RUN, BATCH, "v1"),
        *check_reviews(RUN, BATCH, EMPTY, 0, "A2I"),
        *check_improvement([0.35, 0.15], [0.75, 0.93]),
        *check_decision(DECISION),
        *check_costs([LEDGER], versions),
    ]
    assert failing(checks) == []


@pytest.mark.parametrize(
    "decision",
    [
        pytest.param({**DECISION, "same_images": None}, id="each on its own images"),
        pytest.param({**DECISION, "gates": [{"passed": False}]}, id="a gate that does not hold"),
        pytest.param({**DECISION, "gates": []}, id="no gate"),
    ],
)
def test_the_decision_fails_when_it_rests_on_less(decision: dict[str, Any]) -> None:
    assert failing(check_decision(decision)) == ["S3"]


def test_costs_fail_when_a_version_is_not_counted_or_runs_beside_the_other() -> None:
    versions = {"v2": NEW, "v1": OLD}
    assert failing(check_costs([], versions)) == ["S3"]
    assert failing(check_costs([LEDGER], {**versions, "v1": replace(OLD, status="RUNNING")})) == ["AWS"]


@pytest.mark.parametrize("batch", [pytest.param(TWICE, id="a result more"), pytest.param(LOST, id="a result less")])
def test_detection_fails_when_results_are_not_one_each(batch: Batch) -> None:
    assert failing(check_detection(RUN, batch, "v1")) == ["S3"]


def test_detection_fails_when_another_version_was_asked_or_somebody_triggered_it() -> None:
    assert failing(check_detection(replace(RUN, kind="manual"), BATCH, "v2")) == ["Airflow", "S3"]


@pytest.mark.parametrize(
    ("batch", "left", "wrong", "failed"),
    [
        pytest.param(ASKED_TWICE, EMPTY, 0, ["A2I"], id="asked twice"),
        pytest.param(OPEN, EMPTY, 0, ["A2I"], id="unanswered"),
        pytest.param(FILED_WRONG, EMPTY, 0, ["S3"], id="filed below another label"),
        pytest.param(FILED_TWICE, EMPTY, 0, ["S3"], id="filed twice"),
        pytest.param(SAMPLE_FILED, EMPTY, 0, ["S3"], id="a sample filed"),
        pytest.param(NOT_FILED, EMPTY, 0, ["S3"], id="not filed"),
        pytest.param(BATCH, {"reviews": 1}, 0, ["SQS"], id="a message left"),
        pytest.param(ERRED, EMPTY, 0, ["A2I"], id="an error nobody made"),
        pytest.param(ERRED, EMPTY, 1, [], id="people erred"),
        pytest.param(ERRED, EMPTY, None, [], id="a person erred"),
    ],
)
def test_reviews_fail_when_an_answer_goes_astray(
    batch: Batch, left: dict[str, int], wrong: int | None, failed: list[str]
) -> None:
    assert failing(check_reviews(RUN, batch, left, wrong, "A2I")) == failed


@pytest.mark.parametrize(
    ("run", "old", "new", "failed"),
    [
        pytest.param(replace(RUN, kind="manual"), OLD, NEW, ["Airflow"], id="triggered by somebody"),
        pytest.param(RUN, replace(OLD, status="RUNNING"), NEW, ["AWS"], id="both run"),
        pytest.param(RUN, OLD, replace(NEW, f1=0.8), ["AWS"], id="no better"),
    ],
)
def test_swap_fails_when_it_is_none(run: Run, old: ModelVersion, new: ModelVersion, failed: list[str]) -> None:
    assert failing(check_swap(run, {"v2": new, "v1": old}, old)) == failed


@pytest.mark.parametrize(
    ("doubt", "accuracy"),
    [
        pytest.param([0.3, 0.3], [0.7, 0.9], id="as much doubt"),
        pytest.param([0.3, 0.1], [0.9, 0.9], id="as accurate"),
        pytest.param([0.3, 0.1], [None, 0.9], id="not measured"),
    ],
)
def test_improvement_fails_when_there_is_none(doubt: list[float], accuracy: list[float | None]) -> None:
    assert len(failing(check_improvement(doubt, accuracy))) == 1


PREDICTED = {"predictions": [], "version": "v2"}
CALLS = Calls(Posted(200, PREDICTED), Posted(200, PREDICTED), Posted(415), Posted(400))


@pytest.mark.parametrize(
    ("before", "calls", "serving", "failed"),
    [
        (Posted(200, {"version": "v1"}), CALLS, "v2", []),
        (Posted(503), CALLS, "v2", [0]),
        (Posted(200, {"version": "v1"}), replace(CALLS, raw=Posted(200, PREDICTED | {"version": "v1"})), "v2", [1, 2]),
        (Posted(200, {"version": "v1"}), replace(CALLS, in_json=Posted(400)), "v2", [2]),
        (Posted(200, {"version": "v1"}), replace(CALLS, wrong_type=Posted(200, PREDICTED)), "v2", [3]),
        (Posted(200, {"version": "v1"}), CALLS, "v1", [1]),
    ],
)
def test_the_predict_api_fails_when_it_does_not_follow_or_takes_anything(
    before: Posted, calls: Calls, serving: str, failed: list[int]
) -> None:
    checks = check_predict_api(before, calls, "v1", serving)
    assert [number for number, check in enumerate(checks) if not check.holds] == failed
