"""What must hold of gates, whatever they ask and whatever was measured."""

from __future__ import annotations

import json
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from custom_labels.core.codec import from_json, to_json
from custom_labels.core.gate import EACH_LABEL, Comparison, Gate, Metric, Metrics, Scores, judge

LABELS = ("cat", "dog", "eel")
shares = st.floats(0, 1)
metrics = st.builds(Metrics, f1=shares, precision=shares, recall=shares)
scores = st.builds(Scores, overall=metrics, labels=st.dictionaries(st.sampled_from(LABELS), metrics))
headlines = st.sampled_from(list(Metric))


@st.composite
def gates(draw: st.DrawFn, *, at_least: bool | None = None, relative: bool | None = None) -> Gate:
    is_relative = draw(st.booleans()) if relative is None else relative
    is_low = draw(st.booleans()) if at_least is None else at_least
    return Gate(
        metric=draw(st.sampled_from([None, *Metric])),
        label=draw(st.sampled_from([None, EACH_LABEL, *LABELS])),
        relative_to_champion=is_relative,
        **{"at_least" if is_low else "at_most": draw(st.floats(-1 if is_relative else 0, 1))},
    )


comparisons = st.one_of(
    st.builds(Comparison, evaluated=scores, champion=st.none() | scores, challenger=st.none() | scores),
    st.builds(Comparison, evaluated=scores, champion_is_unknown=st.just(True)),
)


def better(draw: st.DrawFn, found: Metrics) -> Metrics:
    return Metrics(*(draw(st.floats(value, 1)) for value in (found.f1, found.precision, found.recall)))


def better_scores(draw: st.DrawFn, found: Scores) -> Scores:
    return Scores(better(draw, found.overall), {label: better(draw, value) for label, value in found.labels.items()})


@st.composite
def improvements(draw: st.DrawFn) -> tuple[Comparison, Comparison]:
    """A challenger, and one that is as good or better at everything, against the same champion."""
    worse = draw(comparisons)
    challenger = worse.challenger and better_scores(draw, worse.challenger)
    return worse, replace(worse, evaluated=better_scores(draw, worse.evaluated), challenger=challenger)


@given(st.lists(gates(at_least=True), max_size=5), improvements(), headlines)
def test_a_better_challenger_never_fails_what_a_worse_one_passes(
    asked: list[Gate], pair: tuple[Comparison, Comparison], headline: Metric
) -> None:
    worse, good = (judge(asked, comparison, headline=headline) for comparison in pair)

    both = zip(worse.results, good.results, strict=True)
    assert [(before, after) for before, after in both if before.passed and not after.passed] == []


@given(st.lists(gates(at_least=False), max_size=5), improvements(), headlines)
def test_a_gate_with_a_maximum_never_fails_a_worse_challenger_that_a_better_one_passes(
    asked: list[Gate], pair: tuple[Comparison, Comparison], headline: Metric
) -> None:
    worse, good = (judge(asked, comparison, headline=headline) for comparison in pair)

    assert not good.passed or worse.passed


@given(comparisons, headlines)
def test_no_gates_hold_nobody_back(comparison: Comparison, headline: Metric) -> None:
    assert judge([], comparison, headline=headline).passed


@given(st.lists(gates(relative=True), max_size=5), scores)
def test_gates_relative_to_a_champion_pass_where_none_serves(asked: list[Gate], evaluated: Scores) -> None:
    assert judge(asked, Comparison(evaluated)).passed


@given(gates(relative=True), scores)
def test_gates_relative_to_a_champion_fail_where_nobody_knows_how_good_it_is(asked: Gate, evaluated: Scores) -> None:
    assert not judge([asked], Comparison(evaluated, champion_is_unknown=True)).passed


@given(gates(), comparisons, headlines)
def test_a_gate_on_a_label_that_no_test_image_shows_fails(
    asked: Gate, comparison: Comparison, headline: Metric
) -> None:
    gate = replace(asked, label="no image shows it")
    decision = judge([gate], comparison, headline=headline)

    nothing_to_compare_with = gate.relative_to_champion and comparison.champion is None
    assert decision.passed is (nothing_to_compare_with and not comparison.champion_is_unknown)


@given(st.lists(gates(), max_size=5), comparisons, headlines)
def test_the_decision_is_that_of_all_its_gates_together(
    asked: list[Gate], comparison: Comparison, headline: Metric
) -> None:
    together = judge(asked, comparison, headline=headline)
    single = [judge([gate], comparison, headline=headline) for gate in asked]

    assert together.results == tuple(result for decision in single for result in decision.results)
    assert together.passed is all(decision.passed for decision in single)
    assert together.passed is all(result.passed for result in together.results)


@given(st.lists(gates(), max_size=5), comparisons, headlines)
def test_what_fails_is_named_and_nothing_else(asked: list[Gate], comparison: Comparison, headline: Metric) -> None:
    decision = judge(asked, comparison, headline=headline)
    failed = [result.sentence for result in decision.results if not result.passed]

    assert not failed or decision.reason == "; ".join(failed)
    assert decision.reason


@given(gates(), scores)
def test_gates_and_scores_survive_json(gate: Gate, found: Scores) -> None:
    assert from_json(Gate, json.loads(json.dumps(to_json(gate)))) == gate
    assert from_json(Scores, json.loads(json.dumps(to_json(found)))) == found


@given(st.lists(gates(), max_size=3), comparisons)
def test_a_decision_is_json(asked: list[Gate], comparison: Comparison) -> None:
    decision = judge(asked, comparison)

    kept = json.loads(json.dumps([to_json(result) for result in decision.results], allow_nan=False))

    assert [result["sentence"] for result in kept] == [result.sentence for result in decision.results]
