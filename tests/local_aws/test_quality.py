"""Training is real: more labels make a better model, and a model is unsure of what it has not seen."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest
from sklearn.datasets import load_digits

from tests.local_aws.support import Aws, line, pattern, png


@cache
def digits() -> Any:
    return load_digits()


@cache
def shuffled() -> list[int]:
    return [int(number) for number in np.random.default_rng(1).permutation(len(digits().target))]


def picture(number: int) -> bytes:
    return png(digits().images[number] * 255 / 16)


def lines(aws: Aws, numbers: list[int]) -> list[str]:
    found = []
    for number in numbers:
        key = f"digits/{number}.png"
        aws.put(key, picture(number))
        found.append(line(key, str(digits().target[number])))
    return found


def pick(per_label: int, labels: int, start: int) -> list[int]:
    """Return so many digits of each label, from `start` of the shuffled ones on."""
    chosen: list[int] = []
    for label in range(labels):
        chosen += [number for number in shuffled()[start:] if digits().target[number] == label][:per_label]
    return chosen


def project_of(aws: Aws, name: str, per_label: int, labels: int = 10) -> str:
    project = aws.project(name)
    aws.dataset(project, "TRAIN", lines(aws, pick(per_label, labels, 600)))
    aws.dataset(project, "TEST", lines(aws, pick(12, labels, 0)))
    return project


@pytest.mark.matrix
def test_f1_rises_when_there_are_more_images(aws: Aws) -> None:
    scores = {}
    for per_label in (2, 5, 20):
        version = aws.train(project_of(aws, f"n{per_label}", per_label))
        scores[per_label] = version["EvaluationResult"]["F1Score"]
    assert scores[5] >= 0.80
    assert scores[20] >= 0.94
    assert scores[2] < scores[5] < scores[20]


def test_confidence_is_low_when_the_digit_was_never_trained(aws: Aws) -> None:
    project = project_of(aws, "closed", 15, labels=9)
    aws.train(project)
    version = aws.start(project, "v1")

    def confidence(number: int) -> float:
        answer = aws.rekognition.detect_custom_labels(
            ProjectVersionArn=version, Image={"Bytes": picture(number)}, MinConfidence=0, MaxResults=1
        )
        return float(answer["CustomLabels"][0]["Confidence"])

    known = [confidence(number) for number in shuffled()[:200] if digits().target[number] != 9][:50]
    unseen = [confidence(number) for number in shuffled()[:600] if digits().target[number] == 9][:30]
    assert np.median(known) > 90
    assert np.median(unseen) < 75
    assert np.mean(np.array(unseen) < 80) > 3 * np.mean(np.array(known) < 80)


def test_several_labels_are_found_when_an_image_has_them(aws: Aws) -> None:
    """Two patterns side by side: each may be there without the other."""

    def both(seed: int, left: str, right: str) -> bytes:
        from io import BytesIO

        from PIL import Image

        joined = Image.new("L", (96, 96))
        for place, label in ((0, left), (48, right)):
            with Image.open(BytesIO(pattern(label, seed))) as half:
                joined.paste(half.crop((0, 0, 48, 96)), (place, 0))
        return png(np.asarray(joined))

    combinations = {("dots", "plain"): ["dots"], ("plain", "rows"): ["rows"], ("dots", "rows"): ["dots", "rows"]}
    project = aws.project()
    for kind, count, first in (("TRAIN", 8, 0), ("TEST", 4, 100)):
        found = []
        for (left, right), labels in combinations.items():
            for seed in range(first, first + count):
                key = f"{kind}/{left}-{right}-{seed}.png"
                aws.put(key, both(seed, left, right))
                found.append(line(key, *labels))
        aws.dataset(project, kind, found)
    assert aws.train(project)["EvaluationResult"]["F1Score"] > 0.9
    version = aws.start(project, "v1")
    for (left, right), labels in combinations.items():
        answer = aws.rekognition.detect_custom_labels(
            ProjectVersionArn=version, Image={"Bytes": both(999, left, right)}
        )
        assert sorted(item["Name"] for item in answer["CustomLabels"]) == labels


@pytest.mark.parametrize("per_label", [1, 2])
def test_training_succeeds_when_labels_have_hardly_an_image(aws: Aws, per_label: int) -> None:
    version = aws.train(project_of(aws, "tiny", per_label))
    assert version["Status"] == "TRAINING_COMPLETED"
    assert version["EvaluationResult"]["F1Score"] > 0.2
