"""Injected trouble befalls every service, in that service's own words, and is counted."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from botocore.exceptions import ClientError, ConnectionClosedError

from tests.local_aws.support import BUCKET, Aws


def error_of(call: Any, **params: Any) -> tuple[str, int]:
    """Return the error code and HTTP status that a call gets."""
    with pytest.raises(ClientError) as caught:
        call(**params)
    answer = caught.value.response
    return answer["Error"]["Code"], answer["ResponseMetadata"]["HTTPStatusCode"]


VERSION_ARN = "arn:aws:rekognition:us-east-1:123456789012:project/p/version/v/1700000000000"


@pytest.mark.parametrize(
    ("service", "operation", "params", "kind", "expected"),
    [
        pytest.param(
            "rekognition", "describe_projects", {}, "throttle", ("ThrottlingException", 500), id="Rekognition throttles"
        ),
        pytest.param(
            "rekognition",
            "detect_custom_labels",
            {"ProjectVersionArn": VERSION_ARN, "Image": {"Bytes": b"x"}},
            "throttle",
            ("ProvisionedThroughputExceededException", 400),
            id="detection throttles",
        ),
        pytest.param(
            "rekognition", "describe_projects", {}, "error", ("InternalServerError", 500), id="Rekognition breaks"
        ),
        pytest.param("s3", "list_objects_v2", {"Bucket": BUCKET}, "throttle", ("SlowDown", 503), id="S3 throttles"),
        pytest.param("s3", "list_buckets", {}, "error", ("InternalError", 500), id="S3 breaks"),
        pytest.param("s3", "head_object", {"Bucket": BUCKET, "Key": "k"}, "throttle", ("503", 503), id="S3 head"),
        pytest.param("sns", "list_topics", {}, "throttle", ("Throttling", 400), id="query service throttles"),
        pytest.param("sns", "list_topics", {}, "error", ("InternalFailure", 500), id="query service breaks"),
        pytest.param(
            "ssm", "get_parameter", {"Name": "n"}, "throttle", ("ThrottlingException", 400), id="JSON service throttles"
        ),
        pytest.param("sqs", "list_queues", {}, "error", ("InternalServerError", 500), id="SQS breaks"),
    ],
)
def test_service_fails_in_its_own_words(
    aws: Aws, service: str, operation: str, params: dict[str, Any], kind: str, expected: tuple[str, int]
) -> None:
    aws.control.faults({"operation": f"{service}.*", "kind": kind})
    assert error_of(getattr(aws.client(service), operation), **params) == expected


def test_call_has_no_effect_when_throttled(aws: Aws) -> None:
    aws.control.faults({"operation": "rekognition.CreateProject", "kind": "throttle", "times": 1})
    error_of(aws.rekognition.create_project, ProjectName="p")
    assert aws.rekognition.describe_projects()["ProjectDescriptions"] == []
    aws.rekognition.create_project(ProjectName="p")
    counts = aws.control.calls()["rekognition.CreateProject"]
    assert counts == {"calls": 2, "errors": {"ThrottlingException": 1}, "effects": 1}


def test_upload_leaves_the_connection_usable_when_refused(aws: Aws) -> None:
    aws.control.faults({"operation": "s3.PutObject", "kind": "throttle", "times": 1})
    assert error_of(aws.s3.put_object, Bucket=BUCKET, Key="k", Body=b"x" * 200_000) == ("SlowDown", 503)
    aws.put("k", b"y")
    assert aws.read("k") == "y"


def test_call_has_its_effect_when_the_response_is_lost(aws: Aws) -> None:
    aws.control.faults({"operation": "rekognition.CreateProject", "kind": "lost_response", "times": 1})
    with pytest.raises(ConnectionClosedError):
        aws.rekognition.create_project(ProjectName="p")
    assert len(aws.rekognition.describe_projects()["ProjectDescriptions"]) == 1
    counts = aws.control.calls()["rekognition.CreateProject"]
    assert counts == {"calls": 1, "errors": {"lost response": 1}, "effects": 1}


def test_retrying_client_meets_its_own_effect_when_the_response_is_lost(aws: Aws) -> None:
    aws.control.faults({"operation": "rekognition.CreateProject", "kind": "lost_response", "times": 1})
    client = aws.client("rekognition", retries=3)
    assert error_of(client.create_project, ProjectName="p")[0] == "ResourceInUseException"


def test_object_is_there_when_the_response_to_its_upload_is_lost(aws: Aws) -> None:
    aws.control.faults({"operation": "s3.PutObject", "kind": "lost_response", "times": 1})
    with pytest.raises(ConnectionClosedError):
        aws.put("k", b"content")
    assert aws.read("k") == "content"


def test_share_of_calls_fails_and_repeats_with_the_seed(aws: Aws) -> None:
    def failures() -> list[bool]:
        aws.control.faults({"operation": "s3.ListBuckets", "kind": "throttle", "share": 0.5})
        found = []
        for _ in range(40):
            try:
                aws.s3.list_buckets()
                found.append(False)
            except ClientError:
                found.append(True)
        return found

    first = failures()
    assert 10 <= sum(first) <= 30
    assert failures() == first


def test_retrying_client_gets_through_when_half_of_the_calls_are_throttled(aws: Aws) -> None:
    aws.control.faults({"operation": "*", "kind": "throttle", "share": 0.5})
    client = aws.client("s3", retries=10)
    for number in range(5):
        client.put_object(Bucket=BUCKET, Key=f"{number}", Body=b"x")
    aws.control.faults()
    assert aws.s3.list_objects_v2(Bucket=BUCKET)["KeyCount"] == 5


def test_call_is_slow_and_still_fails_when_both_are_asked_for(aws: Aws) -> None:
    aws.control.faults(
        {"operation": "s3.ListBuckets", "kind": "error"}, {"operation": "s3.*", "kind": "slow", "seconds": 0.3}
    )
    started = time.monotonic()
    error_of(aws.s3.list_buckets)
    assert time.monotonic() - started >= 0.3


def test_bucket_is_denied_for_the_named_operations_only(aws: Aws) -> None:
    aws.put("k", b"x")
    aws.control.denied({"bucket": BUCKET, "operation": "s3.GetObject"})
    assert error_of(aws.s3.get_object, Bucket=BUCKET, Key="k") == ("AccessDenied", 403)
    assert aws.s3.list_objects_v2(Bucket=BUCKET)["KeyCount"] == 1
    aws.control.denied()
    assert aws.read("k") == "x"


def test_object_keys_survive_whatever_they_contain(aws: Aws) -> None:
    keys = [
        "a b.png",
        "a'b\".png",
        "100%.png",
        "a+b.png",
        "ü/日本.png",
        "a&b<c>.png",
        "a%2Fb.png",
        "100%41.png",
        "folder/",
    ]
    for key in keys:
        aws.put(key, key.encode())
    assert [aws.read(key) for key in keys] == keys
    listed = [item["Key"] for item in aws.s3.list_objects_v2(Bucket=BUCKET)["Contents"]]
    assert sorted(listed) == sorted(keys)


def test_head_tells_the_size_and_time_of_an_object(aws: Aws) -> None:
    aws.put("k", b"12345")
    head = aws.s3.head_object(Bucket=BUCKET, Key="k")
    assert (head["ContentLength"], "LastModified" in head) == (5, True)


def test_part_of_an_object_is_read_by_range(aws: Aws) -> None:
    aws.put("k", b"0123456789")
    part = aws.s3.get_object(Bucket=BUCKET, Key="k", Range="bytes=2-4")
    assert (part["Body"].read(), part["ContentRange"]) == (b"234", "bytes 2-4/10")


def test_object_is_written_once_when_it_must_not_exist(aws: Aws) -> None:
    first = aws.s3.put_object(Bucket=BUCKET, Key="k", Body=b"1", IfNoneMatch="*")
    assert error_of(aws.s3.put_object, Bucket=BUCKET, Key="k", Body=b"2", IfNoneMatch="*")[1] == 412
    assert error_of(aws.s3.put_object, Bucket=BUCKET, Key="k", Body=b"2", IfMatch='"other"')[1] == 412
    aws.s3.put_object(Bucket=BUCKET, Key="k", Body=b"2", IfMatch=first["ETag"])
    assert aws.read("k") == "2"


def test_one_writer_wins_when_many_create_and_replace_an_object_at_once(aws: Aws) -> None:
    clients = [aws.client("s3") for _ in range(8)]

    def winners(**condition: str) -> int:
        def wins(client: Any) -> bool:
            try:
                client.put_object(Bucket=BUCKET, Key="k", Body=f"{condition} {id(client)}".encode(), **condition)
            except ClientError:
                return False
            return True

        with ThreadPoolExecutor(len(clients)) as threads:
            return sum(threads.map(wins, clients))

    assert winners(IfNoneMatch="*") == 1
    assert winners(IfMatch=aws.s3.head_object(Bucket=BUCKET, Key="k")["ETag"]) == 1


def test_object_metadata_keeps_its_underscores(aws: Aws) -> None:
    aws.s3.put_object(Bucket=BUCKET, Key="k", Body=b"", Metadata={"my_key": "a"})
    assert aws.s3.head_object(Bucket=BUCKET, Key="k")["Metadata"] == {"my_key": "a"}
