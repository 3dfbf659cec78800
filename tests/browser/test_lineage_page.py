"""The pages of lineage in a real browser: the form looks an image up without scripts, and hostile keys are text."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

import pytest
from playwright.sync_api import Page, Route, expect

from custom_labels.s3.store import S3Store
from tests.browser.test_hostile_input import HOSTILE, unhurt
from tests.kit.lineage import ONE, V1, V2, Lineage, reviewed
from tests.kit.support import BUCKET, picture, s3
from tests.local_aws.review_support import Reviews
from tests.web.test_pages import server, token

if TYPE_CHECKING:
    from include.local_aws.process import LocalAws

__all__ = ["server"]

LINEAGE = "/custom-labels/digits/lineage"
KEY = f"images_for_detection/{HOSTILE['script']} {HOSTILE['attribute']}.png"


@pytest.fixture
def lineage(aws: LocalAws, reviews: Reviews) -> Lineage:
    """A project whose labels mean ill; an image of its inbox was detected, reviewed and trained on."""
    s3(aws).create_bucket(Bucket=BUCKET)
    made = Lineage(S3Store(BUCKET, region_name="us-east-1"), ONE)
    made.put(range(60), ("cat", HOSTILE["handler"].replace("/", "")))
    made.train(V1)
    made.bucket.put(KEY, picture("rows", 1))
    made.detect(KEY, V1, label=HOSTILE["entities"], reason=HOSTILE["an end"])
    reviewed(made, KEY, "cat", "dog", "cat")
    made.train(V2, champion=V1, said=lambda _: HOSTILE["letters"])
    return made


@pytest.fixture
def shown(page: Page, reviews: Reviews, lineage: Lineage, server: Any) -> Iterator[Page]:
    """The page with the form, as Airflow's API server answers it to a user who is logged in."""

    def answer(route: Route) -> None:
        address = urlsplit(route.request.url)
        found = server.get(f"{address.path}?{address.query}", headers=token("VIEWER"))
        route.fulfill(status=found.status_code, headers=dict(found.headers), body=found.content)

    page.route("**/custom-labels/**", answer)
    page.goto(f"{reviews.aws.url}{LINEAGE}")
    yield page
    assert unhurt(page)


def test_a_person_looks_an_image_up_by_the_form(shown: Page) -> None:
    shown.get_by_label("Key below").fill(KEY)
    shown.get_by_role("button", name="Look up").click()

    expect(shown.locator("h2 > bdi")).to_have_text(KEY)
    expect(shown.get_by_label("Key below")).to_have_value(KEY)
    expect(shown.locator("h3 > a")).to_have_text([V2, V1])
    drawn = shown.locator("img.thumbnail").bounding_box()
    assert drawn is not None
    assert (drawn["width"], drawn["height"]) == (96, 96)


def test_a_person_follows_an_image_to_a_version_and_back(shown: Page, reviews: Reviews) -> None:
    # Not by the form: what Playwright leaves in a page that a form led to is blocked when it clicks there.
    shown.goto(f"{reviews.aws.url}{LINEAGE}?image={quote(KEY, safe='')}")
    shown.get_by_role("link", name=V2).click()
    expect(shown.locator("h1")).to_have_text(V2)
    shown.get_by_role("link", name="Next").click()
    expect(shown.get_by_text("Page 2 of 2")).to_be_visible()
    shown.locator("tbody a").last.click()
    expect(shown.locator("h2 > bdi").first).to_contain_text("images_labeled_by_folder/")
    assert shown.locator("script, iframe").count() == 0


def test_an_image_that_is_not_known_is_said_beside_the_form(shown: Page, watch: Any) -> None:
    shown.get_by_label("Key below").fill(HOSTILE["one quote"])
    shown.get_by_role("button", name="Look up").click()

    expect(shown.get_by_text("Nothing is known of")).to_be_visible()
    expect(shown.get_by_label("Key below")).to_have_value(HOSTILE["one quote"])
    watch.trouble.clear()  # the browser says that the answer is 404


@pytest.mark.parametrize("width", [1280, 360])
def test_no_page_is_wider_than_the_screen(shown: Page, reviews: Reviews, width: int) -> None:
    shown.set_viewport_size({"width": width, "height": 800})
    shown.get_by_label("Key below").fill(KEY)
    shown.get_by_role("button", name="Look up").click()
    expect(shown.locator("h3").first).to_be_visible()

    assert shown.evaluate("() => document.documentElement.scrollWidth") <= width
    shown.goto(f"{reviews.aws.url}{LINEAGE}/{V2}")
    assert shown.evaluate("() => document.documentElement.scrollWidth") <= width
