"""What Custom Labels accepts, and what shares its content with another."""

from __future__ import annotations

import pytest

from custom_labels.core.codec import from_json, to_json
from custom_labels.datasets.images import (
    CheckReport,
    LeftOut,
    Tally,
    etag_is_md5,
    judge_header,
)

MD5 = "d41d8cd98f00b204e9800998ecf8427e"


@pytest.mark.parametrize(
    ("kind", "width", "height", "verdict"),
    [
        pytest.param("PNG", 64, 64, None, id="smallest"),
        pytest.param("JPEG", 4096, 4096, None, id="largest"),
        pytest.param("JPEG", 64, 1280, None, id="longest"),
        pytest.param("MPO", 640, 480, None, id="JPEG with a second picture"),
        pytest.param("PNG", 63, 64, LeftOut.TOO_SMALL, id="too narrow"),
        pytest.param("PNG", 4096, 10, LeftOut.TOO_SMALL, id="too low"),
        pytest.param("PNG", 4097, 4096, LeftOut.TOO_LARGE, id="too wide"),
        pytest.param("PNG", 64, 1281, LeftOut.ASPECT, id="too long for its width"),
        pytest.param("GIF", 640, 480, LeftOut.FORMAT, id="another format"),
    ],
)
def test_judge_header(kind: str, width: int, height: int, verdict: LeftOut | None) -> None:
    assert judge_header(kind, width, height) is verdict


@pytest.mark.parametrize(
    ("etag", "encryption", "customer", "expected"),
    [
        pytest.param(MD5, None, None, True, id="not encrypted"),
        pytest.param(MD5, "AES256", None, True, id="S3's own keys"),
        pytest.param(MD5, "aws:kms", None, False, id="KMS"),
        pytest.param(MD5, "aws:kms:dsse", None, False, id="KMS twice"),
        pytest.param(MD5, None, "AES256", False, id="customer's key"),
        pytest.param(f"{MD5}-12", None, None, False, id="multipart"),
        pytest.param("0xABC", None, None, False, id="something else"),
    ],
)
def test_etag_is_md5(etag: str, encryption: str | None, customer: str | None, expected: bool) -> None:
    assert etag_is_md5(etag, encryption, customer) is expected


def test_tally_keeps_twenty_examples_when_more_are_counted() -> None:
    tally, other = Tally(), Tally()
    for number in range(15):
        tally.add(LeftOut.CORRUPT, f"a{number}")
        other.add(LeftOut.CORRUPT, f"b{number}")
    tally.merge(other)
    assert tally.by_reason() == (("corrupt", 30),)
    assert tally.examples[LeftOut.CORRUPT] == [f"a{n}" for n in range(15)] + [f"b{n}" for n in range(5)]


def test_report_survives_json_and_names_keys() -> None:
    report = CheckReport(9, 4, (("corrupt", 4),), {"corrupt": ("a", "b", "c", "d")}, ("dog",))
    assert from_json(CheckReport, to_json(report)) == report
    assert report.lines() == [
        "9 images inspected, 4 of them for the first time.",
        "4 left out: corrupt (a, b, c, ...)",
    ]
