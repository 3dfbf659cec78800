"""JSON that cannot be written again, or that Python alone understands, is no JSON."""

from __future__ import annotations

import pytest

from include.local_aws.strict_json import read_json


@pytest.mark.parametrize(
    ("text", "value"),
    [
        pytest.param('{"a": [1, 2.5, null]}', {"a": [1, 2.5, None]}, id="object"),
        pytest.param(b'"\\ud83d\\ude00"', "😀", id="both halves of a pair"),
        pytest.param('"\ud7ff"', "\ud7ff", id="the last letter before the surrogates"),
        pytest.param("[" * 250 + "]" * 250, None, id="250 levels"),
        pytest.param("[" + ",".join(["[]"] * 1000) + "]", [[]] * 1000, id="many lists side by side"),
    ],
)
def test_value_is_returned_when_the_text_is_json(text: str | bytes, value: object) -> None:
    found = read_json(text)
    assert value is None or found == value


@pytest.mark.parametrize(
    ("text", "says"),
    [
        pytest.param("{", "Expecting", id="cut off"),
        pytest.param(b"\xff", "utf", id="no UTF-8"),
        pytest.param("[NaN]", "NaN", id="not a number"),
        pytest.param("-Infinity", "-Infinity", id="infinity"),
        pytest.param("1e999", "1e999", id="beyond a double"),
        pytest.param("9" * 5000, "digits", id="thousands of digits"),
        pytest.param('"\\ud800"', "surrogates", id="half of a pair"),
        pytest.param('{"\\udfff": 1}', "surrogates", id="half of a pair in a name"),
        pytest.param('"\ud800"', "surrogates", id="half of a pair as it is"),
        pytest.param("[" * 251 + "]" * 251, "250 levels", id="251 levels"),
        pytest.param("[" * 100_000, "250 levels", id="without an end"),
    ],
)
def test_text_is_refused_when_it_is_no_json(text: str | bytes, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        read_json(text)
