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
from custom_labels.aws.inputs import require_inputs
from custom_labels.aws.links import CustomLabelsProjectLink, CustomLabelsVersionLink, persist_link, persist_version_link
from custom_labels.aws.manifest_summary import explain_failed_training
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
from custom_labels.aws.triggers.rekognition import DatasetStatusTrigger, ProjectVersionStatusTrigger
from custom_labels.errors import NotDecided

if TYPE_CHECKING:
    from airflow.providers.amazon.aws.triggers.base import AwsBaseWaiterTrigger
    from airflow.sdk import Context


class StatusSensor(AwsBaseSensor[RekognitionHook]):
    """Base of the sensors: one look at the status, judged by the same table in a worker and deferred.

    :param until: the wait's goal, a key of :attr:`tables`.
    :param deferrable: wait in the triggerer, holding no worker slot.
    """

    aws_hook_class = RekognitionHook
    tables: ClassVar[dict[str, StatusTable]]
    needed: ClassVar[tuple[str, ...]]
    """Templated fields without which nothing can be waited for."""
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
        self.deferrable = deferrable

    @property
    def table(self) -> StatusTable:
        """The statuses that end this sensor's wait, well or not."""
        return self.tables[self.until]

    @property
    def subject(self) -> str:
        """Name what is waited for, in messages."""
        raise NotImplementedError

    def describe(self) -> Described:
        """Ask AWS for the status now."""
        raise NotImplementedError

    def persist(self, context: Context) -> None:
        """Leave the console link."""
        raise NotImplementedError

    def trigger(self) -> AwsBaseWaiterTrigger:
        """Build the trigger that waits for :attr:`table`."""
        raise NotImplementedError

    def explain(self, described: Described) -> str:  # noqa: ARG002
        """Add what else is known of a failure; nothing unless a subclass knows more."""
        return ""

    def poke(self, context: Context) -> bool:  # noqa: ARG002
        """Judge the status now; a status from which the goal cannot be reached fails the sensor at once."""
        described = self.describe()
        verdict = self.table.judge(described.status)
        if verdict is Verdict.FAILED:
            extra = self.explain(described)
            raise AirflowFailException(
                f"{self.subject} is {described.status or GONE} instead of {self.table.goal}: "
                f"{described.message or 'AWS gave no status message'}{f'. {extra}' if extra else ''}"
            )
        self.log.info("%s is %s.", self.subject, described.status or GONE)
        return verdict is Verdict.DONE

    def execute(self, context: Context) -> None:
        """Look once; then poke in the worker, or defer."""
        try:
            require_inputs(self.task_id, {name: getattr(self, name) for name in self.needed})
        except NotDecided as error:
            raise AirflowFailException(str(error)) from error
        self.persist(context)
        if not self.deferrable:
            super().execute(context)
        elif not self.poke(context):
            self.defer(
                trigger=self.trigger(),
                method_name="execute_complete",
                timeout=timedelta(seconds=self.timeout),
            )

    def execute_complete(self, context: Context, event: dict[str, Any] | None = None) -> None:
        """Judge AWS's present word; go on waiting if the trigger saw less than the end, but for its time."""
        if CUT_SHORT in str((event or {}).get("message", "")):
            raise AirflowFailException(
                f"{self.subject} is not {self.table.goal} after {self.timeout:g} s, which is 'timeout'. Nothing was "
                "stopped; clear this task to go on waiting."
            )
        self.log.info("The trigger reported: %s", event)
        self.execute(context)

    def trigger_parameters(self) -> dict[str, Any]:
        """Give what every trigger of ours takes from its sensor."""
        delay = max(1, int(self.poke_interval))
        return {
            "waiter_name": self.table.waiter,
            "waiter_delay": delay,
            "waiter_max_attempts": max(1, int(self.timeout) // delay),
            "aws_conn_id": self.aws_conn_id,
            "region_name": self.region_name,
            "verify": self.verify,
            "botocore_config": self.botocore_config,
        }


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

    def explain(self, described: Described) -> str:  # noqa: ARG002
        """Say what can be wrong with a dataset: AWS names no line of a manifest that it could not import."""
        return DATASET_FAULTS

    def trigger(self) -> DatasetStatusTrigger:
        """Wait for the dataset."""
        return DatasetStatusTrigger(dataset_arn=self.dataset_arn, **self.trigger_parameters())


class CustomLabelsVersionSensor(StatusSensor):
    """Wait until a model version is ``trained``, ``copied``, ``running``, ``stopped`` or ``deleted``.

    :param project_arn: the project (templated).
    :param version_name: the version's name (templated).
    """

    tables: ClassVar[dict[str, StatusTable]] = {table.goal: table for table in VERSION_TABLES}
    needed: ClassVar[tuple[str, ...]] = ("project_arn", "version_name")
    template_fields: Sequence[str] = aws_template_fields(*StatusSensor.template_fields, "project_arn", "version_name")
    operator_extra_links = (CustomLabelsVersionLink(),)

    def __init__(self, *, project_arn: str, version_name: str, until: str = "running", **kwargs: Any) -> None:
        super().__init__(until=until, **kwargs)
        self.project_arn = project_arn
        self.version_name = version_name

    @property
    def subject(self) -> str:
        """Name the version."""
        return f"Model version '{self.version_name}'"

    def describe(self) -> Described:
        """Describe the version by its name."""
        return self.hook.describe_version(self.project_arn, self.version_name)

    def persist(self, context: Context) -> None:
        """Link to the version."""
        persist_version_link(context, self)

    def explain(self, described: Described) -> str:
        """Add what Custom Labels tells of a training that failed."""
        is_training = self.until == "trained"
        return explain_failed_training(described, self._hook_parameters) if is_training else ""

    def trigger(self) -> ProjectVersionStatusTrigger:
        """Wait for the version."""
        return ProjectVersionStatusTrigger(
            project_arn=self.project_arn, version_name=self.version_name, **self.trigger_parameters()
        )
