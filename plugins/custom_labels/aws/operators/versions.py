"""Operators that train, start, stop and delete a version of a Custom Labels model."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn
from urllib.parse import urlsplit

from airflow.providers.amazon.aws.utils.mixins import aws_template_fields
from airflow.sdk.exceptions import AirflowException, AirflowFailException

from custom_labels.aws.hooks.rekognition import LimitExceeded, RekognitionHook
from custom_labels.aws.links import CustomLabelsVersionLink
from custom_labels.aws.manifest_summary import explain_failed_training
from custom_labels.aws.operators.base import WaitingOperator
from custom_labels.aws.resources import VersionResource
from custom_labels.aws.statuses import (
    CUT_SHORT,
    NOTHING,
    STARTABLE,
    VERSION_DELETED,
    VERSION_RUNNING,
    VERSION_STOPPED,
    VERSION_TRAINED,
    Described,
    Verdict,
)
from custom_labels.aws.triggers.rekognition import ProjectVersionStatusTrigger

if TYPE_CHECKING:
    from airflow.sdk import Context


class VersionOperator(VersionResource, WaitingOperator):
    """Base of the operators on one model version.

    :param project_arn: the project (templated).
    :param version_name: the version's name, unique in the project (templated).
    """

    template_fields: Sequence[str] = aws_template_fields(
        *WaitingOperator.template_fields, "project_arn", "version_name"
    )
    operator_extra_links = (CustomLabelsVersionLink(),)

    def __init__(self, *, project_arn: str, version_name: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.project_arn = project_arn
        self.version_name = version_name

    def result(self, described: Described, context: Context) -> str:  # noqa: ARG002
        """Return the version's ARN."""
        return described.arn

    def create(
        self, status: str, call: Callable[..., Mapping[str, Any]], output_uri: str, tags: dict[str, str] | None
    ) -> Described:
        """Make the version unless there is one of that name, which is adopted.

        :param status: the status in which AWS makes it.
        :param call: what makes it, given name, output and tags.
        :param output_uri: ``s3://`` URI of the prefix for its files.
        """
        present = self.describe()
        if present.status is None:
            self.require_permission()
            parts = urlsplit(output_uri)
            output = {"S3Bucket": parts.netloc, "S3KeyPrefix": parts.path.strip("/")}
            try:
                made = call(VersionName=self.version_name, OutputConfig=output, Tags=tags or {})
            except self.hook.client.exceptions.ResourceInUseException as error:
                # Raised for a name that is taken, and for a source that is busy: only the first is ours to adopt.
                present = self.describe()
                if present.status is None:
                    raise
                self.log.info("%s was created meanwhile: %s", self.subject, error)
            else:
                return Described(status, raw=made)
        self.adopt(present)
        self.hook.ensure_tags(present.arn, tags or {})
        return present

    def require_permission(self) -> None:
        """Fail where the version may not be made; a subclass may know when."""

    def adopt(self, present: Described) -> None:
        """Take the version of that name for the one that was to be made."""
        self.log.info("Adopting %s, which is %s: it is not made again.", self.subject, present.status)

    def refuse(self, described: Described, wanted: str) -> None:
        """Raise that the version is in a state from which the wanted one cannot be reached."""
        raise AirflowFailException(
            f"{self.subject} is {described.status or 'not there'} and cannot be {wanted}; AWS says: "
            f"'{described.message}'. Inspect it in the Custom Labels console (link on this task)."
        )


class CustomLabelsTrainVersionOperator(VersionOperator):
    """Train a model version on the project's datasets, or adopt the one of that name. XCom: the version's ARN.

    Training is paid by the hour and cannot be stopped, so the name must be derived and not random: whatever happened
    to an earlier try, the version of that name is described first and never made twice.

    :param output_uri: ``s3://`` URI of the prefix for Custom Labels' evaluation files (templated).
    :param tags: tags of the version, which an adopted one gets as well (templated).
    """

    table = VERSION_TRAINED
    polls = (60, 1560)
    final_failure = True
    how_to_delete: ClassVar[str] = "delete versions that are not needed"
    """How a project gets fewer versions, for the words of an error; a subclass may know a better way."""
    template_fields: Sequence[str] = aws_template_fields(*VersionOperator.template_fields, "output_uri", "tags")

    def __init__(
        self,
        *,
        output_uri: str,
        tags: dict[str, str] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.output_uri = output_uri
        self.tags = tags

    def submit(self, context: Context) -> Described:  # noqa: ARG002
        """Create the version unless it is there."""
        client = self.hook.client
        train = partial(client.create_project_version, ProjectArn=self.project_arn)
        try:
            return self.create("TRAINING_IN_PROGRESS", train, self.output_uri, self.tags)
        except client.exceptions.ServiceQuotaExceededException as error:
            raise AirflowException(
                f"{self.subject} cannot be trained: {error}. A project has 100 versions unless its quota was raised. "
                f"Nothing was started or paid; {self.how_to_delete}, or ask for a higher quota, then "
                "clear this task."
            ) from error
        except LimitExceeded as error:
            raise AirflowException(
                f"{self.subject} cannot be trained now: {error}. An account trains two versions at once unless its "
                "quota was raised. Nothing was started or paid; clear this task when a training has ended, or ask "
                "for a higher quota."
            ) from error

    def explain(self, described: Described) -> str:
        """Add the codes of the manifest summary, where Custom Labels tells what was wrong with the images."""
        return explain_failed_training(described, self._hook_parameters)


class CustomLabelsStartVersionOperator(VersionOperator):
    """Start a trained version and wait until it is RUNNING. XCom: the version's ARN.

    A running version is billed by the minute. The running-model quota (two a region by default) being full is an
    error that names the way out, unless ``stop_first`` names a version to stop in that case.

    :param min_inference_units: inference units to start with, 1-5 by default quota (templated).
    :param max_inference_units: units up to which the service may scale; no scaling if not given (templated).
    :param stop_first: ``project_arn`` and ``version_name`` of the one version that is stopped if the quota is full, and
        only then; none if empty. Nothing of it serves until this one runs. Whoever stops it starts it again after a
        failure: once it is stopped, a failure is final, so that this happens at once (templated).
    """

    table = VERSION_RUNNING
    polls = (30, 80)
    how_to_make_room: ClassVar[str] = "stop a model that is not needed"
    """How an account comes to run fewer models, for the words of an error; a subclass may know a better way."""
    template_fields: Sequence[str] = aws_template_fields(
        *VersionOperator.template_fields, "min_inference_units", "max_inference_units", "stop_first"
    )

    def __init__(
        self,
        *,
        min_inference_units: int | str = 1,
        max_inference_units: int | str | None = None,
        stop_first: dict[str, str] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.min_inference_units = min_inference_units
        self.max_inference_units = max_inference_units
        self.stop_first = stop_first

    def submit(self, context: Context) -> Described:
        """Start the version unless it is starting or running."""
        present = self.describe()
        if self.table.judge(present.status) is not Verdict.FAILED:
            self.log.info("%s is %s already.", self.subject, present.status)
            return present
        if present.status not in STARTABLE:
            self.refuse(present, "started")
        units: dict[str, Any] = {"MinInferenceUnits": int(self.min_inference_units)}
        if self.max_inference_units not in {None, "", "None"}:
            units["MaxInferenceUnits"] = int(str(self.max_inference_units))
        client = self.hook.client
        try:
            client.start_project_version(ProjectVersionArn=present.arn, **units)
        except client.exceptions.ResourceInUseException as error:
            self.log.info("%s is being started by another caller: %s", self.subject, error)
        except LimitExceeded as error:
            return self.stop_for_quota(error, context)
        return replace(present, status="STARTING")

    def stop_for_quota(self, error: LimitExceeded, context: Context) -> Described:
        """Stop the version that is to go if the quota is full, wait until it is stopped, and begin again."""
        if not self.stop_first:
            raise AirflowException(
                f"{self.subject} cannot be started: {error}. An account runs two models at once unless its quota was "
                f"raised. Nothing was stopped; {self.how_to_make_room}, or ask for a higher quota, then clear this "
                "task."
            ) from error
        other = self.hook.describe_version(**self.stop_first)
        if VERSION_STOPPED.judge(other.status) is Verdict.DONE:
            raise AirflowFailException(
                f"{self.subject} cannot be started: {error}. Version '{self.stop_first['version_name']}' is stopped "
                "already, so others take the places of the quota. Stop a model that is not needed, or ask for a higher "
                "quota, then clear this task."
            ) from error
        self.log.warning("%s. Stopping version '%s', as asked for.", error, self.stop_first["version_name"])
        CustomLabelsStopVersionOperator.stop(self.hook, other)
        if self.deferrable:
            parameters = self.trigger_parameters() | self.stop_first | {"waiter_name": VERSION_STOPPED.waiter}
            trigger = ProjectVersionStatusTrigger(**parameters)
            self.defer(trigger=trigger, method_name="execute_after_stop", timeout=self.longest_wait())
        describe = partial(self.hook.describe_version, **self.stop_first)
        if VERSION_STOPPED.judge(self.poll(describe, VERSION_STOPPED).status) is Verdict.WAIT:
            self.give_up()
        return self.submit(context)

    def execute_after_stop(self, context: Context, event: dict[str, Any] | None = None) -> Any:
        """Begin again after the trigger saw the other version stopped."""
        if CUT_SHORT in str((event or {}).get("message", "")):
            self.give_up()
        return self.execute(context)

    def fail(self, described: Described) -> NoReturn:
        """Raise what AWS says; for good where another version was stopped for this one."""
        if self.stop_first:
            other = self.hook.describe_version(**self.stop_first)
            self.final_failure = VERSION_STOPPED.judge(other.status) is Verdict.DONE
        super().fail(described)

    def trigger(self, **more: Any) -> ProjectVersionStatusTrigger:
        """Wait for RUNNING; a user who kills the task does not leave a model starting."""
        return super().trigger(stop_on_kill=True, **more)

    def on_kill(self) -> None:
        """Stop the version that this task was starting, where AWS lets a starting version be stopped."""
        client = self.hook.client
        try:
            client.stop_project_version(ProjectVersionArn=self.describe().arn)
        except (client.exceptions.ResourceInUseException, client.exceptions.ResourceNotFoundException) as error:
            self.log.warning("%s could not be stopped yet: %s. Stop it when it runs.", self.subject, error)


class CustomLabelsStopVersionOperator(VersionOperator):
    """Stop a version and wait until it is STOPPED; one that does not run is left as it is. XCom: its ARN."""

    table = VERSION_STOPPED
    polls = (15, 120)

    def submit(self, context: Context) -> Described:  # noqa: ARG002
        """Stop the version if it runs; one that is still starting is waited for, since it cannot be stopped yet."""
        present = self.describe()
        if self.table.judge(present.status) is not Verdict.FAILED:
            self.log.info("%s is %s: nothing to stop.", self.subject, present.status)
            return present
        if VERSION_RUNNING.judge(present.status) is Verdict.FAILED:
            self.refuse(present, "stopped")
        if present.status == "STARTING":
            self.log.info("%s is STARTING: waiting until it can be stopped.", self.subject)
            self.poll(self.describe, VERSION_RUNNING)
        self.stop(self.hook, present)
        return replace(present, status="STOPPING")

    @staticmethod
    def stop(hook: RekognitionHook, version: Described) -> None:
        """Ask AWS to stop a version; where it refuses, the status shows whether it was stopped or failed meanwhile."""
        client = hook.client
        try:
            client.stop_project_version(ProjectVersionArn=version.arn)
        except client.exceptions.ResourceInUseException as error:
            hook.log.info("%s was not stopped by us: %s", version.arn, error)


class CustomLabelsDeleteVersionOperator(VersionOperator):
    """Delete a version and wait until it is gone. Irreversible; a running or training version is refused by AWS."""

    table = VERSION_DELETED
    polls = (15, 120)

    def submit(self, context: Context) -> Described:  # noqa: ARG002
        """Delete the version unless it is gone or going."""
        present = self.describe()
        if self.table.judge(present.status) is not Verdict.FAILED:
            return present
        client = self.hook.client
        try:
            client.delete_project_version(ProjectVersionArn=present.arn)
        except client.exceptions.ResourceNotFoundException:
            self.log.info("%s is gone already.", self.subject)
            return NOTHING
        return replace(present, status="DELETING")
