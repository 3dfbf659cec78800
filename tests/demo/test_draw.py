"""Detections drawn over their images: results in a folder or in S3, whatever else lies there."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from custom_labels.aws.predictions import Box, DetectedLabel
from custom_labels.core.keys import result_key
from custom_labels.detection.detection import Decision, Detection
from include.demo.draw import main
from tests.kit.pictures import png
from tests.kit.support import BUCKET, s3

if TYPE_CHECKING:
    from include.local_aws.process import LocalAws

KEY = "images_for_detection/a shelf.png"
LOGO = DetectedLabel("logo", 91.0, Box(0.1, 0.2, 0.3, 0.4))


def detection(key: str = KEY, *labels: DetectedLabel) -> dict[str, Any]:
    """Give the record of a detection."""
    found = Detection(
        f"s3://{BUCKET}/{key}",
        key,
        "e" * 32,
        "v1",
        "arn",
        "2026-11-28T12:00:00+00:00",
        labels,
        70,
        Decision.ACCEPTED,
        "",
    )
    return found.to_record()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of a bucket, with one image and its result."""
    write(tmp_path, KEY, png(1, (128, 96)))
    write(tmp_path, result_key(KEY, "e" * 32, "v1"), json.dumps(detection(KEY, LOGO)).encode())
    return tmp_path


def write(folder: Path, key: str, body: bytes) -> None:
    path = folder / key
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(body)


def drawings(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text(encoding="utf-8") for path in (folder / "annotated").iterdir()}


def run(folder: Path, results: str = "", *more: str) -> int:
    return main([results or str(folder), "--to", str(folder / "annotated"), *more])


def test_a_result_is_drawn_over_its_image(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(folder) == 0

    [(name, svg)] = drawings(folder).items()
    assert name.startswith("images_for_detection_a_shelf.png-")
    assert "data:image/jpeg;base64," in svg
    assert "91 % logo" in svg
    assert "1 drawn; drawings are in" in capsys.readouterr().out


def test_images_may_be_in_another_folder(folder: Path) -> None:
    assert run(folder, str(folder / "detections"), "--images", str(folder)) == 0
    assert "data:image" in next(iter(drawings(folder).values()))


@pytest.mark.parametrize(
    "body",
    [None, b"", b"no image", png(1, (128, 96))[:100]],
    ids=["gone", "empty", "no image", "cut off"],
)
def test_boxes_are_drawn_all_the_same_where_the_image_cannot_be(
    folder: Path, body: bytes | None, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / KEY).unlink()
    if body is not None:
        write(folder, KEY, body)

    assert run(folder) == 0

    assert "91 % logo" in next(iter(drawings(folder).values()))
    assert "1 drawn without their images" in capsys.readouterr().out


@pytest.mark.parametrize(
    "text",
    [b"", b"[]", b"{}", b"{", b"\xff", b'{"labels": [1]}', b"[" * 100_000],
    ids=["empty", "a list", "nothing in it", "cut off", "no text", "other labels", "very deep"],
)
def test_what_is_no_result_is_passed_over(folder: Path, text: bytes, capsys: pytest.CaptureFixture[str]) -> None:
    write(folder, "other.json", text)

    assert run(folder) == 0
    assert "1 drawn, 1 passed over" in capsys.readouterr().out


def test_a_hostile_key_leads_out_of_no_folder(folder: Path) -> None:
    outside = folder.parent / "outside.png"
    outside.write_bytes(png(2, (128, 96)))
    keys = ["../outside.png", "/etc/passwd", "..", "<script>.png", "x" * 1000, "a\x00b", "größe 🙂.png"]
    for number, key in enumerate(keys):
        write(folder, f"{number}.json", json.dumps(detection(key, LOGO)).encode())

    assert run(folder) == 0

    found = drawings(folder)
    assert len(found) == len(keys) + 1
    assert sum("data:image" in svg for svg in found.values()) == 1
    assert not any("<script" in svg for svg in found.values())


def test_a_prefix_of_a_bucket_is_drawn(aws: LocalAws, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", aws.endpoint_url)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    s3(aws).create_bucket(Bucket=BUCKET)
    s3(aws).put_object(Bucket=BUCKET, Key=KEY, Body=png(1, (128, 96)))
    for key in (KEY, "images_for_detection/gone.png"):
        body = json.dumps(detection(key, LOGO))
        s3(aws).put_object(Bucket=BUCKET, Key=result_key(key, "e" * 32, "v1"), Body=body.encode())

    assert run(tmp_path, f"s3://{BUCKET}/detections/") == 0
    assert sorted("data:image" in svg for svg in drawings(tmp_path).values()) == [False, True]


@pytest.mark.parametrize(
    ("results", "words"), [("nowhere", "expected a folder"), ("s3://no-such-bucket/", "NoSuchBucket")]
)
def test_what_is_not_there_is_said(
    aws: LocalAws,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    results: str,
    words: str,
) -> None:
    for name, value in {"ENDPOINT_URL": aws.endpoint_url, "ACCESS_KEY_ID": "test", "SECRET_ACCESS_KEY": "test"}.items():
        monkeypatch.setenv(f"AWS_{name}", value)

    with pytest.raises(SystemExit):
        run(tmp_path, results)

    assert words in capsys.readouterr().err


def test_a_folder_without_results_is_an_error(tmp_path: Path) -> None:
    assert run(tmp_path) == 1
