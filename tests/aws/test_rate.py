"""The token bucket: evenly spread, slower when refused, back by itself."""

from __future__ import annotations

import pytest

from custom_labels.aws.rate import BURST_SECONDS, LOWEST_SHARE, RECOVERY_SECONDS, TokenBucket


def run(bucket: TokenBucket, now: float, calls: int) -> float:
    """Make calls one after the other, as fast as the bucket lets, and give the moment after them."""
    for _ in range(calls):
        now += bucket.reserve(now)
    return now


@pytest.mark.parametrize("rate", [0.5, 5, 50, 1000])
def test_calls_keep_the_rate(rate: float) -> None:
    took = run(TokenBucket(rate, 0), 0, 200)

    assert took == pytest.approx(199 / rate)


def test_what_was_missed_long_ago_is_not_made_up_for() -> None:
    bucket = TokenBucket(20, 0)

    begin = 100.0
    assert run(bucket, begin, 100) - begin == pytest.approx(99 / 20 - BURST_SECONDS)


def test_places_are_given_one_by_one_when_many_threads_ask_at_once() -> None:
    bucket = TokenBucket(10, 0)

    assert [round(bucket.reserve(0), 6) for _ in range(4)] == [0, 0.1, 0.2, 0.3]


def test_refusals_in_flight_together_halve_the_rate_once() -> None:
    bucket = TokenBucket(10, 0)
    for moment in (1.0, 1.1, 1.2):
        bucket.slow_down(moment)

    assert bucket.rate_at(1.2) == pytest.approx(5.2)


def test_the_rate_falls_to_a_tenth_at_most() -> None:
    bucket = TokenBucket(10, 0)
    for second in range(100):
        bucket.slow_down(2.0 * second / 100 * 50)

    assert bucket.rate_at(99) >= LOWEST_SHARE * 10


def test_the_full_rate_comes_back_without_refusals() -> None:
    bucket = TokenBucket(10, 0)
    bucket.slow_down(1)

    assert bucket.rate_at(1) == 5
    assert bucket.rate_at(1 + RECOVERY_SECONDS / 4) == pytest.approx(7.5)
    assert bucket.rate_at(1 + RECOVERY_SECONDS) == 10


def test_another_full_rate_keeps_the_share() -> None:
    bucket = TokenBucket(10, 0)
    bucket.slow_down(1)
    bucket.change_full_rate(40, 1)

    assert (bucket.full_rate, bucket.rate_at(1)) == (40, 20)
