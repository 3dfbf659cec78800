"""One source of each kind that holds every documented error: each is named by its code, and the good ones are taken."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from custom_labels.core.project_task import ProjectTask
from custom_labels.datasets.annotations.annotation import Code
from custom_labels.datasets.imports.source import ImportCode
from tests.kit.annotation_lines import boxes_line, label_attribute, labels_line, spoilt
from tests.kit.import_runs import SKIPPED, TAKEN, Imported, import_by_steps, import_context
from tests.kit.pictures import png
from tests.kit.support import BUCKET, s3

if TYPE_CHECKING:
    from include.local_aws.process import LocalAws

OTHER = "somebody-elses-images"
SIZE = (128, 96)
BOX = ("Echo", 1, 2, 30, 40)
METADATA = "bounding-box-metadata"


@pytest.fixture
def buckets(airflow_db: None, aws: LocalAws) -> LocalAws:
    for name in (BUCKET, OTHER):
        s3(aws).create_bucket(Bucket=name)
    return aws


def put(aws: LocalAws, key: str, body: bytes | None = None) -> str:
    s3(aws).put_object(Bucket=OTHER, Key=key, Body=png(1, SIZE) if body is None else body)
    return f"s3://{OTHER}/{key}"


def line(image: str, *boxes: tuple[str, float, float, float, float], **more: Any) -> dict[str, Any]:
    return boxes_line(f"s3://{OTHER}/{image}.png", boxes or [BOX], **{"size": SIZE, **more})


def bad_lines() -> dict[str, str]:
    """Give a line for each documented error, by its code."""
    good = line("bad")
    verdict = label_attribute("bad", name="check", type="groundtruth/label-verification")
    return {
        Code.INVALID_JSON_LINE: '{"source-ref": ',
        Code.MISSING_SOURCE_REF: spoilt(good, "source-ref", gone=True),
        Code.INVALID_SOURCE_REF_FORMAT: spoilt(good, "source-ref", "https://example.com/a.png"),
        Code.NO_LABEL_ATTRIBUTES: spoilt(good, METADATA, gone=True),
        Code.INVALID_LABEL_ATTRIBUTE_FORMAT: spoilt(good, "bounding-box", []),
        Code.INVALID_LABEL_ATTRIBUTE_METADATA_FORMAT: spoilt(good, f"{METADATA}/creation-date", gone=True),
        Code.UNSUPPORTED_USE_CASE_TYPE: spoilt(good, f"{METADATA}/type", "groundtruth/semantic-segmentation"),
        Code.INVALID_LABEL_NAME_LENGTH: spoilt(good, f"{METADATA}/class-map/0", "x" * 257),
        Code.MISSING_CLASS_MAP_ID: spoilt(good, f"{METADATA}/class-map", {}),
        Code.MISSING_BOUNDING_BOX_CONFIDENCE: spoilt(good, f"{METADATA}/objects", []),
        Code.INVALID_IMAGE_DIMENSION: json.dumps(line("bad", size=(32, 32))),
        Code.NO_VALID_ANNOTATIONS: json.dumps(line("bad", ("Echo", 120, 2, 30, 40))),
        Code.TOO_MANY_BOUNDING_BOXES: json.dumps(line("bad", *[BOX] * 51)),
        Code.NO_VALID_LABEL_ATTRIBUTES: json.dumps(
            line("bad", size=(1, 1)) | line("bad", ("Echo", 0, 0, 0, 0), name="more")
        ),
        ImportCode.NO_BOXES: json.dumps(labels_line("Echo", source_ref=f"s3://{OTHER}/bad.png")),
        ImportCode.NOT_VERIFIED: json.dumps(good | verdict),
        ImportCode.IMAGE_NOT_FOUND: json.dumps(line("gone")),
        ImportCode.EMPTY_IMAGE: json.dumps(line("empty")),
        ImportCode.IMAGE_TOO_LARGE: json.dumps(line("large")),
        ImportCode.OTHER_FILE: json.dumps(boxes_line(f"s3://{OTHER}/film.mp4", [BOX], size=SIZE)),
        ImportCode.SAME_IMAGE_AGAIN: json.dumps(line("good")),
        ImportCode.IMAGE_REFUSED: json.dumps(line("archived")),
    }


def test_each_bad_line_of_a_manifest_is_named_and_the_good_ones_are_taken(buckets: LocalAws) -> None:
    put(buckets, "good.png")
    put(buckets, "also.png", png(2, SIZE))
    put(buckets, "empty.png", b"")
    put(buckets, "large.png", b"\0" * (15 * 1024 * 1024 + 1))
    put(buckets, "film.mp4", b"film")
    s3(buckets).put_object(Bucket=OTHER, Key="archived.png", Body=b"archived", StorageClass="GLACIER")
    bad = bad_lines()
    # Of the last good line one box is off the frame, and one too small.
    parts = line("also", BOX, ("Dot", 100, 2, 90, 40), ("Dot", 5, 5, 1, 20))
    body = "\n".join([json.dumps(line("good")), "", *bad.values(), json.dumps(parts)])
    source = put(buckets, "all.manifest", body.encode())

    done = import_by_steps(import_context(ProjectTask.OBJECT_DETECTION, source=source))

    expected = Counter([*bad, Code.INVALID_BOUNDING_BOX, Code.BOUNDING_BOX_TOO_SMALL])
    assert done.codes == expected
    assert done.fates == {TAKEN: 2, SKIPPED: len(bad)}
    assert done.report.counts.labels == {"Echo": 2}
    places = {code: examples[0].partition(": ")[0] for code, examples in done.report.counts.examples.items()}
    numbers = {code: f"all.manifest line {number}" for number, code in enumerate(bad, 3)}
    assert places == numbers | {
        code: f"all.manifest line {len(bad) + 3}" for code in (Code.INVALID_BOUNDING_BOX, Code.BOUNDING_BOX_TOO_SMALL)
    }
    assert_all_is_listed(buckets, done)


def test_each_bad_name_of_a_folder_is_named_and_the_good_ones_are_taken(buckets: LocalAws) -> None:
    for number, key in enumerate(
        ("cat/1.png", "loose.png", "cat/readme.txt", "cat/a\tb.png", f"{'x' * 257}/1.png", "cat/empty.png", "../1.png")
    ):
        put(buckets, f"old/{key}", b"" if "empty" in key else png(number, SIZE))

    done = import_by_steps(import_context(source=f"s3://{OTHER}/old/"))

    assert done.codes == {
        ImportCode.NOT_ANNOTATED: 1,
        ImportCode.OTHER_FILE: 1,
        Code.INVALID_SOURCE_REF_FORMAT: 1,
        Code.INVALID_LABEL_NAME_LENGTH: 1,
        ImportCode.EMPTY_IMAGE: 1,
        ImportCode.NO_FOLDER: 1,
    }
    assert done.fates == {TAKEN: 1, SKIPPED: 6}
    assert_all_is_listed(buckets, done)


def test_each_bad_row_of_csv_is_named_and_the_good_ones_are_taken(buckets: LocalAws) -> None:
    for number, key in enumerate(("one.png", "two.png", "a/same.png", "b/same.png")):
        put(buckets, f"shop/{key}", png(number, SIZE))
    rows = [
        b"one.png,Caf\xc3\xa9",
        b"two.png",
        b"",
        b"gone.png,mug",
        b"../../one.png,mug",
        b"same.png,mug",
        b"two.png,\xff\xfe",
        b"two.png," + b"x" * 257,
        b"two.png,mug,pot",
        b'"two.png","mu""g"',
    ]
    source = put(buckets, "shop/labels.csv", b"\xef\xbb\xbf" + b"\r\n".join(rows))

    done = import_by_steps(import_context(source=source))

    assert done.codes == {
        ImportCode.NOT_ANNOTATED: 1,
        ImportCode.IMAGE_NOT_FOUND: 2,
        ImportCode.SEVERAL_IMAGES: 1,
        ImportCode.INVALID_ENTRY: 1,
        Code.INVALID_LABEL_NAME_LENGTH: 1,
        ImportCode.SEVERAL_LABELS: 1,
    }
    assert done.report.counts.labels == {"Caf\u00e9": 1, 'mu"g': 1}


def test_each_bad_box_of_csv_is_named_and_the_good_ones_are_taken(buckets: LocalAws) -> None:
    put(buckets, "shop/one.png")
    put(buckets, "shop/tiny.png", png(1, (32, 32)))
    put(buckets, "shop/many.png")
    put(buckets, "shop/text.png", b"no image")
    rows = [
        "image,label,left,top,width,height",
        "one.png,mug,1,2,30,40",
        "one.png,mug,a,2,30,40",
        "one.png,mug,nan,2,30,40",
        "one.png,mug,1,2",
        "one.png,,1,2,30,40",
        "one.png,mug,120,2,30,40",
        "one.png,mug,1,2,1,40",
        "tiny.png,mug,1,2,10,10",
        "text.png,mug,1,2,10,10",
        "gone.png,mug,1,2,10,10",
        *["many.png,mug,1,2,30,40"] * 51,
    ]
    source = put(buckets, "shop/boxes.csv", "\n".join(rows).encode())

    done = import_by_steps(import_context(ProjectTask.OBJECT_DETECTION, source=source))

    assert done.codes == {
        ImportCode.INVALID_ENTRY: 2,
        Code.INVALID_BOUNDING_BOX: 2,
        Code.INVALID_LABEL_NAME_LENGTH: 1,
        Code.BOUNDING_BOX_TOO_SMALL: 1,
        Code.INVALID_IMAGE_DIMENSION: 1,
        Code.INVALID_IMAGE: 1,
        ImportCode.IMAGE_NOT_FOUND: 1,
        Code.TOO_MANY_BOUNDING_BOXES: 1,
    }
    assert (done.fates[TAKEN], done.report.counts.labels) == (1, {"mug": 1})


def assert_all_is_listed(aws: LocalAws, done: Imported) -> None:
    """Everything that was counted by its code is in the files, with its place and a sentence."""
    listed: list[dict[str, str]] = []
    prefix = f"imports/{done.report.name}/skipped/"
    for each in s3(aws).list_objects_v2(Bucket=BUCKET, Prefix=prefix)["Contents"]:
        body = s3(aws).get_object(Bucket=BUCKET, Key=each["Key"])["Body"].read()
        listed += [json.loads(text) for text in body.splitlines()]
    assert Counter(each["code"] for each in listed) == Counter(done.codes)
    assert all(each["where"] and each["detail"].isprintable() for each in listed)
