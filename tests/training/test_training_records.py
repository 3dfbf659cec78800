"""The registry against a real compare-and-set: one pointer, one attempt a snapshot, whoever writes at once."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from custom_labels.core.live_version import Candidate, LiveVersion
from custom_labels.core.registry import LIVE, Registry
from custom_labels.core.version_record import VersionRecord
from custom_labels.deployment.live_records import move_live
from custom_labels.errors import BelongsToAnother, LiveVersionChanged
from custom_labels.evaluation.judged_record import JudgedRecord
from custom_labels.s3.store import S3Store, StorageError
from custom_labels.training.retraining import AttemptState, TrainingAttempt
from custom_labels.training.training_records import change_trainings, finish_training, read_trainings
from custom_labels.training.trainings import Trainings
from tests.kit.threads import THREADS, at_once
from tests.kit.version_records import put_on_record

if TYPE_CHECKING:
    from include.local_aws.process import LocalAws

PROJECT = "arn:aws:rekognition:us-east-1:123456789012:project/digits/1"


NOW = "2026-11-20T12:00:00+00:00"


def arn(name: str) -> str:
    return f"{PROJECT}/version/{name}"


def move(
    registry: Registry, name: str, *, expected: str | None, is_rollback: bool = False, now: str = NOW
) -> LiveVersion:
    """Move the pointer to a version that was compared with another, named by its ARN."""
    candidate = Candidate(
        project_arn=PROJECT,
        version_name=name,
        version_arn=arn(name),
        digest=f"digest of {name}",
        f1=0.9,
        labels=("circle", "square"),
        champion_arn=expected,
        is_rollback=is_rollback,
    )
    return move_live(registry, candidate, now)


def attempt(name: str, digest: str = "d1", state: AttemptState = AttemptState.STARTED) -> TrainingAttempt:
    return TrainingAttempt(digest=digest, project_arn=PROJECT, version_name=name, run=f"run of {name}", state=state)


@pytest.fixture
def registry(aws_store: S3Store) -> Registry:
    return Registry(aws_store)


# -- the serving pointer ---------------------------------------------------------------------------


def test_live_is_none_before_the_first_deployment(registry: Registry) -> None:
    assert registry.live() is None


def test_move_live_names_the_predecessor_when_there_is_one(registry: Registry) -> None:
    first = move(registry, "v1", expected=None)

    second = move(registry, "v2", expected=first.version_arn)

    assert first.previous_version_name is None
    assert (second.previous_version_name, second.previous_version_arn) == ("v1", first.version_arn)
    assert registry.live() == second


def test_move_live_keeps_the_predecessor_when_a_retry_repeats_it(registry: Registry) -> None:
    first = move(registry, "v1", expected=None)
    second = move(registry, "v2", expected=first.version_arn)

    again = move(registry, "v2", expected=second.version_arn, now="later")

    assert again == second == registry.live()


@pytest.mark.parametrize("expected", [None, arn("another")], ids=["none", "another version"])
def test_move_live_changes_nothing_when_another_version_serves_than(registry: Registry, expected: str | None) -> None:
    first = move(registry, "v1", expected=None)

    with pytest.raises(LiveVersionChanged, match=r"live\.json' names arn:.*v1, not .* v2 was to replace.*trigger the"):
        move(registry, "v2", expected=expected)

    assert registry.live() == first


def test_move_live_changes_nothing_when_the_pointer_is_gone(registry: Registry) -> None:
    with pytest.raises(LiveVersionChanged, match="names no version"):
        move(registry, "v2", expected=arn("v1"))

    assert registry.live() is None


def test_move_live_leaves_a_rollback_to_people(registry: Registry) -> None:
    first = move(registry, "v1", expected=None)
    second = move(registry, "v2", expected=first.version_arn)
    back = move(registry, "v1", expected=second.version_arn, is_rollback=True)

    with pytest.raises(LiveVersionChanged, match=r"put back in place of v2.*trigger the rollback DAG"):
        move(registry, "v2", expected=first.version_arn)

    assert registry.live() == back
    again = move(registry, "v2", expected=back.version_arn, is_rollback=True)
    assert registry.live() == again
    assert move(registry, "v3", expected=again.version_arn).previous_version_name == "v2"


@pytest.mark.parametrize("champion", [None, "v0"], ids=["nothing serves", "a version serves"])
def test_move_live_lets_one_through_when_many_move_it_at_once(registry: Registry, champion: str | None) -> None:
    expected = move(registry, champion, expected=None).version_arn if champion else None

    def move_once(number: int) -> LiveVersion | None:
        try:
            return move(registry, f"challenger-{number}", expected=expected)
        except LiveVersionChanged:
            return None

    winners = [moved for moved in at_once(move_once) if moved]

    assert winners == [registry.live()]
    assert winners[0].previous_version_name == champion


def test_move_live_is_done_once_when_its_answers_are_lost(registry: Registry, aws: LocalAws) -> None:
    aws.control.faults({"operation": "s3.PutObject", "kind": "lost_response", "times": 2})

    moved = move(registry, "v1", expected=None)

    assert registry.live() == moved
    assert aws.control.calls()["s3.PutObject"]["effects"] == 1


def test_live_says_what_to_do_when_the_record_is_no_json(registry: Registry) -> None:
    registry.store.client.put_object(Bucket=registry.store.bucket, Key=registry.store.key(LIVE), Body=b"{")

    with pytest.raises(Exception, match=r"live\.json is no JSON.*Restore an earlier version"):
        registry.live()


# -- one training a snapshot -----------------------------------------------------------------------


def test_a_claim_has_one_winner_when_many_claim_at_once(registry: Registry) -> None:
    def claim(number: int) -> TrainingAttempt:
        ours = attempt(f"v{number}")
        return change_trainings(registry.store, lambda trainings: trainings.claim(ours))["d1"]

    claimed = at_once(claim)

    assert len(claimed) == THREADS
    assert len({one.version_name for one in claimed}) == 1
    assert read_trainings(registry.store).attempts == (claimed[0],)


def test_no_claim_is_lost_when_runs_claim_different_images_at_once(registry: Registry) -> None:
    def claim(number: int) -> None:
        ours = attempt(f"v{number}", f"d{number}")
        change_trainings(registry.store, lambda trainings: trainings.claim(ours))

    at_once(claim)

    assert {each.digest for each in read_trainings(registry.store).open} == {f"d{n}" for n in range(THREADS)}


def test_an_end_is_on_record_and_its_second_writing_changes_nothing(registry: Registry) -> None:
    change_trainings(registry.store, lambda trainings: trainings.claim(attempt("v1")))

    for detail in ("f1 0.9", "said again by a retry"):
        finish_training(registry.store, "d1", "v1", AttemptState.DEPLOYED, detail)

    ended = replace(attempt("v1", state=AttemptState.DEPLOYED), detail="f1 0.9")
    assert read_trainings(registry.store) == Trainings((ended,))


# -- records ---------------------------------------------------------------------------------------


def test_a_change_of_a_version_keeps_what_is_on_record_already(registry: Registry) -> None:
    put_on_record(registry.store, "v1", digest="d1", status="TRAINING_COMPLETED", of_another_room=[1])

    changed = registry.change_version("v1", VersionRecord, lambda record: replace(record, status="RUNNING"))

    assert changed == registry.version("v1", VersionRecord) == VersionRecord(digest="d1", status="RUNNING")
    kept, _ = registry.store.read_json("registry/versions/v1.json")
    assert kept == {"digest": "d1", "status": "RUNNING", "of_another_room": [1]}
    assert registry.version("v2", VersionRecord) is None


def test_a_change_of_nothing_writes_nothing(registry: Registry, aws: LocalAws) -> None:
    registry.change_version("v1", VersionRecord, lambda record: record)

    assert registry.version("v1", VersionRecord) is None


def test_a_record_that_is_not_as_it_was_written_says_where_and_the_way_out(registry: Registry) -> None:
    put_on_record(registry.store, "v1", evaluation={"f1": "high"})

    with pytest.raises(
        StorageError, match=r"versions/v1\.json is not as this package writes it: 'evaluation\.f1'.*Restore"
    ):
        registry.version("v1", JudgedRecord)


def test_of_projects_that_claim_a_place_at_once_one_has_it(aws_store: S3Store) -> None:
    def claim(number: int) -> str:
        try:
            Registry(aws_store).claim(f"project-{number}")
        except BelongsToAnother as error:
            return str(error)
        return "ours"

    answers = at_once(claim)

    owner = Registry(aws_store).owner()
    assert answers.count("ours") == 1
    assert all(f"belongs to project '{owner}'" in answer for answer in answers if answer != "ours")
    Registry(aws_store).claim(str(owner))


def test_the_pointer_of_another_project_is_not_moved(registry: Registry) -> None:
    registry.claim("cats")

    with pytest.raises(BelongsToAnother, match=r"'bucket' and 'prefix' of digits\.yaml are .* delete that object"):
        move(registry, "v1", expected=None)
    assert registry.live() is None
