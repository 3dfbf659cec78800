"""Short pauses for the tests of reviews."""

from __future__ import annotations

from tests.faults.conftest import hasty

__all__ = ["hasty"]
