"""Manifest lines: byte for byte what ``json.dumps`` would write."""

from __future__ import annotations

import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from custom_labels.datasets.manifest import (
    MAXIMUM_MANIFEST_BYTES,
    manifest_lines,
    require_size,
)
from custom_labels.errors import NotTrainable

WHEN = "2026-01-31T12:00:00"
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)


def expected_line(uri: str, label: str) -> str:
    value = {
        "source-ref": uri,
        "label": 1,
        "label-metadata": {
            "confidence": 1,
            "class-name": label,
            "human-annotated": "yes",
            "creation-date": WHEN,
            "type": "groundtruth/image-classification",
        },
    }
    return json.dumps(value, separators=(",", ":")) + "\n"


@given(st.lists(texts, max_size=5), st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=20))
@example(["plain/a.png", "b c.png"], "cat")
@example(["plain/a.png", "ünï.png"], 'the "cat"')
@example(['a "quoted" \\ key', "\x7f\u2028é😀%+&<>'"], "cat")
def test_lines_equal_json_dumps_for_every_key_and_label(keys: list[str], label: str) -> None:
    expected = "".join(expected_line(f"s3://bucket/some prefix/{key}", label) for key in keys)
    assert manifest_lines("s3://bucket/some prefix/", label, WHEN, keys) == expected


def test_lines_refuses_a_line_that_custom_labels_would_not_take() -> None:
    with pytest.raises(NotTrainable, match="longer than 100,000 characters"):
        manifest_lines("s3://bucket/", "cat", WHEN, ["short", "x" * 100_000])


def test_require_size_refuses_a_manifest_above_one_gigabyte() -> None:
    require_size("train", MAXIMUM_MANIFEST_BYTES)
    with pytest.raises(NotTrainable, match="train manifest is 1,073,741,825 bytes"):
        require_size("train", MAXIMUM_MANIFEST_BYTES + 1)
