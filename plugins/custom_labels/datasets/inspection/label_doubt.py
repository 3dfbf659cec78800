"""Which labels contradict a model that was trained without their images: confident learning.

Northcutt, Jiang, Chuang, "Confident Learning: Estimating Uncertainty in Dataset Labels" (2021): a label is doubtful
where another one is at least as probable as it is, on average, for the images that have it. So a label that the model
never is sure of is not held against images that are like the others of it.

The model is a linear discriminant on the features of pictures, trained five times on four fifths of the groups of near
duplicates and asked about the last one. It is simple: of photos that differ in detail only it knows little, and a label
of which it recognizes less than half is not looked at.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

MINIMUM_EXAMPLES = 10
"""Images or boxes that a label needs to be looked at."""
MINIMUM_RECOGNIZED = 0.5
"""Share of a label's images that the model must recognize; of several labels the mean of those with and without it."""
MINIMUM_BALANCED = 0.7
FOLDS = 5
MOST_TRAINED = 10_000
"""Images that one model is trained on at most, the same number of each label as far as there are so many."""
MOST_TRAINED_FOR_ONE = 4_000
"""Likewise, where each label has a model of its own."""
_LEAST_OF_A_LABEL = 40
_SHRINKAGE = 0.1
_BLOCK = 4_096
FEW = f"fewer than {MINIMUM_EXAMPLES} images or boxes"
ALONE = "there is no other label to compare with"
DUPLICATES = "its images are too few once near duplicates count as one"
UNRECOGNIZED = "the model recognizes too few of them to be believed"


@dataclass(frozen=True)
class LabelDoubt:
    """What the model believes of one label of one picture.

    :param picture: number of the picture, and ``label`` that of the label.
    :param believed: number of the label that is more probable; ``None`` where the label itself is (not) believed in.
    :param has_label: whether the picture has the label; if not, it seems to be missing.
    """

    picture: int
    label: int
    believed: int | None
    probability: float
    believed_probability: float
    has_label: bool = True


@dataclass(frozen=True)
class Doubts:
    """The worst doubts, and for each label their number, the share that is recognized, or why it was not looked at."""

    worst: tuple[LabelDoubt, ...]
    counts: Sequence[int]
    recognized: Sequence[float | None]
    why_not: Sequence[str]


class _Found:
    """Takes doubts, counts all of them by label, and keeps the worst."""

    def __init__(self, labels: int, most: int) -> None:
        self.counts, self.most = [0] * labels, most
        self.worst: tuple[LabelDoubt, ...] = ()

    def add(self, doubts: Iterable[LabelDoubt]) -> None:
        found = list(doubts)
        for each in found:
            self.counts[each.label] += 1
        order = sorted((*self.worst, *found), key=lambda each: (each.probability, each.picture, each.label))
        self.worst = tuple(order[: self.most])


def doubt_one_label(features: Any, labels: Any, folds: Any, names: int, folder: Path, most: int) -> Doubts:
    """Find doubtful labels where each picture has one.

    :param features: array of n rows of bytes, which may lie in a file.
    :param labels: array of n numbers of labels, from 0 up to ``names``.
    :param folds: array of n numbers from 0 to 4: pictures of one group have the same.
    :param folder: takes a file of n probabilities a label, so that memory does not grow with them.
    :param most: doubts that are given, the worst.
    """
    import numpy as np

    why_not = _why_not(np.bincount(labels, minlength=names), [folds[labels == label] for label in range(names)])
    asked = np.array([number for number, why in enumerate(why_not) if not why], dtype=np.int64)
    if len(asked) < 2:
        alone = [why or ALONE for why in why_not]
        return Doubts((), [0] * names, [None] * names, alone)
    chosen = np.flatnonzero(np.isin(labels, asked))
    codes = np.searchsorted(asked, labels[chosen])
    believed = np.memmap(folder / "probabilities", np.float32, "w+", shape=(len(chosen), len(asked)))
    for fold in range(FOLDS):
        trained = _share(np.flatnonzero(folds[chosen] != fold), codes, len(asked), MOST_TRAINED)
        told = np.flatnonzero(folds[chosen] == fold)
        model = _model().fit(_scaled(features, chosen[trained]), codes[trained])
        for block in _blocks(told):
            believed[block] = model.predict_proba(_scaled(features, chosen[block]))
    counts = np.bincount(codes, minlength=len(asked))
    sums, right = np.zeros(len(asked)), np.zeros(len(asked))
    for block in _blocks(np.arange(len(chosen))):
        rows, own = believed[block], codes[block]
        np.add.at(sums, own, rows[np.arange(len(own)), own])
        np.add.at(right, own, rows.argmax(axis=1) == own)
    recognized, thresholds = right / counts, sums / counts
    good = recognized >= MINIMUM_RECOGNIZED
    found = _Found(names, most)
    for block in _blocks(np.arange(len(chosen))):
        rows = np.asarray(believed[block])
        found.add(_contradicted(rows, chosen[block], codes[block], thresholds, good, asked))
    shares: list[float | None] = [None] * names
    for number, share in zip(asked, recognized, strict=True):
        shares[number] = float(share)
        why_not[number] = "" if share >= MINIMUM_RECOGNIZED else UNRECOGNIZED
    return Doubts(found.worst, found.counts, shares, why_not)


def doubt_several_labels(features: Any, has: Any, folds: Any, most: int) -> Doubts:
    """Find labels that are wrong or missing, each by itself, where a picture may have several.

    :param features: array of n rows of bytes; ``folds`` as in :func:`doubt_one_label`.
    :param has: truth values, n rows with one a label.
    """
    import numpy as np

    found = _Found(has.shape[1], most)
    shares: list[float | None] = []
    why_not: list[str] = []
    for label in range(has.shape[1]):
        with_it = np.asarray(has[:, label], dtype=bool)
        # A label that everything has, or nothing, is no question.
        sides = np.array([with_it.sum(), (~with_it).sum()])
        why = next(iter(filter(None, _why_not(sides, [folds[with_it], folds[~with_it]]))), "")
        share: float | None = None
        if not why:
            believed = _believed(features, with_it, folds)
            share = float((np.mean(believed[with_it] >= 0.5) + np.mean(believed[~with_it] < 0.5)) / 2)
            if share < MINIMUM_BALANCED:
                why = UNRECOGNIZED
            else:
                found.add(_wrong_or_missing(believed, with_it, label))
        shares.append(share)
        why_not.append(why)
    return Doubts(found.worst, found.counts, shares, why_not)


def _why_not(counts: Any, folds: Sequence[Any]) -> list[str]:
    """Say of each label why no model could be trained for it; there must be some of it in two folds at least."""
    import numpy as np

    return [
        FEW if count < MINIMUM_EXAMPLES else DUPLICATES if len(np.unique(own)) < 2 else ""
        for count, own in zip(counts, folds, strict=True)
    ]


def _believed(features: Any, with_it: Any, folds: Any) -> Any:
    """Give the probability of a label for each picture, of a model that was not trained on it."""
    import numpy as np

    believed = np.zeros(len(with_it), np.float32)
    for fold in range(FOLDS):
        trained = _share(np.flatnonzero(folds != fold), with_it.astype(np.int64), 2, MOST_TRAINED_FOR_ONE)
        model = _model().fit(_scaled(features, trained), with_it[trained])
        for block in _blocks(np.flatnonzero(folds == fold)):
            believed[block] = model.predict_proba(_scaled(features, block))[:, 1]
    return believed


def _model() -> Any:
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

    return LinearDiscriminantAnalysis(solver="lsqr", shrinkage=_SHRINKAGE)


def _scaled(features: Any, numbers: Any) -> Any:
    import numpy as np

    return features[numbers].astype(np.float32) / 255


def _blocks(numbers: Any) -> list[Any]:
    return [numbers[start : start + _BLOCK] for start in range(0, len(numbers), _BLOCK)]


def _share(numbers: Any, codes: Any, labels: int, most: int) -> Any:
    """Choose pictures to train on: of each label the first ones, which are any, since they are ordered by a hash."""
    import numpy as np

    room = max(_LEAST_OF_A_LABEL, most // labels)
    return np.concatenate([numbers[codes[numbers] == label][:room] for label in range(labels)])


def _contradicted(rows: Any, pictures: Any, codes: Any, thresholds: Any, good: Any, asked: Any) -> list[LabelDoubt]:
    """Find the pictures for which another label is believed in as for its own pictures, and more than theirs."""
    import numpy as np

    own = rows[np.arange(len(codes)), codes]
    candidates = np.where((rows >= thresholds) & good, rows, -1)
    best = candidates.argmax(axis=1)
    highest = candidates[np.arange(len(codes)), best]
    doubtful = np.flatnonzero((best != codes) & (highest > own) & good[codes])
    return [
        LabelDoubt(
            int(pictures[each]), int(asked[codes[each]]), int(asked[best[each]]), float(own[each]), float(highest[each])
        )
        for each in doubtful
    ]


def _wrong_or_missing(believed: Any, with_it: Any, label: int) -> list[LabelDoubt]:
    import numpy as np

    present, absent = believed[with_it].mean(), 1 - believed[~with_it].mean()
    wrong = with_it & (1 - believed >= max(absent, 0.5))
    missing = ~with_it & (believed >= max(present, 0.5))
    return [
        LabelDoubt(int(each), label, None, float(1 - sure), float(sure), has_label=bool(with_it[each]))
        for each in np.flatnonzero(wrong | missing)
        for sure in [believed[each] if missing[each] else 1 - believed[each]]
    ]
