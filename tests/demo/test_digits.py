"""The demo's images."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from PIL import Image

from include.demo.digits import Digits, write_digits


@pytest.fixture(scope="module")
def digits(tmp_path_factory: pytest.TempPathFactory) -> Digits:
    return write_digits(tmp_path_factory.mktemp("digits"))


def test_digits_are_all_there_by_label(digits: Digits) -> None:
    assert digits.count == 1797
    assert sorted(digits.files) == [str(digit) for digit in range(10)]
    assert digits.fewest == 174


def test_digits_are_what_custom_labels_takes(digits: Digits) -> None:
    for paths in digits.files.values():
        with Image.open(paths[0]) as image:
            assert (image.format, image.size, image.mode) == ("PNG", (96, 96), "L")


def test_digits_are_the_same_when_written_again(digits: Digits, tmp_path: Path) -> None:
    again = write_digits(tmp_path)
    assert _names_and_contents(again) == _names_and_contents(digits)


def test_slices_of_rounds_do_not_overlap(digits: Digits) -> None:
    first, second = digits.slice(0, 8), digits.slice(8, 48)
    for label in digits.files:
        assert (len(first[label]), len(second[label])) == (8, 40)
        assert not set(first[label]) & set(second[label])


def _names_and_contents(digits: Digits) -> dict[str, list[tuple[str, str]]]:
    return {
        label: [(path.name, hashlib.sha256(path.read_bytes()).hexdigest()) for path in paths[:20]]
        for label, paths in digits.files.items()
    }
