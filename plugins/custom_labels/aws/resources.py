"""What an operator and a sensor on the same kind of resource have in common: its name, its status, and its errors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from airflow.providers.amazon.aws.utils.mixins import AwsBaseHookMixin
from airflow.sdk.exceptions import AirflowFailException

from custom_labels.aws.hooks.rekognition import RekognitionHook
from custom_labels.aws.inputs import require_inputs
from custom_labels.aws.links import CustomLabelsVersionLink, persist_link
from custom_labels.aws.statuses import GONE, Described, StatusTable
from custom_labels.aws.triggers.rekognition import ProjectVersionStatusTrigger
from custom_labels.errors import NotDecided

if TYPE_CHECKING:
    from airflow.providers.amazon.aws.triggers.base import AwsBaseWaiterTrigger
    from airflow.sdk import Context


class Resource(AwsBaseHookMixin[RekognitionHook]):
    """Something at AWS whose status a task waits for; the same table judges it in a worker and deferred."""

    aws_hook_class = RekognitionHook
    task_id: str
    table: StatusTable
    needed: ClassVar[tuple[str, ...]] = ()
    """Templated fields without which there is nothing to work on."""

    @property
    def subject(self) -> str:
        """Name it, in messages."""
        raise NotImplementedError

    @property
    def bounds(self) -> tuple[int, int]:
        """Seconds between two polls, and the number of polls."""
        raise NotImplementedError

    def describe(self) -> Described:
        """Ask AWS for the status now."""
        raise NotImplementedError

    def trigger(self) -> AwsBaseWaiterTrigger:
        """Build the trigger that waits for :attr:`table`."""
        raise NotImplementedError

    def persist(self, context: Context) -> None:
        """Leave what the task's console link needs; nothing where it has none."""

    def explain(self, described: Described) -> str:  # noqa: ARG002
        """Add what else is known of a failure; nothing unless a subclass knows more."""
        return ""

    def details(self, described: Described) -> str:  # noqa: ARG002
        """Add to the log what AWS counted; nothing unless a subclass knows more."""
        return ""

    def check_inputs(self) -> None:
        """Fail for good where a needed field has no value."""
        try:
            require_inputs(self.task_id, {name: getattr(self, name) for name in self.needed})
        except NotDecided as error:
            raise AirflowFailException(str(error)) from error

    def failure(self, described: Described) -> str:
        """Say what it is instead of what was waited for, with AWS's own message in full."""
        detail = described.message.strip() or "AWS gave no status message"
        extra = self.explain(described)
        text = f"{self.subject} is {described.status or GONE} instead of {self.table.goal}: {detail}"
        return f"{text.rstrip('.')}. {extra}" if extra else text

    def trigger_parameters(self) -> dict[str, Any]:
        """Give what every trigger of ours takes from its operator or sensor."""
        delay, attempts = self.bounds
        return {
            "waiter_name": self.table.waiter,
            "waiter_delay": delay,
            "waiter_max_attempts": attempts,
            "aws_conn_id": self.aws_conn_id,
            "region_name": self.region_name,
            "verify": self.verify,
            "botocore_config": self.botocore_config,
        }


def dataset_counts(described: Described) -> str:
    """Say how many lines of its manifest a dataset has: lines that AWS dropped without a word show in the counts."""
    stats = described.raw.get("DatasetStats")
    if not stats:
        return ""
    return (
        f": {stats.get('TotalEntries')} entries, {stats.get('LabeledEntries')} labelled, "
        f"{stats.get('ErrorEntries')} with errors"
    )


class VersionResource(Resource):
    """One model version, which is always addressed by its name."""

    project_arn: str
    version_name: str
    trigger_class: ClassVar[type[ProjectVersionStatusTrigger]] = ProjectVersionStatusTrigger
    needed: ClassVar[tuple[str, ...]] = ("project_arn", "version_name")

    @property
    def subject(self) -> str:
        """Name the version."""
        return f"Model version '{self.version_name}'"

    def describe(self) -> Described:
        """Describe the version by its name."""
        return self.hook.describe_version(self.project_arn, self.version_name)

    def trigger(self, **more: Any) -> ProjectVersionStatusTrigger:
        """Wait for the version."""
        parameters = {**self.trigger_parameters(), **more}
        return self.trigger_class(project_arn=self.project_arn, version_name=self.version_name, **parameters)

    def persist(self, context: Context) -> None:
        """Link to the version."""
        names = {"project_name": self.project_arn.split("/")[1], "version_name": self.version_name}
        persist_link(CustomLabelsVersionLink, context, self, **names)
