"""The page of a decision: all that the record holds, readable, and nothing but text from outside."""

from __future__ import annotations

import base64
import io
import re
import struct
import zlib

import pytest
from PIL import Image

from custom_labels.core.project_task import ProjectTask
from custom_labels.datasets.annotations.annotation import Box
from custom_labels.evaluation.box_answers import BoxAnswer
from custom_labels.evaluation.decision_page import SHOWN_FLIPS, decision_page, flips_to_show
from custom_labels.evaluation.flip_view import label_chips, view_flip
from custom_labels.evaluation.precision_recall import MOST_PANELS, panels
from custom_labels.evaluation.thumbnail_records import shrink
from custom_labels.evaluation.verdicts import VerdictChange
from tests.kit.decision_records import SIZE, image, make_record

HOSTILE = ["<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "{{ 7 * 7 }}", "größe 🙂", "../" * 85]


def test_the_page_tells_the_verdict_and_every_gate() -> None:
    record = make_record(["cat", "dog"], challenger_errors=0.5)

    page = decision_page(record, {})

    assert "Refused" in page
    assert record["headline"] in page
    assert page.count("<td>the same test images for both versions</td>") == 2
    assert record["same_images"]["digest"] in page
    assert "2 deleted, replaced or denied since the training" in page


@pytest.mark.parametrize("task", ProjectTask)
def test_labels_and_keys_are_text_on_the_page_when_they_are_hostile(task: ProjectTask) -> None:
    page = decision_page(make_record(HOSTILE, task=task), {})

    assert "<script" not in page
    assert "<img" not in page
    assert "{{ 7 * 7 }}" in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page


@pytest.mark.parametrize("task", ProjectTask)
def test_the_page_needs_nothing_from_elsewhere(task: ProjectTask) -> None:
    record = make_record(["cat", "dog"], task=task)
    picture = shrink(image()) or ""

    page = decision_page(record, {flip["image"]: picture for flip in flips_to_show(record)})

    assert "default-src 'none'" in page
    used = set(re.findall(r'(?:src|href)="([^"]{0,16})', page))
    assert {each for each in used if not each.startswith("#picture-")} == {picture[:16]}


def test_only_the_first_images_are_shown_when_there_are_very_many() -> None:
    record = make_record(["cat", "dog"], images=600, champion_errors=0.5, challenger_errors=0.5)

    page = decision_page(record, {})

    assert page.count('class="flip"') == SHOWN_FLIPS
    assert f"The first {SHOWN_FLIPS} of {len(record['same_images']['flips'])} are shown" in page


def test_regressions_are_shown_first_and_of_boxes_too() -> None:
    record = make_record(["cat", "dog"], task=ProjectTask.OBJECT_DETECTION, champion_errors=0.3, challenger_errors=0.3)

    page = decision_page(record, {})

    changes = re.findall(r'aria-label="Image \d+ of \d+: ([a-z ]+)"', page)
    ranked = [change.value for change in VerdictChange]
    assert changes == sorted(changes, key=ranked.index)
    assert set(changes) == set(ranked)
    first = page[page.index("<article") : page.index("</article>")]
    boxes = re.findall(r"<td>(?:<span class=\"\w+\"><span[^>]*>.</span> ([a-z ]+)</span>|both right)</td>", first)
    assert boxes[0] == "regression"


def test_each_versions_boxes_are_drawn_with_the_truth() -> None:
    actual = (Box("cat", 10, 10, 40, 40), Box("dog", 100, 10, 40, 40))
    wrong = (actual[0], Box("dog", 200, 100, 40, 40, 0.7))
    first, second = (BoxAnswer("s3://b/k", SIZE, actual, predicted) for predicted in (actual, wrong))
    flip = first.flip_to(second)
    assert flip is not None

    view = view_flip(flip, "data:image/jpeg;base64,AAAA", 3)

    assert 'aria-label="Champion: 2 hit, 0 miss, 0 false alarm"' in view.drawings["Champion"]
    assert 'aria-label="Challenger: 1 hit, 1 miss, 1 false alarm"' in view.drawings["Challenger"]
    marks = {who: re.findall(r'data-mark="([a-z ]+)"', drawing) for who, drawing in view.drawings.items()}
    assert sorted(marks["Champion"]) == ["hit", "hit", "truth", "truth"]
    assert sorted(marks["Challenger"]) == ["false alarm", "hit", "miss", "truth"]
    assert view.drawings["Champion"].count("data:image") == 1
    assert 'href="#picture-3"' in view.drawings["Challenger"]


@pytest.mark.parametrize(
    ("actual", "predicted", "chips"),
    [
        (["cat"], ["cat"], [("cat", "hit")]),
        (["cat", "dog"], ["cow", "dog"], [("dog", "hit"), ("cat", "miss"), ("cow", "false alarm")]),
        ([], ["cow"], [("cow", "false alarm")]),
        (["cat"], [], [("cat", "miss")]),
        ([], [], []),
    ],
    ids=["right", "all three", "nothing shown", "nothing predicted", "nothing at all"],
)
def test_labels_are_chips(actual: list[str], predicted: list[str], chips: list[tuple[str, str]]) -> None:
    assert label_chips(actual, predicted) == chips


def test_a_curve_is_drawn_a_label_and_version() -> None:
    record = make_record(["cat", "dog"], task=ProjectTask.OBJECT_DETECTION)

    drawn = panels(record)

    assert [panel.label for panel in drawn] == ["cat", "dog"]
    assert [[line.who for line in panel.lines] for panel in drawn] == [["champion", "challenger"]] * 2
    recall = record["same_images"]["challenger"]["labels"]["cat"]["recall"]
    assert drawn[0].lines[1].words.endswith(f"recall {recall:.3f}")


def test_only_the_curves_of_the_weakest_labels_are_drawn_where_labels_are_many() -> None:
    drawn = panels(make_record([f"label {n:03}" for n in range(60)]))

    assert len(drawn) == MOST_PANELS


def test_the_challengers_own_curve_is_drawn_where_nothing_else_is_known() -> None:
    drawn = panels(make_record(["cat", "dog"], is_first=True))

    assert [[line.who for line in panel.lines] for panel in drawn] == [["challenger"]] * 2


@pytest.mark.parametrize(
    ("labels", "words"),
    [(25, 'class="matrix"'), (26, "<th>Predicted</th>")],
    ids=["a matrix", "a list where labels are many"],
)
def test_the_confusion_is_readable(labels: int, words: str) -> None:
    page = decision_page(make_record([f"label {n}" for n in range(labels)]), {})

    assert words in page


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"is_first": True}, "none serves yet"),
        ({"why_not": "the champion v1 is STOPPED"}, "different test images: the champion v1 is STOPPED"),
    ],
    ids=["no champion", "own evaluations"],
)
def test_the_page_says_what_was_compared(options: dict[str, object], words: str) -> None:
    assert words in decision_page(make_record(["cat", "dog"], **options), {})  # type: ignore[arg-type]


@pytest.mark.parametrize("file_format", ["PNG", "JPEG"])
def test_a_thumbnail_is_a_small_jpeg(file_format: str) -> None:
    uri = shrink(image(1600, 800, file_format)) or ""

    with Image.open(io.BytesIO(base64.b64decode(uri.removeprefix("data:image/jpeg;base64,")))) as small:
        assert (small.format, small.size) == ("JPEG", (480, 240))


def bomb(side: int = 30_000) -> bytes:
    """Give a PNG of some bytes that says of itself that it is huge."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    "body",
    [b"", b"<svg onload=alert(1)>", image()[:200], bomb(), bomb(5000)],
    ids=["nothing", "no image", "cut off", "a bomb", "too large"],
)
def test_there_is_no_thumbnail_of_what_is_no_image(body: bytes) -> None:
    assert shrink(body) is None
