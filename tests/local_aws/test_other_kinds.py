"""Datasets and trainings of the other kinds of data: boxes, and several labels an image."""

from __future__ import annotations

import json
from typing import Any

from include.demo.scenes import Placed
from tests.local_aws.scene_lines import boxes_line
from tests.local_aws.support import BUCKET, Aws, line, pattern

GREY = pattern("plain", 1)
SIZE = (96, 96)


def boxed(aws: Aws, key: str, *labels: str) -> str:
    """Put an image and return its line with a box of each label."""
    aws.put(key, GREY)
    return boxes_line(key, [Placed(label, 5 + 20 * n, 10, 18, 30) for n, label in enumerate(labels)], SIZE)


def labelled(aws: Aws, key: str, *labels: str) -> str:
    aws.put(key, GREY)
    return line(key, *labels)


def keys(aws: Aws, dataset: str, **filters: object) -> list[str]:
    found = aws.rekognition.list_dataset_entries(DatasetArn=dataset, **filters)["DatasetEntries"]
    return [json.loads(entry)["source-ref"].removeprefix(f"s3://{BUCKET}/") for entry in found]


def labels_of(aws: Aws, dataset: str) -> dict[str, tuple[int, int]]:
    """Return the numbers of images and boxes by label."""
    found = aws.rekognition.list_dataset_labels(DatasetArn=dataset)["DatasetLabelDescriptions"]
    return {
        item["LabelName"]: (item["LabelStats"]["EntryCount"], item["LabelStats"]["BoundingBoxCount"]) for item in found
    }


def statistics(aws: Aws, dataset: str) -> dict[str, Any]:
    return dict(aws.settled(dataset)["DatasetStats"])


def test_boxes_are_counted_listed_and_replaced(aws: Aws) -> None:
    lines = [boxed(aws, "a.png", "kestrel", "kestrel"), boxed(aws, "b.png", "quartz"), boxed(aws, "empty.png")]
    arn = aws.dataset(aws.project(), "TRAIN", lines)
    assert statistics(aws, arn) == {"LabeledEntries": 2, "TotalEntries": 3, "TotalLabels": 2, "ErrorEntries": 0}
    assert labels_of(aws, arn) == {"kestrel": (1, 2), "quartz": (1, 1)}
    assert keys(aws, arn, ContainsLabels=["kestrel"]) == ["a.png"]
    assert keys(aws, arn, Labeled=False) == ["empty.png"]
    change = boxed(aws, "empty.png", "quartz", "kestrel")
    aws.rekognition.update_dataset_entries(DatasetArn=arn, Changes={"GroundTruth": change.encode()})
    aws.settled(arn)
    assert labels_of(aws, arn) == {"kestrel": (2, 3), "quartz": (2, 2)}


def test_boxed_images_are_distributed_with_each_label_on_both_sides(aws: Aws) -> None:
    project = aws.project()
    lines = [boxed(aws, f"{label}{number}.png", label) for label in ("kestrel", "quartz") for number in range(5)]
    train, test = aws.dataset(project, "TRAIN", lines), aws.dataset(project, "TEST")
    aws.rekognition.distribute_dataset_entries(Datasets=[{"Arn": train}, {"Arn": test}])
    aws.settled(train)
    aws.settled(test)
    assert labels_of(aws, train) == {"kestrel": (4, 4), "quartz": (4, 4)}
    assert labels_of(aws, test) == {"kestrel": (1, 1), "quartz": (1, 1)}


def test_several_labels_are_counted_and_listed(aws: Aws) -> None:
    lines = [labelled(aws, "a.png", "dots", "rows"), labelled(aws, "b.png", "rows")]
    arn = aws.dataset(aws.project(), "TRAIN", lines)
    assert statistics(aws, arn) == {"LabeledEntries": 2, "TotalEntries": 2, "TotalLabels": 2, "ErrorEntries": 0}
    assert labels_of(aws, arn) == {"dots": (1, 0), "rows": (2, 0)}
    assert keys(aws, arn, ContainsLabels=["dots"]) == ["a.png"]


def test_an_evaluation_tells_of_each_of_several_labels(aws: Aws) -> None:
    project = aws.project()
    for kind, count in (("TRAIN", 4), ("TEST", 2)):
        lines = []
        for labels in (("dots",), ("bars",), ("dots", "both"), ("bars", "both")):
            for number in range(count):
                key = f"{kind}/{'-'.join(labels)}-{number}.png"
                aws.put(key, pattern(labels[0], number + len(kind)))
                lines.append(line(key, *labels))
        aws.dataset(project, kind, lines)
    version = aws.train(project)
    summary = json.loads(aws.read(version["EvaluationResult"]["Summary"]["S3Object"]["Name"]))
    assert [item["NumberOfTestingImages"] for item in summary["LabelEvaluationResults"]] == [4, 4, 4]
    (asset,) = version["TestingDataResult"]["Output"]["Assets"]
    tested = [json.loads(text) for text in aws.read(asset["GroundTruthManifest"]["S3Object"]["Name"]).splitlines()]
    twice = tested[4]
    assert [twice[f"rekognition-custom-labels-training-{n}-metadata"]["class-name"] for n in (0, 1)] == ["dots", "both"]
    listed = [
        twice[name] for name in twice if name.startswith("rekognition-custom-labels-evaluation-") and name.endswith("a")
    ]
    assert {item["class-name"] for item in listed} >= {"dots", "both"}
    for item in listed:
        details = item["rekognition-custom-labels-evaluation-details"]
        assert details["is-present-in-ground-truth"] == (item["class-name"] in {"dots", "both"})
