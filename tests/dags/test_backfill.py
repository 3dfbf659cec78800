"""Backfills of the train DAG: one version an interval, measured and not deployed, and none paid for twice."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from custom_labels.s3.store import S3Store
from custom_labels.training.retraining import AttemptState
from custom_labels.training.training_records import change_trainings, read_trainings
from tests.kit.backfills import backfill, backfill_by_steps, images_of_days
from tests.kit.dag_runs import Variables, record, train
from tests.kit.support import BUCKET, effects
from tests.kit.train_steps import train_by_steps

if TYPE_CHECKING:
    from include.local_aws.process import LocalAws

pytestmark = pytest.mark.slow


def curve(aws: LocalAws) -> list[tuple[int, bool]]:
    """Give the images trained and tested on by each version of the curve, and whether it was deployed."""
    return [
        (version["training_images"] + version["testing_images"], version["deployed"])
        for version in record(aws, "learning_curve")["versions"]
    ]


@pytest.mark.matrix
def test_an_interval_is_trained_once_and_deployed_only_by_a_later_run(digits: LocalAws, variables: Variables) -> None:
    variables.set(enable_automatic_training="false")
    images_of_days(digits, [6, 6])

    passed_over = backfill(0, {"backfill_every_days": 7})
    first = backfill(0)
    again = backfill(0)

    assert (passed_over.state, passed_over.ends) == ("success", {"nothing_to_do"})
    assert "trains every 7 days" in str(passed_over.note)
    assert (first.state, first.ends) == ("success", {"trained"})
    assert first.xcoms["prepare_images"]["reason"].startswith("12 images at the end of the interval")
    assert "Version trained, not deployed" in str(first.note)
    assert again.ends == {"nothing_to_do"}
    assert "was trained and not deployed" in str(again.note)
    assert (effects(digits, "CreateProjectVersion"), effects(digits, "StartProjectVersion")) == (1, 0)
    assert record(digits, "live") is None
    assert read_trainings(S3Store(BUCKET)).trained is None
    assert curve(digits) == [(12, False)]

    last = backfill(1)
    scheduled = train({"even_if_training_is_off": True})

    assert last.ends == {"trained"}
    assert scheduled.ends == {"deployed"}
    assert (scheduled.tasks["create_project"], scheduled.tasks["claim_training"]) == ("skipped", "success")
    assert effects(digits, "CreateProjectVersion") == 2
    assert record(digits, "live")["digest"] == last.xcoms["prepare_images"]["digest"]
    assert curve(digits) == [(12, False), (24, True)]


def test_a_failed_interval_leaves_the_others_alone(digits: LocalAws) -> None:
    images_of_days(digits, [6, 6])
    digits.control.outcomes(
        {"operation": "training", "version": "*", "status": "TRAINING_FAILED", "message": "Broken.", "times": 1}
    )

    failed, other, again = backfill_by_steps(0), backfill_by_steps(1), backfill_by_steps(0)

    assert (failed.state, failed.failed) == ("failed", {"training_is_done"})
    assert (other.state, other.ends) == ("success", {"trained"})
    assert again.ends == {"nothing_to_do"}
    assert "could not be trained" in str(again.note)
    assert record(digits, "lock")["owner"] is None
    assert read_trainings(S3Store(BUCKET)).open == []
    assert curve(digits) == [(24, False)]


def test_what_a_dead_backfill_began_is_measured_by_the_schedule_and_not_deployed(digits: LocalAws) -> None:
    images_of_days(digits, [6])
    backfill_by_steps(0)
    store = S3Store(BUCKET)
    digest = record(digits, "learning_curve")["versions"][0]["digest"]
    begun = read_trainings(store).attempt(digest)
    assert begun is not None
    assert begun.state is AttemptState.TRAINED
    # As if its run had died before the training was over.
    change_trainings(
        store, lambda trainings: replace(trainings, attempts=(replace(begun, state=AttemptState.STARTED),))
    )

    resumed = train_by_steps()

    assert resumed.ends == {"trained"}
    assert effects(digits, "CreateProjectVersion") == 1
    assert read_trainings(store).open == []


@pytest.mark.matrix
def test_a_backfill_deploys_when_it_should_but_nothing_older_than_what_serves(digits: LocalAws) -> None:
    images_of_days(digits, [6, 6])

    newer, older = backfill_by_steps(1, {"deploy": True}), backfill_by_steps(0, {"deploy": True})

    assert (newer.ends, older.ends) == ({"deployed"}, {"trained"})
    assert record(digits, "live")["digest"] == newer.xcoms["prepare_images"]["digest"]
    assert [version["deployed"] for version in record(digits, "learning_curve")["versions"]] == [False, True]
