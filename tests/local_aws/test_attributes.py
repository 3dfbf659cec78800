"""Lists in the attributes of crowd elements are read as AWS's pages write them."""

from __future__ import annotations

import pytest

from include.local_aws.human_review.attributes import read_list
from tests.local_aws.review_support import TEMPLATE, Reviews
from tests.local_aws.support import Aws

LISTS = [
    pytest.param('["dots", "bars"]', ["dots", "bars"], id="JSON"),
    pytest.param("['dots', 'bars']", ["dots", "bars"], id="single quotes"),
    pytest.param("['dots',\n  \"bars\"]", ["dots", "bars"], id="both quotes"),
    pytest.param("['it\\'s', 'a \"b\"', \"c'd\"]", ["it's", 'a "b"', "c'd"], id="quotes inside"),
    pytest.param("['caf\\u00e9', 'a\\\\b', 'ü, [x]']", ["café", "a\\b", "ü, [x]"], id="escapes"),
    pytest.param("[0, 1.5, true]", ["0", "1.5", "true"], id="no texts"),
    pytest.param("[]", [], id="empty"),
]
"""What an attribute says and means; the browser's tests read the same."""


@pytest.mark.parametrize(("text", "expected"), LISTS)
def test_list_is_read_when_it_is_written_as_json_or_as_javascript(text: str, expected: list[str]) -> None:
    assert read_list(text) == expected


@pytest.mark.parametrize("text", ["dots, bars", "['dots'", "{'a': 1}", "['it's']", "[dots]", "['a',]"])
def test_list_is_refused_when_it_is_none(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        read_list(text)


def test_simulated_worker_answers_when_the_categories_have_single_quotes(aws: Aws) -> None:
    reviews = Reviews(aws)
    template = TEMPLATE.replace("{{ task.input.labels | to_json | escape }}", "['dots','bars']")
    aws.control.workforce(seconds=0)
    reviews.start(reviews.flow(template=template), label="bars")
    reviews.ended()
    assert [answer["answerContent"] for answer in reviews.output()["humanAnswers"]] == [{"shown": {"label": "bars"}}]
