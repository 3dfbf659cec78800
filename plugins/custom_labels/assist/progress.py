"""What people made of the model's proposals in a round, and how much of their time that saved."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass, fields

from custom_labels.review.harvest import HarvestedReview
from custom_labels.review.review import Agreement
from custom_labels.review.statistics import median_of
from custom_labels.review.tally import GOES_ON, Tallier, Tally, two_digits


@dataclass(frozen=True)
class RoundProgress:
    """What people answered in a round; images are counted once all is known about them.

    :param asked: images that people are asked about, of which ``ended`` need no further answer.
    :param labelled: images with labels that a training may learn from.
    :param kept: images on which the proposal of the model was right as it was, ``corrected`` those with other labels,
        and ``unproposed`` those for which it had none.
    :param undecided: images that nobody answered, or on which people do not agree.
    :param proposals: labels, or boxes, that the model proposed, and ``confirmed`` those of them that people kept.
    :param seconds_kept: median of what a person spent on an image whose proposal was kept, and ``seconds_made`` on any
        other; ``None`` where the backend does not say.
    """

    asked: int = 0
    ended: int = 0
    labelled: int = 0
    kept: int = 0
    corrected: int = 0
    unproposed: int = 0
    undecided: int = 0
    proposals: int = 0
    confirmed: int = 0
    seconds_kept: float | None = None
    seconds_made: float | None = None

    @property
    def confirmed_share(self) -> float | None:
        """Share of the proposed labels, or boxes, that people only had to confirm; ``None`` without any."""
        return self.confirmed / self.proposals if self.proposals else None

    @property
    def minutes_saved(self) -> float | None:
        """Minutes of people's time that kept proposals saved; ``None`` where the backend gives no times.

        By the medians: what an image takes that people label or correct, less one that they only confirm.
        """
        if self.seconds_kept is None or self.seconds_made is None:
            return None
        return self.kept * (self.seconds_made - self.seconds_kept) / 60


def add_up(rounds: Collection[RoundProgress]) -> tuple[RoundProgress, float | None]:
    """Add up the rounds of a label assist; give the sums, and the minutes saved in those of which they are known."""
    numbers = [each.name for each in fields(RoundProgress) if not each.name.startswith("seconds")]
    sums = RoundProgress(**{name: sum(getattr(each, name) for each in rounds) for name in numbers})
    known = [saved for each in rounds if (saved := each.minutes_saved) is not None]
    return sums, sum(known) if known else None


def count_progress(asked: int, lines: Iterable[HarvestedReview], least_overlap: float) -> RoundProgress:
    """Count what people answered.

    :param asked: images that people are asked about.
    :param lines: the ledger's lines about them, those of earlier question rounds as well.
    :param least_overlap: intersection over union from which boxes of a person and of the model are the same one.
    """
    images: Counter[str] = Counter()
    seconds: dict[bool, Counter[str]] = {True: Counter(), False: Counter()}
    for line in lines:
        if line.review_outcome in GOES_ON:
            continue
        tallier = Tallier(least_overlap)
        tallier.add(line)
        tally = tallier.tally()
        images.update({"ended": 1, _verdict(line, tally): 1, "labelled": line.is_for_training})
        images.update(proposals=sum(tally.guesses.values()), confirmed=sum(tally.kept.values()))
        seconds[bool(tally.unchanged)].update(
            two_digits(each.seconds) for each in line.answers if each.seconds is not None
        )
    return RoundProgress(
        asked=asked, **images, seconds_kept=median_of(seconds[True]), seconds_made=median_of(seconds[False])
    )


def _verdict(line: HarvestedReview, tally: Tally) -> str:
    if line.agreement not in {Agreement.AGREED, Agreement.NONE_FITS}:
        return "undecided"
    if not tally.guessed:
        return "unproposed"
    return "kept" if tally.unchanged else "corrected"
