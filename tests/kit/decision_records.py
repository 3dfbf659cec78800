"""Decision records for tests of their page: two versions on the same images, with labels of one's choice."""

from __future__ import annotations

import io
import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from PIL import Image

from custom_labels.core.gate import Gate, Metric, Metrics, Scores
from custom_labels.core.live_version import LiveVersion
from custom_labels.core.project_task import ProjectTask
from custom_labels.datasets.annotations.annotation import Box, ImageSize
from custom_labels.evaluation.answers import Tally
from custom_labels.evaluation.box_answers import BoxAnswer
from custom_labels.evaluation.comparison import Compared, OwnAnswers, compare
from custom_labels.evaluation.decision_record import decision_record
from custom_labels.evaluation.evaluation import Evaluation, LabelMetrics
from custom_labels.evaluation.judgement import AfterEvaluation, EvaluatedVersion
from custom_labels.evaluation.label_answers import LabelAnswer

GATES = (
    Gate(Metric.F1, at_least=0.8),
    Gate(Metric.F1, label="*", at_least=-0.05, relative_to_champion=True),
    Gate(Metric.RECALL, at_least=0.5),
)


def answers(labels: Sequence[str], images: int, errors: float, seed: str) -> list[LabelAnswer]:
    """Give a version's answers to images of labels, some of them wrong or missing, the same for the same seed."""
    dice = random.Random(seed)
    found = []
    for number in range(images):
        actual = labels[number % len(labels)]
        predicted = (
            (actual,) if dice.random() > errors else tuple(dice.sample(labels, 1)) if dice.random() > 0.3 else ()
        )
        found.append(
            LabelAnswer(f"s3://bucket/images_labeled_by_folder/{actual}/{number:04}.png", (actual,), predicted)
        )
    return found


def several_answers(labels: Sequence[str], images: int, errors: float, seed: str) -> list[LabelAnswer]:
    """Give a version's answers to images of two labels each."""
    dice = random.Random(seed)
    found = []
    for number in range(images):
        actual = sorted({labels[number % len(labels)], labels[(number + 1) % len(labels)]})
        predicted = sorted(label for label in labels if (label in actual) is (dice.random() > errors))
        sure = tuple(round(dice.uniform(0.5, 1), 3) for _ in predicted)
        found.append(LabelAnswer(f"s3://bucket/images/{number:04}.png", tuple(actual), tuple(predicted), sure))
    return found


SIZE = ImageSize(640, 400)


def box_answers(labels: Sequence[str], images: int, errors: float, seed: str) -> list[BoxAnswer]:
    """Give a version's answers to images with two objects: some are missed, some are seen elsewhere."""
    dice = random.Random(seed)
    found = []
    for number in range(images):
        places = ((40, 60, 120, 150), (330, 200, 240, 110))
        actual = tuple(Box(labels[(number + n) % len(labels)], *place) for n, place in enumerate(places))
        predicted = [
            replace(box, left=box.left + dice.uniform(0, 12), confidence=round(dice.uniform(0.5, 1), 3))
            for box in actual
            if dice.random() > errors
        ]
        if dice.random() < errors:
            predicted.append(Box(dice.choice(labels), 420, 20, 90, 90, 0.61))
        found.append(BoxAnswer(f"s3://bucket/images/{number:04}.png", SIZE, actual, tuple(predicted)))
    return found


ANSWERS: dict[ProjectTask, Callable[[Sequence[str], int, float, str], Sequence[Any]]] = {
    ProjectTask.IMAGE_CLASSIFICATION: answers,
    ProjectTask.MULTI_LABEL_CLASSIFICATION: several_answers,
    ProjectTask.OBJECT_DETECTION: box_answers,
}


def make_record(
    labels: Sequence[str],
    *,
    task: ProjectTask = ProjectTask.IMAGE_CLASSIFICATION,
    images: int = 120,
    champion_errors: float = 0.2,
    challenger_errors: float = 0.12,
    is_first: bool = False,
    why_not: str | None = None,
) -> dict[str, Any]:
    """Give the record of a decision.

    :param is_first: no version serves yet.
    :param why_not: why the champion could not be put to the images.
    """
    first = ANSWERS[task](labels, images, champion_errors, "champion")
    second = ANSWERS[task](labels, images, challenger_errors, "challenger")
    own = Tally(second)
    same = compare(
        list(zip(first, second, strict=True)),
        labels,
        test_images=images + 30,
        digest="0f" * 32,
        left_out={"deleted, replaced or denied since the training": 2},
    )
    champion = ("digits-20261114T120000-ba9876543210", "arn:1", "arn", "ba" * 32, "2026-11-14T13:00:00+00:00", 0.8)
    evaluated = EvaluatedVersion(
        AfterEvaluation.JUDGE,
        "arn",
        "digits-20261121T120000-0123456789ab",
        "arn:2",
        "ab" * 32,
        evaluation_of(own.scores(), images),
        None if is_first else LiveVersion(*champion, labels=tuple(labels)),
        None if is_first else Scores(Metrics(0.8, 0.81, 0.79)),
    )
    compared = Compared(
        OwnAnswers(own.images, own.confusion(), own.curves()), None if is_first or why_not else same, why_not
    )
    return decision_record(
        evaluated,
        compared,
        GATES,
        Metric.F1,
        project="digits",
        task=task,
        run="digits_train/scheduled__2026-11-21T12:00:00+00:00",
        judged_at="2026-11-21T12:41:07+00:00",
        test_manifest={"uri": f"s3://bucket/manifests/{'ab' * 32}/test.manifest", "sha256": "cd" * 32},
    )


def evaluation_of(scores: Scores, images: int) -> Evaluation:
    """Give the evaluation that has some scores."""
    labels = [
        LabelMetrics(label, each.f1, each.precision, each.recall, 0.5, 1) for label, each in scores.labels.items()
    ]
    overall = scores.overall
    return Evaluation(overall.f1, overall.precision, overall.recall, images, images, tuple(labels))


def image(width: int = 640, height: int = 400, file_format: str = "PNG") -> bytes:
    """Draw a gradient."""
    out = io.BytesIO()
    Image.linear_gradient("L").resize((width, height)).convert("RGB").save(out, file_format)
    return out.getvalue()
