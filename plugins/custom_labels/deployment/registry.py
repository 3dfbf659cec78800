"""The registry in S3: what was trained, what serves. Airflow's database may be lost, this may not.

Every record that two runs could want to write at once is written by compare-and-set (If-None-Match, If-Match).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from custom_labels.deployment.deployment import LiveVersion, why_not_replaced
from custom_labels.errors import BelongsToAnother, LiveVersionChanged
from custom_labels.s3.changes import change_json
from custom_labels.s3.line_files import READERS, list_keys
from custom_labels.s3.store import ObjectChanged, ObjectExists, S3Store
from custom_labels.training.retraining import AttemptState, TrainingAttempt

LIVE = "registry/live.json"
OWNER = "registry/project.json"
TRAINED = "registry/trained.json"
OPEN = "registry/open_attempt.json"
LAST_RUNS = "registry/last_run/"
REVIEW = "registry/review.json"
VERSIONS = "registry/versions/"
SERVICE = "registry/service.json"


class Registry:
    """The project's records below ``registry/``.

    :param store: the project's bucket and prefix.
    """

    def __init__(self, store: S3Store) -> None:
        self.store = store

    # -- whose it is ---------------------------------------------------------------------------------

    def owner(self) -> str | None:
        """Read which project this place in S3 belongs to; ``None`` before its first run."""
        value, _ = self.store.read_json(OWNER)
        return str(value["project"]) if value else None

    def claim(self, project: str) -> None:
        """Take this place for a project, if it is nobody's; once it is taken this changes nothing.

        :raises BelongsToAnother: another project has it.
        """
        if self.owner() is None:
            # Not create_json: of two that claim at the same moment the slower one reads whose it is.
            change_json(self.store, OWNER, lambda value: value or {"project": project})
        self.require_owner(project)

    def require_owner(self, project: str) -> None:
        """Refuse a project that this place does not belong to; a place of nobody is anybody's.

        :raises BelongsToAnother: another project has it.
        """
        owner = self.owner()
        if owner not in {None, project}:
            raise BelongsToAnother(
                f"'bucket' and 'prefix' of {project}.yaml are {self.store.uri()}, which belongs to project '{owner}' "
                f"({self.store.uri(OWNER)}). Give '{project}' another bucket or prefix; or, if '{owner}' was given up, "
                "delete that object."
            )

    # -- what serves -------------------------------------------------------------------------------

    def live(self) -> LiveVersion | None:
        """Read which version serves; ``None`` before the first deployment."""
        value, _ = self.store.read_json(LIVE)
        return LiveVersion.from_json(value) if value else None

    def move_live(self, challenger: LiveVersion, *, expected: str | None) -> LiveVersion:
        """Point to the challenger, if the pointer still names the version that it was compared with.

        Moving it again to where it is changes nothing, so that a retry is safe.

        :param expected: ARN of the version that must serve now, ``None`` for none.
        :return: the pointer as written, with its predecessor.
        :raises LiveVersionChanged: the pointer names another version than expected, or one that a person put back in
            place of the challenger.
        :raises BelongsToAnother: the registry is another project's than the challenger.
        """
        self.require_owner(challenger.project_arn.split("/")[1])
        value, etag = self.store.read_json(LIVE)
        champion = LiveVersion.from_json(value) if value else None
        if champion is not None and champion.version_arn == challenger.version_arn:
            return champion
        if reason := why_not_replaced(champion, challenger.to_json(), expected):
            raise LiveVersionChanged(reason)
        successor = challenger.replacing(champion)
        try:
            self.store.write_if_unchanged(LIVE, successor.to_json(), etag)
        except (ObjectExists, ObjectChanged) as error:
            raise LiveVersionChanged(
                f"{self.store.uri(LIVE)} was changed while {challenger.version_name} was put into service: somebody "
                "deployed at the same moment. Theirs stays; trigger the DAG again."
            ) from error
        return successor

    # -- what was trained --------------------------------------------------------------------------

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
            if deploys and self._as_of(version_name) >= self._as_of(newest["version_name"]):
                newest = {"digest": digest, "version_name": version_name}
            split = {} if newest["digest"] == digest else {"split": digest}
            return {"digest": newest["digest"], "version_name": newest["version_name"], **split}

        change_json(self.store, TRAINED, changed)

    def is_older(self, version_name: str, other: str) -> bool:
        """Whether a version was trained on images of an earlier moment than another; not where that is not known."""
        return bool(self.version(version_name).get("as_of")) and self._as_of(version_name) < self._as_of(other)

    def _as_of(self, version_name: str | None) -> datetime:
        """Give up to when the images of a version were seen; the earliest moment where nobody knows."""
        text = self.version(version_name).get("as_of") if version_name else None
        return datetime.fromisoformat(text) if text else datetime.min.replace(tzinfo=UTC)

    def attempt(self, digest: str) -> TrainingAttempt | None:
        """Read what became of a snapshot's training; ``None`` when it was never tried."""
        value, _ = self.store.read_json(_attempt_key(digest))
        return TrainingAttempt.from_json(value) if value else None

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
        return TrainingAttempt.from_json(value)

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
            present = TrainingAttempt.from_json(value)
            if attempt.deploys and not present.deploys and not present.state.is_finished:
                present = replace(present, deploys=True)
                self.store.replace_json(key, present.to_json(), etag)
            if not (force and present.state.is_finished and present.version_name != attempt.version_name):
                return present
            self.store.replace_json(key, attempt.to_json(), etag)
            return attempt
        try:
            self.store.create_json(key, attempt.to_json())
        except ObjectExists:
            return TrainingAttempt.from_json(self.store.read_json(key)[0] or {})
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

    # -- lineage -----------------------------------------------------------------------------------

    def version(self, version_name: str) -> dict[str, Any]:
        """Read a version's record; empty when there is none."""
        value, _ = self.store.read_json(_version_key(version_name))
        return dict(value or {})

    def versions(self, newest: int | None = None) -> Iterator[dict[str, Any]]:
        """Read the records of all versions in the order of their names, which is that of their runs, some at a time.

        :param newest: only so many, from the end.
        :return: each record with its ``version_name``.
        """
        names = [
            key.removeprefix(VERSIONS).removesuffix(".json") for keys in list_keys(self.store, VERSIONS) for key in keys
        ]
        names = names[-newest:] if newest else names
        with ThreadPoolExecutor(READERS) as pool:
            for start in range(0, len(names), READERS):
                some = names[start : start + READERS]
                for name, record in zip(some, pool.map(self.version, some), strict=True):
                    if record:
                        yield {**record, "version_name": name}

    def update_version(self, version_name: str, facts: Mapping[str, Any]) -> None:
        """Add facts to a version's record, keeping what it holds, also what others add at the same moment."""
        change_json(self.store, _version_key(version_name), lambda record: {**(record or {}), **facts})

    # -- what the cost guard remembers -------------------------------------------------------------

    def service(self) -> dict[str, Any]:
        """Read what the cost guard did to the live version, and what it has told; empty before its first run."""
        value, _ = self.store.read_json(SERVICE)
        return dict(value or {})

    def update_service(self, facts: Mapping[str, Any]) -> None:
        """Add facts to it."""
        change_json(self.store, SERVICE, lambda record: {**(record or {}), **facts})

    # -- how runs ended ----------------------------------------------------------------------------

    def record_run(self, record: Mapping[str, Any]) -> None:
        """Record the outcome of a DAG's newest run.

        :param record: a ``RunOutcome`` as JSON types; its ``run`` is ``dag_id/run_id``.
        """
        self.store.write_json(last_run_key(str(record["run"]).partition("/")[0]), dict(record))

    def amend_run(self, run: str, facts: Mapping[str, Any]) -> dict[str, Any]:
        """Add facts to the recorded outcome of a run, which stays what it is.

        :param run: as ``dag_id/run_id``.
        :return: the record as it is now; empty, and nothing is written, where the DAG's newest record is of another.
        """

        def changed(record: Any) -> Any:
            if not record or record.get("run") != run:
                return record
            return {**record, "facts": {**record.get("facts", {}), **facts}}

        record = change_json(self.store, last_run_key(run.partition("/")[0]), changed) or {}
        return dict(record) if record.get("run") == run else {}

    def last_run(self, dag_id: str) -> dict[str, Any]:
        """Read the outcome of a DAG's newest run; empty when there is none."""
        value, _ = self.store.read_json(last_run_key(dag_id))
        return dict(value or {})


def _open_digests(value: Mapping[str, Any] | None) -> list[str]:
    return [digest for digest in [value["digest"], *value.get("others", [])] if digest] if value else []


def last_run_key(dag_id: str) -> str:
    """Give the place of the outcome of a DAG's newest run."""
    return f"{LAST_RUNS}{dag_id}.json"


def _attempt_key(digest: str) -> str:
    return f"registry/attempts/{digest}.json"


def _version_key(version_name: str) -> str:
    return f"{VERSIONS}{version_name}.json"
