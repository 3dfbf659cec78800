"""The day's budget of reviews: how many were opened, or may have been."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace


@dataclass(frozen=True)
class DayBudget:
    """What of a day's budget is gone.

    :param opened: reviews that were counted, which comes before they are opened.
    :param returned: reviews that turned out to have failed before anybody could answer, by who found out.
    :param writer: different at each writing, so that a writer knows its own writing from another's.
    """

    opened: int = 0
    returned: Mapping[str, int] = field(default_factory=dict)
    writer: str = ""

    def room(self, budget: int) -> int:
        """Give how many more may be counted under a budget, which may have been changed in the course of the day."""
        return max(0, budget - max(0, self.opened - sum(self.returned.values())))

    def count(self, reviews: int) -> DayBudget:
        """Count reviews that are about to be opened; fewer than none for those that were not opened after all."""
        return replace(self, opened=max(0, self.opened + reviews))

    def give_back(self, finder: str, reviews: int) -> DayBudget:
        """Give back what failed reviews took.

        :param finder: who found out; the same one's second report replaces its first, so that it may be repeated.
        """
        return replace(self, returned={**self.returned, finder: reviews})
