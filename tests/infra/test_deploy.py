"""plan and deploy: what is made, that nothing is asked or done twice, and what is refused before a change."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from include.infra.stack import stack_name
from include.infra.template import TEMPLATE, read_parameters
from include.infra.values import choose_values, derive_bucket
from tests.infra.conftest import Run
from tests.kit.support import client

if TYPE_CHECKING:
    from include.local_aws.process import LocalAws

STACK = "custom-labels-birds"


def stacks(aws: LocalAws) -> list[dict[str, Any]]:
    """Give all stacks that are there."""
    return list(client(aws, "cloudformation").describe_stacks()["Stacks"])


def parameters(aws: LocalAws) -> dict[str, str]:
    (found,) = stacks(aws)
    return {each["ParameterKey"]: each["ParameterValue"] for each in found["Parameters"]}


def changes(aws: LocalAws) -> list[str]:
    """Give the calls that changed something since the last clear."""
    return [each["operation"] for each in aws.control.changes() if each["effect"]]


def test_a_plan_shows_what_would_be_made_and_leaves_nothing(run: Run, account: LocalAws) -> None:
    ended = run("plan", "birds")

    assert ended.code == 0
    assert "Add Bucket (AWS::S3::Bucket)" in ended.out
    assert "BucketName = custom-labels-birds-123456789012-us-east-1" in ended.out
    assert "Nothing was changed." in ended.out
    assert stacks(account) == []
    assert client(account, "s3").list_buckets()["Buckets"] == []
    assert run("deploy", "birds", "--dry-run") == ended


def test_a_second_run_changes_nothing(run: Run, account: LocalAws) -> None:
    assert run("deploy", "birds").code == 0
    before = stacks(account)
    account.control.clear_changes()

    ended = run("deploy", "birds")

    assert (ended.code, "nothing to change" in ended.out) == (0, True)
    assert changes(account) == ["cloudformation.CreateChangeSet", "cloudformation.DeleteChangeSet"]
    assert stacks(account) == before
    assert "Next: python -m include.infra write-project birds\n" in ended.out


def test_what_was_given_once_is_read_back(run: Run, account: LocalAws) -> None:
    client(account, "iam").create_role(RoleName="airflow", AssumeRolePolicyDocument="{}")
    objects = "arn:aws:s3:::others,arn:aws:s3:::others/*"
    first = ("--bucket", "my-birds", "--prefix", "a/b", "--airflow-role", "arn:aws:iam::123456789012:role/x/airflow")
    assert run("deploy", "birds", *first, "--parameter", f"ImportBucketArns={objects}").code == 0
    before = parameters(account)

    assert run("deploy", "birds", "--backend", "ground_truth").code == 0

    after = parameters(account)
    assert after == {**before, "GroundTruth": "true"}
    assert (after["BucketName"], after["Prefix"], after["AirflowRoleName"]) == ("my-birds", "a/b/", "airflow")
    assert after["ImportBucketArns"] == objects
    attached = client(account, "iam").list_attached_role_policies(RoleName="airflow")["AttachedPolicies"]
    # Not ImportPolicy: moto does not work out its condition, a Join of a list.
    assert {"AirflowPolicy", "GroundTruthPolicy"} <= {each["PolicyName"].split("-")[3] for each in attached}


def test_the_bucket_of_the_stack_announces_images_to_its_queue(run: Run, account: LocalAws) -> None:
    run("deploy", "birds", "--bucket", "my-birds", "--prefix", "a")
    s3, sqs = client(account, "s3"), client(account, "sqs")
    (queue,) = [url for url in sqs.list_queues()["QueueUrls"] if "DetectionQueue" in url]
    sqs.purge_queue(QueueUrl=queue)

    s3.put_object(Bucket="my-birds", Key="a/images_for_detection/1.png", Body=b"1")
    s3.put_object(Bucket="my-birds", Key="images_for_detection/1.png", Body=b"1")

    (message,) = sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10)["Messages"]
    assert "a/images_for_detection/1.png" in message["Body"]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--bucket", "other-birds"], "--bucket is 'other-birds', and the deployed stack has 'my-birds'"),
        (["--prefix", "x"], "--prefix is 'x/', and the deployed stack has ''"),
        (["--airflow-role", "nobody"], "There is no role 'nobody' in account 123456789012"),
        (["--parameter", "Colour=red"], "--parameter names 'Colour', which the template does not have"),
        (["--parameter", "ProjectName=fish"], "--parameter sets ProjectName, which comes from the project's name"),
        (["--parameter", "ImportsMayReplace=yes"], "ImportsMayReplace is 'yes': expected one of true, false"),
        (["--profile", "nobody"], "The config profile (nobody) could not be found"),
    ],
    ids=lambda value: value[0].strip("-") + value[1][:12] if isinstance(value, list) else "",
)
def test_an_option_that_cannot_be_is_refused_and_nothing_changed(
    run: Run, account: LocalAws, arguments: list[str], expected: str
) -> None:
    run("deploy", "birds", "--bucket", "my-birds")
    before = stacks(account)
    account.control.clear_changes()

    ended = run("deploy", "birds", *arguments)

    assert (ended.code, expected in ended.err) == (1, True), ended.err
    assert stacks(account) == before
    assert changes(account) == []


@pytest.mark.parametrize("bucket", ["s3://birds", "Birds", "b", "10.0.0.1", "birds..x", "birds\x1b[2J"])
def test_a_name_that_no_bucket_can_have_is_refused(run: Run, account: LocalAws, bucket: str) -> None:
    ended = run("deploy", "birds", "--bucket", bucket)

    assert (ended.code, "--bucket is" in ended.err, "\x1b" in ended.err) == (1, True, False)
    assert changes(account) == []


@pytest.mark.parametrize("name", ["../fish", "a b", "-x", "fish;rm", "x" * 101, "$(id)", "", "é", "a\x1b[2J"])
def test_a_name_that_no_project_can_have_is_wrong_usage(
    run: Run, account: LocalAws, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        run("deploy", "--", name)

    assert caught.value.code == 2
    assert "\x1b" not in capsys.readouterr().err
    assert changes(account) == []


@pytest.mark.parametrize("stack", ["no good", "7birds", "-x", "a_b", "x" * 129, ""])
def test_a_name_that_no_stack_can_have_is_wrong_usage(run: Run, account: LocalAws, stack: str) -> None:
    with pytest.raises(SystemExit) as caught:
        run("deploy", "birds", f"--stack={stack}")

    assert caught.value.code == 2
    assert changes(account) == []


def test_a_project_whose_name_no_stack_can_have_gets_a_stack(run: Run, account: LocalAws) -> None:
    project = f"My_{'b' * 30}"

    assert run("deploy", project).code == 0

    (found,) = stacks(account)
    assert found["StackName"] == f"custom-labels-My-{'b' * 30}"
    assert parameters(account)["ReviewPrefix"] == f"my-{'b' * 21}"
    assert len(parameters(account)["BucketName"]) <= 63
    assert len(stack_name("x" * 100)) <= 128


def test_a_bucket_that_is_there_is_left_alone(run: Run, account: LocalAws) -> None:
    s3 = client(account, "s3")
    s3.create_bucket(Bucket="my-birds")
    s3.put_object(Bucket="my-birds", Key="a.png", Body=b"1")

    ended = run("deploy", "birds", "--bucket", "my-birds")

    assert ended.code == 1
    assert "There is a bucket 'my-birds' already" in ended.err
    assert "--bucket names it: name another" in ended.err
    assert stacks(account) == []
    assert s3.list_objects_v2(Bucket="my-birds")["KeyCount"] == 1


def test_a_stack_of_another_project_is_left_alone(run: Run, account: LocalAws) -> None:
    run("deploy", "my_birds", "--bucket", "my-birds")
    before = stacks(account)

    for command in ("deploy", "plan", "write-project", "teardown"):
        ended = run(command, "my-birds")
        assert (ended.code, "has the tag custom-labels-project=my_birds" in ended.err) == (1, True)
    assert stacks(account) == before
    assert run("deploy", "my-birds", "--bucket", "other-birds", "--stack", "birds-2").code == 0


def test_a_stack_without_a_tag_is_left_alone(run: Run, account: LocalAws) -> None:
    body = '{"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}}'
    client(account, "cloudformation").create_stack(StackName=STACK, TemplateBody=body)

    ended = run("deploy", "birds")

    assert (ended.code, "has no tag custom-labels-project" in ended.err) == (1, True)
    assert len(client(account, "sns").list_topics()["Topics"]) == 1


def test_without_a_region_the_way_out_is_named(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_DEFAULT_REGION")

    ended = run("plan", "birds")

    assert (ended.code, "Add --region" in ended.err) == (1, True)
    assert run("plan", "birds", "--region", "us-east-1").code == 0


def test_without_credentials_the_way_out_is_named(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")

    ended = run("plan", "birds")

    assert (ended.code, "or add --profile" in ended.err) == (1, True), ended.err


def test_a_profile_names_credentials_and_region(
    run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, account: LocalAws
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name)
    lines = ("[profile birds]", "region = eu-west-1", "aws_access_key_id = a", "aws_secret_access_key = b")
    (tmp_path / "config").write_text("\n".join(lines))

    ended = run("deploy", "birds", "--profile", "birds")

    assert ended.code == 0
    assert "Next: python -m include.infra write-project birds --profile birds\n" in ended.out
    assert (
        client(account, "s3").get_bucket_location(Bucket="custom-labels-birds-123456789012-eu-west-1")[
            "LocationConstraint"
        ]
        == "eu-west-1"
    )


def test_the_template_is_not_too_large_to_be_sent() -> None:
    """TemplateBody is 51,200 bytes at most (CloudFormation API reference)."""
    assert len(TEMPLATE.read_bytes()) <= 51_200


def test_every_parameter_has_a_value_that_the_template_allows() -> None:
    found = read_parameters()
    values = choose_values(found, "digits", {}, {}, lambda: derive_bucket("digits", "123456789012", "us-gov-west-1"))

    assert values.keys() == found.keys()
    assert values["BucketName"] == "custom-labels-digits-123456789012-us-gov-west-1"
