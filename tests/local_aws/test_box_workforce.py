"""Simulated people who draw boxes and choose several labels: by the truth, with their share of sloppiness."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from include.local_aws.human_review.questions import Kind, Question, read_box
from include.local_aws.human_review.workforce import Reply, Workforce
from tests.local_aws.box_pages import BOX, BOXES, LABELS, OTHER, SEVERAL, SIZE, URI, content, put_picture
from tests.local_aws.review_support import Reviews
from tests.local_aws.support import Aws, wait_for

DRAW = Question("shown", URI, tuple(LABELS), Kind.BOXES)
SEVERAL_LABELS = ("a", "b", "c")
CHOOSE = Question("shown", URI, SEVERAL_LABELS, Kind.CHOICES, exclusion="None of these")
GUESS = {"label": "quartz", "left": 1, "top": 2, "width": 30, "height": 40}


@pytest.fixture
def reviews(aws: Aws) -> Reviews:
    made = Reviews(aws)
    put_picture(made)
    return made


def shown(reviews: Reviews, name: str = "loop") -> list[dict[str, Any]]:
    return [given["answerContent"]["shown"] for given in reviews.output(name)["humanAnswers"]]


def draw(rules: Workforce, number: int = 0, question: Question = DRAW) -> Reply:
    reply = rules.answer(question, f"loop-{number}", "w", SIZE)
    assert reply
    return reply


@pytest.mark.parametrize("truth", [[BOX, OTHER], [BOX], []], ids=["two", "one", "nothing here"])
def test_boxes_are_drawn_where_the_objects_are(reviews: Reviews, truth: list[dict[str, Any]]) -> None:
    reviews.aws.control.workforce(truth={URI: truth}, seconds=0)
    reviews.start(reviews.flow(template=BOXES), content=content())
    reviews.ended()
    assert shown(reviews) == [
        {"boundingBoxes": truth, "inputImageProperties": {"height": SIZE[1], "width": SIZE[0]}},
    ]


def test_image_that_nobody_knows_of_shows_nothing(reviews: Reviews) -> None:
    reviews.aws.control.workforce(truth={}, seconds=0)
    reviews.start(reviews.flow(template=BOXES), content=content(initialValue=[BOX]))
    reviews.ended()
    assert shown(reviews)[0]["boundingBoxes"] == []
    assert shown(reviews)[0]["initialValueModified"] is True


@pytest.mark.parametrize(("initial", "modified"), [([OTHER, BOX], False), ([BOX], True), ([], True)])
def test_answer_says_whether_the_initial_boxes_were_modified(
    reviews: Reviews, initial: list[dict[str, Any]], modified: bool
) -> None:
    reviews.aws.control.workforce(truth={URI: [BOX, OTHER]}, seconds=0)
    reviews.start(reviews.flow(template=BOXES), content=content(initialValue=initial))
    reviews.ended()
    assert shown(reviews)[0]["initialValueModified"] is modified


def test_person_who_only_submits_leaves_the_boxes_as_they_are(reviews: Reviews) -> None:
    reviews.aws.control.workforce(truth={URI: [BOX]}, submit_share=1, seconds=0)
    reviews.start(reviews.flow(template=BOXES), content=content(initialValue=[GUESS]))
    reviews.ended()
    assert shown(reviews)[0]["boundingBoxes"] == [GUESS]
    assert shown(reviews)[0]["initialValueModified"] is False
    state = reviews.aws.control.workforce_state()
    assert (state["answered"], state["wrong"], state["only_submitted"]) == (1, 1, 1)


@pytest.mark.parametrize("truth", ["folder", {URI: "kestrel"}, {URI: ["kestrel"]}], ids=str)
def test_boxes_are_left_to_people_when_only_labels_are_known(reviews: Reviews, truth: Any) -> None:
    reviews.aws.control.workforce(truth=truth, seconds=0)
    reviews.start(reviews.flow(template=BOXES), content=content())
    wait_for(lambda: reviews.aws.control.workforce_state()["unanswerable"], 1)
    assert reviews.loop()["HumanLoopStatus"] == "InProgress"


def test_boxes_are_left_to_people_when_the_image_is_gone(reviews: Reviews) -> None:
    reviews.aws.control.workforce(truth={}, seconds=0)
    reviews.start(reviews.flow(template=BOXES), content=content(taskObject="s3://images/gone.png"))
    wait_for(lambda: reviews.aws.control.workforce_state()["unanswerable"], 1)


@pytest.mark.parametrize(
    ("truth", "expected"),
    [
        ({URI: ["quartz", "kestrel"]}, LABELS),
        ({URI: [BOX]}, ["kestrel"]),
        ({URI: "quartz"}, ["quartz"]),
        ({URI: ["crow"]}, ["None of these"]),
        ({}, ["None of these"]),
    ],
    ids=["two", "of boxes", "one", "not offered", "not known"],
)
def test_all_labels_that_fit_are_chosen(reviews: Reviews, truth: Any, expected: list[str]) -> None:
    reviews.aws.control.workforce(truth=truth, seconds=0)
    reviews.start(reviews.flow(template=SEVERAL), content=content())
    reviews.ended()
    assert shown(reviews) == [{"labels": expected}]


@pytest.mark.parametrize("rate", [0.0, 0.2, 1.0])
def test_share_of_sloppy_boxes_is_the_sloppy_rate(rate: float) -> None:
    rules = Workforce(truth={URI: [BOX]}, sloppy_rate=rate, seed=3)
    replies = [draw(rules, number) for number in range(1000)]
    kinds = Counter(_kind(reply.content["boundingBoxes"]) for reply in replies)

    assert 1 - kinds["right"] / 1000 == pytest.approx(rate, abs=0.04)
    assert sum(not reply.is_right for reply in replies) == 1000 - kinds["right"]
    for kind in ("edges", "label", "forgotten"):
        assert kinds[kind] / 1000 == pytest.approx(rate / 3, abs=0.05)


def _kind(drawn: list[dict[str, Any]]) -> str:
    if not drawn:
        return "forgotten"
    [box] = drawn
    if box == BOX:
        return "right"
    return "label" if box["label"] != BOX["label"] else "edges"


@pytest.mark.parametrize("box", [BOX, {**BOX, "left": 0, "top": 0, "width": 400, "height": 300}], ids=["inside", "all"])
def test_sloppy_boxes_stay_in_the_image(box: dict[str, Any]) -> None:
    rules = Workforce(truth={URI: [box]}, sloppy_rate=1)
    for number in range(300):
        for drawn in draw(rules, number).content["boundingBoxes"]:
            assert 0 <= drawn["left"] < drawn["left"] + drawn["width"] <= SIZE[0]
            assert 0 <= drawn["top"] < drawn["top"] + drawn["height"] <= SIZE[1]


def test_boxes_are_in_whole_pixels_when_the_truth_is_not() -> None:
    box = {"label": "kestrel", "left": 10.4, "top": 10.6, "width": 0.2, "height": 20.3}
    [drawn] = draw(Workforce(truth={URI: [box]})).content["boundingBoxes"]
    assert drawn == {"label": "kestrel", "left": 10, "top": 11, "width": 1, "height": 20}


def test_objects_whose_label_is_not_offered_are_not_drawn() -> None:
    reply = draw(Workforce(truth={URI: [{**BOX, "label": "crow"}, OTHER]}))
    assert (reply.content["boundingBoxes"], reply.is_right) == ([OTHER], True)


def test_same_seed_is_sloppy_in_the_same_way() -> None:
    def drawn(seed: int) -> list[object]:
        rules = Workforce(truth={URI: [BOX, OTHER]}, sloppy_rate=0.5, submit_share=0.2, seed=seed)
        return [draw(rules, number) for number in range(50)]

    assert drawn(1) == drawn(1)
    assert drawn(1) != drawn(2)


def test_share_of_people_who_only_submit_is_the_submit_share() -> None:
    question = Question("shown", URI, tuple(LABELS), Kind.BOXES, initial=(read_box(BOX),))
    rules = Workforce(truth={URI: [BOX]}, submit_share=0.3, seed=5)
    replies = [draw(rules, number, question) for number in range(1000)]
    assert sum(reply.only_submitted for reply in replies) / 1000 == pytest.approx(0.3, abs=0.04)
    assert all(reply.is_right for reply in replies)


@pytest.mark.parametrize("rate", [0.0, 0.3])
def test_share_of_wrong_label_lists_is_the_error_rate(rate: float) -> None:
    rules = Workforce(truth={URI: ["a", "b"]}, error_rate=rate, seed=2)
    replies = [draw(rules, number, CHOOSE) for number in range(1000)]
    wrong = [reply.content["labels"] for reply in replies if not reply.is_right]
    assert len(wrong) / 1000 == pytest.approx(rate, abs=0.04)
    assert all(len({"a", "b"} ^ set(labels)) == 1 for labels in wrong)


def test_worker_cannot_tell_when_no_label_fits_and_none_cannot_be_said() -> None:
    question = Question("shown", URI, SEVERAL_LABELS, Kind.CHOICES)
    assert Workforce(truth={}).answer(question, "loop", "w", None) is None
    chosen = Workforce(truth={}, none_label="c").answer(question, "loop", "w", None)
    assert chosen
    assert chosen.content == {"labels": ["c"]}
