"""The page that shows reviews as numbers: one file of HTML without scripts, which needs nothing from elsewhere."""

from __future__ import annotations

from pathlib import Path

from custom_labels.evaluation.templates import render
from custom_labels.review.statistics import WINDOW_DAYS, ReviewStatistics, duration

_OUTCOMES = {
    "copied": "filed for training",
    "recorded": "sampled, not for training",
    "undecided": "undecided after all rounds",
    "replaced": "replaced since",
    "gone": "deleted since",
    "no_folder": "a label that can be no folder",
    "not_usable": "what Custom Labels does not take",
    "given_up": "given up, reviews failed too often",
    "lost": "question not known",
}


def statistics_page(project: str, statistics: ReviewStatistics) -> str:
    """Write the page.

    Labels and ids of reviewers come from a bucket that others write to; they are text here, whatever they hold.
    """
    numbers = statistics.numbers
    return render(
        "statistics.html.j2",
        Path(__file__).parent,
        project=project,
        backlog=statistics.backlog,
        numbers=numbers,
        window=WINDOW_DAYS,
        duration=duration,
        outcomes=[(_OUTCOMES.get(name, name), images) for name, images in numbers.images.items()],
        most_in_a_day=max(numbers.days.values(), default=0) or 1,
        most_of_a_reviewer=max((each.answers for each in numbers.reviewers), default=0) or 1,
    )
