"""Label assist by its steps, on the embedded AWS with people who answer: rounds, their ends, and what goes wrong."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from custom_labels.assist import assist_tasks
from custom_labels.assist.assist import AfterAnswers, AfterAsking, AfterPlanning, AfterRound
from custom_labels.core.outcome import Outcome
from custom_labels.errors import NotPermitted, SettingError
from custom_labels.training.training_records import read_trainings
from tests.kit.assist_runs import FOLDER, Round, assist_by_steps, put_unlabelled
from tests.kit.dag_runs import Variables, record
from tests.kit.harvests import copies, ledger
from tests.kit.review_project import ReviewProject, loops
from tests.kit.step_runs import harvest_by_steps, new_run
from tests.kit.support import BUCKET, picture, s3
from tests.kit.train_steps import train_by_steps

if TYPE_CHECKING:
    from include.local_aws.process import LocalAws

pytestmark = pytest.mark.slow


def detections(aws: LocalAws) -> int:
    return int(aws.control.calls().get("rekognition.DetectCustomLabels", {}).get("calls", 0))


def test_rounds_follow_each_other_until_no_image_is_left(digits: LocalAws, reviews: ReviewProject) -> None:
    put_unlabelled(digits, 8)

    first, ended = assist_by_steps(images_a_round=10, rounds=5, minimum_gain=-1)

    done = first.record.rounds[0]
    assert (ended.outcome, ended.choice) == (Outcome.ASSIST_GOES_ON, AfterRound.NEXT)
    assert (done.candidates, done.asked, done.failed) == (16, 10, 0)
    assert done.progress is not None
    assert (done.progress.ended, done.progress.labelled) == (10, 10)
    assert done.progress.kept + done.progress.corrected == 10
    assert done.trained == record(digits, "live")["version_name"]
    assert done.f1 is not None
    assert done.same_images is not None
    assert ended.next_run == f"{first.planned.assist}__round_2"

    second, over = assist_by_steps(**ended.next_params)

    assert second.planned.assist == first.planned.assist
    assert [(each.number, each.candidates, each.asked) for each in second.record.rounds] == [(1, 16, 10), (2, 6, 6)]
    assert (over.outcome, over.choice) == (Outcome.ASSIST_ENDED, AfterRound.END)
    assert second.record.ended == over.detail == f"no image below '{FOLDER}' is left"
    assert len(copies(digits)) == 20 + 16

    third, nothing = assist_by_steps()

    assert (third.planned.choice, nothing.outcome) == (AfterPlanning.END, Outcome.NOTHING_TO_LABEL)
    assert nothing.detail == f"below s3://{BUCKET}/{FOLDER} there is 16 images, and people answered about all of them"


@pytest.mark.parametrize("strategy", ["least_confident", "diverse", "random"])
def test_no_more_is_detected_than_the_strategy_needs(digits: LocalAws, reviews: ReviewProject, strategy: str) -> None:
    put_unlabelled(digits, 5)
    before = detections(digits)

    played = Round({"images_a_round": 4, "strategy": strategy})
    asked = played.ask()

    assert (asked.choice, asked.asked) == (AfterAsking.WAIT, 4)
    assert detections(digits) - before == (4 if strategy == "random" else 10)
    assert len(loops(reviews)) == 4


def test_nothing_of_it_counts_as_a_detection(digits: LocalAws, reviews: ReviewProject) -> None:
    put_unlabelled(digits, 2)

    Round({}).ask()

    listed = s3(digits).list_objects_v2(Bucket=BUCKET)["Contents"]
    assert not [each["Key"] for each in listed if each["Key"].startswith(("detections/", "detection_log/"))]


@pytest.mark.parametrize("keys", [(), ("notes.txt", "folder/", ".DS_Store")], ids=["empty", "other files"])
def test_a_folder_without_images_ends_it_without_a_record(
    digits: LocalAws, reviews: ReviewProject, keys: tuple[str, ...]
) -> None:
    for key in keys:
        s3(digits).put_object(Bucket=BUCKET, Key=f"{FOLDER}{key}", Body=b"none")

    played, ended = assist_by_steps()

    assert (ended.outcome, ended.detail) == (
        Outcome.NOTHING_TO_LABEL,
        f"below s3://{BUCKET}/{FOLDER} there is no image",
    )
    assert s3(digits).list_objects_v2(Bucket=BUCKET, Prefix="label_assist/")["KeyCount"] == 0
    assert played.asked is None


def test_without_a_version_that_serves_nothing_is_asked(digits: LocalAws, reviews: ReviewProject) -> None:
    put_unlabelled(digits, 2)
    s3(digits).delete_object(Bucket=BUCKET, Key="registry/live.json")

    _, ended = assist_by_steps()

    assert ended.outcome is Outcome.NOTHING_SERVES
    assert ended.detail == "no version was deployed yet: label a few images and run the train DAG first"


def test_without_reviews_nothing_begins(digits: LocalAws, reviews: ReviewProject, variables: Variables) -> None:
    variables.set(enable_a2i_workflow=False)

    with pytest.raises(NotPermitted, match=r"Variable 'digits__enable_a2i_workflow' is off\. Switch it on"):
        assist_by_steps()


def test_a_folder_of_the_project_is_refused(digits: LocalAws) -> None:
    with pytest.raises(SettingError, match="the project keeps 'images_labeled_by_folder/' there"):
        assist_by_steps(prefix="images_labeled_by_folder/rows/")


def test_a_dry_run_says_what_would_be_asked_and_changes_nothing(digits: LocalAws, reviews: ReviewProject) -> None:
    put_unlabelled(digits, 5)
    before = {each["Key"] for each in s3(digits).list_objects_v2(Bucket=BUCKET)["Contents"]}

    _, ended = assist_by_steps(dry_run=True, images_a_round=4, rounds=2, maximum_candidates=6)

    assert ended.outcome is Outcome.PLANNED
    assert ended.detail == (
        "10 images, 10 of them without an answer: the live version would look at 6, and people at 4 of these, in up to "
        "2 rounds with a training after each"
    )
    after = {each["Key"] for each in s3(digits).list_objects_v2(Bucket=BUCKET)["Contents"]}
    assert after - before <= {"registry/project.json"}


# -- what goes wrong -----------------------------------------------------------------------------------


def test_an_image_without_a_result_is_left_to_the_next_round(digits: LocalAws, reviews: ReviewProject) -> None:
    keys = put_unlabelled(digits, 3)
    s3(digits).put_object(Bucket=BUCKET, Key=f"{FOLDER}rows/broken.png", Body=picture("rows", 1)[:300])
    digits.control.faults(
        {"operation": "rekognition.DetectCustomLabels", "kind": "throttle", "times": 2},
        {"operation": "rekognition.DetectCustomLabels", "kind": "throttle", "subject": keys[0]},
    )

    played = Round({"images_a_round": 20})
    asked = played.ask()
    digits.control.faults()

    assert asked.asked >= 5
    assert played.record.rounds[0].failed == 7 - asked.asked
    assert asked.examples

    again = Round({"images_a_round": 20})

    assert again.planned.images == 7, "nothing was answered yet, and nothing is lost"


def test_a_second_try_asks_about_the_same_images_and_opens_nothing_twice(
    digits: LocalAws, reviews: ReviewProject
) -> None:
    put_unlabelled(digits, 6)
    played = Round({"images_a_round": 5})
    first = played.ask()
    opened, looked = loops(reviews), detections(digits)

    second = assist_tasks.ask_people.function(played.ctx, played.planned, [])

    assert (second.asked, second.until) == (first.asked, first.until)
    assert loops(reviews) == opened
    assert detections(digits) == looked


def test_a_batch_that_is_done_again_passes_over_what_it_has(
    digits: LocalAws, reviews: ReviewProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tests.kit import task_contexts

    put_unlabelled(digits, 6)
    played = Round({})
    played.propose()
    looked = detections(digits)
    monkeypatch.setattr(task_contexts.TaskInstance, "try_number", 2)

    (result,) = played.propose()

    assert detections(digits) == looked
    assert sum(result.counts[name] for name in ("accepted", "review") if name in result.counts) == 12


def test_a_label_with_an_apostrophe_goes_all_the_way(digits: LocalAws, reviews: ReviewProject) -> None:
    for number in range(10):
        key = f"images_labeled_by_folder/driver's seat/{number}.png"
        s3(digits).put_object(Bucket=BUCKET, Key=key, Body=picture("columns", 700 + number))
    assert train_by_steps({"force": True}).ends == {"deployed"}
    for number in range(5):
        key = f"{FOLDER}driver's seat/{number}.png"
        s3(digits).put_object(Bucket=BUCKET, Key=key, Body=picture("columns", 800 + number))

    played, ended = assist_by_steps(images_a_round=5, minimum_gain=-1)

    assert played.record.rounds[0].progress is not None
    assert played.record.rounds[0].progress.labelled == 5
    assert copies(digits).count("driver's seat") == 15
    assert ended.detail == f"no image below '{FOLDER}' is left"


def test_who_does_not_answer_in_time_ends_the_round_and_loses_nothing(digits: LocalAws, reviews: ReviewProject) -> None:
    digits.control.dismiss_workforce()
    put_unlabelled(digits, 3)
    played = Round({"images_a_round": 4})
    played.ask()

    assert played.wait(until=played.planned.begun_at) == 4
    assert played.count().choice is AfterAnswers.END
    ended = played.finish()

    assert ended.outcome is Outcome.ASSIST_ENDED
    assert ended.detail == "nobody gave a label that can be trained on"
    digits.control.workforce(seconds=0)
    assert harvest_by_steps().outcome == "harvested"
    assert len(ledger(digits)) == 4


def test_a_training_that_fails_ends_it_with_the_words_of_aws(digits: LocalAws, reviews: ReviewProject) -> None:
    put_unlabelled(digits, 3)
    digits.control.outcomes({"operation": "training", "status": "TRAINING_FAILED", "message": "The data is odd."})

    played, ended = assist_by_steps(images_a_round=4)

    assert ended.outcome is Outcome.ASSIST_ENDED
    assert "The data is odd." in ended.detail
    assert played.record.rounds[0].trained is not None


# -- trainings meanwhile -------------------------------------------------------------------------------


def test_no_training_begins_by_itself_while_people_answer(
    digits: LocalAws, reviews: ReviewProject, variables: Variables
) -> None:
    variables.set(minimum_untrained_images=2)
    put_unlabelled(digits, 4)
    played = Round({"images_a_round": 6})
    played.ask()
    trained = read_trainings(reviews.store).attempts

    harvested = harvest_by_steps()

    assert not harvested.is_training_triggered
    hold = read_trainings(reviews.store).hold
    assert hold is not None
    assert hold.by == f"label assist {played.planned.assist}"
    assert read_trainings(reviews.store).attempts == trained
    assert played.wait() == 0
    played.count()
    assert read_trainings(reviews.store).hold is None


@pytest.mark.parametrize(
    ("run_type", "held"),
    [("scheduled", True), ("asset_triggered", True), ("manual", False), ("operator_triggered", False)],
)
def test_a_run_that_a_person_asked_for_is_not_held(
    digits: LocalAws, reviews: ReviewProject, run_type: str, held: bool
) -> None:
    from custom_labels.deployment.settings import TrainSettings
    from custom_labels.training.retraining import Due
    from custom_labels.training.train_tasks import decide_training

    put_unlabelled(digits, 3)
    Round({"images_a_round": 2}).ask()
    ctx = new_run("train", run_type=run_type, as_of=datetime.now(UTC) + timedelta(minutes=5))

    decided = decide_training.function(ctx, ctx.read_settings(TrainSettings))

    assert (decided.choice is Due.NO) is held, decided
    assert ("waits for more labels" in decided.detail) is held
