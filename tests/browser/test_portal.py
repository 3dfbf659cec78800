"""People answer tasks in the worker portal: what they see, click and press, and what comes out in S3."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import PATIENCE_MS, Watch
from tests.browser.portal import Portal, image_width, started
from tests.local_aws.review_support import LABELS, TEMPLATE, Reviews
from tests.local_aws.test_attributes import LISTS

WITH_NOTE = TEMPLATE.replace(
    "</crowd-form>",
    '<textarea name="note"></textarea><crowd-button form-action="submit">Send</crowd-button></crowd-form>',
)
DIGITS = [*"0123456789", "None of the above"]


def answers(reviews: Reviews, name: str = "loop") -> list[str]:
    """Return the labels that people chose, as S3 has them."""
    return [given["answerContent"]["shown"]["label"] for given in reviews.output(name)["humanAnswers"]]


def test_list_shows_open_tasks_and_a_click_opens_one(portal: Portal, reviews: Reviews) -> None:
    started(reviews, "first", "second", flow={"TaskTitle": "Which pattern?"})
    page = portal.list()
    expect(page.get_by_role("heading")).to_have_text("2 open tasks")
    expect(page.locator("td:nth-child(3)")).to_have_text(["first", "second"])
    page.get_by_role("row", name="second").get_by_role("link", name="Which pattern?").click()
    expect(page).to_have_url(re.compile("loop=second"))
    expect(page.get_by_role("heading", name="Which?")).to_be_visible()


@pytest.mark.matrix
def test_list_is_loaded_again_by_itself_when_nothing_is_open(portal: Portal, reviews: Reviews) -> None:
    flow = reviews.flow()
    page = portal.list()
    expect(page.get_by_text("Nothing to do")).to_be_visible()
    reviews.start(flow)
    expect(page.get_by_role("heading")).to_have_text("1 open task", timeout=PATIENCE_MS)


@pytest.mark.matrix
def test_image_is_displayed_large_when_it_is_small(portal: Portal, reviews: Reviews) -> None:
    started(reviews, "loop")
    portal.task()
    assert image_width(portal.image) == 96
    box = portal.image.bounding_box()
    assert box
    assert min(box["width"], box["height"]) > 400
    expect(portal.image).to_have_css("image-rendering", "pixelated")


@pytest.mark.matrix
def test_page_says_so_when_the_image_is_gone(portal: Portal, reviews: Reviews, watch: Watch) -> None:
    flow = reviews.flow()
    reviews.start(flow, content={"taskObject": "s3://images/gone.png", "labels": LABELS})
    portal.list().get_by_role("link", name="Start with the oldest").click()
    expect(portal.page.get_by_role("alert")).to_have_text("The image could not be loaded.")
    assert [line for line in watch.trouble if "404" not in line] == []
    watch.trouble.clear()


@pytest.mark.matrix
def test_guess_is_shown_above_the_image_when_the_template_has_it(portal: Portal, reviews: Reviews) -> None:
    started(reviews, "loop", guess="bars at 51 %")
    portal.task()
    guess, image = portal.page.get_by_text("Guess: bars at 51 %").bounding_box(), portal.image.bounding_box()
    assert guess
    assert image
    assert guess["y"] + guess["height"] <= image["y"]


@pytest.mark.parametrize(
    ("labels", "key", "label"),
    [
        (LABELS, "1", "dots"),
        (LABELS, "3", "None of the above"),
        (DIGITS, "7", "7"),
        (DIGITS, "0", "0"),
        (DIGITS, "a", "None of the above"),
        (["no", "B", "1"], "b", "B"),
        (["no", "B", "1"], "2", "no"),
        (["x", "X"], "1", "X"),
        ([f"label {n}" for n in range(40)], "z", "label 35"),
    ],
    ids=["first", "last", "digit", "zero", "beside digits", "letter", "first free", "letter twice", "many"],
)
def test_key_chooses_the_category_beside_it(
    portal: Portal, reviews: Reviews, labels: list[str], key: str, label: str
) -> None:
    started(reviews, "loop", labels=labels)
    portal.task()
    portal.press(key)
    expect(portal.chosen).to_have_text(f"{key}{label}")
    portal.press("Enter")
    expect(portal.page.get_by_text("Nothing to do")).to_be_visible()
    assert answers(reviews) == [label]


@pytest.mark.matrix
def test_key_without_a_category_changes_nothing(portal: Portal, reviews: Reviews) -> None:
    started(reviews, "loop")
    portal.task()
    portal.press("2", "4", "9", "x", "Tab", "Control+1")
    expect(portal.chosen).to_have_text("2bars")


@pytest.mark.matrix
def test_last_choice_counts_when_it_is_changed_before_enter(portal: Portal, reviews: Reviews) -> None:
    started(reviews, "loop")
    portal.task()
    portal.categories.nth(0).click()
    portal.press("3", "2", "Enter")
    expect(portal.page.get_by_text("Nothing to do")).to_be_visible()
    assert answers(reviews) == ["bars"]


def test_next_task_follows_at_once_and_after_the_last_the_list_is_empty(portal: Portal, reviews: Reviews) -> None:
    started(reviews, "first", "second", "third")
    page = portal.task("first")
    for name, left, key in (("first", 3, "1"), ("second", 2, "2"), ("third", 1, "3")):
        expect(page).to_have_url(re.compile(f"loop={name}"))
        expect(page.locator("header")).to_contain_text(f"{left} open, you are anna")
        expect(portal.categories).to_have_count(3)
        expect(portal.chosen).to_have_count(0)
        portal.press(key, "Enter")
    expect(page.get_by_role("heading")).to_have_text("0 open tasks")
    expect(page.get_by_text("Nothing to do: no task waits for you.")).to_be_visible()
    assert [answers(reviews, name) for name in ("first", "second", "third")] == [[label] for label in LABELS]


def test_mouse_alone_answers_a_task(portal: Portal, reviews: Reviews) -> None:
    started(reviews, "loop")
    page = portal.task()
    portal.categories.get_by_text("bars").click()
    expect(portal.chosen).to_have_text("2bars")
    page.get_by_role("button", name="Submit").click()
    expect(page.get_by_text("Nothing to do")).to_be_visible()
    assert answers(reviews) == ["bars"]


@pytest.mark.parametrize(
    "submit",
    [lambda portal: portal.press("Enter"), lambda portal: portal.page.get_by_role("button", name="Submit").click()],
    ids=["Enter", "button"],
)
def test_nothing_is_sent_when_nothing_is_chosen(
    portal: Portal, reviews: Reviews, submit: Callable[[Portal], Any]
) -> None:
    started(reviews, "loop")
    page = portal.task()
    submit(portal)
    expect(page.get_by_role("alert")).to_have_text("Choose a category first: click it, or press its key.")
    assert reviews.loop()["HumanLoopStatus"] == "InProgress"
    portal.press("1")
    expect(page.get_by_role("alert")).to_have_text("")


@pytest.mark.matrix
def test_keys_are_text_when_they_are_typed_into_a_field(portal: Portal, reviews: Reviews) -> None:
    started(reviews, "loop", flow={"template": WITH_NOTE})
    page = portal.task()
    portal.press("1")
    page.get_by_role("textbox").press_sequentially("2 or 3")
    expect(portal.chosen).to_have_text("1dots")
    portal.press("Tab", "Enter")
    expect(page.get_by_text("Nothing to do")).to_be_visible()
    [given] = reviews.output()["humanAnswers"]
    assert given["answerContent"] == {"shown": {"label": "dots"}, "note": "2 or 3"}


@pytest.mark.matrix
def test_button_of_the_template_replaces_ours(portal: Portal, reviews: Reviews) -> None:
    started(reviews, "loop", flow={"template": WITH_NOTE})
    page = portal.task()
    expect(page.get_by_role("button", name="Submit")).to_have_count(0)
    portal.categories.nth(1).click()
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_text("Nothing to do")).to_be_visible()
    assert answers(reviews) == ["bars"]


@pytest.mark.matrix
def test_loop_completes_when_as_many_people_answered_as_the_flow_asks(portal: Portal, reviews: Reviews) -> None:
    started(reviews, "loop", flow={"TaskCount": 2})
    portal.task()
    portal.press("1", "Enter")
    expect(portal.page.get_by_text("Nothing to do")).to_be_visible()
    assert reviews.loop()["HumanLoopStatus"] == "InProgress"
    bert = portal.another("bert")
    bert.task()
    bert.press("2", "Enter")
    expect(bert.page.get_by_text("Nothing to do")).to_be_visible()
    assert reviews.loop()["HumanLoopStatus"] == "Completed"
    assert answers(reviews) == ["dots", "bars"]


def test_answer_is_refused_in_words_when_the_loop_has_ended(portal: Portal, reviews: Reviews, watch: Watch) -> None:
    started(reviews, "loop")
    portal.task()
    bert = portal.another("bert")
    bert.task()
    bert.press("2", "Enter")
    expect(bert.page.get_by_text("Nothing to do")).to_be_visible()
    portal.press("1", "Enter")
    expect(portal.page.get_by_text("This task has ended meanwhile: it was answered by others")).to_be_visible()
    assert answers(reviews) == ["bars"]
    portal.page.get_by_role("link", name="All tasks").click()
    expect(portal.page.get_by_text("Nothing to do")).to_be_visible()
    assert [line for line in watch.trouble if "409" not in line] == []
    watch.trouble.clear()


@pytest.mark.matrix
def test_name_can_be_changed_in_the_list(portal: Portal, reviews: Reviews) -> None:
    started(reviews, "loop")
    page = portal.list()
    page.get_by_label("You are").fill("carla")
    page.get_by_role("button", name="Change").click()
    page.get_by_role("link", name="Start with the oldest").click()
    expect(page.locator("header")).to_contain_text("you are carla")


@pytest.mark.parametrize("name", ["an na", "<b>", ""], ids=["blank", "markup", "empty"])
def test_name_is_refused_in_the_list_when_no_worker_can_have_it(portal: Portal, name: str) -> None:
    page = portal.list()
    page.get_by_label("You are").fill(name)
    page.get_by_role("button", name="Change").click()
    assert page.evaluate("() => document.querySelector('input:invalid') !== null")
    expect(page).to_have_url(re.compile("worker=anna$"))


def with_categories(text: str) -> dict[str, Any]:
    """Return a flow whose page has its categories written out."""
    return {"template": TEMPLATE.replace("{{ task.input.labels | to_json | escape }}", html.escape(text))}


@pytest.mark.parametrize(("text", "expected"), LISTS[:-1])
def test_categories_are_offered_when_they_are_written_as_json_or_as_javascript(
    portal: Portal, reviews: Reviews, text: str, expected: list[str]
) -> None:
    started(reviews, "loop", flow=with_categories(text))
    portal.task()
    expect(portal.categories.locator("span")).to_have_text(expected)
    portal.categories.nth(1).click()
    portal.press("Enter")
    expect(portal.page.get_by_text("Nothing to do")).to_be_visible()
    assert answers(reviews) == [expected[1]]


@pytest.mark.matrix
def test_page_says_so_when_the_categories_cannot_be_read(portal: Portal, reviews: Reviews) -> None:
    started(reviews, "loop", flow=with_categories("[dots, bars]"))
    page = portal.task()
    expect(page.get_by_role("alert")).to_contain_text("The template's categories cannot be read: [dots, bars]")


@pytest.mark.matrix
def test_page_says_so_when_the_classifier_has_no_name(portal: Portal, reviews: Reviews) -> None:
    started(reviews, "loop", flow={"template": TEMPLATE.replace('name="shown"', "")})
    expect(portal.task().get_by_role("alert")).to_contain_text("crowd-image-classifier has no name")


@pytest.mark.matrix
def test_page_names_the_element_that_is_not_there(portal: Portal, reviews: Reviews) -> None:
    template = TEMPLATE.replace("</crowd-form>", '<crowd-polygon name="shapes"></crowd-polygon></crowd-form>')
    started(reviews, "loop", flow={"template": template})
    page = portal.task()
    expect(page.get_by_role("alert").filter(has_text="The element crowd-polygon is not there")).to_be_visible()
    portal.press("1", "Enter")
    expect(page.get_by_text("Nothing to do")).to_be_visible()
    assert answers(reviews) == ["dots"]
