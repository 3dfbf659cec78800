"""How far people agree beyond chance: Krippendorff's alpha of what they chose, over all labels and by label.

Nominal alpha needs no answers, but four sums, which add up over days: so no answer has to be read twice. The package
on PyPI that computes it is under the GPL.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

from custom_labels.review.consensus import find_places, one_vote_each
from custom_labels.review.review import AnyAnswer, BoxesAnswer, LabelsAnswer, ReviewAnswer

Choice = tuple[str, ...]
"""The labels that a person chose, sorted; none of them for none of the above, or for nothing."""
Unit = Sequence[Choice]
"""What each of several people chose about the same thing."""


def nominal_alpha(values: Mapping[str, int], disagreement: float) -> float | None:
    """Give Krippendorff's alpha for nominal data: 1 where all agree, 0 where they agree as by chance.

    See Krippendorff, "Computing Krippendorff's Alpha-Reliability" (2011), section C.

    :param values: how often each value was given, in units that two or more people judged.
    :param disagreement: the sum of :func:`disagreement` over these units.
    :return: ``None`` where all values are the same one, or there are none: then chance cannot be told from agreement.
    """
    total = sum(values.values())
    by_chance = total * total - sum(number * number for number in values.values())
    return 1 - (total - 1) * disagreement / by_chance if by_chance else None


def disagreement(counts: Iterable[int]) -> float:
    """Give the disagreement within one unit: ordered pairs of people with different values, divided by people less one.

    :param counts: how many people gave each value; two people at least.
    """
    numbers = list(counts)
    people = sum(numbers)
    return (people * people - sum(number * number for number in numbers)) / (people - 1)


def units(answers: Iterable[AnyAnswer], least_overlap: float) -> Iterator[Unit]:
    """Give what people judged about an image, each person by the earliest answer.

    That is the image itself, by the set of labels that a person gave it. Of boxes it is each place at which somebody
    drew one, by the label there or none; or the image, where all say that nothing is there.

    :param answers: about one image.
    :param least_overlap: intersection over union from which boxes of two people are at one place.
    """
    counted = one_vote_each(answers)
    drawn = [each for each in counted if isinstance(each, BoxesAnswer)]
    chosen = [_choice(each) for each in counted if not isinstance(each, BoxesAnswer)]
    if chosen:
        yield chosen
    if len({answer.size for answer in drawn}) > 1:
        return
    places = [dict(place) for place in find_places(drawn, least_overlap)]
    people = [answer.reviewer for answer in drawn]
    yield from ([(place[each].label,) if each in place else () for each in people] for place in places)
    if drawn and not places:
        yield [()] * len(drawn)


def _choice(answer: ReviewAnswer | LabelsAnswer) -> Choice:
    if isinstance(answer, LabelsAnswer):
        return answer.labels
    return () if answer.label is None else (answer.label,)


def label_counts(unit: Unit) -> Counter[str]:
    """Count how many people chose each label."""
    return Counter(label for choice in unit for label in choice)
