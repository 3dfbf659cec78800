"""What the lines of the ledger come to in sums, which are added up over days: no line has to be read twice."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime
from typing import Any

from custom_labels.core.project_task import ProjectTask
from custom_labels.datasets.annotations.annotation import Box
from custom_labels.evaluation.box_matching import match
from custom_labels.review.agreement import disagreement, label_counts, units
from custom_labels.review.consensus import one_vote_each
from custom_labels.review.harvest import HarvestedReview, ReviewOutcome
from custom_labels.review.review import Agreement, AnyAnswer, BoxesAnswer, LabelsAnswer, Purpose, ReviewRequest

Counts = Mapping[str, int]

GOES_ON = {ReviewOutcome.ASKED_AGAIN, ReviewOutcome.TECHNICAL_FAILURE}
"""After these the image is asked about again, and the line of its last review has all answers."""


@dataclass(frozen=True)
class Tally:
    """Sums of some lines of the ledger.

    Answers are counted as they come, in each round those of the round. What people say together, which is all but
    ``answers``, ``waits`` and ``spent``, is counted once an image, when its last round is harvested.

    :param answers: by reviewer.
    :param waits: answers by the seconds from the review's opening to the answer, to two digits that count; ``spent`` by
        the seconds that a person spent, where the backend knows them.
    :param outcomes: images by what became of them.
    :param judged: answers by reviewer, about images that two or more people answered and agree on; ``against`` those of
        them that disagree with the consensus.
    :param several: images that two or more people answered.
    :param values: of these, what people gave, see :func:`custom_labels.review.agreement.units`, and ``disagreement``
        the sum that nominal alpha needs.
    :param offered: answers by label that could be given, ``chosen`` by label that was, ``disputed`` the disagreement.
    :param guesses: the model's guesses about doubtful images by label, and ``kept`` those that people agree with.
    :param guessed: doubtful images with a guess that people agree about, and ``unchanged`` those of them on which they
        agree with all of it.
    """

    answers: Counts = field(default_factory=dict)
    waits: Counts = field(default_factory=dict)
    spent: Counts = field(default_factory=dict)
    outcomes: Counts = field(default_factory=dict)
    judged: Counts = field(default_factory=dict)
    against: Counts = field(default_factory=dict)
    values: Counts = field(default_factory=dict)
    offered: Counts = field(default_factory=dict)
    chosen: Counts = field(default_factory=dict)
    disputed: Mapping[str, float] = field(default_factory=dict)
    guesses: Counts = field(default_factory=dict)
    kept: Counts = field(default_factory=dict)
    several: int = 0
    guessed: int = 0
    unchanged: int = 0
    disagreement: float = 0

    def __add__(self, other: Tally) -> Tally:
        """Add up two tallies of different lines."""
        return Tally(**{each.name: _sum(getattr(self, each.name), getattr(other, each.name)) for each in fields(self)})


def _sum(one: Any, other: Any) -> Any:
    return dict(Counter(one) + Counter(other)) if isinstance(one, Mapping) else one + other


class Tallier:
    """Counts line after line; memory grows with reviewers, labels and different answers, not with lines.

    :param least_overlap: intersection over union from which boxes are the same one.
    """

    def __init__(self, least_overlap: float) -> None:
        self.least_overlap = least_overlap
        self._counts: defaultdict[str, Counter[str]] = defaultdict(Counter)
        self._numbers: Counter[str] = Counter()
        self._offered: Counter[tuple[str, ...]] = Counter()
        self._disagreement = 0.0
        self._disputed: defaultdict[str, float] = defaultdict(float)

    def add(self, line: HarvestedReview) -> None:
        """Count a line."""
        self._count_answers(line)
        if line.review_outcome in GOES_ON:
            return
        self._counts["outcomes"][line.review_outcome.value] += 1
        if line.request is None:
            return
        if len({answer.reviewer for answer in line.answers}) > 1:
            self._count_agreement(line, line.request)
        if line.agreement in {Agreement.AGREED, Agreement.NONE_FITS} and line.request.purpose is Purpose.DOUBT:
            self._count_guesses(line, line.request)

    def tally(self) -> Tally:
        """Give the sums."""
        offered: Counter[str] = Counter()
        for labels, answers in self._offered.items():
            offered.update(dict.fromkeys(labels, answers))
        sums: dict[str, Any] = {name: dict(+counter) for name, counter in self._counts.items()}
        return Tally(
            **sums,
            several=self._numbers["several"],
            guessed=self._numbers["guessed"],
            unchanged=self._numbers["unchanged"],
            offered=dict(offered),
            disputed=dict(self._disputed),
            disagreement=self._disagreement,
        )

    def _count_answers(self, line: HarvestedReview) -> None:
        """Count this round's answers: those of earlier rounds were given before this review was opened."""
        opened = datetime.fromisoformat(line.asked_at).astimezone(UTC)
        for answer in line.answers:
            seconds = (datetime.fromisoformat(answer.submitted_at).astimezone(UTC) - opened).total_seconds()
            if seconds < 0:
                continue
            self._counts["answers"][answer.reviewer] += 1
            self._counts["waits"][two_digits(seconds)] += 1
            if answer.seconds is not None:
                self._counts["spent"][two_digits(answer.seconds)] += 1

    def _count_agreement(self, line: HarvestedReview, request: ReviewRequest) -> None:
        self._numbers["several"] += 1
        for unit in units(line.answers, self.least_overlap):
            values = Counter(json.dumps(choice, ensure_ascii=False) for choice in unit)
            self._counts["values"].update(values)
            self._disagreement += disagreement(values.values())
            self._offered[request.labels] += len(unit)
            for label, number in label_counts(unit).items():
                self._counts["chosen"][label] += number
                self._disputed[label] += disagreement((number, len(unit) - number))
        if line.agreement in {Agreement.AGREED, Agreement.NONE_FITS}:
            for answer in one_vote_each(line.answers):
                self._counts["judged"][answer.reviewer] += 1
                self._counts["against"][answer.reviewer] += not self._is_consensus(answer, line)

    def _is_consensus(self, answer: AnyAnswer, line: HarvestedReview) -> bool:
        """Whether a person gave what people agree on: the same label, the same set of labels, or the same boxes."""
        if isinstance(answer, BoxesAnswer):
            return all(self._match(answer.boxes, line).values())
        if isinstance(answer, LabelsAnswer):
            return answer.labels == (() if line.agreement is Agreement.NONE_FITS else line.labels)
        return answer.label == line.label

    def _count_guesses(self, line: HarvestedReview, request: ReviewRequest) -> None:
        if request.task is ProjectTask.OBJECT_DETECTION:
            found = self._match(request.boxes, line)
            guesses, is_kept = [box.label for box in request.boxes], [found[box] for box in request.boxes]
            is_unchanged = all(found.values())
        else:
            guesses = list(request.guesses) if request.task.has_several else [request.label] if request.label else []
            agreed = set(line.labels) if request.task.has_several else {line.label}
            is_kept, is_unchanged = [label in agreed for label in guesses], set(guesses) == agreed
        if not guesses:
            return
        self._numbers.update(guessed=1, unchanged=is_unchanged)
        self._counts["guesses"].update(guesses)
        self._counts["kept"].update(label for label, kept in zip(guesses, is_kept, strict=True) if kept)

    def _match(self, boxes: tuple[Box, ...], line: HarvestedReview) -> dict[Box, bool]:
        """Say of boxes, and of those that people agree on and nothing is on, whether both sides have them."""
        matching = match(line.boxes, boxes, self.least_overlap)
        taken = {box: True for _, box in matching.found if box is not None}
        return {**taken, **dict.fromkeys((*matching.missed, *matching.false_alarms), False)}


def two_digits(seconds: float) -> str:
    """Round to two digits that count, at most 5 percent off, so that few different numbers are kept; whole seconds."""
    whole = max(0, round(seconds))
    return str(round(whole, 2 - len(str(whole))))
