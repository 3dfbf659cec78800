"""<project>_label_assist: let people label a large set with the model's proposals, train, and go on in rounds."""

from __future__ import annotations

from airflow.providers.standard.operators.trigger_dagrun import TriggerDagRunOperator
from airflow.sdk import DAG, TriggerRule

from custom_labels.assist import assist_tasks
from custom_labels.assist.answers_operator import WaitForAnswersOperator
from custom_labels.assist.assist import AfterAnswers, AfterAsking, AfterPlanning, AfterRound
from custom_labels.assist.proposals_operator import propose_labels
from custom_labels.assist.training_operator import train_on_answers
from custom_labels.core.settings import Project, load_projects
from custom_labels.core.steps import earlier, follow, order
from custom_labels.detection.autostart_operator import autostart
from custom_labels.web.dag_arguments import assist_dag_arguments
from custom_labels.web.data_flow import declare_data


def assist_dag(project: Project) -> DAG:
    """Build the label assist DAG of one project; a run is a round."""
    with DAG(schedule=None, **assist_dag_arguments(project)) as dag:
        planned = assist_tasks.plan_round(project)
        settings = earlier(planned.settings)
        start = autostart(project, settings, planned.start)
        proposed = propose_labels(project, settings, planned.batches, earlier(planned.folder))
        asked = assist_tasks.ask_people(project, earlier(planned), proposed)
        waited = WaitForAnswersOperator(
            task_id="wait_for_answers",
            project=project.name,
            folder=earlier(planned.folder),
            since=earlier(planned.begun_at),
            until=earlier(asked.until),
            poll_seconds=settings.status_poll_seconds,
            deferrable=True,
        )
        answered = assist_tasks.count_answers(project, earlier(planned))
        trained = train_on_answers(project, settings, earlier(answered.train_run))
        finish = assist_tasks.finish.having(trigger_rule=TriggerRule.NONE_FAILED)(
            project, earlier(planned), earlier(asked), earlier(answered)
        )
        next_round = TriggerDagRunOperator(
            task_id="next_round",
            trigger_dag_id=dag.dag_id,
            trigger_run_id=earlier(finish.next_run),
            conf=earlier(finish.next_params),
            skip_when_already_exists=True,
            deferrable=True,
        )

        follow(planned, {AfterPlanning.DETECT: proposed, AfterPlanning.START: start, AfterPlanning.END: finish})
        order(start[-1], proposed)
        follow(asked, {AfterAsking.WAIT: waited, AfterAsking.END: finish})
        order(waited, answered)
        follow(answered, {AfterAnswers.TRAIN: trained, AfterAnswers.END: finish})
        order(trained[-1], finish)
        follow(finish, {AfterRound.NEXT: next_round})
    declare_data(dag, project)
    return dag


for each in load_projects():
    globals()[f"{each.name}_label_assist"] = assist_dag(each)
