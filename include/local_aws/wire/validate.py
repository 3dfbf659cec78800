"""Check parameters against the service model the way AWS does.

botocore's own ParamValidator checks required members, types and minimums only; maximums, patterns and
enums reach the server, so the server has to reject them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from typing import Any

import regex

from include.local_aws.wire.errors import AwsError
from include.local_aws.wire.model import WireModel, raw_trait
from include.local_aws.wire.parse import Params, member_path


class Forced(str):
    """A text that may lie outside of its enum: a user of the control endpoint wants to see what clients make of it."""

    __slots__ = ()


def validate(model: WireModel, operation: str, params: Params, code: str) -> None:
    """Raise AwsError `code` naming every constraint of the model that `params` break."""
    shape = model.operation(operation).input_shape
    broken = [] if shape is None else list(violations(params, shape, ""))
    if broken:
        plural = "" if len(broken) == 1 else "s"
        raise AwsError(code, f"{len(broken)} validation error{plural} detected: {'; '.join(broken)}", 400)


def violations(value: Any, shape: Any, path: str) -> Iterator[str]:
    """Yield one sentence, in AWS's wording, for each constraint that `value` breaks."""
    for requirement in _broken_rules(value, shape):
        yield f"Value {_quoted(value)} at '{path}' failed to satisfy constraint: Member must {requirement}"
    yield from _inside(value, shape, path)


def _inside(value: Any, shape: Any, path: str) -> Iterator[str]:
    match shape.type_name:
        case "structure":
            yield from _members(value, shape, path)
        case "list":
            for n, item in enumerate(value, 1):
                yield from violations(item, shape.member, f"{path}.{n}.member")
        case "map":
            for key, item in value.items():
                yield from violations(key, shape.key, path)
                yield from violations(item, shape.value, f"{path}.{key}.member")


def _members(value: Params, shape: Any, path: str) -> Iterator[str]:
    for name in shape.required_members:
        if value.get(name) is None:
            yield (f"Value null at '{member_path(path, name)}' failed to satisfy constraint: Member must not be null")
    for name, item in value.items():
        if item is not None:
            yield from violations(item, shape.members[name], member_path(path, name))


def _broken_rules(value: Any, shape: Any) -> Iterator[str]:
    kind = shape.type_name
    low, high = shape.metadata.get("min"), shape.metadata.get("max")
    if kind in ("string", "blob", "list", "map"):
        yield from _outside(len(value), low, high, "length")
    elif kind in ("integer", "long", "float", "double"):
        yield from _outside(value, low, high, "value")
    if kind == "string":
        yield from _broken_text_rules(value, shape)


def _outside(size: float, low: float | None, high: float | None, what: str) -> Iterator[str]:
    if low is not None and size < low:
        yield f"have {what} greater than or equal to {low}"
    if high is not None and size > high:
        yield f"have {what} less than or equal to {high}"


def _broken_text_rules(value: str, shape: Any) -> Iterator[str]:
    allowed = shape.metadata.get("enum")
    if allowed and value not in allowed and not isinstance(value, Forced):
        yield f"satisfy enum value set: [{', '.join(allowed)}]"
    pattern = raw_trait(shape, "pattern")
    if isinstance(pattern, str):
        compiled = _compiled(pattern)
        if compiled is not None and not compiled.fullmatch(value):
            yield f"satisfy regular expression pattern: {pattern}"


@cache
def _compiled(pattern: str) -> regex.Pattern[str] | None:
    """Compile a pattern of the model; four of SageMaker's use surrogate ranges that nothing here can."""
    try:
        return regex.compile(pattern)
    except regex.error:
        return None


def _quoted(value: object) -> str:
    if isinstance(value, bytes):
        return "java.nio.HeapByteBuffer"
    if isinstance(value, (dict, list)):
        return f"'{json.dumps(value, default=str)}'"
    return f"'{value}'" if isinstance(value, str) else str(value)
