"""<project>_cost_guard: stop what runs and should not, count what was spent, delete what is old."""

from __future__ import annotations

from airflow.sdk import DAG, Label, TriggerRule

from custom_labels.aws.operators.versions import (
    CustomLabelsDeleteVersionOperator,
    CustomLabelsStartVersionOperator,
    CustomLabelsStopVersionOperator,
)
from custom_labels.core.dag_arguments import custom_labels_arguments
from custom_labels.core.reporting_tasks import report_and_notify
from custom_labels.core.settings import Project, load_projects
from custom_labels.core.settings_tasks import load_settings
from custom_labels.deployment.preconditions import (
    before_deletion,
    before_start_of_live,
    before_stop,
    recorded_by_guard,
)
from custom_labels.operations import account_tasks, guard_tasks
from custom_labels.web.dag_arguments import dag_arguments
from custom_labels.web.docs.cost_guard import COST_GUARD_DOC
from custom_labels.web.timetables import PollTimetable


def cost_guard_dag(project: Project) -> DAG:
    """Build the cost guard of one project."""
    name = project.name
    # What one try cannot do the next look does; meanwhile others wait for the lock.
    aws = {**custom_labels_arguments(project), "retries": 1, "map_index_template": "{{ task.version_name }}"}
    with DAG(
        schedule=PollTimetable(*project.poll("cost_guard_poll_frequency")),
        **dag_arguments(project, "cost_guard", "Stop what costs for nothing, count what was spent", COST_GUARD_DOC),
    ) as dag:
        settings = load_settings(name)
        inspected = guard_tasks.inspect(name, settings)
        stop = CustomLabelsStopVersionOperator.partial(
            task_id="stop", pre_execute=before_stop(name, recorded_by_guard), **aws
        ).expand_kwargs(guard_tasks.versions_to_stop(inspected))
        start = CustomLabelsStartVersionOperator.partial(
            task_id="start", pre_execute=before_start_of_live(name), **aws
        ).expand_kwargs(guard_tasks.versions_to_start(name, settings, inspected))
        # Also where one of them failed: that keeps nothing else from being done.
        recorded = guard_tasks.record_services.override(trigger_rule=TriggerRule.ALL_DONE)(name, inspected)

        accounted = account_tasks.account(name, settings)
        old = account_tasks.old_versions(name, settings, inspected)
        delete = CustomLabelsDeleteVersionOperator.partial(
            task_id="delete", pre_execute=before_deletion(name), **aws
        ).expand_kwargs(old)
        pruned = account_tasks.prune.override(trigger_rule=TriggerRule.NONE_FAILED)(name, settings, inspected)

        choose_outcome = guard_tasks.choose_outcome.override(trigger_rule=TriggerRule.NONE_FAILED)(
            name, settings, inspected, accounted, pruned
        )
        ends = [
            guard_tasks.live_version_idle(name, settings, inspected, accounted, pruned),
            *(
                end(name, inspected, accounted, pruned)
                for end in (guard_tasks.budget_exceeded, guard_tasks.guarded, guard_tasks.nothing_to_guard)
            ),
        ]
        report_and_notify(project, ends)
        release = guard_tasks.release_deployment_lock(name).as_teardown()

        inspected >> [stop, start] >> recorded >> accounted >> old >> delete >> pruned
        [stop, start, delete] >> choose_outcome >> Label("what was done") >> ends
        [*ends, pruned] >> release
    return dag


for each in load_projects():
    globals()[f"{each.name}_cost_guard"] = cost_guard_dag(each)
