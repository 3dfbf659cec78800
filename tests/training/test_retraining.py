"""The rules that decide: retrain, gate, lock, deployment, evaluation, names, messages."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from custom_labels.aws.manifest_summary import manifest_error_codes
from custom_labels.core.codec import from_json, to_json
from custom_labels.core.lock import ProjectLock, may_take
from custom_labels.core.names import version_name
from custom_labels.core.outcome import Outcome, RunOutcome
from custom_labels.evaluation.evaluation import Evaluation, parse_summary
from custom_labels.training.retraining import (
    SCHEDULED,
    AttemptState,
    Retrain,
    RunKind,
    TrainingAttempt,
    decide_retraining,
    is_interval_due,
)

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


def attempt(state: AttemptState) -> TrainingAttempt:
    return TrainingAttempt("d1", "arn:p", "v1", "digits_train/run1", state, "F1 0.7 is below the minimum of 0.8")


RETRAIN: list[tuple[str, dict[str, Any], Retrain, str]] = [
    ("no images", {"images": 0, "untrained": 0}, Retrain.NOTHING, "no labelled images"),
    ("too few", {"images": 30, "untrained": 9}, Retrain.NOTHING, "9 untrained images of 30, a training needs 10"),
    ("exactly enough", {"images": 30, "untrained": 10}, Retrain.TRAIN, "10 untrained"),
    (
        "refused before",
        {"attempt": attempt(AttemptState.GATE_FAILED)},
        Retrain.NOTHING,
        "was refused by the gate (F1 0.7",
    ),
    ("failed before", {"attempt": attempt(AttemptState.TRAINING_FAILED)}, Retrain.NOTHING, "could not be trained"),
    ("deployed before", {"attempt": attempt(AttemptState.DEPLOYED)}, Retrain.NOTHING, "exactly these images"),
    ("refused before, forced", {"attempt": attempt(AttemptState.GATE_FAILED), "force": True}, Retrain.TRAIN, "forced"),
    ("too few, forced", {"untrained": 0, "force": True}, Retrain.TRAIN, "forced"),
    ("no images, forced", {"images": 0, "force": True}, Retrain.NOTHING, "no labelled images"),
    ("begun", {"untrained": 0, "open_attempt": attempt(AttemptState.STARTED)}, Retrain.RESUME, "v1 was begun"),
    ("claimed but never created", {"attempt": attempt(AttemptState.STARTED)}, Retrain.TRAIN, "50 untrained"),
]


@pytest.mark.parametrize(
    ("given", "action", "words"), [case[1:] for case in RETRAIN], ids=[case[0] for case in RETRAIN]
)
def test_retraining_is_decided_by_what_is_new_and_what_was_tried(
    given: dict[str, Any], action: Retrain, words: str
) -> None:
    rules = {"images": 100, "untrained": 50, "minimum_untrained_images": 10, "attempt": None, **given}

    decision = decide_retraining(**rules)

    assert decision.action is action
    assert words in decision.reason


BACKFILL = RunKind(backfill=True, deploys=False)
DEPLOYING = RunKind(backfill=True)
TRAINED = attempt(AttemptState.TRAINED)
BACKFILLED: list[tuple[str, RunKind, dict[str, Any], Retrain, str]] = [
    ("nothing untrained", BACKFILL, {"untrained": 0}, Retrain.TRAIN, "100 images at the end of the interval"),
    ("no images yet", BACKFILL, {"images": 0}, Retrain.NOTHING, "no labelled images"),
    ("deployed", BACKFILL, {"attempt": attempt(AttemptState.DEPLOYED)}, Retrain.NOTHING, "put into service"),
    ("refused", BACKFILL, {"attempt": attempt(AttemptState.GATE_FAILED)}, Retrain.NOTHING, "by the gate"),
    ("rejected", BACKFILL, {"attempt": attempt(AttemptState.REJECTED)}, Retrain.NOTHING, "by a person"),
    ("failed", BACKFILL, {"attempt": attempt(AttemptState.TRAINING_FAILED)}, Retrain.NOTHING, "not be trained"),
    ("measured", BACKFILL, {"attempt": TRAINED}, Retrain.NOTHING, "was trained and not deployed"),
    ("measured, to be deployed", DEPLOYING, {"attempt": TRAINED, "untrained": 0}, Retrain.RESUME, "waits to be judged"),
    ("begun", BACKFILL, {"attempt": attempt(AttemptState.STARTED)}, Retrain.TRAIN, "100 images"),
    ("others begun", BACKFILL, {"open_attempt": attempt(AttemptState.STARTED)}, Retrain.TRAIN, "100 images"),
    ("measured, then scheduled", SCHEDULED, {"attempt": TRAINED}, Retrain.RESUME, "waits to be judged"),
    ("measured, too few new", SCHEDULED, {"attempt": TRAINED, "untrained": 9}, Retrain.NOTHING, "not deployed"),
    ("measured, forced", SCHEDULED, {"attempt": TRAINED, "force": True}, Retrain.TRAIN, "forced"),
]


@pytest.mark.parametrize(
    ("run", "given", "action", "words"), [case[1:] for case in BACKFILLED], ids=[case[0] for case in BACKFILLED]
)
def test_a_backfill_trains_what_was_never_trained_and_a_schedule_deploys_what_it_measured(
    run: RunKind, given: dict[str, Any], action: Retrain, words: str
) -> None:
    rules = {"images": 100, "untrained": 50, "minimum_untrained_images": 10, "attempt": None, **given}

    decision = decide_retraining(**rules, run=run)

    assert (decision.action, decision.resumed) == (action, "d1" if action is Retrain.RESUME else None)
    assert words in decision.reason


@pytest.mark.parametrize(
    ("hours", "every_days", "due"),
    [(12, 1, 14), (12, 7, 2), (24, 7, 2), (5, 1, 14), (24 * 30, 7, 1), (7, 2, 7)],
    ids=["half days, daily", "half days, weekly", "days, weekly", "odd hours", "longer than asked", "every other day"],
)
def test_a_coarser_backfill_trains_one_interval_a_span(hours: int, every_days: int, due: int) -> None:
    start, cut = datetime(2026, 10, 5, tzinfo=UTC), timedelta(hours=hours)
    fortnight = range(-(-14 * 24 // hours))

    assert sum(is_interval_due(start + n * cut, start + (n + 1) * cut, every_days) for n in fortnight) == due


def lock(**fields: Any) -> ProjectLock:
    return ProjectLock(**{"owner": "a", "expires_at": NOON + timedelta(hours=1), "lease_seconds": 3600, **fields})


@pytest.mark.parametrize(
    ("held", "may"),
    [
        pytest.param(None, True, id="no run holds it"),
        pytest.param(lock(owner="b"), True, id="we hold it"),
        pytest.param(lock(), False, id="held"),
        pytest.param(lock(expires_at=NOON + timedelta(seconds=60)), True, id="lease ran out"),
    ],
)
def test_the_lock_may_be_taken_from_the_dead_only(held: ProjectLock | None, may: bool) -> None:
    assert may_take(held, owner="b", now=NOON + timedelta(seconds=60)) is may


@pytest.mark.parametrize(
    ("passed", "wait_seconds", "left"),
    [(0, 0, 5400), (1799, 0, 3601), (1801, 0, 5400), (9999, 0, 5400), (0, 86400, 91800), (1801, 86400, 91800)],
)
def test_a_lease_is_extended_when_less_than_a_whole_one_is_left_after_the_wait(
    passed: int, wait_seconds: int, left: int
) -> None:
    now = NOON + timedelta(seconds=passed)

    extended = ProjectLock.begun("a", NOON, 3600).extended(now, wait_seconds)

    assert extended == lock(expires_at=now + timedelta(seconds=left))


def test_a_lock_reads_back_as_it_was_written() -> None:
    assert from_json(ProjectLock, to_json(lock())) == lock()


LABEL = {"Label": "cat", "NumberOfTestingImages": 4}
METRICS = {"Threshold": 0.4, "Precision": 1.0, "Recall": 0.5, "F1Score": 0.67}
FLAT = {"F1Score": 0.9, "Precision": 0.8, "Recall": 0.7}


@pytest.mark.parametrize("aggregated", [FLAT, {"Metrics": FLAT}], ids=["flat", "below Metrics"])
def test_both_documented_shapes_of_a_summary_are_read(aggregated: dict[str, Any]) -> None:
    evaluation = parse_summary(
        {
            "AggregatedEvaluationResults": aggregated,
            "EvaluationDetails": {"NumberOfTrainingImages": 8, "NumberOfTestingImages": 4},
            "LabelEvaluationResults": [{**LABEL, "Metrics": METRICS}],
        }
    )

    assert (evaluation.f1, evaluation.precision, evaluation.recall) == (0.9, 0.8, 0.7)
    assert evaluation.labels[0].threshold == 0.4
    assert from_json(Evaluation, to_json(evaluation)) == evaluation


def test_manifest_error_codes_come_once_with_the_file_wide_ones_first() -> None:
    line = {"code": "ERROR_INVALID_IMAGE", "message": "m"}
    summary = {
        "errors": [{"code": "ERROR_MANIFEST_TOO_FEW_LABELS", "message": "m"}],
        "statistics": {"training": {"errors": [line, line]}, "testing": {"errors": []}},
    }

    assert manifest_error_codes(summary) == ["ERROR_MANIFEST_TOO_FEW_LABELS", "ERROR_INVALID_IMAGE"]


@pytest.mark.parametrize("project", ["digits", "a project/with spaces", "x" * 300])
def test_a_version_name_is_allowed_and_derived(project: str) -> None:
    import re

    name = version_name(project, NOON, "0123456789abcdef")

    assert re.fullmatch(r"[a-zA-Z0-9_.\-]{1,255}", name)
    assert name == version_name(project, NOON, "0123456789abcdef")
    assert name.endswith("20261120T120000-0123456789ab")


def test_a_subject_is_what_sns_takes() -> None:
    outcome = RunOutcome(Outcome.FAILED, "vögel", "task train: line 1\nline 2 " + "x" * 200, "dag/run")

    assert outcome.subject.isascii()
    assert outcome.subject.isprintable()
    assert len(outcome.subject) < 100


def test_a_body_names_the_run_and_ends_its_sentence_once() -> None:
    body = RunOutcome(Outcome.DEPLOYED, "digits", "version v2 serves.", "digits_train/r1", {"F1": "0.95"}).body

    assert "serves.\n" in body
    assert "F1: 0.95" in body
    assert "Run: digits_train/r1" in body
