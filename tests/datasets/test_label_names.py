"""Labels as a person reads them: what is one label, what is warned of, and what a reviewer may choose."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from custom_labels.datasets.label_names import (
    choices,
    existing_folder,
    lookalike_key,
    merge_folders,
    readable_name,
    warn_of_names,
)

COMPOSED, DECOMPOSED = "caf\u00e9", "cafe\u0301"
NONE = "None of the above"


@pytest.mark.parametrize(
    ("one", "other", "is_same", "is_alike"),
    [
        pytest.param(COMPOSED, DECOMPOSED, True, True, id="accents"),
        pytest.param("\ud55c\uae00", unicodedata.normalize("NFD", "\ud55c\uae00"), True, True, id="Hangul"),
        pytest.param("cat", "cat ", True, True, id="a space behind"),
        pytest.param("cat", " cat", True, True, id="a space before"),
        pytest.param("big cat", "big  cat", True, True, id="two spaces"),
        pytest.param("big cat", "big\u00a0cat", True, True, id="a space that does not break"),
        pytest.param("cat", "cat\u200b", True, True, id="a space without width"),
        pytest.param("Cat", "cat", False, True, id="case"),
        pytest.param("stra\u00dfe", "STRASSE", False, True, id="case of a sharp s"),
        pytest.param("\ufb01sh", "fish", False, True, id="a ligature"),
        pytest.param("10\u00b2", "102", False, True, id="a raised two"),
        pytest.param("cat", "cats", False, False, id="two words"),
        pytest.param("\u00e9", "e", False, False, id="an accent or none"),
        pytest.param(" ", "\u200b", False, False, id="nothing to be read"),
    ],
)
def test_names_are_distinguished_as_by_a_person(one: str, other: str, is_same: bool, is_alike: bool) -> None:
    assert (readable_name(one) == readable_name(other)) is is_same
    assert (lookalike_key(one) == lookalike_key(other)) is is_alike


@pytest.mark.parametrize(
    ("folders", "labels"),
    [
        pytest.param(["dog", "cat"], {"cat": ("cat",), "dog": ("dog",)}, id="different"),
        pytest.param([COMPOSED, DECOMPOSED], {COMPOSED: (DECOMPOSED, COMPOSED)}, id="composed and decomposed"),
        pytest.param([DECOMPOSED], {DECOMPOSED: (DECOMPOSED,)}, id="decomposed alone keeps its name"),
        pytest.param(["cat", "cat "], {"cat": ("cat ", "cat")}, id="in S3's order"),
        pytest.param(["cat  ", "cat "], {"cat  ": ("cat  ", "cat ")}, id="an existing folder"),
        pytest.param(["A", "a"], {"A": ("A",), "a": ("a",)}, id="case stays"),
    ],
)
def test_folders_of_one_name_are_one_label(folders: list[str], labels: dict[str, tuple[str, ...]]) -> None:
    assert merge_folders(folders) == labels


@given(st.sets(st.text(st.sampled_from("ae\u0301\u00e9 \u00a0\u200bA"), min_size=1, max_size=4)))
def test_each_folder_is_in_one_label_and_keys_stay_sorted(folders: set[str]) -> None:
    merged = merge_folders(folders)

    assert sorted(folder for group in merged.values() for folder in group) == sorted(folders)
    for label, group in merged.items():
        assert label in group
        assert existing_folder(readable_name(label), merged) in group
        keys = [f"{folder}/{name}".encode() for folder in group for name in ("!.png", "z.png")]
        assert keys == sorted(keys)


@pytest.mark.parametrize(
    ("label", "folders", "folder"),
    [
        pytest.param(COMPOSED, [DECOMPOSED], DECOMPOSED, id="written otherwise"),
        pytest.param(DECOMPOSED, [DECOMPOSED, COMPOSED], DECOMPOSED, id="its own"),
        pytest.param("new", [COMPOSED], "new", id="none yet"),
        pytest.param(COMPOSED, [], COMPOSED, id="nothing known"),
    ],
)
def test_an_image_is_filed_in_the_folder_that_exists(label: str, folders: list[str], folder: str) -> None:
    assert existing_folder(label, merge_folders(folders)) == folder


@pytest.mark.parametrize(
    ("labels", "offered", "none_label"),
    [
        pytest.param(["cat", "dog"], ("cat", "dog"), None, id="different"),
        pytest.param([COMPOSED, DECOMPOSED, "cat", "cat "], (COMPOSED, "cat"), None, id="the same to a person"),
        pytest.param(["cat", NONE], ("cat",), NONE, id="the answer"),
        pytest.param(["cat", "none of the ABOVE "], ("cat",), "none of the ABOVE ", id="nearly the answer"),
    ],
)
def test_a_reviewer_gets_each_choice_once(labels: list[str], offered: tuple[str, ...], none_label: str | None) -> None:
    assert choices(labels) == (offered, none_label)


@pytest.mark.parametrize(
    ("labels", "merged", "words"),
    [
        pytest.param(["cat", "dog"], {}, [], id="nothing"),
        pytest.param(
            [COMPOSED],
            {COMPOSED: (DECOMPOSED, COMPOSED)},
            [r"'cafe\u0301', 'caf\xe9' have one name to a person, written in 2 ways: they are trained as one label"],
            id="merged",
        ),
        pytest.param(["Cat", "cat", "dog"], {}, ["'Cat', 'cat' look alike and are trained as 2 labels"], id="alike"),
        pytest.param([NONE], {}, ["is named like the answer of reviewers who find no label"], id="the answer"),
    ],
)
def test_a_plan_warns_of_names(labels: list[str], merged: dict[str, tuple[str, ...]], words: list[str]) -> None:
    warnings = list(warn_of_names(labels, merged))

    assert len(warnings) == len(words)
    assert all(part in warning for part, warning in zip(words, warnings, strict=True))
