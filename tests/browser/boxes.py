"""A task with boxes as a person meets it: the picture, the boxes on it, and the list beside it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from playwright.sync_api import Locator, expect

from tests.browser.portal import Portal, started
from tests.local_aws.box_pages import BOXES, KEY, SIZE, content, put_picture
from tests.local_aws.review_support import Reviews

Point = tuple[float, float]


class Drawing:
    """The open task of a portal, with places in pixels of the picture."""

    def __init__(self, portal: Portal) -> None:
        self.portal = portal
        self.page = portal.page

    @property
    def rows(self) -> Locator:
        """The boxes in the list."""
        return self.page.locator(".boxes li")

    @property
    def shapes(self) -> Locator:
        """The boxes on the picture."""
        return self.page.locator(".a9s-annotationlayer .a9s-inner")

    @property
    def tags(self) -> Locator:
        """The numbers and labels beside the boxes on the picture."""
        return self.page.locator(".tags span")

    def at(self, point: Point) -> Point:
        """Return where a pixel of the picture is on the page."""
        box = self.portal.image.bounding_box()
        assert box
        return box["x"] + point[0] / SIZE[0] * box["width"], box["y"] + point[1] / SIZE[1] * box["height"]

    def drag(self, *points: Point) -> None:
        """Press the mouse on the first point, and let it go on the last."""
        mouse = self.page.mouse
        mouse.move(*self.at(points[0]))
        mouse.down()
        for point in points[1:]:
            mouse.move(*self.at(point), steps=5)
        mouse.up()

    def click(self, point: Point) -> None:
        """Click a pixel of the picture."""
        self.page.mouse.click(*self.at(point))

    def swipe(self, *points: Point) -> None:
        """Touch the first point, and lift the finger at the last; on a page that is made for touch."""
        session = self.page.context.new_cdp_session(self.page)
        places = [self.at(point) for point in points]
        for kind, place in zip(["touchStart", *["touchMove"] * (len(places) - 1)], places, strict=True):
            touches = [{"x": place[0], "y": place[1]}]
            session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": touches})
        session.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})

    def submit(self, summary: str) -> None:
        """Click the button that says what is submitted."""
        self.page.get_by_role("button", name=f"Submit: {summary} (Enter)").click()
        expect(self.page.get_by_text("Nothing to do")).to_be_visible()


def show(
    portal: Portal,
    reviews: Reviews,
    initial: Sequence[dict[str, Any]] | None = None,
    picture: bytes | None = None,
    **more: Any,
) -> Drawing:
    """Start a loop over the picture, and open its page.

    :param picture: another one, as a file.
    """
    if picture is None:
        put_picture(reviews)
    else:
        reviews.aws.put(KEY, picture)
    wanted = more if initial is None else {**more, "initialValue": list(initial)}
    started(reviews, "loop", flow={"template": BOXES}, content=content(**wanted))
    portal.task()
    expect(portal.page.locator(".a9s-annotationlayer")).to_be_visible()
    return Drawing(portal)


def answered(reviews: Reviews) -> dict[str, Any]:
    """Return the answer to the loop, as S3 has it."""
    [given] = reviews.output()["humanAnswers"]
    return dict(given["answerContent"]["shown"])
