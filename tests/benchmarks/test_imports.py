"""The benchmark of imports runs, and both sides take everything; what it costs is for ``make bench`` to say."""

from __future__ import annotations

import pytest

from tests.benchmarks.imports import run, table


@pytest.mark.matrix
@pytest.mark.slow
def test_both_sides_import_everything_and_an_object_costs_one_call() -> None:
    results = run([600], [600])

    assert [(row["job"], row["side"], row["taken"]) for row in results] == [
        (job, side, 600) for job in ("lines", "objects") for side in ("plain", "ours")
    ]
    calls = {row["job"]: sum(row["calls"].values()) / row["images"] for row in results if row["side"] == "ours"}
    assert calls["objects"] < 1.05
    assert calls["lines"] < 2.05
    assert table(results).row_count == 4
