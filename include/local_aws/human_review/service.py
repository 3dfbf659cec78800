"""SageMaker and the A2I runtime as services of the router; both work on the same regions."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from include.local_aws.human_review import flows, loops, task_uis, workteams
from include.local_aws.human_review.labeling import jobs
from include.local_aws.human_review.renderer import Renderer
from include.local_aws.human_review.state import Region
from include.local_aws.objects import Objects
from include.local_aws.regions import Regions
from include.local_aws.service import Handler, Service
from include.local_aws.settings import Settings
from include.local_aws.statuses import Statuses

SAGEMAKER: dict[str, Handler] = {
    "CreateHumanTaskUi": task_uis.create_human_task_ui,
    "DescribeHumanTaskUi": task_uis.describe_human_task_ui,
    "ListHumanTaskUis": task_uis.list_human_task_uis,
    "DeleteHumanTaskUi": task_uis.delete_human_task_ui,
    "RenderUiTemplate": task_uis.render_ui_template,
    "CreateFlowDefinition": flows.create_flow_definition,
    "DescribeFlowDefinition": flows.describe_flow_definition,
    "ListFlowDefinitions": flows.list_flow_definitions,
    "DeleteFlowDefinition": flows.delete_flow_definition,
    "CreateWorkforce": workteams.create_workforce,
    "CreateWorkteam": workteams.create_workteam,
    "DescribeWorkteam": workteams.describe_workteam,
    "ListWorkteams": workteams.list_workteams,
    "DeleteWorkteam": workteams.delete_workteam,
    "CreateLabelingJob": jobs.create_labeling_job,
    "DescribeLabelingJob": jobs.describe_labeling_job,
    "ListLabelingJobs": jobs.list_labeling_jobs,
    "ListLabelingJobsForWorkteam": jobs.list_labeling_jobs_for_workteam,
    "StopLabelingJob": jobs.stop_labeling_job,
}
"""Other operations of SageMaker go to moto."""

A2I: dict[str, Handler] = {
    "StartHumanLoop": loops.start_human_loop,
    "DescribeHumanLoop": loops.describe_human_loop,
    "ListHumanLoops": loops.list_human_loops,
    "StopHumanLoop": loops.stop_human_loop,
    "DeleteHumanLoop": loops.delete_human_loop,
}

TICK_SECONDS = 0.05
log = logging.getLogger("local_aws")


def make_human_review(
    settings: Settings, objects: Objects, endpoint: Callable[[], str], statuses: Statuses, renderer: Renderer
) -> tuple[list[Service], Regions[Region]]:
    """Return the two services and their regions; `endpoint` gives the URL that S3 is served at."""
    lock = threading.RLock()
    regions = Regions(lambda name: Region(name, settings, objects, endpoint, renderer, lock))
    services = [
        Service("sagemaker", SAGEMAKER, regions.get, lock, revise=statuses.revise),
        Service("sagemaker-a2i-runtime", A2I, regions.get, lock, revise=statuses.revise),
    ]
    return services, regions


class Ticker:
    """Lets time pass where nobody asks: loops expire and simulated workers answer without a call.

    Parameters: `tick` is called every TICK_SECONDS in a thread of its own.
    """

    def __init__(self, tick: Callable[[], None]) -> None:
        self._tick = tick
        self._stopping = threading.Event()

    def start(self) -> None:
        """Start ticking."""
        threading.Thread(target=self._run, name="human review", daemon=True).start()

    def stop(self) -> None:
        """Stop ticking, at the latest after the tick that is running."""
        self._stopping.set()

    def _run(self) -> None:
        while not self._stopping.wait(TICK_SECONDS):
            try:
                self._tick()
            except Exception:
                # A border like Service.handle: nobody waits for this thread, so the log has to tell.
                log.exception("a change in human review failed inside the emulator")
