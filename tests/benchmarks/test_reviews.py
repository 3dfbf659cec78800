"""The benchmark of the backends runs, both sides label each image, and ours stays within its calls."""

from __future__ import annotations

import pytest

from include.label_studio.server import installed
from tests.benchmarks.reviews import BACKENDS, run, table
from tests.kit.review_stands import STANDS

REVIEWS = 10
CALLS = {"a2i": 7, "airflow": 13, "ground_truth": 10, "label_studio": 6}
"""A review of ten, at most: a dozen of calls a run are shared by them."""


def test_every_backend_is_measured() -> None:
    assert {*BACKENDS} == STANDS.keys()


@pytest.mark.matrix
@pytest.mark.slow
@pytest.mark.parametrize("backend", BACKENDS)
def test_both_sides_label_every_image(backend: str) -> None:
    (result,) = run(REVIEWS, [backend])

    assert table([result]).row_count == (1 if "missing" in result else 3)
    if backend == "label_studio" and (why := installed()):
        assert result["missing"] == why
        return
    plain, ours = result["sides"]["plain"], result["sides"]["ours"]
    assert plain["calls_a_review"] > 1
    assert ours["calls_a_review"] <= CALLS[backend]
