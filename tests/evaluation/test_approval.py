"""What a person is asked before a version serves, and what is kept of the answer."""

from __future__ import annotations

from typing import Any

import pytest

from custom_labels.core.codec import from_json, to_json
from custom_labels.core.live_version import Candidate
from custom_labels.evaluation.approval import Approval, ask, markdown
from custom_labels.evaluation.judgement import AfterJudging, Judgement

REASON, CHAMPION = "F1 0.9 reaches the minimum of 0.8", "arn:v1"
CANDIDATE = Candidate("arn:project/digits/1", "v2", "arn:v2", "d" * 64, 0.9, ("seven",), champion_arn=CHAMPION)
JUDGED = Judgement(AfterJudging.ASK, CANDIDATE, passed=True, reason=REASON, headline="F1 0.9, champion 0.8")


def gate(**more: Any) -> dict[str, Any]:
    facts = {"metric": "f1", "label": None, "value": 0.9, "champion": None, "bound": 0.8, "passed": True}
    return {**facts, "gate": {"at_least": 0.8, "at_most": None}, **more}


def approval(**more: Any) -> Approval:
    facts = {"approved": True, "by": "ann", "at": "2026-11-20T12:00:00+00:00", "comment": "", "hours": 24, "run": "r"}
    return Approval(**{**facts, "reason": REASON, "champion_arn": CHAMPION, **more})


ANSWERS = [
    ("approved", {}, "approved by ann"),
    ("rejected", {"approved": False, "comment": "too many 7s"}, "rejected by ann: too many 7s"),
    ("timed out", {"approved": False, "by": None}, "no answer came within 24 hours, which counts as a rejection"),
]


@pytest.mark.parametrize(("facts", "words"), [case[1:] for case in ANSWERS], ids=[case[0] for case in ANSWERS])
def test_an_answer_is_a_sentence_and_reads_back_as_it_was_written(facts: dict[str, Any], words: str) -> None:
    given = approval(**facts)

    assert given.sentence == words
    assert from_json(Approval, to_json(given)) == given


@pytest.mark.parametrize(
    ("reason", "champion_arn", "covers"),
    [(REASON, CHAMPION, True), (REASON, "arn:v0", False), ("F1 0.7", CHAMPION, False)],
    ids=["the same question", "another champion", "another verdict"],
)
def test_an_answer_counts_for_the_question_that_was_asked_only(reason: str, champion_arn: str, covers: bool) -> None:
    assert approval().covers(reason, champion_arn) is covers


def test_the_question_shows_gates_versions_flips_and_leads_to_the_page() -> None:
    decision = {
        "champion": {"version_name": "v1"},
        "gates": [gate(), gate(label="seven", champion=0.7, bound=0.65)],
        "same_images": {"flips": [{"change": "regression"}, {"change": "regression"}, {"change": "improvement"}]},
    }

    body = ask(JUDGED, decision, "/custom-labels/digits/decisions/v2", 24)

    assert "| f1 | all labels | 0.900 |  | at least 0.800 | holds |" in body
    assert "| f1 | seven | 0.900 | 0.700 | at least 0.650 | holds |" in body
    assert "regression: 2; improvement: 1" in body
    assert "](/custom-labels/digits/decisions/v2)" in body
    assert "It would replace **v1**" in body


def test_the_first_version_is_asked_about_without_a_champion() -> None:
    assert "No version serves yet" in ask(JUDGED, {}, "/page", 1)


def test_a_hostile_label_is_shown_and_does_nothing() -> None:
    label = "a|b](javascript:alert(1))\n<img src=x onerror=alert(1)>`"

    body = ask(JUDGED, {"gates": [gate(label=label)]}, "/page", 1)

    row = next(line for line in body.splitlines() if "holds" in line)
    assert r"a\|b\]\(javascript:alert\(1\)\) \<img src=x onerror=alert\(1\)\>\`" in row
    assert markdown("# 1. *x*") == r"\# 1\. \*x\*"
