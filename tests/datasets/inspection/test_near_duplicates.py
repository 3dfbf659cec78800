"""Which pictures count as near copies, and that no pair of similar hashes is missed."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageEnhance

from custom_labels.datasets.inspection.near_duplicates import Groups, group_near_copies, similar_pairs
from custom_labels.datasets.inspection.picture_features import LENGTH, are_near_copies, describe
from custom_labels.datasets.pictures import open_picture, shrink_upright
from include.demo.scenes import SceneStyle, compose

SCENES = 12


def encode(picture: Image.Image, kind: str = "JPEG", quality: int = 90) -> bytes:
    out = io.BytesIO()
    picture.convert("RGB").save(out, kind, quality=quality)
    return out.getvalue()


def grouped(bodies: list[bytes]) -> Any:
    """Group pictures as an inspection does; give the first of each one's group."""
    found = []
    for body in bodies:
        with open_picture(body) as opened:
            found.append(describe(shrink_upright(opened, 128)))
    assert {len(each.content) for each in found} <= {LENGTH}
    rows = np.array([np.frombuffer(each.content, np.uint8) for each in found])
    hashes = np.array([each.hash or 0 for each in found], np.uint64)
    is_hashed = np.array([each.hash is not None for each in found])
    return group_near_copies(hashes, is_hashed, lambda one, other: are_near_copies(rows[one], rows[other])).roots()


@pytest.fixture(scope="module")
def pictures() -> list[Image.Image]:
    return [compose(1, number, SceneStyle(size=(320, 240))).picture for number in range(SCENES)]


@pytest.mark.parametrize(
    ("change", "least"),
    [
        (lambda picture: encode(picture, quality=40), SCENES - 1),
        (lambda picture: encode(picture, "PNG"), SCENES),
        (lambda picture: encode(picture.resize((160, 120))), SCENES),
        (lambda picture: encode(ImageEnhance.Brightness(picture).enhance(1.1)), SCENES // 2),
    ],
    ids=["compressed", "another format", "half the size", "brighter"],
)
def test_a_copy_is_found(pictures: list[Image.Image], change: Callable[[Image.Image], bytes], least: int) -> None:
    roots = grouped([*map(encode, pictures), *map(change, pictures)])

    assert sum(roots[SCENES + number] == roots[number] for number in range(SCENES)) >= least
    assert len(set(roots)) >= SCENES


def test_pictures_that_show_something_else_are_apart(pictures: list[Image.Image]) -> None:
    others = [picture.transpose(Image.Transpose.ROTATE_180) for picture in pictures]

    assert len(set(grouped([*map(encode, pictures), *map(encode, others)]))) == 2 * SCENES


def test_empty_pictures_and_drawings_on_paper_are_no_copies_of_each_other() -> None:
    white, grey = Image.new("RGB", (64, 64), "white"), Image.new("RGB", (64, 64), "grey")
    drawn = []
    for left in (8, 24, 40):
        page = white.copy()
        page.paste("black", (left, 10, left + 6, 54))
        drawn.append(page)

    assert len(set(grouped([encode(each, "PNG") for each in (white, grey, white, *drawn)]))) == 6


@given(
    st.lists(st.integers(0, 2**64 - 1), max_size=40),
    st.lists(st.tuples(st.integers(0, 39), st.integers(0, 63)), max_size=200),
)
def test_no_pair_of_similar_hashes_is_missed(values: list[int], flips: list[tuple[int, int]]) -> None:
    hashes = list(values)
    for number, bit in flips:  # so that some of them are similar
        if hashes:
            hashes.append(hashes[number % len(hashes)] ^ (1 << bit))
    near = {
        (one, other)
        for one in range(len(hashes))
        for other in range(one + 1, len(hashes))
        if (hashes[one] ^ hashes[other]).bit_count() <= 10
    }

    found = {
        (int(one), int(other))
        for ones, others in similar_pairs(np.array(hashes, np.uint64))
        for one, other in zip(ones, others, strict=True)
    }

    assert found == near


@given(st.lists(st.tuples(st.integers(0, 19), st.integers(0, 19))))
def test_groups_are_whole(united: list[tuple[int, int]]) -> None:
    groups = Groups(20)
    for one, other in united:
        groups.unite(one, other)
    roots = groups.roots()

    assert all(roots[one] == roots[other] for one, other in united)
    assert all(roots[roots[number]] == roots[number] <= number for number in range(20))
