"""The learning curve: which versions are on it, in which order, and its picture."""

from __future__ import annotations

import json
from dataclasses import replace
from xml.etree import ElementTree as Xml

import pytest

from custom_labels.core.codec import to_json
from custom_labels.core.gate import Metric
from custom_labels.evaluation.judged_record import JudgedRecord
from custom_labels.evaluation.learning_curve import HEIGHT, MOST_POINTS, WIDTH, learning_curve, to_svg
from tests.kit.version_records import evaluation

SVG = "{http://www.w3.org/2000/svg}"


def record(
    number: int, f1: float = 0.9, version_name: str | None = None, serves_since: str | None = None
) -> tuple[str, JudgedRecord]:
    return version_name or f"digits-{number}", JudgedRecord(
        as_of=f"2026-{1 + number // 28 % 12:02}-{1 + number % 28:02}T00:00:00+00:00",
        digest=f"d{number}",
        evaluation=replace(evaluation(f1, training_images=10 * number, testing_images=5), recall=f1 / 2),
        serves_since=serves_since,
    )


def circles(svg: str) -> list[Xml.Element]:
    return [each for each in Xml.fromstring(svg).iter(f"{SVG}circle") if each.find(f"{SVG}title") is not None]


def test_every_evaluated_version_is_on_the_curve_in_the_order_of_its_images() -> None:
    never = "failed", JudgedRecord(as_of="2026-01-01T00:00:00+00:00", status="TRAINING_FAILED")

    curve = learning_curve("digits", Metric.F1, [record(3), never, record(1), record(2, serves_since="2026-11-21")])

    assert [(point.version_name, point.deployed) for point in curve.versions] == [
        ("digits-1", False),
        ("digits-2", True),
        ("digits-3", False),
    ]
    assert json.loads(json.dumps(to_json(curve)))["versions"][1]["training_images"] == 20


@pytest.mark.parametrize("count", [0, 1, 2, 30, MOST_POINTS + 1])
def test_the_picture_holds_its_points_within_the_panels(count: int) -> None:
    records = [record(number, f1=0.5 + number % 50 / 100) for number in range(count)]

    svg = to_svg(learning_curve("digits", Metric.F1, records))
    drawn = circles(svg)

    assert svg == to_svg(learning_curve("digits", Metric.F1, reversed(records)))
    assert len(drawn) == 2 * (count if count <= MOST_POINTS else -(-count // 2))
    for each in drawn:
        assert 0 <= float(each.attrib["cx"]) <= WIDTH
        assert 0 <= float(each.attrib["cy"]) <= HEIGHT


@pytest.mark.parametrize("value", [0.0, 1.0, 0.5])
def test_one_value_alone_is_drawn(value: float) -> None:
    assert len(circles(to_svg(learning_curve("digits", Metric.RECALL, [record(1, f1=value)])))) == 2


def test_names_are_text_in_the_picture() -> None:
    svg = to_svg(learning_curve("<digits & co>", Metric.F1, [record(1, version_name="<script>")]))

    assert next(each.text for each in Xml.fromstring(svg).iter(f"{SVG}text")) == "<digits & co>: F1 of 1 versions"


def test_the_headline_metric_is_the_one_that_is_drawn() -> None:
    curves = [learning_curve("digits", metric, [record(n, 0.3 + n / 10) for n in range(5)]) for metric in Metric]

    assert len({to_svg(curve) for curve in curves}) == 3
