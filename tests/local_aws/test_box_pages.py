"""Pages that ask for boxes or several labels: what the portal takes for an answer, and what is shipped for drawing."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path
from typing import Any

import pytest

from include.local_aws.boxes import Box
from include.local_aws.human_review import pages
from include.local_aws.human_review.attributes import read_value
from include.local_aws.human_review.questions import Kind, Question, find_elements
from tests.local_aws.box_pages import BOX, BOXES, SEVERAL, content, put_picture
from tests.local_aws.review_support import Reviews, send
from tests.local_aws.support import Aws
from tests.local_aws.test_portal import PORTAL, form_of, opened, task_path

VENDOR = Path(pages.__file__).parent / "static" / "vendor"
GIVEN = {"boundingBoxes": [BOX], "inputImageProperties": {"height": 300, "width": 400}}


@pytest.fixture
def reviews(aws: Aws) -> Reviews:
    made = Reviews(aws)
    put_picture(made)
    return made


def answer(reviews: Reviews, shown: Any) -> tuple[int, str]:
    """Answer the open task of the element "shown"; return the status and what the page says."""
    form = form_of(send(reviews.aws, "GET", task_path())[1])
    status, page, _ = send(reviews.aws, "POST", f"{PORTAL}task", {**form, "answer": json.dumps({"shown": shown})})
    return status, page


@pytest.mark.parametrize(
    "shown",
    [GIVEN, {**GIVEN, "boundingBoxes": []}, {**GIVEN, "boundingBoxes": [{**BOX, "left": -20, "width": 900.5}]}],
    ids=["a box", "nothing here", "outside of the image"],
)
def test_boxes_are_taken_as_they_are_sent(reviews: Reviews, shown: dict[str, Any]) -> None:
    opened(reviews, reviews.flow(template=BOXES), "loop", content=content())

    assert answer(reviews, shown)[0] == 303
    assert reviews.output()["humanAnswers"][0]["answerContent"] == {"shown": shown}


@pytest.mark.parametrize(
    ("shown", "says"),
    [
        (None, "needs a list &#39;boundingBoxes&#39;"),
        ({"boundingBoxes": 1}, "needs a list &#39;boundingBoxes&#39;"),
        ({"boundingBoxes": []}, "&#39;inputImageProperties&#39; needs the height and width"),
        ({**GIVEN, "inputImageProperties": {"height": 0, "width": 4}}, "needs the height and width"),
        ({**GIVEN, "boundingBoxes": [{**BOX, "label": "crow"}]}, "is no box with a label of the page"),
        ({**GIVEN, "boundingBoxes": [{**BOX, "label": ["kestrel"]}]}, "is no box with a label of the page"),
        ({**GIVEN, "boundingBoxes": [{**BOX, "width": 0}]}, "is no box with"),
        ({**GIVEN, "boundingBoxes": [{**BOX, "top": "1"}]}, "is no box with"),
        ({**GIVEN, "boundingBoxes": [{**BOX, "top": True}]}, "is no box with"),
        ({**GIVEN, "boundingBoxes": ["box"]}, "is no box with"),
    ],
)
def test_boxes_are_refused_when_no_page_can_have_sent_them(reviews: Reviews, shown: Any, says: str) -> None:
    opened(reviews, reviews.flow(template=BOXES), "loop", content=content())

    status, page = answer(reviews, shown)
    assert status == 400
    assert "The answer to the crowd-bounding-box &#39;shown&#39; is refused" in page
    assert says in page
    assert reviews.loop()["HumanLoopStatus"] == "InProgress"


def test_boxes_of_a_page_with_an_initial_value_say_whether_it_was_modified(reviews: Reviews) -> None:
    opened(reviews, reviews.flow(template=BOXES), "loop", content=content(initialValue=[BOX]))

    status, page = answer(reviews, GIVEN)
    assert (status, "initialValueModified" in page) == (400, True)
    assert answer(reviews, {**GIVEN, "initialValueModified": False})[0] == 303


@pytest.mark.parametrize(
    ("labels", "status"),
    [
        (["kestrel"], 303),
        (["quartz", "kestrel"], 303),
        (["None of these"], 303),
        ([], 400),
        (["crow"], 400),
        (["kestrel", "kestrel"], 400),
        ([None], 400),
        ([["kestrel"]], 400),
        ("kestrel", 400),
        (None, 400),
    ],
    ids=str,
)
def test_labels_are_taken_when_the_page_offers_them(reviews: Reviews, labels: Any, status: int) -> None:
    opened(reviews, reviews.flow(template=SEVERAL), "loop", content=content())

    assert answer(reviews, {"labels": labels})[0] == status


def test_page_that_cannot_be_read_takes_no_answer_and_says_why(reviews: Reviews) -> None:
    template = BOXES.replace("{{ task.input.labels | to_json | escape }}", "[kestrel]")
    opened(reviews, reviews.flow(template=template), "loop", content=content())

    status, page = answer(reviews, GIVEN)
    assert (status, "cannot be answered" in page) == (400, True)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{ text: 'None of the above' }", {"text": "None of the above"}),
        ('[{label: "a,] b:", left: 1.5,},]', [{"label": "a,] b:", "left": 1.5}]),
        ("[{'label': 'it\\'s', \"top\" : 2}]", [{"label": "it's", "top": 2}]),
        ("null", None),
        ("[]", []),
    ],
)
def test_values_are_read_as_aws_pages_write_them(text: str, expected: Any) -> None:
    assert read_value(text) == expected


def test_questions_are_what_the_elements_ask() -> None:
    page = """<crowd-bounding-box name="a" src="http://h:1/b/x%20y.png?z" labels="['p','q']"
      initial-value="[{label: 'p', left: 1, top: 2, width: 3, height: 4.5}]"></crowd-bounding-box>
      <crowd-image-classifier-multi-select name="b" categories='["p"]' exclusion-category="{ text: 'None' }">"""

    first, second = (element.question() for element in find_elements(page))

    box = Box("p", 1, 2, 3, 4.5)
    assert first == Question("a", "s3://b/x y.png", ("p", "q"), Kind.BOXES, initial=(box,))
    assert second == Question("b", "s3:/", ("p",), Kind.CHOICES, exclusion="None")


@pytest.mark.parametrize(
    "attributes",
    ["labels='[]'", "name='x' initial-value='[1]'", "name='x' initial-value='{}'", "name='x' initial-value='[{]'"],
)
def test_question_is_refused_when_it_cannot_be_read(attributes: str) -> None:
    [element] = find_elements(f"<crowd-bounding-box {attributes}>")
    with pytest.raises(ValueError, match=r"."):
        element.question()


def test_annotator_is_the_package_that_its_readme_says() -> None:
    readme = (VENDOR / "annotorious" / "README.md").read_text()
    said = {name: digest for digest, name in re.findall(r"`([0-9a-f]{64})` (\S+)", readme)}

    assert said == {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in (VENDOR / "annotorious").iterdir()
        if path.suffix in {".js", ".css"}
    }
    assert "BSD 3-Clause" in (VENDOR / "annotorious" / "LICENSE").read_text()
