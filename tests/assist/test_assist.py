"""When a label assist goes on, and which folder it may read."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from custom_labels.assist.assist import Assist, AssistPlan, AssistRound, read_plan, why_ended, why_no_prefix
from custom_labels.assist.selection import Strategy
from custom_labels.core.codec import from_json, to_json
from custom_labels.errors import SettingError

PLAN = AssistPlan(rounds=3, minimum_gain=0.01)
DONE = AssistRound(1, "2026-11-29T12:00:00+00:00", "v1", 0.7, candidates=500, asked=50, trained="v2", f1=0.8)


@pytest.mark.parametrize(
    ("changes", "deployed", "why"),
    [
        ({}, True, ""),
        ({"f1": 0.705}, True, "F1 rose by 0.005, and less than 0.01 more ends it"),
        ({"f1": 0.6}, True, "F1 fell by 0.100, and less than 0.01 more ends it"),
        ({"f1": 0.705, "same_images": (0.6, 0.7)}, True, ""),
        ({"same_images": (0.8, 0.8)}, True, "F1 rose by 0.000, and less than 0.01 more ends it"),
        ({"number": 3}, True, "all 3 rounds are done"),
        ({"candidates": 50}, True, "no image below 'images_to_label/' is left"),
        ({"result": "gate_failed: F1 0.4"}, False, "version v2 does not serve: gate_failed: F1 0.4"),
        ({"trained": None, "f1": None, "result": "nobody answered"}, False, "nobody answered"),
        ({"f1": None}, False, "nothing was trained"),
    ],
    ids=["goes on", "small gain", "loss", "gain", "no gain on the same", "rounds", "no image", "gate", "none", "no f1"],
)
def test_a_round_is_followed_by_another_or_the_end_has_a_reason(
    changes: dict[str, Any], deployed: bool, why: str
) -> None:
    assert why_ended(PLAN, replace(DONE, **changes), is_deployed=deployed) == why


def test_the_end_of_a_single_round_is_said_so() -> None:
    assert why_ended(replace(PLAN, rounds=1), DONE, is_deployed=True) == "its one round is done"


@pytest.mark.parametrize(
    "prefix",
    [
        "",
        "/",
        "/a/",
        "a",
        "images_labeled_by_folder/",
        "images_labeled_by_folder/cat/",
        "registry/",
        "reviews/a/",
        "a\n/",
    ],
)
def test_a_folder_of_the_project_or_none_is_refused(prefix: str) -> None:
    assert why_no_prefix(prefix)


@pytest.mark.parametrize("prefix", ["images_to_label/", "images_for_detection/", "archive/2026/", "images/", "it's/"])
def test_any_other_folder_may_hold_images_without_labels(prefix: str) -> None:
    assert why_no_prefix(prefix) is None


def test_a_wrong_folder_is_refused_with_the_way_out() -> None:
    with pytest.raises(SettingError, match=r"Param 'prefix' is 'registry/': .* trigger the DAG again"):
        read_plan({"prefix": "registry/"})


def test_the_next_round_is_asked_for_what_the_first_was() -> None:
    given = {"prefix": "a/", "strategy": "diverse", "images_a_round": 7, "rounds": 9, "maximum_candidates": 70}
    plan = read_plan({**given, "minimum_gain": -1, "wait_hours": 0.5, "assist": "", "round": 1})

    params = plan.params("20261129t120000-0123456789ab", 2)

    assert read_plan(params) == plan
    assert (params["assist"], params["round"]) == ("20261129t120000-0123456789ab", 2)


@pytest.mark.parametrize(
    ("strategy", "most", "candidates"),
    [
        (Strategy.LEAST_CONFIDENT, None, None),
        (Strategy.LEAST_CONFIDENT, 20, 50),
        (Strategy.DIVERSE, 200, 200),
        (Strategy.RANDOM, 200, 50),
    ],
)
def test_no_more_is_detected_than_the_choice_needs(
    strategy: Strategy, most: int | None, candidates: int | None
) -> None:
    plan = AssistPlan(strategy=strategy, images_a_round=50, maximum_candidates=most)

    assert plan.candidates == candidates


def test_a_round_replaces_itself_in_the_record() -> None:
    assist = Assist("a", PLAN, "digits_label_assist/run").with_round(replace(DONE, number=2)).with_round(DONE)

    changed = assist.with_round(replace(DONE, asked=3))

    assert [each.number for each in changed.rounds] == [1, 2]
    assert (changed.round(1) or DONE).asked == 3
    assert from_json(Assist, to_json(changed)) == changed
