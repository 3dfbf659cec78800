"""All trainings of a project: the one attempt of each snapshot, and the newest that a version was trained on."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from custom_labels.training.retraining import AttemptState, TrainingAttempt


@dataclass(frozen=True)
class TrainingHold:
    """Why runs that no person triggered begin no training for a while.

    :param by: who waits for more labels, as part of a sentence.
    :param until: ISO 8601 in UTC; from then on it holds nothing, whatever became of who set it.
    """

    by: str
    until: str


@dataclass(frozen=True)
class Teardown:
    """That all versions of the project were taken away, so that nothing is trained until a person starts again.

    :param run: the run that takes them away, as ``dag_id/run_id``.
    :param begun_at: ISO 8601 in UTC; ``ended_at`` once AWS has nothing of the project any more.
    """

    run: str
    begun_at: str
    ended_at: str | None = None


@dataclass(frozen=True)
class Trainings:
    """What was trained, as ``registry/trainings.json`` holds it.

    :param attempts: the one attempt of each snapshot, the last claimed at the end.
    :param trained: digest of the newest snapshot that a version to be put into service was trained on.
    :param split: digest of the snapshot whose split the next one follows: the last that any version was trained on. A
        backfill's counts as well, since what it judged by must not be trained on later.
    :param hold: what keeps runs that no person triggered from training, if anything does.
    :param torn_down: what keeps every run from training, from a teardown until the project is set up again.
    :param former: the attempts before the last teardown, whose versions are gone; the same images may be trained anew.
    """

    attempts: tuple[TrainingAttempt, ...] = ()
    trained: str | None = None
    split: str | None = None
    hold: TrainingHold | None = None
    torn_down: Teardown | None = None
    former: tuple[TrainingAttempt, ...] = ()

    @property
    def every(self) -> tuple[TrainingAttempt, ...]:
        """All attempts, also of versions that were taken away, the last claimed at the end."""
        return (*self.former, *self.attempts)

    def attempt(self, digest: str | None) -> TrainingAttempt | None:
        """Give what became of a snapshot's training; ``None`` when it was never tried."""
        return next((each for each in self.attempts if each.digest == digest), None)

    def __getitem__(self, digest: str) -> TrainingAttempt:
        """Give the attempt of a snapshot that was claimed."""
        return next(each for each in self.attempts if each.digest == digest)

    @property
    def open(self) -> list[TrainingAttempt]:
        """The trainings that were begun and not seen to their ends, the newest first, but those to be deployed before.

        There is more than one only after runs of a backfill died, which go on with nothing but their own.
        """
        unfinished = [each for each in reversed(self.attempts) if not each.state.is_finished]
        return sorted(unfinished, key=lambda attempt: not attempt.deploys)

    def claim(self, attempt: TrainingAttempt, *, force: bool = False) -> Trainings:
        """Claim the training of a snapshot, unless one was begun before, which then counts.

        :param force: replace an attempt that is finished.
        """
        present = self.attempt(attempt.digest)
        if present is None or (force and present.state.is_finished and present.version_name != attempt.version_name):
            return self._with(attempt)
        if attempt.deploys and not present.deploys and not present.state.is_finished:
            return self._with(replace(present, deploys=True))
        return self

    def reopen(self, digest: str | None) -> Trainings:
        """Open a training that was only measured, so that its version is judged and deployed without another."""
        present = self.attempt(digest)
        if present is None or present.state is not AttemptState.TRAINED:
            return self
        return self._with(replace(present, state=AttemptState.STARTED, deploys=True, detail=""))

    def finish(self, digest: str, version_name: str, state: AttemptState, detail: str) -> Trainings:
        """Say how the training of a snapshot ended; from now on it is not repeated.

        One that ended already keeps its end, and the attempt of another version, begun since by force, is left alone:
        whoever says so hung for a while and was overtaken.
        """
        ended = tuple(
            replace(each, state=state, detail=detail)
            if (each.digest, each.version_name, each.state) == (digest, version_name, AttemptState.STARTED)
            else each
            for each in self.attempts
        )
        return replace(self, attempts=ended)

    def count_as_trained(self, attempt: TrainingAttempt) -> Trainings:
        """Say that a training is finished; images that its snapshot holds are no longer untrained.

        One that only measures leaves them untrained, so that they still call for a version that serves; and one about
        the past leaves alone what a later one wrote.
        """
        newest = self.attempt(self.trained)
        is_newest = attempt.deploys and (newest is None or attempt.as_of >= newest.as_of)
        return replace(self, trained=attempt.digest if is_newest else self.trained, split=attempt.digest)

    def is_outdated(self, attempt: TrainingAttempt, live_digest: str) -> bool:
        """Whether a version was trained on images of an earlier moment than the live one; not where that is unknown."""
        live = self.attempt(live_digest)
        return live is not None and bool(attempt.as_of) and attempt.as_of < live.as_of

    def why_held(self, now: datetime) -> str:
        """Explain why a run that no person triggered begins no training now; empty if it may."""
        if self.hold is None or datetime.fromisoformat(self.hold.until) <= now:
            return ""
        return f"{self.hold.by} waits for more labels, and trains on all of them together, until {self.hold.until}"

    def release(self, by: str) -> Trainings:
        """End a hold, if it is that of who says so."""
        return replace(self, hold=None) if self.hold and self.hold.by == by else self

    def tear_down(self, run: str, now: str) -> Trainings:
        """Begin to take all versions away: no attempt counts any more, and none begins.

        The split stays, so that an image which was tested on once is never trained on. A run that begins it again, or
        goes on with what another one left, is the one that takes them away from now on.
        """
        is_going_on = self.torn_down is not None and self.torn_down.ended_at is None
        begun_at = self.torn_down.begun_at if self.torn_down is not None and is_going_on else now
        return Trainings(split=self.split, torn_down=Teardown(run, begun_at), former=self.every)

    def end_teardown(self, run: str, now: str) -> Trainings:
        """Say that AWS has nothing of the project any more; of another run's teardown nothing is said."""
        if self.torn_down is None or self.torn_down.run != run:
            return self
        return replace(self, torn_down=replace(self.torn_down, ended_at=self.torn_down.ended_at or now))

    def why_torn_down(self, project: str) -> str:
        """Explain why no training begins since the project was taken away; empty if one may."""
        if self.torn_down is None:
            return ""
        if self.torn_down.ended_at is None:
            return f"the project is being taken away from AWS by {self.torn_down.run}"
        return (
            f"the project was taken away from AWS at {self.torn_down.ended_at}; to start again trigger "
            f"{project}_bootstrap, which lets trainings begin"
        )

    def start_again(self) -> Trainings:
        """Let trainings begin again after a teardown that has ended."""
        is_over = self.torn_down is not None and self.torn_down.ended_at is not None
        return replace(self, torn_down=None) if is_over else self

    def _with(self, attempt: TrainingAttempt) -> Trainings:
        others = tuple(each for each in self.attempts if each.digest != attempt.digest)
        return replace(self, attempts=(*others, attempt))
