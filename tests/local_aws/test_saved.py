"""States that are kept and come back, as often as a test wants."""

from __future__ import annotations

import pytest

from include.local_aws.process import LocalAwsError
from tests.local_aws.support import BUCKET, Aws


def projects(aws: Aws) -> list[str]:
    return [each["ProjectArn"] for each in aws.rekognition.describe_projects()["ProjectDescriptions"]]


def test_all_services_are_as_they_were_when_a_state_is_restored(aws: Aws) -> None:
    project = aws.project()
    aws.put("folder/k", b"1")
    sqs = aws.client("sqs")
    url = sqs.create_queue(QueueName="q")["QueueUrl"]
    sqs.send_message(QueueUrl=url, MessageBody="m")
    counts = aws.control.calls()
    aws.control.save("begun")

    for _ in range(2):
        aws.rekognition.delete_project(ProjectArn=project)
        aws.put("folder/k", b"2")
        aws.put("more", b"3")
        sqs.purge_queue(QueueUrl=url)
        aws.control.restore("begun")

        assert aws.control.calls() == counts
        assert [found["ProjectArn"] for found in aws.rekognition.describe_projects()["ProjectDescriptions"]] == [
            project
        ]
        assert aws.read("folder/k") == "1"
        assert aws.s3.list_objects_v2(Bucket=BUCKET)["KeyCount"] == 1
        assert [message["Body"] for message in sqs.receive_message(QueueUrl=url)["Messages"]] == ["m"]


def test_a_bucket_keeps_its_objects_when_it_is_created_again_after_a_restore(aws: Aws) -> None:
    aws.put("folder/k", b"1")
    aws.control.save("a bucket")
    aws.control.reset()
    aws.control.restore("a bucket")

    aws.s3.create_bucket(Bucket=BUCKET)

    assert aws.read("folder/k") == "1"


def test_a_new_project_is_distinguished_from_kept_ones_when_a_state_is_restored(aws: Aws) -> None:
    first = aws.project()
    aws.control.save("one project")
    aws.control.restore("one project")

    second = aws.rekognition.create_project(ProjectName="second")["ProjectArn"]

    assert projects(aws) == [second, first]


def test_nothing_is_kept_while_something_changes_by_itself(aws: Aws) -> None:
    aws.control.durations(project_create=60)
    aws.rekognition.create_project(ProjectName="p")

    with pytest.raises(LocalAwsError, match="is being created, trained, started or stopped"):
        aws.control.save("half")


def test_an_unknown_state_is_refused(aws: Aws) -> None:
    with pytest.raises(LocalAwsError, match="No state is kept as 'never'"):
        aws.control.restore("never")


def test_a_state_is_refused_by_the_name_of_its_service_when_it_cannot_be_kept(aws: Aws) -> None:
    aws.client("cognito-idp").create_user_pool(PoolName="reviewers")
    with pytest.raises(LocalAwsError, match="A state with cognito-idp in it cannot be kept"):
        aws.control.save("with keys")
