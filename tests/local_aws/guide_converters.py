"""What the guide's converters write: a COCO dataset, a CSV file and a multi-label job of Ground Truth as manifests."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
from typing import Any


def coco_lines(coco: dict[str, Any], images: str, attribute: str = "bounding-box") -> list[str]:
    """md-coco-transform-example: boxes and class ids as they are in COCO, fractions and all."""
    lines: dict[int, dict[str, Any]] = {}
    for image in coco["images"]:
        taken = dt.datetime.strptime(image["date_captured"], "%Y-%m-%d %H:%M:%S").replace(tzinfo=dt.UTC)
        size = {"width": image["width"], "depth": 3, "height": image["height"]}
        lines[image["id"]] = {
            "source-ref": images + image["file_name"],
            attribute: {"annotations": [], "image_size": [size]},
            f"{attribute}-metadata": {
                "job-name": "Custom Labels job name",
                "class-map": {},
                "human-annotated": "yes",
                "objects": [],
                "creation-date": taken.strftime("%Y-%m-%dT%H:%M:%S"),
                "type": "groundtruth/object-detection",
            },
        }
    names = {category["id"]: category["name"] for category in coco["categories"]}
    for annotation in coco["annotations"]:
        found, metadata = lines[annotation["image_id"]], lines[annotation["image_id"]][f"{attribute}-metadata"]
        box = dict(zip(("left", "top", "width", "height"), annotation["bbox"], strict=True))
        found[attribute]["annotations"].append({**box, "class_id": annotation["category_id"]})
        metadata["class-map"][annotation["category_id"]] = names[annotation["category_id"]]
        metadata["objects"].append({"confidence": 1})
    return [json.dumps(found) for found in lines.values()]


def csv_lines(text: str, images: str) -> list[str]:
    """Convert a CSV file: an image and its labels a row; each label is an attribute of its own name."""
    lines = []
    for image, *labels in csv.reader(io.StringIO(text)):
        found: dict[str, Any] = {"source-ref": images + image}
        for label in filter(None, labels):
            found[label] = 1
            found[f"{label}-metadata"] = {
                "confidence": 1,
                "job-name": f"labeling-job/{label}",
                "class-name": label,
                "human-annotated": "yes",
                "creation-date": dt.datetime.now(dt.UTC).strftime("%Y-%m-%dT%H:%M:%S.%f"),
                "type": "groundtruth/image-classification",
            }
        lines.append(json.dumps(found))
    return lines


def ground_truth_line(image: str, labels: list[str]) -> str:
    """Give what Ground Truth writes for an image with several labels."""
    numbers = list(range(len(labels)))
    metadata = {
        "job-name": "labeling-job/animals",
        "class-map": {str(number): label for number, label in enumerate(labels)},
        "human-annotated": "yes",
        "creation-date": "2020-02-27T21:36:25.000201",
        "confidence-map": {str(number): 0.9 for number in numbers},
        "type": "groundtruth/image-classification-multilabel",
    }
    return json.dumps({"source-ref": image, "animals": numbers, "animals-metadata": metadata})


def multi_label_line(line: str, attribute: str = "animals") -> str:
    """Convert a line of Ground Truth's multi-label jobs: each label becomes an attribute, of the type that is taken."""
    given = json.loads(line)
    metadata = given[f"{attribute}-metadata"]
    found: dict[str, Any] = {"source-ref": given["source-ref"]}
    for number in given[attribute]:
        name = f"{attribute}-{number}"
        found[name] = 1
        found[f"{name}-metadata"] = {
            "confidence": metadata["confidence-map"][str(number)],
            "job-name": metadata["job-name"],
            "class-name": metadata["class-map"][str(number)],
            "human-annotated": metadata["human-annotated"],
            "creation-date": metadata["creation-date"],
            "type": "groundtruth/image-classification",
        }
    return json.dumps(found)
