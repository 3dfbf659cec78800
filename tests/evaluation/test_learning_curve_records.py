"""The learning curve of a registry: written from all records, whatever was there."""

from __future__ import annotations

from custom_labels.core.codec import to_json
from custom_labels.core.gate import Metric
from custom_labels.core.registry import Registry
from custom_labels.core.version_record import VersionRecord
from custom_labels.evaluation.learning_curve_records import CURVE, PICTURE, write_learning_curve
from custom_labels.s3.store import S3Store
from tests.kit.version_records import evaluation, put_on_record


def test_the_curve_is_that_of_all_records_of_the_registry(aws_store: S3Store) -> None:
    registry = Registry(aws_store)
    for number in range(40):
        facts = {"as_of": f"2026-10-01T00:{number:02}:00+00:00", "digest": f"d{number}"}
        measured = {"evaluation": evaluation()} if number % 2 else {}
        put_on_record(aws_store, f"v{number:02}", **facts, **measured)

    first = write_learning_curve(registry, "digits", Metric.F1)
    body = aws_store.read_bytes(PICTURE)[0]
    again = write_learning_curve(registry, "digits", Metric.F1)

    assert first == again
    assert [point.version_name for point in first.versions] == [f"v{number:02}" for number in range(1, 40, 2)]
    assert aws_store.read_json(CURVE)[0] == to_json(first)
    assert body == aws_store.read_bytes(PICTURE)[0]
    assert b"F1 of 20 versions" in body
    assert [name for name, _ in registry.versions(VersionRecord, newest=3)] == ["v37", "v38", "v39"]
