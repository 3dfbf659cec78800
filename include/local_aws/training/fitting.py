"""Fit a classifier with scikit-learn; runs in a worker process and is the same for the same seed."""

from __future__ import annotations

from collections.abc import Callable

import joblib
import numpy as np
from numpy.typing import NDArray
from sklearn.cluster import MiniBatchKMeans
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression

from include.local_aws.training.classifier import (
    Classifier,
    Doubles,
    Novelty,
    Projection,
    neighbour_distances,
)
from include.local_aws.training.features import Dictionary, Floats, patches

Pictures = list[NDArray[np.uint8]]
Truth = NDArray[np.bool_]

CENTROIDS = 256
SAMPLED_PATCHES = 20_000
COMPONENTS = 200
FOLDS = 5
_WHITENING_FLOOR = 0.1
_LOGISTIC_STRENGTH = 0.3
_REFERENCES = 5_000


def fit_classifier(pictures: Pictures, truth: Truth, seed: int) -> Classifier:
    """Fit a classifier.

    Parameters: `pictures` are the training images from `features.pixels`; `truth` (images, labels) says
    which labels each image has; `seed` makes the result reproducible.
    """
    dictionary = learn_dictionary(pictures, seed)
    features = np.stack([dictionary.features(picture) for picture in pictures])
    projection, points = _project(features, seed)
    weights, intercepts = _one_vs_rest(points, truth)
    held_out = _held_out_scores(points, truth)
    slopes, offsets = _calibrate(held_out, truth)
    return Classifier(dictionary, projection, weights, intercepts, slopes, offsets, _novelty(points, seed))


def remembering_fit(folder: str) -> Callable[[Pictures, Truth, int], Classifier]:
    """Give :func:`fit_classifier` with a memory on disk: what was fitted once is read from there.

    Several processes may share the folder.
    """
    memory = joblib.Memory(folder, verbose=0)
    fit: Callable[[Pictures, Truth, int], Classifier] = memory.cache(fit_classifier)
    return fit


def learn_dictionary(pictures: Pictures, seed: int) -> Dictionary:
    """Learn whitening and centroids from a sample of the pictures' patches."""
    random = np.random.default_rng(seed)
    each = max(1, SAMPLED_PATCHES // len(pictures))
    sample = np.concatenate([_sampled(patches(picture), each, random) for picture in pictures])
    mean = sample.mean(axis=0)
    values, vectors = np.linalg.eigh(np.cov((sample - mean).T))
    whitening = ((vectors / np.sqrt(values + _WHITENING_FLOOR)) @ vectors.T).astype(np.float32)
    white = (sample - mean) @ whitening
    count = min(CENTROIDS, len(white))
    clusters = MiniBatchKMeans(count, n_init=1, max_iter=60, batch_size=2048, random_state=seed).fit(white)
    return Dictionary(mean, whitening, clusters.cluster_centers_.astype(np.float32))


def _sampled(rows: Floats, count: int, random: np.random.Generator) -> Floats:
    return rows[random.choice(len(rows), min(count, len(rows)), replace=False)]


def _project(features: Floats, seed: int) -> tuple[Projection, Doubles]:
    mean = features.mean(axis=0, dtype=np.float64)
    scale = features.std(axis=0, dtype=np.float64)
    scale[scale == 0] = 1.0
    count = max(1, min(COMPONENTS, len(features) - 1))
    pca = PCA(count, random_state=seed).fit((features - mean) / scale)
    projection = Projection(mean, scale, pca.mean_, pca.components_)
    return projection, projection.apply(features)


def _one_vs_rest(points: Doubles, truth: Truth) -> tuple[Doubles, Doubles]:
    """Return weights (labels, components) and intercepts (labels,)."""
    fitted = [_logistic(points, column) for column in truth.T]
    return np.stack([weights for weights, _ in fitted]), np.array([intercept for _, intercept in fitted])


def _logistic(points: Doubles, column: Truth) -> tuple[Doubles, float]:
    """Fit one label against the rest; a label that all images or none have gets a constant score."""
    if column.all() or not column.any():
        return np.zeros(points.shape[1]), 1.0 if column.all() else -1.0
    model = LogisticRegression(C=_LOGISTIC_STRENGTH, max_iter=500).fit(points, column)
    return model.coef_[0], float(model.intercept_[0])


def _held_out_scores(points: Doubles, truth: Truth) -> Doubles:
    """Return each image's scores by models that did not see it, so that calibration is honest.

    A label whose only image is held out is unknown to that fold's model: such a score stays low, and the
    label stays unsure of itself, as it should with one example.
    """
    folds = assign_folds(truth, min(FOLDS, len(truth)))
    scores = np.zeros(truth.shape)
    for fold in range(folds.max() + 1):
        held = folds == fold
        if held.all():
            held_points, kept_points, kept_truth = points, points, truth
        else:
            held_points, kept_points, kept_truth = points[held], points[~held], truth[~held]
        weights, intercepts = _one_vs_rest(kept_points, kept_truth)
        scores[held] = held_points @ weights.T + intercepts
    return scores


def assign_folds(truth: Truth, count: int) -> NDArray[np.intp]:
    """Deal the images out to folds label by label, the rarest label first, so that each fold has of each."""
    folds = np.full(len(truth), -1)
    following = 0
    for label in np.argsort(truth.sum(axis=0), kind="stable"):
        for image in np.flatnonzero(truth[:, label] & (folds < 0)):
            folds[image] = following % count
            following += 1
    for image in np.flatnonzero(folds < 0):
        folds[image] = following % count
        following += 1
    return folds


def _calibrate(scores: Doubles, truth: Truth) -> tuple[Doubles, Doubles]:
    """Fit Platt's sigmoid a label; returns slopes and offsets (labels,)."""
    slopes, offsets = np.ones(truth.shape[1]), np.zeros(truth.shape[1])
    for label in range(truth.shape[1]):
        column = truth[:, label]
        if column.all() or not column.any():
            continue
        model = LogisticRegression(C=10).fit(scores[:, [label]], column)
        slopes[label], offsets[label] = model.coef_[0, 0], model.intercept_[0]
    return slopes, offsets


def _novelty(points: Doubles, seed: int) -> Novelty:
    references = points
    if len(points) > _REFERENCES:
        chosen = np.random.default_rng(seed).choice(len(points), _REFERENCES, replace=False)
        references = points[np.sort(chosen)]
    distances = neighbour_distances(references, references, skip=1)
    usual, far = np.quantile(distances, [0.5, 0.95])
    return Novelty(references, float(usual), float(far))
