"""Error answers in the wire form of whichever service was called; used for injected trouble."""

from __future__ import annotations

import json
import uuid
from xml.sax.saxutils import escape

from include.local_aws.messages import Response
from include.local_aws.operations import Operation

ARCHIVED = "The operation is not valid for the object's storage class"


def throttled(operation: Operation) -> Response:
    """Answer as the service does when it is called too often."""
    if operation.protocol == "s3":
        return _render(operation, 503, "SlowDown", "Please reduce your request rate.")
    if operation.protocol == "query":
        return _render(operation, 400, "Throttling", "Rate exceeded")
    if operation.full_name == "rekognition.DetectCustomLabels":
        message = "Provisioned throughput exceeded for the model"
        return _render(operation, 400, "ProvisionedThroughputExceededException", message)
    # Rekognition's model marks ThrottlingException as a fault: HTTP 500, where most services say 400.
    status = {"rekognition": 500, "sagemaker-a2i-runtime": 429}.get(operation.service, 400)
    return _render(operation, status, "ThrottlingException", "Rate exceeded")


def broken(operation: Operation) -> Response:
    """Answer as the service does when it fails by itself."""
    if operation.protocol == "s3":
        return _render(operation, 500, "InternalError", "We encountered an internal error. Please try again.")
    code = "InternalFailure" if operation.protocol == "query" else "InternalServerError"
    if operation.service == "sagemaker-a2i-runtime":
        code = "InternalServerException"
    return _render(operation, 500, code, "An internal server error occurred. Try your request again.")


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
    if operation.protocol in ("json", "rest"):
        headers = {"Content-Type": "application/x-amz-json-1.1", "x-amzn-ErrorType": code}
        body = {"__type": code, "message": message}
        return Response(status, {**headers, "x-amzn-RequestId": request_id}, json.dumps(body).encode())
    fields = f"<Code>{escape(code)}</Code><Message>{escape(message)}</Message>"
    if operation.protocol == "s3":
        document = f"<Error>{fields}<RequestId>{request_id}</RequestId></Error>"
    else:
        error = f"<Error><Type>Sender</Type>{fields}</Error>"
        document = f"<ErrorResponse>{error}<RequestId>{request_id}</RequestId></ErrorResponse>"
    # A HEAD answer has no body to carry the code, so the log reads it from this header.
    headers = {"Content-Type": "application/xml", "x-local-aws-error": code}
    return Response(status, headers, f'<?xml version="1.0" encoding="UTF-8"?>\n{document}'.encode())
