"""The rate of a version, shared among the tasks that ask it."""

from __future__ import annotations

import pytest

from custom_labels.core.inference_rate import rate_of_worker


@pytest.mark.parametrize(
    ("units", "per_unit", "workers", "rate"),
    [(1, 5, 2, 2.5), (4, 5, 1, 20), (0, 5, 0, 5)],
    ids=["shared", "alone", "no"],
)
def test_workers_share_what_the_units_give(units: int, per_unit: float, workers: int, rate: float) -> None:
    assert rate_of_worker(units, per_unit, workers) == rate
