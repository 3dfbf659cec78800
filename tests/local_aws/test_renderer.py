"""A worker page takes bounded time and memory, whatever its template does, and the next one is not hindered by it."""

from __future__ import annotations

import re
from collections.abc import Iterator

import psutil
import pytest

from include.local_aws.human_review.renderer import MEMORY_BYTES, Renderer
from include.local_aws.human_review.templates import PageOrder, TemplateError
from tests.local_aws.review_support import Reviews
from tests.local_aws.support import Aws

DOUBLE = "{% assign x = x | append: x %}"
MEGABYTE = "{% assign x = 'a' %}" + DOUBLE * 20
TOO_LONG = "took longer than 2 seconds"
TOO_LARGE = f"took more than 512 MB of memory|{TOO_LONG}"
SOON = f"(local namespace|output stream) limit reached|{TOO_LARGE}"
"""One of Liquid's own limits, if the machine is not too busy to get there."""


@pytest.fixture(scope="module")
def renderer() -> Iterator[Renderer]:
    found = Renderer(seconds=2)
    yield found
    found.stop()


def page(renderer: Renderer, template: str, task_input: object = None) -> str:
    return renderer.render(PageOrder(template, task_input, "http://127.0.0.1", "us-east-1"))


@pytest.mark.parametrize(
    ("template", "says"),
    [
        ("{% assign x = 'ab' %}" + DOUBLE * 40, SOON),
        ("{% capture x %}ab{% endcapture %}" + "{% capture x %}{{ x }}{{ x }}{% endcapture %}" * 40, SOON),
        ("{% assign x = 'a,b' | split: ',' %}" + DOUBLE.replace("append", "concat") * 40, SOON),
        ("{% assign x = 99999999 %}" + DOUBLE.replace("append", "times") * 40, TOO_LONG),
        (MEGABYTE + "{{ x | replace: 'a', x }}", TOO_LARGE),
        (MEGABYTE + "{{ x | split: '' | join: x }}", TOO_LARGE),
        ("{{ (1..9999999999) | join: ',' }}", TOO_LARGE),
        ("{% assign r = (1..99999999999) %}{% if r contains 'x' %}{% endif %}", TOO_LONG),
        ("{% for a in (1..1000) %}{% for b in (1..1000) %}{% endfor %}{% endfor %}", "loop iteration limit"),
        ("{% for a in (1..100000) %}" + "{% if true %}{% endif %}" * 3000 + "{% endfor %}", TOO_LONG),
        ("{% for a in (1..100000) %}" + "a" * 1000 + "{% endfor %}", SOON),
        ("{% assign x = 99999999 %}" + DOUBLE.replace("append", "times") * 12 + "{{ x }}", "4300 digits"),
        ("{{ '1e999999999' | ceil }}", "OverflowError"),
    ],
    ids=[
        *("doubled text", "doubled capture", "doubled list", "squared number", "replace", "join", "joined range"),
        *("search in a range", "nested loops", "long loop", "long page", "number of many digits", "infinity"),
    ],
)
def test_page_is_refused_with_a_reason_when_its_template_would_never_end(
    renderer: Renderer, template: str, says: str
) -> None:
    with pytest.raises(TemplateError, match=says):
        page(renderer, template)
    assert page(renderer, "{{ task.input }}", "next") == "next"


def test_process_stays_small_when_a_template_asks_for_gigabytes(renderer: Renderer) -> None:
    page(renderer, "warm")
    child = psutil.Process(renderer.process_id)
    before = child.memory_info().rss
    with pytest.raises(TemplateError):
        page(renderer, MEGABYTE + "{{ x | replace: 'a', x }}")
    page(renderer, "again")
    assert psutil.Process(renderer.process_id).memory_info().rss < before + MEMORY_BYTES


def test_next_page_is_rendered_when_the_process_was_killed(renderer: Renderer) -> None:
    page(renderer, "warm")
    psutil.Process(renderer.process_id).kill()
    psutil.Process(renderer.process_id).wait(10)
    assert page(renderer, "again") == "again"


def test_nothing_is_rendered_after_the_end() -> None:
    ended = Renderer()
    ended.stop()
    with pytest.raises(TemplateError, match="the process that renders ended"):
        page(ended, "x")


def test_loop_fails_and_others_go_on_when_a_template_would_never_end(aws: Aws) -> None:
    reviews = Reviews(aws)
    doubling, plain = reviews.flow("doubling", "{% assign x = 'ab' %}" + DOUBLE * 40), reviews.flow("plain")
    reviews.start(doubling, "never-ends")
    reviews.start(plain, "goes-on")
    failed = reviews.ended("never-ends", "Failed")
    assert failed["FailureCode"] == "ValidationError"
    assert re.search("Task failed to render: (local namespace limit|it took longer)", failed["FailureReason"])
    assert reviews.loop("goes-on")["HumanLoopStatus"] == "InProgress"


@pytest.mark.parametrize(
    "content",
    ['{"a": "\\ud800"}', '{"\\udfff": 1}', '{"a": NaN}', '{"a": 1e999}', '{"a": ' + "[" * 300 + "]" * 300 + "}"],
    ids=["half of a pair", "half of a pair in a name", "not a number", "infinity", "300 levels"],
)
def test_loop_is_refused_when_its_input_could_not_be_written_again(aws: Aws, content: str) -> None:
    reviews = Reviews(aws)
    flow = reviews.flow()
    with pytest.raises(reviews.a2i.exceptions.ValidationException, match="InputContent is not valid JSON"):
        reviews.start(flow, content=content)
    assert reviews.a2i.list_human_loops(FlowDefinitionArn=flow)["HumanLoopSummaries"] == []
