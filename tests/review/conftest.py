"""Short pauses for the tests of reviews."""

from __future__ import annotations

from tests.faults.conftest import short_retries

__all__ = ["short_retries"]
