"""From what an operation returns, or the error it raises, to the bytes of an answer."""

from __future__ import annotations

import base64
import datetime as dt
import json
import uuid
from typing import Any

from include.local_aws.messages import Response
from include.local_aws.wire.errors import AwsError
from include.local_aws.wire.model import WireModel
from include.local_aws.wire.parse import Params
from include.local_aws.wire.validate import violations


class AnswerError(TypeError):
    """An operation of this emulator returned what the service model does not allow: a bug here."""


def serialize_answer(model: WireModel, operation: str, answer: Params) -> Response:
    """Serialize an operation's answer.

    Raises AnswerError when the answer has members, types, enums or lengths that the model forbids.
    """
    described = model.operation(operation)
    shape = described.output_shape
    document = {} if shape is None else _structure(answer, shape)
    if shape is not None:
        broken = list(violations(_without_none(answer), shape, ""))
        if broken:
            raise AnswerError(f"{operation} answered against its model: {'; '.join(broken)}")
    status = int(described.http.get("responseCode", 200))
    return Response(status, _headers(model), json.dumps(document).encode())


def serialize_error(model: WireModel, error: AwsError) -> Response:
    """Serialize an error in the form that boto3 reads for JSON and REST-JSON services alike."""
    status = error.status or model.error_status(error.code)
    body = {"__type": error.code, "Code": error.code, "message": error.message, "Message": error.message}
    headers = {**_headers(model), "x-amzn-ErrorType": error.code}
    return Response(status, headers, json.dumps(body).encode())


def _headers(model: WireModel) -> dict[str, str]:
    kind = f"application/x-amz-json-{model.json_version}" if model.protocol == "json" else "application/json"
    return {"Content-Type": kind, "x-amzn-RequestId": str(uuid.uuid4())}


def _structure(value: Params, shape: Any) -> Params:
    unknown = set(value) - set(shape.members)
    if unknown:
        raise AnswerError(f"{shape.name} has no members {sorted(unknown)}")
    return {
        shape.members[name].serialization.get("name", name): _value(item, shape.members[name])
        for name, item in value.items()
        if item is not None
    }


def _value(value: Any, shape: Any) -> Any:
    match shape.type_name:
        case "structure":
            return _structure(value, shape)
        case "list":
            return [_value(item, shape.member) for item in value]
        case "map":
            return {key: _value(item, shape.value) for key, item in value.items()}
        case "blob":
            return base64.b64encode(value).decode()
        case "timestamp":
            return _timestamp(value, shape)
        case "float" | "double":
            return float(value)
    return value


def _timestamp(value: float, shape: Any) -> float | str:
    """Write seconds since the epoch the way the shape asks for: a number unless it says iso8601."""
    if shape.serialization.get("timestampFormat") == "iso8601":
        return dt.datetime.fromtimestamp(value, dt.UTC).isoformat().replace("+00:00", "Z")
    return round(value, 3)


def _without_none(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_none(item) for key, item in value.items() if item is not None}
    return [_without_none(item) for item in value] if isinstance(value, list) else value
