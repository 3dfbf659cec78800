"""Tests of trouble: killed workers, throttled and lost calls, images that come and go."""

import pytest

pytest.register_assert_rewrite("tests.faults.crash", "tests.faults.invariants")
