"""Fit an object detector with scikit-learn; runs in a worker process and is the same for the same seed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

import joblib
import numpy as np
from numpy.typing import NDArray
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression, Ridge

from include.local_aws.boxes import Floats as Doubles
from include.local_aws.boxes import overlaps
from include.local_aws.training.cells import Picture
from include.local_aws.training.classifier import Projection
from include.local_aws.training.crops import SIDE, describe, look, moved, shifts_to
from include.local_aws.training.detector import PROPOSALS, Detector, Judge, log_odds, pick
from include.local_aws.training.features import Dictionary, Floats
from include.local_aws.training.fitting import learn_dictionary
from include.local_aws.training.samples import Sample, Samples
from include.local_aws.training.variants import varied
from include.local_aws.training.window_fitting import choose_scales, fit_proposer
from include.local_aws.training.windows import Level, Proposer, make_levels

_MOST_IMAGES = 300
_RARE = 5
"""A label with at most so many images has all of them trained on."""
_MOST_LEVELS = 80
"""The images whose cells are kept in memory, about a megabyte each."""
_DICTIONARY_CROPS = 400
_OBJECT = 0.55
_BACKGROUND = 0.4
_COMPONENTS = 256
_PROJECTED = 1500
_FOLDS = 5
_STRENGTH = 0.02
_STIFFNESS = 30.0
_RIGHT = 0.5


Look = tuple[Floats, Doubles, NDArray[np.intp], Doubles, NDArray[np.bool_]]
"""What was looked at in one image, as in Looks but without the image."""


@dataclass(frozen=True)
class Looks:
    """What was looked at in all images: rows of features with the image (n,) and box (n, 4) of each.

    `labels` (n,): 0 for none, -1 for neither one nor the other, else 1 + the label's number; `goals` (n, 4): the
    object's own box. `proposed` (n,): whether a trained detector would have looked there.
    """

    features: Floats
    images: NDArray[np.intp]
    boxes: Doubles
    labels: NDArray[np.intp]
    goals: Doubles
    proposed: NDArray[np.bool_]


def fit_detector(samples: Samples, labels: tuple[str, ...], seed: int) -> Detector:
    """Fit a detector for labels, each of which some box has."""
    random = np.random.default_rng(seed)
    samples.keep(_chosen([samples.labels_of(number) for number in range(len(samples))], random))
    scales = choose_scales(samples.boxes)
    levels = [make_levels(samples[number].picture, *scales) for number in range(min(_MOST_LEVELS, len(samples)))]
    proposer = fit_proposer(samples, levels, scales, seed)
    dictionary = learn_dictionary(_dictionary_crops(samples, random), seed)
    looks = _look_around(samples, levels, proposer, dictionary, random)
    projection = _project(looks.features[looks.labels >= 0], seed)
    points = projection.apply(looks.features)
    judge = _fit_judge(dictionary, projection, points, looks, len(labels))
    detector = Detector(labels, proposer, judge)
    return _calibrated(detector, samples, points, looks)


def remembered_detector(folder: str, samples: Samples, labels: tuple[str, ...], seed: int) -> Detector:
    """Fit a detector, or read it from a folder where the same one was fitted before; several processes may share it."""
    remembering = joblib.Memory(folder, verbose=0).cache(_fit_by_digest, ignore=["samples"])
    detector: Detector = remembering(samples, samples.digest, labels, seed)
    return detector


def _fit_by_digest(samples: Samples, _digest: str, labels: tuple[str, ...], seed: int) -> Detector:
    return fit_detector(samples, labels, seed)


def _chosen(labels: Sequence[NDArray[np.intp]], random: np.random.Generator) -> list[int]:
    """Return at most so many images as are trained on, in any order; a label with few images has all of them in it."""
    order = [int(number) for number in random.permutation(len(labels))]
    seen: Counter[int] = Counter()
    rare: list[int] = []
    others: list[int] = []
    for number in order:
        found = set(labels[number].tolist())
        (rare if any(seen[label] < _RARE for label in found) else others).append(number)
        seen.update(found)
    return [*rare, *others[: max(0, _MOST_IMAGES - len(rare))]]


def _dictionary_crops(samples: Samples, random: np.random.Generator) -> list[Picture]:
    crops = []
    each = max(2, _DICTIONARY_CROPS // (2 * len(samples)))
    for sample in samples:
        for box in sample.boxes[:each]:
            crops.append(look(sample.picture, box))
            corner = random.uniform(0, 1, 2) * np.maximum(np.array(sample.picture.size) - box[2:], 1)
            crops.append(look(sample.picture, np.concatenate([corner, box[2:]])))
    return crops


def _look_around(
    samples: Samples,
    levels: Sequence[list[Level]],
    proposer: Proposer,
    dictionary: Dictionary,
    random: np.random.Generator,
) -> Looks:
    copies = int(np.clip(600 // len(samples.boxes), 2, 12))
    parts = []
    for number, sample in enumerate(samples):
        known = levels[number] if number < len(levels) else proposer.levels(sample.picture)
        found, _ = proposer.propose(known, PROPOSALS)
        parts.append(_look_at(sample, found, dictionary, copies, random))
    parts.append(_blank(dictionary))
    images = np.concatenate([np.full(len(part[0]), number) for number, part in enumerate(parts)])
    features, boxes, labels, goals, proposed = (np.concatenate(column) for column in zip(*parts, strict=True))
    return Looks(features, images, boxes, labels, goals, proposed)


def _blank(dictionary: Dictionary) -> Look:
    """Return a look at nothing: where objects fill every image, none is there that shows no object."""
    nothing = describe(dictionary, [np.full((SIDE, SIDE, 3), 128, np.uint8)])
    frame = np.array([[0.0, 0.0, SIDE, SIDE]])
    return nothing, frame, np.zeros(1, np.intp), frame, np.zeros(1, bool)


def _look_at(sample: Sample, found: Doubles, dictionary: Dictionary, copies: int, random: np.random.Generator) -> Look:
    shared = overlaps(found, sample.boxes)
    nearest = shared.argmax(axis=1)
    labels = np.where(shared.max(axis=1) >= _OBJECT, 1 + sample.labels[nearest], -1)
    labels[shared.max(axis=1) < _BACKGROUND] = 0
    crops = [look(sample.picture, box) for box in found]
    boxes, goals, more = [found], [sample.boxes[nearest]], []
    for box, label in zip(sample.boxes, sample.labels, strict=True):
        for picture, place in varied(sample.picture, box, copies, random):
            crops.append(look(picture, place))
            boxes.append(place[None] if picture is sample.picture else box[None])
            goals.append(box[None])
            more.append(1 + label)
    extra = len(more)
    return (
        describe(dictionary, crops),
        np.concatenate(boxes),
        np.concatenate([labels, np.array(more, dtype=labels.dtype)]),
        np.concatenate(goals),
        np.concatenate([np.ones(len(found), bool), np.zeros(extra, bool)]),
    )


def _project(features: Floats, seed: int) -> Projection:
    mean = features.mean(axis=0, dtype=np.float64)
    scale = features.std(axis=0, dtype=np.float64) + 1e-3
    count = max(1, min(_COMPONENTS, _PROJECTED, len(features) - 1))
    some = np.random.default_rng(seed).permutation(len(features))[:_PROJECTED]
    pca = PCA(count, svd_solver="randomized", iterated_power=2, random_state=seed).fit((features[some] - mean) / scale)
    return Projection(mean, scale, pca.mean_, pca.components_)


def _fit_judge(
    dictionary: Dictionary, projection: Projection, points: Doubles, looks: Looks, label_count: int
) -> Judge:
    weights, offsets = _fit_chances(points, looks.labels, label_count)
    moving = looks.labels > 0
    shifts = Ridge(_STIFFNESS).fit(points[moving], shifts_to(looks.boxes[moving], looks.goals[moving]))
    return Judge(dictionary, projection, weights, offsets, shifts.coef_.T, shifts.intercept_)


def _fit_chances(points: Doubles, labels: NDArray[np.intp], label_count: int) -> tuple[Doubles, Doubles]:
    """Return weights (components, 1 + labels) and offsets; a label without a point is never likely."""
    known = labels >= 0
    model = LogisticRegression(C=_STRENGTH, max_iter=150, tol=1e-3).fit(points[known], labels[known])
    weights, offsets = np.zeros((points.shape[1], 1 + label_count)), np.full(1 + label_count, -20.0)
    if len(model.classes_) == 2:
        weights[:, model.classes_[1]], offsets[model.classes_] = model.coef_[0], (0.0, model.intercept_[0])
    else:
        weights[:, model.classes_], offsets[model.classes_] = model.coef_.T, model.intercept_
    return weights, offsets


def _calibrated(detector: Detector, samples: Samples, points: Doubles, looks: Looks) -> Detector:
    """Fit Platt's sigmoid on what judges say of images that they were not fitted on."""
    odds, right = [np.zeros(0)], [np.zeros(0, bool)]
    folds = np.unique(looks.images, return_inverse=True)[1] % _FOLDS
    for fold in np.unique(folds):
        kept = folds != fold
        if not kept.any() or not (looks.labels[kept] > 0).any() or not (looks.labels[kept] == 0).any():
            kept = np.ones(len(folds), bool)
        weights, offsets = _fit_chances(points[kept], looks.labels[kept], len(detector.labels))
        judge = replace(detector.judge, weights=weights, offsets=offsets)
        for image in np.unique(looks.images[(folds == fold) & looks.proposed]):
            mine = (looks.images == image) & looks.proposed
            boxes = moved(looks.boxes[mine], judge.shifts(points[mine]))
            found = pick(boxes, judge.chances(points[mine]))
            odds.append(log_odds(found[2]))
            right.append(_right(samples[int(image)], *found[:2]))
    slope, offset = _sigmoid(np.concatenate(odds), np.concatenate(right))
    return replace(detector, slope=slope, offset=offset)


def _right(sample: Sample, boxes: Doubles, labels: list[int]) -> NDArray[np.bool_]:
    """Say of each box, the surest first, whether it is on an object of its label that no surer one is on."""
    shared = overlaps(boxes, sample.boxes) * (np.array(labels)[:, None] == sample.labels[None])
    right = np.zeros(len(boxes), bool)
    for row in range(len(boxes)):
        best = shared[row].argmax()
        if shared[row, best] >= _RIGHT:
            right[row], shared[:, best] = True, 0
    return right


def _sigmoid(odds: Doubles, right: NDArray[np.bool_]) -> tuple[float, float]:
    if right.all() or not right.any():
        return 1.0, 0.0
    model = LogisticRegression(C=10).fit(odds[:, None], right)
    return max(0.1, float(model.coef_[0, 0])), float(model.intercept_[0])
