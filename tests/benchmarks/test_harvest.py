"""The benchmark of the harvest runs, and ours stays within its calls; what it takes is for ``make bench`` to say."""

from __future__ import annotations

import pytest

from tests.benchmarks.harvest import run, table


@pytest.mark.matrix
@pytest.mark.slow
def test_both_sides_harvest_everything() -> None:
    plain, ours = run([40])

    assert (plain["side"], ours["side"]) == ("plain", "ours")
    assert plain["loops"] == ours["loops"] == 40
    assert ours["calls_a_loop"] < plain["calls_a_loop"] == pytest.approx(3, abs=0.1)
    assert table([plain, ours]).row_count == 2
