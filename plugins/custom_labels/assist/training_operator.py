"""The operators that let the train DAG train on a round's answers, and wait for the end of its run."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from airflow.providers.standard.operators.trigger_dagrun import TriggerDagRunOperator
from airflow.providers.standard.triggers.external_task import DagStateTrigger
from airflow.sdk import BaseOperator, TaskGroup, TriggerRule, conf

from custom_labels.assist.settings import AssistSettings
from custom_labels.core.settings import Project
from custom_labels.core.steps import order

if TYPE_CHECKING:
    from airflow.sdk import Context

ENDED: list[Any] = ["success", "failed"]
SPARE_HOURS = 24.0
"""Hours that a run of the train DAG may take beside its training and an approval: it may wait for another one first."""
TRAIN_ON_ANSWERS = {"even_if_training_is_off": True, "minimum_untrained_images": 1}
"""Params of the training after a round: a person asked for it, and the round says how many images are enough."""


def train_on_answers(project: Project, settings: AssistSettings, run_id: str) -> list[BaseOperator]:
    """Add the tasks that trigger a run of the train DAG and wait for its end, however it ends.

    A decision has to lead to both: the second one waits also where Airflow skips the first one, whose run there is.

    How the training ended is read from the registry by the step after them, since a version that the gates refuse, or a
    run that failed, is an answer too.

    :param run_id: of the run, derived from the round: a second try finds the run that the first one triggered, so that
        what it pays is paid once.
    """
    with TaskGroup("train", prefix_group_id=False, tooltip="Train on all answers of the round"):
        trigger_training_run = TriggerDagRunOperator(
            task_id="trigger_training_run",
            trigger_dag_id=f"{project.name}_train",
            trigger_run_id=run_id,
            conf=TRAIN_ON_ANSWERS,
            skip_when_already_exists=True,
            deferrable=True,
        )
        training_run_has_ended = WaitForTrainingRunOperator(
            task_id="training_run_has_ended",
            dag_id_of_run=f"{project.name}_train",
            run_id_of_run=run_id,
            poll_seconds=settings.status_poll_seconds,
            training_hours=settings.training_timeout_hours,
            approval_hours=settings.approval_timeout_hours,
            deferrable=True,
            trigger_rule=TriggerRule.NONE_FAILED_MIN_ONE_SUCCESS,
        )
        order(trigger_training_run, training_run_has_ended)
    return [trigger_training_run, training_run_has_ended]


class WaitForTrainingRunOperator(BaseOperator):
    """Wait until a run of the train DAG has ended, without a worker slot.

    :param dag_id_of_run: the train DAG.
    :param run_id_of_run: the run (templated).
    :param poll_seconds: seconds between two polls of its state (templated).
    :param training_hours: hours that a training may take (templated), and ``approval_hours`` a person's approval
        (templated); after both and a day the wait is given up.
    :param deferrable: it always waits in the triggerer; named so that all waits are alike.
    """

    template_fields: Sequence[str] = ("run_id_of_run", "poll_seconds", "training_hours", "approval_hours")
    ui_color = "#f6efdb"

    def __init__(
        self,
        *,
        dag_id_of_run: str,
        run_id_of_run: str,
        poll_seconds: float | str,
        training_hours: float | str,
        approval_hours: float | str,
        deferrable: bool = conf.getboolean("operators", "default_deferrable", fallback=False),
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.dag_id_of_run = dag_id_of_run
        self.run_id_of_run = run_id_of_run
        self.poll_seconds = poll_seconds
        self.training_hours = training_hours
        self.approval_hours = approval_hours
        self.deferrable = deferrable

    def execute(self, context: Context) -> None:
        """Look once, and wait where it has not ended."""
        ended = context["ti"].get_dr_count(dag_id=self.dag_id_of_run, run_ids=[self.run_id_of_run], states=ENDED)
        if ended:
            self.log.info("Run '%s' of '%s' has ended.", self.run_id_of_run, self.dag_id_of_run)
            return
        self.defer(
            trigger=DagStateTrigger(
                dag_id=self.dag_id_of_run,
                states=ENDED,
                run_ids=[self.run_id_of_run],
                poll_interval=float(self.poll_seconds),
            ),
            method_name="execute_complete",
            timeout=timedelta(hours=float(self.training_hours) + float(self.approval_hours) + SPARE_HOURS),
        )

    def execute_complete(self, context: Context, event: Any = None) -> None:  # noqa: ARG002
        """Go on now that it has."""
        self.log.info("Run '%s' of '%s' has ended.", self.run_id_of_run, self.dag_id_of_run)
