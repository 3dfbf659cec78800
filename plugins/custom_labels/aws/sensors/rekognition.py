"""Sensors that wait for the status of a Custom Labels dataset or model version that another task or user changes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any, ClassVar

from airflow.providers.amazon.aws.sensors.base_aws import AwsBaseSensor
from airflow.providers.amazon.aws.utils.mixins import aws_template_fields
from airflow.sdk import conf
from airflow.sdk.exceptions import AirflowFailException

from custom_labels.aws.hooks.rekognition import RekognitionHook
from custom_labels.aws.links import CustomLabelsProjectLink, CustomLabelsVersionLink, persist_link
from custom_labels.aws.manifest_summary import explain_failed_training
from custom_labels.aws.resources import Resource, VersionResource, dataset_counts
from custom_labels.aws.statuses import (
    CUT_SHORT,
    DATASET_FAULTS,
    DATASET_TABLES,
    GONE,
    VERSION_TABLES,
    Described,
    StatusTable,
    Verdict,
)
from custom_labels.aws.triggers.rekognition import DatasetStatusTrigger

if TYPE_CHECKING:
    from airflow.sdk import Context


class StatusSensor(Resource, AwsBaseSensor[RekognitionHook]):
    """Base of the sensors: the status is asked for once before it is waited for, in a worker or deferred.

    :param until: the wait's goal, a key of :attr:`tables`.
    :param deferrable: wait in the triggerer, holding no worker slot.
    """

    tables: ClassVar[dict[str, StatusTable]]
    template_fields: Sequence[str] = aws_template_fields("botocore_config")
    ui_color = "#e7f0fa"

    def __init__(
        self,
        *,
        until: str,
        deferrable: bool = conf.getboolean("operators", "default_deferrable", fallback=False),
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if until not in self.tables:
            raise ValueError(
                f"'until' of task '{self.task_id}' is '{until}': expected one of {', '.join(sorted(self.tables))}."
            )
        self.until = until
        self.table = self.tables[until]
        self.deferrable = deferrable

    @property
    def bounds(self) -> tuple[int, int]:
        """Seconds between two polls, and the number of polls."""
        delay = max(1, int(self.poke_interval))
        return delay, max(1, int(self.timeout) // delay)

    def poke(self, context: Context) -> bool:  # noqa: ARG002
        """Judge the status now; a status from which the goal cannot be reached fails the sensor at once."""
        described = self.describe()
        verdict = self.table.judge(described.status)
        if verdict is Verdict.FAILED:
            raise AirflowFailException(self.failure(described))
        self.log.info("%s is %s%s.", self.subject, described.status or GONE, self.details(described))
        return verdict is Verdict.DONE

    def execute(self, context: Context) -> None:
        """Poke in the worker; or poke once, and defer."""
        self.check_inputs()
        self.persist(context)
        if not self.deferrable:
            super().execute(context)
        elif not self.poke(context):
            timeout = timedelta(seconds=self.timeout)
            self.defer(trigger=self.trigger(), method_name="execute_complete", timeout=timeout)

    def execute_complete(self, context: Context, event: dict[str, Any] | None = None) -> None:
        """Judge AWS's present word; go on waiting if the trigger saw less than the end, but for its time."""
        self.log.info("The trigger reported: %s", event)
        if CUT_SHORT in str((event or {}).get("message", "")):
            raise AirflowFailException(
                f"{self.subject} is not {self.table.goal} after {self.timeout:g} s, which is 'timeout'. Nothing was "
                "stopped; clear this task to go on waiting."
            )
        self.execute(context)


class CustomLabelsDatasetSensor(StatusSensor):
    """Wait until a dataset is ``created``, ``updated`` or ``deleted``.

    :param dataset_arn: the dataset (templated).
    """

    tables: ClassVar[dict[str, StatusTable]] = {table.goal: table for table in DATASET_TABLES}
    needed: ClassVar[tuple[str, ...]] = ("dataset_arn",)
    template_fields: Sequence[str] = aws_template_fields(*StatusSensor.template_fields, "dataset_arn")
    operator_extra_links = (CustomLabelsProjectLink(),)

    def __init__(self, *, dataset_arn: str, until: str = "created", **kwargs: Any) -> None:
        super().__init__(until=until, **kwargs)
        self.dataset_arn = dataset_arn

    @property
    def subject(self) -> str:
        """Name the dataset."""
        return f"Dataset {self.dataset_arn}"

    def describe(self) -> Described:
        """Describe the dataset."""
        return self.hook.describe_dataset(self.dataset_arn)

    def persist(self, context: Context) -> None:
        """Link to the project."""
        persist_link(CustomLabelsProjectLink, context, self, project_name=self.dataset_arn.split("/")[1])

    def details(self, described: Described) -> str:
        """Say what AWS counted."""
        return dataset_counts(described)

    def explain(self, described: Described) -> str:  # noqa: ARG002
        """Say what can be wrong with a dataset: AWS names no line of a manifest that it could not import."""
        return DATASET_FAULTS

    def trigger(self) -> DatasetStatusTrigger:
        """Wait for the dataset."""
        return DatasetStatusTrigger(dataset_arn=self.dataset_arn, **self.trigger_parameters())


class CustomLabelsVersionSensor(VersionResource, StatusSensor):
    """Wait until a model version is ``trained``, ``copied``, ``running``, ``stopped`` or ``deleted``.

    :param project_arn: the project (templated).
    :param version_name: the version's name (templated).
    """

    tables: ClassVar[dict[str, StatusTable]] = {table.goal: table for table in VERSION_TABLES}
    template_fields: Sequence[str] = aws_template_fields(*StatusSensor.template_fields, "project_arn", "version_name")
    operator_extra_links = (CustomLabelsVersionLink(),)

    def __init__(self, *, project_arn: str, version_name: str, until: str = "running", **kwargs: Any) -> None:
        super().__init__(until=until, **kwargs)
        self.project_arn = project_arn
        self.version_name = version_name

    def explain(self, described: Described) -> str:
        """Add what Custom Labels tells of a training that failed."""
        is_training = self.until == "trained"
        return explain_failed_training(described, self._hook_parameters) if is_training else ""
