"""What a project needs at AWS before its first run: on AWS the CloudFormation template and an operator make it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from custom_labels.core.keys import INBOX
from custom_labels.core.settings import Project, Queues
from custom_labels.review.backends.base import Announcements
from custom_labels.review.backends.registry import definition_of
from custom_labels.review.backends.workforce import WorkforcePart
from include.demo.local_cloud import MESSAGES_QUEUE, LocalCloud

EVENT = {"source": ["aws.sagemaker"], "detail-type": ["SageMaker A2I HumanLoop Status Change"]}
TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "sagemaker.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}
CORS = {"CORSRules": [{"AllowedMethods": ["GET"], "AllowedOrigins": ["*"], "AllowedHeaders": []}]}
MEMBER = {"CognitoMemberDefinition": {"UserPool": "us-east-1_demo", "UserGroup": "reviewers", "ClientId": "demo"}}


def set_up_aws(cloud: LocalCloud) -> list[str]:
    """Make what the project file names, and what its review backend needs at AWS; give what was made."""
    project = cloud.project
    cloud.s3.create_bucket(Bucket=project.bucket)
    made = [f"bucket {project.bucket}"]
    arns = _make_queues(cloud, project.queues)
    urls: Mapping[str, str] = project.queues.model_dump(exclude_none=True)
    made += [f"{len(arns)} queues"] if arns else []
    announced = _announcements(project, arns)
    folders = {INBOX: "detections"} if "detections" in arns else {}
    if announced and announced.folder:
        folders[announced.folder] = "reviews"
    made += _announce_objects(cloud, {folder: (arns[kind], urls[kind]) for folder, kind in folders.items()})
    if announced and announced.events:
        _announce_reviews(cloud, arns["reviews"])
        made.append("EventBridge rule of ended reviews")
    if project.sns_topic_arn:
        _make_topic(cloud, project.sns_topic_arn)
        made.append("topic")
    if project.review:
        # Both the worker portal of A2I and Label Studio show images of the bucket by a script on a page of their own.
        rules: Any = CORS
        cloud.s3.put_bucket_cors(Bucket=project.bucket, CORSConfiguration=rules)
        made.append("CORS rule")
        if isinstance(part := project.review.part, WorkforcePart):
            _make_workteam(cloud, project, part)
            made.append("review role and workteam")
    return made


def _announcements(project: Project, arns: Mapping[str, str]) -> Announcements | None:
    """Give what is to reach the queue of the reviews; ``None`` where there is no such queue, or nobody to ask."""
    if project.review is None or "reviews" not in arns:
        return None
    return definition_of(project).announcements(arns["reviews"], project)


def _make_queues(cloud: LocalCloud, queues: Queues) -> dict[str, str]:
    sqs = cloud.client("sqs")
    urls: Mapping[str, str] = queues.model_dump(exclude_none=True)
    arns = {}
    for kind, url in {**urls, "messages": MESSAGES_QUEUE}.items():
        made = sqs.create_queue(QueueName=_last(url))["QueueUrl"]
        arns[kind] = sqs.get_queue_attributes(QueueUrl=made, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    return {kind: arns[kind] for kind in urls}


def _announce_objects(cloud: LocalCloud, queues: Mapping[str, tuple[str, str]]) -> list[str]:
    """Let S3 tell a queue of every new object below a folder; give what was made.

    :param queues: ARN and URL of the queue, by the folder.
    """
    routes: Any = [
        {
            "QueueArn": arn,
            "Events": ["s3:ObjectCreated:*"],
            "Filter": {"Key": {"FilterRules": [{"Name": "prefix", "Value": f"{cloud.project.prefix}{folder}"}]}},
        }
        for folder, (arn, _) in queues.items()
    ]
    if routes:
        cloud.s3.put_bucket_notification_configuration(
            Bucket=cloud.project.bucket, NotificationConfiguration={"QueueConfigurations": routes}
        )
    for _, url in queues.values():
        # S3 tries a queue with an event of its own, which would trigger a DAG before there is anything to see.
        cloud.client("sqs").purge_queue(QueueUrl=url)
    return [f"S3 event of {folder}" for folder in queues]


def _announce_reviews(cloud: LocalCloud, queue_arn: str) -> None:
    """Let EventBridge tell the queue of every review that has ended."""
    events, name = cloud.client("events"), cloud.project.bucket
    events.put_rule(Name=name, EventPattern=json.dumps(EVENT))
    events.put_targets(Rule=name, Targets=[{"Id": "reviews", "Arn": queue_arn}])


def _make_topic(cloud: LocalCloud, topic_arn: str) -> None:
    sns, sqs = cloud.client("sns"), cloud.client("sqs")
    topic = sns.create_topic(Name=topic_arn.rpartition(":")[2])["TopicArn"]
    url = sqs.get_queue_url(QueueName=MESSAGES_QUEUE)["QueueUrl"]
    queue = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue)


def _make_workteam(cloud: LocalCloud, project: Project, part: WorkforcePart) -> None:
    """Make the role that AWS takes on, and the team."""
    role = _last(part.role_arn)
    cloud.client("iam").create_role(RoleName=role, AssumeRolePolicyDocument=json.dumps(TRUST))
    cloud.client("sagemaker").create_workteam(
        WorkteamName=_last(part.workteam_arn), MemberDefinitions=[MEMBER], Description=f"Reviewers of {project.name}"
    )


def _last(name: str) -> str:
    return name.rpartition("/")[2]
