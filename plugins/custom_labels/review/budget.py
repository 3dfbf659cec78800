"""The day's budget of reviews: what was opened, and what is reserved for those that are opening some just now."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace


@dataclass(frozen=True)
class Reservation:
    """So many reviews that an owner may open.

    :param owner: who holds it; an owner holds one at a time.
    :param number: tells apart all reservations of a day.
    :param reviews: how many.
    :param is_resumed: whether a second try went on with it; what the first one opened is then not known for certain.
    """

    owner: str
    number: int
    reviews: int
    is_resumed: bool = False


@dataclass(frozen=True)
class DayBudget:
    """What of a day's budget is gone.

    :param opened: reviews that were opened, or may have been.
    :param reservations: by owner.
    :param made: reservations made so far.
    :param returned: reviews that turned out to have failed before anybody could answer, by who found out.
    """

    opened: int = 0
    reservations: Mapping[str, Reservation] = field(default_factory=dict)
    made: int = 0
    returned: Mapping[str, int] = field(default_factory=dict)

    def room(self, budget: int) -> int:
        """Give how many more may be reserved under a budget, which may have been changed in the course of the day."""
        used = max(0, self.opened - sum(self.returned.values()))
        return max(0, budget - used - sum(held.reviews for held in self.reservations.values()))

    def reserve(self, owner: str, wanted: int, budget: int) -> DayBudget:
        """Reserve up to so many, or go on with what the owner holds from a try that did not live to settle it."""
        if (held := self.reservations.get(owner)) is not None:
            return self._with(replace(held, is_resumed=True))
        granted = min(wanted, self.room(budget))
        if granted <= 0:
            return self
        return replace(self._with(Reservation(owner, self.made, granted)), made=self.made + 1)

    def settle(self, owner: str, opened: int) -> DayBudget:
        """End an owner's reservation and give back what was not used; a resumed one counts whole, to be on the safe
        side. Without a reservation nothing changes, so that it may be repeated.
        """
        held = self.reservations.get(owner)
        if held is None:
            return self
        others = {name: other for name, other in self.reservations.items() if name != owner}
        used = held.reviews if held.is_resumed else min(opened, held.reviews)
        return replace(self, opened=self.opened + used, reservations=others)

    def give_back(self, finder: str, reviews: int) -> DayBudget:
        """Give back what failed reviews took.

        :param finder: who found out; the same one's second report replaces its first, so that it may be repeated.
        """
        return replace(self, returned={**self.returned, finder: reviews})

    def _with(self, held: Reservation) -> DayBudget:
        return replace(self, reservations={**self.reservations, held.owner: held})
