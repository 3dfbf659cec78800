"""<project>_cost_guard: stop what runs and should not, count what was spent, delete what is old."""

from __future__ import annotations

from airflow.sdk import DAG, TaskGroup, TriggerRule

from custom_labels.core.dag_arguments import custom_labels_arguments
from custom_labels.core.lock_tasks import release_locks
from custom_labels.core.settings import Project, load_projects
from custom_labels.core.settings_tasks import read_settings
from custom_labels.core.steps import each_of, earlier, follow, order, task_of
from custom_labels.deployment.preconditions import recorded_by_guard
from custom_labels.deployment.version_operator import DeleteVersionOperator, StartLiveOperator, StopVersionOperator
from custom_labels.operations.guard import Acting, Action
from custom_labels.operations.guard_tasks import account, arguments_of, finish, inspect
from custom_labels.operations.settings import GuardSettings
from custom_labels.web.dag_arguments import dag_arguments
from custom_labels.web.data_flow import declare_data
from custom_labels.web.timetables import PollTimetable


def cost_guard_dag(project: Project) -> DAG:
    """Build the cost guard of one project."""
    # What one try cannot do the next run does; meanwhile others wait for the lock.
    aws = {
        "project": project.name,
        **custom_labels_arguments(project),
        "retries": 1,
        "map_index_template": "{{ task.version_name }}",
    }
    with DAG(
        schedule=PollTimetable(*project.poll("cost_guard_poll_frequency")),
        **dag_arguments(project, "cost_guard", "Stop what costs for nothing, count what was spent"),
    ) as dag:
        settings = read_settings(project, GuardSettings)
        inspected = inspect(project, settings)
        with TaskGroup("act", prefix_group_id=False, tooltip="Stop, start and delete versions, under the lock"):
            actions = each_of(inspected.actions)
            stop = StopVersionOperator.partial(task_id="stop", is_recorded=recorded_by_guard, **aws).expand_kwargs(
                actions.map(lambda action: arguments_of(action, Action.STOP))
            )
            start = StartLiveOperator.partial(task_id="start", **aws).expand_kwargs(
                actions.map(lambda action: arguments_of(action, Action.START))
            )
            delete = DeleteVersionOperator.partial(task_id="delete", **aws).expand_kwargs(
                actions.map(lambda action: arguments_of(action, Action.DELETE))
            )
            release = task_of(release_locks(project, [inspected.choice])).as_teardown()
        # Also where one of them failed: that keeps nothing else from being done.
        accounted = account.having(trigger_rule=TriggerRule.ALL_DONE)(project, settings, inspected)
        ended = finish.having(trigger_rule=TriggerRule.NONE_FAILED)(project, settings, earlier(inspected), accounted)

        order(settings, inspected)
        follow(inspected, {Acting.DUE: [stop, start, delete, release]})
        order([stop, start, delete], release)
        order([stop, start, delete], accounted)
        order([stop, start, delete], ended)
    declare_data(dag, project)
    return dag


for each in load_projects():
    globals()[f"{each.name}_cost_guard"] = cost_guard_dag(each)
