"""Runs of the train DAG as far as the registry and the lock see them, and the part of AWS that they train at."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime

from custom_labels.aws.statuses import NOTHING, Described
from custom_labels.core.context import FINAL
from custom_labels.core.live_version import Candidate
from custom_labels.core.lock_records import DEPLOYMENT_LOCK, LockFile, LockLost
from custom_labels.core.registry import Registry
from custom_labels.core.version_record import VersionRecord
from custom_labels.deployment.live_records import move_live
from custom_labels.errors import CustomLabelsError, ModelError, NotPermitted
from custom_labels.s3.store import S3Store
from custom_labels.training.retraining import AttemptState, Retrain, RunKind, TrainingAttempt, decide_retraining
from custom_labels.training.training_records import change_trainings, finish_training, read_trainings

PROJECT = "arn:aws:rekognition:us-east-1:123456789012:project/digits/1"
LEASE, TRAINING = 100.0, 400.0
"""Seconds of the tests' own clock."""
TASK_TRIES = 3


def version_arn(name: str) -> str:
    return f"{PROJECT}/version/{name}"


def candidate(name: str, digest: str, champion_arn: str | None, *, is_rollback: bool = False) -> Candidate:
    return Candidate(PROJECT, name, version_arn(name), digest, 0.9, ("a", "b"), champion_arn, is_rollback)


@dataclass
class Models:
    """Custom Labels: versions by name, made once each, whoever asks how often.

    :param digests: what each version was trained on, in the order in which they were paid.
    :param ran: versions that ever were RUNNING.
    """

    now: Callable[[], datetime]
    described: dict[str, Described] = field(default_factory=dict)
    digests: dict[str, str] = field(default_factory=dict)
    ran: set[str] = field(default_factory=set)
    good: set[str] = field(default_factory=set)

    def describe(self, project_arn: str, name: str) -> Described:
        return self.described.get(name, NOTHING)

    def create(self, name: str, digest: str) -> None:
        if name not in self.described:
            self.described[name] = Described("TRAINING_IN_PROGRESS")
            self.digests[name] = digest

    def end_training(self, name: str, status: str, *, good: bool) -> None:
        self.described[name] = Described(status, "", {"TrainingEndTimestamp": self.now()})
        if good:
            self.good.add(name)

    def start(self, name: str) -> None:
        self.described[name] = Described("RUNNING", "", self.described[name].raw)
        self.ran.add(name)


@dataclass
class Run:
    """One run of the train DAG: which task is next, and what the tasks before it handed on.

    Every task is a method that names the next one. It may be killed at any call and then begins anew.

    :param backfill: whether its version is only measured.
    :param images: gives the digest of the images as they are, and up to when they were seen.
    :param pause: stops where others may come between two things that are not calls of S3.
    """

    owner: str
    force: bool
    backfill: bool
    store: S3Store
    models: Models
    images: Callable[[], tuple[str, datetime]]
    pause: Callable[[], None]
    task: str = "acquire_lock"
    tries: int = 0
    attempt: TrainingAttempt | None = None
    resumed: str | None = None
    digest: str = ""
    as_of: str = ""
    champion_arn: str | None = None
    state: AttemptState | None = None

    def __post_init__(self) -> None:
        self.lock = LockFile(self.store, self.owner, now=self.models.now)
        self.deployment_lock = LockFile(self.store, self.owner, DEPLOYMENT_LOCK, self.models.now)
        self.registry = Registry(self.store)

    @property
    def is_over(self) -> bool:
        return self.task == "over"

    def do(self) -> None:
        """Do the next task; one that failed too often fails the run, which still gives its lock back."""
        try:
            following = getattr(self, self.task)()
            self.pause()
        except CustomLabelsError as error:
            self.tries += 1
            if self.tries < TASK_TRIES and not isinstance(error, FINAL):
                raise
            following = "over" if self.task == "release_locks" else "release_locks"
        self.task, self.tries = following, 0

    def acquire_lock(self) -> str:
        return "prepare_images" if self.is_taken(self.lock) else "acquire_lock"

    def is_taken(self, lock: LockFile) -> bool:
        return lock.try_take(LEASE) is None

    def prepare_images(self) -> str:
        self.lock.hold()
        self.digest, as_of = self.images()
        self.as_of = as_of.isoformat()
        trainings = read_trainings(self.store)
        paid = [
            attempt
            for attempt in trainings.open
            if self.models.describe(PROJECT, attempt.version_name).status is not None
        ]
        decision = decide_retraining(
            images=10,
            untrained=0 if trainings.trained == self.digest else 10,
            minimum_untrained_images=5,
            attempt=trainings.attempt(self.digest),
            open_attempt=next(iter(paid), None),
            force=self.force,
            run=RunKind(self.backfill, not self.backfill),
        )
        self.resumed = decision.resumed
        return "release_locks" if decision.action is Retrain.NOTHING else "claim_training"

    def claim_training(self) -> str:
        self.attempt = self.resume(self.resumed) if self.resumed else self.claim()
        self.attempt = replace(self.attempt, deploys=self.attempt.deploys and not self.backfill)
        return "start_training"

    def resume(self, digest: str) -> TrainingAttempt:
        attempt = change_trainings(self.store, lambda trainings: trainings.reopen(digest)).attempt(digest)
        if attempt is None or attempt.state.is_finished:
            raise ModelError("It was changed since this run decided to resume it.")
        return attempt

    def claim(self) -> TrainingAttempt:
        name = f"{self.owner}-{self.digest}"
        ours = TrainingAttempt(self.digest, PROJECT, name, self.owner, deploys=not self.backfill, as_of=self.as_of)
        attempt = change_trainings(self.store, lambda trainings: trainings.claim(ours, force=self.force))[self.digest]
        if attempt.state.is_finished:
            raise NotPermitted("Exactly these images were tried before.")
        self.registry.change_version(
            attempt.version_name, VersionRecord, lambda known: replace(known, digest=self.digest, as_of=self.as_of)
        )
        return attempt

    def start_training(self) -> str:
        self.lock.hold()
        self.pause()
        if self.models.describe(PROJECT, self.version).status is None:
            claimed = read_trainings(self.store).attempt(self.given.digest)
            if claimed is None or claimed.state.is_finished or claimed.version_name != self.version:
                raise NotPermitted("The one training of its images is not that of this version.")
        self.pause()
        self.models.create(self.version, self.given.digest)
        return "training_is_done"

    def training_is_done(self) -> str:
        with suppress(LockLost):
            self.lock.hold()
        status = self.models.describe(PROJECT, self.version).status
        if status == "TRAINING_FAILED":
            self.end(AttemptState.TRAINING_FAILED)
            return "release_locks"
        return "training_is_done" if status == "TRAINING_IN_PROGRESS" else "evaluate"

    def evaluate(self) -> str:
        trainings = change_trainings(self.store, lambda trainings: trainings.count_as_trained(self.given))
        champion = self.registry.live()
        is_older = champion is not None and trainings.is_outdated(self.given, champion.digest)
        if not self.given.deploys or is_older:
            self.state = AttemptState.TRAINED
            return "finish"
        self.champion_arn = champion.version_arn if champion else None
        return "judge_version"

    def judge_version(self) -> str:
        self.lock.hold()
        if self.version in self.models.good:
            return "acquire_deployment_lock"
        self.state = AttemptState.GATE_FAILED
        return "finish"

    def acquire_deployment_lock(self) -> str:
        return "start_version" if self.is_taken(self.deployment_lock) else "acquire_deployment_lock"

    def start_version(self) -> str:
        self.models.start(self.version)
        return "swap_live"

    def swap_live(self) -> str:
        self.deployment_lock.hold()
        challenger = candidate(self.version, self.given.digest, self.champion_arn)
        move_live(self.registry, challenger, self.models.now().isoformat())
        self.state = AttemptState.DEPLOYED
        return "finish"

    def finish(self) -> str:
        assert self.state is not None
        live = self.registry.live()
        if self.state is AttemptState.DEPLOYED and (live is None or live.version_name != self.version):
            raise NotPermitted("Another version serves.")
        self.end(self.state)
        return "release_locks"

    def end(self, state: AttemptState) -> None:
        finish_training(self.store, self.given.digest, self.version, state, "as it ended")

    def release_locks(self) -> str:
        self.deployment_lock.release()
        self.lock.release()
        return "over"

    @property
    def given(self) -> TrainingAttempt:
        assert self.attempt is not None
        return self.attempt

    @property
    def version(self) -> str:
        return self.given.version_name
