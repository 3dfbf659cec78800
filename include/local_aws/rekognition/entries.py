"""ListDatasetEntries and ListDatasetLabels."""

from __future__ import annotations

from collections import Counter

from include.local_aws.rekognition.manifest_lines import ManifestLine
from include.local_aws.rekognition.paging import by_position, read_token, write_token
from include.local_aws.rekognition.state import Dataset, Region, in_use
from include.local_aws.wire.errors import AwsError
from include.local_aws.wire.parse import Params


def list_dataset_entries(region: Region, params: Params) -> Params:
    """List the JSON lines that pass the filters, in the order of their arrival."""
    dataset = _listable(region, params["DatasetArn"])
    kind, limit = f"entries {dataset.arn}", params.get("MaxResults", 100)
    start = read_token(kind, params.get("NextToken")) or 0
    found: list[str] = []
    for position, line in enumerate(dataset.lines[start:], start):
        if not _passes(line, params):
            continue
        if len(found) == limit:
            return {"DatasetEntries": found, "NextToken": write_token(kind, position)}
        found.append(line.text)
    return {"DatasetEntries": found}


def list_dataset_labels(region: Region, params: Params) -> Params:
    """List the labels of a dataset with the number of images and boxes of each."""
    dataset = _listable(region, params["DatasetArn"])
    images: Counter[str] = Counter()
    boxes: Counter[str] = Counter()
    for line in dataset.lines:
        images.update(line.labels)
        boxes.update(box.label for box in line.boxes)
    labels = sorted(images)
    kind = f"labels {dataset.arn}"
    page, token = by_position(labels, kind, params.get("NextToken"), params.get("MaxResults", 100))
    return {
        "DatasetLabelDescriptions": [
            {"LabelName": label, "LabelStats": {"EntryCount": images[label], "BoundingBoxCount": boxes[label]}}
            for label in page
        ],
        "NextToken": token,
    }


def _listable(region: Region, arn: str) -> Dataset:
    dataset = region.dataset(arn)
    if dataset.status == "CREATE_IN_PROGRESS":
        raise AwsError(
            "ResourceNotReadyException", f"The dataset {arn} is in status {dataset.status}: it cannot be listed."
        )
    if dataset.status in ("CREATE_FAILED", "UPDATE_IN_PROGRESS", "DELETE_IN_PROGRESS"):
        raise in_use("dataset", arn, dataset.status, "it cannot be listed")
    return dataset


def _passes(line: ManifestLine, filters: Params) -> bool:
    if "ContainsLabels" in filters and not set(filters["ContainsLabels"]) & set(line.labels):
        return False
    if "Labeled" in filters and bool(line.labels) != filters["Labeled"]:
        return False
    if "SourceRefContains" in filters and filters["SourceRefContains"] not in line.source_ref:
        return False
    return "HasErrors" not in filters or line.flawed == filters["HasErrors"]
