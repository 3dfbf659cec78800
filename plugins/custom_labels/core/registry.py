"""The registry in S3: what was trained, what serves. Airflow's database may be lost, this may not.

Every record that two runs could want to write at once is written by compare-and-set (If-None-Match, If-Match).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from custom_labels.core.codec import from_json, to_json
from custom_labels.core.live_version import LiveVersion
from custom_labels.core.names import PROJECT_FILE
from custom_labels.core.records import Record, parse
from custom_labels.core.settings import Project
from custom_labels.core.version_record import VersionRecord
from custom_labels.errors import BelongsToAnother
from custom_labels.s3.changes import change_json
from custom_labels.s3.line_files import READERS, list_keys
from custom_labels.s3.store import S3Store

V = TypeVar("V", bound=VersionRecord)

LIVE = "registry/live.json"
OWNER = "registry/project.json"
LAST_RUNS = "registry/last_run/"
REVIEW = "registry/review.json"
VERSIONS = "registry/versions/"


def project_store(project: Project) -> S3Store:
    """Give a project's bucket and prefix."""
    return S3Store(
        bucket=project.bucket,
        prefix=project.prefix,
        aws_conn_id=project.aws_conn_id,
        region_name=project.region_name,
        configured_in=PROJECT_FILE,
    )


class Registry:
    """The project's records below ``registry/``.

    :param store: the project's bucket and prefix.
    """

    def __init__(self, store: S3Store) -> None:
        self.store = store

    # -- whose it is ---------------------------------------------------------------------------------

    def owner(self) -> str | None:
        """Read which project this bucket and prefix belong to; ``None`` before its first run."""
        value, _ = self.store.read_json(OWNER)
        return str(value["project"]) if value else None

    def claim(self, project: str) -> None:
        """Claim this bucket and prefix for a project, if no other has; once they are claimed this changes nothing.

        :raises BelongsToAnother: another project has it.
        """
        # Not create_json: of two that claim at the same moment the slower one reads whose it is.
        self._require(project, change_json(self.store, OWNER, lambda value: value or {"project": project})["project"])

    def require_owner(self, project: str) -> None:
        """Refuse a project that this bucket and prefix do not belong to, if they belong to one.

        :raises BelongsToAnother: another project has it.
        """
        self._require(project, self.owner())

    def _require(self, project: str, owner: str | None) -> None:
        if owner not in {None, project}:
            raise BelongsToAnother(
                f"'bucket' and 'prefix' of {project}.yaml are {self.store.uri()}, which belongs to project '{owner}' "
                f"({self.store.uri(OWNER)}). Give '{project}' another bucket or prefix; or, if '{owner}' was given up, "
                "delete that object."
            )

    # -- what serves -------------------------------------------------------------------------------

    def live(self) -> LiveVersion | None:
        """Read which version serves; ``None`` before the first deployment."""
        return Record(LIVE, LiveVersion).read(self.store)

    # -- lineage -----------------------------------------------------------------------------------

    def version(self, version_name: str, kind: type[V]) -> V | None:
        """Read what a room needs of a version's record; ``None`` when there is none.

        :param kind: the room's :class:`VersionRecord`.
        """
        return Record(_version_key(version_name), kind).read(self.store)

    def versions(self, kind: type[V], newest: int | None = None) -> Iterator[tuple[str, V]]:
        """Read the records of all versions in the order of their names, which is that of their runs, some at a time.

        :param newest: only so many, from the end.
        :return: each name with its record.
        """
        names = [
            key.removeprefix(VERSIONS).removesuffix(".json") for keys in list_keys(self.store, VERSIONS) for key in keys
        ]
        names = names[-newest:] if newest else names
        with ThreadPoolExecutor(READERS) as pool:
            for start in range(0, len(names), READERS):
                some = names[start : start + READERS]
                for name, record in zip(some, pool.map(lambda name: self.version(name, kind), some), strict=True):
                    if record:
                        yield name, record

    def change_version(self, version_name: str, kind: type[V], change: Callable[[V], V]) -> V:
        """Change a version's record, keeping what other rooms have there, also what others add at the same moment.

        :param change: gives the new record for the present one, which is empty where there is none.
        :return: the record as it is now.
        """

        def changed(value: Any) -> Any:
            before = parse(self.store, _version_key(version_name), kind, value or {})
            old, new = to_json(before), to_json(change(before))
            facts = {name: new[name] for name in new if new[name] != old[name]}
            return {**(value or {}), **facts} if facts else value

        return from_json(kind, change_json(self.store, _version_key(version_name), changed) or {})

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


def last_run_key(dag_id: str) -> str:
    """Give the key of the outcome of a DAG's newest run."""
    return f"{LAST_RUNS}{dag_id}.json"


def _version_key(version_name: str) -> str:
    return f"{VERSIONS}{version_name}.json"
