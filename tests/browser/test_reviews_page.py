"""The page of reviews as numbers in a real browser: hostile labels and ids are text, and it fits narrow screens."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page

from custom_labels.review.statistics import HarvestedDay, OpenReviews, ReviewStatistics, make_statistics
from custom_labels.review.statistics_page import statistics_page
from custom_labels.review.tally import Tally
from custom_labels.web.app import HEADERS
from tests.browser.test_hostile_input import HOSTILE, unhurt
from tests.local_aws.review_support import Reviews

LONG = "a label without a space and longer than a telephone is wide:" + "x" * 180
NAMES = [*HOSTILE.values(), LONG]


@pytest.fixture
def statistics() -> ReviewStatistics:
    """Numbers about labels and by reviewers that all mean ill; the first reviewer is far off."""
    hundred = dict.fromkeys(NAMES, 100)
    tally = Tally(
        answers=hundred,
        judged=hundred,
        against={NAMES[0]: 60},
        outcomes={"copied": 80, HOSTILE["script"]: 3},
        offered=hundred,
        chosen=dict.fromkeys(NAMES, 40),
        disputed=dict.fromkeys(NAMES, 12.0),
        guesses=dict.fromkeys(NAMES, 20),
        kept=dict.fromkeys(NAMES, 15),
        waits={"600": 3},
        guessed=20,
        unchanged=15,
    )
    backlog = OpenReviews("2026-11-20T12:00:00+00:00", 7, 3, "2026-11-18T12:00:00+00:00", "2026-11-20T12:00:00+00:00")
    return make_statistics(None, backlog, {HOSTILE["script"]: HarvestedDay((), tally)}, "run-1")


@pytest.fixture
def shown(page: Page, reviews: Reviews, statistics: ReviewStatistics) -> Page:
    """The page as a browser shows it, served as Airflow serves it."""
    address = f"{reviews.aws.url}/reviews.html"
    headers = {"Content-Type": "text/html; charset=utf-8", **HEADERS}
    page.route(address, lambda route: route.fulfill(body=statistics_page("digits", statistics), headers=headers))
    page.goto(address)
    return page


def test_labels_and_reviewers_are_shown_as_they_are_when_they_are_hostile(shown: Page) -> None:
    tables = shown.locator("tbody")

    assert tables.nth(0).locator("th > bdi").all_text_contents() == sorted(NAMES)
    assert tables.nth(1).locator("th > bdi").all_text_contents() == sorted(NAMES)
    assert shown.locator("script, iframe, form, a, img").count() == 0
    assert unhurt(shown)


def test_a_person_reads_what_waits_and_who_is_far_off(shown: Page) -> None:
    facts = dict(zip(shown.locator("dt").all_text_contents(), shown.locator("dd").all_text_contents(), strict=True))

    assert facts["Oldest open review"] == "2 days, since 2026-11-18 12:00:00 UTC"
    assert facts["Guesses that people kept"] == "75 % of the model's guesses on 20 doubtful images"
    far_off = shown.locator("tr", has_text="far off")
    assert far_off.locator("bdi").all_text_contents() == [NAMES[0]]
    assert "60 (60 %)" in far_off.inner_text()


@pytest.mark.parametrize("width", [1280, 360])
def test_the_page_is_not_wider_than_the_screen(shown: Page, width: int) -> None:
    shown.set_viewport_size({"width": width, "height": 800})

    assert shown.evaluate("() => document.documentElement.scrollWidth") <= width
