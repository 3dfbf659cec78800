"""The package's own review page in a browser: what a person sees of a request, and what comes back of their answer."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Page, expect

from custom_labels.review.review import Purpose, ReviewRequest
from tests.browser.portal import PATH, Portal, image_width
from tests.kit.review_project import ReviewProject, make_request, open_one, wait_until_ended
from tests.kit.review_requests import labels_of
from tests.kit.support import SIDE

if TYPE_CHECKING:
    from include.local_aws.process import LocalAws

HOSTILE = '"><img src=x onerror=alert(1)><script>alert(2)</script>{{ task.input.key }}'


@pytest.fixture
def portal(page: Page, review_project: ReviewProject, portal: Portal) -> Portal:
    """The portal, once the review is set up."""
    return portal


def show(review_project: ReviewProject, portal: Portal, request: ReviewRequest) -> Page:
    """Open a review and its page."""
    open_one(review_project.backend, request)
    expect(portal.list().get_by_role("row", name=request.name)).to_be_visible()
    return portal.task(request.name)


def test_a_person_sees_the_image_the_guess_and_the_instructions(
    aws: LocalAws, review_project: ReviewProject, portal: Portal
) -> None:
    page = show(review_project, portal, make_request(aws))

    assert image_width(portal.image) == SIDE
    expect(page.get_by_text("The model says columns, 43 % sure.")).to_be_visible()
    expect(page.get_by_text("Choose the digit that somebody wrote here.")).to_be_visible()
    expect(page.get_by_role("heading", name="Which digit is this?")).to_be_visible()
    expect(portal.categories).to_contain_text(["columns", "rows", "None of the above"])


@pytest.mark.parametrize(("place_of_label", "label"), [(1, "rows"), (2, None)], ids=["a label", "none of the above"])
def test_an_answer_by_mouse_and_key_is_read(
    aws: LocalAws, review_project: ReviewProject, portal: Portal, place_of_label: int, label: str | None
) -> None:
    request = make_request(aws)
    page = show(review_project, portal, request)

    portal.categories.nth(place_of_label).click()
    portal.press("Enter")

    expect(page).to_have_url(re.compile(PATH))
    wait_until_ended(review_project, request.name)
    state = review_project.backend.status(request.name)
    assert state is not None
    answered = review_project.backend.answers(state)
    assert answered is not None
    assert labels_of(answered) == [label]


def test_an_audit_hides_the_guess(aws: LocalAws, review_project: ReviewProject, portal: Portal) -> None:
    page = show(review_project, portal, make_request(aws, purpose=Purpose.AUDIT))

    expect(page.get_by_text("Choose the digit that somebody wrote here.")).to_be_visible()
    expect(page.get_by_text("The model")).to_have_count(0)


def test_hostile_labels_are_text(aws: LocalAws, review_project: ReviewProject, portal: Portal) -> None:
    page = show(review_project, portal, make_request(aws, guess=HOSTILE, labels=(HOSTILE, "rows")))

    expect(page.locator("#guess strong")).to_have_text(HOSTILE)
    expect(portal.categories.first).to_contain_text(HOSTILE)
    expect(page.get_by_role("img")).to_have_count(1)
