"""What every operator of this package has in common, and those that wait for a status of AWS."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn

from airflow.providers.amazon.aws.operators.base_aws import AwsBaseOperator
from airflow.providers.amazon.aws.utils.mixins import aws_template_fields
from airflow.sdk import conf
from airflow.sdk.exceptions import AirflowException, AirflowFailException

from custom_labels.aws.hooks.rekognition import RekognitionHook
from custom_labels.aws.resources import Resource
from custom_labels.aws.statuses import CUT_SHORT, GONE, Described, StatusTable, Verdict

if TYPE_CHECKING:
    from airflow.sdk import Context


class CustomLabelsOperator(Resource, AwsBaseOperator[RekognitionHook]):
    """Base of the operators on Rekognition Custom Labels: the hook and the connection's parameters.

    :param aws_conn_id: the Airflow connection (templated); likewise ``region_name`` and ``verify``.
    :param botocore_config: keywords for a botocore ``Config`` (templated).
    """

    template_fields: Sequence[str] = aws_template_fields("botocore_config")
    ui_color = "#e7f0fa"


class WaitingOperator(CustomLabelsOperator):
    """Submit something to AWS, then wait for its status, in a worker or deferred, with one decision for both.

    A subclass declares :attr:`table`, and implements ``subject``, ``submit``, ``describe`` and ``trigger``. ``submit``
    must be safe to repeat: describe first, then create, and adopt what carries the name. What it knows of the resource
    after that is not asked for again.

    :param waiter_delay: seconds between two polls of the status (templated).
    :param waiter_max_attempts: number of polls before giving up (templated).
    :param wait_for_completion: wait at all; a sensor may do so instead.
    :param deferrable: wait in the triggerer, holding no worker slot.
    """

    polls: ClassVar[tuple[int, int]] = (60, 120)
    """The defaults of ``waiter_delay`` and ``waiter_max_attempts``."""
    final_failure: bool = False
    """Whether a failed status is for good, so that a retry of the task would be of no use."""
    template_fields: Sequence[str] = aws_template_fields("botocore_config", "waiter_delay", "waiter_max_attempts")

    def __init__(
        self,
        *,
        waiter_delay: int | str | None = None,
        waiter_max_attempts: int | str | None = None,
        wait_for_completion: bool = True,
        deferrable: bool = conf.getboolean("operators", "default_deferrable", fallback=False),
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.waiter_delay = self.polls[0] if waiter_delay is None else waiter_delay
        self.waiter_max_attempts = self.polls[1] if waiter_max_attempts is None else waiter_max_attempts
        self.wait_for_completion = wait_for_completion
        self.deferrable = deferrable

    @property
    def bounds(self) -> tuple[int, int]:
        """Seconds between two polls, and the number of polls."""
        return int(self.waiter_delay), int(self.waiter_max_attempts)

    def submit(self, context: Context) -> Described:
        """Make AWS begin, or find that it has begun already; give the description then, or the ARN with a status."""
        raise NotImplementedError

    def result(self, described: Described, context: Context) -> Any:  # noqa: ARG002
        """Turn the final description into the task's XCom: the ARN, unless a subclass knows more."""
        return described.arn

    def execute(self, context: Context) -> Any:
        """Submit, then wait unless a sensor does."""
        self.check_inputs()
        self.persist(context)
        begun = self.submit(context)
        if not self.wait_for_completion:
            return begun.arn
        # What is begun only now can be done a moment later, as a project is.
        done = self.table.judge(begun.status) is Verdict.DONE
        return self.settle(context, begun if done else self.describe())

    def settle(self, context: Context, described: Described) -> Any:
        """Judge a status; wait only if it says so."""
        if self.table.judge(described.status) is Verdict.WAIT:
            self.log.info("%s is %s: waiting until it is %s.", self.subject, described.status, self.table.goal)
            if self.deferrable:
                self.defer(trigger=self.trigger(), method_name="execute_complete", timeout=self.longest_wait())
            described = self.poll(self.describe, self.table)
        match self.table.judge(described.status):
            case Verdict.WAIT:
                self.give_up()
            case Verdict.FAILED:
                self.fail(described)
        self.log.info("%s is %s%s.", self.subject, described.status or GONE, self.details(described))
        return self.result(described, context)

    def execute_complete(self, context: Context, event: dict[str, Any] | None = None) -> Any:
        """Come back from the triggerer: AWS's present word counts, not the event's."""
        self.log.info("The trigger reported: %s", event)
        if CUT_SHORT in str((event or {}).get("message", "")):
            self.give_up()
        return self.settle(context, self.describe())

    def poll(self, describe: Callable[[], Described], table: StatusTable) -> Described:
        """Ask for a status in the worker while it is one to wait through; the caller judges the last one."""
        delay, attempts = self.bounds
        described = describe()
        for _ in range(attempts - 1):
            if table.judge(described.status) is not Verdict.WAIT:
                break
            time.sleep(delay)
            described = describe()
        return described

    def longest_wait(self) -> timedelta:
        """Bound the deferral: the waiting loop's own bound, and as much again for calls that are throttled."""
        delay, attempts = self.bounds
        return timedelta(seconds=2 * delay * attempts + 300)

    def fail(self, described: Described) -> NoReturn:
        """Raise what AWS says, in full."""
        raise (AirflowFailException if self.final_failure else AirflowException)(self.failure(described))

    def give_up(self) -> NoReturn:
        """Raise that the wait took too long; a retry goes on waiting for the same thing."""
        delay, attempts = self.bounds
        raise AirflowException(
            f"{self.subject} is not {self.table.goal} after {delay * attempts} s: 'waiter_max_attempts' is "
            f"{attempts} polls, one each {delay} s. Nothing was stopped; clear this task to go on waiting, or raise "
            "'waiter_max_attempts'."
        )
