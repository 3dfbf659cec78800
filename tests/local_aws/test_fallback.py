"""What moto serves, fails in or does not have is answered at once, in the form of the service that was called."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from botocore.model import StructureShape
from botocore.parsers import create_parser

from include.local_aws.fallback import Moto
from include.local_aws.messages import Request
from include.local_aws.operations import identify
from tests.local_aws.support import Aws
from tests.local_aws.test_operations import request

ROLE = "arn:aws:iam::123456789012:role/r"
NOT_IMPLEMENTED = "does not implement it"
NO_SERVICE = "has this service"
UNKNOWN_CALLS = 700
"""moto prints a line for each call of a service that it does not know: more than a pipe holds (64 KiB)."""


def retrying(aws: Aws, service: str) -> Any:
    """Make a client with boto's own retries, which checks no parameters."""
    keys: dict[str, Any] = {"aws_access_key_id": "local", "aws_secret_access_key": "local"}
    config = Config(parameter_validation=False, inject_host_prefix=False)
    return boto3.client(
        service,  # type: ignore[call-overload]
        endpoint_url=aws.url,
        region_name="us-east-1",
        config=config,
        **keys,
    )


@pytest.mark.parametrize(
    ("service", "operation", "parameters", "named", "reason"),
    [
        ("sagemaker", "list_lineage_groups", {}, "sagemaker.ListLineageGroups", NOT_IMPLEMENTED),
        ("rekognition", "recognize_celebrities", {}, "rekognition.RecognizeCelebrities", NOT_IMPLEMENTED),
        ("sns", "put_data_protection_policy", {}, "sns.PutDataProtectionPolicy", NOT_IMPLEMENTED),
        ("cloudwatch", "put_managed_insight_rules", {}, "monitoring.PutManagedInsightRules", NOT_IMPLEMENTED),
        ("lambda", "get_runtime_management_config", {"FunctionName": "f"}, "GetRuntimeManagementConfig", "implement"),
        ("sesv2", "get_account", {}, "sesv2.GetAccount", NOT_IMPLEMENTED),
        ("cloudfront", "list_streaming_distributions", {}, "cloudfront.ListStreamingDistributions", NOT_IMPLEMENTED),
        ("workmail", "list_organizations", {}, "workmail.ListOrganizations", NO_SERVICE),
        ("workdocs", "delete_folder", {"FolderId": "f"}, "workdocs.DeleteFolder", NO_SERVICE),
        ("translate", "list_languages", {}, "translate.ListLanguages", NO_SERVICE),
        ("cloudsearch", "list_domain_names", {}, "cloudsearch.ListDomainNames", NO_SERVICE),
        ("glue", "get_databases", {}, "glue.GetDatabases", "'pyparsing'"),
    ],
    ids=lambda value: value if isinstance(value, str) and value.islower() else "",
)
def test_call_is_answered_at_once_and_by_name_when_it_is_not_served(
    aws: Aws, service: str, operation: str, parameters: dict[str, Any], named: str, reason: str
) -> None:
    aws.control.clear_calls()
    with pytest.raises(ClientError) as caught:
        getattr(retrying(aws, service), operation)(**parameters)
    answer = caught.value.response
    assert (answer["Error"]["Code"], answer["ResponseMetadata"]["HTTPStatusCode"]) == ("NotImplemented", 501)
    assert f"{named} is not served by local AWS" in answer["Error"]["Message"]
    assert reason in answer["Error"]["Message"]
    assert [count["calls"] for count in aws.control.calls().values()] == [1]


@pytest.mark.parametrize(
    ("sent", "parser"),
    [
        (request("POST", "/?Action=AdvertiseByoipCidr", "ec2"), "ec2"),
        (request("GET", "/v20180820/jobs"), "rest-xml"),
        (request("POST", "/b?select"), "rest-xml"),
        (request("POST", "/service/x/operation/Y", "x", smithy_protocol="rpc-v2-cbor"), "smithy-rpc-v2-cbor"),
    ],
    ids=["ec2", "s3control", "s3", "cbor"],
)
def test_refusal_is_read_by_botos_own_parser_when_moto_has_no_such_operation(sent: Request, parser: str) -> None:
    answer = _with_app(_do_not_implement).answer(sent, identify(sent))
    raw = {"status_code": answer.status, "headers": answer.headers, "body": answer.body}
    error = create_parser(parser).parse(raw, StructureShape("Output", {"type": "structure", "members": {}}))["Error"]
    assert (answer.status, error["Code"]) == (501, "NotImplemented")
    assert "is not served by local AWS" in error["Message"]


def test_connection_stays_usable_after_a_call_whose_body_nobody_needs(aws: Aws) -> None:
    connection = HTTPConnection(urlsplit(aws.url).netloc, timeout=10)
    scope = "AWS4-HMAC-SHA256 Credential=AK/20260101/eu-west-1/workmail/aws4_request, SignedHeaders=host"
    headers = {"Authorization": scope, "X-Amz-Target": "WorkMailService.ListOrganizations"}
    answers = []
    for path in ("/", "/", "/_local_aws/nothing", "/_local_aws/work/nothing", "/moto-api/nothing", "/"):
        connection.request("POST", path, b"a body without a line's end", {**headers, "Origin": "http://elsewhere"})
        answer = connection.getresponse()
        answer.read()
        answers.append(answer.status)
    connection.close()
    assert answers == [501, 501, 403, 403, 403, 501]


def test_calls_are_served_when_moto_has_printed_more_than_a_pipe_holds(aws: Aws) -> None:
    connection = HTTPConnection(urlsplit(aws.url).netloc, timeout=10)
    scope = "AWS4-HMAC-SHA256 Credential=AK/20260101/eu-west-1/a-service-nobody-has/aws4_request, SignedHeaders=host"
    for _ in range(UNKNOWN_CALLS):
        connection.request("GET", "/", headers={"Authorization": scope})
        connection.getresponse().read()
    connection.close()
    assert aws.s3.list_buckets()["Buckets"]


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        (request("GET", "/b/k"), "<Code>InternalError</Code>"),
        (request("POST", "/", "ssm", x_amz_target="AmazonSSM.GetParameter"), '"__type": "InternalServerError"'),
        (request("GET", "/?Action=Publish", "sns"), "<Code>InternalFailure</Code>"),
    ],
    ids=["xml", "json", "query"],
)
def test_failure_inside_moto_is_given_in_the_form_of_the_service(sent: Request, code: str) -> None:
    answer = _with_app(_fail).answer(sent, identify(sent))
    assert answer.status == 500
    assert code in answer.body.decode()
    assert "KeyError('Uri')" in answer.body.decode().replace("&apos;", "'")


def test_answer_of_moto_is_left_as_it_is_when_it_says_that_an_object_is_missing() -> None:
    sent = request("HEAD", "/b/k")
    assert _with_app(_missing).answer(sent, identify(sent)).status == 404


def _with_app(app: Callable[..., Iterable[bytes]]) -> Moto:
    moto = Moto()
    moto._app = app
    return moto


def _fail(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    raise KeyError("Uri")


def _do_not_implement(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    raise NotImplementedError


def _missing(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    start_response("404 NOT FOUND", [])
    return []
