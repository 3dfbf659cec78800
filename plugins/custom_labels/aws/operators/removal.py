"""Operators that delete what a Custom Labels project is made of: its datasets, and the project itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from airflow.providers.amazon.aws.utils.mixins import aws_template_fields
from airflow.sdk.exceptions import AirflowException

from custom_labels.aws.links import CustomLabelsProjectLink, persist_link
from custom_labels.aws.operators.base import WaitingOperator
from custom_labels.aws.statuses import DATASET_DELETED, NOTHING, PROJECT_DELETED, Described, Verdict
from custom_labels.aws.triggers.rekognition import DatasetStatusTrigger, ProjectStatusTrigger

if TYPE_CHECKING:
    from airflow.sdk import Context

_BUSY = frozenset({"CREATE_IN_PROGRESS", "UPDATE_IN_PROGRESS"})
"""Statuses in which AWS deletes no dataset (guide, Deleting a dataset)."""


class RemovalOperator(WaitingOperator):
    """Base of the operators that delete something of a project.

    :param project_arn: the project (templated); of none, which is an empty text, there is nothing to delete. A project
        that was made anew under the same name has another ARN, and is left alone.
    """

    template_fields: Sequence[str] = aws_template_fields(*WaitingOperator.template_fields, "project_arn")
    operator_extra_links = (CustomLabelsProjectLink(),)

    def __init__(self, *, project_arn: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.project_arn = project_arn

    @property
    def project_name(self) -> str:
        """The project's name, which its ARN holds."""
        return self.project_arn.split("/")[1] if self.project_arn else ""

    def persist(self, context: Context) -> None:
        """Link to the project."""
        if self.project_arn:
            persist_link(CustomLabelsProjectLink, context, self, project_name=self.project_name)

    def find(self) -> Any:
        """Describe the very project of this ARN; ``None`` if it is gone."""
        found = self.hook.find_project(self.project_name) if self.project_arn else None
        return found if found is not None and found["ProjectArn"] == self.project_arn else None


class CustomLabelsDeleteDatasetOperator(RemovalOperator):
    """Delete a project's TRAIN or TEST dataset and wait until it is gone; without one there is nothing to do.

    One that is being made or changed is waited for first, since AWS deletes it only then. Versions that were trained on
    it stay as they are.

    :param dataset_type: ``TRAIN`` or ``TEST``.
    """

    table = DATASET_DELETED
    polls = (10, 360)

    def __init__(self, *, dataset_type: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.dataset_type = dataset_type
        self.dataset_arn = ""

    @property
    def subject(self) -> str:
        """Name the dataset."""
        return f"The {self.dataset_type} dataset of project '{self.project_name}'"

    def describe(self) -> Described:
        """Describe the dataset; the project names it as long as it is there."""
        project = self.find()
        datasets = project.get("Datasets", []) if project is not None else []
        self.dataset_arn = next(
            (each["DatasetArn"] for each in datasets if each["DatasetType"] == self.dataset_type), ""
        )
        return self.hook.describe_dataset(self.dataset_arn) if self.dataset_arn else NOTHING

    def submit(self, context: Context) -> Described:  # noqa: ARG002
        """Delete the dataset unless it is gone or going."""
        present = self.describe()
        if present.status in _BUSY:
            self.log.info("%s is %s: waiting until it can be deleted.", self.subject, present.status)
            present = self.poll(self.describe, replace(self.table, wait={*_BUSY}))
        if self.table.judge(present.status) is not Verdict.FAILED:
            return present
        client = self.hook.client
        try:
            client.delete_dataset(DatasetArn=present.arn)
        except client.exceptions.ResourceNotFoundException:
            self.log.info("%s is gone already.", self.subject)
            return NOTHING
        return replace(present, status="DELETE_IN_PROGRESS")

    def trigger(self) -> DatasetStatusTrigger:
        """Wait until the dataset is gone."""
        return DatasetStatusTrigger(dataset_arn=self.dataset_arn, **self.trigger_parameters())


class CustomLabelsDeleteProjectOperator(RemovalOperator):
    """Delete a project and wait until it is gone; its policies go with it. Irreversible.

    AWS refuses it while the project has a version or a dataset.
    """

    table = PROJECT_DELETED
    polls = (5, 360)

    @property
    def subject(self) -> str:
        """Name the project."""
        return f"Project '{self.project_name}'"

    def describe(self) -> Described:
        """Describe the project."""
        found = self.find()
        return Described(found["Status"], raw=dict(found)) if found is not None else NOTHING

    def submit(self, context: Context) -> Described:  # noqa: ARG002
        """Delete the project unless it is gone or going."""
        present = self.describe()
        if self.table.judge(present.status) is not Verdict.FAILED:
            return present
        client = self.hook.client
        try:
            client.delete_project(ProjectArn=self.project_arn)
        except client.exceptions.ResourceNotFoundException:
            self.log.info("%s is gone already.", self.subject)
            return NOTHING
        except client.exceptions.ResourceInUseException as error:
            raise AirflowException(
                f"{self.subject} cannot be deleted yet: {error}. AWS deletes {self.project_arn} once it has neither a "
                "version nor a dataset. Delete those first, then clear this task."
            ) from error
        return replace(present, status="DELETING")

    def trigger(self) -> ProjectStatusTrigger:
        """Wait until the project is gone."""
        return ProjectStatusTrigger(project_name=self.project_name, **self.trigger_parameters())
