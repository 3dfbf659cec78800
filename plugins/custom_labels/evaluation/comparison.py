"""The champion and the challenger on the same images: which ones, what each predicted, and where they differ."""

from __future__ import annotations

import hashlib
import heapq
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from custom_labels.core.gate import NAMES, Comparison, Metric, Scores
from custom_labels.evaluation.answers import Answer, Cell, PrecisionRecall, Tally, stratum
from custom_labels.evaluation.verdicts import Flip, VerdictChange

A = TypeVar("A", bound=Answer)

# -- which images ----------------------------------------------------------------------------------


def quotas(counts: Mapping[str, int], limit: int) -> dict[str, int]:
    """Share a number of images among the labels: as many as there are of each, and one of each while there is room.

    :param counts: images of each label.
    :param limit: images in all, at most.
    """
    total = sum(counts.values())
    if total <= limit:
        return dict(counts)
    shares = {label: max(1, count * limit // total) for label, count in counts.items()}
    while (spare := limit - sum(shares.values())) != 0:
        if spare < 0:
            label = max(shares, key=lambda each: (shares[each], each))
        else:
            label = max(shares, key=lambda each: (counts[each] * limit / total - shares[each], each))
        shares[label] += 1 if spare > 0 else -1
    return shares


def place_in_sample(image: str) -> int:
    """Give the place of an image in the order in which samples are taken: its URI's hash, which never changes."""
    return int.from_bytes(hashlib.sha256(image.encode()).digest())


def take_sample(answers: Iterable[A], limit: int) -> list[A]:
    """Take a sample of answers, shared among the labels by :func:`quotas`; the same ones at every try.

    :param answers: gone through twice, since it may be a file: no more of them are held than are taken.
    :param limit: images at most.
    :return: sorted by image.
    """
    shares = quotas(Counter(map(stratum, answers)), limit)
    taken: dict[str, list[tuple[int, int, A]]] = {label: [] for label in shares}
    for number, answer in enumerate(answers):
        label = stratum(answer)
        heap, entry = taken[label], (-place_in_sample(answer.image), number, answer)
        if len(heap) < shares[label]:
            heapq.heappush(heap, entry)
        elif heap:
            heapq.heappushpop(heap, entry)
    return sorted((answer for heap in taken.values() for *_, answer in heap), key=lambda answer: answer.image)


def images_digest(images: Iterable[tuple[str, str]]) -> str:
    """Give the digest of a set of images: SHA-256, hex, over ``URI TAB etag NEWLINE`` in the order of the URIs.

    :param images: pairs of ``s3://`` URI and ETag, without quotes.
    """
    whole = hashlib.sha256()
    for image, etag in sorted(images):
        whole.update(f"{image}\t{etag}\n".encode())
    return whole.hexdigest()


# -- where they differ -----------------------------------------------------------------------------


def find_flips(pairs: Iterable[tuple[A, A]]) -> tuple[Flip, ...]:
    """Find the images on which two versions differ, regressions first, then by image.

    Of images with the same change those with more boxes that got worse come first.

    :param pairs: the champion's and the challenger's answer to the same image.
    """
    flips = [flip for flip in (champion.flip_to(challenger) for champion, challenger in pairs) if flip]
    order = list(VerdictChange)
    return tuple(sorted(flips, key=lambda flip: (order.index(flip.change), -flip.of_boxes(order[0]), flip.image)))


# -- the result ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class SameImages:
    """Two versions on the same images.

    :param test_images: images of the challenger's test set, of which ``images`` were put to the champion and answered.
    :param digest: of those, see :func:`images_digest`.
    :param left_out: how many of the chosen ones were left out, by reason; neither version is judged by them.
    :param champion_curves: precision and recall by label, from the surest predictions to the assumed threshold.
    """

    test_images: int
    images: int
    digest: str
    left_out: Mapping[str, int]
    champion: Scores
    challenger: Scores
    champion_confusion: tuple[Cell, ...]
    challenger_confusion: tuple[Cell, ...]
    flips: tuple[Flip, ...]
    champion_curves: Mapping[str, tuple[PrecisionRecall, ...]] = field(default_factory=dict)
    challenger_curves: Mapping[str, tuple[PrecisionRecall, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class OwnAnswers:
    """A version on all images that Custom Labels evaluated it on."""

    images: int
    confusion: tuple[Cell, ...]
    curves: Mapping[str, tuple[PrecisionRecall, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class Compared:
    """What came of comparing a version with the champion, as it is kept for the judgement.

    :param own: the version's own answers, where Custom Labels left them.
    :param same_images: both versions on the same images, where that could be had.
    :param why_not: why it could not.
    """

    own: OwnAnswers | None = None
    same_images: SameImages | None = None
    why_not: str | None = None


def compare(
    pairs: Sequence[tuple[A, A]],
    known: Collection[str],
    *,
    test_images: int,
    digest: str,
    left_out: Mapping[str, int],
) -> SameImages:
    """Score two versions by their answers to the same images.

    :param pairs: the champion's and the challenger's answer to each image.
    :param known: the labels that the champion was trained on.
    """
    champion, challenger = Tally(first for first, _ in pairs), Tally(second for _, second in pairs)
    return SameImages(
        test_images=test_images,
        images=len(pairs),
        digest=digest,
        left_out=dict(sorted(left_out.items())),
        champion=champion.scores(known),
        challenger=challenger.scores(),
        champion_confusion=champion.confusion(),
        challenger_confusion=challenger.confusion(),
        flips=find_flips(pairs),
        champion_curves=champion.curves(),
        challenger_curves=challenger.curves(),
    )


def headline_words(metric: Metric, comparison: Comparison, images: int) -> str:
    """Word both versions' values of the headline metric, and what they were measured on.

    :param images: number of images that both were measured on, if they were.
    """
    name = NAMES[metric]
    evaluated = comparison.evaluated.overall.value(metric)
    if comparison.champion is None:
        return f"{name} {evaluated:.3f}"
    champion = comparison.champion.overall.value(metric)
    if comparison.challenger is None:
        return f"{name} {evaluated:.3f}, the champion {champion:.3f}, each on its own test images"
    challenger = comparison.challenger.overall.value(metric)
    return f"{name} {challenger:.3f}, the champion {champion:.3f}, both on the same {images} test images"
