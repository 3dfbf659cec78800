"""What the programs of the Custom Labels guide do, each as a function: the same calls, arguments of the same form.

The guide is awsdocs/amazon-rekognition-custom-labels-developer-guide, doc_source, and for copies of models and project
policies the pages that came after it. Each function names its page. They are written anew; where the guide sleeps for
seconds they sleep, and its waiters look every second.
"""

from __future__ import annotations

import io
import json
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

from botocore.exceptions import ClientError
from PIL import Image, ImageDraw

from tests.local_aws.support import Aws

SLEEP_SECONDS = 0.05
SOON = {"Delay": 1, "MaxAttempts": 120}


def boto(aws: Aws, kind: Any, service: str) -> Any:
    """Make a client or resource as a program does: boto3's own checks and retries."""
    keys = {"aws_access_key_id": "local", "aws_secret_access_key": "local"}
    return kind(service, endpoint_url=aws.url, region_name=aws.region, **keys)


def finish(read: Callable[[], tuple[str, str]], waiting: str, done: str) -> None:
    """Poll a status until it is ``done``; any other than ``waiting`` is an error, as in the guide's loops."""
    while True:
        status, message = read()
        if status == done:
            return
        if status != waiting:
            raise RuntimeError(f"Unexpected state: {status} : {message}")
        time.sleep(SLEEP_SECONDS)


def dataset_status(client: Any, dataset: str) -> tuple[str, str]:
    described = client.describe_dataset(DatasetArn=dataset)["DatasetDescription"]
    return described["Status"], described["StatusMessage"]


def create_project(client: Any, name: str) -> str:
    """mp-create-project."""
    return str(client.create_project(ProjectName=name)["ProjectArn"])


def create_dataset(client: Any, project: str, kind: str, source: str | None = None) -> str:
    """md-create-dataset-ground-truth-sdk, md-create-dataset-existing-dataset-sdk; without a source md-add-dataset."""
    more = {} if source is None else {"DatasetSource": json.loads(source)}
    arn = str(client.create_dataset(ProjectArn=project, DatasetType=kind.upper(), **more)["DatasetArn"])
    finish(lambda: dataset_status(client, arn), "CREATE_IN_PROGRESS", "CREATE_COMPLETE")
    return arn


def manifest_source(bucket: str, manifest: str) -> str:
    """Give the source of a dataset as the guide puts it together, a text."""
    return '{ "GroundTruthManifest": { "S3Object": { "Bucket": "' + bucket + '", "Name": "' + manifest + '" } } }'


def dataset_source(dataset: str) -> str:
    return '{ "DatasetArn": "' + dataset + '"}'


def update_dataset_entries(client: Any, dataset: str, lines: str) -> None:
    """md-add-images: the manifest is a text, not bytes."""
    changes = json.loads('{ "GroundTruth" : ' + json.dumps(lines) + "}")
    client.update_dataset_entries(Changes=changes, DatasetArn=dataset)
    finish(lambda: dataset_status(client, dataset), "UPDATE_IN_PROGRESS", "UPDATE_COMPLETE")


def list_dataset_entries(client: Any, dataset: str, *, errors_only: bool = False, size: int = 100) -> list[str]:
    """md-listing-dataset-entries-sdk: the first page is asked for with an empty token."""
    token, found = "", []
    while True:
        response = client.list_dataset_entries(
            DatasetArn=dataset, HasErrors=errors_only, MaxResults=size, NextToken=token
        )
        found += response["DatasetEntries"]
        if "NextToken" not in response:
            return found
        token = response["NextToken"]


def distribute_dataset_entries(client: Any, train: str, test: str) -> None:
    """md-distributing-datasets."""
    client.distribute_dataset_entries(Datasets=json.loads('[{"Arn" : "' + train + '"},{"Arn" : "' + test + '"}]'))
    for dataset in (train, test):
        finish(partial(dataset_status, client, dataset), "UPDATE_IN_PROGRESS", "UPDATE_COMPLETE")


def delete_dataset(client: Any, dataset: str) -> None:
    """md-delete-dataset: it is gone when describing it fails."""
    client.delete_dataset(DatasetArn=dataset)
    while True:
        try:
            client.describe_dataset(DatasetArn=dataset)
        except ClientError as error:
            if error.response["Error"]["Code"] == "ResourceNotFoundException":
                return
            raise
        time.sleep(SLEEP_SECONDS)


def describe_projects(client: Any, name: str | None = None) -> list[dict[str, Any]]:
    """md-describing-project-sdk."""
    more = {} if name is None else {"ProjectNames": json.loads('["' + name + '"]')}
    return list(client.describe_projects(**more)["ProjectDescriptions"])


def train_model(client: Any, project: str, version: str, bucket: str, folder: str, **tags: str) -> tuple[str, str]:
    """training-model: returns the version's ARN and status."""
    output = json.loads('{"S3Bucket": "' + bucket + '", "S3KeyPrefix": "' + folder + '" } ')
    created = client.create_project_version(
        ProjectArn=project, VersionName=version, OutputConfig=output, Tags=json.loads(json.dumps(tags))
    )
    waiter = client.get_waiter("project_version_training_completed")
    waiter.wait(ProjectArn=project, VersionNames=[version], WaiterConfig=SOON)
    return created["ProjectVersionArn"], describe_model(client, project, version)["Status"]


def describe_model(client: Any, project: str, version: str) -> dict[str, Any]:
    """md-describing-model-sdk, tm-debugging-getting-validation-data."""
    described = client.describe_project_versions(ProjectArn=project, VersionNames=[version])
    return dict(described["ProjectVersionDescriptions"][0])


def version_name(model: str) -> str:
    """Take the version's name out of its ARN as rm-start and rm-stop do."""
    return model.split("version/", 1)[1].rpartition("/")[0]


def start_model(client: Any, project: str, model: str, units: int, most: int | None = None) -> str:
    """rm-start; with ``most`` as its page on inference units has it."""
    more = {} if most is None else {"MaxInferenceUnits": most}
    client.start_project_version(ProjectVersionArn=model, MinInferenceUnits=units, **more)
    names = [version_name(model)]
    client.get_waiter("project_version_running").wait(ProjectArn=project, VersionNames=names, WaiterConfig=SOON)
    return str(describe_model(client, project, names[0])["Status"])


def stop_model(client: Any, project: str, model: str) -> None:
    """rm-stop."""
    client.stop_project_version(ProjectVersionArn=model)
    finish(lambda: (describe_model(client, project, version_name(model))["Status"], ""), "STOPPING", "STOPPED")


def analyze_local_image(client: Any, model: str, photo: bytes, min_confidence: int) -> list[dict[str, Any]]:
    """detecting-custom-labels: the image is written again by Pillow before it is sent, and shown with its labels."""
    image = Image.open(io.BytesIO(photo))
    assert Image.MIME[str(image.format)] in ("image/jpeg", "image/png")
    written = io.BytesIO()
    image.save(written, format=image.format)
    response = client.detect_custom_labels(
        Image={"Bytes": written.getvalue()}, MinConfidence=min_confidence, ProjectVersionArn=model
    )
    return show_image(image, response)


def analyze_s3_image(
    client: Any, s3: Any, model: str, bucket: str, photo: str, min_confidence: int
) -> list[dict[str, Any]]:
    """detecting-custom-labels: the image is read from S3 to show it, and analyzed there."""
    image = Image.open(io.BytesIO(s3.Object(bucket, photo).get()["Body"].read()))
    response = client.detect_custom_labels(
        Image={"S3Object": {"Bucket": bucket, "Name": photo}}, MinConfidence=min_confidence, ProjectVersionArn=model
    )
    return show_image(image, response)


def show_image(image: Image.Image, response: dict[str, Any]) -> list[dict[str, Any]]:
    """Draw each label as the guide does, in its box or at the top, and return the labels."""
    draw, top = ImageDraw.Draw(image.convert("RGB")), 0
    for label in response["CustomLabels"]:
        text = f"{label['Name']}:{round(label['Confidence'], 0)}%"
        if "Geometry" in label:
            box = label["Geometry"]["BoundingBox"]
            left, upper = image.width * box["Left"], image.height * box["Top"]
            draw.rectangle((left, upper, left + image.width * box["Width"], upper + image.height * box["Height"]))
            draw.text((left, upper), text)
        else:
            draw.text((10, top), text)
            top += 40
    return list(response["CustomLabels"])


def analyze_video(client: Any, model: str, frames: Sequence[bytes], rate: float) -> list[dict[str, Any]]:
    """ex-video-extraction: a frame a second, without a MinConfidence, each label with its time in milliseconds."""
    found = []
    for number, frame in enumerate(frames):
        if number % int(rate) == 0:
            response = client.detect_custom_labels(Image={"Bytes": frame}, ProjectVersionArn=model)
            found += [{**label, "Timestamp": number / rate * 1000} for label in response["CustomLabels"]]
    return found


def find_tagged(client: Any, key: str, value: str) -> Iterator[dict[str, str]]:
    """tm-tagging-model: look through all versions of all projects."""
    for project in client.describe_projects()["ProjectDescriptions"]:
        versions = client.describe_project_versions(ProjectArn=project["ProjectArn"])
        for version in versions["ProjectVersionDescriptions"]:
            tags = client.list_tags_for_resource(ResourceArn=version["ProjectVersionArn"])
            if tags["Tags"].get(key) == value:
                yield {"Project": project["ProjectArn"], "ModelVersion": version["ProjectVersionArn"]}


def delete_model(client: Any, project: str, model: str) -> None:
    """tm-delete-model: the name is what stands between the third and the fourth slash of the ARN."""
    client.delete_project_version(ProjectVersionArn=model)
    name = model.split("/")[3]
    while client.describe_project_versions(ProjectArn=project, VersionNames=[name])["ProjectVersionDescriptions"]:
        time.sleep(SLEEP_SECONDS)


def delete_project(client: Any, project: str) -> None:
    """mp-delete-project: asks for the deleted project by its name until there is none."""
    client.delete_project(ProjectArn=project)
    while client.describe_projects(ProjectNames=[project.split("/")[1]])["ProjectDescriptions"]:
        time.sleep(SLEEP_SECONDS)


def put_project_policy(client: Any, project: str, name: str, document: str, revision: str | None = None) -> str:
    """Attach a project policy, or with a revision replace it."""
    more = {} if revision is None else {"PolicyRevisionId": revision}
    put = client.put_project_policy(ProjectArn=project, PolicyName=name, PolicyDocument=document, **more)
    return str(put["PolicyRevisionId"])


def list_project_policies(client: Any, project: str, size: int = 5) -> list[dict[str, Any]]:
    """List project policies: the first page is asked for with an empty token."""
    token, found = "", []
    while True:
        response = client.list_project_policies(ProjectArn=project, MaxResults=size, NextToken=token)
        found += response["ProjectPolicies"]
        if "NextToken" not in response:
            return found
        token = response["NextToken"]


def copy_model(client: Any, project: str, model: str, destination: str, name: str, output: str) -> str:
    """Copy a model to another project, its training results to ``output``, bucket and prefix in one."""
    bucket, _, prefix = output.partition("/")
    copied = client.copy_project_version(
        SourceProjectArn=project,
        SourceProjectVersionArn=model,
        DestinationProjectArn=destination,
        VersionName=name,
        OutputConfig=json.loads('{"S3Bucket": "' + bucket + '", "S3KeyPrefix": "' + prefix + '" } '),
    )
    finish(
        lambda: (describe_model(client, destination, name)["Status"], ""), "COPYING_IN_PROGRESS", "COPYING_COMPLETED"
    )
    return str(copied["ProjectVersionArn"])
