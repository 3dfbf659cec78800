"""Values changed in YAML that a person wrote: only they are other, whatever is around them."""

from __future__ import annotations

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from include.infra.yaml_edit import merged, scalar, with_values

Place = tuple[str, ...]


@pytest.mark.parametrize(
    ("text", "wanted", "expected"),
    [
        ("a: 1 # one\nb: 2\n", {("a",): "x"}, "a: x # one\nb: 2\n"),
        ("a: 'it''s'\n", {("a",): "b: c"}, "a: 'b: c'\n"),
        ("a: |\n  long\n  text\nb: 2\n", {("a",): "x"}, None),
        ("a: 1\n", {("b",): "x"}, "a: 1\nb: x\n"),
        ("a: 1", {("b", "c"): "x", ("b", "d"): "y"}, "a: 1\nb:\n  c: x\n  d: y\n"),
        ("b:\n    c: 1\n", {("b", "d"): "x"}, "b:\n    d: x\n    c: 1\n"),
        ("b:\n  c:\n    d: 1\n", {("b", "c", "d"): "x"}, "b:\n  c:\n    d: x\n"),
        ("b:\n", {("b", "c"): "x"}, None),
        ("a: 1\n...\n", {("b",): "x"}, None),
        ("a: yes\n", {("a",): "no"}, "a: 'no'\n"),
    ],
    ids=["comment", "quotes", "block", "new", "new mapping", "into", "deep", "empty", "ended", "no boolean"],
)
def test_a_value_is_changed_alone_or_not_at_all(text: str, wanted: dict[Place, str], expected: str | None) -> None:
    changed = with_values(text, wanted)

    assert changed is None or yaml.safe_load(changed) == merged(yaml.safe_load(text), wanted)
    if expected is not None:
        assert changed == expected


@given(st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), max_size=60))
def test_any_text_is_read_as_it_was_written(value: str) -> None:
    assert yaml.safe_load(f"a: {scalar(value)}") == {"a": value}
