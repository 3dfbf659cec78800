"""The benchmark runs, and both sides of it come to the same result; what it takes is for ``make bench`` to say."""

from __future__ import annotations

import pytest

from tests.benchmarks.__main__ import run, table


def test_both_sides_count_and_build_the_same() -> None:
    result = run(3_000, seconds_a_page=0.001)
    for sides in result["jobs"].values():
        assert sides["baseline"]["counts"] == sides["ours"]["counts"] == dict.fromkeys(("cat", "dog", "parrot"), 1_000)
        assert sides["ours"]["list_calls"] == sides["baseline"]["list_calls"] + 1  # the folders are listed first
    assert table(result).row_count == 6


def test_both_sides_count_and_build_the_same_images_with_boxes() -> None:
    result = run(3_000, 0.001, "annotated")
    first = next(iter(result["jobs"].values()))["ours"]["counts"]
    assert sum(first.values()) > 3_000
    for sides in result["jobs"].values():
        assert sides["baseline"]["counts"] == sides["ours"]["counts"] == first
        assert sides["ours"]["list_calls"] == sides["baseline"]["list_calls"]
    assert table(result).row_count == 9


@pytest.mark.parametrize("images", [1, 999, 1_001])
def test_any_number_of_images_is_counted(images: int) -> None:
    from tests.benchmarks.listing_server import LABELS, image_keys, make_pages

    pages = make_pages(images)
    assert sum(len(image_keys(label, images)) for label in LABELS) == images
    assert sum(page.count(b"<Contents>") for page in pages["images_labeled_by_folder/"]) == images


@pytest.mark.matrix
def test_both_sides_detect_and_an_image_costs_two_calls_of_its_own() -> None:
    from tests.benchmarks import detection

    result = detection.run(60)

    own = ("rekognition.DetectCustomLabels", "s3.PutObject")
    calls = result["sides"]["ours"]["calls"]
    assert result["sides"]["ours"]["images"] == calls[own[0]] == 60
    assert sum(calls[name] for name in own) < 2.5 * 60
    assert detection.table(result).row_count == 2


def test_the_predict_api_makes_no_call_more_for_a_request_than_bare_detection() -> None:
    from tests.benchmarks import predict_api

    result = predict_api.run(requests=16, at_a_time=4, seconds_a_call=0)

    for side in result["sides"].values():
        assert side["calls"]["rekognition.DetectCustomLabels"] == 16
        assert side["calls"].get("s3.GetObject", 0) < 16  # the pointer is remembered
        assert 0 < side["p50_ms"] <= side["p99_ms"]
    assert predict_api.table(result).row_count == 3
