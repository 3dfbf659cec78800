"""What was trained: the one attempt of each snapshot, the open ones, and the newest trained snapshot."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from custom_labels.core.codec import from_json, to_json
from custom_labels.core.registry import Registry
from custom_labels.s3.changes import change_json
from custom_labels.s3.store import ObjectExists
from custom_labels.training.retraining import AttemptState, TrainingAttempt

TRAINED = "registry/trained.json"
OPEN = "registry/open_attempt.json"


class TrainingRecords:
    """The records of a project's trainings below ``registry/``.

    :param registry: the project's, which knows the versions that came of them.
    """

    def __init__(self, registry: Registry) -> None:
        self.registry = registry
        self.store = registry.store

    def trained_digest(self) -> str | None:
        """Give the digest of the newest snapshot that a version was trained on, to be put into service."""
        value, _ = self.store.read_json(TRAINED)
        return value["digest"] if value else None

    def split_digest(self) -> str | None:
        """Give the digest of the snapshot whose split the next one follows: the last that any version was trained on.

        A backfill's counts as well: what it judged by must not be trained on later.
        """
        value, _ = self.store.read_json(TRAINED)
        return value.get("split") or value["digest"] if value else None

    def record_trained(self, digest: str, version_name: str, *, deploys: bool = True) -> None:
        """Record a finished training; images it holds are no longer untrained.

        One that only measures leaves them untrained, so that they still call for a version that serves; and one about
        the past leaves alone what a later one wrote.
        """

        def changed(value: Any) -> dict[str, Any]:
            newest = value or {"digest": None, "version_name": None}
            if deploys and self.registry.as_of(version_name) >= self.registry.as_of(newest["version_name"]):
                newest = {"digest": digest, "version_name": version_name}
            split = {} if newest["digest"] == digest else {"split": digest}
            return {"digest": newest["digest"], "version_name": newest["version_name"], **split}

        change_json(self.store, TRAINED, changed)

    def attempt(self, digest: str) -> TrainingAttempt | None:
        """Read what became of a snapshot's training; ``None`` when it was never tried."""
        value, _ = self.store.read_json(_attempt_key(digest))
        return from_json(TrainingAttempt, value) if value else None

    def open_attempt(self) -> TrainingAttempt | None:
        """Read the training that was begun and not seen to its end, on whatever snapshot; ``None`` if there is none."""
        return next(iter(self.open_attempts()), None)

    def open_attempts(self) -> list[TrainingAttempt]:
        """Read all trainings that were begun and not seen to their ends; those that are to be deployed come first.

        There is more than one only after runs of a backfill died, which go on with nothing but their own.
        """
        found = [self.attempt(digest) for digest in _open_digests(self.store.read_json(OPEN)[0])]
        unfinished = [attempt for attempt in found if attempt and not attempt.state.is_finished]
        return sorted(unfinished, key=lambda attempt: not attempt.deploys)

    def claim_attempt(self, attempt: TrainingAttempt, *, force: bool = False) -> TrainingAttempt:
        """Claim the training of a snapshot, before anything is paid.

        :param force: replace an attempt that is finished.
        :return: the attempt that counts: ours, or one that was begun before and is to be gone on with.
        """
        claimed = self._claim(attempt, force)
        self._change_open(lambda digests: [claimed.digest, *(d for d in digests if d != claimed.digest)])
        return claimed

    def reopen_attempt(self, digest: str) -> TrainingAttempt | None:
        """Open a training that was only measured, so that its version is judged and deployed without another.

        :return: the attempt as it is now, which any other than such a one was before; ``None`` if there is none.
        """
        value, etag = self.store.read_json(_attempt_key(digest))
        if value is None:
            return None
        if value["state"] == AttemptState.TRAINED.value:
            value = {**value, "state": AttemptState.STARTED.value, "deploys": True, "detail": ""}
            self.store.write_if_unchanged(_attempt_key(digest), value, etag)
        if value["state"] == AttemptState.STARTED.value:
            self._change_open(lambda digests: [digest, *(d for d in digests if d != digest)])
        return from_json(TrainingAttempt, value)

    def _change_open(self, change: Callable[[list[str]], list[str]]) -> None:
        """Change the digests of the open attempts by compare-and-set, the newest first."""

        def changed(value: Any) -> dict[str, Any]:
            digests = change(_open_digests(value))
            others = {"others": digests[1:]} if digests[1:] else {}
            return {"digest": digests[0] if digests else None, **others}

        change_json(self.store, OPEN, changed)

    def _claim(self, attempt: TrainingAttempt, force: bool) -> TrainingAttempt:
        key = _attempt_key(attempt.digest)
        value, etag = self.store.read_json(key)
        if value is not None and etag is not None:
            present = from_json(TrainingAttempt, value)
            if attempt.deploys and not present.deploys and not present.state.is_finished:
                present = replace(present, deploys=True)
                self.store.replace_json(key, to_json(present), etag)
            if not (force and present.state.is_finished and present.version_name != attempt.version_name):
                return present
            self.store.replace_json(key, to_json(attempt), etag)
            return attempt
        try:
            self.store.create_json(key, to_json(attempt))
        except ObjectExists:
            return from_json(TrainingAttempt, self.store.read_json(key)[0] or {})
        return attempt

    def finish_attempt(self, digest: str, version_name: str, state: AttemptState, detail: str) -> None:
        """Record how the training of a snapshot ended; from now on it is not repeated.

        One that ended already keeps its end, and the attempt of another version, begun since by force, is left alone:
        whoever says so hung for a while and was overtaken.
        """

        def changed(value: Any) -> Any:
            open_ = {"version_name": version_name, "state": AttemptState.STARTED.value}
            is_ours = value is not None and open_.items() <= value.items()
            return {**value, "state": state.value, "detail": detail} if is_ours else value

        value = change_json(self.store, _attempt_key(digest), changed)
        if value is None or AttemptState(value["state"]).is_finished:
            self._change_open(lambda digests: [other for other in digests if other != digest])


def _open_digests(value: Mapping[str, Any] | None) -> list[str]:
    return [digest for digest in [value["digest"], *value.get("others", [])] if digest] if value else []


def _attempt_key(digest: str) -> str:
    return f"registry/attempts/{digest}.json"
