"""What holds for boxes wherever they are."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from custom_labels.aws.predictions import Box as Place
from custom_labels.aws.predictions import DetectedLabel
from custom_labels.core.gate import Metrics
from custom_labels.datasets.annotations.annotation import Box, ImageSize
from custom_labels.evaluation.answers import Tally
from custom_labels.evaluation.box_answers import BoxAnswer
from custom_labels.evaluation.box_matching import LEAST_OVERLAP, match, overlap
from custom_labels.evaluation.comparison import find_flips
from custom_labels.evaluation.verdicts import VerdictChange

SIZE = ImageSize(64, 48)
LABELS = st.sampled_from("ab")
# A small image with few places, so that boxes do overlap.
BOXES = st.builds(
    Box,
    LABELS,
    st.integers(0, 32),
    st.integers(0, 24),
    st.integers(1, 32),
    st.integers(1, 24),
    st.sampled_from((0.0, 0.25, 0.5, 0.75, 1.0)),
)
SOME = st.lists(BOXES, max_size=8)
OPPOSITE = {
    VerdictChange.REGRESSION: VerdictChange.IMPROVEMENT,
    VerdictChange.IMPROVEMENT: VerdictChange.REGRESSION,
    VerdictChange.STILL_WRONG: VerdictChange.STILL_WRONG,
}


def answer(actual: list[Box], predicted: list[Box]) -> BoxAnswer:
    return BoxAnswer("s3://b/k", SIZE, tuple(actual), tuple(predicted))


@given(SOME, SOME)
def test_every_box_is_counted_once(actual: list[Box], predicted: list[Box]) -> None:
    matched = match(actual, predicted)

    hits = [(truth, hit) for truth, hit in matched.found if hit is not None]
    assert len(matched.found) == len(actual)
    assert len(hits) + len(matched.false_alarms) == len(predicted)
    assert len(hits) + len(matched.missed) == len(actual)
    assert all(truth.label == hit.label and overlap(truth, hit) > LEAST_OVERLAP - 1e-6 for truth, hit in hits)


@given(SOME, SOME)
def test_no_missed_box_has_a_false_alarm_on_it(actual: list[Box], predicted: list[Box]) -> None:
    matched = match(actual, predicted)

    assert not any(
        truth.label == alarm.label and overlap(truth, alarm) >= LEAST_OVERLAP
        for truth in matched.missed
        for alarm in matched.false_alarms
    )


@given(SOME, SOME, st.data())
def test_the_order_of_the_boxes_does_not_matter(actual: list[Box], predicted: list[Box], data: st.DataObject) -> None:
    shuffled = [data.draw(st.permutations(boxes)) for boxes in (actual, predicted)]
    first, second = answer(actual, predicted), answer(*shuffled)

    assert first.matching == second.matching
    assert (first.actual_labels, first.predicted_labels) == (second.actual_labels, second.predicted_labels)
    assert sorted(map(str, first.taken_for)) == sorted(map(str, second.taken_for))


@given(st.lists(BOXES, min_size=1, max_size=8))
def test_a_perfect_prediction_scores_1(actual: list[Box]) -> None:
    perfect = answer(actual, actual)

    assert perfect.right
    assert Tally([perfect]).scores().overall == Metrics(1.0, 1.0, 1.0)
    assert all(seen == truth for truth, seen in perfect.taken_for)


@given(st.lists(BOXES, min_size=1, max_size=6), st.integers(1, 3))
def test_what_is_predicted_again_is_a_false_alarm(actual: list[Box], times: int) -> None:
    again = answer(actual, actual + actual * times)

    assert len(again.matching.false_alarms) == len(actual) * times
    assert not again.matching.missed
    assert Tally([again]).scores().overall.precision < 1


@given(SOME, SOME)
def test_a_label_says_nothing_about_another(actual: list[Box], predicted: list[Box]) -> None:
    whole = Tally([answer(actual, predicted)])

    for label in "ab":
        alone = Tally([answer(*([box for box in boxes if box.label == label] for boxes in (actual, predicted)))])
        assert alone.counts(label) == whole.counts(label)


@given(SOME, SOME, SOME)
def test_flips_the_other_way_round_are_the_opposite(actual: list[Box], first: list[Box], second: list[Box]) -> None:
    pairs = [(answer(actual, first), answer(actual, second))]
    there, back = find_flips(pairs), find_flips([(challenger, champion) for champion, challenger in pairs])

    assert [flip.change for flip in back] == [OPPOSITE[flip.change] for flip in there]
    for flip, other in zip(there, back, strict=True):
        objects = {(box.actual, box.champion, box.challenger, box.change) for box in flip.boxes if box.actual}
        assert objects == {
            (box.actual, box.challenger, box.champion, box.change and OPPOSITE[box.change])
            for box in other.boxes
            if box.actual
        }


@given(SOME, SOME)
def test_a_version_does_not_differ_from_itself(actual: list[Box], predicted: list[Box]) -> None:
    assert find_flips([(answer(actual, predicted), answer(actual, predicted))]) == ()


@given(SOME, SOME)
def test_boxes_as_ratios_are_matched_as_those_in_pixels(actual: list[Box], predicted: list[Box]) -> None:
    ratios = [
        DetectedLabel(
            box.label, box.confidence * 100, Place(box.left / 64, box.top / 48, box.width / 64, box.height / 48)
        )
        for box in predicted
    ]

    detected = answer(actual, []).predicted_as(ratios)

    assert Tally([detected]).scores() == Tally([answer(actual, predicted)]).scores()
