"""Name the AWS operation of any request, moto's services included: faults, counts and the log go by it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal
from urllib.parse import parse_qsl

from include.local_aws.messages import Request

Protocol = Literal["json", "cbor", "rest", "rest-xml", "query", "ec2", "s3"]

_SUBRESOURCES = {
    "acl": "Acl",
    "cors": "Cors",
    "encryption": "Encryption",
    "lifecycle": "LifecycleConfiguration",
    "location": "Location",
    "logging": "Logging",
    "notification": "NotificationConfiguration",
    "policy": "Policy",
    "publicAccessBlock": "PublicAccessBlock",
    "tagging": "Tagging",
    "versioning": "Versioning",
}
_REST_XML = frozenset({"cloudfront", "route53"})
"""Beside S3 and S3 Control, the services whose REST answers are XML."""
_S3_CONTROL = "/v20180820/"
_VERBS = {"GET": "Get", "HEAD": "Head", "PUT": "Put", "DELETE": "Delete", "POST": "Post"}


@dataclass(frozen=True)
class Operation:
    """Which operation of which service a request calls; `bucket` is set for S3 only."""

    service: str
    name: str
    protocol: Protocol
    bucket: str | None = None

    @property
    def full_name(self) -> str:
        """Service and operation in one, such as 's3.GetObject'."""
        return f"{self.service}.{self.name}"


def identify(request: Request) -> Operation:
    """Name the operation that `request` calls.

    REST services other than S3 are named by method and path: naming them would need each service's model.
    """
    service = request.scope.service if request.scope else ""
    target = request.headers.get("x-amz-target")
    if target:
        prefix, _, name = target.rpartition(".")
        return Operation(service or prefix.lower(), name, "json")
    if request.path.startswith("/service/") and "/operation/" in request.path:
        is_cbor = request.headers.get("smithy-protocol") == "rpc-v2-cbor"
        return Operation(service, request.path.rpartition("/")[2], "cbor" if is_cbor else "json")
    action = _query_action(request)
    if action:
        return Operation(service or "unsigned", action, "ec2" if service == "ec2" else "query")
    return _identify_rest(request, service)


def _identify_rest(request: Request, service: str) -> Operation:
    named = f"{request.method} {request.path}"
    if service == "s3" and request.path.startswith(_S3_CONTROL):
        return Operation("s3control", named, "rest-xml")
    if service in ("s3", ""):
        bucket, _, key = request.path.lstrip("/").partition("/")
        return Operation("s3", _s3_operation(request, bucket, key), "s3", bucket or None)
    return Operation(service, named, "rest-xml" if service in _REST_XML else "rest")


def _query_action(request: Request) -> str | None:
    """Return the Action of a query protocol request; S3 never has one."""
    if request.scope is not None and request.scope.service == "s3":
        return None
    if request.headers["content-type"].startswith("application/x-www-form-urlencoded"):
        return dict(parse_qsl(request.body.decode("utf-8", "replace"))).get("Action")
    return request.parameters.get("Action")


def _s3_operation(request: Request, bucket: str, key: str) -> str:
    if not bucket:
        return "ListBuckets"
    return _object_operation(request) if key else _bucket_operation(request)


def _bucket_operation(request: Request) -> str:
    parameters, method = request.parameters, request.method
    subresource = _subresource(parameters)
    if subresource:
        return f"{_VERBS.get(method, method)}Bucket{subresource}"
    if method == "GET":
        return _listing(parameters)
    if method == "POST":
        return "DeleteObjects" if "delete" in parameters else "PostObject"
    return {"PUT": "CreateBucket", "HEAD": "HeadBucket", "DELETE": "DeleteBucket"}.get(method, method)


def _listing(parameters: dict[str, str]) -> str:
    if "uploads" in parameters:
        return "ListMultipartUploads"
    if "versions" in parameters:
        return "ListObjectVersions"
    return "ListObjectsV2" if parameters.get("list-type") == "2" else "ListObjects"


def _object_operation(request: Request) -> str:
    parameters, method = request.parameters, request.method
    if "uploadId" in parameters or "uploads" in parameters:
        return _multipart_operation(request)
    subresource = _subresource(parameters)
    if subresource:
        return f"{_VERBS.get(method, method)}Object{subresource}"
    if method == "PUT" and "x-amz-copy-source" in request.headers:
        return "CopyObject"
    return f"{_VERBS[method]}Object" if method in _VERBS else method


def _multipart_operation(request: Request) -> str:
    if request.method == "PUT":
        return "UploadPartCopy" if "x-amz-copy-source" in request.headers else "UploadPart"
    if request.method == "POST":
        return "CreateMultipartUpload" if "uploads" in request.parameters else "CompleteMultipartUpload"
    return {"GET": "ListParts", "DELETE": "AbortMultipartUpload"}.get(request.method, request.method)


def _subresource(parameters: dict[str, str]) -> str | None:
    return next((name for key, name in _SUBRESOURCES.items() if key in parameters), None)
