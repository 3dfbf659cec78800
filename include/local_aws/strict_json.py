"""Read JSON that a client wrote, more strictly than Python does: what comes back can be written and sent again."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from typing import Any, NoReturn

_DEEPEST = 250
"""Levels of lists and objects; Python's own limit depends on who calls, and ends in a RecursionError."""


def read_json(text: str | bytes) -> Any:
    """Return the value of a JSON text.

    Raises ValueError for what is no JSON, and for NaN and Infinity, numbers beyond a double, halves of a surrogate
    pair, and more than 250 levels, which Python's reader takes.
    """
    try:
        value = json.loads(text, parse_constant=_refuse, parse_float=_finite)
    except RecursionError:
        raise _too_deep() from None
    content = text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text
    if content.count(b"[") + content.count(b"{") > _DEEPEST and _depth(value) > _DEEPEST:
        raise _too_deep()
    if b"\\u" in content or b"\xed" in content:
        # The error that half a pair makes here is a ValueError too, and says where it is.
        json.dumps(value, ensure_ascii=False).encode()
    return value


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not a JSON value")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"the number {text} is out of range")
    return number


def _depth(value: object) -> int:
    depth, level = 0, [value]
    while level:
        depth, level = depth + 1, [child for item in level for child in _children(item)]
    return depth


def _children(value: object) -> Iterable[Any]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()


def _too_deep() -> ValueError:
    return ValueError(f"it has more than {_DEEPEST} levels of lists and objects")
