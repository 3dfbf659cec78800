"""The page of a decision: all that the record holds, readable, and nothing but text from outside."""

from __future__ import annotations

import base64
import io
import re
import struct
import zlib

import pytest
from PIL import Image

from custom_labels.evaluation.decision_page import SHOWN_FLIPS, decision_page, flips_to_show
from custom_labels.evaluation.thumbnail_records import shrink
from tests.kit.decision_records import image, make_record

HOSTILE = ["<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "{{ 7 * 7 }}", "größe 🙂"]


def test_the_page_tells_the_verdict_and_every_gate() -> None:
    record = make_record(["cat", "dog"], challenger_errors=0.5)

    page = decision_page(record, {})

    assert "Refused" in page
    assert record["headline"] in page
    assert page.count("<td>the same test images for both versions</td>") == 2
    assert record["same_images"]["digest"] in page
    assert "2 deleted, replaced or denied since the training" in page


def test_labels_and_keys_are_text_on_the_page_when_they_are_hostile() -> None:
    page = decision_page(make_record(HOSTILE), {})

    assert "<script" not in page
    assert "<img" not in page
    assert "{{ 7 * 7 }}" in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page


def test_the_page_needs_nothing_from_elsewhere() -> None:
    record = make_record(["cat", "dog"])
    picture = shrink(image()) or ""

    page = decision_page(record, {flip["image"]: picture for flip in flips_to_show(record)})

    assert "default-src 'none'" in page
    assert set(re.findall(r'(?:src|href)="([^"]{0,16})', page)) == {picture[:16]}


def test_only_the_first_images_are_shown_when_there_are_very_many() -> None:
    record = make_record(["cat", "dog"], images=600, champion_errors=0.5, challenger_errors=0.5)

    page = decision_page(record, {})

    assert page.count('class="flip"') == SHOWN_FLIPS
    assert f"The first {SHOWN_FLIPS} of {len(record['same_images']['flips'])} are shown" in page


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
        assert (small.format, small.size) == ("JPEG", (96, 48))


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
