"""What became of the reviews that wait to be opened."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class OpenedReviews:
    """What was opened.

    :param opened: reviews that are new.
    :param known: reviews that had been opened before.
    :param waiting: requests that still wait.
    :param trouble: why some were not opened, empty where all were or the budget is used up.
    :param too_old: requests that were dropped, since they had waited too long; ``too_many`` likewise, being beyond the
        largest number.
    """

    opened: int = 0
    known: int = 0
    waiting: int = 0
    trouble: str = ""
    too_old: int = 0
    too_many: int = 0

    @property
    def dropped(self) -> str:
        """What was dropped, in words for the end of a sentence; empty where nothing was."""
        old, many = self.too_old, self.too_many
        why = [f"{old} had waited too long"] * bool(old) + [f"{many} were too many"] * bool(many)
        return f"; {old + many} waiting reviews were dropped: {' and '.join(why)}" if why else ""

    def dropped_facts(self, variable: Callable[[str], str]) -> dict[str, int | str]:
        """Name what was dropped and the settings that decide it, for an outcome; empty where nothing was.

        :param variable: gives the name of a setting's Variable.
        """
        facts: dict[str, int | str] = {
            "Reviews dropped, waited too long": self.too_old,
            "Reviews dropped, too many waited": self.too_many,
        }
        found = {name: value for name, value in facts.items() if value}
        names = ("daily_review_budget", "review_waiting_days", "maximum_waiting_reviews")
        return {**found, "Settings of what is dropped": ", ".join(map(variable, names))} if found else {}
