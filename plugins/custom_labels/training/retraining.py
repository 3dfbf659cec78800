"""Is a training due? The rule that keeps the same images from being paid for twice."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from custom_labels.core.outcome import Outcome
from custom_labels.datasets.snapshot import ImageSnapshot


class AttemptState(StrEnum):
    """How far the training of a snapshot came."""

    STARTED = "started"
    TRAINING_FAILED = "training_failed"
    GATE_FAILED = "gate_failed"
    REJECTED = "rejected"
    DEPLOYED = "deployed"
    TRAINED = "trained"

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
    :param deploys: whether it is to be judged and put into service; a backfill's is only measured.
    :param as_of: up to when the images were seen, ISO 8601 in UTC.
    """

    digest: str
    project_arn: str
    version_name: str
    run: str
    state: AttemptState = AttemptState.STARTED
    detail: str = ""
    deploys: bool = True
    as_of: str = ""


_ENDED = {
    AttemptState.TRAINING_FAILED: "could not be trained",
    AttemptState.GATE_FAILED: "was refused by the gate",
    AttemptState.REJECTED: "was rejected by a person",
    AttemptState.DEPLOYED: "was put into service",
    AttemptState.TRAINED: "was trained and not deployed",
}


class Retrain(StrEnum):
    """What to do with the images as they are."""

    TRAIN = "train"
    RESUME = "resume"
    NOTHING = "nothing"


@dataclass(frozen=True)
class RetrainDecision:
    """Whether to train, and why.

    :param resumed: digest of the snapshot whose training is gone on with.
    """

    action: Retrain
    reason: str
    resumed: str | None = None


class Due(StrEnum):
    """Whether a run goes on."""

    YES = "due"
    NO = "not due"


@dataclass(frozen=True)
class RunDecision:
    """What a run is to do, before any image is read.

    :param detail: why, as part of a sentence.
    :param outcome: how the run ends, where it does not go on.
    :param plan: of a dry run, what a run would do, as Markdown.
    :param resumed: digest of the snapshot whose training is gone on with.
    """

    choice: Due
    detail: str
    outcome: Outcome | None = None
    plan: str = ""
    resumed: str | None = None


@dataclass(frozen=True)
class PreparedTraining:
    """What is to be trained, decided under the project's lock on the images that can be used.

    :param reason: why, as part of a sentence.
    :param digest: of the snapshot that is trained on, or whose training is gone on with.
    :param snapshot: the stored snapshot, where it is trained on.
    :param train_uri: the manifests; ``None`` where no dataset is made.
    :param plan: what is about to be done and paid, as Markdown.
    """

    choice: Retrain
    reason: str
    digest: str | None = None
    snapshot: ImageSnapshot | None = None
    train_uri: str | None = None
    test_uri: str | None = None
    plan: str = ""


@dataclass(frozen=True)
class RunKind:
    """What is asked of a run.

    :param backfill: it retrains one interval of the past: whatever is there is enough, and what is left of other runs
        is left to the schedule.
    :param deploys: it may put a version into service.
    """

    backfill: bool = False
    deploys: bool = True


SCHEDULED = RunKind()


def decide_retraining(
    *,
    images: int,
    untrained: int,
    minimum_untrained_images: int,
    attempt: TrainingAttempt | None,
    open_attempt: TrainingAttempt | None = None,
    force: bool = False,
    run: RunKind = SCHEDULED,
) -> RetrainDecision:
    """Decide whether a snapshot is to be trained on.

    A training that was begun and not seen to its end comes first, on whatever images: it is paid for already. One that
    ended - deployed, refused, rejected or failed - is not repeated on the same images unless forced. One that was only
    measured by a backfill is gone on with, without another training, by a run that may deploy.

    :param images: images in the snapshot.
    :param untrained: those of them that the last trained snapshot lacks.
    :param attempt: what the registry knows of this snapshot's digest.
    :param open_attempt: a version that AWS knows and that was neither deployed nor refused yet.
    :param force: train whatever the counts and earlier attempts say.
    :param run: what is asked of the run.
    """
    if open_attempt is not None and not run.backfill:
        reason = f"version {open_attempt.version_name} was begun and not seen to its end"
        return RetrainDecision(Retrain.RESUME, reason, open_attempt.digest)
    if images == 0:
        return RetrainDecision(Retrain.NOTHING, "there are no labelled images")
    if force:
        return RetrainDecision(Retrain.TRAIN, f"{images} images, forced by the run's parameters")
    is_enough = run.backfill or untrained >= minimum_untrained_images
    if attempt is not None and attempt.state is AttemptState.TRAINED and run.deploys and is_enough:
        reason = f"version {attempt.version_name} was trained on exactly these images and waits to be judged"
        return RetrainDecision(Retrain.RESUME, reason, attempt.digest)
    if attempt is not None and attempt.state.is_finished:
        ended = _ENDED[attempt.state]
        return RetrainDecision(
            Retrain.NOTHING,
            f"exactly these images were tried before: version {attempt.version_name} {ended} ({attempt.detail})",
        )
    if not is_enough:
        return RetrainDecision(
            Retrain.NOTHING,
            f"{untrained} untrained images of {images}, a training needs {minimum_untrained_images}",
        )
    if run.backfill:
        return RetrainDecision(Retrain.TRAIN, f"{images} images at the end of the interval")
    return RetrainDecision(Retrain.TRAIN, f"{untrained} untrained images of {images}")


BACKFILL_ANCHOR = datetime(1970, 1, 5, tzinfo=UTC)
"""A Monday: backfills of every seven days train on what was there at the beginning of Mondays (UTC)."""


def is_interval_due(start: datetime, end: datetime, every_days: int) -> bool:
    """Say whether a backfill that trains every so many days trains at the end of this interval.

    Airflow cuts a backfill into intervals by the DAG's own period. Of the intervals that end in the same span of so
    many days the one that reaches the span's last moment is trained: the answer depends on nothing but the interval, so
    that any run may be repeated alone.

    :param start: of the data interval; ``end`` likewise.
    :param every_days: days from one training to the next, counted from :data:`BACKFILL_ANCHOR`.
    """
    span = timedelta(days=every_days)
    return (end - BACKFILL_ANCHOR) // span > (start - BACKFILL_ANCHOR) // span
