"""Is a training due? The rule that keeps the same images from being paid for twice."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any


class AttemptState(StrEnum):
    """How far the training of a snapshot came."""

    STARTED = "started"
    TRAINING_FAILED = "training_failed"
    GATE_FAILED = "gate_failed"
    DEPLOYED = "deployed"

    @property
    def is_finished(self) -> bool:
        """Whether nothing is left to do with this snapshot."""
        return self is not AttemptState.STARTED


@dataclass(frozen=True)
class TrainingAttempt:
    """The one training of a snapshot: written before the paid call, so that it is never made twice.

    :param digest: the snapshot trained on.
    :param project_arn: the project of the version.
    :param version_name: the model version, whatever run goes on with it.
    :param run: the run that started it, for people.
    :param detail: why it ended as it did.
    """

    digest: str
    project_arn: str
    version_name: str
    run: str
    state: AttemptState = AttemptState.STARTED
    detail: str = ""

    def to_json(self) -> dict[str, Any]:
        """Give it as JSON types, for the registry."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> TrainingAttempt:
        """Read back what :meth:`to_json` gave."""
        return cls(**{**value, "state": AttemptState(value["state"])})


_ENDED = {
    AttemptState.TRAINING_FAILED: "could not be trained",
    AttemptState.GATE_FAILED: "was refused by the gate",
    AttemptState.DEPLOYED: "was put into service",
}


class Retrain(StrEnum):
    """What to do with the images as they are."""

    TRAIN = "train"
    RESUME = "resume"
    NOTHING = "nothing"


@dataclass(frozen=True)
class RetrainDecision:
    """Whether to train, and why."""

    action: Retrain
    reason: str


def decide_retraining(
    *,
    images: int,
    untrained: int,
    minimum_untrained_images: int,
    attempt: TrainingAttempt | None,
    open_attempt: TrainingAttempt | None = None,
    force: bool = False,
) -> RetrainDecision:
    """Decide whether a snapshot is to be trained on.

    A training that was begun and not seen to its end comes first, on whatever images: it is paid for already. One that
    ended - deployed, refused by the gate, or failed - is not repeated on the same images unless forced.

    :param images: images in the snapshot.
    :param untrained: those of them that the last trained snapshot lacks.
    :param attempt: what the registry knows of this snapshot's digest.
    :param open_attempt: a version that AWS knows and that nobody has judged and deployed or refused yet.
    :param force: train whatever the counts and earlier attempts say.
    """
    if open_attempt is not None:
        return RetrainDecision(Retrain.RESUME, f"version {open_attempt.version_name} was begun and not seen to its end")
    if images == 0:
        return RetrainDecision(Retrain.NOTHING, "there are no labelled images")
    if force:
        return RetrainDecision(Retrain.TRAIN, f"{images} images, forced by the run's parameters")
    if attempt is not None and attempt.state.is_finished:
        ended = _ENDED[attempt.state]
        return RetrainDecision(
            Retrain.NOTHING,
            f"exactly these images were tried before: version {attempt.version_name} {ended} ({attempt.detail})",
        )
    if untrained < minimum_untrained_images:
        return RetrainDecision(
            Retrain.NOTHING,
            f"{untrained} untrained images of {images}, a training needs {minimum_untrained_images}",
        )
    return RetrainDecision(Retrain.TRAIN, f"{untrained} untrained images of {images}")
