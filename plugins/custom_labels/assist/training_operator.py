"""The operator that lets the train DAG train on a round's answers, and waits for the end of its run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NoReturn

from airflow.providers.standard.operators.trigger_dagrun import TriggerDagRunOperator
from airflow.providers.standard.triggers.external_task import DagStateTrigger
from airflow.sdk import conf

if TYPE_CHECKING:
    from airflow.sdk import Context

ENDED: list[Any] = ["success", "failed"]


class TrainOnAnswersOperator(TriggerDagRunOperator):
    """Trigger the train DAG and wait, without a worker slot, until its run has ended, however it has.

    The run's id is derived, so that a second try finds the run that the first one triggered and waits for that: what
    it pays is paid once. How the training ended is read from the registry by the step after this one, since a version
    that the gates refuse, or a run that failed, is an answer too.

    :param trigger_run_id: id of the train DAG's run (templated).
    :param poll_seconds: seconds between two polls of its state (templated).
    """

    template_fields: Sequence[str] = (*TriggerDagRunOperator.template_fields, "poll_seconds")

    def __init__(
        self,
        *,
        poll_seconds: int | str = 60,
        deferrable: bool = conf.getboolean("operators", "default_deferrable", fallback=False),
        **kwargs: Any,
    ) -> None:
        super().__init__(
            wait_for_completion=True, allowed_states=ENDED, failed_states=[], deferrable=deferrable, **kwargs
        )
        self.poll_seconds = poll_seconds

    def execute(self, context: Context) -> None:
        """Trigger the run, unless an earlier try did, and wait for its end."""
        self.poke_interval = int(self.poll_seconds)
        if context["ti"].get_dr_count(dag_id=self.trigger_dag_id, run_ids=[str(self.trigger_run_id)]):
            self.log.info("Run '%s' of '%s' was triggered by an earlier try.", self.trigger_run_id, self.trigger_dag_id)
            self.wait_on()
        super().execute(context)

    def wait_on(self) -> NoReturn:
        """Wait for the run that there is."""
        self.defer(
            trigger=DagStateTrigger(
                dag_id=self.trigger_dag_id,
                states=ENDED,
                run_ids=[str(self.trigger_run_id)],
                poll_interval=self.poke_interval,
            ),
            method_name="execute_complete",
        )
