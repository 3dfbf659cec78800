"""Models that find objects: trained on boxes, judged by box, and asked where what is."""

from __future__ import annotations

import json
from functools import partial
from io import BytesIO
from typing import Any

import numpy as np
import pytest

from include.demo.scenes import LABELS, Scene, compose
from include.local_aws.boxes import overlaps
from tests.local_aws.scene_lines import SMALL, box_lines, put_scenes
from tests.local_aws.support import Aws, wait_for

Found = list[dict[str, Any]]


@pytest.fixture(scope="module")
def project(shared_aws: Aws) -> str:
    """A project with a running version that was trained on ten scenes and judged on six."""
    arn = shared_aws.project("objects")
    shared_aws.dataset(arn, "TRAIN", box_lines(put_scenes(shared_aws, "train", 10, 1)))
    shared_aws.dataset(arn, "TEST", box_lines(put_scenes(shared_aws, "test", 6, 2)))
    shared_aws.train(arn)
    shared_aws.start(arn, "v1")
    return arn


@pytest.fixture
def aws(shared_aws: Aws, project: str) -> Aws:
    return shared_aws


@pytest.fixture
def version(aws: Aws, project: str) -> dict[str, Any]:
    return aws.version(project, "v1")


def detect(aws: Aws, version: str, content: bytes, **more: Any) -> Found:
    answer = aws.rekognition.detect_custom_labels(ProjectVersionArn=version, Image={"Bytes": content}, **more)
    return list(answer["CustomLabels"])


def read_json(aws: Aws, place: dict[str, Any]) -> Any:
    return json.loads(aws.read(place["S3Object"]["Name"]))


def evaluation_lines(aws: Aws, version: dict[str, Any], side: str) -> list[dict[str, Any]]:
    (asset,) = version[f"{side}DataResult"]["Output"]["Assets"]
    return [json.loads(text) for text in aws.read(asset["GroundTruthManifest"]["S3Object"]["Name"]).splitlines()]


def share_of_found(found: Found, scene: Scene) -> float:
    """Return the share of a scene's logos that an answer has a box of the same label on."""
    boxes = np.array(
        [[item["Geometry"]["BoundingBox"][side] for side in ("Left", "Top", "Width", "Height")] for item in found]
    )
    hits = 0
    for placed in scene.placed:
        truth = np.array([[placed.left, placed.top, placed.width, placed.height]]) / np.array([*scene.picture.size] * 2)
        of_label = boxes.reshape(-1, 4)[[item["Name"] == placed.label for item in found]]
        hits += overlaps(of_label, truth).max(initial=0) >= 0.5
    return hits / len(scene.placed)


def test_objects_are_found_where_they_are(aws: Aws, version: dict[str, Any]) -> None:
    made = [compose(3, number, SMALL) for number in range(8)]
    shares = [share_of_found(detect(aws, version["ProjectVersionArn"], scene.jpeg()), scene) for scene in made]
    assert np.mean(shares) > 0.6


def test_answers_lie_in_the_image_and_the_surest_come_first(aws: Aws, version: dict[str, Any]) -> None:
    found = detect(aws, version["ProjectVersionArn"], compose(3, 0, SMALL).jpeg(), MinConfidence=0)
    assert len(found) > 1
    assert set(found[0]) == {"Name", "Confidence", "Geometry"}
    confidences = [item["Confidence"] for item in found]
    assert confidences == sorted(confidences, reverse=True)
    for item in found:
        box = item["Geometry"]["BoundingBox"]
        assert set(item["Geometry"]) == {"BoundingBox"}
        assert 0 <= box["Left"] <= box["Left"] + box["Width"] <= 1.000001
        assert 0 <= box["Top"] <= box["Top"] + box["Height"] <= 1.000001
        assert item["Name"] in LABELS
        assert 0 < item["Confidence"] <= 100


def test_objects_are_filtered_by_assumed_threshold_confidence_and_number(aws: Aws, version: dict[str, Any]) -> None:
    arn, image = version["ProjectVersionArn"], compose(3, 1, SMALL).jpeg()
    every = detect(aws, arn, image, MinConfidence=0)
    results = read_json(aws, version["EvaluationResult"]["Summary"])["LabelEvaluationResults"]
    thresholds = {result["Label"]: 100 * result["Metrics"]["Threshold"] for result in results}
    assert detect(aws, arn, image) == [item for item in every if item["Confidence"] >= thresholds[item["Name"]]]
    assert detect(aws, arn, image, MinConfidence=0, MaxResults=1) == every[:1]
    middle = every[len(every) // 2]["Confidence"]
    assert detect(aws, arn, image, MinConfidence=middle) == [item for item in every if item["Confidence"] >= middle]
    assert detect(aws, arn, image, MinConfidence=100) == []


def test_a_picture_is_found_in_alike_when_its_exif_turns_it(aws: Aws, version: dict[str, Any]) -> None:
    from PIL import Image

    scene, turned = compose(3, 2, SMALL), BytesIO()
    exif = Image.Exif()
    exif[0x0112] = 6  # a viewer turns it by 90 degrees clockwise
    scene.picture.transpose(Image.Transpose.ROTATE_90).save(turned, "JPEG", quality=90, exif=exif)
    assert share_of_found(detect(aws, version["ProjectVersionArn"], turned.getvalue()), scene) == share_of_found(
        detect(aws, version["ProjectVersionArn"], scene.jpeg()), scene
    )


def test_the_summary_has_the_shape_for_object_detection(aws: Aws, version: dict[str, Any]) -> None:
    summary = read_json(aws, version["EvaluationResult"]["Summary"])
    aggregated = summary["AggregatedEvaluationResults"]
    assert set(aggregated) == {"F1Score", "Precision", "Recall", "AveragePrecision", "AverageRecall"}
    assert aggregated["F1Score"] == version["EvaluationResult"]["F1Score"]
    assert 0.5 < aggregated["F1Score"] <= 1
    assert 0.5 < aggregated["AveragePrecision"] <= 1
    assert aggregated["AverageRecall"] >= aggregated["Recall"]
    details = summary["EvaluationDetails"]
    assert (details["NumberOfTrainingImages"], details["NumberOfTestingImages"]) == (10, 6)
    assert details["Labels"] == sorted(LABELS)
    for result in summary["LabelEvaluationResults"]:
        assert set(result["Metrics"]) == {"F1Score", "Precision", "Recall", "Threshold"}


def test_the_validation_summary_says_that_objects_are_localized(aws: Aws, version: dict[str, Any]) -> None:
    statistics = read_json(aws, version["ManifestSummary"])["statistics"]
    assert {side["use_case"] for side in statistics.values()} == {"OBJECT_LOCALIZATION"}
    assert [side["valid_json_lines"] for side in statistics.values()] == [10, 6]


def test_the_evaluation_manifest_adds_up_to_the_metrics(aws: Aws, version: dict[str, Any]) -> None:
    counts = {label: dict.fromkeys(("true-positive", "false-positive", "false-negative"), 0) for label in LABELS}
    for line in evaluation_lines(aws, version, "Testing"):
        attribute = line["rekognition-custom-labels-evaluation"]
        metadata = line["rekognition-custom-labels-evaluation-metadata"]
        assert metadata["type"] == "groundtruth/object-detection"
        assert attribute["image_size"] == [{"width": 320, "height": 240, "depth": 3}]
        for box, item in zip(attribute["annotations"], metadata["objects"], strict=True):
            details = item["rekognition-custom-labels-evaluation-details"]
            (outcome,) = [name for name in counts[LABELS[0]] if details[f"is-{name}"]]
            assert details["is-present-in-ground-truth"] == (outcome != "false-positive")
            counts[metadata["class-map"][str(box["class_id"])]][outcome] += 1
    for result in read_json(aws, version["EvaluationResult"]["Summary"])["LabelEvaluationResults"]:
        found = counts[result["Label"]]
        right, wrong, missed = (found[name] for name in ("true-positive", "false-positive", "false-negative"))
        assert result["Metrics"]["Precision"] == pytest.approx(right / max(1, right + wrong))
        assert result["Metrics"]["Recall"] == pytest.approx(right / max(1, right + missed))


def test_the_training_manifest_has_the_boxes_that_were_trained_on(aws: Aws, version: dict[str, Any]) -> None:
    lines = evaluation_lines(aws, version, "Training")
    assert len(lines) == 10
    attribute, metadata = (lines[0][f"rekognition-custom-labels-training-0{end}"] for end in ("", "-metadata"))
    scene = compose(1, 0, SMALL)
    assert [
        (metadata["class-map"][str(box["class_id"])], box["left"], box["top"], box["width"], box["height"])
        for box in attribute["annotations"]
    ] == [(box.label, box.left, box.top, box.width, box.height) for box in scene.placed]
    assert attribute["image_size"] == [{"width": 320, "height": 240, "depth": 3}]
    assert len(metadata["objects"]) == len(scene.placed)


def test_a_detector_answers_as_before_when_its_state_is_restored(aws: Aws, version: dict[str, Any]) -> None:
    image = compose(3, 3, SMALL).jpeg()
    before = detect(aws, version["ProjectVersionArn"], image, MinConfidence=0)
    aws.control.save("detector")
    aws.control.reset()
    aws.control.restore("detector")
    assert detect(aws, version["ProjectVersionArn"], image, MinConfidence=0) == before


def test_a_copy_answers_like_its_source(aws: Aws, project: str, version: dict[str, Any]) -> None:
    other = aws.project("copies")
    copy = aws.rekognition.copy_project_version(
        SourceProjectArn=project,
        SourceProjectVersionArn=version["ProjectVersionArn"],
        DestinationProjectArn=other,
        VersionName="copied",
        OutputConfig=version["OutputConfig"],
    )["ProjectVersionArn"]
    wait_for(lambda: aws.version(other, "copied")["Status"], "COPYING_COMPLETED")
    aws.start(other, "copied")
    ask = partial(detect, aws, content=compose(3, 4, SMALL).jpeg(), MinConfidence=0)
    assert ask(version=copy) == ask(version=version["ProjectVersionArn"])
