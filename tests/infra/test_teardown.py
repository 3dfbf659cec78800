"""teardown: what goes, what stays, and that models go first."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.infra.conftest import Run
from tests.infra.test_deploy import stacks
from tests.kit.stack_proxy import StackProxy
from tests.kit.support import client

if TYPE_CHECKING:
    from include.local_aws.process import LocalAws


def left(aws: LocalAws) -> dict[str, int]:
    """Count what is at AWS; moto leaves managed policies when it deletes their stack."""
    return {
        "buckets": len(client(aws, "s3").list_buckets()["Buckets"]),
        "queues": len(client(aws, "sqs").list_queues().get("QueueUrls", [])),
        "topics": len(client(aws, "sns").list_topics()["Topics"]),
        "rules": len(client(aws, "events").list_rules()["Rules"]),
        "roles": len(client(aws, "iam").list_roles()["Roles"]),
        "stacks": len(stacks(aws)),
    }


def test_everything_goes_but_the_bucket(run: Run, account: LocalAws) -> None:
    run("deploy", "birds", "--bucket", "my-birds", "--backend", "ground_truth")
    client(account, "s3").put_object(Bucket="my-birds", Key="images_labeled_by_folder/a/1.png", Body=b"1")

    ended = run("teardown", "birds")

    assert ended.code == 0, ended.err
    assert left(account) == {**dict.fromkeys(left(account), 0), "buckets": 1}
    assert client(account, "s3").list_objects_v2(Bucket="my-birds")["KeyCount"] == 1
    assert "The bucket my-birds stays, with all images, labels and records, and its storage is billed." in ended.out


def test_a_second_run_finds_nothing_to_do(run: Run, account: LocalAws) -> None:
    run("deploy", "birds")
    run("teardown", "birds")
    account.control.clear_changes()

    ended = run("teardown", "birds")

    assert (ended.code, "nothing to take away" in ended.out) == (0, True)
    assert account.control.changes() == []


def test_a_dry_run_names_what_would_go(run: Run, account: LocalAws) -> None:
    run("deploy", "birds", "--bucket", "my-birds")
    before = left(account)

    ended = run("teardown", "birds", "--dry-run")

    assert ended.code == 0
    assert "Topic (AWS::SNS::Topic) arn:aws:sns:us-east-1:123456789012:custom-labels-birds" in ended.out
    assert left(account) == before


def test_a_stack_is_not_taken_from_models(run: Run, account: LocalAws) -> None:
    run("deploy", "birds")
    client(account, "rekognition").create_project(ProjectName="birds")

    ended = run("teardown", "birds")

    assert (ended.code, len(stacks(account))) == (1, 1)
    assert "Trigger birds_teardown in Airflow first" in ended.err
    assert run("teardown", "birds", "--even-with-models").code == 0
    assert stacks(account) == []


def test_models_that_may_not_be_looked_for_count_as_models(run: Run, proxy: StackProxy, account: LocalAws) -> None:
    run("deploy", "birds")
    proxy.refused.add("DescribeProjects")

    ended = run("teardown", "birds")

    assert (ended.code, "allow rekognition:DescribeProjects" in ended.err, len(stacks(account))) == (1, True, 1)


@pytest.mark.slow
@pytest.mark.parametrize("profile", [None, "birds"])
def test_the_command_that_is_shown_deletes_the_bucket_with_all_versions(
    run: Run, account: LocalAws, tmp_path: Path, profile: str | None
) -> None:
    (tmp_path / "config").write_text("[profile birds]\naws_access_key_id = a\naws_secret_access_key = b\n")
    options = ("--profile", profile) if profile else ()
    run("deploy", "birds", "--bucket", "my-birds", *options)
    for _ in range(2):
        client(account, "s3").put_object(Bucket="my-birds", Key="a.png", Body=os.urandom(8))
    client(account, "s3").delete_object(Bucket="my-birds", Key="a.png")
    (shown,) = [line for line in run("teardown", "birds", *options).out.splitlines() if line.startswith("python -c ")]

    subprocess.run(shown.replace("python", sys.executable, 1), shell=True, check=True, timeout=60)

    assert left(account)["buckets"] == 0
