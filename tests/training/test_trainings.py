"""The rules of a project's trainings: one attempt a snapshot, which ones are open, and what counts as trained."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from custom_labels.core.codec import from_json, to_json
from custom_labels.training.retraining import AttemptState, TrainingAttempt
from custom_labels.training.trainings import Teardown, TrainingHold, Trainings

ENDS = [AttemptState.TRAINING_FAILED, AttemptState.GATE_FAILED, AttemptState.REJECTED, AttemptState.DEPLOYED]


def attempt(name: str, digest: str = "d1", day: int = 1, *, deploys: bool = True) -> TrainingAttempt:
    return TrainingAttempt(
        digest, "arn of digits", name, f"run of {name}", deploys=deploys, as_of=f"2026-11-{day:02}T00:00:00+00:00"
    )


def test_a_training_that_was_begun_is_gone_on_with() -> None:
    begun = Trainings().claim(attempt("v1"))

    assert begun.attempts == (attempt("v1"),)
    assert begun.claim(attempt("v2")) == begun.claim(attempt("v2"), force=True) == begun


def test_a_run_that_may_deploy_claims_it_from_one_that_only_measures() -> None:
    begun = Trainings().claim(attempt("v1", deploys=False))

    assert begun.claim(attempt("v2"))["d1"] == attempt("v1", deploys=True)
    assert begun.claim(attempt("v2", deploys=False)) == begun


@pytest.mark.parametrize("state", ENDS)
def test_one_that_ended_is_begun_anew_only_by_force(state: AttemptState) -> None:
    ended = Trainings().claim(attempt("v1")).finish("d1", "v1", state, "said why")

    assert ended.claim(attempt("v2")) == ended
    forced = ended.claim(attempt("v2"), force=True)
    assert forced.attempts == forced.claim(attempt("v2"), force=True).attempts == (attempt("v2"),)


def test_an_end_that_comes_late_changes_nothing() -> None:
    ended = Trainings().claim(attempt("v1")).finish("d1", "v1", AttemptState.GATE_FAILED, "f1 0.1")
    again = ended.claim(attempt("v2"), force=True)

    assert again.finish("d1", "v1", AttemptState.GATE_FAILED, "said by a run that hung") == again
    deployed = again.finish("d1", "v2", AttemptState.DEPLOYED, "f1 0.9")
    assert deployed.finish("d1", "v2", AttemptState.TRAINED, "said by a run that hung") == deployed
    assert deployed["d1"] == replace(attempt("v2"), state=AttemptState.DEPLOYED, detail="f1 0.9")
    assert deployed.open == []


def test_the_open_ones_are_the_newest_first_but_those_to_be_deployed_before() -> None:
    measured = [attempt(f"v{n}", f"d{n}", deploys=False) for n in (1, 2)]
    trainings = Trainings().claim(measured[0]).claim(attempt("v3", "d3")).claim(measured[1])

    assert trainings.open == [attempt("v3", "d3"), measured[1], measured[0]]
    ended = trainings.finish("d3", "v3", AttemptState.DEPLOYED, "").finish("d2", "v2", AttemptState.TRAINED, "")
    assert ended.open == [measured[0]]


def test_what_was_only_measured_is_opened_to_be_deployed() -> None:
    measured = Trainings().claim(attempt("v1", deploys=False)).finish("d1", "v1", AttemptState.TRAINED, "f1 0.9")

    opened = measured.reopen("d1")

    assert opened.open == [attempt("v1")]
    assert opened.reopen("d1") == opened
    assert measured.reopen("d2") == measured.reopen(None) == measured


@pytest.mark.parametrize("state", ENDS)
def test_what_ended_otherwise_is_not_opened(state: AttemptState) -> None:
    ended = Trainings().claim(attempt("v1")).finish("d1", "v1", state, "said why")

    assert ended.reopen("d1") == ended


def test_a_training_about_the_past_moves_only_what_the_next_split_follows() -> None:
    trainings = Trainings()
    for number in (1, 2, 3):
        trainings = trainings.claim(attempt(f"v{number}", f"d{number}", number))

    found = []
    for each in (attempt("v2", "d2", 2), attempt("v3", "d3", 3, deploys=False), attempt("v1", "d1", 1)):
        trainings = trainings.count_as_trained(each)
        found.append((trainings.trained, trainings.split))
    trainings = trainings.count_as_trained(attempt("v3", "d3", 3))

    assert found == [("d2", "d2"), ("d2", "d3"), ("d2", "d1")]
    assert (trainings.trained, trainings.split) == ("d3", "d3")


@pytest.mark.parametrize(("live", "is_outdated"), [("d3", True), ("d1", False), ("d2", False), ("unknown", False)])
def test_a_version_is_outdated_where_newer_images_serve(live: str, is_outdated: bool) -> None:
    trainings = Trainings()
    for number in (1, 2, 3):
        trainings = trainings.claim(attempt(f"v{number}", f"d{number}", number))

    assert trainings.is_outdated(attempt("v2", "d2", 2), live) is is_outdated


def test_trainings_read_back_as_they_were_written() -> None:
    trainings = Trainings().claim(attempt("v1")).count_as_trained(attempt("v1"))

    assert from_json(Trainings, to_json(trainings)) == trainings
    assert from_json(Trainings, {}) == Trainings()


def test_a_hold_ends_with_its_time_and_with_whoever_set_it() -> None:
    now = datetime(2026, 11, 29, 12, tzinfo=UTC)
    held = Trainings(hold=TrainingHold("label assist a", (now + timedelta(hours=1)).isoformat()))

    assert held.why_held(now) == (
        "label assist a waits for more labels, and trains on all of them together, until 2026-11-29T13:00:00+00:00"
    )
    assert held.why_held(now + timedelta(hours=1)) == Trainings().why_held(now) == ""
    assert held.release("label assist b") == held
    assert held.release("label assist a") == Trainings()
    assert from_json(Trainings, to_json(held)) == held


def test_a_teardown_lets_no_attempt_count_and_keeps_the_split_and_the_history() -> None:
    done = attempt("v1")
    before = Trainings(split="d1", hold=TrainingHold("an assist", "2026-12-01T00:00:00+00:00")).claim(done)
    before = before.count_as_trained(done)

    after = before.tear_down("a run", "2026-11-29T08:00:00+00:00")

    assert (after.attempts, after.open, after.trained, after.split, after.hold) == ((), [], None, "d1", None)
    assert after.every == (done,)
    assert "is being taken away from AWS by a run" in after.why_torn_down("digits")
    assert from_json(Trainings, to_json(after)) == after


def test_a_teardown_that_another_run_goes_on_with_is_that_runs() -> None:
    first = Trainings().claim(attempt("v1")).tear_down("first", "08:00")

    second = first.tear_down("second", "09:00")

    assert second.torn_down == Teardown("second", "08:00")
    assert second.every == (attempt("v1"),)
    assert second.end_teardown("first", "09:30") == second, "it was overtaken"
    ended = second.end_teardown("second", "10:00")
    assert ended.torn_down == Teardown("second", "08:00", "10:00")
    assert ended.end_teardown("second", "11:00") == ended
    assert ended.tear_down("third", "12:00").torn_down == Teardown("third", "12:00")


def test_trainings_begin_again_once_a_teardown_has_ended_and_the_project_is_set_up() -> None:
    begun = Trainings(split="d1").tear_down("a run", "08:00")
    ended = begun.end_teardown("a run", "09:00")

    assert begun.start_again() == begun, "what is being deleted is not started"
    assert "trigger digits_bootstrap" in ended.why_torn_down("digits")
    again = ended.start_again()
    assert (again.why_torn_down("digits"), again.split) == ("", "d1")
    assert again.claim(attempt("v2"))["d1"] == attempt("v2"), "the same images, without force"
    assert Trainings().start_again() == Trainings()
