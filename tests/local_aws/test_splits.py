"""A fifth of the images is moved, of a small set too, and every label is on both sides."""

from __future__ import annotations

import pytest

from include.local_aws.rekognition.manifest_lines import ManifestLine, parse_line
from include.local_aws.rekognition.splits import split_entries
from tests.local_aws.support import line


def lines(*sizes: int, bare: int = 0) -> list[ManifestLine]:
    named = [(label, number) for label, size in enumerate(sizes) for number in range(size)]
    texts = [line(f"{label}/{number}.png", f"label{label}") for label, number in named]
    texts += [line(f"bare/{number}.png") for number in range(bare)]
    return [parse_line(text, most_characters=100_000, most_boxes=50) for text in texts]


@pytest.mark.parametrize(
    ("sizes", "bare", "tested"),
    [
        pytest.param((7, 7), 0, 3, id="two labels of 7: 2.8 of 14"),
        pytest.param((7, 7, 7), 0, 4, id="three labels of 7: 4.2 of 21"),
        pytest.param((9, 9), 0, 4, id="two labels of 9: 3.6 of 18"),
        pytest.param((5, 5), 0, 2, id="a fifth exactly"),
        pytest.param((50, 30, 20), 0, 20, id="labels of different sizes"),
        pytest.param((8, 3), 0, 2, id="2.2 of 11"),
        pytest.param((7, 6), 6, 4, id="images without a label: 3.8 of 19"),
        pytest.param((2, 2, 2), 0, 3, id="more than a fifth, since every label needs one"),
    ],
)
def test_a_fifth_is_for_the_test(sizes: tuple[int, ...], bare: int, tested: int) -> None:
    split = split_entries(lines(*sizes, bare=bare), 0.2, seed=0)
    assert split is not None
    training, testing = split
    assert (len(testing), len(training)) == (tested, sum(sizes) + bare - tested)
    for side in split:
        assert {label for item in side for label in item.labels} == {f"label{n}" for n in range(len(sizes))}


def test_nothing_is_split_when_a_label_has_one_image() -> None:
    assert split_entries(lines(7, 1), 0.2, seed=0) is None
