"""The names of the rules by which a detection is doubted, as the setting ``uncertainty`` gives them."""

from __future__ import annotations

from enum import StrEnum


class Uncertainty(StrEnum):
    """A rule by which a detection goes to people."""

    LEAST_CONFIDENT = "least_confident"
    """A label, or the least sure box, is below its minimum."""
    MARGIN = "margin"
    """Two labels that exclude each other are about equally sure."""
    BOX_COUNT = "box_count"
    """There are fewer or more boxes than usual."""
