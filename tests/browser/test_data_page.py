"""The page of the training data in a real browser: hostile labels and keys are text, and it fits narrow screens."""

from __future__ import annotations

from dataclasses import replace

import pytest
from playwright.sync_api import Page

from custom_labels.datasets.annotations.annotation import Box
from custom_labels.datasets.inspection.inspection import (
    InspectedLabel,
    Inspection,
    NearDuplicates,
    Problem,
    SizeCount,
    Suspect,
)
from custom_labels.s3.store import S3Store
from custom_labels.web.app import HEADERS
from custom_labels.web.data_page import data_page
from tests.browser.test_hostile_input import HOSTILE, unhurt
from tests.kit.support import picture
from tests.local_aws.review_support import Reviews

NAMES = [*HOSTILE.values(), "a label without a space and wider than a telephone:" + "x" * 180]
SEEN = "images_labeled_by_folder/rows/0001.png"


@pytest.fixture
def found() -> Inspection:
    """An inspection in which whatever comes from outside means ill."""
    suspects = [Suspect(f"images/{name}", "e", name, NAMES[0], 0.01, 0.98) for name in NAMES]
    missing = Suspect(SEEN, "e", NAMES[1], None, 0.1, 0.9, Problem.MISSING, Box(NAMES[1], 1, 2, 30, 40))
    return Inspection(
        "0" * 64,
        40,
        1,
        tuple(InspectedLabel(name, 40, 30, 10, 3, 1, 0.9, "", (SEEN, f"images/{name}")) for name in NAMES),
        (SizeCount(128, 30), SizeCount(256, 10)),
        (NearDuplicates((SEEN, f"images/{NAMES[0]}"), 3, tuple(NAMES), is_test=True),),
        1,
        3,
        1,
        (missing, *suspects),
        len(suspects) + 1,
    )


@pytest.fixture
def shown(page: Page, reviews: Reviews, store: S3Store, found: Inspection) -> Page:
    """The page as a browser shows it, served as Airflow serves it."""
    store.call("put_object", SEEN, Body=picture("rows", 1))
    address = f"{reviews.aws.url}/data.html"
    headers = {"Content-Type": "text/html; charset=utf-8", **HEADERS}
    page.route(address, lambda route: route.fulfill(body=data_page("digits", store, found), headers=headers))
    page.goto(address)
    return page


def test_keys_and_labels_are_shown_as_they_are_when_they_are_hostile(shown: Page) -> None:
    assert shown.locator("tbody").nth(1).locator("th > bdi").all_text_contents() == NAMES
    assert shown.locator("script, iframe, form").count() == 0
    assert shown.locator("img").count() == 2 + len(NAMES)  # a suspect, one of the group, an example a label
    links = shown.locator("a").evaluate_all("all => all.map(each => each.getAttribute('href'))")
    assert all(each.startswith("/custom-labels/digits/lineage?image=") for each in links)
    assert shown.evaluate("[...document.images].every(each => each.naturalWidth > 0)")
    assert unhurt(shown)


@pytest.mark.parametrize("width", [1280, 360])
def test_the_page_is_as_wide_as_the_screen(shown: Page, width: int) -> None:
    shown.set_viewport_size({"width": width, "height": 800})

    assert shown.evaluate("document.documentElement.scrollWidth") <= width


def test_a_page_without_findings_says_so(found: Inspection, store: S3Store) -> None:
    text = data_page("digits", store, replace(found, suspects=(), groups=(), labels=()))

    assert "No label is doubtful." in text
    assert "<img" not in text
