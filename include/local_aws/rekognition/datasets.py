"""CreateDataset, DescribeDataset, DeleteDataset, UpdateDatasetEntries, DistributeDatasetEntries."""

from __future__ import annotations

import time
from concurrent.futures import Future

from include.local_aws.objects import ObjectDenied, ObjectMissing
from include.local_aws.rekognition.findings import manifest_finding
from include.local_aws.rekognition.manifest_lines import ManifestLine
from include.local_aws.rekognition.manifests import Import, read_manifest
from include.local_aws.rekognition.splits import split_entries
from include.local_aws.rekognition.state import Dataset, Project, Region, in_use, not_found
from include.local_aws.rekognition.tags import tag
from include.local_aws.transitions import in_background
from include.local_aws.wire.errors import AwsError
from include.local_aws.wire.parse import Params

LARGEST_CHANGE = 5 * 1024 * 1024
DISTRIBUTED_SHARE = 0.2
_CHANGING = ("CREATE_IN_PROGRESS", "UPDATE_IN_PROGRESS")
_S3_HINT = "Check object key, region and/or access permissions."


def create_dataset(region: Region, params: Params) -> Params:
    """Create a project's training or test dataset: empty, from a manifest in S3, or as a copy."""
    project = region.project(params["ProjectArn"])
    kind = params["DatasetType"]
    if project.status == "DELETING":
        raise not_found("project", project.arn)
    if kind in project.datasets:
        raise AwsError(
            "ResourceAlreadyExistsException",
            f"The project {project.arn} already has a {kind} dataset: {project.datasets[kind].arn}.",
        )
    work = _source(region, params.get("DatasetSource", {}))
    now = time.time()
    arn = region.arn(f"project/{project.name}/dataset/{kind.lower()}")
    dataset = Dataset(arn, kind, project.arn, now, now)
    project.datasets[kind] = dataset
    tag(region, arn, params.get("Tags", {}))
    _import_later(region, dataset, "CREATE", work)
    return {"DatasetArn": arn}


def describe_dataset(region: Region, params: Params) -> Params:
    """Describe a dataset with its statistics."""
    dataset = region.dataset(params["DatasetArn"])
    return {
        "DatasetDescription": {
            "CreationTimestamp": dataset.created,
            "LastUpdatedTimestamp": dataset.updated,
            "Status": dataset.status,
            "StatusMessage": dataset.message,
            "StatusMessageCode": dataset.message_code,
            "DatasetStats": dataset.statistics,
        }
    }


def delete_dataset(region: Region, params: Params) -> Params:
    """Delete a dataset that is not being created or updated, and not being trained on."""
    dataset = region.dataset(params["DatasetArn"])
    project = region.project(dataset.project_arn)
    if dataset.status in _CHANGING:
        raise in_use("dataset", dataset.arn, dataset.status, "wait until it is complete")
    if any(version.status == "TRAINING_IN_PROGRESS" for version in project.versions.values()):
        raise AwsError("ResourceInUseException", f"A model is being trained on the dataset {dataset.arn}.")
    if dataset.status != "DELETE_IN_PROGRESS":
        dataset.status, dataset.message = "DELETE_IN_PROGRESS", "The dataset is being deleted."
        region.after("dataset_delete", lambda: _remove(region, project, dataset))
    return {}


def update_dataset_entries(region: Region, params: Params) -> Params:
    """Add entries, or replace those of the same source-ref."""
    dataset = region.dataset(params["DatasetArn"])
    content: bytes = params["Changes"]["GroundTruth"]
    if len(content) > LARGEST_CHANGE:
        raise AwsError("InvalidParameterException", f"The changes have {len(content)} bytes; 5 MB are allowed.")
    if not dataset.is_finished and dataset.status != "UPDATE_FAILED":
        raise in_use("dataset", dataset.arn, dataset.status, "wait until it is complete")
    known = dict(dataset.entries)
    _start_update(dataset)
    work = in_background(lambda: read_manifest(content, region.settings, region.objects, known), "dataset-update")
    _import_later(region, dataset, "UPDATE", work)
    return {}


def distribute_dataset_entries(region: Region, params: Params) -> Params:
    """Move a fifth of a project's training images to its empty test dataset, label by label."""
    train, test = _train_and_test(region, [item["Arn"] for item in params["Datasets"]])
    for dataset in (train, test):
        if dataset.status == "CREATE_FAILED":
            raise in_use("dataset", dataset.arn, dataset.status, "it cannot be distributed")
        if not dataset.is_finished:
            raise AwsError("ResourceNotReadyException", f"The dataset {dataset.arn} is in status {dataset.status}.")
    if test.entries:
        raise AwsError(
            "InvalidParameterException",
            f"The test dataset {test.arn} has {len(test.entries)} entries; it must be empty.",
        )
    _start_update(train)
    _start_update(test)
    region.after("dataset_update", lambda: _distribute(region, train, test))
    return {}


def _source(region: Region, source: Params) -> Future[Import]:
    """Start reading where a new dataset comes from; what is plainly wrong fails the call itself."""
    if "GroundTruthManifest" in source and "DatasetArn" in source:
        raise AwsError(
            "InvalidParameterException", "DatasetSource names both a manifest and a dataset; give one of them."
        )
    if "DatasetArn" in source:
        copied = region.dataset(source["DatasetArn"])
        if not copied.is_finished:
            raise AwsError(
                "InvalidParameterException",
                f"The source dataset {copied.arn} is in status {copied.status}: wait until it is complete.",
            )
        entries = dict(copied.entries)
        return in_background(lambda: Import(entries), "dataset-copy")
    if "GroundTruthManifest" in source:
        return _manifest(region, source["GroundTruthManifest"].get("S3Object", {}))
    return in_background(lambda: Import({}), "dataset-empty")


def _manifest(region: Region, place: Params) -> Future[Import]:
    bucket, key = place.get("Bucket"), place.get("Name")
    if not bucket or not key:
        raise AwsError("InvalidParameterException", "The manifest's S3Object needs both Bucket and Name.")
    try:
        region.objects.check_readable(bucket, key, place.get("Version"))
    except ObjectMissing as error:
        raise AwsError(
            "InvalidS3ObjectException", f"Unable to get object metadata from S3: {error}. {_S3_HINT}"
        ) from None
    except ObjectDenied:
        finding = manifest_finding("ERROR_INVALID_PERMISSIONS_MANIFEST_S3_BUCKET")
        return in_background(lambda: Import({}, finding, f" Bucket: {bucket}."), "dataset-denied")
    return in_background(
        lambda: read_manifest(region.objects.read(bucket, key, place.get("Version")), region.settings, region.objects),
        "dataset-create",
    )


def _import_later(region: Region, dataset: Dataset, step: str, work: Future[Import]) -> None:
    name = f"dataset_{step.lower()}"

    def finish() -> None:
        failure, moment = work.exception(), region.transitions.moment
        if failure is not None:
            dataset.fail(f"{step}_FAILED", f"Bug in local AWS: {failure!r}", moment)
            return
        result = work.result()
        if result.error is not None:
            dataset.fail(f"{step}_FAILED", result.message, moment)
            return
        dataset.replace_entries(result.entries)
        dataset.complete(f"{step}_COMPLETE", f"The dataset was {step.lower()}d successfully.", moment)

    region.transitions.schedule(name, region.settings.duration(name), finish, work)


def _start_update(dataset: Dataset) -> None:
    dataset.status, dataset.message = "UPDATE_IN_PROGRESS", "The dataset is being updated."


def _train_and_test(region: Region, arns: list[str]) -> tuple[Dataset, Dataset]:
    datasets = {dataset.kind: dataset for dataset in map(region.dataset, arns)}
    if set(datasets) != {"TRAIN", "TEST"}:
        raise AwsError("InvalidParameterException", "Give one training dataset and one test dataset.")
    if datasets["TRAIN"].project_arn != datasets["TEST"].project_arn:
        raise AwsError("InvalidParameterException", "The two datasets belong to different projects.")
    return datasets["TRAIN"], datasets["TEST"]


def _distribute(region: Region, train: Dataset, test: Dataset) -> None:
    lines: list[ManifestLine] = list(train.entries.values())
    moment = region.transitions.moment
    split = split_entries(lines, DISTRIBUTED_SHARE, region.settings.seed)
    if split is None:
        finding = manifest_finding("ERROR_INSUFFICIENT_IMAGES_PER_LABEL_FOR_DISTRIBUTE")
        for dataset in (train, test):
            dataset.fail("UPDATE_FAILED", f"{finding.code}: {finding.message}", moment)
        return
    for dataset, part in zip((train, test), split, strict=True):
        dataset.replace_entries({line.source_ref: line for line in part})
        dataset.complete("UPDATE_COMPLETE", "The dataset was updated successfully.", moment)


def _remove(region: Region, project: Project, dataset: Dataset) -> None:
    project.datasets.pop(dataset.kind, None)
    region.tags.pop(dataset.arn, None)
