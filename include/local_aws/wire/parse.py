"""From the bytes of a request to the parameters of an operation, typed as the service model says."""

from __future__ import annotations

import base64
import datetime as dt
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qsl

from botocore.model import ListShape, MapShape, Shape, StructureShape
from botocore.utils import parse_timestamp

from include.local_aws.strict_json import read_json
from include.local_aws.wire.errors import AwsError
from include.local_aws.wire.model import WireModel

Params = dict[str, Any]
_BITS = {"integer": 32, "long": 64}


def parse_json(model: WireModel, operation: str, body: bytes) -> Params:
    """Parse the body of a JSON protocol request.

    Members that the model does not know are dropped, as AWS does. Raises AwsError
    SerializationException for a body that is no JSON object or has a value of another type.
    """
    shape = model.operation(operation).input_shape
    document = _json_object(body)
    return {} if shape is None else _structure(document, shape, "")


def parse_rest(
    model: WireModel,
    operation: str,
    path_parameters: Mapping[str, str],
    query: str,
    headers: Mapping[str, str],
    body: bytes,
) -> Params:
    """Parse a REST-JSON request: members come from the path, the query string, headers and the body."""
    shape = model.operation(operation).input_shape
    if shape is None:
        return {}
    document = _json_object(body)
    sources: dict[str, Mapping[str, str]] = {
        "uri": path_parameters,
        "querystring": dict(parse_qsl(query, keep_blank_values=True)),
        "header": headers,
    }
    gathered: Params = {}
    for name, member in shape.members.items():
        location = member.serialization.get("location")
        wire_name = member.serialization.get("name", name)
        if location is None:
            if wire_name in document:
                gathered[name] = document[wire_name]
            continue
        key = wire_name.lower() if location == "header" else wire_name
        if key in sources[location]:
            gathered[name] = _from_text(sources[location][key], member)
    return _structure(gathered, shape, "")


def lower_camel(name: str) -> str:
    """Return a member's name as AWS's messages spell it: ProjectName -> projectName."""
    return name[:1].lower() + name[1:]


def member_path(path: str, name: str) -> str:
    """Return the path of a member inside `path`, in AWS's spelling."""
    return f"{path}.{lower_camel(name)}".lstrip(".")


def _json_object(body: bytes) -> Params:
    try:
        document = read_json(body) if body.strip() else {}
    except ValueError as error:
        raise AwsError("SerializationException", f"Could not parse the request body as JSON: {error}") from None
    if not isinstance(document, dict):
        raise AwsError("SerializationException", "The request body is not a JSON object")
    return document


def _from_text(text: str, shape: Shape) -> Any:
    """Turn a path, query or header value into what the same member would be in a JSON body."""
    if shape.type_name in ("integer", "long"):
        try:
            return int(text)
        except ValueError:
            raise AwsError("SerializationException", f"Expected a whole number, got {text!r}") from None
    return text == "true" if shape.type_name == "boolean" else text


def _structure(value: Any, shape: StructureShape, path: str) -> Params:
    if not isinstance(value, dict):
        raise _unexpected(value, shape, path)
    parsed: Params = {}
    for name, member in shape.members.items():
        given = value.get(member.serialization.get("name", name), value.get(name))
        if given is not None:
            parsed[name] = _value(given, member, member_path(path, name))
    return parsed


def _list(value: Any, shape: ListShape, path: str) -> list[Any]:
    if not isinstance(value, list):
        raise _unexpected(value, shape, path)
    return [_value(item, shape.member, f"{path}.{n}.member") for n, item in enumerate(value, 1)]


def _map(value: Any, shape: MapShape, path: str) -> Params:
    if not isinstance(value, dict):
        raise _unexpected(value, shape, path)
    return {key: _value(item, shape.value, f"{path}.{key}") for key, item in value.items()}


def _blob(value: Any, shape: Shape, path: str) -> bytes:
    if not isinstance(value, str):
        raise _unexpected(value, shape, path)
    try:
        return base64.b64decode(value, validate=True)
    except ValueError:  # binascii's own error is one; letters outside of ASCII get the plain one
        raise AwsError("SerializationException", f"The value at '{path}' is not base64") from None


def _timestamp(value: Any, shape: Shape, path: str) -> dt.datetime:
    if type(value) not in (int, float, str):
        raise _unexpected(value, shape, path)
    try:
        return parse_timestamp(value)
    except (ValueError, OverflowError, RuntimeError):  # botocore wraps what it cannot convert in the last
        raise _unexpected(value, shape, path) from None


def _boolean(value: Any, shape: Shape, path: str) -> bool:
    if not isinstance(value, bool):
        raise _unexpected(value, shape, path)
    return value


def _whole(value: Any, shape: Shape, path: str) -> int:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or value != int(value):
        raise _unexpected(value, shape, path)
    if not -(2 ** (_BITS[shape.type_name] - 1)) <= value < 2 ** (_BITS[shape.type_name] - 1):
        raise _unexpected(value, shape, path)
    return int(value)


def _real(value: Any, shape: Shape, path: str) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise _unexpected(value, shape, path)
    try:
        return float(value)
    except OverflowError:
        raise _unexpected(value, shape, path) from None


def _text(value: Any, shape: Shape, path: str) -> str:
    if not isinstance(value, str):
        raise _unexpected(value, shape, path)
    return value


_PARSERS: dict[str, Callable[[Any, Any, str], Any]] = {
    "structure": _structure,
    "list": _list,
    "map": _map,
    "blob": _blob,
    "timestamp": _timestamp,
    "boolean": _boolean,
    "integer": _whole,
    "long": _whole,
    "float": _real,
    "double": _real,
    "string": _text,
}


def _value(value: Any, shape: Shape, path: str) -> Any:
    return _PARSERS[shape.type_name](value, shape, path)


def _unexpected(value: object, shape: Shape, path: str) -> AwsError:
    return AwsError(
        "SerializationException",
        f"Unexpected value of type {type(value).__name__} at '{path or '$'}': expected {shape.type_name}",
    )
