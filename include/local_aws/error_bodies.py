"""Error answers in the wire form of whichever service was called; used for injected trouble."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from xml.sax.saxutils import escape

from include.local_aws.messages import Response
from include.local_aws.operations import Operation

ARCHIVED = "The operation is not valid for the object's storage class"


def throttled(operation: Operation) -> Response:
    """Answer as the service does when it is called too often."""
    if operation.protocol == "s3":
        return _render(operation, 503, "SlowDown", "Please reduce your request rate.")
    if operation.protocol == "ec2":
        return _render(operation, 503, "RequestLimitExceeded", "Request limit exceeded.")
    if operation.protocol in ("query", "rest-xml"):
        return _render(operation, 400, "Throttling", "Rate exceeded")
    if operation.full_name == "rekognition.DetectCustomLabels":
        message = "Provisioned throughput exceeded for the model"
        return _render(operation, 400, "ProvisionedThroughputExceededException", message)
    # Rekognition's model marks ThrottlingException as a fault: HTTP 500, where most services say 400.
    status = {"rekognition": 500, "sagemaker-a2i-runtime": 429}.get(operation.service, 400)
    return _render(operation, status, "ThrottlingException", "Rate exceeded")


def broken(operation: Operation, text: str = "An internal server error occurred. Try your request again.") -> Response:
    """Answer as the service does when it fails by itself."""
    if operation.protocol == "s3":
        return _render(operation, 500, "InternalError", text)
    code = "InternalServerError" if operation.protocol in ("json", "cbor", "rest") else "InternalFailure"
    if operation.service == "sagemaker-a2i-runtime":
        code = "InternalServerException"
    return _render(operation, 500, code, text)


def not_served(operation: Operation, text: str) -> Response:
    """Answer what nothing here serves: with 501, which no SDK takes for a reason to try again."""
    return _render(operation, 501, "NotImplemented", text)


def denied(operation: Operation, code: str) -> Response:
    """Answer as S3 does for a caller without permission, or for what nobody may do to an object."""
    if code.startswith("KMS."):
        return _render(operation, 400, code, "The key that the object is encrypted with is not usable.")
    message = {"AccessDenied": "Access Denied", "InvalidObjectState": ARCHIVED}.get(code, code)
    return _render(operation, 403, code, message)


def precondition_failed(operation: Operation) -> Response:
    """Answer as S3 does when a condition of the request does not hold."""
    return _render(
        operation, 412, "PreconditionFailed", "At least one of the pre-conditions you specified did not hold"
    )


def error_code(response: Response) -> str | None:
    """Return the error code that an answer of any protocol carries, None for a success."""
    if response.status < 400:
        return None
    named = {name.lower(): value for name, value in response.headers.items()}
    code = named.get("x-amzn-errortype") or named.get("x-local-aws-error")
    if code:
        return code.split(":")[0]
    return _code_in(response.body.decode("utf-8", "replace")) or str(response.status)


def _code_in(body: str) -> str | None:
    if "<Code>" in body:
        return body.split("<Code>")[1].split("</Code>", maxsplit=1)[0]
    if body.startswith("{"):
        try:
            document = json.loads(body)
        except ValueError:
            return None
        code = document.get("__type") or document.get("code")
        return str(code).rpartition("#")[2] if code else None
    return None


def _render(operation: Operation, status: int, code: str, message: str) -> Response:
    request_id = str(uuid.uuid4())
    # A HEAD answer has no body to carry the code, and CBOR is not read: the log takes the code from this header.
    named = {"x-local-aws-error": code, "x-amzn-RequestId": request_id}
    if operation.protocol in ("json", "rest"):
        headers = {"Content-Type": "application/x-amz-json-1.1", "x-amzn-ErrorType": code, **named}
        return Response(status, headers, json.dumps({"__type": code, "message": message}).encode())
    if operation.protocol == "cbor":
        headers = {"Content-Type": "application/cbor", "smithy-protocol": "rpc-v2-cbor", **named}
        return Response(status, headers, _cbor({"__type": code, "message": message}))
    document = _xml(operation, code, message, request_id)
    body = f'<?xml version="1.0" encoding="UTF-8"?>\n{document}'
    return Response(status, {"Content-Type": "application/xml", **named}, body.encode())


def _xml(operation: Operation, code: str, message: str, request_id: str) -> str:
    fields = f"<Code>{escape(code)}</Code><Message>{escape(message)}</Message>"
    if operation.protocol == "s3":
        return f"<Error>{fields}<RequestId>{request_id}</RequestId></Error>"
    if operation.protocol == "ec2":
        return f"<Response><Errors><Error>{fields}</Error></Errors><RequestID>{request_id}</RequestID></Response>"
    error = f"<Error><Type>Sender</Type>{fields}</Error>"
    return f"<ErrorResponse>{error}<RequestId>{request_id}</RequestId></ErrorResponse>"


def _cbor(texts: Mapping[str, str]) -> bytes:
    """Return a map of texts, at most 23 of them and below 64 KiB each, in CBOR (RFC 8949)."""
    encoded = bytes([0xA0 + len(texts)])
    for text in (part for pair in texts.items() for part in pair):
        content = text.encode()
        encoded += b"\x79" + len(content).to_bytes(2, "big") + content
    return encoded
