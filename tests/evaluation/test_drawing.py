"""Boxes over a picture: a document that is well formed whatever the labels are, and in which all of them are text."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest

from custom_labels.aws.predictions import Box, DetectedLabel
from custom_labels.evaluation.drawing import UNITS, DrawnBox, Mark, draw, found

SVG = "{http://www.w3.org/2000/svg}"
SIZE = (1200, 900)
HOSTILE = {
    "markup": "<script>alert(1)</script>",
    "quotes": "\" onload=\"alert(1)' x='",
    "a template": "{{ 7 * 7 }}{% raw %}",
    "a path": "../../etc/passwd",
    "long": "x" * 255,
    "controls": "a\x00b\x1bc\x07\ud800",
    "letters": "größe 数字 🙂 \u202eabc",
    "nothing": "",
}


def drawn(*labels: DetectedLabel, size: tuple[int, int] = SIZE, picture: str | None = None) -> ElementTree.Element:
    svg = draw(picture, size, found(labels), "\x00<title>")
    return ElementTree.fromstring(svg.encode("utf-8", "surrogatepass"))


def texts(svg: ElementTree.Element) -> list[str]:
    return [text.text or "" for text in svg.iter(f"{SVG}text")]


def label(name: str = "cup", box: tuple[float, float, float, float] | None = (0.1, 0.2, 0.3, 0.4)) -> DetectedLabel:
    return DetectedLabel(name, 87.4, Box(*box) if box else None)


def test_boxes_are_where_they_are_on_a_picture_of_any_size() -> None:
    for size in ((1200, 900), (400, 300)):
        svg = drawn(label(), size=size)
        rect = [svg.find(f"{SVG}g/{SVG}rect").get(side) for side in ("x", "y", "width", "height")]  # type: ignore[union-attr]

        assert svg.get("viewBox") == f"0 0 {UNITS:.1f} {UNITS * 3 / 4:.1f}"
        assert rect == ["64.0", "96.0", "192.0", "192.0"]
        assert texts(svg) == ["87 % cup"]


@pytest.mark.parametrize("name", HOSTILE.values(), ids=HOSTILE)
def test_a_drawing_is_well_formed_and_shows_a_label_as_text_when_it_is_hostile(name: str) -> None:
    svg = drawn(label(name), label(name, None))

    assert {element.tag for element in svg.iter()} == {f"{SVG}{tag}" for tag in ("svg", "g", "title", "rect", "text")}
    assert all(text.startswith(f"87 % {name[:5]}".replace("\x00", "\ufffd").rstrip()[:5]) for text in texts(svg))
    assert all(len(text) <= 40 for text in texts(svg))


@pytest.mark.parametrize(
    "box",
    [(-0.2, -0.3, 2, 2), (0.9, 0.95, 0.5, 0.5), (0.5, 0.5, 0, 0), (0, 0, 1, 1)],
    ids=["around all", "over the edge", "a point", "all of it"],
)
def test_the_text_of_a_box_is_on_the_picture_when_the_box_is_not(box: tuple[float, float, float, float]) -> None:
    [text] = drawn(label(box=box)).iter(f"{SVG}text")

    assert 0 <= float(text.get("x", "")) <= UNITS
    assert 0 < float(text.get("y", "")) <= UNITS * 3 / 4


def test_what_is_right_and_wrong_is_distinguished_without_colour() -> None:
    svg = draw(None, SIZE, [DrawnBox(mark, label(mark.value)) for mark in Mark], "")
    root = ElementTree.fromstring(svg)

    lines = {group.get("data-mark"): group.findall(f"{SVG}rect")[1] for group in root.iter(f"{SVG}g")}
    looks = {mark: (line.get("stroke-dasharray"), line.get("stroke-width")) for mark, line in lines.items()}
    assert len({looks[mark] for mark in ("truth", "hit", "miss", "false alarm")}) == 4
    assert sorted(texts(root)) == ["! 87 % false alarm", "87 % found", "✓ 87 % hit", "✗ miss"]


def test_labels_of_the_whole_picture_are_written_one_below_the_other() -> None:
    svg = drawn(label("cup", None), DetectedLabel("logo", 50))

    assert texts(svg) == ["87 % cup", "50 % logo"]
    assert len({text.get("y") for text in svg.iter(f"{SVG}text")}) == 2


def test_a_picture_is_within_the_drawing() -> None:
    picture = "data:image/jpeg;base64,AAAA"

    assert drawn(picture=picture).find(f"{SVG}image").get("href") == picture  # type: ignore[union-attr]
    assert drawn(picture="#other").find(f"{SVG}use").get("href") == "#other"  # type: ignore[union-attr]
