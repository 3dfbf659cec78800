"""Calls that are held: nothing changes from then on, until the hold is lifted or the client is gone."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.kit.support import wait_until
from tests.local_aws.support import BUCKET, Aws

PUT = f"""
import sys, boto3
s3 = boto3.client("s3", endpoint_url=sys.argv[1], region_name="us-east-1",
                  aws_access_key_id="a", aws_secret_access_key="b")
for key in sys.argv[2:]:
    s3.put_object(Bucket="{BUCKET}", Key=key, Body=b"x" * 300_000)
"""


@contextmanager
def putting(aws: Aws, *keys: str) -> Iterator[subprocess.Popen[bytes]]:
    """Put objects one after the other in a process of its own."""
    process = subprocess.Popen([sys.executable, "-c", PUT, aws.url, *keys])
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def keys(aws: Aws) -> list[str]:
    return [entry["Key"] for entry in aws.s3.list_objects_v2(Bucket=BUCKET).get("Contents", [])]


@pytest.mark.parametrize(("kind", "left"), [("hold_before", ["a"]), ("hold_after", ["a", "b"])])
def test_just_what_came_before_is_done_when_the_client_of_a_held_call_is_killed(
    aws: Aws, kind: str, left: list[str]
) -> None:
    aws.control.faults({"operation": "s3.*", "kind": kind, "nth": 2})
    with putting(aws, "a", "b", "c") as process:
        wait_until(lambda: bool(aws.control.held()))
        assert aws.control.held() == [{"operation": "s3.PutObject", "subject": "b"}]
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        wait_until(lambda: not aws.control.held())
    aws.control.faults()

    assert keys(aws) == left


def test_a_killed_clients_call_has_no_effect_when_the_hold_is_lifted_at_once(aws: Aws) -> None:
    aws.control.faults({"operation": "s3.*", "kind": "hold_before"})
    with putting(aws, "a") as process:
        wait_until(lambda: bool(aws.control.held()))
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        aws.control.faults()
    wait_until(lambda: not aws.control.held())

    assert keys(aws) == []


@pytest.mark.parametrize("kind", ["hold_before", "hold_after"])
def test_all_goes_on_when_a_hold_is_lifted(aws: Aws, kind: str) -> None:
    aws.control.faults({"operation": "s3.PutObject", "subject": "folder/*", "kind": kind})
    with putting(aws, "a", "folder/b", "c") as process:
        wait_until(lambda: bool(aws.control.held()))
        aws.control.faults()
        assert process.wait(20) == 0

    assert keys(aws) == ["a", "c", "folder/b"]


def test_reading_goes_on_and_changing_waits_when_a_call_is_held(aws: Aws) -> None:
    aws.put("there", b"x")
    aws.control.faults({"operation": "s3.PutObject", "kind": "hold_before"})
    other = threading.Thread(target=lambda: aws.rekognition.create_project(ProjectName="p"))
    with putting(aws, "a"):
        wait_until(lambda: bool(aws.control.held()))
        other.start()
        wait_until(lambda: len(aws.control.held()) == 2)

        assert aws.read("there") == "x"
        assert aws.rekognition.describe_projects()["ProjectDescriptions"] == []
        assert [call["operation"] for call in aws.control.held()] == ["s3.PutObject", "rekognition.CreateProject"]
    aws.control.faults()
    other.join(20)
    assert len(aws.rekognition.describe_projects()["ProjectDescriptions"]) == 1
