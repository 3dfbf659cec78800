"""The worker portal: people list, open and answer tasks, and nobody else can."""

from __future__ import annotations

import html
import json
import re
from typing import Any
from urllib.parse import urlencode
from urllib.request import urlopen

import pytest

from tests.local_aws.review_support import Reviews, send
from tests.local_aws.support import Aws, wait_for

PORTAL = "/_local_aws/work/"


@pytest.fixture
def reviews(aws: Aws) -> Reviews:
    return Reviews(aws)


def task_path(name: str = "loop", worker: str = "anna", region: str = "us-east-1") -> str:
    return f"{PORTAL}task?{urlencode({'worker': worker, 'region': region, 'loop': name})}"


def opened(reviews: Reviews, flow: str, *loops: str, **more: Any) -> None:
    """Start loops and wait until workers see them."""
    for name in loops:
        reviews.start(flow, name, **more)
    wait_for(lambda: all(f">{name}<" in send(reviews.aws, "GET", PORTAL)[1] for name in loops), True)


def form_of(page: str) -> dict[str, str]:
    """Return what the page sends back with an answer."""
    found = re.search(r'id="local-aws-task">(.*?)</script>', page)
    assert found, page
    return dict(json.loads(found[1]))


def answer(reviews: Reviews, name: str = "loop", worker: str = "anna", label: str = "dots") -> Any:
    """Open a task as a worker, answer it, and return what came back."""
    form = form_of(send(reviews.aws, "GET", task_path(name, worker))[1])
    return send(reviews.aws, "POST", f"{PORTAL}task", {**form, "answer": json.dumps({"shown": {"label": label}})})


def test_list_shows_open_tasks_and_where_to_start(reviews: Reviews) -> None:
    opened(reviews, reviews.flow(), "first", "second")
    page = send(reviews.aws, "GET", PORTAL)[1]
    assert "2 open tasks" in page
    assert page.index(">first<") < page.index(">second<")


def test_list_says_so_when_nothing_is_open(reviews: Reviews) -> None:
    status, page, _ = send(reviews.aws, "GET", PORTAL)
    assert (status, "Nothing to do" in page) == (200, True)


def test_task_page_is_the_flows_template_with_our_elements(reviews: Reviews) -> None:
    opened(reviews, reviews.flow(), "loop", guess="dots at 51 %")
    page = send(reviews.aws, "GET", task_path())[1]
    assert "Guess: dots at 51 %" in page
    assert "assets.crowd.aws" not in page
    assert '<script type="module" src="/_local_aws/work/crowd.js"></script>' in page
    categories = re.search(r'categories="([^"]*)"', page)
    assert categories
    assert json.loads(html.unescape(categories[1])) == ["dots", "bars", "None of the above"]


def test_input_is_shown_as_text_when_it_looks_like_html(reviews: Reviews) -> None:
    evil = "</script><script>alert(1)</script>\" onload='x'"
    opened(reviews, reviews.flow(), "loop", guess=evil, question=evil, labels=[evil])
    page = send(reviews.aws, "GET", task_path())[1]
    assert "alert(1)</script>" not in page
    assert "' onload" not in page.replace("&#39;", "")
    assert '" onload' not in page


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("crowd.js", "text/javascript"),
        ("boxes.js", "text/javascript"),
        ("portal.css", "text/css"),
        ("vendor/annotorious/annotorious.js", "text/javascript"),
        ("vendor/annotorious/annotorious.css", "text/css"),
    ],
)
def test_own_files_are_served(reviews: Reviews, name: str, kind: str) -> None:
    with urlopen(f"{reviews.aws.url}{PORTAL}{name}") as answer:
        assert answer.headers["Content-Type"] == f"{kind}; charset=utf-8"


@pytest.mark.parametrize("name", ["vendor/annotorious/LICENSE", "../pages.py", "vendor", "nothing.js"])
def test_other_files_are_not_served(reviews: Reviews, name: str) -> None:
    assert send(reviews.aws, "GET", f"{PORTAL}{name}")[0] == 404


def test_answer_completes_the_loop_and_leads_to_the_next_task(reviews: Reviews) -> None:
    opened(reviews, reviews.flow(), "first", "second")
    status, _, location = answer(reviews, "first", label="bars")
    assert (status, location) == (303, task_path("second"))
    assert reviews.loop("first")["HumanLoopStatus"] == "Completed"
    assert answer(reviews, "second")[2] == f"{PORTAL}?worker=anna"


def test_output_has_the_shape_of_a2i(reviews: Reviews) -> None:
    opened(reviews, reviews.flow(), "loop")
    answer(reviews)
    described = reviews.loop()
    uri = described["HumanLoopOutput"]["OutputS3Uri"]
    assert re.fullmatch(r"s3://images/out/flow/\d{4}(/\d\d){5}/loop/output\.json", uri)
    output = reviews.output()
    [given] = output["humanAnswers"]
    assert output["flowDefinitionArn"] == described["FlowDefinitionArn"]
    assert output["inputContent"]["question"] == "Which?"
    assert given["answerContent"] == {"shown": {"label": "dots"}}
    assert re.fullmatch(r"[0-9a-f]{16}", given["workerId"])
    assert given["timeSpentInSeconds"] >= 0
    assert given["submissionTime"] >= given["acceptanceTime"]


def test_loop_waits_until_as_many_answered_as_the_flow_asks(reviews: Reviews) -> None:
    opened(reviews, reviews.flow(TaskCount=2), "loop")
    answer(reviews, worker="anna", label="dots")
    assert reviews.loop()["HumanLoopStatus"] == "InProgress"
    assert "Nothing to do" in send(reviews.aws, "GET", f"{PORTAL}?worker=anna")[1]
    answer(reviews, worker="bert", label="bars")
    answers = reviews.output()["humanAnswers"]
    assert [one["answerContent"]["shown"]["label"] for one in answers] == ["dots", "bars"]
    assert len({one["workerId"] for one in answers}) == 2


def test_second_answer_of_a_worker_is_refused(reviews: Reviews) -> None:
    opened(reviews, reviews.flow(TaskCount=2), "loop")
    form = form_of(send(reviews.aws, "GET", task_path())[1])
    sent = {**form, "answer": "{}"}
    assert send(reviews.aws, "POST", f"{PORTAL}task", sent)[0] == 303
    status, page, _ = send(reviews.aws, "POST", f"{PORTAL}task", sent)
    assert (status, "answered this task before" in page) == (409, True)


def test_answer_is_refused_when_the_loop_has_ended(reviews: Reviews) -> None:
    opened(reviews, reviews.flow(), "loop")
    form = form_of(send(reviews.aws, "GET", task_path(worker="late"))[1])
    answer(reviews, worker="early")
    status, page, _ = send(reviews.aws, "POST", f"{PORTAL}task", {**form, "answer": "{}"})
    assert (status, "has ended meanwhile" in page) == (409, True)


def test_stopping_waits_for_a_worker_who_has_the_task_open(reviews: Reviews) -> None:
    reviews.aws.control.durations(loop_stop=0.5)
    opened(reviews, reviews.flow(), "loop")
    form = form_of(send(reviews.aws, "GET", task_path())[1])
    reviews.a2i.stop_human_loop(HumanLoopName="loop")
    assert send(reviews.aws, "GET", task_path(worker="bert"))[0] == 410
    assert send(reviews.aws, "POST", f"{PORTAL}task", {**form, "answer": "{}"})[0] == 303
    assert reviews.loop()["HumanLoopStatus"] == "Completed"


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"token": "0" * 64}, 403),
        ({"worker": "bert"}, 403),
        ({"loop": "other"}, 403),
        ({"loop": "nope"}, 404),
        ({"answer": "{"}, 400),
        ({"answer": "[]"}, 400),
        ({"answer": "[" * 100_000}, 400),
        ({"answer": '{"shown": {"label": "\\ud800"}}'}, 400),
        ({"answer": '{"shown": {"label": NaN}}'}, 400),
        ({"worker": "<b>"}, 400),
    ],
    ids=[
        *("no token", "another worker", "another task", "no task", "no JSON", "no object"),
        *("too many levels", "half a letter", "no number", "bad name"),
    ],
)
def test_answer_is_refused_when_it_is_not_the_pages_own(reviews: Reviews, changes: dict[str, str], status: int) -> None:
    opened(reviews, reviews.flow(), "loop", "other")
    form = {**form_of(send(reviews.aws, "GET", task_path())[1]), "answer": "{}", **changes}
    assert send(reviews.aws, "POST", f"{PORTAL}task", form)[0] == status
    assert reviews.loop()["HumanLoopStatus"] == "InProgress"


@pytest.mark.parametrize(
    "headers",
    [{"origin": "https://example.org"}, {"origin": "null"}, {"host": "example.org"}, {"origin": "http://localhost:1"}],
    ids=["another site", "hidden origin", "another host", "another port"],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_sender_is_refused_when_it_may_be_another_site(reviews: Reviews, method: str, headers: dict[str, str]) -> None:
    form = {"answer": "{}"} if method == "POST" else None
    status, page, _ = send(reviews.aws, method, f"{PORTAL}task", form, **headers)
    assert (status, "Only pages of this machine" in page) == (403, True)


def test_own_origin_may_answer(reviews: Reviews) -> None:
    opened(reviews, reviews.flow(), "loop")
    form = {**form_of(send(reviews.aws, "GET", task_path())[1]), "answer": "{}"}
    assert send(reviews.aws, "POST", f"{PORTAL}task", form, origin=reviews.aws.url)[0] == 303


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", f"{PORTAL}nope", 404),
        ("GET", f"{PORTAL}../control.py", 404),
        ("PUT", PORTAL, 405),
        ("GET", f"{PORTAL}task", 404),
    ],
)
def test_page_is_refused_when_there_is_none(reviews: Reviews, method: str, path: str, status: int) -> None:
    assert send(reviews.aws, method, path)[0] == status


def test_page_cannot_be_framed_or_kept(reviews: Reviews) -> None:
    with urlopen(f"{reviews.aws.url}{PORTAL}") as page:
        assert page.headers["X-Frame-Options"] == "DENY"
        assert page.headers["Cache-Control"] == "no-store"
