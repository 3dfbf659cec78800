"""The control endpoint: what it changes, what it refuses, and whom."""

from __future__ import annotations

import json
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit

import pytest
from botocore.exceptions import ClientError

from include.local_aws.process import LocalAwsError
from tests.local_aws.support import BUCKET, Aws


def send(aws: Aws, method: str, path: str, body: object = None, **headers: str) -> tuple[int, Any]:
    """Send a request as it is, without what a client library would add."""
    connection = HTTPConnection(urlsplit(aws.url).netloc, timeout=10)
    content = body if isinstance(body, (str, type(None))) else json.dumps(body)
    connection.request(method, path, content, {name.title(): value for name, value in headers.items()})
    answer = connection.getresponse()
    text = answer.read().decode()
    connection.close()
    return answer.status, json.loads(text) if text.startswith(("{", "[")) else text


def test_health_tells_of_the_trainers(aws: Aws) -> None:
    health = aws.control.health()
    assert health["status"] == "ok"
    assert len(health["trainer_process_ids"]) == 2


@pytest.mark.parametrize(
    ("name", "body", "says"),
    [
        ("dates", [{"bucket": "*"}], "expected an object with bucket, key, last_modified"),
        ("dates", [{"bucket": "*", "key": "*", "last_modified": "2026-10-05"}], "ISO 8601 with a time zone"),
        ("dates", [{"bucket": "*", "key": "*", "last_modified": 5}], "'last_modified' of the date is 5"),
        ("faults", [{"kind": "nope"}], "Fault kind 'nope' is unknown: allowed are throttle, error"),
        ("faults", [{"kind": "error", "share": 2}], "'share' of the fault is 2"),
        ("faults", [{"kind": "error", "times": 0}], "'times' of the fault is 0"),
        ("faults", [{"kind": "slow", "seconds": -1}], "'seconds' of the fault is -1"),
        ("faults", [{"kind": "error", "chance": 1}], "unknown members ['chance']"),
        ("faults", [{"kind": "hold_after", "nth": 0}], "'nth' of the fault is 0"),
        ("faults", {"kind": "error"}, "Expected a JSON list"),
        ("denied", [{"operation": "s3.*"}], "names no 'bucket'"),
        ("durations", {"nope": 1}, "Duration 'nope' is unknown"),
        ("durations", {"training": "long"}, "Duration 'training' is 'long'"),
        ("quotas", {"trainings": 1.5}, "Quota 'trainings' is 1.5"),
        ("quotas", [], "Expected a JSON object"),
        ("outcomes", [{"operation": "start", "status": "TRAINING_FAILED"}], "is unknown: use training"),
        ("outcomes", "{", "not JSON"),
        ("faults", "[" * 100_000, "not JSON"),
        ("durations", '{"training": NaN}', "not JSON"),
        ("saved", {}, "'name' of the state is None"),
    ],
)
def test_setting_is_refused_with_a_reason_when_wrong(aws: Aws, name: str, body: object, says: str) -> None:
    status, answer = send(aws, "PUT", f"/_local_aws/{name}", body)
    assert status == 400
    assert says in answer["error"]


def test_nothing_changes_when_one_of_several_values_is_wrong(aws: Aws) -> None:
    before = aws.control.durations()
    with pytest.raises(LocalAwsError, match="Duration 'nope' is unknown"):
        aws.control.durations(training=9, nope=1)
    assert aws.control.durations() == before


@pytest.mark.parametrize("name", ["faults", "denied", "outcomes"])
def test_list_is_empty_when_deleted(aws: Aws, name: str) -> None:
    item = {
        "faults": {"kind": "error", "operation": "x.Y"},
        "denied": {"bucket": "b"},
        "outcomes": {"operation": "start", "status": "FAILED"},
    }[name]
    assert len(send(aws, "PUT", f"/_local_aws/{name}", [item])[1]) == 1
    assert send(aws, "DELETE", f"/_local_aws/{name}") == (200, [])
    assert send(aws, "GET", f"/_local_aws/{name}") == (200, [])


def test_unknown_name_is_not_found(aws: Aws) -> None:
    status, answer = send(aws, "GET", "/_local_aws/nope")
    assert status == 404
    assert "Known names: calls, changes, dates, denied, durations, faults, health, held" in answer["error"]


@pytest.mark.parametrize(
    "headers",
    [{"origin": "https://example.org"}, {"host": "example.org"}, {"host": "example.org:5555"}],
    ids=["a web page", "another host", "another host and port"],
)
@pytest.mark.parametrize("path", ["/_local_aws/reset", "/moto-api/reset"])
def test_caller_is_refused_when_it_may_be_a_web_page(aws: Aws, path: str, headers: dict[str, str]) -> None:
    aws.rekognition.create_project(ProjectName="kept")
    assert send(aws, "POST", path, **headers)[0] == 403
    assert len(aws.rekognition.describe_projects()["ProjectDescriptions"]) == 1


def test_local_host_name_is_accepted(aws: Aws) -> None:
    assert send(aws, "GET", "/_local_aws/health", host="localhost:80")[0] == 200


def test_calls_are_counted_a_service_and_cleared(aws: Aws) -> None:
    aws.control.clear_calls()
    aws.s3.list_buckets()
    aws.client("sns").list_topics()
    aws.client("sqs").list_queues()
    aws.client("ssm").describe_parameters()
    aws.client("sts").get_caller_identity()
    counts = aws.control.calls()
    assert set(counts) == {
        "s3.ListBuckets",
        "sns.ListTopics",
        "sqs.ListQueues",
        "ssm.DescribeParameters",
        "sts.GetCallerIdentity",
    }
    assert counts["s3.ListBuckets"] == {"calls": 1, "errors": {}, "effects": 1}


def test_changes_are_listed_in_order_with_what_they_are_about_and_cleared(aws: Aws) -> None:
    project = aws.project()
    url = aws.client("sqs").create_queue(QueueName="q")["QueueUrl"]
    aws.control.clear_changes()
    aws.put("folder/a b.png", b"x")
    aws.read("folder/a b.png")
    aws.client("sqs").send_message(QueueUrl=url, MessageBody="m")
    aws.client("sns").create_topic(Name="t")
    with pytest.raises(ClientError):
        aws.rekognition.create_dataset(ProjectArn=f"{project}0", DatasetType="TRAIN")
    aws.rekognition.delete_project(ProjectArn=project)

    changes = aws.control.changes()

    assert [(each["operation"], each["subject"], each["effect"]) for each in changes] == [
        ("s3.PutObject", "folder/a b.png", True),
        ("sqs.SendMessage", "q", True),
        ("sns.CreateTopic", "t", True),
        ("rekognition.CreateDataset", "TRAIN", False),
        ("rekognition.DeleteProject", f"project/{project.split('/')[1]}", True),
    ]
    aws.control.clear_changes()
    assert aws.control.changes() == []


def test_reset_forgets_everything(aws: Aws) -> None:
    aws.project()
    aws.control.faults({"operation": "x.Y", "kind": "error"})
    aws.control.quotas(projects=7)
    aws.control.reset()
    assert aws.control.quotas()["projects"] == 100
    assert aws.control.calls() == {}
    assert aws.control.changes() == []
    assert aws.s3.list_buckets()["Buckets"] == []
    assert aws.rekognition.describe_projects()["ProjectDescriptions"] == []
    assert send(aws, "GET", "/_local_aws/faults") == (200, [])


def test_objects_have_the_date_that_they_are_given(aws: Aws) -> None:
    for key in ("old/1.png", "old/2.png", "new/1.png"):
        aws.s3.put_object(Bucket=BUCKET, Key=key, Body=b"image")

    changed = aws.control.date_objects(BUCKET, "old/*", "2026-10-05T12:00:00+00:00")

    listed = aws.s3.list_objects_v2(Bucket=BUCKET)["Contents"]
    dates = {entry["Key"]: entry["LastModified"].isoformat() for entry in listed}
    assert changed == 2
    assert dates["old/1.png"] == dates["old/2.png"] == "2026-10-05T12:00:00+00:00"
    assert dates["new/1.png"] > "2026-10-05T12:00:00+00:00"
