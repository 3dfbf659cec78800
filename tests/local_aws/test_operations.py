"""The operation that a request calls is told from the request alone."""

from __future__ import annotations

import io

import pytest

from include.local_aws.messages import Request
from include.local_aws.operations import identify


def request(method: str, path: str, service: str = "s3", body: bytes = b"", **headers: str) -> Request:
    path, _, query = path.partition("?")
    environ = {
        "REQUEST_METHOD": method,
        "PATH_INFO": path,
        "QUERY_STRING": query,
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.input": io.BytesIO(body),
        "CONTENT_TYPE": headers.pop("content_type", ""),
        **{f"HTTP_{name.upper()}": value for name, value in headers.items()},
    }
    if service:
        scope = f"AWS4-HMAC-SHA256 Credential=AK/20260101/eu-west-1/{service}/aws4_request, SignedHeaders=host"
        environ["HTTP_AUTHORIZATION"] = scope
    return Request(environ)


@pytest.mark.parametrize(
    ("method", "path", "expected"),
    [
        ("GET", "/", "s3.ListBuckets"),
        ("PUT", "/b", "s3.CreateBucket"),
        ("HEAD", "/b", "s3.HeadBucket"),
        ("DELETE", "/b", "s3.DeleteBucket"),
        ("GET", "/b?list-type=2&prefix=x", "s3.ListObjectsV2"),
        ("GET", "/b?prefix=x", "s3.ListObjects"),
        ("GET", "/b?versions", "s3.ListObjectVersions"),
        ("GET", "/b?uploads", "s3.ListMultipartUploads"),
        ("POST", "/b?delete", "s3.DeleteObjects"),
        ("PUT", "/b?notification", "s3.PutBucketNotificationConfiguration"),
        ("GET", "/b?location", "s3.GetBucketLocation"),
        ("GET", "/b/k/l", "s3.GetObject"),
        ("HEAD", "/b/k", "s3.HeadObject"),
        ("PUT", "/b/k", "s3.PutObject"),
        ("DELETE", "/b/k", "s3.DeleteObject"),
        ("GET", "/b/k?tagging", "s3.GetObjectTagging"),
        ("POST", "/b/k?uploads", "s3.CreateMultipartUpload"),
        ("PUT", "/b/k?partNumber=1&uploadId=u", "s3.UploadPart"),
        ("POST", "/b/k?uploadId=u", "s3.CompleteMultipartUpload"),
        ("DELETE", "/b/k?uploadId=u", "s3.AbortMultipartUpload"),
        ("GET", "/b/k?uploadId=u", "s3.ListParts"),
    ],
)
def test_s3_operation_is_read_from_method_and_query(method: str, path: str, expected: str) -> None:
    assert identify(request(method, path)).full_name == expected


def test_copy_is_read_from_its_header() -> None:
    assert identify(request("PUT", "/b/k", x_amz_copy_source="/b/other")).full_name == "s3.CopyObject"


def test_presigned_request_is_read_from_its_query() -> None:
    query = "X-Amz-Credential=AK%2F20260101%2Feu-west-1%2Fs3%2Faws4_request"
    presigned = request("GET", f"/b/k?{query}", service="")
    assert (identify(presigned).full_name, presigned.region) == ("s3.GetObject", "eu-west-1")


def test_json_operation_is_read_from_its_target() -> None:
    signed = request("POST", "/", "rekognition", x_amz_target="RekognitionService.CreateProject")
    assert (identify(signed).full_name, signed.region) == ("rekognition.CreateProject", "eu-west-1")


def test_query_operation_is_read_from_its_body_which_stays_readable() -> None:
    form = {"content_type": "application/x-www-form-urlencoded; charset=utf-8"}
    signed = request("POST", "/", "sns", b"Action=Publish&Message=hello", **form)
    assert identify(signed).full_name == "sns.Publish"
    assert signed.environ["wsgi.input"].read() == b"Action=Publish&Message=hello"


def test_cbor_operation_is_read_from_its_path() -> None:
    signed = request("POST", "/service/GraniteServiceVersion20100801/operation/PutMetricData", "monitoring")
    assert identify(signed).full_name == "monitoring.PutMetricData"


def test_rest_operation_is_named_by_method_and_path() -> None:
    assert identify(request("GET", "/2015-03-31/functions", "lambda")).full_name == "lambda.GET /2015-03-31/functions"


def test_s3_control_is_read_from_s3_by_its_path() -> None:
    assert identify(request("GET", "/v20180820/jobs")).full_name == "s3control.GET /v20180820/jobs"


@pytest.mark.parametrize(
    ("service", "path", "headers", "protocol"),
    [
        ("monitoring", "/service/Granite/operation/PutMetricData", {"smithy_protocol": "rpc-v2-cbor"}, "cbor"),
        ("ec2", "/?Action=RunInstances", {}, "ec2"),
        ("sns", "/?Action=Publish", {}, "query"),
        ("cloudfront", "/2020-05-31/key-group", {}, "rest-xml"),
        ("lambda", "/2015-03-31/functions", {}, "rest"),
    ],
    ids=["cbor", "ec2", "query", "rest-xml", "rest"],
)
def test_protocol_is_that_of_the_service(service: str, path: str, headers: dict[str, str], protocol: str) -> None:
    assert identify(request("GET", path, service, b"", **headers)).protocol == protocol
