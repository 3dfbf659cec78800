"""How fast a version may be asked: a token bucket that slows down when it is refused and recovers by itself.

Botocore's adaptive retries slow down as well, but take no rate to begin with: inference units have one.
"""

from __future__ import annotations

import threading

SLOWER = 0.5
"""A refusal halves the rate,"""
SLOWER_AGAIN_SECONDS = 1.0
"""once in this time, since many calls in flight are refused together,"""
LOWEST_SHARE = 0.1
"""down to this share of the full rate."""
RECOVERY_SECONDS = 10.0
"""Without a refusal the full rate is back after so long, from nothing."""
BURST_SECONDS = 0.25
"""Calls that were not made are made up for, if they are of this last while."""


class TokenBucket:
    """Spreads calls evenly over time, for any number of threads; additive increase, multiplicative decrease.

    The clock is the caller's: every method takes the moment, in seconds of a monotonic clock.

    :param rate: calls a second, the most.
    :param now: the moment of its making.
    """

    def __init__(self, rate: float, now: float) -> None:
        self.full_rate = rate
        self._rate = rate
        self._free_at = now
        self._changed_at = now
        self._slowed_at = float("-inf")
        self._lock = threading.Lock()

    def change_full_rate(self, rate: float, now: float) -> None:
        """Take another rate for the full one: another version serves, with other units."""
        with self._lock:
            if rate != self.full_rate:
                self._rate = rate * self.rate_at(now) / self.full_rate
                self.full_rate = rate
                self._changed_at = now

    def rate_at(self, now: float) -> float:
        """Give the rate of the moment, in calls a second."""
        recovered = self._rate + self.full_rate * max(0.0, now - self._changed_at) / RECOVERY_SECONDS
        return min(self.full_rate, recovered)

    def reserve(self, now: float) -> float:
        """Take the next place in the queue of calls.

        :return: seconds to wait before the call.
        """
        with self._lock:
            begin = max(self._free_at, now - BURST_SECONDS)
            self._free_at = begin + 1 / self.rate_at(now)
            return max(0.0, begin - now)

    def slow_down(self, now: float) -> None:
        """Take note of a refusal."""
        with self._lock:
            if now - self._slowed_at < SLOWER_AGAIN_SECONDS:
                return
            self._rate = max(LOWEST_SHARE * self.full_rate, SLOWER * self.rate_at(now))
            self._slowed_at = self._changed_at = now
