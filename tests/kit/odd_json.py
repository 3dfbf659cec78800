"""JSON values spoilt at any place, for tests of what reads them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from hypothesis import strategies as st

NUMBERS = [0, -1, 0.5, 1e308, -1e308, 10**30, 63, 64, 480, 481, 640, 4096, 4097, True]
TEXTS = ["", "Echo", "<script>", "{{ }}", "x" * 256, "x" * 257, "Cafe\u0301", "\0", "yes", "2026-01-31", "s3://a/b"]
odd: st.SearchStrategy[Any] = st.recursive(
    st.sampled_from([None, *NUMBERS, *TEXTS]) | st.floats(-10, 700) | st.integers(-10, 700),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["0", "1", "type", "left"]), inner),
    max_leaves=4,
)


@st.composite
def spoilt_anywhere(draw: st.DrawFn, values: Sequence[Any]) -> Any:
    """Give one of some values with one to three of its parts gone or replaced by anything."""
    value = json.loads(json.dumps(draw(st.sampled_from(values))))
    for _ in range(draw(st.integers(1, 3))):
        container, key = draw(st.sampled_from(_places(value)))
        if draw(st.booleans()):
            container[key] = draw(odd)
        else:
            del container[key]
        if not _places(value):
            break
    return value


def _places(value: Any) -> list[tuple[Any, Any]]:
    """Give all places of a JSON value where something can be put: container and key."""
    found = []
    keys = list(value) if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else []
    for key in keys:
        found += [(value, key), *_places(value[key])]
    return found
