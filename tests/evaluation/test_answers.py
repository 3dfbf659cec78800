"""The numbers that follow from what a version predicted of known images."""

from __future__ import annotations

from typing import cast

import pytest

from custom_labels.core.gate import Metrics
from custom_labels.evaluation.answers import Cell, Counts, PrecisionRecall, Tally
from custom_labels.evaluation.label_answers import LabelAnswer

CAT_AS_DOG = LabelAnswer("s3://b/1", ("cat",), ("dog",))
CAT = LabelAnswer("s3://b/2", ("cat",), ("cat",))
DOG = LabelAnswer("s3://b/3", ("dog",), ("dog",))
SILENT_DOG = LabelAnswer("s3://b/4", ("dog",), ())


def test_scores_are_means_of_the_labels_that_images_show() -> None:
    scores = Tally([CAT_AS_DOG, CAT, DOG, SILENT_DOG, LabelAnswer("s3://b/5", ("cat",), ("cat", "emu"))]).scores()

    assert scores.labels["cat"] == Metrics(f1=0.8, precision=1.0, recall=cast("float", pytest.approx(2 / 3)))
    assert scores.labels["dog"] == Metrics(f1=0.5, precision=0.5, recall=0.5)
    assert set(scores.labels) == {"cat", "dog"}
    assert scores.overall.f1 == pytest.approx(0.65)
    assert scores.overall.recall == pytest.approx((2 / 3 + 0.5) / 2)


def test_a_label_that_a_version_never_knew_counts_in_the_means_only() -> None:
    scores = Tally([DOG, CAT_AS_DOG]).scores(known={"dog"})

    assert set(scores.labels) == {"dog"}
    assert scores.overall.recall == 0.5


def test_no_images_give_no_metrics() -> None:
    assert Tally([]).scores().overall == Metrics(0.0, 0.0, 0.0)


def test_the_confusion_matrix_has_a_column_for_nothing() -> None:
    both = LabelAnswer("s3://b/6", ("cat", "dog"), ("cat",))

    cells = Tally([CAT_AS_DOG, CAT, CAT, DOG, SILENT_DOG, both]).confusion()

    assert cells == (
        Cell("cat", "cat", 3),
        Cell("cat", "dog", 1),
        Cell("dog", "dog", 1),
        Cell("dog", None, 2),
    )


def test_hits_false_alarms_and_misses_of_a_label_are_counted() -> None:
    tally = Tally([CAT_AS_DOG, CAT, DOG, SILENT_DOG])

    assert tally.counts("dog") == Counts(hits=1, false_alarms=1, misses=1)
    assert tally.counts("cat") == Counts(hits=1, false_alarms=0, misses=1)
    assert tally.counts("emu") == Counts(0, 0, 0)
    assert Counts(0, 0, 0).metrics == Metrics(0.0, 0.0, 0.0)


def sure(confidence: float, actual: str = "cat") -> LabelAnswer:
    return LabelAnswer("s3://b/7", (actual,), ("cat",), (confidence,))


def test_a_curve_goes_from_the_surest_predictions_to_all() -> None:
    answers = [sure(0.9), sure(0.295), sure(0.29), sure(0.5, "dog"), LabelAnswer("s3://b/8", ("cat",), ())]

    curves = Tally(answers).curves()

    assert curves["cat"] == (
        PrecisionRecall(0.9, 1.0, 0.25),
        PrecisionRecall(0.5, 0.5, 0.25),
        PrecisionRecall(0.29, 0.75, 0.75),
    )
    assert curves["dog"] == ()


def test_the_end_of_a_curve_is_what_the_label_scores() -> None:
    tally = Tally([sure(1.0), sure(0.0), sure(0.123, "dog"), LabelAnswer("s3://b/8", ("cat",), ())])

    last, scores = tally.curves()["cat"][-1], tally.scores().labels["cat"]

    assert (last.confidence, last.precision, last.recall) == (0.0, scores.precision, scores.recall)
