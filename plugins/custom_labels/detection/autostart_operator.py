"""The tasks that start the version that serves, where it is stopped and images wait for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from airflow.providers.amazon.aws.utils.mixins import aws_template_fields
from airflow.sdk import BaseOperator, TaskGroup
from airflow.sdk.exceptions import AirflowSkipException

from custom_labels.aws.inputs import require_inputs
from custom_labels.aws.statuses import STARTABLE, Described
from custom_labels.core.codec import from_json
from custom_labels.core.context import ProjectContext, final
from custom_labels.core.dag_arguments import custom_labels_arguments
from custom_labels.core.lock_tasks import release_locks
from custom_labels.core.settings import Project
from custom_labels.core.steps import given, order, task_of, text_of
from custom_labels.deployment.deploy_tasks import take_deployment_lock
from custom_labels.deployment.service_records import change_service
from custom_labels.deployment.start_on_demand import why_not_started
from custom_labels.deployment.version_operator import StartLiveOperator
from custom_labels.detection.settings import DetectionSettings
from custom_labels.detection.work import VersionToStart

if TYPE_CHECKING:
    from airflow.sdk import Context


def autostart(project: Project, settings: DetectionSettings, wanted: VersionToStart | None) -> list[BaseOperator]:
    """Add the tasks that start the version that images wait for, under the deployment lock, off the usual way.

    Whoever starts a version holds that lock: neither a swap nor the cost guard comes between. It is taken and given
    back in here, so that a run whose version serves has nothing to do with it.

    :param wanted: the version.
    :return: the tasks that are to be skipped where the version serves.
    """
    with TaskGroup("autostart", prefix_group_id=False, tooltip="Start the version that serves, for images that wait"):
        lock = take_deployment_lock(project, timeout_hours=1)
        start = AutostartOperator(
            task_id="start_live",
            project=project.name,
            settings=settings,
            project_arn=given(wanted).project_arn,
            version_name=given(wanted).version_name,
            min_inference_units=given(wanted).units.minimum,
            max_inference_units=given(wanted).units.maximum,
            **custom_labels_arguments(project),
        )
        release = task_of(release_locks(project, [text_of(lock)])).as_teardown(setups=lock)
        order(lock, start, release)
    return [lock, start]


def why_not_autostarted(ctx: ProjectContext, settings: DetectionSettings, status: str | None) -> str | None:
    """Explain why images may not start the live version now, ``None`` if they may.

    :param status: AWS's status of it, which is not RUNNING.
    """
    return why_not_started(
        status,
        is_on=settings.start_when_images_wait,
        window=settings.service_window,
        setting=ctx.project.variable("start_when_images_wait"),
        now=datetime.now(UTC),
    )


class AutostartOperator(StartLiveOperator):
    """Start the version that serves, unless it may not be started any more: the lock may have come late.

    :param settings: the run's settings, as :class:`DetectionSettings` (templated).
    """

    template_fields: Sequence[str] = aws_template_fields(*StartLiveOperator.template_fields, "settings")

    def __init__(self, *, settings: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.settings = settings

    @final
    def execute(self, context: Context) -> Any:
        """Check again under the lock, then start it."""
        require_inputs(self.task_id, {"settings": self.settings, "collected": self.version_name})
        ctx = ProjectContext(self.project, context)
        live = ctx.registry.live()
        if live is not None and live.version_name != self.version_name:
            raise AirflowSkipException(f"Version {live.version_name} serves by now, and answers in its place.")
        status = self.describe().status
        why = why_not_autostarted(ctx, from_json(DetectionSettings, self.settings), status)
        if status in STARTABLE and why:
            raise AirflowSkipException(f"Version {self.version_name} is {status}, and {why}.")
        return super().execute(context)

    def result(self, described: Described, context: Context) -> str:
        """Record that it runs, and that the cost guard's stop of it is over."""
        arn = super().result(described, context)
        change_service(ProjectContext(self.project, context).store, lambda memory: replace(memory, stopped=None))
        return arn
