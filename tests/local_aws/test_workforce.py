"""The simulated workforce: answers by the truth, errs at its rate, takes its time, and can be told to stop."""

from __future__ import annotations

import datetime as dt
import time
from typing import Any

import pytest

from include.local_aws.human_review.questions import Question
from include.local_aws.human_review.workforce import Workforce
from include.local_aws.process import LocalAwsError
from tests.local_aws.review_support import LABELS, Reviews
from tests.local_aws.support import BUCKET, Aws, wait_for

QUESTION = Question("shown", "s3://b/inbox/dots/x.png", tuple(LABELS))


@pytest.fixture
def reviews(aws: Aws) -> Reviews:
    return Reviews(aws)


def labels(reviews: Reviews, name: str = "loop") -> list[str]:
    return [answer["answerContent"]["shown"]["label"] for answer in reviews.output(name)["humanAnswers"]]


@pytest.mark.parametrize(
    ("rules", "folder", "expected"),
    [
        ({"truth": "folder"}, "bars", "bars"),
        ({"truth": "folder"}, "rows", "None of the above"),
        ({"truth": {f"s3://{BUCKET}/inbox/bars/loop.png": "dots"}}, "bars", "dots"),
        ({"truth": {}}, "bars", "None of the above"),
        ({"truth": "folder", "error_rate": 1}, "bars", "dots"),
    ],
    ids=["folder", "label not offered", "map", "not in the map", "error"],
)
def test_answer_follows_the_truth(reviews: Reviews, rules: dict[str, Any], folder: str, expected: str) -> None:
    reviews.aws.control.workforce(**{"seconds": 0, **rules})
    reviews.start(reviews.flow(), label=folder)
    reviews.ended()
    assert labels(reviews) == [expected]


def test_loops_that_were_open_before_are_answered_too(reviews: Reviews) -> None:
    reviews.start(reviews.flow())
    time.sleep(0.2)
    reviews.aws.control.workforce(seconds=0)
    reviews.ended()


def test_as_many_workers_answer_as_the_flow_asks(reviews: Reviews) -> None:
    reviews.aws.control.workforce(seconds=0, workers=3)
    reviews.start(reviews.flow(TaskCount=3))
    reviews.ended()
    assert len({answer["workerId"] for answer in reviews.output()["humanAnswers"]}) == 3
    assert reviews.aws.control.workforce_state()["answered"] == 3


def test_worker_does_one_task_at_a_time(reviews: Reviews) -> None:
    reviews.aws.control.workforce(seconds=0.4, workers=1)
    flow = reviews.flow()
    answers = []
    started = time.monotonic()
    for name in ("first", "second"):
        reviews.start(flow, name)
    for name in ("first", "second"):
        reviews.ended(name)
        answers += reviews.output(name)["humanAnswers"]
    assert time.monotonic() - started >= 0.8
    earlier, later = sorted(dt.datetime.fromisoformat(answer["submissionTime"]) for answer in answers)
    assert (later - earlier).total_seconds() > 0.39  # the times are cut to milliseconds
    assert [answer["timeSpentInSeconds"] for answer in answers] == [pytest.approx(0.4)] * 2


def test_loop_expires_when_nobody_answers(reviews: Reviews) -> None:
    reviews.aws.control.workforce(seconds=0, never_share=1)
    reviews.start(reviews.flow(TaskAvailabilityLifetimeInSeconds=1))
    assert reviews.ended(status="Failed")["FailureCode"] == "Expired"
    assert reviews.aws.control.workforce_state()["ignored"] == 1


def test_page_without_a_known_element_is_left_to_people(reviews: Reviews) -> None:
    reviews.aws.control.workforce(seconds=0)
    reviews.start(reviews.flow(template="<crowd-form><input name='x'></crowd-form>"))
    wait_for(lambda: reviews.aws.control.workforce_state()["unanswerable"], 1)
    assert reviews.loop()["HumanLoopStatus"] == "InProgress"


@pytest.mark.parametrize(
    "attributes",
    [
        "categories='" + "[" * 100_000 + "'",
        "categories='[NaN]'",
        "categories='7'",
        "src='http://[' categories='[1]'",
    ],
    ids=["too many levels", "no number", "no list", "no address"],
)
def test_page_that_cannot_be_read_is_left_to_people_and_the_next_is_answered(reviews: Reviews, attributes: str) -> None:
    reviews.aws.control.workforce(seconds=0)
    reviews.start(reviews.flow("odd", template=f"<crowd-image-classifier name='x' {attributes}>"), "odd")
    wait_for(lambda: reviews.aws.control.workforce_state()["unanswerable"], 1)
    reviews.start(reviews.flow("even"), "even")
    reviews.ended("even")
    assert reviews.loop("odd")["HumanLoopStatus"] == "InProgress"


def test_nothing_more_is_answered_when_dismissed(reviews: Reviews) -> None:
    reviews.aws.control.workforce(seconds=2)
    reviews.start(reviews.flow())
    time.sleep(0.2)
    reviews.aws.control.dismiss_workforce()
    time.sleep(2)
    assert reviews.loop()["HumanLoopStatus"] == "InProgress"
    assert reviews.aws.control.workforce_state() == {"employed": False}


def test_workforce_is_dismissed_by_reset(reviews: Reviews) -> None:
    reviews.aws.control.workforce(seconds=0)
    reviews.aws.control.reset()
    assert reviews.aws.control.workforce_state() == {"employed": False}


@pytest.mark.parametrize("error_rate", [0.0, 0.1, 0.5])
def test_share_of_wrong_answers_is_the_error_rate(error_rate: float) -> None:
    rules = Workforce(error_rate=error_rate, seed=7)
    choices = [rules.choose(QUESTION, f"loop-{number}", "w") for number in range(2000)]
    wrong = sum(choice == ("bars", False) for choice in choices)
    assert wrong / 2000 == pytest.approx(error_rate, abs=0.03)
    assert all(choice in (("bars", False), ("dots", True)) for choice in choices)


def test_same_seed_errs_on_the_same_loops() -> None:
    def errors(seed: int) -> list[object]:
        return [Workforce(error_rate=0.5, seed=seed).choose(QUESTION, f"l{n}", "w") for n in range(50)]

    assert errors(1) == errors(1)
    assert errors(1) != errors(2)


def test_worker_cannot_tell_when_neither_truth_nor_none_is_offered() -> None:
    question = Question("shown", "s3://b/rows/x.png", ("dots", "bars"))
    assert Workforce().choose(question, "loop", "w") is None


@pytest.mark.parametrize(
    ("rules", "says"),
    [
        ({"error_rate": 1.1}, "'error_rate' of the workforce is 1.1"),
        ({"never_share": True}, "'never_share' of the workforce is True"),
        ({"seconds": -1}, "'seconds' of the workforce is -1"),
        ({"workers": 0}, "'workers' of the workforce is 0"),
        ({"truth": "file"}, "'truth' of the workforce is 'file'"),
        ({"truth": {"s3://b/k": 1}}, "'truth' of the workforce"),
        ({"truth": {"s3://b/k": ["a", 1]}}, "'truth' of the workforce"),
        ({"truth": {"s3://b/k": [{"label": "a", "left": 0, "top": 0, "width": 0, "height": 1}]}}, "a list of boxes"),
        ({"truth": {"s3://b/k": [{"label": "a", "left": 0}]}}, "a list of boxes"),
        ({"sloppy_rate": 2}, "'sloppy_rate' of the workforce is 2"),
        ({"submit_share": "half"}, "'submit_share' of the workforce is 'half'"),
        ({"speed": 1}, "unknown members ['speed']"),
    ],
)
def test_workforce_is_refused_with_a_reason_when_wrong(reviews: Reviews, rules: dict[str, Any], says: str) -> None:
    with pytest.raises(LocalAwsError) as raised:
        reviews.aws.control.workforce(**rules)
    assert says in str(raised.value)
