"""The worker portal as a person meets it: the list, a task, its categories and its image."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import Locator, Page, expect

from tests.local_aws.review_support import Reviews, send
from tests.local_aws.support import wait_for

PATH = "/_local_aws/work/"


class Portal:
    """One person's view of the portal in a page of a browser."""

    def __init__(self, page: Page, reviews: Reviews, worker: str = "anna") -> None:
        self.page = page
        self.reviews = reviews
        self.worker = worker

    def another(self, worker: str) -> Portal:
        """Return the portal of another person, in another page of the same profile."""
        return Portal(self.page.context.new_page(), self.reviews, worker)

    def list(self) -> Page:
        """Go to the list of open tasks."""
        self.page.goto(f"{self.reviews.aws.url}{PATH}?worker={self.worker}")
        return self.page

    def task(self, name: str = "loop") -> Page:
        """Go to a task by clicking it in the list."""
        self.list().get_by_role("row", name=name).get_by_role("link").click()
        expect(self.image).to_be_visible()
        return self.page

    def press(self, *keys: str) -> None:
        """Press one key after another."""
        for key in keys:
            self.page.keyboard.press(key)

    @property
    def image(self) -> Locator:
        """The image to look at."""
        return self.page.get_by_role("img")

    @property
    def categories(self) -> Locator:
        """The buttons of the categories."""
        return self.page.locator(".categories").get_by_role("button")

    @property
    def chosen(self) -> Locator:
        """The category that is chosen."""
        return self.page.locator(".categories").get_by_role("button", pressed=True)


def image_width(image: Locator) -> int:
    """Return the width in pixels of the file that an image shows, 0 if it shows none."""
    return int(image.evaluate("async image => { await image.decode().catch(() => {}); return image.naturalWidth; }"))


def started(reviews: Reviews, *loops: str, flow: dict[str, Any] | None = None, **content: Any) -> None:
    """Start loops of a new flow, oldest first, and wait until people see them.

    :param flow: members of the flow's HumanLoopConfig, and ``template``.
    :param content: members of the loops' input.
    """
    arn = reviews.flow(**(flow or {}))
    for name in loops:
        reviews.start(arn, name, **content)
    wait_for(lambda: all(f">{name}<" in send(reviews.aws, "GET", PATH)[1] for name in loops), True)
