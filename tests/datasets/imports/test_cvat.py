"""CVAT for images 1.1: a file as CVAT writes it, and every way to spoil one."""

from __future__ import annotations

from pathlib import Path

import pytest

from custom_labels.datasets.annotations.annotation import Code, ImageSize, Provenance
from custom_labels.datasets.imports.cvat import read
from custom_labels.datasets.imports.source import ImportCode
from tests.kit.local_source import LABELS, LocalSource, annotated, boxes, codes, read_all

HEAD = """<?xml version="1.0" encoding="utf-8"?>
<annotations>
  <version>1.1</version>
  <meta>
    <task>
      <id>4</id><name>segmentation</name><size>27</size><mode>annotation</mode><overlap>0</overlap><bugtracker></bugtracker>
      <flipped>False</flipped><created>2018-09-25 11:34:24.617558+03:00</created>
      <updated>2018-09-25 11:38:27.301183+03:00</updated>
      <labels>
        <label><name>car</name><attributes></attributes></label><label><name>dog</name><attributes></attributes></label>
      </labels>
      <owner><username>admin</username><email></email></owner>
    </task>
    <dumped>2018-09-26 11:39:00.2+03:00</dumped>
  </meta>
"""


def cvat(*images: str, head: str = HEAD) -> str:
    return f"{head}{''.join(images)}</annotations>"


def image(*shapes: str, name: str = "a.jpg", size: str = 'width="128" height="96"') -> str:
    return f'<image id="0" name="{name}" {size}>{"".join(shapes)}</image>\n'


def box(label: str = "car", sides: str = 'xtl="10.5" ytl="20.00" xbr="30.25" ybr="40"', more: str = "") -> str:
    return f'<box label="{label}" source="manual" occluded="0" {sides} z_order="0" {more}></box>'


REAL = [
    box(),
    """<polygon label="dog" source="manual" occluded="0" points="10.00,10.00;50.50,20.00;30.00,60.00" z_order="0">
    <attribute name="age">3</attribute></polygon>""",
    '<mask label="dog" source="semi-auto" occluded="0" rle="3, 5, 7" left="10" top="20" width="30" height="40"></mask>',
    '<ellipse label="car" source="manual" cx="50" cy="40" rx="10" ry="20"></ellipse>',
]


def test_a_file_of_cvat_is_read(tmp_path: Path) -> None:
    source = LocalSource(tmp_path).put("images/a.jpg").put("images/b/c.jpg")
    source.put("annotations.xml", cvat(image(*REAL), image(name="b/c.jpg")))

    found = annotated(read, source)

    assert boxes(found["images/a.jpg"]) == [
        ("car", 10.5, 20, 19.75, 20),
        ("dog", 10, 10, 40.5, 50),
        ("dog", 10, 20, 30, 40),
        ("car", 40, 20, 20, 40),
    ]
    assert found["images/a.jpg"].provenance == Provenance("2018-09-25T08:38:27.301183", "yes")
    assert (boxes(found["images/b/c.jpg"]), found["images/b/c.jpg"].size) == ([], ImageSize(128, 96))


def test_tags_are_labels_of_the_image(tmp_path: Path) -> None:
    source = LocalSource(tmp_path).put("images/a.jpg")
    source.put("annotations.xml", cvat(image('<tag label="dog" source="manual"></tag>', *REAL[:1])))

    assert annotated(read, source, LABELS)["images/a.jpg"].labels == ("dog",)
    assert annotated(read, source)["images/a.jpg"].labels == ("car",)
    source.put("annotations.xml", cvat(image('<tag label="dog" source="manual"></tag>')))
    assert [code for _, code in codes(read_all(read, source)[1])] == [Code.NO_LABEL_ATTRIBUTES]


def test_what_a_model_drew_alone_is_not_of_people(tmp_path: Path) -> None:
    source = LocalSource(tmp_path).put("a.jpg").put("a.xml", cvat(image(box().replace("manual", "auto"))))

    assert annotated(read, source)["a.jpg"].provenance.human_annotated == "no"


SHAPES = [
    (box(more='rotation="30.5"'), ImportCode.UNSUPPORTED_SHAPE),
    ('<polyline label="car" points="1,2;3,4;5,6"></polyline>', ImportCode.UNSUPPORTED_SHAPE),
    ('<points label="car" points="1,2"></points>', ImportCode.UNSUPPORTED_SHAPE),
    ('<cuboid label="car" xtl1="1"></cuboid>', ImportCode.UNSUPPORTED_SHAPE),
    ('<skeleton label="car"><points label="1" points="1,2"></points></skeleton>', ImportCode.UNSUPPORTED_SHAPE),
    (box("cat"), ImportCode.UNKNOWN_CLASS),
    (box(""), ImportCode.INVALID_ENTRY),
    (box("x" * 257), Code.INVALID_LABEL_NAME_LENGTH),
    (box(sides='xtl="1"'), ImportCode.INVALID_ENTRY),
    (box(sides='xtl="NaN" ytl="2" xbr="3" ybr="4"'), ImportCode.INVALID_ENTRY),
    (box(sides='xtl="30" ytl="20" xbr="10" ybr="40"'), Code.BOUNDING_BOX_TOO_SMALL),
    (box(sides='xtl="30" ytl="20" xbr="300" ybr="40"'), Code.INVALID_BOUNDING_BOX),
    ('<polygon label="car" points="1,2;3,4"></polygon>', ImportCode.INVALID_ENTRY),
    ('<polygon label="car" points="1,2;3;5,6"></polygon>', ImportCode.INVALID_ENTRY),
]
IMAGES = [
    (image(box(), name="missing.jpg"), ImportCode.IMAGE_NOT_FOUND),
    (image(box(), name="../../a.jpg"), ImportCode.INVALID_ENTRY),
    (image(box(), name="/data/a.jpg"), ImportCode.INVALID_ENTRY),
    (image(box(), name=""), ImportCode.INVALID_ENTRY),
    (image(box(), size='width="many" height="96"'), ImportCode.INVALID_ENTRY),
    (image(box(), size='width="12.5" height="96"'), Code.INVALID_IMAGE_DIMENSION),
    ('<track id="0" label="car"><box frame="0" xtl="1"></box></track>', ImportCode.UNSUPPORTED_SHAPE),
]


def test_every_error_is_named_and_none_stops_the_others(tmp_path: Path) -> None:
    source = LocalSource(tmp_path).put("a.jpg").put("b.jpg")
    shapes = image(box(), *(shape for shape, _ in SHAPES), box())
    source.put("a.xml", cvat(shapes, *(each for each, _ in IMAGES), image(box(), name="b.jpg")))

    found, unusable = read_all(read, source)

    assert [len(each.annotation.boxes) for each in found] == [2, 1]
    assert [code for _, code in codes(unusable)] == [code for _, code in [*SHAPES, *IMAGES]]
    assert all(each.where.startswith("a.xml ") and each.detail for each in unusable)


@pytest.mark.parametrize(
    ("content", "taken"),
    [
        pytest.param(cvat(image(box()), image(box(), name="b.jpg"))[:-60], 1, id="cut off"),
        pytest.param("<annotation/>", 0, id="another format"),
        pytest.param("", 0, id="empty"),
        pytest.param('<!DOCTYPE a [<!ENTITY a "ha">]>' + cvat(head="<annotations>"), 0, id="entities"),
        pytest.param(cvat(image(box()), image(box("x" * 9_000_000), name="b.jpg")), 1, id="an image without end"),
        pytest.param(cvat(image(box())).encode() + b"\xff", 1, id="something behind the end"),
    ],
)
def test_a_spoilt_file_ends_in_a_finding(tmp_path: Path, content: str | bytes, taken: int) -> None:
    source = LocalSource(tmp_path).put("a.jpg").put("b.jpg").put("a.xml", content)

    found, unusable = read_all(read, source)

    assert (len(found), codes(unusable)) == (taken, [("a.xml", ImportCode.UNREADABLE_FILE)])
