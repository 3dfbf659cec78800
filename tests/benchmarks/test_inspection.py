"""The benchmark of inspections runs, and what was seen before is not read again; what it costs, ``make bench`` says."""

from __future__ import annotations

import pytest

from tests.benchmarks.inspection import run, table


@pytest.mark.matrix
@pytest.mark.slow
def test_a_second_inspection_reads_the_one_new_image() -> None:
    results = run(200)

    assert [row["side"] for row in results] == ["plain", "first", "again"]
    assert [row.get("read") for row in results] == [None, 200, 1]
    assert results[1]["groups"] == 0
    assert table(results).row_count == 3
