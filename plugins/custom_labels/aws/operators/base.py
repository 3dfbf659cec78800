"""What every operator and sensor of this package that waits for AWS has in common."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn

from airflow.providers.amazon.aws.operators.base_aws import AwsBaseOperator
from airflow.providers.amazon.aws.utils.mixins import aws_template_fields
from airflow.providers.amazon.aws.utils.waiter_with_logging import wait
from airflow.sdk import conf
from airflow.sdk.exceptions import AirflowException, AirflowFailException

from custom_labels.aws.hooks.rekognition import RekognitionHook
from custom_labels.aws.inputs import require_inputs
from custom_labels.aws.statuses import CUT_SHORT, GONE, Described, StatusTable, Verdict
from custom_labels.errors import NotDecided

if TYPE_CHECKING:
    from airflow.providers.amazon.aws.triggers.base import AwsBaseWaiterTrigger
    from airflow.sdk import Context

ENDED = "terminal failure"
"""How botocore words a status that a waiter fails at."""


class CustomLabelsOperator(AwsBaseOperator[RekognitionHook]):
    """Base of the operators on Rekognition Custom Labels: the hook and the connection's parameters.

    :param aws_conn_id: the Airflow connection (templated); likewise ``region_name`` and ``verify``.
    :param botocore_config: keywords for a botocore ``Config`` (templated).
    """

    aws_hook_class = RekognitionHook
    template_fields: Sequence[str] = aws_template_fields("botocore_config")
    ui_color = "#e7f0fa"


class WaitingOperator(CustomLabelsOperator):
    """Submit something to AWS, then wait for its status, in a worker or deferred, with one decision for both.

    A subclass declares :attr:`table`, and implements ``submit``, ``describe``, ``trigger`` and ``result``. ``submit``
    must be safe to repeat: describe first, then create, and adopt what carries the name.

    :param waiter_delay: seconds between two polls of the status (templated).
    :param waiter_max_attempts: number of polls before giving up (templated).
    :param wait_for_completion: wait at all; a sensor may do so instead.
    :param deferrable: wait in the triggerer, holding no worker slot.
    """

    table: ClassVar[StatusTable]
    needed: ClassVar[tuple[str, ...]] = ()
    """Templated fields without which nothing can be submitted."""
    final_failure: ClassVar[bool] = False
    """Whether a failed status is for good, so that a retry of the task would be of no use."""
    template_fields: Sequence[str] = aws_template_fields("botocore_config", "waiter_delay", "waiter_max_attempts")

    def __init__(
        self,
        *,
        waiter_delay: int | str = 60,
        waiter_max_attempts: int | str = 120,
        wait_for_completion: bool = True,
        deferrable: bool = conf.getboolean("operators", "default_deferrable", fallback=False),
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.waiter_delay = waiter_delay
        self.waiter_max_attempts = waiter_max_attempts
        self.wait_for_completion = wait_for_completion
        self.deferrable = deferrable

    def submit(self, context: Context) -> None:
        """Make AWS begin, or find that it has begun already."""
        raise NotImplementedError

    def describe(self) -> Described:
        """Ask AWS for the status now."""
        raise NotImplementedError

    def trigger(self) -> AwsBaseWaiterTrigger:
        """Build the trigger that waits for :attr:`table`."""
        raise NotImplementedError

    def waiter_args(self) -> dict[str, Any]:
        """Give the parameters of the waiter's operation."""
        raise NotImplementedError

    def result(self, described: Described, context: Context) -> Any:
        """Turn the final description into the task's XCom."""
        raise NotImplementedError

    def explain(self, described: Described) -> str:  # noqa: ARG002
        """Add what else is known of a failure; nothing unless a subclass knows more."""
        return ""

    @property
    def subject(self) -> str:
        """Name what is waited for, in messages."""
        raise NotImplementedError

    def execute(self, context: Context) -> Any:
        """Submit, look once, then wait."""
        try:
            require_inputs(self.task_id, {name: getattr(self, name) for name in self.needed})
        except NotDecided as error:
            raise AirflowFailException(str(error)) from error
        self.submit(context)
        return self.settle(context) if self.wait_for_completion else self.result(self.describe(), context)

    def settle(self, context: Context) -> Any:
        """Judge the status now; wait only if it says so."""
        described = self.describe()
        while (verdict := self.table.judge(described.status)) is Verdict.WAIT:
            self.log.info("%s is %s: waiting until it is %s.", self.subject, described.status, self.table.goal)
            if self.deferrable:
                self.defer(trigger=self.trigger(), method_name="execute_complete", timeout=self.longest_wait())
            self.wait_in_worker()
            described = self.describe()
        if verdict is Verdict.FAILED:
            self.fail(described)
        return self.result(described, context)

    def execute_complete(self, context: Context, event: dict[str, Any] | None = None) -> Any:
        """Come back from the triggerer: AWS's present word counts, not the event's."""
        message = str((event or {}).get("message", ""))
        if CUT_SHORT in message:
            self.give_up()
        if (event or {}).get("status") != "success":
            self.log.info("The trigger reported: %s", message or event)
        return self.settle(context)

    def wait_in_worker(self) -> None:
        """Poll with the same waiter as the trigger; what it ends with is judged by the caller."""
        try:
            wait(
                waiter=self.hook.get_waiter(self.table.waiter),
                waiter_delay=int(self.waiter_delay),
                waiter_max_attempts=int(self.waiter_max_attempts),
                args=self.waiter_args(),
                failure_message=self.subject,
                status_message=f"Waiting until {self.subject} is {self.table.goal}",
                status_args=self.trigger().status_queries,
            )
        except AirflowException as error:
            # By its words, as in the triggerer: the providers of MWAA have no classes of their own for the two ends.
            if CUT_SHORT in str(error):
                self.give_up()
            if ENDED not in str(error):
                raise
            self.log.info("The waiter ended with: %s", error)

    def longest_wait(self) -> timedelta:
        """Bound the deferral: the waiting loop's own bound, and as much again for calls that are throttled."""
        return timedelta(seconds=2 * int(self.waiter_delay) * int(self.waiter_max_attempts) + 300)

    def trigger_parameters(self) -> dict[str, Any]:
        """Give what every trigger of ours takes from its operator."""
        return {
            "waiter_name": self.table.waiter,
            "waiter_delay": int(self.waiter_delay),
            "waiter_max_attempts": int(self.waiter_max_attempts),
            "aws_conn_id": self.aws_conn_id,
            "region_name": self.region_name,
            "verify": self.verify,
            "botocore_config": self.botocore_config,
        }

    def fail(self, described: Described) -> NoReturn:
        """Raise what AWS says, in full."""
        detail = described.message.strip() or "AWS gave no status message"
        extra = self.explain(described)
        error = AirflowFailException if self.final_failure else AirflowException
        raise error(
            f"{self.subject} is {described.status or GONE} instead of {self.table.goal}: {detail}"
            + (f" {extra}" if extra else "")
        )

    def give_up(self) -> NoReturn:
        """Raise that the wait took too long; a retry goes on waiting for the same thing."""
        waited = int(self.waiter_delay) * int(self.waiter_max_attempts)
        raise AirflowException(
            f"{self.subject} is not {self.table.goal} after {waited} s: 'waiter_max_attempts' is "
            f"{self.waiter_max_attempts} polls, one each {self.waiter_delay} s. Nothing was stopped; clear this task "
            "to go on waiting, or raise 'waiter_max_attempts'."
        )
