"""Keys: which are images, and where things lie."""

from __future__ import annotations

import pytest

from custom_labels.core.keys import (
    has_control_character,
    has_image_suffix,
    label_folder,
    manifest_key,
    may_be_image,
)


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("a.png", True),
        ("a.JPG", True),
        ("a.Jpeg", True),
        ("a.jPeG", True),
        ("a.jpg.txt", False),
        ("a.gif", False),
        ("a.JFIF", True),
        ("a.jpe", True),
        ("png", False),
        ("a.png/", False),
    ],
)
def test_has_image_suffix(key: str, expected: bool) -> None:
    assert has_image_suffix(key) is expected


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("a.png", True),
        ("a.jfif", True),
        ("no ending", True),
        ("photo.2026", True),
        ("deep.er/no ending", True),
        ("a.gif", True),
        ("a.HEIC", True),
        ("a.bin", True),
        ("a.png.jpg", True),
        ("._a.jpg", True),
        ("notes.TXT", False),
        ("a.json", False),
        ("a.png.gz", False),
        ("a.mp4", False),
        ("a.zip", False),
        (".DS_Store", False),
        ("a/Thumbs.db", False),
    ],
)
def test_may_be_image(key: str, expected: bool) -> None:
    assert may_be_image(f"folder/{key}") is expected


@pytest.mark.parametrize(
    ("key", "expected"), [("a b", False), ("é%+&<'\"", False), ("a\tb", True), ("a\nb", True), ("a\x7fb", True)]
)
def test_has_control_character(key: str, expected: bool) -> None:
    assert has_control_character(key) is expected


def test_places() -> None:
    assert label_folder("cat") == "images_labeled_by_folder/cat/"
    assert manifest_key("abc", "train") == "manifests/abc/train.manifest"
