"""Pascal VOC: a file as the data set has it, every way to spoil one, and XML that is meant to do harm."""

from __future__ import annotations

from pathlib import Path

from custom_labels.datasets.annotations.annotation import Code, ImageSize
from custom_labels.datasets.imports.pascal_voc import read
from custom_labels.datasets.imports.source import UNDATED, ImportCode
from tests.kit.local_source import LABELS, LocalSource, annotated, boxes, codes, read_all

REAL = """<annotation>
	<folder>VOC2012</folder>
	<filename>2007_000027.jpg</filename>
	<source><database>The VOC2007 Database</database><image>flickr</image></source>
	<size><width>486</width><height>500</height><depth>3</depth></size>
	<segmented>0</segmented>
	<object>
		<name>person</name><pose>Unspecified</pose><truncated>1</truncated><difficult>1</difficult>
		<bndbox><xmin>174</xmin><ymin>101</ymin><xmax>349</xmax><ymax>351</ymax></bndbox>
		<part><name>head</name><bndbox><xmin>169</xmin><ymin>104</ymin><xmax>209</xmax><ymax>146</ymax></bndbox></part>
	</object>
	<object>
		<name>dog</name><bndbox><xmin>1</xmin><ymin>1</ymin><xmax>486</xmax><ymax>500</ymax></bndbox>
	</object>
</annotation>"""
BOMB = """<?xml version="1.0"?><!DOCTYPE a [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>
<annotation><filename>&b;</filename></annotation>"""
FILE = """<?xml version="1.0"?><!DOCTYPE a [<!ENTITY a SYSTEM "file:///etc/passwd">]>
<annotation><filename>&a;</filename></annotation>"""


def test_a_file_of_the_data_set_is_read(tmp_path: Path) -> None:
    """Its first pixel is 1, and the last one belongs to the box."""
    source = LocalSource(tmp_path).put("VOC2012/JPEGImages/2007_000027.jpg", size=(486, 500))
    source.put("VOC2012/Annotations/2007_000027.xml", REAL)

    found = annotated(read, source)["VOC2012/JPEGImages/2007_000027.jpg"]

    assert boxes(found) == [("person", 173, 100, 176, 251), ("dog", 0, 0, 486, 500)]
    assert (found.size, found.created) == (ImageSize(486, 500), UNDATED)
    assert annotated(read, source, LABELS)["VOC2012/JPEGImages/2007_000027.jpg"].labels == ("dog", "person")


def drawn(name: str = "cat", sides: str = "<xmin>10</xmin><ymin>20</ymin><xmax>30</xmax><ymax>40</ymax>") -> str:
    return f"<object><name>{name}</name><bndbox>{sides}</bndbox></object>"


def voc(*objects: str, name: str = "a.jpg", size: str = "<width>128</width><height>96</height>") -> str:
    return f"<annotation><filename>{name}</filename><size>{size}</size>{''.join(objects)}</annotation>"


def sides(left: object, top: object, right: object, bottom: object) -> str:
    return f"<xmin>{left}</xmin><ymin>{top}</ymin><xmax>{right}</xmax><ymax>{bottom}</ymax>"


OBJECTS = [
    (drawn(sides=sides("nan", 1, 2, 3)), ImportCode.INVALID_ENTRY),
    (drawn(sides=sides("1e999", 1, 2, 3)), ImportCode.INVALID_ENTRY),
    (drawn(sides=sides("9" * 5000, 1, 2, 3)), ImportCode.INVALID_ENTRY),
    (drawn(sides=sides("1_0", 1, 2, 3)), ImportCode.INVALID_ENTRY),
    (drawn(sides="<xmin>10</xmin>"), ImportCode.INVALID_ENTRY),
    (drawn(sides=sides(30, 20, 10, 40)), Code.BOUNDING_BOX_TOO_SMALL),
    (drawn(sides=sides(10, 20, 300, 40)), Code.INVALID_BOUNDING_BOX),
    (drawn(name=""), ImportCode.INVALID_ENTRY),
    (drawn(name="x" * 257), Code.INVALID_LABEL_NAME_LENGTH),
    ("<object><name>cat</name><robndbox><cx>1</cx></robndbox></object>", ImportCode.UNSUPPORTED_SHAPE),
]
FILES = {
    "bomb": (BOMB, ImportCode.UNREADABLE_FILE),
    "file": (FILE, ImportCode.UNREADABLE_FILE),
    "cut": (voc(drawn())[:-20], ImportCode.UNREADABLE_FILE),
    "empty": ("", ImportCode.UNREADABLE_FILE),
    "other": ("<annotations></annotations>", ImportCode.UNREADABLE_FILE),
    "nameless": ("<annotation></annotation>", ImportCode.INVALID_ENTRY),
    "traversal": (voc(drawn(), name="../../etc/passwd.jpg"), ImportCode.INVALID_ENTRY),
    "absolute": (voc(drawn(), name="/etc/passwd.jpg"), ImportCode.INVALID_ENTRY),
    "missing": (voc(drawn(), name="missing.jpg"), ImportCode.IMAGE_NOT_FOUND),
    "size": (voc(drawn(), size="<width>-1</width><height>96</height>"), Code.INVALID_IMAGE_DIMENSION),
    "small": (voc(drawn(), size="<width>20</width><height>96</height>"), Code.INVALID_IMAGE_DIMENSION),
    "none": (voc(drawn(sides=sides(1, 1, 1, 1))), Code.BOUNDING_BOX_TOO_SMALL),
}


def test_every_error_is_named_and_none_stops_the_others(tmp_path: Path) -> None:
    source = (
        LocalSource(tmp_path)
        .put("a.jpg")
        .put("objects.xml", voc(drawn(), *(text for text, _ in OBJECTS), drawn("dog")))
    )
    for name, (content, _) in FILES.items():
        source.put(f"{name}.xml", content)
    source.put("encoding.xml", '<?xml version="1.0" encoding="made-up"?><annotation/>')
    source.put("latin.xml", b"<annotation><filename>\xe9.jpg</filename></annotation>")

    found, unusable = read_all(read, source)

    assert [(each.where, boxes(each.annotation)) for each in found] == [
        ("objects.xml", [("cat", 9, 19, 21, 21), ("dog", 9, 19, 21, 21)])
    ]
    by_file = {name: [code for where, code in codes(unusable) if where.startswith(f"{name}.xml")] for name in FILES}
    assert by_file == {
        name: [code] if name != "none" else [code, Code.NO_VALID_ANNOTATIONS] for name, (_, code) in FILES.items()
    }
    assert [code for where, code in codes(unusable) if where.startswith("objects")] == [code for _, code in OBJECTS]
    assert {where: code for where, code in codes(unusable) if where in {"encoding.xml", "latin.xml"}} == dict.fromkeys(
        ["encoding.xml", "latin.xml"], ImportCode.UNREADABLE_FILE
    )


def test_an_image_without_objects_says_that_nothing_is_there(tmp_path: Path) -> None:
    source = LocalSource(tmp_path).put("a.jpg").put("a.xml", voc())

    assert boxes(annotated(read, source)["a.jpg"]) == []
    assert codes(read_all(read, source, LABELS)[1]) == [("a.xml", "NOT_ANNOTATED")]


def test_a_source_without_files_says_so(tmp_path: Path) -> None:
    assert codes(read_all(read, LocalSource(tmp_path).put("a.jpg"))[1]) == [("", "UNREADABLE_FILE")]
