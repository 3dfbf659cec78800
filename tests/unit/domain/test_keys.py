"""Keys: which are images, and where things lie."""

from __future__ import annotations

import pytest

from custom_labels.domain.keys import has_control_character, has_image_suffix, label_folder, manifest_key


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("a.png", True),
        ("a.JPG", True),
        ("a.Jpeg", True),
        ("a.jPeG", True),
        ("a.jpg.txt", False),
        ("a.gif", False),
        ("png", False),
        ("a.png/", False),
    ],
)
def test_has_image_suffix(key: str, expected: bool) -> None:
    assert has_image_suffix(key) is expected


@pytest.mark.parametrize(
    ("key", "expected"), [("a b", False), ("é%+&<'\"", False), ("a\tb", True), ("a\nb", True), ("a\x7fb", True)]
)
def test_has_control_character(key: str, expected: bool) -> None:
    assert has_control_character(key) is expected


def test_places() -> None:
    assert label_folder("cat") == "images_labeled_by_folder/cat/"
    assert manifest_key("abc", "train") == "manifests/abc/train.manifest"
