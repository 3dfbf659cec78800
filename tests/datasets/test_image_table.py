"""The table of images: what it joins, leaves out and digests, against doing it with dictionaries."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from custom_labels.datasets.images import LeftOut, Tally
from tests.kit.snapshots import checked_table, image_table

keys = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=4)
tables = st.dictionaries(keys, st.sampled_from("xyz"), max_size=30)


@given(tables, tables)
@example({'"a': "x", "b\u2028c": "y"}, {'"a': "x"})
def test_what_is_known_is_found_by_key_and_etag(
    tmp_path_factory: pytest.TempPathFactory, listed: dict[str, str], known: dict[str, str]
) -> None:
    checks = tmp_path_factory.mktemp("checks") / "checks.sqlite"
    with checked_table({("cat", key): etag for key, etag in known.items()}, path=checks):
        pass

    with image_table({("cat", key): etag for key, etag in listed.items()}, checks=checks) as table:
        found = {image.key for image in table.some(100, known=True)}
        unknown = {image.key for image in table.some(100, known=False)}

    assert found == {key for key, etag in listed.items() if known.get(key) == etag}
    assert found | unknown == set(listed)


@given(tables)
def test_rows_are_digested_in_the_order_of_s3(images: dict[str, str]) -> None:
    rows = "".join(f"{key}\t{images[key]}\n" for key in sorted(images, key=str.encode))
    with image_table({("cat", key): etag for key, etag in images.items()}) as table:
        assert table.digest("cat") == hashlib.sha256(rows.encode()).hexdigest()


A1, A2, A3, B1, B2 = ("a", "1"), ("a", "2"), ("a", "3"), ("b", "1"), ("b", "2")


@pytest.mark.parametrize(
    ("images", "left_out"),
    [
        pytest.param({}, {}, id="none"),
        pytest.param({A2: "x"}, {}, id="one alone"),
        pytest.param({A3: "x", A1: "x", A2: "x"}, {LeftOut.DUPLICATE: ["2", "3"]}, id="one label keeps the first"),
        pytest.param({A1: "x", B2: "x"}, {LeftOut.CONFLICT: ["1", "2"]}, id="two labels"),
        pytest.param({A1: "x", A2: "x", B1: "x"}, {LeftOut.CONFLICT: ["1", "2", "1"]}, id="two labels and a copy"),
        pytest.param({A1: "x", B2: "y"}, {}, id="different contents"),
        pytest.param(
            {A1: "x", A2: "x", A3: "y", B1: "y"},
            {LeftOut.DUPLICATE: ["2"], LeftOut.CONFLICT: ["3", "1"]},
            id="a copy, and two labels",
        ),
    ],
)
def test_images_with_the_same_content_are_left_out(
    images: dict[tuple[str, str], str], left_out: dict[LeftOut, list[str]]
) -> None:
    tally = Tally()
    with checked_table(images) as table:
        table.leave_out(tally)
        assert sum(table.counts().values()) == len(images) - sum(tally.counts.values())
    assert tally.examples == left_out
