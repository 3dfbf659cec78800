"""What the demo makes at AWS before the first run, and how it looks at AWS afterwards."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from custom_labels.core.settings import load_project
from custom_labels.review.backends.a2i.project_file import A2IPart
from include.demo.aws_setup import set_up_aws
from include.demo.digits import Labels
from include.demo.evidence import look_at
from include.demo.local_cloud import LocalCloud
from include.demo.people import A2IPeople
from include.local_aws.process import Control
from tests.kit.support import client, picture

if TYPE_CHECKING:
    from include.local_aws.process import LocalAws


@pytest.fixture
def cloud(aws: LocalAws) -> LocalCloud:
    cloud = LocalCloud(load_project("digits"), aws.endpoint_url)
    set_up_aws(cloud)
    return cloud


@pytest.fixture
def image(tmp_path: Path) -> Path:
    path = tmp_path / "image.png"
    path.write_bytes(picture("rows", 1))
    return path


def people_of(cloud: LocalCloud) -> A2IPeople:
    return A2IPeople(cloud, Control(cloud.endpoint_url))


def test_everything_the_project_file_names_is_made(cloud: LocalCloud, aws: LocalAws) -> None:
    assert cloud.project.review is not None
    review = cloud.project.review.part_of(A2IPart)
    assert client(aws, "iam").get_role(RoleName=review.role_arn.rpartition("/")[2])["Role"]["Arn"] == review.role_arn
    team = client(aws, "sagemaker").describe_workteam(WorkteamName=review.workteam_arn.rpartition("/")[2])["Workteam"]
    assert team["WorkteamArn"] == review.workteam_arn
    assert cloud.queued() == {"detections": 0, "dead_letters": 0, "reviews": 0}


def test_image_in_the_inbox_is_announced_and_a_labelled_one_is_not(cloud: LocalCloud, image: Path) -> None:
    cloud.put_labelled({"7": [image]})
    cloud.put_inbox({"scan.png": image})
    assert cloud.queued() == {"detections": 1, "dead_letters": 0, "reviews": 0}


def test_message_to_the_topic_is_received(cloud: LocalCloud, aws: LocalAws) -> None:
    client(aws, "sns").publish(TopicArn=cloud.project.sns_topic_arn, Subject="[digits] hello", Message="text")
    assert cloud.messages() == ["[digits] hello"]
    assert cloud.messages() == []


def test_evidence_is_empty_before_anything_happened(cloud: LocalCloud, image: Path) -> None:
    cloud.put_inbox({"scan.png": image})
    seen = look_at(cloud, people_of(cloud), {"scan.png": "7"}, Labels())
    assert (seen.size, seen.results, seen.reviews, seen.filed().total()) == (1, (), (), 0)
    assert people_of(cloud).loops() == {}


def test_evidence_is_of_one_batch_only(cloud: LocalCloud, image: Path) -> None:
    cloud.put_inbox({"scan-1.png": image, "scan-2.png": image})
    result = {"version_name": "v", "label": "7", "confidence": 90.0, "decision": "accepted"}
    for name in ("scan-1.png", "scan-2.png"):
        cloud.s3.put_object(
            Bucket=cloud.project.bucket,
            Key=f"detections/{name}/etag/v.json",
            Body=json.dumps({"key": f"images_for_detection/{name}", **result}),
        )
    cloud.put_labelled({"7": [image]})
    seen = look_at(cloud, people_of(cloud), {"scan-1.png": "7"}, Labels())
    assert [each.name for each in seen.results] == ["scan-1.png"]
    assert seen.filed() == {("scan-1.png", "7"): 1}


def test_review_is_announced_when_it_has_ended(cloud: LocalCloud, aws: LocalAws) -> None:
    flow = _make_flow(aws)
    cloud.client("sagemaker-a2i-runtime").start_human_loop(
        HumanLoopName="loop", FlowDefinitionArn=flow, HumanLoopInput={"InputContent": "{}"}
    )
    assert list(people_of(cloud).loops()) == ["loop"]
    cloud.client("sagemaker-a2i-runtime").stop_human_loop(HumanLoopName="loop")
    deadline = time.monotonic() + 10
    while not cloud.queued()["reviews"]:
        assert time.monotonic() < deadline, "no event came"
        people_of(cloud).loops()
        time.sleep(0.1)


def _make_flow(aws: LocalAws) -> str:
    sagemaker = client(aws, "sagemaker")
    ui = sagemaker.create_human_task_ui(HumanTaskUiName="ui", UiTemplate={"Content": "<crowd-form></crowd-form>"})
    project = load_project("digits")
    assert project.review is not None
    review = project.review.part_of(A2IPart)
    flow = sagemaker.create_flow_definition(
        FlowDefinitionName="flow",
        HumanLoopConfig={
            "WorkteamArn": review.workteam_arn,
            "HumanTaskUiArn": ui["HumanTaskUiArn"],
            "TaskTitle": "t",
            "TaskDescription": "d",
            "TaskCount": 1,
        },
        OutputConfig={"S3OutputPath": "s3://custom-labels-digits/a2i-human-loop-data"},
        RoleArn=review.role_arn,
    )["FlowDefinitionArn"]
    while sagemaker.describe_flow_definition(FlowDefinitionName="flow")["FlowDefinitionStatus"] != "Active":
        time.sleep(0.05)
    return str(flow)
