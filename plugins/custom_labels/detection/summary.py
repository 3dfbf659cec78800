"""How a detection run ended, in words, from what was collected, detected and opened."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from custom_labels.core.outcome import Outcome, RunOutcome
from custom_labels.detection.events import PassedOver
from custom_labels.detection.work import LEFT, BatchResult, Collected, NextStep
from custom_labels.review.opening import OpenedReviews

EXAMPLES = 5


class Rest(StrEnum):
    """Whether one more run is needed."""

    SOME = "images are left"
    NONE = "no image is left"


@dataclass(frozen=True)
class DetectionOutcome(RunOutcome):
    """How a detection run ended, and whether there are more images than it took."""

    choice: Rest = Rest.NONE


@dataclass(frozen=True)
class Summary:
    """What became of all images of a run.

    :param counts: images by what became of them.
    :param examples: what went wrong, in AWS's words; the first few.
    :param calls_a_second: of DetectCustomLabels, of all tasks together.
    """

    collected: Collected
    counts: Counter[str]
    examples: tuple[str, ...]
    calls_a_second: float
    opened: OpenedReviews

    @classmethod
    def of(cls, collected: Collected, results: Sequence[BatchResult], opened: OpenedReviews) -> Summary:
        """Add up what became of the batches.

        :param results: of an earlier try of the run, perhaps, which counts only where there was something to detect.
        """
        done = () if collected.choice is NextStep.FINISH else results
        counts: Counter[str] = Counter(dead_lettered=collected.dead_lettered)
        for each in done:
            counts.update(each.counts)
        examples = [*collected.examples, *(example for each in done for example in each.examples)]
        workers = max((batch.workers for batch in collected.batches), default=1)
        seconds = sum(each.seconds for each in done) / workers
        pace = round(sum(each.calls for each in done) / seconds, 1) if seconds else 0
        return cls(collected, counts, tuple(examples[:EXAMPLES]), pace, opened)

    @property
    def outcome(self) -> Outcome:
        """Which of the ends it is."""
        if self.counts["failed"] or self.counts["unreadable"] or self.collected.garbage:
            return Outcome.DETECTION_TROUBLE
        return Outcome.DETECTED if self.collected.images else Outcome.NOTHING_TO_DETECT

    @property
    def detail(self) -> str:
        """Why, in a sentence."""
        misspelt = f"; {self.collected.misspelt}" if self.collected.misspelt else ""
        rest = misspelt + self.opened.dropped
        words = f"{self.counts['accepted']} of {self.collected.images} accepted, {self.counts['review']} to people"
        if self.outcome is Outcome.DETECTED:
            return words + rest
        if self.outcome is Outcome.DETECTION_TROUBLE:
            return f"{' and '.join(self._troubles())}; {words}{rest}"
        other = self.collected.reasons.get(PassedOver.NOT_AN_IMAGE.value, 0)
        others = f"; {other} files in the inbox are of another kind by their names" if other else ""
        return f"every image has its result{others}{rest}"

    def _troubles(self) -> list[str]:
        found = {
            "images failed": self.counts["failed"],
            "images cannot be read": self.counts["unreadable"],
            "messages are no events of this project's inbox": self.collected.garbage,
        }
        return [f"{number} {words}" for words, number in found.items() if number]

    def facts(self, variable: Callable[[str], str]) -> dict[str, Any]:
        """Name what a person wants to know; what did not occur is left out.

        :param variable: gives the name of a setting's Variable.
        """
        counts, opened = self.counts, self.opened
        facts = {
            "Images": self.collected.images,
            "Accepted": counts["accepted"],
            "To people": counts["review"],
            "Doubtful, not reviewed": counts["not_reviewed"],
            "Unreadable": counts["unreadable"],
            "Gone meanwhile": counts["gone"],
            "Had a result already": counts["repeated"],
            "Failed": counts["failed"],
            "Dead-lettered": counts["dead_lettered"],
            "Left until the version runs again": counts[LEFT],
            "Reviews opened": opened.opened,
            "Waiting for budget": opened.waiting,
            "Reviews in trouble": opened.trouble,
            "Calls a second": self.calls_a_second,
            "Left for the next run": "yes" if self.collected.left else 0,
            **opened.dropped_facts(variable),
            **self.collected.reasons,
        }
        if self.outcome is Outcome.DETECTION_TROUBLE:
            facts |= {f"Example {number}": text for number, text in enumerate(self.examples, start=1)}
        return {name: value for name, value in facts.items() if value}
