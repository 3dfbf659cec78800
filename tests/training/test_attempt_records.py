"""The registry against a real compare-and-set: one pointer, one attempt a snapshot, whoever writes at once."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from custom_labels.core.live_version import Candidate, LiveVersion
from custom_labels.core.registry import LIVE, Registry
from custom_labels.deployment.live_records import move_live
from custom_labels.errors import BelongsToAnother, LiveVersionChanged
from custom_labels.s3.store import S3Store
from custom_labels.training.attempt_records import OPEN, TrainingRecords
from custom_labels.training.retraining import AttemptState, TrainingAttempt
from tests.kit.threads import THREADS, at_once

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


def test_claim_attempt_has_one_winner_when_many_claim_at_once(registry: Registry) -> None:
    claimed = at_once(lambda number: TrainingRecords(registry).claim_attempt(attempt(f"v{number}")))

    assert len(claimed) == THREADS
    assert len({one.version_name for one in claimed}) == 1
    assert TrainingRecords(registry).attempt("d1") == claimed[0] == TrainingRecords(registry).open_attempt()


def test_claim_attempt_goes_on_with_the_one_that_was_begun(registry: Registry) -> None:
    begun = TrainingRecords(registry).claim_attempt(attempt("v1"))

    assert TrainingRecords(registry).claim_attempt(attempt("v2")) == begun
    assert TrainingRecords(registry).claim_attempt(attempt("v2"), force=True) == begun


@pytest.mark.parametrize("state", [AttemptState.TRAINING_FAILED, AttemptState.GATE_FAILED, AttemptState.DEPLOYED])
def test_claim_attempt_replaces_a_finished_one_only_when_forced(registry: Registry, state: AttemptState) -> None:
    TrainingRecords(registry).claim_attempt(attempt("v1"))
    TrainingRecords(registry).finish_attempt("d1", "v1", state, "said why")

    kept = TrainingRecords(registry).claim_attempt(attempt("v2"))
    forced = TrainingRecords(registry).claim_attempt(attempt("v2"), force=True)
    retried = TrainingRecords(registry).claim_attempt(attempt("v2"), force=True)

    assert (kept.version_name, kept.state, kept.detail) == ("v1", state, "said why")
    assert forced == retried == TrainingRecords(registry).open_attempt() == attempt("v2")


def test_an_end_that_comes_late_changes_nothing(registry: Registry) -> None:
    TrainingRecords(registry).claim_attempt(attempt("v1"))
    TrainingRecords(registry).finish_attempt("d1", "v1", AttemptState.GATE_FAILED, "f1 0.1")
    TrainingRecords(registry).claim_attempt(attempt("v2"), force=True)

    TrainingRecords(registry).finish_attempt("d1", "v1", AttemptState.GATE_FAILED, "said again by a run that hung")
    still_open = TrainingRecords(registry).open_attempt()
    TrainingRecords(registry).finish_attempt("d1", "v2", AttemptState.DEPLOYED, "f1 0.9")
    TrainingRecords(registry).finish_attempt("d1", "v2", AttemptState.TRAINED, "said by a run that hung")

    assert still_open == attempt("v2")
    assert TrainingRecords(registry).attempt("d1") == replace(
        attempt("v2", state=AttemptState.DEPLOYED), detail="f1 0.9"
    )
    assert TrainingRecords(registry).open_attempt() is None


def test_open_attempt_is_none_when_it_was_finished(registry: Registry) -> None:
    TrainingRecords(registry).claim_attempt(attempt("v1"))

    TrainingRecords(registry).finish_attempt("d1", "v1", AttemptState.DEPLOYED, "f1 0.9")

    assert TrainingRecords(registry).open_attempt() is None
    assert TrainingRecords(registry).attempt("d1") == replace(
        attempt("v1", state=AttemptState.DEPLOYED), detail="f1 0.9"
    )


def test_open_attempt_is_none_when_the_worker_died_between_the_two_writes_of_its_end(registry: Registry) -> None:
    TrainingRecords(registry).claim_attempt(attempt("v1"))
    TrainingRecords(registry).finish_attempt("d1", "v1", AttemptState.DEPLOYED, "f1 0.9")
    registry.store.write_json(OPEN, {"digest": "d1"})

    assert TrainingRecords(registry).open_attempt() is None


def test_claim_attempt_finds_its_claim_when_the_worker_died_between_the_two_writes_of_its_beginning(
    registry: Registry,
) -> None:
    TrainingRecords(registry).claim_attempt(attempt("v1"))
    registry.store.call("delete_object", OPEN)

    assert TrainingRecords(registry).open_attempt() is None
    assert TrainingRecords(registry).claim_attempt(attempt("v2")).version_name == "v1"
    assert TrainingRecords(registry).open_attempt() == attempt("v1")


def test_every_open_attempt_is_found_when_runs_of_a_backfill_died(registry: Registry) -> None:
    measured = [replace(attempt(f"v{n}", f"d{n}"), deploys=False) for n in (1, 2)]
    for each in [measured[0], attempt("v3", "d3"), measured[1]]:
        TrainingRecords(registry).claim_attempt(each)

    assert TrainingRecords(registry).open_attempts() == [attempt("v3", "d3"), measured[1], measured[0]]

    TrainingRecords(registry).finish_attempt("d3", "v3", AttemptState.DEPLOYED, "f1 0.9")
    TrainingRecords(registry).finish_attempt("d2", "v2", AttemptState.TRAINED, "f1 0.8")

    assert TrainingRecords(registry).open_attempts() == [measured[0]]


def test_reopen_attempt_lets_a_version_be_deployed_that_was_only_measured(registry: Registry) -> None:
    TrainingRecords(registry).claim_attempt(replace(attempt("v1"), deploys=False))
    TrainingRecords(registry).finish_attempt("d1", "v1", AttemptState.TRAINED, "f1 0.9")

    first, again = TrainingRecords(registry).reopen_attempt("d1"), TrainingRecords(registry).reopen_attempt("d1")

    assert first == again == TrainingRecords(registry).open_attempt() == attempt("v1")
    assert TrainingRecords(registry).reopen_attempt("d2") is None


def test_reopen_attempt_leaves_alone_what_ended_otherwise(registry: Registry) -> None:
    TrainingRecords(registry).claim_attempt(attempt("v1"))
    TrainingRecords(registry).finish_attempt("d1", "v1", AttemptState.GATE_FAILED, "f1 0.1")

    reopened = TrainingRecords(registry).reopen_attempt("d1")

    assert reopened is not None
    assert (reopened.state, TrainingRecords(registry).open_attempt()) == (AttemptState.GATE_FAILED, None)


def test_a_training_about_the_past_moves_only_what_the_next_split_follows(registry: Registry) -> None:
    for number in (1, 2, 3):
        registry.update_version(f"v{number}", {"as_of": f"2026-11-0{number}T00:00:00+00:00"})
    TrainingRecords(registry).record_trained("d2", "v2")

    TrainingRecords(registry).record_trained("d3", "v3", deploys=False)
    assert (TrainingRecords(registry).trained_digest(), TrainingRecords(registry).split_digest()) == ("d2", "d3")
    TrainingRecords(registry).record_trained("d1", "v1")
    assert (TrainingRecords(registry).trained_digest(), TrainingRecords(registry).split_digest()) == ("d2", "d1")
    TrainingRecords(registry).record_trained("d3", "v3")
    assert (TrainingRecords(registry).trained_digest(), TrainingRecords(registry).split_digest()) == ("d3", "d3")


# -- records ---------------------------------------------------------------------------------------


def test_update_version_keeps_what_is_recorded_already(registry: Registry) -> None:
    registry.update_version("v1", {"digest": "d1", "status": "TRAINING_COMPLETED"})
    registry.update_version("v1", {"status": "RUNNING"})

    assert registry.version("v1") == {"digest": "d1", "status": "RUNNING"}
    assert registry.version("v2") == {}


def test_trained_digest_is_that_of_the_last_training(registry: Registry) -> None:
    assert TrainingRecords(registry).trained_digest() is None

    TrainingRecords(registry).record_trained("d1", "v1")
    TrainingRecords(registry).record_trained("d2", "v2")

    assert TrainingRecords(registry).trained_digest() == "d2"


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
