"""Joining sorted rows, against doing it with dictionaries."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from custom_labels.datasets.tsv import copy_to_gzip, file_sha256, join_known, read_blocks, read_lines

tables = st.dictionaries(st.text("abcdef", min_size=1, max_size=3), st.sampled_from("xyz"), max_size=40)


def lines_of(table: dict[str, str], more: str = "") -> list[bytes]:
    return [f"{key}\t{etag}{more}\n".encode() for key, etag in sorted(table.items())]


@given(tables, tables, st.integers(1, 7), st.booleans())
def test_join_known_finds_what_is_the_same_on_both_sides(
    left: dict[str, str], right: dict[str, str], size: int, alike: bool
) -> None:
    right = {**right, **left} if alike else right
    listing = lines_of(left)
    blocks = [listing[start : start + size] for start in range(0, len(listing), size)]
    joined = [
        pair
        for lines, others in join_known(blocks, iter(lines_of(right, "\t7")))
        for pair in zip(lines, others, strict=True)
    ]
    expected = [
        (line, f"{key}\t{etag}\t7\n".encode() if right.get(key) == etag else None)
        for line, (key, etag) in zip(listing, sorted(left.items()), strict=True)
    ]
    assert joined == expected


def test_compressed_rows_are_read_back_and_depend_on_nothing_else(tmp_path: Path) -> None:
    plain, one, two = tmp_path / "plain", tmp_path / "one.gz", tmp_path / "two.gz"
    plain.write_bytes(b"".join(b"key %06d\tetag\n" % n for n in range(20_000)))
    copy_to_gzip(plain, one)
    copy_to_gzip(plain, two)
    assert list(read_lines(one)) == list(read_lines(plain))
    assert len(list(read_blocks(one))) > 1
    assert file_sha256(one) == file_sha256(two)


def test_reading_gives_nothing_when_there_is_no_file(tmp_path: Path) -> None:
    assert list(read_lines(tmp_path / "none")) == []
