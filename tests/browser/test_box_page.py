"""People draw and correct boxes in the worker portal: by mouse, by keyboard and by touch, and it comes out in S3."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from tests.browser.boxes import Drawing, answered, show
from tests.browser.conftest import PATIENCE_MS, Watch
from tests.browser.portal import Portal
from tests.browser.test_hostile_input import HOSTILE, unhurt
from tests.local_aws.box_pages import BOX, LABELS, OTHER, SIZE
from tests.local_aws.review_support import Reviews

IMAGE = {"height": SIZE[1], "width": SIZE[0]}
INSIDE = (80, 85)
"""A pixel inside of BOX."""


def place(box: dict[str, Any]) -> tuple[int, ...]:
    return box["left"], box["top"], box["width"], box["height"]


def near(box: dict[str, Any], *expected: float) -> bool:
    """Say whether a box is where the mouse has drawn it: a pixel of the screen is less than one of the picture."""
    return all(abs(side - wanted) <= 2 for side, wanted in zip(place(box), expected, strict=True))


def test_box_is_drawn_by_the_mouse(portal: Portal, reviews: Reviews) -> None:
    drawing = show(portal, reviews)
    drawing.drag((40, 60), (120, 110))

    expect(drawing.rows).to_have_count(1)
    expect(drawing.tags).to_have_text(["1 kestrel"])
    drawing.submit("1 box")
    answer = answered(reviews)
    [box] = answer["boundingBoxes"]
    assert list(box) == ["height", "label", "left", "top", "width"]
    assert box["label"] == "kestrel"
    assert near(box, 40, 60, 80, 50)
    assert answer["inputImageProperties"] == IMAGE
    assert "initialValueModified" not in answer


@pytest.mark.matrix
def test_second_box_is_drawn_while_the_first_is_selected(portal: Portal, reviews: Reviews) -> None:
    drawing = show(portal, reviews)
    drawing.drag((40, 60), (120, 110))
    portal.press("2")
    drawing.drag((300, 240), (200, 150))

    drawing.submit("2 boxes")
    first, second = answered(reviews)["boundingBoxes"]
    assert (first["label"], second["label"]) == ("quartz", "quartz")
    assert near(first, 40, 60, 80, 50)
    assert near(second, 200, 150, 100, 90)


def test_boxes_of_the_model_are_shown_and_submitted_as_they_are(portal: Portal, reviews: Reviews) -> None:
    drawing = show(portal, reviews, [BOX, OTHER])

    expect(drawing.shapes).to_have_count(2)
    expect(drawing.tags).to_have_text(["1 kestrel", "2 quartz"])
    drawing.submit("2 boxes")
    assert answered(reviews) == {
        "boundingBoxes": [BOX, OTHER],
        "inputImageProperties": IMAGE,
        "initialValueModified": False,
    }


def test_box_is_moved_by_the_mouse_and_stays_in_the_picture(portal: Portal, reviews: Reviews) -> None:
    drawing = show(portal, reviews, [BOX])
    drawing.click(INSIDE)
    drawing.drag(INSIDE, (180, 185))
    drawing.submit("1 box")

    answer = answered(reviews)
    assert near(answer["boundingBoxes"][0], 140, 160, 80, 50)
    assert answer["initialValueModified"] is True


@pytest.mark.matrix
def test_box_that_is_moved_over_the_edge_comes_back_as_a_whole(portal: Portal, reviews: Reviews) -> None:
    drawing = show(portal, reviews, [BOX])
    drawing.click(INSIDE)
    drawing.drag(INSIDE, (2, 298))
    drawing.submit("1 box")

    assert place(answered(reviews)["boundingBoxes"][0]) == (0, 250, 80, 50)


@pytest.mark.matrix
@pytest.mark.parametrize(
    ("grip", "to", "expected"),
    [
        ((120, 110), (160, 150), (40, 60, 120, 90)),
        ((40, 60), (20, 30), (20, 30, 100, 80)),
        ((120, 85), (150, 85), (40, 60, 110, 50)),
        ((40, 60), (-60, -60), (0, 0, 120, 110)),
    ],
    ids=["lower corner", "upper corner", "right side", "over the edge"],
)
def test_box_is_sized_by_the_mouse(
    portal: Portal,
    reviews: Reviews,
    grip: tuple[float, float],
    to: tuple[float, float],
    expected: tuple[float, float, float, float],
) -> None:
    drawing = show(portal, reviews, [BOX])
    drawing.click(INSIDE)
    drawing.drag(grip, to)
    drawing.submit("1 box")

    assert near(answered(reviews)["boundingBoxes"][0], *expected)


@pytest.mark.matrix
def test_box_gets_another_label_and_the_list_another_colour(portal: Portal, reviews: Reviews) -> None:
    drawing = show(portal, reviews, [BOX, OTHER])
    drawing.click(INSIDE)
    portal.categories.get_by_text("quartz").click()

    expect(drawing.tags).to_have_text(["1 quartz", "2 quartz"])
    drawing.page.get_by_label("Label of box 2").select_option("kestrel")
    drawing.submit("2 boxes")
    boxes = answered(reviews)["boundingBoxes"]
    assert boxes == [{**BOX, "label": "quartz"}, {**OTHER, "label": "kestrel"}]


@pytest.mark.parametrize("key", ["Delete", "Backspace", ""], ids=["Delete", "Backspace", "button"])
def test_box_is_deleted(portal: Portal, reviews: Reviews, key: str) -> None:
    drawing = show(portal, reviews, [BOX, OTHER])
    if key:
        drawing.click(INSIDE)
        portal.press(key)
    else:
        drawing.page.get_by_role("button", name="Delete box 1").click()

    expect(drawing.tags).to_have_text(["1 quartz"])
    expect(drawing.shapes).to_have_count(1)
    drawing.submit("1 box")
    assert answered(reviews)["boundingBoxes"] == [OTHER]


@pytest.mark.matrix
def test_deleted_box_comes_back_when_it_is_undone(portal: Portal, reviews: Reviews) -> None:
    drawing = show(portal, reviews, [BOX])
    drawing.click(INSIDE)
    portal.press("Delete")
    expect(drawing.rows).to_have_count(0)
    portal.press("Control+z")

    expect(drawing.tags).to_have_text(["1 kestrel"])
    drawing.submit("1 box")
    assert answered(reviews)["boundingBoxes"] == [BOX]


@pytest.mark.matrix
def test_moved_box_goes_back_when_it_is_undone(portal: Portal, reviews: Reviews) -> None:
    drawing = show(portal, reviews, [BOX])
    drawing.click(INSIDE)
    drawing.drag(INSIDE, (183, 187))
    expect(drawing.page.get_by_role("spinbutton", name="left")).not_to_have_value("40")
    portal.press("Control+z")

    expect(drawing.page.get_by_role("spinbutton", name="left")).to_have_value("40")
    drawing.submit("1 box")
    assert answered(reviews)["boundingBoxes"] == [BOX]


def test_boxes_are_in_pixels_of_the_upright_picture_when_exif_turns_it(portal: Portal, reviews: Reviews) -> None:
    upright = Image.new("RGB", (300, 400), "grey")
    exif = Image.Exif()
    exif[0x0112] = 6
    stored = io.BytesIO()
    upright.rotate(90, expand=True).save(stored, "JPEG", exif=exif)
    box = {"label": "quartz", "left": 10, "top": 350, "width": 280, "height": 40}
    drawing = show(portal, reviews, [box], stored.getvalue())

    drawing.submit("1 box")
    answer = answered(reviews)
    assert answer["inputImageProperties"] == {"height": 400, "width": 300}
    assert place(answer["boundingBoxes"][0]) == (10, 350, 280, 40)


def test_no_box_means_nothing_here(portal: Portal, reviews: Reviews) -> None:
    drawing = show(portal, reviews, [BOX])
    drawing.page.get_by_role("button", name="Delete box 1").click()
    expect(drawing.page.get_by_role("status")).to_have_text("No box")
    drawing.submit("nothing here")

    assert answered(reviews) == {"boundingBoxes": [], "inputImageProperties": IMAGE, "initialValueModified": True}


@pytest.mark.matrix
def test_click_that_slipped_is_no_box(portal: Portal, reviews: Reviews) -> None:
    drawing = show(portal, reviews)
    mouse = drawing.page.mouse
    x, y = drawing.at((200, 40))
    mouse.move(x, y)
    mouse.down()
    mouse.move(x + 3, y + 3)
    drawing.page.wait_for_timeout(400)
    mouse.up()

    expect(drawing.page.get_by_role("status")).to_have_text("No box")
    drawing.submit("nothing here")


def test_keyboard_alone_does_all_of_it(portal: Portal, reviews: Reviews) -> None:
    drawing = show(portal, reviews, [BOX])
    page = drawing.page
    portal.press("+")
    expect(page.get_by_role("button", name="Select box 2")).to_be_focused()
    expect(page.get_by_role("status")).to_have_text("2 boxes; box 2 is selected: kestrel")
    portal.press("2", "ArrowLeft", "ArrowLeft", "ArrowUp", "Shift+ArrowRight", "Shift+ArrowDown")
    # 400 x 300: a step is 4 pixels. The new box begins at 37.5 % and 2 % for the box that is there.
    expect(page.get_by_role("spinbutton", name="left")).to_have_value("150")
    portal.press("Tab", "Tab")
    expect(page.get_by_role("button", name="Delete box 2")).to_be_focused()
    portal.press("Tab")
    expect(page.get_by_role("spinbutton", name="left")).to_be_focused()
    page.keyboard.press("Control+a")
    page.keyboard.type("10")
    portal.press("Tab")
    expect(page.get_by_role("spinbutton", name="top")).to_be_focused()
    portal.press("Shift+Tab", "Shift+Tab", "Shift+Tab", "Shift+Tab", "Shift+Tab", "Shift+Tab")
    expect(page.get_by_role("status")).to_have_text("2 boxes; box 1 is selected: kestrel")
    page.get_by_role("button", name="Select box 1").focus()
    portal.press("Delete")
    expect(page.get_by_role("button", name="Select box 1")).to_be_focused()
    portal.press("Escape")
    page.locator("h2").click()
    portal.press("Enter")
    expect(page.get_by_text("Nothing to do")).to_be_visible()

    assert answered(reviews)["boundingBoxes"] == [
        {"height": 79, "label": "quartz", "left": 10, "top": 115, "width": 104}
    ]


@pytest.mark.matrix
def test_box_is_added_however_soon_after_the_page_begins(portal: Portal, reviews: Reviews) -> None:
    portal.page.add_init_script("performance.now = () => 100")
    drawing = show(portal, reviews)
    portal.press("+")
    expect(drawing.tags).to_have_text(["1 kestrel"])
    drawing.submit("1 box")


@pytest.mark.matrix
def test_arrows_keep_a_box_in_the_picture(portal: Portal, reviews: Reviews) -> None:
    drawing = show(portal, reviews, [{**BOX, "left": 2, "top": 1}])
    drawing.click((40, 26))
    portal.press("ArrowLeft", "ArrowUp")
    for _ in range(30):
        portal.press("Shift+ArrowLeft")
    drawing.submit("1 box")

    assert place(answered(reviews)["boundingBoxes"][0]) == (0, 0, 1, 50)


@pytest.mark.parametrize(
    "text",
    [pytest.param(text, id=name) for name, text in HOSTILE.items()] + [pytest.param("w" * 255, id="255 letters")],
)
def test_label_is_text_wherever_it_is_shown_when_it_is_hostile(portal: Portal, reviews: Reviews, text: str) -> None:
    drawing = show(portal, reviews, [{**BOX, "label": text}], labels=["kestrel", text], question=text)
    page = drawing.page

    assert portal.categories.locator("span").all_text_contents() == ["kestrel", text]
    assert drawing.tags.all_text_contents() == [f"1 {text}"]
    assert page.locator("h2").text_content() == text
    assert page.locator(".boxes option").all_text_contents() == ["kestrel", text]
    drawing.click(INSIDE)
    assert page.get_by_role("status").text_content() == f"1 box; box 1 is selected: {text}"
    assert unhurt(page)
    drawing.submit("1 box")
    assert answered(reviews)["boundingBoxes"] == [{**BOX, "label": text}]


@pytest.mark.parametrize(
    ("initial", "says"),
    [
        ([{**BOX, "label": "crow"}], "has a label that is not offered: crow"),
        ([{"label": "kestrel"}], "initial-value cannot be read"),
        ([None], "initial-value cannot be read"),
    ],
    ids=["label", "no place", "no box"],
)
def test_page_says_so_when_the_initial_boxes_cannot_be_shown(
    portal: Portal, reviews: Reviews, initial: list[Any], says: str
) -> None:
    drawing = show(portal, reviews, initial)
    expect(drawing.page.get_by_role("alert")).to_contain_text(says)
    expect(drawing.rows).to_have_count(0)


@pytest.mark.matrix
def test_initial_boxes_are_brought_into_the_picture(portal: Portal, reviews: Reviews) -> None:
    drawing = show(portal, reviews, [{"label": "kestrel", "left": -10, "top": 250.4, "width": 50, "height": 90}])
    drawing.submit("1 box")
    assert answered(reviews) == {
        "boundingBoxes": [{"height": 50, "label": "kestrel", "left": 0, "top": 250, "width": 40}],
        "inputImageProperties": IMAGE,
        "initialValueModified": False,
    }


@pytest.mark.matrix
def test_fifty_boxes_are_listed_and_submitted(portal: Portal, reviews: Reviews) -> None:
    many = [
        {"label": LABELS[n % 2], "left": 8 * (n % 10) * 5, "top": 60 * (n // 10), "width": 30, "height": 40}
        for n in range(50)
    ]
    drawing = show(portal, reviews, many)
    expect(drawing.rows).to_have_count(50)
    drawing.submit("50 boxes")
    assert answered(reviews)["boundingBoxes"] == many
    assert answered(reviews)["initialValueModified"] is False


@pytest.mark.matrix
def test_nothing_can_be_submitted_when_the_image_is_gone(portal: Portal, reviews: Reviews, watch: Watch) -> None:
    drawing = show(portal, reviews)
    reviews.aws.s3.delete_object(Bucket="images", Key="inbox/scene.png")
    drawing.page.reload()
    expect(drawing.page.get_by_role("alert")).to_have_text("The image could not be loaded.")
    drawing.page.get_by_role("button", name="Submit").click()
    assert reviews.loop()["HumanLoopStatus"] == "InProgress"
    assert [line for line in watch.trouble if "404" not in line] == []
    watch.trouble.clear()


@pytest.fixture
def phone(browser: Browser, watch: Watch, reviews: Reviews) -> Iterator[Page]:
    """A page as a phone shows it."""
    context = browser.new_context(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    context.set_default_timeout(PATIENCE_MS)
    watch.over(context)
    yield context.new_page()
    context.close()
    assert watch.trouble == []


@pytest.fixture
def touched(phone: Page, reviews: Reviews) -> Drawing:
    """The task on a phone, with one box."""
    return show(Portal(phone, reviews), reviews, [BOX])


@pytest.mark.matrix
def test_finger_draws_moves_and_sizes_boxes(touched: Drawing, reviews: Reviews) -> None:
    touched.swipe((200, 150), (250, 200), (300, 240))
    expect(touched.rows).to_have_count(2)
    touched.swipe((250, 195), (240, 190), (230, 185))
    expect(touched.page.get_by_role("status")).to_contain_text("box 2 is selected")
    touched.page.touchscreen.tap(*touched.at(INSIDE))
    expect(touched.page.get_by_role("status")).to_contain_text("box 1 is selected")
    touched.swipe((120, 110), (140, 130), (160, 150))
    touched.page.get_by_role("button", name="Submit: 2 boxes (Enter)").tap()
    expect(touched.page.get_by_text("Nothing to do")).to_be_visible()

    first, second = answered(reviews)["boundingBoxes"]
    assert near(first, 40, 60, 120, 90)
    assert near(second, 180, 140, 100, 90)


@pytest.mark.matrix
def test_phone_page_is_no_wider_than_the_phone_and_its_buttons_fit_a_finger(touched: Drawing) -> None:
    page = touched.page
    assert page.evaluate("() => [document.documentElement.scrollWidth, innerWidth]") == [390, 390]
    for button in [*page.locator(".choice button:visible").all(), *page.locator(".choice select:visible").all()]:
        box = button.bounding_box()
        assert box
        assert box["height"] >= 44, button.text_content()
