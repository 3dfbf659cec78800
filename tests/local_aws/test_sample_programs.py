"""AWS's sample solutions around Custom Labels reach their end: what their state machines and functions call, in order.

aws-samples: rekognition-customlabels-automation-with-stepfunctions, serverless-rekognition-custom-labels,
amazon-rekognition-custom-labels-a2i-automated-continuous-model-improvement and
amazon-rekognition-custom-labels-batch-processing.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote_plus

import boto3
import pytest

from tests.local_aws.guide_programs import SLEEP_SECONDS, boto, stop_model
from tests.local_aws.review_support import Reviews
from tests.local_aws.support import BUCKET, Aws, pattern

ACCOUNT = "123456789012"
TEMPLATE = """
<script src="https://assets.crowd.aws/crowd-html-elements.js"></script>
<crowd-form>
  <crowd-image-classifier name="crowd-image-classifier" src="{{ task.input.taskObject | grant_read_access }}"
    header="What is shown?" categories="['dots','bars','None of the Above']">
    <full-instructions header="Instructions"><p>Choose what the image shows.</p></full-instructions>
    <short-instructions><p>Choose one.</p></short-instructions>
  </crowd-image-classifier>
</crowd-form>
"""


@dataclass(frozen=True)
class Sample:
    """The project and version that the state machine made, and clients as the samples make them."""

    aws: Aws
    rekognition: Any
    sqs: Any
    s3: Any
    project: str
    model: str

    def status(self) -> str:
        """Read the status of the newest version, as the samples do: the first of all."""
        found = self.rekognition.describe_project_versions(ProjectArn=self.project)
        return str(found["ProjectVersionDescriptions"][0]["Status"])

    def wait(self, status: str) -> None:
        while self.status() != status:
            time.sleep(SLEEP_SECONDS)


@pytest.fixture(scope="module")
def sample(shared_aws: Aws) -> Sample:
    """Run the state machine of the first sample: project, datasets as copies, training, score, start."""
    client, source = boto(shared_aws, boto3.client, "rekognition"), shared_aws.colour_project("source")
    datasets = {
        found["DatasetType"]: found["DatasetArn"]
        for found in client.describe_projects(ProjectNames=["source"])["ProjectDescriptions"][0]["Datasets"]
    }
    project = client.create_project(ProjectName="DetectCarColorSF-1")["ProjectArn"]
    assert project != source
    for kind in ("TRAIN", "TEST"):
        copy = {"DatasetSource": {"DatasetArn": datasets[kind]}}
        made = client.create_dataset(ProjectArn=project, DatasetType=kind, **copy)["DatasetArn"]
        while client.describe_dataset(DatasetArn=made)["DatasetDescription"]["Status"] != "CREATE_COMPLETE":
            time.sleep(SLEEP_SECONDS)
    output = {"S3Bucket": BUCKET, "S3KeyPrefix": "vehicleColorOutput"}
    version = client.create_project_version(ProjectArn=project, VersionName="version1", OutputConfig=output)
    sqs, s3 = (boto(shared_aws, boto3.client, service) for service in ("sqs", "s3"))
    found = Sample(shared_aws, client, sqs, s3, project, version["ProjectVersionArn"])
    found.wait("TRAINING_COMPLETED")
    described = client.describe_project_versions(ProjectArn=project)["ProjectVersionDescriptions"][0]
    assert described["EvaluationResult"]["F1Score"] >= 0.85
    assert client.start_project_version(ProjectVersionArn=found.model, MinInferenceUnits=1)["Status"] == "STARTING"
    found.wait("RUNNING")
    return found


@pytest.fixture
def queue(sample: Sample) -> Iterator[str]:
    """A queue of a test's own."""
    url = sample.sqs.create_queue(QueueName="images")["QueueUrl"]
    yield url
    sample.sqs.delete_queue(QueueUrl=url)


def test_result_is_written_beside_each_image_that_s3_announces(sample: Sample, queue: str) -> None:
    target = {"QueueArn": f"arn:aws:sqs:us-east-1:{ACCOUNT}:images", "Events": ["s3:ObjectCreated:*"]}
    rules = [{"Name": "prefix", "Value": "test_images/"}, {"Name": "suffix", "Value": ".jpg"}]
    configuration = {"QueueConfigurations": [{**target, "Filter": {"Key": {"FilterRules": rules}}}]}
    sample.s3.put_bucket_notification_configuration(Bucket=BUCKET, NotificationConfiguration=configuration)
    key = "test_images/a bee+1.jpg"
    for name in (key, "elsewhere/b.jpg", "test_images/c.png"):
        sample.aws.put(name, pattern("dots", 5, kind="JPEG"))
    records = [
        record
        for message in sample.sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10)["Messages"]
        for record in json.loads(message["Body"]).get("Records", [])
    ]
    assert [unquote_plus(record["s3"]["object"]["key"]) for record in records] == [key]
    for record in records:
        image = {"Bucket": record["s3"]["bucket"]["name"], "Name": unquote_plus(record["s3"]["object"]["key"])}
        found = sample.rekognition.detect_custom_labels(
            ProjectVersionArn=sample.model, Image={"S3Object": image}, MinConfidence=50
        )
        sample.s3.put_object(Bucket=BUCKET, Key=f"{image['Name']}.json", Body=json.dumps(found))
    sample.s3.put_bucket_notification_configuration(Bucket=BUCKET, NotificationConfiguration={})
    assert json.loads(sample.aws.read(f"{key}.json"))["CustomLabels"][0]["Name"] == "dots"


def test_doubtful_image_is_answered_and_copied_to_the_folder_of_its_label(sample: Sample) -> None:
    key = "images_for_detection/bars/doubtful.png"
    sample.aws.put(key, pattern("bars", 6))
    found = sample.rekognition.detect_custom_labels(
        ProjectVersionArn=sample.model,
        Image={"S3Object": {"Bucket": BUCKET, "Name": key}},
        MaxResults=1,
        MinConfidence=0,
    )
    request = found["ResponseMetadata"]["RequestId"]
    reviews = Reviews(sample.aws)
    flow = reviews.flow("sample-flow-definition", TEMPLATE)
    sample.aws.control.workforce(seconds=0, truth="folder", none_label="None of the Above")
    content = {
        "source": "A2I Workflow",
        "detectLabelRequestId": request,
        "detectedConfidenceLevel": found["CustomLabels"][0]["Confidence"],
        "detectedLabel": found["CustomLabels"][0]["Name"],
        "taskObject": f"s3://{BUCKET}/{key}",
    }
    reviews.start(flow, "loop", content)
    reviews.ended("loop")
    output = reviews.output("loop")
    label = output["humanAnswers"][0]["answerContent"]["crowd-image-classifier"]["label"]
    assert output["inputContent"]["detectLabelRequestId"] == request
    copy = f"images_labeled_by_folder/{label}/humanLoopName-{output['humanLoopName']}-doubtful.png"
    sample.s3.copy_object(Bucket=BUCKET, Key=copy, CopySource=f"{BUCKET}/{key}")
    assert label == "bars"
    assert sample.s3.head_object(Bucket=BUCKET, Key=copy)["ContentLength"] == len(pattern("bars", 6))


def test_model_runs_only_while_a_batch_is_waiting(sample: Sample, queue: str) -> None:
    stop_model(sample.rekognition, sample.project, sample.model)
    for number in range(3):
        sample.aws.put(f"batch/{number}.png", pattern("dots", number))
        sample.sqs.send_message(QueueUrl=queue, MessageBody=f"batch/{number}.png")
    waiting = ["ApproximateNumberOfMessages"]
    attributes = sample.sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=waiting)["Attributes"]
    assert int(attributes["ApproximateNumberOfMessages"]) == 3
    sample.rekognition.start_project_version(ProjectVersionArn=sample.model, MinInferenceUnits=1, MaxInferenceUnits=2)
    sample.wait("RUNNING")
    labels = []
    while messages := sample.sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages"):
        for message in messages:
            content = sample.s3.get_object(Bucket=BUCKET, Key=message["Body"])["Body"].read()
            found = sample.rekognition.detect_custom_labels(ProjectVersionArn=sample.model, Image={"Bytes": content})
            labels.append(found["CustomLabels"][0]["Name"])
            sample.sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
    assert sample.rekognition.stop_project_version(ProjectVersionArn=sample.model)["Status"] == "STOPPING"
    sample.wait("STOPPED")
    sample.rekognition.start_project_version(ProjectVersionArn=sample.model, MinInferenceUnits=1)
    sample.wait("RUNNING")
    assert labels == ["dots"] * 3
