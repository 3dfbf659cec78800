"""How a harvest ended, in words, from what was found, harvested and opened."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from custom_labels.core.outcome import Outcome, RunOutcome
from custom_labels.review.harvest import ReviewOutcome
from custom_labels.review.harvest_work import FoundWork, HarvestResult
from custom_labels.review.opening import OpenedReviews


class NewImages(StrEnum):
    """Whether images came in that a training may learn from."""

    SOME = "new labelled images"
    NONE = "no new labelled image"


@dataclass(frozen=True)
class HarvestOutcome(RunOutcome):
    """How a harvest ended, and whether to look if there is enough to train on."""

    choice: NewImages = NewImages.NONE


@dataclass(frozen=True)
class HarvestSummary:
    """What a harvest has done.

    :param is_news: whether it was the first to find that reviews fail before anybody can answer them, or why.
    :param nobody: why nobody is asked, in words; empty if anybody is.
    """

    found: FoundWork
    done: HarvestResult
    opened: OpenedReviews
    is_news: bool = False
    nobody: str = ""

    @property
    def counts(self) -> Counter[str]:
        """What became of the reviews."""
        return Counter(self.done.counts)

    @property
    def failures(self) -> int:
        """How many reviews failed before anybody could answer."""
        return self.counts[ReviewOutcome.TECHNICAL_FAILURE] + self.counts[ReviewOutcome.GIVEN_UP]

    @property
    def outcome(self) -> Outcome:
        """Which of the ends it is."""
        if self.is_news:
            return Outcome.REVIEW_TROUBLE
        return Outcome.HARVESTED if self.counts["reviews"] > self.failures else Outcome.NOTHING_TO_HARVEST

    @property
    def detail(self) -> str:
        """Why, in a sentence."""
        others = self.counts["reviews"] - self.failures
        images = _number(self.counts["labelled"], "labelled image")
        if self.outcome is Outcome.REVIEW_TROUBLE:
            said = f"{_number(self.failures, 'review')} failed before anybody could answer: "
            said += "; ".join(self.done.reasons)
            said += f"; {images} from {_number(others, 'other review')}" if others else ""
        elif self.outcome is Outcome.HARVESTED:
            said = f"{images} from {_number(self.counts['reviews'], 'review')}"
        elif self.done.reasons:
            said = f"reviews still fail before anybody can answer them: {self.done.reasons[0]}"
        else:
            said = self.nobody or "no review has ended that was not harvested"
        return said + self._to_look_at()

    def _to_look_at(self) -> str:
        """Word what people should look at, for the end of a sentence; empty where there is nothing."""
        number = self.found.unknown
        unknown = f"; {_number(number, 'review')} in a state that is not known" if number else ""
        not_opened = "; not all reviews that wait could be opened" if self.opened.trouble else ""
        return unknown + not_opened + self.opened.dropped

    def facts(self, variable: Callable[[str], str]) -> dict[str, Any]:
        """Name what a person wants to know; what did not occur is left out.

        :param variable: gives the name of a setting's Variable.
        """
        counts, opened = self.counts, self.opened
        said = {
            "Failed before anybody could answer, asked again": counts["technical_failure"],
            "Given up, failed too often": counts["given_up"],
            "Failed because": "; ".join(self.done.reasons),
            "None of the labels fits": counts["copied"] - counts["labelled"],
            "Asked one more person": counts["asked_again"],
            "Undecided after all rounds": counts["undecided"],
            "Audits, not for training": counts["recorded"],
            "Image replaced since": counts["replaced"],
            "Image deleted since": counts["gone"],
            "Label that can be no folder": counts["no_folder"],
            "Question not known": counts["lost"],
            **{f"Reviews {status}": counts[status] for status in ("expired", "stopped")},
            "Messages about no review": self.found.foreign,
            "Reviews in a state not known": self.found.unknown,
            "Such as": "; ".join(self.found.examples),
            "Trouble while opening": opened.trouble,
        }
        return {
            **{name: value for name, value in said.items() if value},
            "Reviews opened": opened.opened,
            "Waiting to be opened": opened.waiting,
            **opened.dropped_facts(variable),
        }


def _number(number: int, name: str) -> str:
    return f"{number} {name}" if number == 1 else f"{number} {name}s"
