"""A project whose review is set up in the embedded AWS."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.faults.conftest import hasty
from tests.review_support import ReviewPlace, set_up_review

if TYPE_CHECKING:
    from include.local_aws.process import LocalAws

__all__ = ["hasty"]


@pytest.fixture
def place(aws: LocalAws) -> ReviewPlace:
    """The project, its flows Active, and nobody who answers."""
    return set_up_review(aws)
