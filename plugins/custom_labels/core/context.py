"""What the tasks of a project share: its file, its settings, its bucket, its registry, and who this run is."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from airflow.sdk.exceptions import AirflowFailException

from custom_labels.aws.hooks.rekognition import RekognitionHook
from custom_labels.core.lock import ProjectLock
from custom_labels.core.lock_records import DEPLOYMENT_LOCK, LockFile
from custom_labels.core.registry import Registry, project_store
from custom_labels.core.run_settings import RunSettings
from custom_labels.core.settings import Project, Settings, find_overlaps, load_project, read_settings
from custom_labels.core.variables import read_variable
from custom_labels.errors import (
    BelongsToAnother,
    ImportRefused,
    LiveVersionChanged,
    ModelError,
    NotDecided,
    NotPermitted,
    NotTrainable,
    SettingError,
)

if TYPE_CHECKING:
    from airflow.sdk import Context

P = ParamSpec("P")
R = TypeVar("R")
S = TypeVar("S", bound=RunSettings)

EventFact = str | float | bool | None
"""What an asset event may hold; whole numbers, too."""

BACKFILL = "backfill"
"""Airflow's type of the runs that ``airflow backfill create`` makes."""


FINAL = (SettingError, NotTrainable, ModelError, NotDecided, NotPermitted, LiveVersionChanged, ImportRefused)
"""Errors that a retry cannot mend."""


def final(function: Callable[P, R]) -> Callable[P, R]:
    """Let an error that a retry cannot mend fail the task at once."""

    @functools.wraps(function)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return function(*args, **kwargs)
        except FINAL as error:
            raise AirflowFailException(str(error)) from error

    return run


@dataclass(frozen=True)
class RunInfo:
    """A run of one of our DAGs, as one of its tasks sees it.

    :param dag_id: the DAG, and ``run_id`` the run; ``run_type`` is Airflow's word for what made it.
    :param when: its logical date, or the moment it was asked for where it has none.
    :param as_of: up to when objects are seen: the end of its data interval, so that a backfill retrains history.
    :param interval_start: of its data interval, ``interval_end`` likewise; ``None`` where it has none.
    :param started_at: when it began; tells it apart from one of the same id in another Airflow.
    :param params: its Params.
    :param triggered_by: who triggered it by hand.
    :param triggered_by_queue_only: whether a queue trigger alone started it: then there is no need to list all that
        there is.
    :param is_last_try: whether the task is not tried again when it fails.
    :param is_repeated: whether the task was tried before, and may have left something half done.
    """

    dag_id: str
    run_id: str
    when: datetime
    as_of: datetime
    run_type: str = "manual"
    interval_start: datetime | None = None
    interval_end: datetime | None = None
    started_at: datetime | None = None
    params: Mapping[str, Any] = field(default_factory=dict)
    triggered_by: str | None = None
    triggered_by_queue_only: bool = False
    is_last_try: bool = False
    is_repeated: bool = False

    @classmethod
    def of(cls, context: Context) -> RunInfo:
        """Take it from a task's Airflow context."""
        run, ti = context["dag_run"], context["ti"]
        events = [event for each in (context.get("triggering_asset_events") or {}).values() for event in each]
        when = run.logical_date or run.run_after
        return cls(
            dag_id=run.dag_id,
            run_id=run.run_id,
            when=when,
            as_of=getattr(run, "data_interval_end", None) or run.run_after,
            run_type=str(getattr(run.run_type, "value", run.run_type)),
            interval_start=getattr(run, "data_interval_start", None),
            interval_end=getattr(run, "data_interval_end", None),
            started_at=run.start_date,
            params=context.get("params") or {},
            triggered_by=getattr(run, "triggering_user_name", None),
            triggered_by_queue_only=bool(events) and all((event.extra or {}).get("from_trigger") for event in events),
            is_last_try=bool(ti.try_number > ti.max_tries),
            is_repeated=ti.try_number > 1,
        )


class ProjectContext:
    """A project as a task of a run sees it.

    :param name: the project.
    :param context: the task's Airflow context, ``None`` for the running task's own.
    :param run: the run, where there is no Airflow around the task.
    """

    def __init__(self, name: str, context: Context | None = None, *, run: RunInfo | None = None) -> None:
        from airflow.sdk import get_current_context

        self.notes: list[str] = []
        self.event_facts: dict[str, EventFact] = {}
        self.run = run or RunInfo.of(context if context is not None else get_current_context())
        self.project: Project = load_project(name)
        self.store = project_store(self.project)
        self.registry = Registry(self.store)

    @functools.cached_property
    def lock(self) -> LockFile:
        """The project's lock, as this run sees it."""
        return LockFile(self.store, self.owner)

    @functools.cached_property
    def deployment_lock(self) -> LockFile:
        """The lock of what starts, swaps and stops versions, as this run sees it."""
        return LockFile(self.store, self.owner, DEPLOYMENT_LOCK)

    @functools.cached_property
    def rekognition(self) -> RekognitionHook:
        """The hook of the project's connection and region."""
        return RekognitionHook(aws_conn_id=self.project.aws_conn_id, region_name=self.project.region_name)

    def claim(self) -> None:
        """See that the project's place in S3 is its own, and make it so at its first run.

        What is claimed stays with its owner, whatever other files say. As long as none has claimed it, no project
        of several that name it gets it.

        :raises BelongsToAnother: it is another project's, or another project file names it too.
        """
        owner = self.registry.owner()
        if owner == self.project.name:
            return
        if owner is None and (in_the_way := find_overlaps(self.project)):
            raise BelongsToAnother(" ".join(in_the_way))
        if owner is not None or not self.param("dry_run"):
            self.registry.claim(self.project.name)

    def require_region(self) -> str:
        """Give the region that the project is in, before anything is asked of AWS.

        :raises SettingError: neither the project file, nor the connection, nor the machine names one.
        """
        from botocore.session import get_session

        if region := self.rekognition.region_name or get_session().get_config_variable("region"):
            return str(region)
        raise SettingError(
            f"No AWS region is known for project '{self.project.name}': 'region_name' in {self.project.name}.yaml is "
            f"empty, and so is the region of the Airflow connection '{self.project.aws_conn_id}'. Set one of the two "
            "to the region of the bucket."
        )

    def try_take(self, lock: LockFile) -> ProjectLock | None:
        """Take a lock by the project's terms, without waiting; give who has it, ``None`` when it is ours."""
        return lock.try_take(self.settings("lock_lease_minutes").lock_lease_minutes * 60)

    @property
    def run_name(self) -> str:
        """Name the run for people."""
        return f"{self.run.dag_id}/{self.run.run_id}"

    @property
    def owner(self) -> str:
        """Name the run apart from one of the same id in another Airflow: by the moment it was started."""
        return f"{self.run_name}@{self.run.started_at.isoformat() if self.run.started_at else ''}"

    def note(self, text: str) -> None:
        """Put a note on the run, which the DAG's grid shows; of several the last one counts."""
        self.notes.append(text)

    def describe_event(self, **facts: EventFact) -> None:
        """Put facts into the ``extra`` of the events that the task's outlets get when it has succeeded."""
        self.event_facts.update(facts)

    def settings(self, *names: str) -> Settings:
        """Read the settings now, with this run's Params over them.

        :param names: the only ones that are read, where a task needs no more; all without any.
        """
        params = self.run.params
        overrides = {name: params.get(name) for name in Settings.model_fields if name in params}
        return read_settings(self.project, read_variable, overrides, names)

    def read_settings(self, kind: type[S]) -> S:
        """Read the settings that a value of a type holds, now, with this run's Params over them.

        :param kind: a frozen dataclass whose fields are named as settings are.
        """
        names = [each.name for each in fields(kind)]
        settings = self.settings(*names)
        return kind(**{name: getattr(settings, name) for name in names})

    def topic_for(self, outcome: str) -> str | None:
        """Give the SNS topic that an outcome is sent to, ``None`` if there is none or it was not asked for.

        Where ``notify_outcomes`` itself cannot be read everything is sent: that it cannot be read may be the very news.
        """
        try:
            asked = outcome in self.settings("notify_outcomes").notify_outcomes
        except SettingError:
            asked = True
        return self.project.sns_topic_arn if asked else None

    def param(self, name: str, default: Any = None) -> Any:
        """Give one of this run's Params."""
        return self.run.params.get(name, default)
