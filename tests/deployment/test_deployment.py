"""The rules of a deployment: the pointer, the smoke test, units, what is rolled back to and what is scaled."""

from __future__ import annotations

from typing import Any

import pytest

from custom_labels.aws.statuses import Described
from custom_labels.core.codec import from_json, to_json
from custom_labels.core.live_version import Candidate, LiveVersion
from custom_labels.deployment.deployment import SmokeAnswer, Units, smoke_failure
from custom_labels.deployment.rollback import find_replaced, find_target, make_candidate
from custom_labels.deployment.scaling import Scaling, decide_scaling
from custom_labels.deployment.served_record import RolledBack, ServedRecord
from custom_labels.errors import ModelError
from tests.kit.version_records import evaluation


def live(name: str, **more: Any) -> LiveVersion:
    return LiveVersion(name, f"arn:{name}", "arn:p", "d", "2026-11-20T12:00:00+00:00", 0.9, ("a", "b"), **more)


def test_a_successor_remembers_whom_it_replaced() -> None:
    successor = live("v2").replacing(live("v1"))

    assert (successor.version_name, successor.previous_version_name) == ("v2", "v1")
    assert from_json(LiveVersion, to_json(successor)) == successor


def test_replacing_itself_keeps_the_predecessor() -> None:
    present = live("v2", previous_version_name="v1", previous_version_arn="arn:v1")

    assert live("v2").replacing(present) is present


RIGHT, WRONG, SILENT = (("cat",), ("cat", "dog")), (("cat",), ("dog", "cat")), (("cat",), ())
SMOKE: list[tuple[str, list[Any], float, str | None]] = [
    ("all right", [RIGHT] * 5, 1, None),
    ("exactly the share", [RIGHT] * 3 + [WRONG] * 2, 0.6, None),
    ("one too few", [RIGHT] * 3 + [WRONG] * 2, 0.61, "answered 3 of 5 known images as expected, and 4 are needed"),
    ("surest answer counts", [WRONG], 0.8, "it was to say 'cat' and said dog, cat"),
    ("silent", [SILENT], 0.8, "said nothing"),
    ("any of several labels", [(("cat", "dog"), ("dog",))], 1, None),
    ("none of several labels", [(("cat", "dog"), ("cow", "dog"))], 1, "it was to say 'cat' or 'dog' and said cow, dog"),
    ("one sign is needed", [WRONG, WRONG], 0, "answered 0 of 2 known images as expected, and 1 are needed"),
    ("one sign is enough", [WRONG, RIGHT], 0, None),
    ("no image", [], 0, "no known image"),
]


@pytest.mark.parametrize(("answers", "share", "failure"), [case[1:] for case in SMOKE], ids=[case[0] for case in SMOKE])
def test_a_smoke_test_asks_for_the_answers_of_the_evaluation(
    answers: list[Any], share: float, failure: str | None
) -> None:
    said = smoke_failure(tuple(SmokeAnswer("s3://b/k", labels, answered) for labels, answered in answers), share)

    assert (failure in said) if failure and said else said is failure


@pytest.mark.parametrize(
    ("described", "units", "words"),
    [
        ({}, Units(1), "1 inference unit"),
        ({"MinInferenceUnits": 2, "MaxInferenceUnits": None}, Units(2), "2 inference units"),
        ({"MinInferenceUnits": 2, "MaxInferenceUnits": 2}, Units(2), "2 inference units"),
        ({"MinInferenceUnits": 1, "MaxInferenceUnits": 3}, Units(1, 3), "1 to 3 inference units"),
    ],
    ids=["not running", "no scaling", "equal bounds are no scaling", "scaling"],
)
def test_units_are_read_from_what_aws_says(described: dict[str, Any], units: Units, words: str) -> None:
    assert (Units.of(described), str(units)) == (units, words)


TARGETS: list[tuple[str, LiveVersion | None, str | None, str | None, str]] = [
    ("the predecessor", live("v2", previous_version_name="v1"), None, "v1", ""),
    ("a named one", live("v3", previous_version_name="v2"), "v1", "v1", ""),
    ("a named one where none serves", None, "v1", "v1", ""),
    ("none serves", None, None, None, "no version was deployed yet"),
    ("no predecessor", live("v1"), None, None, "version v1, which serves, replaced no other"),
    ("it serves", live("v1"), "v1", None, "version v1 serves already"),
]


def rolled_back(to: str, at: str) -> RolledBack:
    return RolledBack(to, "ann", "", at, "digits_rollback/1")


def test_a_version_that_was_rolled_back_from_comes_back_by_its_name_only() -> None:
    put_back = live("v1", previous_version_name="v2", is_rollback=True)
    done = rolled_back("v1", put_back.since)

    assert find_target(put_back, None, done).version_name is None
    assert "name the version" in find_target(put_back, None, done).reason
    assert find_target(put_back, "v2", done).version_name == "v2"
    assert find_target(put_back, "v1", done).reason == "version v1 serves already"


@pytest.mark.parametrize("fact", [None, rolled_back("v0", "9999"), rolled_back("v1", "1999")])
@pytest.mark.parametrize("named", [None, "v1"])
def test_a_rollback_that_died_after_its_swap_is_gone_on_with(fact: RolledBack | None, named: str | None) -> None:
    put_back = live("v1", previous_version_name="v2", is_rollback=True)

    assert find_target(put_back, named, fact).version_name == "v1"


@pytest.mark.parametrize(
    ("present", "named", "target", "reason"), [case[1:] for case in TARGETS], ids=[case[0] for case in TARGETS]
)
def test_a_rollback_goes_to_the_named_version_or_to_the_predecessor(
    present: LiveVersion | None, named: str | None, target: str | None, reason: str
) -> None:
    found = find_target(present, named)

    assert (found.version_name, found.reason) == (target, reason)


RECORD = ServedRecord(digest="d", evaluation=evaluation(0.9, "a"))
REFUSED: list[tuple[str, ServedRecord | None, str | None, str]] = [
    ("unknown", None, "STOPPED", "is not one of this project: there is no 'registry/versions/v1.json'"),
    ("deleted", RECORD, None, "it was deleted"),
    ("not trained", RECORD, "TRAINING_FAILED", "is TRAINING_FAILED, from which it cannot be started"),
    ("being copied", RECORD, "COPYING_IN_PROGRESS", "Wait if that passes"),
    ("being stopped", RECORD, "STOPPING", "Wait if that passes"),
    ("never judged", ServedRecord(digest="d"), "STOPPED", "was never evaluated"),
]


@pytest.mark.parametrize(
    ("record", "status", "words"), [case[1:] for case in REFUSED], ids=[case[0] for case in REFUSED]
)
def test_a_version_that_cannot_serve_is_refused_with_the_way_out(
    record: ServedRecord | None, status: str | None, words: str
) -> None:
    with pytest.raises(ModelError) as refused:
        make_candidate("v1", record=record, project_arn="arn:p", described=Described(status), live=None)

    assert words in str(refused.value)
    assert "Param 'version'" in str(refused.value)


@pytest.mark.parametrize(
    "status", ["TRAINING_COMPLETED", "COPYING_COMPLETED", "STOPPED", "FAILED", "STARTING", "RUNNING"]
)
def test_a_version_that_can_serve_is_a_candidate_like_a_trained_one(status: str) -> None:
    described = Described(status, raw={"ProjectVersionArn": "arn:v1"})

    found = make_candidate("v1", record=RECORD, project_arn="arn:p", described=described, live=live("v2"))

    assert found == Candidate("arn:p", "v1", "arn:v1", "d", 0.9, ("a",), "arn:v2", is_rollback=True)


@pytest.mark.parametrize(
    ("present", "replaces"),
    [(None, None), (live("v2"), "v2"), (live("v1", previous_version_name="v2"), "v2")],
    ids=["none serves", "another serves", "it was put back by a run that died"],
)
def test_a_rollback_knows_the_version_that_it_replaces(present: LiveVersion | None, replaces: str | None) -> None:
    assert find_replaced("v1", present) == replaces


SCALE: list[tuple[str, dict[str, Any], bool, str]] = [
    ("none serves", {"version_name": None, "status": None}, False, "no version was deployed yet"),
    ("as wanted", {"present": Units(2)}, False, "runs with 2 inference units, as wanted"),
    ("more", {}, True, "runs with 1 inference unit, wanted are 2 inference units"),
    ("does not run", {"status": "STOPPED"}, False, "starts with 2 inference units whenever"),
    ("interrupted", {"status": "STOPPED", "was_interrupted": True}, True, "by a run that did not end"),
    ("interrupted before it stopped", {"present": Units(2), "was_interrupted": True}, False, "as wanted"),
]


@pytest.mark.parametrize(("given", "due", "words"), [case[1:] for case in SCALE], ids=[case[0] for case in SCALE])
def test_the_live_version_is_started_again_only_where_other_units_are_wanted(
    given: dict[str, Any], due: bool, words: str
) -> None:
    facts = {"version_name": "v1", "status": "RUNNING", "present": Units(1), "was_interrupted": False, **given}

    decision = decide_scaling(**facts, wanted=Units(2))

    assert (decision.choice is Scaling.DUE) is due
    assert words in decision.reason
